//! The page in the browser: who asks for what, the form, and the way back to the desktop.

use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use daypass_domain::{DeviceId, UserId};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use super::page::{self, Page};
use super::secret::random_token;
use super::{CLIENT_ID, Refused, SignIn, Typed};
use crate::network::Peer;

/// The longest `state` that is given back.
const LONGEST_STATE: usize = 1000;
/// A form that was open for longer is asked for again.
const FORM_LIVES_S: i64 = 30 * 60;

/// What the desktop asked for, once it is known to be in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ask {
    pub redirect_uri: String,
    pub state: Option<String>,
    /// PKCE, method S256.
    pub challenge: String,
    pub device: DeviceId,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    response_type: Option<String>,
    client_id: Option<String>,
    redirect_uri: Option<String>,
    state: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
    device: Option<String>,
}

/// Why an ask is not in order.
enum Bad {
    /// Nobody can be told but the person: where it would be sent is not to be trusted.
    Page(&'static str),
    /// The desktop is told, by its redirect address.
    Tell { redirect_uri: String, state: Option<String>, error: &'static str, description: &'static str },
}

fn check(asked: Asked) -> Result<Ask, Bad> {
    let redirect_uri = match asked.redirect_uri {
        Some(uri) if is_loopback_callback(&uri) => uri,
        _ => {
            return Err(Bad::Page(
                "This sign-in would send its answer to an address that is not on this computer.",
            ));
        }
    };
    if asked.client_id.as_deref() != Some(CLIENT_ID) {
        return Err(Bad::Page("This sign-in was not started by the Daypass application."));
    }
    let state = asked.state;
    if state.as_ref().is_some_and(|s| s.len() > LONGEST_STATE) {
        return Err(Bad::Page("The address is too long."));
    }
    let tell = |error, description| Bad::Tell {
        redirect_uri: redirect_uri.clone(),
        state: state.clone(),
        error,
        description,
    };
    if asked.response_type.as_deref() != Some("code") {
        return Err(tell("unsupported_response_type", "response_type has to be code"));
    }
    if asked.code_challenge_method.as_deref() != Some("S256") {
        return Err(tell("invalid_request", "code_challenge_method has to be S256"));
    }
    let challenge = match asked.code_challenge {
        Some(c) if URL_SAFE_NO_PAD.decode(&c).is_ok_and(|bytes| bytes.len() == 32) => c,
        _ => {
            return Err(tell(
                "invalid_request",
                "code_challenge has to be the SHA-256 of a verifier in base64url",
            ));
        }
    };
    let Some(device) = asked.device.and_then(|d| d.parse().ok()) else {
        return Err(tell("invalid_request", "device has to be a uuid"));
    };
    Ok(Ask { redirect_uri, state, challenge, device })
}

/// RFC 8252, 7.3: the loopback address by number, any port, our path.
fn is_loopback_callback(uri: &str) -> bool {
    let rest = uri.strip_prefix("http://127.0.0.1:").or_else(|| uri.strip_prefix("http://[::1]:"));
    let Some(port) = rest.and_then(|rest| rest.strip_suffix("/callback")) else { return false };
    port.bytes().all(|b| b.is_ascii_digit())
        && !port.starts_with('0')
        && port.parse::<u16>().is_ok_and(|port| port != 0)
}

/// `GET /oauth/authorize`
pub(super) async fn show(
    State(sign_in): State<SignIn>,
    headers: HeaderMap,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let Ok(Query(asked)) = asked else { return sign_in.broken("The address is not in order.") };
    match check(asked) {
        Err(bad) => sign_in.say(bad),
        Ok(ask) => sign_in.form(&ask, browser_of(&headers), StatusCode::OK, None, ""),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Filled {
    ask: String,
    made_at: i64,
    proof: String,
    #[serde(default)]
    account: String,
    #[serde(default)]
    password: SecretString,
}

/// `POST /oauth/authorize`
pub(super) async fn submit(
    State(sign_in): State<SignIn>,
    Peer(from): Peer,
    headers: HeaderMap,
    filled: Result<Form<Filled>, FormRejection>,
) -> Response {
    let Ok(Form(filled)) = filled else { return sign_in.broken("The form is not in order.") };
    let browser = browser_of(&headers);
    let Some(ask) = sign_in.asked_before(&filled, browser.as_ref()) else {
        return sign_in.broken("This form is too old, or was opened in another browser.");
    };
    let account = filled.account;
    let typed = Typed { account: account.clone(), password: filled.password };
    let again = |status, trouble: &str| sign_in.form(&ask, browser.clone(), status, Some(trouble), &account);
    match sign_in.0.provider.authenticate(typed, from).await {
        // Who has left is answered like who never was.
        Ok(user) if sign_in.0.directory.knows(&user) => sign_in.admit(&ask, user),
        Ok(_) | Err(Refused::Wrong) => {
            again(StatusCode::UNAUTHORIZED, "The name or the password is not right.")
        }
        Err(Refused::Wait(wait)) => {
            // Rounded up: who waits as told does not come too early.
            let seconds = wait.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX);
            let trouble =
                format!("Too many wrong passwords. Wait {} before the next try.", page::seconds(seconds));
            let mut response = again(StatusCode::TOO_MANY_REQUESTS, &trouble);
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            response
        }
        Err(Refused::Unavailable(cause)) => {
            tracing::error!(cause = format!("{cause:#}"), "sign-in is unavailable");
            let trouble = "The server cannot look up accounts now. Try again in a moment.";
            again(StatusCode::SERVICE_UNAVAILABLE, trouble)
        }
    }
}

impl SignIn {
    /// Where every identity provider ends: the person is known, and the desktop gets a code for them.
    fn admit(&self, ask: &Ask, user: UserId) -> Response {
        let code = match random_token() {
            Ok(code) => code,
            Err(cause) => return self.failed(&cause),
        };
        self.codes().keep(&code, ask.clone(), user, self.0.clock.uptime());
        let code = code.expose_secret();
        self.redirect(&ask.redirect_uri, &[("code", Some(code)), ("state", ask.state.as_deref())])
    }

    fn say(&self, bad: Bad) -> Response {
        match bad {
            Bad::Page(why) => self.broken(why),
            Bad::Tell { redirect_uri, state, error, description } => self.redirect(
                &redirect_uri,
                &[
                    ("error", Some(error)),
                    ("error_description", Some(description)),
                    ("state", state.as_deref()),
                ],
            ),
        }
    }

    /// Back to the desktop; `iss` tells it which server answers (RFC 9207).
    fn redirect(&self, to: &str, parameters: &[(&str, Option<&str>)]) -> Response {
        let issuer = [("iss", Some(self.0.settings.issuer.as_str()))];
        let query: Vec<String> = parameters
            .iter()
            .chain(&issuer)
            .filter_map(|(name, value)| value.map(|value| format!("{name}={}", page::percent(value))))
            .collect();
        let location = format!("{to}?{}", query.join("&"));
        match HeaderValue::try_from(location) {
            Ok(location) => {
                let headers = [(header::LOCATION, location), (header::CACHE_CONTROL, page::NO_STORE)];
                (StatusCode::SEE_OTHER, headers).into_response()
            }
            Err(_) => self.broken("The address is not in order."),
        }
    }

    /// The form, with proof that this server made it for this browser: another site can neither make one nor send
    /// one in this browser's name.
    fn form(
        &self,
        ask: &Ask,
        browser: Option<SecretString>,
        status: StatusCode,
        trouble: Option<&str>,
        account: &str,
    ) -> Response {
        let browser = match browser.map_or_else(random_token, Ok) {
            Ok(browser) => browser,
            Err(cause) => return self.failed(&cause),
        };
        let text = URL_SAFE_NO_PAD.encode(serde_json::to_vec(ask).unwrap_or_default());
        let made_at = self.0.clock.now().timestamp();
        let hidden = page::Hidden { proof: self.proof(&text, made_at, &browser), ask: text, made_at };
        let organisation = &self.0.settings.organisation;
        let page = Page::SignIn { organisation, trouble, account, hidden: &hidden };
        let mut response = page.respond(status, Some(&ask.redirect_uri));
        if let Ok(cookie) = HeaderValue::try_from(self.cookie(&browser)) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response
    }

    fn proof(&self, ask: &str, made_at: i64, browser: &SecretString) -> String {
        let parts = [ask.as_bytes(), &made_at.to_be_bytes(), browser.expose_secret().as_bytes()];
        URL_SAFE_NO_PAD.encode(self.0.key.mac("daypass sign-in form", &parts))
    }

    fn asked_before(&self, filled: &Filled, browser: Option<&SecretString>) -> Option<Ask> {
        let proof = self.proof(&filled.ask, filled.made_at, browser?);
        let genuine: bool = proof.as_bytes().ct_eq(filled.proof.as_bytes()).into();
        let age = self.0.clock.now().timestamp().saturating_sub(filled.made_at);
        if !genuine || !(0..FORM_LIVES_S).contains(&age) {
            return None;
        }
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&filled.ask).ok()?).ok()
    }

    fn cookie(&self, browser: &SecretString) -> String {
        // Browsers keep a `Secure` cookie to themselves on plain HTTP, which only a test or a proxy's inside uses.
        let secure = if self.0.settings.issuer.starts_with("https:") { "; Secure" } else { "" };
        format!(
            "{COOKIE}={}; Path=/oauth; HttpOnly; SameSite=Strict; Max-Age=86400{secure}",
            browser.expose_secret()
        )
    }

    fn broken(&self, why: &str) -> Response {
        let organisation = &self.0.settings.organisation;
        Page::Broken { organisation, why }.respond(StatusCode::BAD_REQUEST, None)
    }

    fn failed(&self, cause: &anyhow::Error) -> Response {
        tracing::error!(cause = format!("{cause:#}"), "sign-in failed");
        let organisation = &self.0.settings.organisation;
        let why = "The server cannot sign anyone in now. Try again in a moment.";
        Page::Broken { organisation, why }.respond(StatusCode::SERVICE_UNAVAILABLE, None)
    }
}

/// Names the browser, so that a form made for one cannot be sent by another.
const COOKIE: &str = "daypass_browser";

fn browser_of(headers: &HeaderMap) -> Option<SecretString> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let found =
        cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('=')).find(
            |(name, value)| *name == COOKIE && value.len() == 43 && URL_SAFE_NO_PAD.decode(value).is_ok(),
        )?;
    Some(found.1.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_computers_callback_is_a_redirect_address() {
        for good in
            ["http://127.0.0.1:1/callback", "http://127.0.0.1:65535/callback", "http://[::1]:4711/callback"]
        {
            assert!(is_loopback_callback(good), "{good}");
        }
        for bad in [
            "",
            "https://127.0.0.1:1/callback",
            "http://localhost:1/callback",
            "http://127.0.0.1/callback",
            "http://127.0.0.1:/callback",
            "http://127.0.0.1:0/callback",
            "http://127.0.0.1:080/callback",
            "http://127.0.0.1:65536/callback",
            "http://127.0.0.1:+1/callback",
            "http://127.0.0.1:1/callback/",
            "http://127.0.0.1:1/callback?x=1",
            "http://127.0.0.1:1@evil.example/callback",
            "http://127.0.0.1:1/../callback",
            "http://127.0.0.1.evil.example:1/callback",
            "http://evil.example:1/callback",
            "http://[::2]:1/callback",
            "HTTP://127.0.0.1:1/callback",
        ] {
            assert!(!is_loopback_callback(bad), "{bad}");
        }
    }
}
