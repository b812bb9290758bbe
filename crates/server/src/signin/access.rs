//! Access tokens: short, signed with the server's key, and void as soon as their family is.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use daypass_domain::{DeviceId, UserId};
use daypass_protocol::api::{Problem, ProblemCode};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::{SignIn, page};
use crate::network::{Network, Peer};

/// Seconds that an access token lives.
pub(super) const LIVES_S: u32 = 5 * 60;
const LONGEST: usize = 1000;

/// The person who is signed in, on which device, by which sign-in. Its being there is the proof.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::manual_non_exhaustive, reason = "it must not be made elsewhere in this crate either")]
pub struct Principal {
    pub user: UserId,
    pub device: DeviceId,
    /// All tokens that came from one sign-in.
    pub family: Uuid,
    /// Where this call comes from, when the server knows it.
    pub network: Option<Network>,
    /// Made by checking a token, and in no other way.
    _checked: (),
}

#[derive(Serialize, Deserialize)]
struct Claims {
    user: UserId,
    device: DeviceId,
    family: Uuid,
    /// Unix seconds.
    until: i64,
}

impl SignIn {
    pub(super) fn access_token(&self, user: &UserId, device: DeviceId, family: Uuid) -> SecretString {
        let until = self.0.clock.now().timestamp() + i64::from(LIVES_S);
        let claims = Claims { user: user.clone(), device, family, until };
        let text = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims).unwrap_or_default());
        let mac = URL_SAFE_NO_PAD.encode(self.mac(&text));
        format!("{text}.{mac}").into()
    }

    /// Who presents this access token, while it, its sign-in and the person's place in the organisation last.
    pub async fn check(&self, token: &str) -> Result<Principal, SignedOut> {
        let claims = self.read(token).ok_or(SignedOut::NotSignedIn)?;
        let live = self.0.clock.now().timestamp() < claims.until && self.0.directory.knows(&claims.user);
        if !live {
            return Err(SignedOut::NotSignedIn);
        }
        match self.0.store.family_is_live(claims.family).await {
            Ok(true) => {
                let Claims { user, device, family, .. } = claims;
                Ok(Principal { user, device, family, network: None, _checked: () })
            }
            Ok(false) => Err(SignedOut::NotSignedIn),
            Err(cause) => {
                tracing::error!(
                    cause = format!("{:#}", anyhow::Error::from(cause)),
                    "cannot check an access token"
                );
                Err(SignedOut::Unknown)
            }
        }
    }

    /// Whether a sign-in that was checked before still lasts, for answers that take long.
    pub async fn still_holds(&self, principal: &Principal) -> bool {
        let live = self.0.store.family_is_live(principal.family).await;
        live.unwrap_or(false) && self.0.directory.knows(&principal.user)
    }

    /// Whose token these headers carry, without asking the store: enough to count calls by, and for nothing else.
    pub fn claimed_by(&self, headers: &HeaderMap) -> Option<UserId> {
        let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (_, token) = header.split_once(' ')?;
        self.read(token.trim()).map(|claims| claims.user)
    }

    /// What a token of this server says, however old it is.
    fn read(&self, token: &str) -> Option<Claims> {
        let (text, mac) = (token.len() <= LONGEST).then(|| token.split_once('.')).flatten()?;
        let genuine: bool = self.mac(text).ct_eq(&URL_SAFE_NO_PAD.decode(mac).ok()?).into();
        if !genuine {
            return None;
        }
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }

    fn mac(&self, text: &str) -> [u8; 32] {
        self.0.key.mac("daypass access token", &[text.as_bytes()])
    }
}

/// Why nobody is let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedOut {
    /// No token, or one that does not hold any more.
    NotSignedIn,
    /// It cannot be found out now; nobody is let through on a guess.
    Unknown,
}

impl IntoResponse for SignedOut {
    fn into_response(self) -> Response {
        let (status, code, title, detail) = match self {
            Self::NotSignedIn => {
                (StatusCode::UNAUTHORIZED, ProblemCode::SignedOut, "You are signed out", "Sign in again.")
            }
            Self::Unknown => (
                StatusCode::SERVICE_UNAVAILABLE,
                ProblemCode::Unavailable,
                "The server is not ready",
                "It cannot check who you are now. Try again in a moment.",
            ),
        };
        let problem = Problem {
            code,
            title: title.into(),
            status: status.as_u16(),
            detail: detail.into(),
            field: None,
            request_id: None,
        };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let json = HeaderValue::from_static("application/problem+json");
        let mut response =
            (status, [(header::CONTENT_TYPE, json), (header::CACHE_CONTROL, page::NO_STORE)], body)
                .into_response();
        if self == Self::NotSignedIn {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl<S> FromRequestParts<S> for Principal
where
    S: Send + Sync,
    SignIn: FromRef<S>,
{
    type Rejection = SignedOut;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SignedOut> {
        let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (scheme, token) = header.and_then(|value| value.split_once(' ')).ok_or(SignedOut::NotSignedIn)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(SignedOut::NotSignedIn);
        }
        let principal = SignIn::from_ref(state).check(token.trim()).await?;
        Ok(Self { network: Peer::of(parts).network(), ..principal })
    }
}
