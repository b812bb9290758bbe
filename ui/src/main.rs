//! The front end of Daypass: it draws the shell's snapshot and sends intents. It holds no secret.
//!
//! # Names for tests
//!
//! Elements that a test looks for carry `data-test` (CSS: `[data-test="submit"]`):
//!
//! | where | names |
//! |---|---|
//! | frame | `nav-access`, `nav-my-access`, `nav-review`, `nav-history`, `nav-settings`; `banner`, `reconnect`; `toast`; `me`; `reload` |
//! | sign-in | `server-address`, `find-server`, `fingerprint`, `trust-new`, `trust-changed`, `sign-in`, `sign-in-failure`, `cancel-sign-in`, `other-server`, `signed-out` |
//! | Access | `search`, `filter-environment`, `filter-sensitivity`, `filter-kind`, `card-<resource>`, `ask-<resource>-<level>`, `favourite-<resource>-<level>`, `show-more` |
//! | request form | `request-form`, `level-<level>`, `duration-<seconds>`, `duration-range`, `start-now`, `start-later`, `start-day`, `start-time`, `reason`, `ticket`, `preview-outcome`, `risk-points`, `held`, `pending`, `question`, `voids`, `extending`, `problem-<field>`, `form-failure`, `submit`, `cancel`, `close-drawer`, `submitted`, `to-my-access`, `close-quick` |
//! | My access | `grant-<id>` and in it `countdown`, `credential`, `command`, `copy-command`, `copy-password`, `retry`, `extend`, `release`, `grant-problem`; `request-<id>` and in it `question`, `edit`, `withdraw`; `browse` |
//! | Review | `queue-<request id>`, `detail`, `gone`, `approve`, `less`, `deny`, `ask`, `back`; risk as in the form |
//! | dialogs | `dialog`, `note`, `less-<seconds>`, `changed`, `confirm`, `dialog-cancel`, `dialog-failure` |
//! | History | `history-search`, `history-kind-<kind>`, `history-row`, `history-more`, `export`, `synced` |
//! | Settings | `theme-<theme>`, `notifications`, `start-at-login`, `server`, `keychain`, `drop-everything`, `sign-out` |
//!
//! The request form stands alone, for the small window, at `#/quick/<resource>/<level>`.

mod app;
mod bridge;
mod desk;
mod pages;
mod parts;
mod route;
mod time;
mod words;

fn main() {
    yew::Renderer::<app::App>::new().render();
}
