//! Which page is shown, and its place in the address, so that reloading stays where it was.

use daypass_domain::{AccessLevel, Entitlement, RequestId, ResourceId};
use daypass_protocol::bridge::Page;

/// What a window shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Route {
    Main(Page),
    /// The request form alone, for the small window.
    Quick(Entitlement),
}

impl Route {
    pub fn here() -> Self {
        let hash = web_sys::window().and_then(|w| w.location().hash().ok()).unwrap_or_default();
        Self::parse(&hash)
    }

    pub fn parse(hash: &str) -> Self {
        let mut parts = hash.trim_start_matches('#').split('/').filter(|part| !part.is_empty());
        let page = match parts.next() {
            Some("quick") => {
                return entitlement(&mut parts).map_or(Self::Main(Page::Access), Self::Quick);
            }
            Some("ask") => entitlement(&mut parts).map_or(Page::Access, Page::Ask),
            Some("my-access") => Page::MyAccess,
            Some("review") => Page::Review(parts.next().and_then(|id| id.parse::<RequestId>().ok())),
            Some("history") => Page::History,
            Some("settings") => Page::Settings,
            _ => Page::Access,
        };
        Self::Main(page)
    }
}

/// The address of a page, after `#`.
pub fn address(page: &Page) -> String {
    match page {
        Page::Access => "/access".into(),
        Page::Ask(e) => format!("/ask/{}/{}", e.resource, e.level),
        Page::MyAccess => "/my-access".into(),
        Page::Review(None) => "/review".into(),
        Page::Review(Some(id)) => format!("/review/{id}"),
        Page::History => "/history".into(),
        Page::Settings => "/settings".into(),
    }
}

fn entitlement<'a>(parts: &mut impl Iterator<Item = &'a str>) -> Option<Entitlement> {
    let resource = ResourceId::new(parts.next()?).ok()?;
    let level = parts.next()?;
    let level = AccessLevel::ALL.into_iter().find(|l| l.as_str() == level)?;
    Some(Entitlement { resource, level })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_survives_its_address() {
        let shop = Entitlement { resource: ResourceId::new("shop-db").unwrap(), level: AccessLevel::Write };
        let id = RequestId(uuid::Uuid::from_u128(7));
        let pages =
            [Page::Access, Page::Ask(shop), Page::MyAccess, Page::Review(None), Page::Review(Some(id))];
        for page in pages.into_iter().chain([Page::History, Page::Settings]) {
            assert_eq!(Route::parse(&format!("#{}", address(&page))), Route::Main(page));
        }
    }

    #[test]
    fn nonsense_leads_to_the_catalogue() {
        for hash in ["", "#", "#/quick", "#/quick/Bad Name/read", "#/ask/shop-db/owner", "#/elsewhere"] {
            assert_eq!(Route::parse(hash), Route::Main(Page::Access), "{hash}");
        }
        assert!(matches!(Route::parse("#/quick/shop-db/write"), Route::Quick(_)));
    }
}
