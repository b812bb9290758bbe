//! What daypassd says over HTTPS: JSON, paths below `/v1`, described by `openapi.json`.
//!
//! Times are RFC 3339 in UTC with microseconds; durations are whole seconds.

use daypass_domain::{
    AccessLevel, Ask, DeviceId, Digest, Entitlement, Environment, GrantId, RequestId, ResourceId,
    Sensitivity, Timestamp, UserId, Verdict,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// A type of the API: serialised both ways, with a schema on the server.
macro_rules! api_type {
    ($($item:item)*) => {$(
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        $item
    )*};
}

api_type! {
    /// Who answers here, before anyone has signed in.
    pub struct ServerInfo {
        /// The organisation's name for people.
        pub organisation: String,
        pub version: String,
        pub now: Timestamp,
    }

    /// A person, as others see them.
    #[derive(Eq, PartialOrd, Ord)]
    pub struct Person {
        pub id: UserId,
        pub name: String,
        pub team: String,
    }

    /// The person who is signed in.
    pub struct Me {
        pub person: Person,
        pub email: String,
        pub groups: Vec<String>,
        /// Whether any stage can ever wait for this person.
        pub reviews: bool,
        /// Whether this person may end other people's grants.
        pub security: bool,
    }

    /// What sort of thing a resource is.
    #[derive(Copy, Eq)]
    #[serde(rename_all = "snake_case")]
    pub enum ResourceKind {
        Postgres,
        Mysql,
        Ssh,
        Kubernetes,
        CloudRole,
        Secrets,
        WebApp,
        Queue,
    }

    /// A resource in a sentence: enough to show it anywhere.
    #[derive(Eq)]
    pub struct ResourceBrief {
        pub id: ResourceId,
        pub name: String,
        pub kind: ResourceKind,
        pub environment: Environment,
        pub sensitivity: Sensitivity,
        /// The team that owns it, by its name for people.
        pub owner: String,
    }

    /// One resource of the catalogue.
    pub struct Resource {
        #[serde(flatten)]
        pub brief: ResourceBrief,
        pub description: String,
        pub tags: Vec<String>,
        pub levels: Vec<LevelOffer>,
        /// Why Daypass cannot open this kind of resource yet; absent when it can.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub unavailable: Option<String>,
    }

    /// What it would take to get one access level now, with the shortest ask.
    pub struct LevelOffer {
        pub level: AccessLevel,
        pub outcome: Outcome,
    }

    /// What policy says about an ask.
    #[derive(Eq)]
    #[serde(rename_all = "snake_case", tag = "outcome")]
    pub enum Outcome {
        /// Approved as soon as it is asked.
        Automatic { max_duration_s: u32, ticket: bool },
        /// These stages have to approve, in this order.
        NeedsApproval { max_duration_s: u32, ticket: bool, stages: Vec<StageView> },
        /// Not possible now, and why; `until` when it is known when it will be.
        NotNow { why: String, until: Option<Timestamp> },
    }

    /// One tier of approval as people see it.
    #[derive(Eq)]
    pub struct StageView {
        /// What it is called: peer, senior, owner, security.
        pub name: String,
        /// The group's name for people.
        pub group: String,
        pub needed: u8,
        /// Who has approved in it.
        pub approved: Vec<Person>,
        /// Who could still approve in it.
        pub can_approve: Vec<Person>,
        pub state: StageState,
    }

    #[derive(Copy, Eq)]
    #[serde(rename_all = "snake_case")]
    pub enum StageState {
        Done,
        Current,
        Later,
    }

    /// A risk score and its explanation.
    #[derive(Eq)]
    pub struct RiskView {
        /// 0 to 100.
        pub points: u8,
        pub band: RiskBand,
        /// Largest first.
        pub factors: Vec<RiskFactor>,
        /// What would lower it, best first.
        pub lower: Vec<RiskLower>,
    }

    #[derive(Copy, Eq, PartialOrd, Ord)]
    #[serde(rename_all = "snake_case")]
    pub enum RiskBand {
        Low,
        Moderate,
        High,
        Critical,
    }

    #[derive(Eq)]
    pub struct RiskFactor {
        pub id: String,
        pub label: String,
        /// What it adds to the score.
        pub points: u8,
        /// The most that it could add.
        pub max: u8,
        /// A sentence with the numbers in it.
        pub sentence: String,
    }

    #[derive(Eq)]
    pub struct RiskLower {
        /// "read instead of write"
        pub change: String,
        pub points_after: u8,
    }

    /// What would happen to an ask, before it is sent.
    pub struct Preview {
        pub outcome: Outcome,
        pub risk: RiskView,
        /// A live grant of the requester that covers the same already.
        pub held: Option<GrantView>,
        /// What is wrong with the form as it stands; it can be sent when this is empty and the outcome is possible.
        pub problems: Vec<FieldProblem>,
    }

    #[derive(Eq)]
    pub struct FieldProblem {
        /// `entitlements`, `duration_s`, `start`, `reason` or `ticket`.
        pub field: String,
        pub message: String,
    }

    /// Sends a request. The same id with the same content again answers the same; with other content it is refused.
    pub struct SubmitBody {
        pub id: RequestId,
        pub ask: Ask,
    }

    /// Replaces what a request asks for; voids what was decided.
    pub struct EditBody {
        /// The revision that was edited.
        pub revision: u32,
        pub ask: Ask,
    }

    #[derive(Eq)]
    pub struct EntitlementView {
        pub resource: ResourceBrief,
        pub level: AccessLevel,
    }

    /// A request as one person may see it.
    pub struct RequestView {
        pub id: RequestId,
        pub revision: u32,
        /// What a decision must name.
        pub digest: Digest,
        pub requester: Person,
        pub entitlements: Vec<EntitlementView>,
        pub duration_s: u32,
        /// When an approver insisted on less.
        pub cap_s: Option<u32>,
        pub start: Option<Timestamp>,
        pub reason: String,
        pub ticket: Option<String>,
        pub submitted_at: Timestamp,
        pub lapses_at: Timestamp,
        pub status: RequestStatus,
        pub stages: Vec<StageView>,
        pub decisions: Vec<DecisionView>,
        pub risk: RiskView,
        /// Whether the reader may decide on it now.
        pub may_decide: bool,
        /// The requester's past with what is asked, for an approver.
        pub past: Option<Past>,
    }

    #[derive(Eq)]
    #[serde(rename_all = "snake_case", tag = "status")]
    pub enum RequestStatus {
        Pending,
        Asked { by: Person, note: String },
        Approved { at: Timestamp, duration_s: u32 },
        Denied { by: Person, note: String },
        Withdrawn,
        Lapsed,
    }

    #[derive(Eq)]
    pub struct DecisionView {
        pub by: Person,
        pub stage: String,
        #[serde(flatten)]
        pub verdict: Verdict,
        pub note: String,
        pub at: Timestamp,
    }

    /// What a requester did before with the same resources, in the last 90 days.
    #[derive(Eq)]
    pub struct Past {
        pub approved: u32,
        pub denied: u32,
        pub last: Option<Timestamp>,
    }

    /// An approver's word; `digest` names exactly what was read.
    pub struct DecideBody {
        pub digest: Digest,
        #[serde(flatten)]
        pub verdict: Verdict,
        #[serde(default)]
        pub note: String,
    }

    /// A grant as its holder, or security, sees it.
    pub struct GrantView {
        pub id: GrantId,
        pub request: RequestId,
        pub holder: Person,
        pub resource: ResourceBrief,
        pub level: AccessLevel,
        pub duration_s: u32,
        pub opened_at: Timestamp,
        pub not_before: Option<Timestamp>,
        pub starts_at: Option<Timestamp>,
        pub expires_at: Option<Timestamp>,
        pub status: GrantStatus,
        /// The device that holds its credential.
        pub device: Option<DeviceId>,
    }

    #[derive(Eq)]
    #[serde(rename_all = "snake_case", tag = "status")]
    pub enum GrantStatus {
        /// Waits for its start or for the target; `problem` when the target cannot be reached.
        Opening { problem: Option<String> },
        Live,
        Ending { why: EndedWhy, problem: Option<String> },
        Ended { at: Timestamp, why: EndedWhy },
    }

    #[derive(Eq)]
    #[serde(rename_all = "snake_case", tag = "why")]
    pub enum EndedWhy {
        Expired,
        Released,
        Revoked { by: Person, note: String },
        NeverActivated,
    }

    /// Asks for the credential of a live grant, for this device. Each answer is a new credential; the one before dies.
    pub struct CredentialBody {
        pub device: DeviceId,
    }

    pub struct RevokeBody {
        pub note: String,
    }

    /// A device says that it holds nothing of this grant any more.
    pub struct WipedBody {
        pub device: DeviceId,
    }

    /// One thing that happened, as a person may read it: a row of the ledger that concerns them.
    #[derive(Eq)]
    pub struct Entry {
        /// The ledger position: grows, with gaps where other people's rows are.
        pub position: i64,
        pub at: Timestamp,
        pub kind: EntryKind,
        /// Who did it; absent when the system did.
        pub actor: Option<Person>,
        /// Whose request or grant it is.
        pub subject: Person,
        pub request: Option<RequestId>,
        pub grant: Option<GrantId>,
        pub resources: Vec<EntitlementView>,
        /// A sentence: "Sam Okafor approved for 30 minutes".
        pub text: String,
        /// The reason, note or problem in someone's own words.
        pub note: Option<String>,
        pub risk: Option<RiskBrief>,
        /// People whose decision the request waits for after this.
        pub waits_for: Vec<UserId>,
        /// When a grant that became live ends.
        pub expires_at: Option<Timestamp>,
        /// The row's leaf hash in the ledger (RFC 6962), in hexadecimal.
        pub leaf: Digest,
    }

    #[derive(Copy, Eq)]
    pub struct RiskBrief {
        pub points: u8,
        pub band: RiskBand,
    }

    #[derive(Copy, Eq)]
    #[serde(rename_all = "snake_case")]
    pub enum EntryKind {
        RequestSubmitted,
        RequestEdited,
        /// One stage's approver approved; the request may still wait for others.
        RequestDecided,
        RequestQuestioned,
        RequestApproved,
        RequestDenied,
        RequestWithdrawn,
        RequestLapsed,
        GrantOpened,
        GrantActivated,
        GrantProblem,
        CredentialIssued,
        GrantEnding,
        GrantEnded,
        CredentialWiped,
        SignedIn,
        SignedOut,
    }

    /// A page of entries, oldest first.
    pub struct EntryPage {
        pub entries: Vec<Entry>,
        /// Ask again with this position when there is more.
        pub next: Option<i64>,
    }

    /// The answer of the token endpoint (RFC 6749, 5.1).
    pub struct TokenErrorBody {
        pub error: String,
        pub error_description: String,
    }

    /// RFC 9457, with a code that programs act on. `detail` is for people and tells nothing internal.
    #[derive(Eq)]
    pub struct Problem {
        pub code: ProblemCode,
        pub title: String,
        pub status: u16,
        pub detail: String,
        /// The part of the form that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub field: Option<String>,
        /// Names the exchange in the server's log.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub request_id: Option<String>,
    }

    #[derive(Copy, Eq)]
    #[serde(rename_all = "snake_case")]
    pub enum ProblemCode {
        /// The body or a parameter cannot be read.
        Malformed,
        TooLarge,
        /// Read, but not acceptable; `field` says where.
        Invalid,
        SignedOut,
        Forbidden,
        NotFound,
        /// The thing has moved on: read it again.
        Conflict,
        /// Decided, ended or used already.
        Over,
        NotYet,
        RateLimited,
        /// The target of a grant cannot be reached.
        TargetUnavailable,
        Unavailable,
        Internal,
    }
}

/// The secret that a grant yields. It goes from the server to the device once and from there to the keychain only.
#[derive(Clone, Debug, Deserialize)]
pub struct Credential {
    pub grant: GrantId,
    pub host: String,
    pub port: u16,
    pub database: String,
    pub username: String,
    /// Redacted in `Debug`, and serialised by the server's answer alone.
    pub password: SecretString,
    pub expires_at: Timestamp,
}

/// The answer of the token endpoint (RFC 6749, 5.1).
#[derive(Clone, Debug, Deserialize)]
pub struct Tokens {
    pub access_token: SecretString,
    /// Used once; the next answer brings the next one (RFC 9700, 4.14).
    pub refresh_token: SecretString,
    /// Seconds that the access token lives.
    pub expires_in: u32,
}

impl Outcome {
    /// The longest duration that can be asked for; none when it is not possible now.
    pub fn max_duration_s(&self) -> Option<u32> {
        match self {
            Self::Automatic { max_duration_s, .. } | Self::NeedsApproval { max_duration_s, .. } => {
                Some(*max_duration_s)
            }
            Self::NotNow { .. } => None,
        }
    }

    pub fn needs_ticket(&self) -> bool {
        match self {
            Self::Automatic { ticket, .. } | Self::NeedsApproval { ticket, .. } => *ticket,
            Self::NotNow { .. } => false,
        }
    }
}

impl RequestView {
    pub fn is_open(&self) -> bool {
        matches!(self.status, RequestStatus::Pending | RequestStatus::Asked { .. })
    }

    pub fn asked(&self) -> Vec<Entitlement> {
        let of = |e: &EntitlementView| Entitlement { resource: e.resource.id.clone(), level: e.level };
        self.entitlements.iter().map(of).collect()
    }
}
