//! The connection: read all lists, catch up with the entries, then hear of each as it happens; and again when it
//! breaks.

use std::time::Duration;

use daypass_protocol::api::{Entry, EntryPage, Me};
use daypass_protocol::bridge::{Connection, Failure, FailureCode, Tone};
use tokio::sync::mpsc::UnboundedSender;

use super::{Controller, Dirty, Event, Lists, Turns};
use crate::failure::offline;
use crate::integration::Integration;
use crate::keychain::KeychainError;
use crate::session::Session;

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
const LARGEST_EVENT: usize = 1 << 20;

impl<I: Integration> Controller<I> {
    /// Connects anew, whatever there was.
    pub(super) fn connect(&mut self) {
        let Some(session) = self.session.clone() else { return self.resume_session() };
        if let Some(online) = self.online.take() {
            online.abort();
        }
        let position = self.history.as_ref().map_or(0, crate::history::History::position);
        let (turns, events) = (self.turns.clone(), self.events.clone());
        self.online = Some(tokio::spawn(stay_connected(session, turns, events, position)).abort_handle());
    }

    pub(super) async fn on_lists(&mut self, lists: Lists) {
        if self.session.is_none() {
            return;
        }
        if lists.fresh {
            if self.connection != Connection::Online {
                self.connection = Connection::Online;
                self.catalogue_revision += 1;
            }
            self.deliver_after = Duration::ZERO;
        } else {
            self.refetching = false;
        }
        if lists.is_empty() {
            return;
        }
        self.changed = true;
        if let Some(me) = lists.me
            && self.me.as_ref() != Some(&me)
        {
            let kept = self.store.put("me", &me).await;
            self.note_store(kept);
            self.me = Some(me);
        }
        if let Some(requests) = lists.requests {
            self.requests = requests;
        }
        if let Some(reviews) = lists.reviews {
            self.asked_for_review.retain(|id| reviews.iter().any(|r| r.id == *id));
            self.reviews = reviews;
        }
        if let Some(grants) = lists.grants {
            self.grants = grants;
            self.meet_grants(lists.asked);
        }
        self.keep_lists().await;
    }

    pub(super) fn on_lists_failed(&mut self, failure: Failure) {
        self.refetching = false;
        match failure.code {
            FailureCode::SignedOut => self.session_over(failure.message),
            FailureCode::Offline => self.connect(),
            _ => {
                tracing::warn!(why = %failure.message, "the lists could not be read");
                self.dirty = Dirty::ALL;
                self.refetch_after = self.clock.uptime() + Duration::from_secs(2);
            }
        }
    }

    /// Reads again what is known to have changed.
    pub(super) fn refetch(&mut self) {
        let Some(session) = self.session.clone() else { return };
        let waits = self.refetching
            || !matches!(self.connection, Connection::Online)
            || self.clock.uptime() < self.refetch_after;
        if waits || !self.dirty.any() {
            return;
        }
        let dirty = std::mem::take(&mut self.dirty);
        self.refetching = true;
        let (turns, events) = (self.turns.clone(), self.events.clone());
        tokio::spawn(async move {
            let event = match read_lists(&session, dirty, &turns).await {
                Ok(lists) => Event::Lists(Box::new(lists)),
                Err(failure) => Event::ListsFailed(failure),
            };
            let _ = events.send(event);
        });
    }

    pub(super) async fn on_caught_up(&mut self) {
        self.synced_at = Some(self.now());
        let kept = self.store.put("synced_at", &self.synced_at).await;
        self.note_store(kept);
    }

    pub(super) fn on_resync(&mut self) {
        self.dirty = Dirty::ALL;
        self.catalogue_revision += 1;
        self.changed = true;
    }

    pub(super) fn on_lost(&mut self, failure: Failure) {
        if self.session.is_none() {
            return;
        }
        match failure.code {
            FailureCode::SignedOut => self.session_over(failure.message),
            _ => {
                match failure.code {
                    FailureCode::KeychainLocked => self.note_keychain::<()>(&Err(KeychainError::Locked)),
                    FailureCode::KeychainMissing => self.note_keychain::<()>(&Err(KeychainError::Missing)),
                    _ => {}
                }
                if failure.code == FailureCode::Certificate {
                    self.notice(Tone::Bad, failure.message.clone(), None);
                }
                let since = match &self.connection {
                    Connection::Offline { since, .. } => *since,
                    _ => self.now(),
                };
                let connection = Connection::Offline { since, message: failure.message };
                if self.connection != connection {
                    self.connection = connection;
                    self.changed = true;
                }
            }
        }
    }
}

async fn stay_connected(session: Session, turns: Turns, events: UnboundedSender<Event>, mut position: i64) {
    let mut pause = FIRST_PAUSE;
    loop {
        let mut connected = false;
        let failure = match once(&session, &turns, &events, &mut position, &mut connected).await {
            Ok(()) => offline(&session.api().name()),
            Err(failure) => failure,
        };
        if connected {
            pause = FIRST_PAUSE;
        }
        let over = failure.code == FailureCode::SignedOut;
        if events.send(Event::Lost(failure)).is_err() || over {
            return;
        }
        tokio::time::sleep(jittered(pause)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// One connection, from the first list to its loss.
async fn once(
    session: &Session,
    turns: &Turns,
    events: &UnboundedSender<Event>,
    position: &mut i64,
    connected: &mut bool,
) -> Result<(), Failure> {
    let lists = Lists { fresh: true, ..read_lists(session, Dirty::ALL, turns).await? };
    // A loop that has ended takes nothing more; this task is then aborted with it.
    let tell = |event| drop(events.send(event));
    tell(Event::Lists(Box::new(lists)));
    *connected = true;
    loop {
        let page: EntryPage = session.get(&format!("/v1/entries?after={position}&limit=500")).await?;
        if let Some(last) = page.entries.last() {
            *position = last.position;
            tell(Event::Entries(page.entries));
        }
        match page.next {
            Some(next) if next > 0 => *position = (*position).max(next),
            _ => break,
        }
    }
    tell(Event::CaughtUp);
    let mut stream = session.stream(*position).await?;
    let name = session.api().name();
    let mut frames = Frames::default();
    while let Some(bytes) = stream.chunk().await.map_err(|_| offline(&name))? {
        frames.push(&bytes);
        while let Some(frame) = frames.next() {
            match frame.event.as_str() {
                "entry" => match serde_json::from_str::<Entry>(&frame.data) {
                    Ok(entry) => {
                        *position = entry.position;
                        tell(Event::Entries(vec![entry]));
                    }
                    // Of a kind that this version does not know: what it changed is read anew.
                    Err(_) => tell(Event::Resync),
                },
                "resync" => tell(Event::Resync),
                _ => {}
            }
        }
        if frames.overflowed() {
            return Err(offline(&name));
        }
    }
    Ok(())
}

async fn read_lists(session: &Session, what: Dirty, turns: &Turns) -> Result<Lists, Failure> {
    let asked = turns.next();
    let me = async { if what.me { session.get::<Me>("/v1/me").await.map(Some) } else { Ok(None) } };
    let requests =
        async { if what.requests { session.get("/v1/requests").await.map(Some) } else { Ok(None) } };
    let reviews = async { if what.reviews { session.get("/v1/reviews").await.map(Some) } else { Ok(None) } };
    let grants = async { if what.grants { session.get("/v1/grants").await.map(Some) } else { Ok(None) } };
    let (me, requests, reviews, grants) = tokio::try_join!(me, requests, reviews, grants)?;
    Ok(Lists { me, requests, reviews, grants, asked, fresh: false })
}

/// Between half and all of it, so that many clients do not come back in step.
fn jittered(pause: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(u32::MAX);
    pause.mul_f64(0.5 + 0.5 * f64::from(random) / f64::from(u32::MAX))
}

/// The frames of an event stream (HTML Living Standard, 9.2.6), from pieces of any size.
#[derive(Default)]
struct Frames {
    bytes: Vec<u8>,
    event: String,
    data: String,
}

#[derive(Debug, PartialEq)]
struct Frame {
    event: String,
    data: String,
}

impl Frames {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn overflowed(&self) -> bool {
        self.bytes.len() + self.data.len() > LARGEST_EVENT
    }

    fn next(&mut self) -> Option<Frame> {
        while let Some(end) = self.bytes.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = self.bytes.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\n', '\r']);
            if line.is_empty() {
                let frame =
                    Frame { event: std::mem::take(&mut self.event), data: std::mem::take(&mut self.data) };
                if !frame.event.is_empty() || !frame.data.is_empty() {
                    return Some(frame);
                }
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => self.event = value.to_owned(),
                "data" => {
                    if !self.data.is_empty() {
                        self.data.push('\n');
                    }
                    self.data.push_str(value);
                }
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_whole_however_the_bytes_come_in() {
        let text = ": hello\n\nid: 7\nevent: entry\ndata: {\"a\":\r\ndata:1}\n\nevent: resync\n\ndata: x\n";
        let expected = [("entry", "{\"a\":\n1}"), ("resync", "")];
        for size in 1..text.len() {
            let mut frames = Frames::default();
            let mut got = Vec::new();
            for piece in text.as_bytes().chunks(size) {
                frames.push(piece);
                got.extend(std::iter::from_fn(|| frames.next()));
            }
            let got: Vec<_> = got.iter().map(|f| (f.event.as_str(), f.data.as_str())).collect();
            assert_eq!(got, expected, "in pieces of {size}");
        }
    }
}
