//! Links into the application: `daypass://review/ID`, `daypass://ask/RESOURCE/LEVEL`, `daypass://PAGE`. A link only
//! shows a page; it never does anything.

use daypass_domain::{AccessLevel, Entitlement, ResourceId};
use daypass_protocol::bridge::Page;
use tauri::{AppHandle, Url};

use crate::windows;

pub(crate) fn open(app: &AppHandle, urls: &[Url]) {
    for url in urls {
        match page(url) {
            Some(page) => windows::show_page(app, page),
            None => windows::show_main(app),
        }
    }
}

fn page(url: &Url) -> Option<Page> {
    let rest: Vec<&str> = url.path().split('/').filter(|part| !part.is_empty()).collect();
    Some(match (url.host_str()?, rest.as_slice()) {
        ("access", []) => Page::Access,
        ("my-access", []) => Page::MyAccess,
        ("history", []) => Page::History,
        ("settings", []) => Page::Settings,
        ("review", []) => Page::Review(None),
        ("review", [id]) => Page::Review(Some(id.parse().ok()?)),
        ("ask", [resource, level]) => {
            Page::Ask(Entitlement { resource: ResourceId::new(*resource).ok()?, level: self::level(level)? })
        }
        _ => return None,
    })
}

pub(crate) fn level(text: &str) -> Option<AccessLevel> {
    AccessLevel::ALL.into_iter().find(|level| level.as_str() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_show_pages_and_nothing_else() {
        let page_of = |text: &str| page(&text.parse().unwrap());
        assert_eq!(page_of("daypass://review"), Some(Page::Review(None)));
        assert!(
            matches!(page_of("daypass://ask/shop-db/write"), Some(Page::Ask(e)) if e.level == AccessLevel::Write)
        );
        for bad in
            ["daypass://review/1", "daypass://ask/Shop/write", "daypass://approve/1", "daypass://ask/a/b/c"]
        {
            assert_eq!(page_of(bad), None, "{bad}");
        }
    }
}
