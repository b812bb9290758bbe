//! The keyboard model of lists: one row is chosen, letters and arrows move, and nothing moves while someone types.

use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;
use yew::prelude::*;

/// The row after or before the chosen one, for the keys that move; none when the key does not.
pub fn move_selection(key: &str, chosen: Option<usize>, rows: usize) -> Option<usize> {
    let last = rows.checked_sub(1)?;
    match (key, chosen) {
        ("j" | "ArrowDown" | "k" | "ArrowUp", None) => Some(0),
        ("j" | "ArrowDown", Some(row)) => Some(row.saturating_add(1).min(last)),
        ("k" | "ArrowUp", Some(row)) => Some(row.saturating_sub(1).min(last)),
        ("Home", _) => Some(0),
        ("End", _) => Some(last),
        _ => None,
    }
}

/// Whether a key pressed here is meant for the page: not for a field, not for a dialog, not for the system.
pub fn keys_are_free(e: &KeyboardEvent) -> bool {
    if e.ctrl_key() || e.meta_key() || e.alt_key() {
        return false;
    }
    let typing = e.target().and_then(|t| t.dyn_into::<HtmlElement>().ok()).is_some_and(|element| {
        matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
            || element.closest("dialog").is_ok_and(|d| d.is_some())
    });
    !typing && find("dialog[open]").is_none()
}

/// Calls `onescape` for Esc, wherever the focus is, but for a dialog's own.
#[hook]
pub fn use_escape(onescape: Callback<()>) {
    // The listener stays; what it calls is the latest.
    let latest = use_mut_ref(|| onescape.clone());
    *latest.borrow_mut() = onescape;
    use_effect_with((), move |()| {
        let document = web_sys::window().and_then(|w| w.document());
        let listener = document.map(|document| {
            EventListener::new(&document, "keydown", move |event| {
                let escape = event.dyn_ref::<KeyboardEvent>().is_some_and(|e| e.key() == "Escape");
                if escape && find("dialog[open]").is_none() {
                    let call = latest.borrow().clone();
                    call.emit(());
                }
            })
        });
        move || drop(listener)
    });
}

/// Moves the focus to the first element that `selector` names.
pub fn focus(selector: &str) {
    if let Some(element) = find(selector) {
        let _ = element.focus();
    }
}

fn find(selector: &str) -> Option<HtmlElement> {
    let document = web_sys::window()?.document()?;
    document.query_selector(selector).ok().flatten()?.dyn_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selection_stays_inside_the_list() {
        let cases = [
            ("j", None, 3, Some(0)),
            ("j", Some(0), 3, Some(1)),
            ("ArrowDown", Some(2), 3, Some(2)),
            ("k", Some(0), 3, Some(0)),
            ("ArrowUp", Some(9), 3, Some(2)),
            ("End", None, 3, Some(2)),
            ("j", None, 0, None),
            ("x", Some(1), 3, None),
        ];
        for (key, chosen, rows, expected) in cases {
            assert_eq!(move_selection(key, chosen, rows), expected, "{key} {chosen:?} {rows}");
        }
    }
}
