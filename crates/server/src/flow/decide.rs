//! Deciding on other people's requests.

use super::{FlowError, facts_of, request_rows, retrying};
use crate::app::App;
use daypass_domain::{Digest, Request, RequestCommand, RequestError, RequestId, UserId, Verdict};

/// Records one approver's word on exactly what they read.
pub async fn decide(
    app: &App,
    who: &UserId,
    id: RequestId,
    digest: Digest,
    verdict: Verdict,
    note: String,
) -> Result<Request, FlowError> {
    let note = note.trim().to_owned();
    retrying(|| async {
        let found = app.store().request(id).await?.ok_or(FlowError::NotFound("request"))?;
        let request = &found.state;
        let facts = facts_of(app, id).await?;
        let policy = app.policy();
        if request.requester == *who {
            return Err(RequestError::OwnRequest.into());
        }
        if request.approvals().any(|d| d.by == *who) {
            return Err(RequestError::DecidedAlready.into());
        }
        // A closed request has no stage to permit anything in; its last one lets the machine say what it is.
        let last = request.obligations.stages.len().saturating_sub(1);
        let stage = request.current_stage().unwrap_or(last);
        let permit = match policy.approve(who, request, stage, &facts) {
            Ok(permit) => permit,
            Err(_) if !super::audience(&policy, request, &facts).contains(who) => {
                return Err(FlowError::NotFound("request"));
            }
            // Closed meanwhile, which says more than that nobody waits for this person.
            Err(refusal) => {
                request.check_open()?;
                return Err(FlowError::Refused(vec![refusal.to_string()]));
            }
        };
        let command = RequestCommand::Decide { permit, digest, verdict: verdict.clone(), note: note.clone() };
        let events = Request::decide(Some(request), command, facts.now)?;
        let before = Some((request, found.version));
        let (request, rows) = request_rows(&policy, before, events, Some(who), &facts, None)?;
        app.record(rows).await?;
        Ok(request)
    })
    .await
}
