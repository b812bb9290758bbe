//! Sign-in by the system browser: OAuth code flow with PKCE and a loopback redirect (RFC 8252, RFC 7636).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use daypass_domain::DeviceId;
use daypass_protocol::api::Tokens;
use daypass_protocol::bridge::{Failure, FailureCode};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::api::Api;
use crate::failure::{failure, local, signed_out};
use crate::session::{CLIENT_ID, token_refusal};

/// How long a person may take in the browser.
const PATIENCE: Duration = Duration::from_secs(300);
const REQUEST_LIMIT: Duration = Duration::from_secs(5);
const LARGEST_REQUEST: usize = 8 << 10;

/// A sign-in that waits for the browser.
#[derive(Debug)]
pub(crate) struct SignIn {
    api: Api,
    listener: TcpListener,
    redirect: String,
    state: SecretString,
    verifier: SecretString,
    /// Where the browser has to go.
    pub(crate) url: Url,
}

impl SignIn {
    /// Listens for the browser's return on a free port of the loopback interface.
    pub(crate) async fn prepare(api: Api, device: DeviceId) -> Result<Self, Failure> {
        let no_port = |e: std::io::Error| local(format!("No local port for the sign-in: {e}"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(no_port)?;
        let port = listener.local_addr().map_err(no_port)?.port();
        let redirect = format!("http://127.0.0.1:{port}/callback");
        let (state, verifier) = (random()?, random()?);
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose_secret().as_bytes()));
        let mut url = api.at("/oauth/authorize")?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", CLIENT_ID)
            .append_pair("redirect_uri", &redirect)
            .append_pair("state", state.expose_secret())
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .append_pair("device", &device.to_string());
        Ok(Self { api, listener, redirect, state, verifier, url })
    }

    pub(crate) fn api(&self) -> &Api {
        &self.api
    }

    /// Waits for the one valid return of the browser, and redeems its code.
    pub(crate) async fn finish(self) -> Result<Tokens, Failure> {
        let code = tokio::time::timeout(PATIENCE, self.wait_for_code())
            .await
            .map_err(|_| signed_out("The sign-in took longer than five minutes. Start it again."))??;
        drop(self.listener);
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.expose_secret()),
            ("redirect_uri", self.redirect.as_str()),
            ("client_id", CLIENT_ID),
            ("code_verifier", self.verifier.expose_secret()),
        ];
        let (status, body) = self.api.form("/oauth/token", &form).await?;
        if !status.is_success() {
            return Err(token_refusal(status, &body));
        }
        serde_json::from_slice(&body).map_err(|_| local("The server's answer to the sign-in cannot be read."))
    }

    async fn wait_for_code(&self) -> Result<SecretString, Failure> {
        loop {
            let Ok((mut stream, _)) = self.listener.accept().await else { continue };
            let target = match tokio::time::timeout(REQUEST_LIMIT, read_target(&mut stream)).await {
                Ok(Some(target)) => target,
                // Somebody else on this machine, or half a request: keep waiting for the browser.
                _ => {
                    say(&mut stream, "400 Bad Request", "This is not a request that Daypass waits for.")
                        .await;
                    continue;
                }
            };
            match self.judge(&target) {
                Callback::Code(code) => {
                    say(&mut stream, "200 OK", "Daypass goes on with the sign-in. You can close this page.")
                        .await;
                    return Ok(code);
                }
                Callback::Refused(failure) => {
                    say(
                        &mut stream,
                        "200 OK",
                        "The sign-in did not succeed. You can close this page and go back to Daypass.",
                    )
                    .await;
                    return Err(failure);
                }
                Callback::NotOurs => {
                    say(&mut stream, "404 Not Found", "This is not a page that Daypass waits for.").await;
                }
            }
        }
    }

    fn judge(&self, target: &str) -> Callback {
        let Ok(url) = Url::parse(&format!("http://127.0.0.1{target}")) else { return Callback::NotOurs };
        if url.path() != "/callback" {
            return Callback::NotOurs;
        }
        let only = |name: &str| {
            let mut values = url.query_pairs().filter(|(n, _)| n == name).map(|(_, v)| v.into_owned());
            let first = values.next();
            if values.next().is_some() { None } else { first }
        };
        let state = only("state").unwrap_or_default();
        if !bool::from(state.as_bytes().ct_eq(self.state.expose_secret().as_bytes())) {
            return Callback::NotOurs;
        }
        match (only("code"), only("error")) {
            (Some(code), None) if !code.is_empty() => Callback::Code(code.into()),
            (_, Some(error)) if error == "access_denied" => {
                Callback::Refused(signed_out("The sign-in was cancelled in the browser."))
            }
            _ => Callback::Refused(failure(
                FailureCode::SignedOut,
                "The server did not complete the sign-in. Try again.",
            )),
        }
    }
}

enum Callback {
    Code(SecretString),
    Refused(Failure),
    NotOurs,
}

/// The target of a GET request; its headers are read and ignored.
async fn read_target(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::with_capacity(1024);
    let mut piece = [0; 1024];
    while !bytes.windows(4).any(|w| w == b"\r\n\r\n") {
        let n = stream.read(&mut piece).await.ok()?;
        if n == 0 || bytes.len() + n > LARGEST_REQUEST {
            return None;
        }
        bytes.extend_from_slice(piece.get(..n)?);
    }
    let text = std::str::from_utf8(&bytes).ok()?;
    let mut words = text.lines().next()?.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    (method == "GET" && target.starts_with('/') && version.starts_with("HTTP/1.")).then(|| target.to_owned())
}

async fn say(stream: &mut TcpStream, status: &str, text: &str) {
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Daypass</title>\
         <style>body{{font:16px/1.5 system-ui,sans-serif;display:grid;place-items:center;min-height:90vh;\
         color-scheme:light dark}}</style><main><h1>Daypass</h1><p>{text}</p></main></html>"
    );
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
         Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\nCache-Control: no-store\r\n\
         Referrer-Policy: no-referrer\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
    // The code was received, whether or not the browser still wants to know.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn random() -> Result<SecretString, Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| local(format!("The system gives no random numbers: {e}")))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes).into())
}
