//! Random tokens, and how they are kept: by their hash.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use daypass_domain::Digest;
use secrecy::{ExposeSecret as _, SecretString};

/// 32 random bytes in base64url.
pub(super) fn random_token() -> anyhow::Result<SecretString> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(anyhow::Error::msg)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes).into())
}

/// What is kept of a token. It has 256 bits of chance in it, so that no slow hash is needed.
pub(super) fn kept(token: &SecretString) -> Digest {
    Digest::of_bytes(token.expose_secret().as_bytes())
}
