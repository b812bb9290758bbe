//! The window's state: the last snapshot, the page, the catalogue, and short messages.

use std::cell::Cell;
use std::rc::Rc;

use daypass_protocol::bridge::{
    Connection, Failure, FailureCode, Intent, NAVIGATE_EVENT, Page, Reply, SNAPSHOT_EVENT, Snapshot, Theme,
    Tone,
};
use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::KeyboardEvent;
use yew::prelude::*;

use crate::desk::{Catalogue, Desk};
use crate::pages::{access::Access, history::History, my_access::MyAccess, request::Quick, review::Review};
use crate::pages::{settings::SettingsPage, sign_in::SignIn};
use crate::parts::{Button, Shell, Toast, Toasts, Weight, glyph, icon};
use crate::route::{self, Route};
use crate::{bridge, time};

/// What has come from the shell so far.
#[derive(Clone, PartialEq)]
enum Heard {
    Nothing,
    /// The shell's words cannot be read, or it does not answer at all.
    Broken(String),
    Snapshot(Rc<Snapshot>, f64),
}

enum Said {
    Snapshot(Box<Snapshot>),
    Broken(String),
}

impl Reducible for Heard {
    type Action = Said;

    fn reduce(self: Rc<Self>, said: Said) -> Rc<Self> {
        match (said, &*self) {
            // An answer that was overtaken by an event is older than what is shown.
            (Said::Snapshot(new), Self::Snapshot(old, _)) if new.revision < old.revision => self,
            (Said::Snapshot(new), _) => Rc::new(Self::Snapshot(Rc::new(*new), time::ticks())),
            (Said::Broken(why), _) => Rc::new(Self::Broken(why)),
        }
    }
}

#[component]
pub fn App() -> Html {
    let heard = use_reducer(|| Heard::Nothing);
    let page = use_state(Route::here);
    use_events(heard.dispatcher(), page.setter());

    let go = use_callback((), {
        let page = page.setter();
        move |to: Page, ()| {
            let history = web_sys::window().and_then(|w| w.history().ok());
            if let Some(history) = history {
                let address = format!("#{}", route::address(&to));
                let _ = history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&address));
            }
            page.set(Route::Main(to));
        }
    });

    match &*heard {
        Heard::Nothing => {
            html! { <div class="boot" role="status">{ crate::parts::mark() }{ "Daypass" }</div> }
        }
        Heard::Broken(why) => html! { <Broken why={why.clone()} /> },
        Heard::Snapshot(snapshot, at) => html! {
            <Window snapshot={Shared(snapshot.clone())} at={*at} route={(*page).clone()} {go} />
        },
    }
}

/// Asks for the state once and hears every change of it from then on.
#[hook]
fn use_events(heard: UseReducerDispatcher<Heard>, page: UseStateSetter<Route>) {
    use_effect_with((), move |()| {
        wasm_bindgen_futures::spawn_local(async move {
            let told = heard.clone();
            bridge::on_event::<Snapshot>(SNAPSHOT_EVENT, move |snapshot| {
                told.dispatch(match snapshot {
                    Ok(snapshot) => Said::Snapshot(Box::new(snapshot)),
                    Err(why) => Said::Broken(why),
                });
            })
            .await;
            bridge::on_event::<Page>(NAVIGATE_EVENT, move |to| {
                if let Ok(to) = to
                    && !matches!(Route::here(), Route::Quick(_))
                {
                    page.set(Route::Main(to));
                }
            })
            .await;
            heard.dispatch(match bridge::send(Intent::Hello).await {
                Ok(Reply::Snapshot(snapshot)) => Said::Snapshot(snapshot),
                Ok(_) => Said::Broken("it answered something else than the state".into()),
                Err(failure) => Said::Broken(failure.message),
            });
        });
    });
}

#[derive(Properties, PartialEq)]
struct BrokenProps {
    why: String,
}

#[component]
fn Broken(props: &BrokenProps) -> Html {
    let reload = Callback::from(|_: MouseEvent| {
        if let Some(window) = web_sys::window() {
            let _ = window.location().reload();
        }
    });
    html! {
        <div class="broken" role="alert">
            <span class="empty-mark">{ icon(glyph::WARNING) }</span>
            <h1>{ "Daypass cannot show its state" }</h1>
            <p>{ "This window and the rest of the application do not understand each other. Your access and your \
                  keychain are not touched by this. Reload the window; if it stays, quit Daypass and open it again." }</p>
            <pre>{ &props.why }</pre>
            <Button weight={Weight::Primary} icon={glyph::RETRY} onclick={reload} test="reload">{ "Reload" }</Button>
        </div>
    }
}

/// Equal only to itself: a snapshot that came anew is drawn anew.
#[derive(Clone)]
struct Shared(Rc<Snapshot>);

impl PartialEq for Shared {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

#[derive(Properties, PartialEq)]
struct WindowProps {
    snapshot: Shared,
    at: f64,
    route: Route,
    go: Callback<Page>,
}

#[component]
fn Window(props: &WindowProps) -> Html {
    let snapshot = props.snapshot.0.clone();
    let (mut toasts, say, dismiss) = use_toasts(&snapshot);
    if matches!(props.route, Route::Quick(_)) {
        // The main window tells the rest.
        toasts.retain(|toast| toast.id >= OWN);
    }
    let drafts = use_memo((), |()| Default::default());
    let (catalogue, reload_catalogue) = use_catalogue(&snapshot);
    use_theme(snapshot.settings.theme);
    use_first_paint();
    use_page_keys(&props.route, props.go.clone());

    let desk = Desk {
        snapshot: snapshot.clone(),
        at: props.at,
        catalogue,
        go: props.go.clone(),
        say,
        reload_catalogue,
        drafts,
    };
    let signed_out =
        matches!(snapshot.connection, Connection::SignedOut { .. } | Connection::SigningIn { .. });
    let content = match (&props.route, signed_out) {
        (_, true) => html! { <SignIn /> },
        (Route::Quick(entitlement), false) => html! { <Quick entitlement={entitlement.clone()} /> },
        (Route::Main(page), false) => html! { <Shell page={page.clone()}>{ shown(page) }</Shell> },
    };
    html! {
        <ContextProvider<Desk> context={desk}>
            { content }
            <Toasts {toasts} {dismiss} go={props.go.clone()} />
        </ContextProvider<Desk>>
    }
}

fn shown(page: &Page) -> Html {
    match page {
        Page::Access => html! { <Access ask={None} /> },
        Page::Ask(entitlement) => html! { <Access ask={Some(entitlement.clone())} /> },
        Page::MyAccess => html! { <MyAccess /> },
        Page::Review(open) => html! { <Review open={*open} /> },
        Page::History => html! { <History /> },
        Page::Settings => html! { <SettingsPage /> },
    }
}

/// Ids of messages from here on are this window's own.
const OWN: u64 = 1 << 52;

/// Messages of the shell and of this window, newest last, and the ways to add and to close one.
#[hook]
fn use_toasts(snapshot: &Rc<Snapshot>) -> (Vec<Toast>, Callback<(Tone, String)>, Callback<u64>) {
    let own = use_reducer(Own::default);
    let closed = use_mut_ref(Vec::<u64>::new);
    let redraw = use_force_update();
    let next = use_memo((), |()| Cell::new(OWN));

    let say = use_callback((), {
        let own = own.dispatcher();
        move |(tone, text): (Tone, String), ()| {
            let id = next.replace(next.get() + 1);
            own.dispatch(OwnAction::Add(Toast { id, tone, text, page: None }));
        }
    });
    let dismiss = use_callback((), {
        let (own, closed) = (own.dispatcher(), closed.clone());
        move |id: u64, ()| {
            if id >= OWN {
                own.dispatch(OwnAction::Remove(id));
            } else {
                // Gone here at once; the shell's next snapshot agrees.
                closed.borrow_mut().push(id);
                redraw.force_update();
                Desk::ask(Intent::DismissNotice { id }, |_| ());
            }
        }
    });
    let theirs = snapshot.notices.iter().filter(|n| !closed.borrow().contains(&n.id));
    let theirs = theirs.map(|n| Toast { id: n.id, tone: n.tone, text: n.text.clone(), page: n.page.clone() });
    let mut all: Vec<Toast> = theirs.chain(own.toasts.iter().cloned()).collect();
    // Older ones wait their turn rather than cover the page.
    let surplus = all.len().saturating_sub(4);
    all.drain(..surplus);
    (all, say, dismiss)
}

#[derive(Default)]
struct Own {
    toasts: Vec<Toast>,
}

enum OwnAction {
    Add(Toast),
    Remove(u64),
}

impl Reducible for Own {
    type Action = OwnAction;

    fn reduce(self: Rc<Self>, action: OwnAction) -> Rc<Self> {
        let mut toasts = self.toasts.clone();
        match action {
            OwnAction::Add(toast) => {
                toasts.retain(|t| t.text != toast.text);
                toasts.push(toast);
            }
            OwnAction::Remove(id) => toasts.retain(|t| t.id != id),
        }
        Rc::new(Self { toasts })
    }
}

/// The catalogue, read when there is someone to read it for and when it has changed.
#[hook]
fn use_catalogue(snapshot: &Snapshot) -> (Catalogue, Callback<()>) {
    let catalogue = use_state(Catalogue::default);
    let again = use_state(|| 0_u32);
    let latest = use_mut_ref(|| 0_u32);
    let ready = !matches!(snapshot.connection, Connection::SignedOut { .. } | Connection::SigningIn { .. });
    let who = snapshot.me.as_ref().map(|me| me.person.id.clone());
    let online = snapshot.connection == Connection::Online;
    {
        let catalogue = catalogue.clone();
        use_effect_with((ready, who, online, snapshot.catalogue_revision, *again), move |(ready, ..)| {
            if !ready {
                catalogue.set(Catalogue::default());
                return;
            }
            let turn = {
                let mut latest = latest.borrow_mut();
                *latest = latest.wrapping_add(1);
                *latest
            };
            let known = catalogue.resources.clone();
            Desk::ask(Intent::Catalogue, move |answer| {
                if *latest.borrow() != turn {
                    return;
                }
                catalogue.set(match answer {
                    Ok(Reply::Catalogue(resources)) => {
                        Catalogue { resources: Some(Rc::new(resources)), failure: None }
                    }
                    Ok(_) => Catalogue { resources: known, failure: Some(odd()) },
                    Err(failure) => Catalogue { resources: known, failure: Some(failure) },
                });
            });
        });
    }
    let reload = {
        let again = again.clone();
        Callback::from(move |()| again.set(again.wrapping_add(1)))
    };
    ((*catalogue).clone(), reload)
}

fn odd() -> Failure {
    Failure {
        code: FailureCode::Local,
        message: "The catalogue cannot be read.".into(),
        problems: Vec::new(),
    }
}

/// Puts the theme on the root element; the system's own follows it when it changes.
#[hook]
fn use_theme(theme: Theme) {
    use_effect_with(theme, |theme| {
        let system =
            web_sys::window().and_then(|w| w.match_media("(prefers-color-scheme: dark)").ok().flatten());
        let dark = match theme {
            Theme::Light => false,
            Theme::Dark => true,
            Theme::System => system.as_ref().is_some_and(web_sys::MediaQueryList::matches),
        };
        paint(dark);
        let listener = match (theme, system) {
            (Theme::System, Some(system)) => Some(EventListener::new(&system.clone(), "change", move |_| {
                paint(system.matches());
            })),
            _ => None,
        };
        move || drop(listener)
    });
}

fn paint(dark: bool) {
    let root = web_sys::window().and_then(|w| w.document()).and_then(|d| d.document_element());
    if let Some(root) = root {
        let _ = root.class_list().toggle_with_force("dark", dark);
    }
}

/// Tells the shell when the first frame is on the screen: the frame after the one that draws it.
#[hook]
fn use_first_paint() {
    use_effect_with((), |()| {
        if let Some(boot) =
            web_sys::window().and_then(|w| w.document()).and_then(|d| d.get_element_by_id("boot"))
        {
            boot.remove();
        }
        let frame = gloo_render::request_animation_frame(|_| {
            let told = gloo_render::request_animation_frame(|_| Desk::ask(Intent::Painted, |_| ()));
            std::mem::forget(told);
        });
        move || drop(frame)
    });
}

/// Ctrl+1 to Ctrl+5 open the pages in the order of the menu.
#[hook]
fn use_page_keys(route: &Route, go: Callback<Page>) {
    let main = matches!(route, Route::Main(_));
    use_effect_with(main, move |&main| {
        let document = web_sys::window().and_then(|w| w.document());
        let listener = document.filter(|_| main).map(|document| {
            EventListener::new_with_options(
                &document,
                "keydown",
                gloo_events::EventListenerOptions::enable_prevent_default(),
                move |event| {
                    let Some(e) = event.dyn_ref::<KeyboardEvent>() else { return };
                    let page = match e.key().as_str() {
                        "1" => Page::Access,
                        "2" => Page::MyAccess,
                        "3" => Page::Review(None),
                        "4" => Page::History,
                        "5" | "," => Page::Settings,
                        _ => return,
                    };
                    if e.ctrl_key() && !e.alt_key() && !e.shift_key() {
                        e.prevent_default();
                        go.emit(page);
                    }
                },
            )
        });
        move || drop(listener)
    });
}
