//! The state as the front end shows it.

use daypass_protocol::api::{EndedWhy, GrantStatus, GrantView};
use daypass_protocol::bridge::{LocalCredential, LocalGrant, Snapshot};

use super::Controller;
use crate::integration::Integration;

impl<I: Integration> Controller<I> {
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            revision: self.revision,
            now: self.now(),
            clock_off_s: self.time.clock_off_s(&self.clock),
            connection: self.connection.clone(),
            server: self.account.as_ref().map(|a| a.server.clone()),
            suggested_server: self.options.suggested_server.clone(),
            me: self.me.clone(),
            keychain: self.keychain_view.clone(),
            catalogue_revision: self.catalogue_revision,
            requests: self.requests.clone(),
            reviews: self.reviews.clone(),
            grants: self.local_grants(),
            favourites: self.favourites.clone(),
            recent: self.recent.clone(),
            notices: self.notices.iter().cloned().collect(),
            settings: self.settings.clone(),
        }
    }

    /// The server's list with what this device knows better; from the intents alone while there is no list.
    fn local_grants(&self) -> Vec<LocalGrant> {
        let unlisted = self.held.values().filter_map(|h| h.intent.view.as_ref());
        let unlisted = unlisted.filter(|view| !self.grants.iter().any(|g| g.id == view.id));
        let mut grants: Vec<LocalGrant> =
            self.grants.iter().chain(unlisted).map(|g| self.local_grant(g)).collect();
        let rank = |g: &LocalGrant| match g.grant.status {
            GrantStatus::Live => 0,
            GrantStatus::Opening { .. } => 1,
            GrantStatus::Ending { .. } => 2,
            GrantStatus::Ended { .. } => 3,
        };
        grants.sort_by(|a, b| rank(a).cmp(&rank(b)).then(b.grant.opened_at.cmp(&a.grant.opened_at)));
        grants
    }

    fn local_grant(&self, grant: &GrantView) -> LocalGrant {
        let mut grant = grant.clone();
        let alive = matches!(grant.status, GrantStatus::Live | GrantStatus::Opening { .. });
        if alive && self.releasing.contains(&grant.id) {
            grant.status = GrantStatus::Ending { why: EndedWhy::Released, problem: None };
        } else if grant.status == GrantStatus::Live && grant.expires_at.is_some_and(|end| self.now() >= end) {
            grant.status = GrantStatus::Ending { why: EndedWhy::Expired, problem: None };
        }
        let held = self.held.get(&grant.id);
        let credential = match held {
            Some(held) => held.view(),
            None if grant.device.is_some_and(|device| device != self.device) && alive => {
                LocalCredential::Elsewhere
            }
            None => LocalCredential::None,
        };
        let command = held.filter(|_| credential == LocalCredential::Here).and_then(|h| h.command.clone());
        LocalGrant { grant, credential, command }
    }
}
