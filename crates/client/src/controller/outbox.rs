//! What the server has to be told, one message at a time, until it has heard each.

use std::time::Duration;

use daypass_protocol::api::{GrantView, ProblemCode, WipedBody};
use daypass_protocol::bridge::{Connection, Failure, FailureCode};

use super::{Controller, Event};
use crate::integration::Integration;
use crate::store::Message;

const PAUSE: Duration = Duration::from_secs(3);

impl<I: Integration> Controller<I> {
    pub(super) fn deliver(&mut self) {
        let Some(session) = self.session.clone() else { return };
        let waits = self.delivering.is_some()
            || !matches!(self.connection, Connection::Online)
            || self.clock.uptime() < self.deliver_after;
        let Some(message) = self.outbox.first().copied().filter(|_| !waits) else { return };
        self.delivering = Some(message);
        let (events, body) = (self.events.clone(), WipedBody { device: self.device });
        tokio::spawn(async move {
            let grant = message.grant();
            let result = match message {
                Message::Release(_) => {
                    session.post::<GrantView>(&format!("/v1/grants/{grant}/release"), &()).await.map(|_| ())
                }
                Message::Wiped(_) => session.post::<()>(&format!("/v1/grants/{grant}/wiped"), &body).await,
            };
            let _ = events.send(Event::Delivered(message, result));
        });
    }

    pub(super) async fn on_delivered(&mut self, message: Message, result: Result<(), Failure>) {
        if self.delivering.take() != Some(message) {
            return;
        }
        match result {
            Ok(()) => {}
            // Ended already, or not known to the server: there is nothing left to tell.
            Err(Failure {
                code:
                    FailureCode::Server(
                        ProblemCode::Over
                        | ProblemCode::NotFound
                        | ProblemCode::Forbidden
                        | ProblemCode::Conflict,
                    ),
                ..
            }) => {}
            Err(failure) if failure.code == FailureCode::SignedOut => {
                return self.session_over(failure.message);
            }
            Err(failure) => {
                tracing::info!(?message, why = %failure.message, "the server is told later");
                self.deliver_after = self.clock.uptime() + PAUSE;
                // The others get their turn: one that always fails must not hold them up.
                self.outbox.rotate_left(1);
                return;
            }
        }
        let sent = self.store.sent(message).await;
        self.note_store(sent);
        self.outbox.retain(|m| *m != message);
        if let Message::Release(grant) = message {
            self.releasing.remove(&grant);
            self.dirty.grants = true;
        }
        self.changed = true;
    }
}
