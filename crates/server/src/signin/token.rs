//! `/oauth/token` and `/oauth/revoke`: tokens for a code, for a refresh token, and none any more (RFC 6749, 7009).

use axum::Json;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use daypass_domain::{DeviceId, UserId};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::codes::{CodeUse, Presented};
use super::secret::{kept, random_token};
use super::{CLIENT_ID, SignIn, access, page};
use crate::network::{Network, Peer};
use crate::store::{PersonEvent, RefreshRow, RefreshUse, StoreError};

/// A device that does not come back for so long has to sign in again.
const REFRESH_LIVES: TimeDelta = TimeDelta::days(14);

#[derive(Debug, Deserialize)]
pub(super) struct TokenForm {
    grant_type: Option<String>,
    client_id: Option<String>,
    code: Option<SecretString>,
    redirect_uri: Option<String>,
    code_verifier: Option<SecretString>,
    refresh_token: Option<SecretString>,
    device: Option<String>,
}

/// RFC 6749, 5.2, and what goes wrong on our side.
#[derive(Debug)]
pub(super) enum TokenError {
    Request(&'static str),
    Client,
    Grant(&'static str),
    GrantType,
    Unavailable(anyhow::Error),
}

impl From<StoreError> for TokenError {
    fn from(cause: StoreError) -> Self {
        Self::Unavailable(cause.into())
    }
}

impl IntoResponse for TokenError {
    fn into_response(self) -> Response {
        let (status, error, description) = match self {
            Self::Request(what) => (StatusCode::BAD_REQUEST, "invalid_request", what),
            Self::Client => {
                (StatusCode::UNAUTHORIZED, "invalid_client", "client_id is not one of this server's")
            }
            Self::Grant(what) => (StatusCode::BAD_REQUEST, "invalid_grant", what),
            Self::GrantType => (
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "grant_type has to be authorization_code or refresh_token",
            ),
            Self::Unavailable(cause) => {
                tracing::error!(cause = format!("{cause:#}"), "cannot answer with tokens");
                let sorry = "The server cannot sign you in now. Try again in a moment.";
                (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", sorry)
            }
        };
        let body = Json(json!({ "error": error, "error_description": description }));
        (status, [(header::CACHE_CONTROL, page::NO_STORE)], body).into_response()
    }
}

/// `POST /oauth/token`
pub(super) async fn token(
    State(sign_in): State<SignIn>,
    peer: Peer,
    form: Result<Form<TokenForm>, FormRejection>,
) -> Result<Response, TokenError> {
    let Form(form) = form.map_err(|_| TokenError::Request("the form is not in order"))?;
    if form.client_id.as_deref() != Some(CLIENT_ID) {
        return Err(TokenError::Client);
    }
    let device = match &form.device {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| TokenError::Request("device has to be a uuid"))?),
    };
    match form.grant_type.as_deref() {
        Some("authorization_code") => {
            let (Some(code), Some(redirect_uri), Some(verifier)) =
                (form.code, form.redirect_uri, form.code_verifier)
            else {
                return Err(TokenError::Request("code, redirect_uri and code_verifier are needed"));
            };
            let presented = Presented { redirect_uri: &redirect_uri, verifier: &verifier, device };
            sign_in.exchange(&code, &presented, peer.network()).await
        }
        Some("refresh_token") => {
            let token = form.refresh_token.ok_or(TokenError::Request("refresh_token is needed"))?;
            sign_in.refresh(&token, device).await
        }
        Some(_) => Err(TokenError::GrantType),
        None => Err(TokenError::Request("grant_type is needed")),
    }
}

impl SignIn {
    async fn exchange(
        &self,
        code: &SecretString,
        presented: &Presented<'_>,
        network: Option<Network>,
    ) -> Result<Response, TokenError> {
        let family = Uuid::new_v4();
        let spent = self.codes().spend(code, presented, family, self.0.clock.uptime());
        let (user, device) = match spent {
            CodeUse::Good { user, device } => (user, device),
            CodeUse::Reused(family) => {
                self.0.store.end_family(family).await?;
                return Err(TokenError::Grant("the code was used before"));
            }
            CodeUse::Bad => return Err(TokenError::Grant("the code is not good (any more)")),
        };
        let refresh = self.next_refresh(&user, device, family).await?;
        let signed_in = PersonEvent::SignedIn { device, network };
        if let Err(cause) = self.0.directory.record(&user, signed_in).await {
            // A sign-in that is not in the ledger must not be one.
            self.0.store.end_family(family).await?;
            return Err(cause.into());
        }
        // The second use may have come before there was a family to end.
        if self.codes().was_reused(code) {
            self.0.store.end_family(family).await?;
            return Err(TokenError::Grant("the code was used before"));
        }
        Ok(self.tokens(&user, device, family, &refresh))
    }

    async fn refresh(&self, token: &SecretString, device: Option<DeviceId>) -> Result<Response, TokenError> {
        let row = match self.0.store.use_refresh(&kept(token), self.0.clock.now()).await? {
            RefreshUse::Good(row) => row,
            RefreshUse::Reused(row) => {
                self.0.store.end_family(row.family).await?;
                let reused = PersonEvent::TokenReused { device: row.device };
                self.0.directory.record(&row.user, reused).await?;
                return Err(TokenError::Grant(
                    "the refresh token was used before, so this sign-in has ended",
                ));
            }
            RefreshUse::Unknown => return Err(TokenError::Grant("the refresh token is not good any more")),
        };
        if device.is_some_and(|device| device != row.device) || !self.0.directory.knows(&row.user) {
            self.0.store.end_family(row.family).await?;
            return Err(TokenError::Grant("the refresh token is not good any more"));
        }
        let refresh = self.next_refresh(&row.user, row.device, row.family).await?;
        // Ended by somebody else while this was on its way.
        if !self.0.store.family_is_live(row.family).await? {
            return Err(TokenError::Grant("the refresh token is not good any more"));
        }
        Ok(self.tokens(&row.user, row.device, row.family, &refresh))
    }

    async fn next_refresh(
        &self,
        user: &UserId,
        device: DeviceId,
        family: Uuid,
    ) -> Result<SecretString, TokenError> {
        let token = random_token().map_err(TokenError::Unavailable)?;
        let expires_at = self.0.clock.now() + REFRESH_LIVES;
        let row = RefreshRow { hash: kept(&token), family, user: user.clone(), device, expires_at };
        self.0.store.insert_refresh(&row).await?;
        Ok(token)
    }

    fn tokens(&self, user: &UserId, device: DeviceId, family: Uuid, refresh: &SecretString) -> Response {
        let access = self.access_token(user, device, family);
        let body = Json(json!({
            "access_token": access.expose_secret(),
            "token_type": "Bearer",
            "expires_in": access::LIVES_S,
            "refresh_token": refresh.expose_secret(),
        }));
        ([(header::CACHE_CONTROL, page::NO_STORE)], body).into_response()
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct RevokeForm {
    token: Option<SecretString>,
    client_id: Option<String>,
}

/// `POST /oauth/revoke`: signs the device out that holds this refresh token. A token that is void already is fine.
pub(super) async fn revoke(
    State(sign_in): State<SignIn>,
    form: Result<Form<RevokeForm>, FormRejection>,
) -> Result<Response, TokenError> {
    let Form(form) = form.map_err(|_| TokenError::Request("the form is not in order"))?;
    if form.client_id.as_deref() != Some(CLIENT_ID) {
        return Err(TokenError::Client);
    }
    let token = form.token.ok_or(TokenError::Request("token is needed"))?;
    let SignIn(shared) = &sign_in;
    match shared.store.use_refresh(&kept(&token), shared.clock.now()).await? {
        RefreshUse::Good(row) | RefreshUse::Reused(row) => {
            shared.store.end_family(row.family).await?;
            shared.directory.record(&row.user, PersonEvent::SignedOut { device: row.device }).await?;
        }
        RefreshUse::Unknown => {}
    }
    Ok((StatusCode::OK, [(header::CACHE_CONTROL, page::NO_STORE)]).into_response())
}
