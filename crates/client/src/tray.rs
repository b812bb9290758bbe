//! What the tray shows, out of the same state as the window.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use daypass_clock::Timestamp;
use daypass_domain::{Entitlement, GrantId, ResourceId};
use daypass_protocol::api::GrantStatus;
use daypass_protocol::bridge::{Connection, Keychain, LocalCredential, Snapshot};

use crate::words::span;

/// The tray's icon and menu.
#[derive(Clone, Debug, PartialEq)]
pub struct TrayModel {
    pub icon: TrayIcon,
    /// The first line of the menu, and the tooltip.
    pub state: String,
    pub signed_in: bool,
    /// Favourites first, then what was asked for lately.
    pub quick: Vec<TrayQuick>,
    pub grants: Vec<TrayGrant>,
    /// Requests that wait for this person.
    pub reviews: usize,
    /// When a label is no longer true.
    pub stale_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrayIcon {
    Idle,
    /// Something is live.
    Live,
    Offline,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrayQuick {
    pub label: String,
    pub entitlement: Entitlement,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrayGrant {
    pub grant: GrantId,
    /// "shop-db · write · 12 minutes left"
    pub label: String,
    /// Whether a credential is here to be copied.
    pub here: bool,
}

impl TrayModel {
    /// Whether only words differ: then an open menu can stay open.
    #[must_use]
    pub fn has_shape_of(&self, other: &Self) -> bool {
        let grants = |model: &Self| model.grants.iter().map(|g| (g.grant, g.here)).collect::<Vec<_>>();
        self.signed_in == other.signed_in
            && self.quick == other.quick
            && grants(self) == grants(other)
            && (self.reviews > 0) == (other.reviews > 0)
    }
}

const QUICK: usize = 8;

/// The tray for a state; `names` are those of resources, for people.
pub(crate) fn tray(snapshot: &Snapshot, names: &BTreeMap<ResourceId, String>) -> TrayModel {
    let signed_in = snapshot.me.is_some()
        && !matches!(snapshot.connection, Connection::SignedOut { .. } | Connection::SigningIn { .. });
    let mut grants = Vec::new();
    let mut stale_at: Option<Timestamp> = None;
    for local in &snapshot.grants {
        let grant = &local.grant;
        let (GrantStatus::Live, Some(end)) = (&grant.status, grant.expires_at) else { continue };
        let left = end - snapshot.now;
        grants.push(TrayGrant {
            grant: grant.id,
            label: format!("{} · {} · {} left", grant.resource.name, grant.level, minutes(left)),
            here: local.credential == LocalCredential::Here,
        });
        // Labels count whole minutes up, so they change when the rest is a whole number of them.
        let next = end - TimeDelta::minutes(left.num_minutes());
        let next = if next <= snapshot.now { next + TimeDelta::minutes(1) } else { next };
        stale_at = Some(stale_at.map_or(next, |at| at.min(next)));
    }
    let reviews = snapshot.reviews.iter().filter(|r| r.may_decide).count();
    let mut quick: Vec<TrayQuick> = Vec::new();
    for entitlement in snapshot.favourites.iter().chain(&snapshot.recent) {
        if quick.len() < QUICK && !quick.iter().any(|q| q.entitlement == *entitlement) {
            let name = names.get(&entitlement.resource).map_or(entitlement.resource.as_str(), String::as_str);
            let label = format!("{name} · {}", entitlement.level);
            quick.push(TrayQuick { label, entitlement: entitlement.clone() });
        }
    }
    let offline = matches!(snapshot.connection, Connection::Offline { .. });
    TrayModel {
        icon: match (grants.is_empty(), offline) {
            (false, _) => TrayIcon::Live,
            (true, true) => TrayIcon::Offline,
            (true, false) => TrayIcon::Idle,
        },
        state: state(snapshot, grants.len()),
        signed_in,
        quick,
        grants,
        reviews,
        stale_at,
    }
}

fn state(snapshot: &Snapshot, live: usize) -> String {
    match (&snapshot.keychain, &snapshot.connection) {
        (_, Connection::SignedOut { .. }) => return "Signed out".into(),
        (_, Connection::SigningIn { .. }) => return "Signing in…".into(),
        (Keychain::Locked { .. }, _) => return "The keychain is locked".into(),
        (Keychain::Missing { .. }, _) => return "No keychain answers".into(),
        _ => {}
    }
    let access = match live {
        0 => "Nothing is live".to_owned(),
        1 => "1 grant is live".to_owned(),
        n => format!("{n} grants are live"),
    };
    match &snapshot.connection {
        Connection::Offline { .. } => format!("Offline · {access}"),
        Connection::Connecting => format!("Connecting… · {access}"),
        _ => access,
    }
}

/// Whole minutes, rounded up, so that the label never says less than there is.
fn minutes(left: TimeDelta) -> String {
    let up = (left.num_seconds().max(1) + 59) / 60;
    span(TimeDelta::minutes(up))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn words_may_change_in_place_and_nothing_else() {
        let grant = |id: u128, label: &str, here: bool| TrayGrant {
            grant: GrantId(Uuid::from_u128(id)),
            label: label.to_owned(),
            here,
        };
        let model = TrayModel {
            icon: TrayIcon::Live,
            state: "1 live".into(),
            signed_in: true,
            quick: Vec::new(),
            grants: vec![grant(1, "shop-db · write · 12 minutes left", true)],
            reviews: 1,
            stale_at: None,
        };
        let later = TrayModel {
            state: "1 live, 2 wait".into(),
            grants: vec![grant(1, "shop-db · write · 11 minutes left", true)],
            reviews: 2,
            ..model.clone()
        };
        assert!(later.has_shape_of(&model));
        for other in [
            TrayModel { signed_in: false, ..model.clone() },
            TrayModel { reviews: 0, ..model.clone() },
            TrayModel { grants: Vec::new(), ..model.clone() },
            TrayModel { grants: vec![grant(2, "shop-db", true)], ..model.clone() },
            TrayModel { grants: vec![grant(1, "shop-db", false)], ..model.clone() },
        ] {
            assert!(!other.has_shape_of(&model), "{other:?}");
        }
    }
}
