//! Any schema file is read or refused: `cargo fuzz run schema`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = daypass_guardrails::Catalogue::from_sql(text);
});
