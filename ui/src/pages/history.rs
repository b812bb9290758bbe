//! One's own history, kept on this machine: it can be read and searched without the server.

use daypass_protocol::api::{Entry, EntryKind};
use daypass_protocol::bridge::{Failure, HistoryFilter, HistoryKinds, HistoryPage, Intent, Reply, Tone};
use gloo_timers::callback::Timeout;
use icondata_core::Icon;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::desk::{Desk, use_desk};
use crate::parts::{
    Banner, Button, EmptyState, RiskBadge, Segmented, Skeleton, Timeline, TimelineItem, glyph, icon,
};
use crate::time::{self, Civil};
use crate::words;

/// So long after the last key the history is searched.
const PAUSE_MS: u32 = 150;

#[derive(Clone, Default, PartialEq)]
struct Found {
    page: Option<HistoryPage>,
    failure: Option<Failure>,
    more_coming: bool,
    /// Older pages were asked for: a new first page would throw them away.
    deep: bool,
}

#[component]
pub fn History() -> Html {
    let desk = use_desk();
    let filter = use_state(HistoryFilter::default);
    let found = use_state(Found::default);
    let turn = use_mut_ref(|| 0_u32);
    let searched = use_mut_ref(|| None::<HistoryFilter>);
    let exporting = use_state(|| false);

    {
        let (found, filter, turn) = (found.clone(), (*filter).clone(), turn.clone());
        // A new snapshot may mean new entries.
        use_effect_with((filter, desk.snapshot.revision), move |(filter, _)| {
            let same = searched.replace(Some(filter.clone())).as_ref() == Some(filter);
            let (filter, first, wanted) = (filter.clone(), found.page.is_none(), !(same && found.deep));
            let mine = if wanted { next(&turn) } else { 0 };
            let search = move || {
                let before = found.page.clone();
                Desk::ask(Intent::History { filter }, move |answer| {
                    if *turn.borrow() == mine {
                        found.set(match answer {
                            Ok(Reply::History(page)) => Found { page: Some(page), ..Found::default() },
                            Ok(_) => Found { page: before, ..Found::default() },
                            Err(why) => Found { page: before, failure: Some(why), ..Found::default() },
                        });
                    }
                });
            };
            let timeout = wanted.then(|| Timeout::new(if first { 0 } else { PAUSE_MS }, search));
            move || drop(timeout)
        });
    }
    let more = {
        let (found, filter, turn) = (found.clone(), filter.clone(), turn.clone());
        Callback::from(move |_: MouseEvent| {
            let Some(page) = found.page.clone() else { return };
            let mine = next(&turn);
            found.set(Found { more_coming: true, ..(*found).clone() });
            let filter =
                HistoryFilter { before: page.entries.last().map(|e| e.position), ..(*filter).clone() };
            let (found, turn) = (found.clone(), turn.clone());
            Desk::ask(Intent::History { filter }, move |answer| {
                if *turn.borrow() == mine {
                    found.set(match answer {
                        Ok(Reply::History(next)) => {
                            let entries = page.entries.into_iter().chain(next.entries).collect();
                            Found {
                                page: Some(HistoryPage { entries, ..next }),
                                deep: true,
                                ..Found::default()
                            }
                        }
                        Ok(_) => Found { page: Some(page), ..Found::default() },
                        Err(why) => {
                            Found { page: Some(page), failure: Some(why), deep: true, ..Found::default() }
                        }
                    });
                }
            });
        })
    };
    let export = {
        let (exporting, filter, say) = (exporting.clone(), filter.clone(), desk.say.clone());
        Callback::from(move |_: MouseEvent| {
            exporting.set(true);
            let (exporting, say) = (exporting.clone(), say.clone());
            Desk::ask(Intent::ExportHistory { filter: (*filter).clone() }, move |answer| {
                exporting.set(false);
                say.emit(match answer {
                    Ok(Reply::Exported { path, entries }) => (
                        Tone::Good,
                        format!("{} written to {path}", words::count(entries as usize, "entry", "entries")),
                    ),
                    Ok(_) => (Tone::Good, "Written to your downloads.".into()),
                    Err(why) => (Tone::Bad, why.message),
                });
            });
        })
    };

    let searching = !filter.text.trim().is_empty() || filter.kinds != HistoryKinds::All;
    let now = desk.now();
    let synced = found.page.as_ref().map(|page| {
        page.synced_at.map_or_else(
            || "Not brought up to date yet".to_string(),
            |at| format!("Up to date as of {}", words::ago(at, now)),
        )
    });
    let clear = {
        let filter = filter.clone();
        Callback::from(move |_: MouseEvent| filter.set(HistoryFilter::default()))
    };
    let content = match (&found.page, &found.failure) {
        (None, None) => html! { <div class="scroll"><Skeleton of="row" count=8 /></div> },
        (None, Some(why)) => html! {
            <EmptyState icon={glyph::HISTORY} title="The history cannot be opened">{ &why.message }</EmptyState>
        },
        (Some(page), _) if page.entries.is_empty() && searching => html! {
            <EmptyState icon={glyph::SEARCH} title="Nothing matches"
                action={html! { <Button onclick={clear}>{ "Clear the search" }</Button> }}>
                { format!("None of the {} on this machine has these words.", words::count(page.total as usize, "entry", "entries")) }
            </EmptyState>
        },
        (Some(page), _) if page.entries.is_empty() => html! {
            <EmptyState icon={glyph::HISTORY} title="No history yet">
                { "What you ask for, what is decided and when access begins and ends is kept here, readable offline." }
            </EmptyState>
        },
        (Some(page), failure) => html! {
            <div class="scroll narrow">
                { for days(&page.entries, now) }
                if let Some(why) = failure { <Banner tone="warn">{ &why.message }</Banner> }
                if page.more {
                    <div class="more">
                        <Button onclick={more} busy={found.more_coming} test="history-more">{ "Show older" }</Button>
                    </div>
                }
            </div>
        },
    };
    html! {
        <div class="page">
            <header class="top">
                <div>
                    <h1>{ "History" }</h1>
                    <p class="sub" data-test="synced">
                        { synced.unwrap_or_else(|| "Your own, kept on this machine.".into()) }
                        { " · kept on this machine, sealed, readable offline" }
                    </p>
                </div>
                <Button icon={glyph::EXPORT} onclick={export} busy={*exporting} test="export"
                    title="Writes what is found as JSON Lines to your downloads">{ "Export" }</Button>
            </header>
            { bar(&filter) }
            { content }
        </div>
    }
}

fn next(turn: &std::cell::RefCell<u32>) -> u32 {
    let mut turn = turn.borrow_mut();
    *turn = turn.wrapping_add(1);
    *turn
}

const KINDS: [(HistoryKinds, &str, &str); 4] = [
    (HistoryKinds::All, "all", "Everything"),
    (HistoryKinds::Requests, "requests", "Requests"),
    (HistoryKinds::Decisions, "decisions", "Decisions"),
    (HistoryKinds::Access, "access", "Access"),
];

fn bar(filter: &UseStateHandle<HistoryFilter>) -> Html {
    let oninput = {
        let filter = filter.clone();
        Callback::from(move |e: InputEvent| {
            if let Some(input) = e.target_dyn_into::<HtmlInputElement>() {
                filter.set(HistoryFilter { text: input.value(), ..(*filter).clone() });
            }
        })
    };
    let onchange = {
        let filter = filter.clone();
        Callback::from(move |value: AttrValue| {
            if let Some((kinds, ..)) = KINDS.iter().find(|(_, name, _)| *name == value.as_str()) {
                filter.set(HistoryFilter { kinds: *kinds, ..(*filter).clone() });
            }
        })
    };
    let options: Vec<(AttrValue, AttrValue, AttrValue)> = KINDS
        .iter()
        .map(|(_, name, text)| ((*name).into(), (*text).into(), format!("history-kind-{name}").into()))
        .collect();
    let value = KINDS.iter().find(|(kinds, ..)| *kinds == filter.kinds).map_or("all", |(_, name, _)| name);
    html! {
        <div class="bar">
            <label class="search">
                { icon(glyph::SEARCH) }
                <input type="text" value={filter.text.clone()} {oninput} spellcheck="false" placeholder="Search your history"
                    aria-label="Search your history" data-test="history-search" />
            </label>
            <Segmented label="Kind of entry" {options} {value} {onchange} />
        </div>
    }
}

/// The entries under the day on which they happened.
fn days(entries: &[Entry], now: daypass_domain::Timestamp) -> Vec<Html> {
    let by_day = entries.chunk_by(|a, b| Civil::of(a.at).same_day(Civil::of(b.at)));
    by_day
        .filter_map(|day| {
            let first = day.first()?;
            let items: Vec<TimelineItem> = day.iter().map(item).collect();
            Some(html! {
                <section key={first.position}>
                    <h2 class="group history-day">{ time::day(first.at, now) }</h2>
                    <Timeline {items} />
                </section>
            })
        })
        .collect()
}

fn item(entry: &Entry) -> TimelineItem {
    let (glyph, tone) = look(entry.kind);
    let leaf = entry.leaf.to_string();
    TimelineItem {
        key: entry.position.to_string(),
        glyph,
        tone,
        clock: Civil::of(entry.at).clock(),
        text: entry.text.clone(),
        note: entry.note.clone().filter(|note| !note.trim().is_empty()),
        aside: html! {
            <>
                if let Some(risk) = entry.risk { <RiskBadge points={risk.points} band={risk.band} /> }
                <span class="proof" title={format!("In the ledger at {}, leaf {leaf}", entry.position)}>{ icon(glyph::SHIELD) }</span>
            </>
        },
    }
}

fn look(kind: EntryKind) -> (Icon, &'static str) {
    match kind {
        EntryKind::RequestSubmitted => (glyph::SEND, "accent"),
        EntryKind::RequestEdited => (glyph::EDIT, "accent"),
        EntryKind::RequestDecided | EntryKind::RequestApproved => (glyph::CHECK, "good"),
        EntryKind::RequestQuestioned => (glyph::QUESTION, "warn"),
        EntryKind::RequestDenied => (glyph::DENIED, "bad"),
        EntryKind::RequestWithdrawn => (glyph::WITHDRAW, "quiet"),
        EntryKind::RequestLapsed => (glyph::ENDED, "quiet"),
        EntryKind::GrantOpened => (glyph::WAITING, "accent"),
        EntryKind::GrantActivated => (glyph::ACCESS_KEY, "good"),
        EntryKind::GrantProblem => (glyph::WARNING, "warn"),
        EntryKind::CredentialIssued => (glyph::PASSWORD, "quiet"),
        EntryKind::GrantEnding | EntryKind::GrantEnded => (glyph::ENDED, "quiet"),
        EntryKind::CredentialWiped => (glyph::WIPED, "quiet"),
        EntryKind::SignedIn | EntryKind::SignedOut => (glyph::USER, "quiet"),
    }
}
