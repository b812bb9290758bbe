//! Failures: a code that programs act on, a message for the person. The cause goes to the log where it is known.

use daypass_protocol::bridge::{Failure, FailureCode};

use crate::keychain::KeychainError;

pub(crate) fn failure(code: FailureCode, message: impl Into<String>) -> Failure {
    Failure { code, message: message.into(), problems: Vec::new() }
}

pub(crate) fn offline(server: &str) -> Failure {
    failure(
        FailureCode::Offline,
        format!("{server} does not answer. Nothing was lost; try again when you are connected."),
    )
}

pub(crate) fn signed_out(message: impl Into<String>) -> Failure {
    failure(FailureCode::SignedOut, message)
}

pub(crate) fn local(message: impl Into<String>) -> Failure {
    failure(FailureCode::Local, message)
}

pub(crate) fn not_here(message: impl Into<String>) -> Failure {
    failure(FailureCode::NotHere, message)
}

pub(crate) fn from_keychain(error: &KeychainError) -> Failure {
    let code = match error {
        KeychainError::Locked => FailureCode::KeychainLocked,
        KeychainError::Missing => FailureCode::KeychainMissing,
        KeychainError::NotFound => FailureCode::NotHere,
        KeychainError::Other(_) => FailureCode::Local,
    };
    failure(code, error.to_string())
}
