//! Lucide outlines.

use daypass_protocol::api::ResourceKind;
use icondata_core::Icon;
use yew::prelude::*;

/// The icons in use, by what they mean here.
pub mod glyph {
    pub use icondata_lu::{
        LuArrowLeft as BACK, LuArrowRight as GO, LuBan as DENIED, LuCheck as CHECK, LuChevronDown as DOWN,
        LuCircleCheck as GOOD, LuCircleX as BAD, LuClipboardCheck as REVIEW, LuClock as CLOCK,
        LuCopy as COPY, LuDownload as EXPORT, LuEraser as WIPED, LuFingerprint as FINGERPRINT,
        LuHistory as HISTORY, LuHourglass as WAITING, LuInfo as INFO, LuKeyRound as ACCESS_KEY,
        LuKeySquare as PASSWORD, LuLayoutGrid as CATALOGUE, LuLogOut as SIGN_OUT,
        LuMessageCircleQuestion as QUESTION, LuPencil as EDIT, LuPlus as MORE, LuPower as POWER,
        LuRefreshCw as RETRY, LuSearch as SEARCH, LuSend as SEND, LuSettings as SETTINGS,
        LuShieldCheck as SHIELD, LuStar as STAR, LuTimer as TIMER, LuTimerOff as ENDED,
        LuTrendingDown as LOWER, LuTriangleAlert as WARNING, LuUndo2 as WITHDRAW, LuUnplug as UNPLUGGED,
        LuUser as USER, LuUsers as USERS, LuWifiOff as OFFLINE, LuX as CLOSE, LuZap as INSTANT,
    };
}

pub fn icon(icon: Icon) -> Html {
    // The text is the crate's own, never a person's.
    Html::from_html_unchecked(AttrValue::from(format!(
        r#"<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">{}</svg>"#,
        icon.data
    )))
}

pub fn kind_icon(kind: ResourceKind) -> Html {
    icon(match kind {
        ResourceKind::Postgres | ResourceKind::Mysql => icondata_lu::LuDatabase,
        ResourceKind::Ssh => icondata_lu::LuTerminal,
        ResourceKind::Kubernetes => icondata_lu::LuBoxes,
        ResourceKind::CloudRole => icondata_lu::LuCloud,
        ResourceKind::Secrets => icondata_lu::LuLock,
        ResourceKind::WebApp => icondata_lu::LuAppWindow,
        ResourceKind::Queue => icondata_lu::LuLayers,
    })
}
