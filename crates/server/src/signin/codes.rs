//! Authorization codes: made in the browser, used once by the desktop.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use daypass_domain::{DeviceId, Digest, UserId};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::authorize::Ask;
use super::secret::kept;

const LIVES: Duration = Duration::from_secs(60);
/// A code is remembered for so long, in order to see it used again.
const REMEMBERED: Duration = Duration::from_secs(10 * 60);

/// The codes of the last minutes, by their hashes.
#[derive(Default)]
pub(super) struct Codes(HashMap<Digest, Code>);

struct Code {
    ask: Ask,
    user: UserId,
    made_at: Duration,
    /// The family that it gave tokens to, once it is used.
    used: Option<Uuid>,
    /// Used again after that.
    reused: bool,
}

/// What using a code found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CodeUse {
    Good {
        user: UserId,
        device: DeviceId,
    },
    /// It had given tokens to this family before; one of the two users of the code is a thief (RFC 9700, 2.1.1).
    Reused(Uuid),
    /// Unknown, too old, or presented without what it is bound to.
    Bad,
}

/// What the desktop presents with a code.
pub(super) struct Presented<'a> {
    pub redirect_uri: &'a str,
    pub verifier: &'a SecretString,
    pub device: Option<DeviceId>,
}

impl Codes {
    pub(super) fn keep(&mut self, code: &SecretString, ask: Ask, user: UserId, uptime: Duration) {
        self.0.retain(|_, c| uptime.saturating_sub(c.made_at) < REMEMBERED);
        self.0.insert(kept(code), Code { ask, user, made_at: uptime, used: None, reused: false });
    }

    /// Uses the code up, whether what is presented with it is right or not; a right one begins `family`.
    pub(super) fn spend(
        &mut self,
        code: &SecretString,
        presented: &Presented<'_>,
        family: Uuid,
        uptime: Duration,
    ) -> CodeUse {
        let hash = kept(code);
        let Some(found) = self.0.get_mut(&hash) else { return CodeUse::Bad };
        if let Some(family) = found.used {
            found.reused = true;
            return CodeUse::Reused(family);
        }
        let fresh = uptime.saturating_sub(found.made_at) < LIVES;
        let bound = presented.redirect_uri == found.ask.redirect_uri
            && presented.device.is_none_or(|device| device == found.ask.device)
            && verifies(presented.verifier, &found.ask.challenge);
        if !fresh || !bound {
            self.0.remove(&hash);
            return CodeUse::Bad;
        }
        found.used = Some(family);
        CodeUse::Good { user: found.user.clone(), device: found.ask.device }
    }

    /// Whether a used code was used again since.
    pub(super) fn was_reused(&self, code: &SecretString) -> bool {
        self.0.get(&kept(code)).is_none_or(|c| c.reused)
    }
}

/// RFC 7636, 4.6, method S256.
fn verifies(verifier: &SecretString, challenge: &str) -> bool {
    let made = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose_secret().as_bytes()));
    made.as_bytes().ct_eq(challenge.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    const REDIRECT: &str = "http://127.0.0.1:4711/callback";

    fn ask() -> Ask {
        Ask {
            redirect_uri: REDIRECT.into(),
            state: None,
            challenge: CHALLENGE.into(),
            device: DeviceId(Uuid::from_u128(5)),
        }
    }

    fn spend(
        codes: &mut Codes,
        redirect_uri: &str,
        verifier: &str,
        device: Option<u128>,
        at: u64,
    ) -> CodeUse {
        let presented = Presented {
            redirect_uri,
            verifier: &verifier.into(),
            device: device.map(|n| DeviceId(Uuid::from_u128(n))),
        };
        codes.spend(&"code".into(), &presented, Uuid::from_u128(9), Duration::from_secs(at))
    }

    fn fresh() -> Codes {
        let mut codes = Codes::default();
        codes.keep(&"code".into(), ask(), UserId::new("maya").unwrap(), Duration::ZERO);
        codes
    }

    #[test]
    fn a_code_is_good_once_with_everything_it_is_bound_to() {
        let mut codes = fresh();
        let good = CodeUse::Good { user: UserId::new("maya").unwrap(), device: DeviceId(Uuid::from_u128(5)) };
        assert_eq!(spend(&mut codes, REDIRECT, VERIFIER, Some(5), 59), good);
        assert!(!codes.was_reused(&"code".into()));
        assert_eq!(spend(&mut codes, REDIRECT, VERIFIER, Some(5), 59), CodeUse::Reused(Uuid::from_u128(9)));
        assert!(codes.was_reused(&"code".into()));
    }

    #[test]
    fn a_wrong_try_spends_the_code() {
        for (redirect, verifier, device, at) in [
            ("http://127.0.0.1:4712/callback", VERIFIER, None, 1),
            (REDIRECT, "another", None, 1),
            (REDIRECT, CHALLENGE, None, 1),
            (REDIRECT, VERIFIER, Some(6), 1),
            (REDIRECT, VERIFIER, None, 60),
        ] {
            let mut codes = fresh();
            assert_eq!(spend(&mut codes, redirect, verifier, device, at), CodeUse::Bad);
            assert_eq!(spend(&mut codes, REDIRECT, VERIFIER, None, 1), CodeUse::Bad);
        }
    }

    #[test]
    fn old_codes_are_forgotten() {
        let mut codes = fresh();
        codes.keep(&"other".into(), ask(), UserId::new("sam").unwrap(), Duration::from_secs(601));
        assert_eq!(codes.0.len(), 1);
    }
}
