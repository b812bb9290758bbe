//! What a person asked for, by the window or the tray.

use chrono::TimeDelta;
use daypass_domain::{Ask, Entitlement, GrantId, RequestId};
use daypass_protocol::api::{DecideBody, EditBody, GrantStatus, RequestView, ResourceBrief, SubmitBody};
use daypass_protocol::bridge::{Connection, Failure, FailureCode, Intent, Reply, Tone};

use super::credentials::{Manner, Phase};
use super::{Answer, Controller, Event, ReplyTo};
use crate::failure::{failure, local, not_here};
use crate::integration::Integration;
use crate::session::Session;
use crate::store::Message;

const RECENT: usize = 8;
const SUBMITTED: usize = 200;

impl<I: Integration> Controller<I> {
    pub(super) async fn on_intent(&mut self, intent: Intent, reply: ReplyTo) {
        let answer = match intent {
            Intent::Hello => Ok(Reply::Snapshot(Box::new(self.snapshot()))),
            // The shell's own business.
            Intent::Painted | Intent::CloseWindow => Ok(Reply::Done),
            Intent::FindServer { address } => {
                let look = self.find_server(address).await;
                return self.call(reply, async { Answer::Server(look.await) });
            }
            Intent::SignIn { address, fingerprint } => return self.sign_in(address, fingerprint, reply),
            Intent::CancelSignIn => {
                self.cancel_sign_in();
                Ok(Reply::Done)
            }
            Intent::SignOut => return self.sign_out(reply).await,
            Intent::Refresh => {
                self.catalogue_revision += 1;
                self.changed = true;
                if self.keychain_view != daypass_protocol::bridge::Keychain::Ready {
                    self.look_through_keychain(Manner::Asking);
                }
                self.on_woke();
                Ok(Reply::Done)
            }
            Intent::Catalogue
            | Intent::Preview { .. }
            | Intent::Submit { .. }
            | Intent::Edit { .. }
            | Intent::Withdraw { .. }
            | Intent::Request { .. }
            | Intent::Decide { .. } => return self.ask_server(intent, reply),
            Intent::CopyCommand { grant } => self.copy_command(grant),
            Intent::CopyPassword { grant } => return self.read_password(grant, reply),
            Intent::RetryCredential { grant } => self.retry_credential(grant),
            Intent::Release { grant } => self.release(grant).await,
            Intent::DropEverything => self.drop_everything().await,
            Intent::History { filter } => match &self.history {
                Some(history) => Ok(Reply::History(history.search(&filter, self.synced_at))),
                None => Err(self.no_history()),
            },
            Intent::ExportHistory { filter } => self.export(&filter),
            Intent::SetFavourite { entitlement, on } => {
                self.favourites.retain(|e| *e != entitlement);
                if on {
                    self.favourites.insert(0, entitlement);
                }
                self.changed = true;
                let kept = self.store.put("favourites", &self.favourites).await;
                self.note_store(kept);
                Ok(Reply::Done)
            }
            Intent::SetSettings { settings } => {
                self.out.settings(&settings);
                let kept = self.store.put("settings", &settings).await;
                self.note_store(kept);
                self.settings = settings;
                self.changed = true;
                Ok(Reply::Done)
            }
            Intent::DismissNotice { id } => {
                self.notices.retain(|n| n.id != id);
                self.changed = true;
                Ok(Reply::Done)
            }
        };
        // Whoever gets the answer has been told of what it changed.
        self.publish();
        // A window that closed meanwhile does not read its answer.
        let _ = reply.send(answer);
    }

    fn call(&self, reply: ReplyTo, answer: impl Future<Output = Answer> + Send + 'static) {
        let events = self.events.clone();
        tokio::spawn(async move {
            let answer = answer.await;
            let _ = events.send(Event::Answered { reply, answer });
        });
    }

    fn ask_server(&mut self, intent: Intent, reply: ReplyTo) {
        let Some(session) = self.session.clone() else {
            let _ = reply.send(Err(self.no_session()));
            return;
        };
        // Known before it is sent: an approval on the spot may be heard of before the answer.
        if let Intent::Submit { id, .. } = &intent {
            self.note_submitted(*id);
        }
        self.call(reply, ask(session, intent));
    }

    pub(super) async fn on_answered(&mut self, reply: ReplyTo, answer: Answer) {
        let answer = match answer {
            Answer::Server(result) => result.map(Reply::Server),
            Answer::Catalogue(Ok(catalogue)) => {
                self.learn_names(catalogue.iter().map(|r| &r.brief)).await;
                Ok(Reply::Catalogue(catalogue))
            }
            Answer::Catalogue(Err(failure)) => Err(failure),
            Answer::Preview(result) => result.map(Reply::Preview),
            Answer::Submitted(Ok(request)) => {
                self.on_submitted(&request).await;
                Ok(Reply::Request(request))
            }
            Answer::Request(Ok(request)) => {
                self.meet_request(&request);
                Ok(Reply::Request(request))
            }
            Answer::Submitted(Err(failure)) | Answer::Request(Err(failure)) => Err(failure),
        };
        if let Err(failure) = &answer {
            match failure.code {
                FailureCode::SignedOut => self.session_over(failure.message.clone()),
                // The stream finds out by itself, but not as soon.
                FailureCode::Offline if self.connection == Connection::Online => self.connect(),
                _ => {}
            }
        }
        self.publish();
        let _ = reply.send(answer);
    }

    async fn on_submitted(&mut self, request: &RequestView) {
        self.note_submitted(request.id);
        for entitlement in request.asked().into_iter().rev() {
            self.recent.retain(|e: &Entitlement| *e != entitlement);
            self.recent.insert(0, entitlement);
        }
        self.recent.truncate(RECENT);
        let kept = async {
            self.store.put("submitted", &self.submitted).await?;
            self.store.put("recent", &self.recent).await
        }
        .await;
        self.note_store(kept);
        self.learn_names(request.entitlements.iter().map(|e| &e.resource)).await;
        self.dirty.grants = true;
        self.meet_request(request);
    }

    fn note_submitted(&mut self, request: RequestId) {
        if !self.submitted.contains(&request) {
            self.submitted.push_front(request);
            self.submitted.truncate(SUBMITTED);
        }
    }

    async fn learn_names(&mut self, resources: impl Iterator<Item = &ResourceBrief>) {
        let mut news = false;
        for resource in resources {
            if self.names.get(&resource.id) != Some(&resource.name) {
                self.names.insert(resource.id.clone(), resource.name.clone());
                news = true;
            }
        }
        if news {
            self.changed = true;
            let kept = self.store.put("names", &self.names).await;
            self.note_store(kept);
        }
    }

    /// Puts what the server just said into the lists, so that the page is right before they are read again.
    fn meet_request(&mut self, request: &RequestView) {
        let mine = self.me.as_ref().is_some_and(|me| me.person.id == request.requester.id);
        let list = if mine { &mut self.requests } else { &mut self.reviews };
        let place = list.iter().position(|r| r.id == request.id);
        match place.and_then(|place| list.get_mut(place)) {
            Some(_) if !mine && !request.may_decide => list.retain(|r| r.id != request.id),
            Some(known) => *known = request.clone(),
            None if mine => list.insert(0, request.clone()),
            None => {}
        }
        self.dirty.requests |= mine;
        self.dirty.reviews |= !mine;
        self.changed = true;
    }

    fn copy_command(&mut self, grant: GrantId) -> Result<Reply, Failure> {
        let held = self.held.get(&grant).filter(|h| h.phase == Phase::Here);
        let command = held.and_then(|h| h.command.clone());
        let command =
            command.ok_or_else(|| not_here("The credential of this grant is not on this device."))?;
        // The next copy ends the wait of a password that was there before.
        self.copied = None;
        self.out.copy(command.into());
        Ok(Reply::Done)
    }

    fn retry_credential(&mut self, grant: GrantId) -> Result<Reply, Failure> {
        self.keychain_probe_after = std::time::Duration::ZERO;
        self.look_through_keychain(Manner::Asking);
        self.retry_wipes();
        let idle = self
            .held
            .get(&grant)
            .is_none_or(|h| matches!(h.phase, Phase::Absent | Phase::Failed { .. } | Phase::Wiped));
        let view = self.grant_view(grant).cloned();
        let live = view.as_ref().is_some_and(|g| g.status == GrantStatus::Live);
        match view.and_then(|view| view.expires_at.map(|end| (view, end))) {
            Some((view, end)) if live && idle && self.now() < end => {
                self.want(grant, end, Some(view));
                Ok(Reply::Done)
            }
            Some(_) if !idle => Ok(Reply::Done),
            _ => Err(not_here("This grant is not live.")),
        }
    }

    /// Gives one grant back: wiped here at once, told to the server as soon as it answers.
    async fn release(&mut self, grant: GrantId) -> Result<Reply, Failure> {
        let known = self
            .grant_view(grant)
            .is_some_and(|g| matches!(g.status, GrantStatus::Live | GrantStatus::Opening { .. }));
        if !known && !self.held.contains_key(&grant) {
            return Err(not_here("This grant has ended."));
        }
        self.give_back(grant).await?;
        if self.connection != Connection::Online {
            let text = "Wiped here. The grant is given back as soon as the server answers.";
            self.notice(Tone::Info, text, None);
        }
        Ok(Reply::Done)
    }

    async fn give_back(&mut self, grant: GrantId) -> Result<(), Failure> {
        let recorded = self.store.send(Message::Release(grant)).await;
        let failed = recorded.is_err();
        self.note_store(recorded);
        self.releasing.insert(grant);
        if !self.outbox.contains(&Message::Release(grant)) {
            self.outbox.push(Message::Release(grant));
        }
        self.deliver_after = std::time::Duration::ZERO;
        self.changed = true;
        self.wipe(grant, None);
        if failed {
            return Err(local(
                "This device's database cannot be written. The release may be forgotten at a restart.",
            ));
        }
        Ok(())
    }

    async fn drop_everything(&mut self) -> Result<Reply, Failure> {
        self.clear_copied();
        // The wipes first: they must not wait for the disk.
        self.wipe_all();
        let over = |g: &daypass_protocol::api::GrantView| {
            matches!(g.status, GrantStatus::Ended { .. } | GrantStatus::Ending { .. })
        };
        let mut grants: Vec<GrantId> = self.grants.iter().filter(|g| !over(g)).map(|g| g.id).collect();
        let held = self.held.iter().filter(|(_, h)| h.intent.view.as_ref().is_none_or(|g| !over(g)));
        grants.extend(held.map(|(id, _)| *id));
        grants.sort_unstable();
        grants.dedup();
        let mut result = Ok(Reply::Done);
        for grant in &grants {
            if let Err(failure) = self.give_back(*grant).await {
                result = Err(failure);
            }
        }
        let text = match (grants.len(), &self.connection) {
            (0, _) => "Nothing was live.".to_owned(),
            (n, Connection::Online) => {
                format!("Dropped: {n} {} given back.", if n == 1 { "grant" } else { "grants" })
            }
            (n, _) => format!(
                "Wiped here. {n} {} given back as soon as the server answers.",
                if n == 1 { "grant is" } else { "grants are" }
            ),
        };
        self.notice(Tone::Good, text, None);
        result
    }

    fn export(&self, filter: &daypass_protocol::bridge::HistoryFilter) -> Result<Reply, Failure> {
        let history = self.history.as_ref().ok_or_else(|| self.no_history())?;
        let folder = self.out.downloads();
        let (path, entries) = history.export(filter, &folder, self.clock.now()).map_err(|error| {
            tracing::warn!(%error, "the export failed");
            local(format!("The file could not be written to {}: {error}", folder.display()))
        })?;
        Ok(Reply::Exported { path: path.display().to_string(), entries })
    }

    fn no_history(&self) -> Failure {
        use daypass_protocol::bridge::Keychain as K;
        match &self.keychain_view {
            K::Locked { .. } => failure(
                FailureCode::KeychainLocked,
                "Your history is sealed, and its key is in the locked keychain. Unlock the keychain to read it.",
            ),
            K::Missing { .. } => failure(
                FailureCode::KeychainMissing,
                "Your history is sealed, and its key is in a keychain that does not answer. Start it to read on.",
            ),
            K::Ready if self.account.is_none() => {
                failure(FailureCode::SignedOut, "Sign in to read your history.")
            }
            K::Ready => local("The history on this device is being opened."),
        }
    }
}

async fn ask(session: Session, intent: Intent) -> Answer {
    match intent {
        Intent::Catalogue => Answer::Catalogue(session.get("/v1/catalogue").await),
        Intent::Preview { ask } => {
            Answer::Preview(session.post("/v1/requests/preview", &ask).await.map(Box::new))
        }
        Intent::Submit { id, ask } => {
            let body = SubmitBody { id, ask: tidy(ask) };
            Answer::Submitted(session.post("/v1/requests", &body).await.map(Box::new))
        }
        Intent::Edit { id, revision, ask } => {
            let body = EditBody { revision, ask: tidy(ask) };
            Answer::Submitted(session.put(&format!("/v1/requests/{id}"), &body).await.map(Box::new))
        }
        Intent::Withdraw { id } => {
            Answer::Request(session.post(&format!("/v1/requests/{id}/withdraw"), &()).await.map(Box::new))
        }
        Intent::Request { id } => {
            Answer::Request(session.get(&format!("/v1/requests/{id}")).await.map(Box::new))
        }
        Intent::Decide { id, digest, verdict, note } => {
            let body = DecideBody { digest, verdict, note };
            Answer::Request(session.post(&format!("/v1/requests/{id}/decisions"), &body).await.map(Box::new))
        }
        other => {
            tracing::error!(?other, "this intent is not for the server");
            Answer::Request(Err(local("Daypass cannot do this.")))
        }
    }
}

/// Microseconds are what the server keeps; an empty ticket is none.
fn tidy(mut ask: Ask) -> Ask {
    ask.ticket = ask.ticket.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
    ask.start = ask.start.map(|t| t - TimeDelta::nanoseconds(i64::from(t.timestamp_subsec_nanos() % 1000)));
    ask
}
