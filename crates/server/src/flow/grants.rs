//! What happens to access once it is approved.

use std::collections::BTreeSet;

use daypass_domain::{DeviceId, Grant, GrantCommand, GrantError, GrantId, GrantPhase, UserId};
use daypass_protocol::api::Credential;

use super::{FlowError, grant_rows, retrying};
use crate::app::App;
use crate::connector::Wanted;
use crate::store::{Stream, Versioned};

/// The people who read about this grant: those who could read that it was opened.
async fn audience_of(app: &App, grant: &Grant) -> Result<BTreeSet<UserId>, FlowError> {
    let opened = app.store().stream(&Stream::Grant(grant.id)).await?;
    Ok(opened.into_iter().next().map(|r| r.circumstances.audience).unwrap_or_default())
}

async fn find(app: &App, id: GrantId) -> Result<Versioned<Grant>, FlowError> {
    app.store().grant(id).await?.ok_or(FlowError::NotFound("grant"))
}

/// Applies one command to one grant.
pub async fn command(
    app: &App,
    id: GrantId,
    actor: Option<&UserId>,
    command: GrantCommand,
) -> Result<Grant, FlowError> {
    retrying(|| async {
        let found = find(app, id).await?;
        let now = app.now();
        let events = Grant::decide(Some(&found.state), command.clone(), now)?;
        if events.is_empty() {
            return Ok(found.state);
        }
        let mut after = found.state.clone();
        for event in &events {
            after = Grant::apply(Some(after), event, now)?;
        }
        let audience = audience_of(app, &found.state).await?;
        app.record(grant_rows(&found.state, found.version, events, actor, &audience)).await?;
        Ok(after)
    })
    .await
}

async fn own(app: &App, who: &UserId, id: GrantId) -> Result<Grant, FlowError> {
    let found = find(app, id).await?;
    if found.state.holder == *who { Ok(found.state) } else { Err(FlowError::NotFound("grant")) }
}

/// Gives the holder's device a new credential for a live grant; the one before dies.
///
/// The issue is recorded before the secret exists, so that the ledger never misses one.
pub async fn issue(app: &App, who: &UserId, device: DeviceId, id: GrantId) -> Result<Credential, FlowError> {
    let grant = own(app, who, id).await?;
    let connector = app.connector(&grant.entitlement.resource).ok_or(FlowError::NotFound("target"))?;
    let after =
        command(app, id, Some(who), GrantCommand::IssueCredential { by: who.clone(), device }).await?;
    let wanted = wanted(&after).ok_or(GrantError::Over)?;
    let credential = connector.issue(&wanted).await?;
    // The grant may have ended while the target was being asked; then the account is closed by whoever ended it,
    // but a password set in between must not be handed out.
    let now = app.now();
    match find(app, id).await?.state {
        grant if grant.is_live(now) => Ok(credential),
        _ => {
            connector.close(id).await?;
            Err(GrantError::Over.into())
        }
    }
}

/// A live grant as its target needs to know it.
pub fn wanted(grant: &Grant) -> Option<Wanted> {
    match grant.phase {
        GrantPhase::Live { expires_at, .. } => {
            Some(Wanted { grant: grant.id, level: grant.entitlement.level, expires_at })
        }
        _ => None,
    }
}

/// The holder gives access back.
pub async fn release(app: &App, who: &UserId, id: GrantId) -> Result<Grant, FlowError> {
    own(app, who, id).await?;
    command(app, id, Some(who), GrantCommand::Release { by: who.clone() }).await
}

/// Security ends somebody's access.
pub async fn revoke(app: &App, who: &UserId, id: GrantId, note: String) -> Result<Grant, FlowError> {
    let found = find(app, id).await?;
    let policy = app.policy();
    if !policy.may_revoke(who, &found.state.holder) {
        let visible = audience_of(app, &found.state).await?.contains(who);
        let refused = FlowError::Refused(vec!["Only security can end somebody else's access.".into()]);
        return Err(if visible { refused } else { FlowError::NotFound("grant") });
    }
    command(app, id, Some(who), GrantCommand::Revoke { by: who.clone(), note: note.trim().to_owned() }).await
}

/// A device says that it holds nothing of the grant any more.
pub async fn report_wiped(
    app: &App,
    who: &UserId,
    device: DeviceId,
    id: GrantId,
) -> Result<Grant, FlowError> {
    own(app, who, id).await?;
    command(app, id, Some(who), GrantCommand::ReportWiped { by: who.clone(), device }).await
}
