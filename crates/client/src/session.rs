//! A signed-in session: the access token in memory, the refresh token in the keychain, and one renewal at a time.

use std::sync::Arc;
use std::time::Duration;

use daypass_clock::Clock;
use daypass_protocol::api::{ProblemCode, TokenErrorBody, Tokens};
use daypass_protocol::bridge::{Failure, FailureCode};
use reqwest::{Method, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use crate::api::Api;
use crate::failure::{failure, from_keychain, local, signed_out};
use crate::keychain::{KeychainError, KeychainThread, refresh_user};

pub(crate) const CLIENT_ID: &str = "daypass-desktop";

/// The access token is renewed when less than this is left of it.
const RENEW_BEFORE: Duration = Duration::from_secs(30);

/// A person at a server. Cheap to copy; all copies share the tokens.
#[derive(Clone, Debug)]
pub(crate) struct Session(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    api: Api,
    keychain: KeychainThread,
    clock: Clock,
    tokens: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// With the uptime at which it is to be renewed.
    access: Option<(SecretString, Duration)>,
    /// A rotated refresh token that the keychain did not take yet. Its access token is not used before it did.
    unsaved: Option<Tokens>,
}

impl Session {
    /// Goes on with the refresh token in the keychain.
    pub(crate) fn resume(api: Api, keychain: KeychainThread, clock: Clock) -> Self {
        Self(Arc::new(Inner { api, keychain, clock, tokens: Mutex::default() }))
    }

    /// Begins with the tokens of a sign-in; the refresh token is in the keychain when this returns.
    pub(crate) async fn begin(
        api: Api,
        keychain: KeychainThread,
        clock: Clock,
        tokens: Tokens,
    ) -> Result<Self, Failure> {
        let session = Self::resume(api, keychain, clock);
        session.adopt(&mut *session.0.tokens.lock().await, tokens).await?;
        Ok(session)
    }

    pub(crate) fn api(&self) -> &Api {
        &self.0.api
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.call(Method::GET, path, None::<&()>).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        self.call(Method::PUT, path, Some(body)).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, Failure> {
        let token = self.access().await?;
        match self.0.api.call(method.clone(), path, Some(&token), body).await {
            Err(f) if is_signed_out(&f) => {
                let token = self.renewed(&token).await?;
                self.0.api.call(method, path, Some(&token), body).await.map_err(ended)
            }
            other => other,
        }
    }

    pub(crate) async fn stream(&self, position: i64) -> Result<Response, Failure> {
        let token = self.access().await?;
        match self.0.api.stream(position, &token).await {
            Err(f) if is_signed_out(&f) => {
                let token = self.renewed(&token).await?;
                self.0.api.stream(position, &token).await.map_err(ended)
            }
            other => other,
        }
    }

    /// Tells the server to forget the refresh token, and removes it here.
    pub(crate) async fn end(&self) -> Result<(), KeychainError> {
        let mut held = self.0.tokens.lock().await;
        *held = Held::default();
        let user = self.user();
        if let Ok(refresh) = self.0.keychain.get(user.clone()).await {
            let told = self
                .0
                .api
                .form("/oauth/revoke", &[("token", refresh.expose_secret()), ("client_id", CLIENT_ID)])
                .await;
            if let Err(f) = told {
                tracing::info!(message = %f.message, "the server was not told of the sign-out");
            }
        }
        match self.0.keychain.delete(user).await {
            Err(KeychainError::NotFound) | Ok(()) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn user(&self) -> String {
        refresh_user(&self.0.api.name())
    }

    /// An access token that lives for a while yet.
    async fn access(&self) -> Result<SecretString, Failure> {
        let session = self.clone();
        finished(async move { session.access_held().await }).await
    }

    async fn access_held(&self) -> Result<SecretString, Failure> {
        let mut held = self.0.tokens.lock().await;
        if let Some((token, renew_at)) = &held.access
            && self.0.clock.uptime() < *renew_at
        {
            return Ok(token.clone());
        }
        self.renew(&mut held).await
    }

    /// An access token other than `refused`: another task may have renewed it meanwhile.
    async fn renewed(&self, refused: &SecretString) -> Result<SecretString, Failure> {
        let (session, refused) = (self.clone(), refused.clone());
        finished(async move { session.renewed_held(&refused).await }).await
    }

    async fn renewed_held(&self, refused: &SecretString) -> Result<SecretString, Failure> {
        let mut held = self.0.tokens.lock().await;
        if let Some((token, _)) = &held.access
            && token.expose_secret() != refused.expose_secret()
        {
            return Ok(token.clone());
        }
        self.renew(&mut held).await
    }

    async fn renew(&self, held: &mut Held) -> Result<SecretString, Failure> {
        held.access = None;
        if let Some(tokens) = held.unsaved.take() {
            return self.adopt(held, tokens).await;
        }
        let refresh = self.0.keychain.get_quietly(self.user()).await.map_err(|error| match error {
            KeychainError::NotFound => signed_out("Sign in to go on."),
            other => from_keychain(&other),
        })?;
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.expose_secret()),
            ("client_id", CLIENT_ID),
        ];
        // When the answer is lost after the server turned the token over, the old one is refused next time and the
        // person signs in again: the server cannot tell a lost answer from a stolen token.
        let (status, body) = self.0.api.form("/oauth/token", &form).await?;
        if status.is_success() {
            let tokens = serde_json::from_slice(&body).map_err(|_| {
                failure(FailureCode::Server(ProblemCode::Internal), "The server's answer cannot be read.")
            })?;
            return self.adopt(held, tokens).await;
        }
        Err(token_refusal(status, &body))
    }

    /// Keychain first: a refresh token that is used but not kept would end the session at the next start.
    async fn adopt(&self, held: &mut Held, tokens: Tokens) -> Result<SecretString, Failure> {
        if let Err(error) = self.0.keychain.set(self.user(), tokens.refresh_token.clone()).await {
            held.unsaved = Some(tokens);
            return Err(from_keychain(&error));
        }
        let life = Duration::from_secs(u64::from(tokens.expires_in));
        let renew_at = self.0.clock.uptime() + life.saturating_sub(RENEW_BEFORE.min(life / 2));
        held.access = Some((tokens.access_token.clone(), renew_at));
        Ok(tokens.access_token)
    }
}

/// Runs to its end even when whoever waits for it is aborted: a renewal that stops half-way has used up the refresh
/// token that the keychain holds.
async fn finished<T: Send + 'static>(
    work: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    tokio::spawn(work).await.unwrap_or_else(|_| Err(local("Daypass is ending.")))
}

/// What the token endpoint's refusal means to the person.
pub(crate) fn token_refusal(status: reqwest::StatusCode, body: &[u8]) -> Failure {
    let error = serde_json::from_slice::<TokenErrorBody>(body).ok();
    let code = error.as_ref().map(|e| e.error.as_str());
    tracing::info!(%status, code, "the token endpoint refused");
    match (status.as_u16(), code) {
        (429, _) => failure(
            FailureCode::Server(ProblemCode::RateLimited),
            "Too many attempts to sign in. Wait a minute and try again.",
        ),
        (500.., _) => failure(
            FailureCode::Server(ProblemCode::Unavailable),
            "The server cannot check sign-ins at the moment. Try again shortly.",
        ),
        (_, Some("access_denied")) => signed_out("The sign-in was refused."),
        _ => signed_out("The server no longer accepts this device's sign-in. Sign in again."),
    }
}

fn is_signed_out(f: &Failure) -> bool {
    matches!(f.code, FailureCode::Server(ProblemCode::SignedOut))
}

/// A fresh token that is refused: the session is over.
fn ended(f: Failure) -> Failure {
    if is_signed_out(&f) { signed_out(f.message) } else { f }
}
