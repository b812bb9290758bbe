//! Any text gets a verdict: `cargo fuzz run verdict`.
#![no_main]

use std::sync::LazyLock;

use daypass_guardrails::{Guard, Input, Policy, Session};

static GUARD: LazyLock<Guard> = LazyLock::new(|| Guard::new(Policy::named("careful-write").unwrap(), None));

libfuzzer_sys::fuzz_target!(|text: &str| {
    GUARD.judge(&Session::default(), Input::simple(text));
});
