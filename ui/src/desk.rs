//! What every part can reach: the last snapshot, the catalogue, and the ways to act and to move.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use daypass_domain::{Entitlement, RequestId, ResourceId, Timestamp};
use daypass_protocol::api::{GrantStatus, Resource};
use daypass_protocol::bridge::{Connection, Failure, Intent, LocalGrant, Page, Reply, Snapshot, Tone};
use gloo_timers::callback::Interval;
use yew::prelude::*;

use crate::pages::request::Draft;
use crate::{bridge, time};

/// The last snapshot and when it came.
#[derive(Clone)]
pub struct Desk {
    pub snapshot: Rc<Snapshot>,
    /// [`time::ticks`] when the snapshot came.
    pub at: f64,
    pub catalogue: Catalogue,
    pub go: Callback<Page>,
    pub say: Callback<(Tone, String)>,
    pub reload_catalogue: Callback<()>,
    /// What was typed and not sent yet, by resource.
    pub drafts: Rc<RefCell<BTreeMap<ResourceId, Draft>>>,
}

/// The catalogue as far as it is known; what was read stays when reading it again fails.
#[derive(Clone, Default, PartialEq)]
pub struct Catalogue {
    pub resources: Option<Rc<Vec<Resource>>>,
    pub failure: Option<Failure>,
}

impl PartialEq for Desk {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.snapshot, &other.snapshot)
            && self.at == other.at
            && self.catalogue == other.catalogue
    }
}

impl Desk {
    pub fn now(&self) -> Timestamp {
        time::carry_on(self.snapshot.now, self.at)
    }

    pub fn online(&self) -> bool {
        self.snapshot.connection == Connection::Online
    }

    pub fn resource(&self, id: &ResourceId) -> Option<&Resource> {
        self.catalogue.resources.as_ref()?.iter().find(|r| r.brief.id == *id)
    }

    /// One's grant for exactly this that has not ended.
    pub fn held(&self, entitlement: &Entitlement) -> Option<&LocalGrant> {
        self.snapshot.grants.iter().find(|g| {
            g.grant.resource.id == entitlement.resource
                && g.grant.level == entitlement.level
                && matches!(g.grant.status, GrantStatus::Live | GrantStatus::Opening { .. })
        })
    }

    /// One's own request for this that waits for a decision.
    pub fn pending(&self, entitlement: &Entitlement) -> Option<RequestId> {
        let request =
            self.snapshot.requests.iter().find(|r| r.is_open() && r.asked().contains(entitlement))?;
        Some(request.id)
    }

    /// Sends an intent whose failure is told in a toast, and whose success is told by `done` or by the snapshot.
    pub fn act(&self, intent: Intent, done: Option<&'static str>) {
        let say = self.say.clone();
        wasm_bindgen_futures::spawn_local(async move {
            match bridge::send(intent).await {
                Ok(_) => {
                    if let Some(text) = done {
                        say.emit((Tone::Good, text.into()));
                    }
                }
                Err(failure) => say.emit((Tone::Bad, failure.message)),
            }
        });
    }

    /// Sends an intent and hands on the answer.
    pub fn ask(intent: Intent, then: impl FnOnce(Result<Reply, Failure>) + 'static) {
        wasm_bindgen_futures::spawn_local(async move { then(bridge::send(intent).await) });
    }
}

/// The desk, which every page has; none before the first snapshot.
#[hook]
pub fn use_desk() -> Desk {
    use_context::<Desk>().unwrap_or_else(|| Desk {
        snapshot: Rc::new(empty()),
        at: 0.0,
        catalogue: Catalogue::default(),
        go: Callback::noop(),
        say: Callback::noop(),
        reload_catalogue: Callback::noop(),
        drafts: Rc::default(),
    })
}

/// The time, told again each second.
#[hook]
pub fn use_now() -> Timestamp {
    let desk = use_desk();
    let tick = use_force_update();
    use_effect_with((), move |()| {
        let interval = Interval::new(1000, move || tick.force_update());
        move || drop(interval)
    });
    desk.now()
}

fn empty() -> Snapshot {
    Snapshot {
        revision: 0,
        now: Timestamp::default(),
        clock_off_s: None,
        connection: Connection::Connecting,
        server: None,
        suggested_server: None,
        me: None,
        keychain: daypass_protocol::bridge::Keychain::Ready,
        catalogue_revision: 0,
        requests: Vec::new(),
        reviews: Vec::new(),
        grants: Vec::new(),
        favourites: Vec::new(),
        recent: Vec::new(),
        notices: Vec::new(),
        settings: Default::default(),
    }
}
