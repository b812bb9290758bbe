//! What happened, as the ledger tells it: kept, acted on, and said where a person wants to know.

use chrono::TimeDelta;
use daypass_protocol::api::{Entry, EntryKind};

use super::Controller;
use crate::integration::Integration;
use crate::words;

/// Older entries are read without a word: after a week away nobody wants a week of messages.
const NEWS: TimeDelta = TimeDelta::minutes(10);

impl<I: Integration> Controller<I> {
    pub(super) async fn on_entries(&mut self, entries: Vec<Entry>) {
        if self.session.is_none() {
            return;
        }
        for entry in &entries {
            self.act_on(entry);
        }
        // A credential is waited for, and one that ended must go; the history can be written after that.
        self.tick_credentials().await;
        if let Some(history) = &mut self.history
            && let Err(error) = history.add(&entries).await
        {
            tracing::error!(%error, "the history cannot be written");
            let text = "The history on this device cannot be written. Is the disk full?";
            self.notice(daypass_protocol::bridge::Tone::Bad, text, None);
        }
        self.changed = true;
    }

    fn act_on(&mut self, entry: &Entry) {
        use EntryKind as E;
        let mine = self.me.as_ref().is_some_and(|me| me.person.id == entry.subject.id);
        match entry.kind {
            E::RequestSubmitted
            | E::RequestEdited
            | E::RequestDecided
            | E::RequestQuestioned
            | E::RequestApproved
            | E::RequestDenied
            | E::RequestWithdrawn
            | E::RequestLapsed => {
                self.dirty.requests |= mine;
                self.dirty.reviews |= !mine;
            }
            E::GrantOpened | E::GrantProblem | E::CredentialIssued | E::CredentialWiped => {
                self.dirty.grants |= mine
            }
            E::GrantActivated => {
                self.dirty.grants |= mine;
                if mine {
                    self.on_activated(entry);
                }
            }
            E::GrantEnding | E::GrantEnded => {
                self.dirty.grants |= mine;
                if mine {
                    self.on_ending(entry);
                }
            }
            E::SignedIn | E::SignedOut => {}
        }
        let changes_offers = matches!(
            entry.kind,
            E::RequestSubmitted | E::RequestApproved | E::RequestDenied | E::GrantActivated | E::GrantEnded
        );
        if mine && changes_offers {
            self.catalogue_revision += 1;
        }
        if self.now() - entry.at <= NEWS {
            self.tell(entry, mine);
        }
    }

    /// The quickest way from approval to the keychain: the entry says enough, the list is read meanwhile.
    fn on_activated(&mut self, entry: &Entry) {
        let (Some(grant), Some(expires_at)) = (entry.grant, entry.expires_at) else { return };
        let sent_here = entry.request.is_some_and(|request| self.submitted.contains(&request));
        if sent_here && !self.held.contains_key(&grant) && !self.releasing.contains(&grant) {
            let view = self.grant_view(grant).cloned();
            self.want(grant, expires_at, view);
        }
    }

    fn on_ending(&mut self, entry: &Entry) {
        let Some(grant) = entry.grant else { return };
        let by_me =
            self.releasing.contains(&grant) || entry.actor.as_ref().is_some_and(|a| a.id == entry.subject.id);
        let here = self.held.contains_key(&grant);
        let text = (!by_me).then(|| words::ended_by_entry(entry));
        if here {
            self.wipe(grant, text);
        } else if let Some(text) =
            text.filter(|_| entry.kind == EntryKind::GrantEnding && self.now() - entry.at <= NEWS)
        {
            self.notify(words::ended(grant, text));
        }
    }

    fn tell(&mut self, entry: &Entry, mine: bool) {
        use EntryKind as E;
        let Some(me) = self.me.as_ref().map(|me| me.person.id.clone()) else { return };
        if let Some(request) = entry.request
            && !mine
            && entry.waits_for.contains(&me)
            && matches!(entry.kind, E::RequestSubmitted | E::RequestEdited | E::RequestDecided)
        {
            // Within one stage everybody waits until enough have approved: that is one message, not several.
            let again = !self.asked_for_review.insert(request);
            if !again || entry.kind != E::RequestDecided {
                self.notify(words::waits_for_you(request, entry));
            }
            return;
        }
        if mine && let Some(notification) = words::decided(entry) {
            self.notify(notification);
        }
    }
}
