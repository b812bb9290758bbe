//! The server's API over HTTPS: what goes out, what comes back, and every way in which it can fail, as a [`Failure`].

use std::time::Duration;

use daypass_clock::Clock;
use daypass_protocol::api::{Problem, ProblemCode, ServerInfo};
use daypass_protocol::bridge::{Failure, FailureCode};
use reqwest::{Client, Method, Response, StatusCode, Url, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::UnboundedSender;
use zeroize::Zeroizing;

use crate::controller::Event;
use crate::failure::{failure, local, offline};
use crate::time::Heard;
use crate::tls::{self, Accept, Seen};

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const ANSWER_LIMIT: Duration = Duration::from_secs(15);
/// The server says something at least every 15 seconds.
const SILENCE_LIMIT: Duration = Duration::from_secs(40);
/// No answer is larger; a page of entries is the largest.
const LARGEST_ANSWER: usize = 16 << 20;

pub(crate) const NOW_HEADER: &str = "x-daypass-now";

/// A server, reachable and recognised.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    http: Client,
    base: Url,
    clock: Clock,
    events: UnboundedSender<Event>,
}

impl Api {
    pub(crate) fn new(
        base: Url,
        accept: Accept,
        clock: Clock,
        events: UnboundedSender<Event>,
    ) -> Result<Self, Failure> {
        let tls = tls::config(accept).map_err(|e| local(format!("TLS cannot be set up: {e}")))?;
        Ok(Self { http: client(tls, &base)?, base, clock, events })
    }

    /// An absolute address below the server's.
    pub(crate) fn at(&self, path: &str) -> Result<Url, Failure> {
        self.base.join(path).map_err(|e| local(format!("\"{path}\" is not an address: {e}")))
    }

    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        token: Option<&SecretString>,
        body: Option<&impl Serialize>,
    ) -> Result<T, Failure> {
        let mut request = self.http.request(method, self.at(path)?).timeout(ANSWER_LIMIT);
        if let Some(body) = body {
            request = request.json(body);
        }
        if let Some(token) = token {
            request = request.bearer_auth(token.expose_secret());
        }
        let response = self.send(request).await?;
        let response = self.check(response).await?;
        let empty = response.status() == StatusCode::NO_CONTENT;
        let bytes = self.bytes(response).await?;
        let text: &[u8] = if empty || bytes.is_empty() { b"null" } else { &bytes };
        serde_json::from_slice(text).map_err(|e| self.unreadable(path, &e.to_string()))
    }

    /// Posts a form, as OAuth wants it; the caller looks at the status.
    pub(crate) async fn form(
        &self,
        path: &str,
        form: &[(&str, &str)],
    ) -> Result<(StatusCode, Zeroizing<Vec<u8>>), Failure> {
        let request = self.http.post(self.at(path)?).timeout(ANSWER_LIMIT).form(form);
        let response = self.send(request).await?;
        let status = response.status();
        Ok((status, self.bytes(response).await?))
    }

    /// Opens the stream of events after `position`.
    pub(crate) async fn stream(&self, position: i64, token: &SecretString) -> Result<Response, Failure> {
        let request = self
            .http
            .get(self.at("/v1/events")?)
            .header("accept", "text/event-stream")
            .header("last-event-id", position.to_string())
            .bearer_auth(token.expose_secret());
        let response = self.send(request).await?;
        self.check(response).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Response, Failure> {
        let sent = self.clock.uptime();
        let response = request.send().await.map_err(|e| self.lost(&e))?;
        let received = self.clock.uptime();
        let header = response.headers().get(NOW_HEADER).and_then(|v| v.to_str().ok());
        if let Some(server) = header.and_then(|text| text.parse().ok()) {
            // The loop ends before its tasks when the application quits; then nobody needs the time.
            let _ = self.events.send(Event::Heard(Heard { server, sent, received }));
        }
        Ok(response)
    }

    async fn bytes(&self, mut response: Response) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let mut bytes = Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(|e| self.lost(&e))? {
            if bytes.len() + chunk.len() > LARGEST_ANSWER {
                return Err(self.unreadable(response.url().path(), "it does not end"));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    async fn check(&self, response: Response) -> Result<Response, Failure> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let bytes = self.bytes(response).await?;
        Err(refusal(status, &bytes))
    }

    fn lost(&self, error: &reqwest::Error) -> Failure {
        lost(&self.name(), error)
    }

    /// The server's name for people.
    pub(crate) fn name(&self) -> String {
        name(&self.base)
    }

    fn unreadable(&self, path: &str, why: &str) -> Failure {
        tracing::warn!(path, why, "the server's answer cannot be read");
        let server = self.name();
        failure(
            FailureCode::Server(ProblemCode::Internal),
            format!(
                "The answer of {server} cannot be read. Daypass here and there may be of different versions."
            ),
        )
    }
}

/// Looks at a server without trusting it.
pub(crate) async fn look(base: &Url) -> Result<(ServerInfo, Seen), Failure> {
    let (tls, seen) = tls::looking().map_err(|e| local(format!("TLS cannot be set up: {e}")))?;
    let address = base.join("/v1/info").map_err(|e| local(format!("\"{base}\" is not an address: {e}")))?;
    let response = client(tls, base)?
        .get(address)
        .timeout(ANSWER_LIMIT)
        .send()
        .await
        .map_err(|e| lost(&name(base), &e))?;
    let status = response.status();
    let not_daypass =
        || failure(FailureCode::Local, format!("{} answers, but it is not a Daypass server.", name(base)));
    if !status.is_success() || response.content_length().is_some_and(|n| n > 65_536) {
        return Err(not_daypass());
    }
    let bytes = response.bytes().await.map_err(|e| lost(&name(base), &e))?;
    let info = serde_json::from_slice(&bytes).map_err(|_| not_daypass())?;
    let seen = *seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok((info, seen.ok_or_else(not_daypass)?))
}

/// Reads what a person typed as the server's address.
pub(crate) fn address(text: &str) -> Result<Url, Failure> {
    let text = text.trim();
    let bad = || {
        failure(
            FailureCode::Local,
            format!("\"{text}\" is not a server's address. Write it like daypass.example.com."),
        )
    };
    let full = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let mut url = Url::parse(&full).map_err(|_| bad())?;
    if url.scheme() != "https" {
        return Err(failure(
            FailureCode::Local,
            "Daypass speaks HTTPS only. Write the address with https://.",
        ));
    }
    if url.host_str().is_none_or(str::is_empty) || !url.username().is_empty() || url.password().is_some() {
        return Err(bad());
    }
    url.set_path("/");
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

/// Host and port, as people write them.
pub(crate) fn name(base: &Url) -> String {
    let host = base.host_str().unwrap_or_default();
    base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn client(tls: rustls::ClientConfig, base: &Url) -> Result<Client, Failure> {
    let mut builder = Client::builder();
    let host = base.host_str().unwrap_or_default().trim_matches(['[', ']']);
    if host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()) {
        builder = builder.no_proxy();
    }
    builder
        .use_preconfigured_tls(tls)
        .https_only(true)
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT_LIMIT)
        .read_timeout(SILENCE_LIMIT)
        .user_agent(concat!("daypass/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|e| local(format!("HTTPS cannot be set up: {e}")))
}

/// What a lost exchange means to the person.
fn lost(server: &str, error: &reqwest::Error) -> Failure {
    if let Some(why) = refused_certificate(error) {
        tracing::warn!(%server, ?why, "the server's certificate was refused");
        return failure(
            FailureCode::Certificate,
            format!(
                "{server} shows another certificate than the one that was accepted. Somebody may be in between. Ask \
                 your administrator before you go on."
            ),
        );
    }
    tracing::info!(%server, error = %error, "the server does not answer");
    offline(server)
}

fn refused_certificate<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a rustls::CertificateError> {
    if let Some(rustls::Error::InvalidCertificate(why)) = error.downcast_ref() {
        return Some(why);
    }
    // An I/O error does not show what it carries as its source.
    let carried = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    let carried = carried.map(|inner| inner as &(dyn std::error::Error + 'static));
    carried.into_iter().chain(error.source()).find_map(refused_certificate)
}

fn refusal(status: StatusCode, bytes: &[u8]) -> Failure {
    match serde_json::from_slice::<Problem>(bytes) {
        Ok(problem) => {
            let field = problem
                .field
                .map(|field| daypass_protocol::api::FieldProblem { field, message: problem.detail.clone() });
            Failure {
                code: FailureCode::Server(problem.code),
                message: problem.detail,
                problems: field.into_iter().collect(),
            }
        }
        Err(_) => {
            let code = match status.as_u16() {
                401 => ProblemCode::SignedOut,
                403 => ProblemCode::Forbidden,
                404 => ProblemCode::NotFound,
                413 => ProblemCode::TooLarge,
                429 => ProblemCode::RateLimited,
                502..=504 => ProblemCode::Unavailable,
                400..=499 => ProblemCode::Malformed,
                _ => ProblemCode::Internal,
            };
            failure(
                FailureCode::Server(code),
                format!("The server refused ({status}). Try again in a moment."),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_write_them() {
        let good = [
            ("daypass.example.com", "https://daypass.example.com/"),
            (" 127.0.0.1:8443 ", "https://127.0.0.1:8443/"),
            ("https://daypass.example.com/some/page?x#y", "https://daypass.example.com/"),
            ("[::1]:8443", "https://[::1]:8443/"),
        ];
        for (text, expected) in good {
            assert_eq!(address(text).unwrap().as_str(), expected, "{text}");
        }
        for bad in ["", "http://daypass.example.com", "https://", "ftp://x", "https://a:b@c", "a b"] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
