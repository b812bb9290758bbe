//! A server that keeps the API's promises, and breaks them when told to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use axum_server::tls_rustls::RustlsConfig;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{SecondsFormat, TimeDelta};
use daypass_clock::{Clock, Timestamp};
use daypass_domain::{
    AccessLevel, DeviceId, Digest, Environment, GrantId, RequestId, ResourceId, Sensitivity, UserId,
};
use daypass_protocol::api::*;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::WatchStream;

#[derive(Clone)]
pub struct FakeServer {
    pub port: u16,
    inner: Arc<Shared>,
}

struct Shared {
    state: Mutex<Inner>,
    clock: Clock,
    news: tokio::sync::watch::Sender<i64>,
    running: Mutex<Option<(axum_server::Handle<std::net::SocketAddr>, tokio::runtime::Runtime)>>,
    certificate: Mutex<(String, String)>,
}

/// How a kind of call fails the next times.
#[derive(Clone, Debug)]
pub enum Refusal {
    Problem(ProblemCode),
    /// Done, but the answer breaks off.
    AnswerLost,
    /// Something that is not the API.
    Garbage,
    Slow(Duration),
}

#[derive(Default)]
struct Inner {
    entries: Vec<Entry>,
    grants: Vec<GrantView>,
    requests: Vec<RequestView>,
    reviews: Vec<RequestView>,
    codes: BTreeMap<String, String>,
    refresh: BTreeSet<String>,
    spent: BTreeSet<String>,
    access: BTreeMap<String, Timestamp>,
    serial: u32,
    life_s: u32,
    pub_calls: Vec<String>,
    refusals: BTreeMap<String, VecDeque<Refusal>>,
    wiped: Vec<GrantId>,
    released: Vec<GrantId>,
    issued: Vec<GrantId>,
    secrets: Vec<String>,
    on_credential: Option<Box<dyn Fn() + Send>>,
}

impl FakeServer {
    pub fn start(clock: Clock) -> Self {
        let port = daypass_testkit::free_port().unwrap();
        let (news, _) = tokio::sync::watch::channel(0);
        let server = Self {
            port,
            inner: Arc::new(Shared {
                state: Mutex::new(Inner { life_s: 600, ..Inner::default() }),
                clock,
                news,
                running: Mutex::new(None),
                certificate: Mutex::new(certificate()),
            }),
        };
        server.up();
        server
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    pub fn up(&self) {
        let listener = (0..200)
            .find_map(|_| {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port));
                if listener.is_err() {
                    std::thread::sleep(Duration::from_millis(10));
                }
                listener.ok()
            })
            .expect("the port is free");
        listener.set_nonblocking(true).unwrap();
        let (cert, key) = self.inner.certificate.lock().unwrap().clone();
        let handle = axum_server::Handle::new();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (app, on) = (self.router(), handle.clone());
        runtime.spawn(async move {
            let config = rustls::ServerConfig::builder_with_provider(Arc::new(
                rustls::crypto::ring::default_provider(),
            ))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![rustls::pki_types::CertificateDer::from(hex::decode(cert).unwrap())],
                rustls::pki_types::PrivateKeyDer::try_from(hex::decode(key).unwrap()).unwrap(),
            )
            .unwrap();
            let config = RustlsConfig::from_config(Arc::new(config));
            axum_server::from_tcp_rustls(listener, config)
                .unwrap()
                .handle(on)
                .serve(app.into_make_service())
                .await
        });
        *self.inner.running.lock().unwrap() = Some((handle, runtime));
    }

    /// Gone, with every connection.
    pub fn down(&self) {
        if let Some((handle, runtime)) = self.inner.running.lock().unwrap().take() {
            handle.shutdown();
            runtime.shutdown_background();
        }
    }

    /// Comes back with another certificate.
    pub fn change_certificate(&self) {
        self.down();
        *self.inner.certificate.lock().unwrap() = certificate();
        self.up();
    }

    pub fn refuse(&self, call: &str, refusals: impl IntoIterator<Item = Refusal>) {
        self.state(|s| s.refusals.entry(call.into()).or_default().extend(refusals));
    }

    /// Nobody is signed in any more.
    pub fn forget_sign_ins(&self) {
        self.state(|s| {
            s.access.clear();
            s.refresh.clear();
        });
    }

    /// Runs when a credential is asked for, before it is given.
    pub fn on_credential(&self, look: impl Fn() + Send + 'static) {
        self.state(|s| s.on_credential = Some(Box::new(look)));
    }

    pub fn wiped(&self) -> Vec<GrantId> {
        self.state(|s| s.wiped.clone())
    }

    pub fn released(&self) -> Vec<GrantId> {
        self.state(|s| s.released.clone())
    }

    /// How many credentials were issued for a grant.
    pub fn issued(&self, grant: GrantId) -> usize {
        self.state(|s| s.issued.iter().filter(|g| **g == grant).count())
    }

    pub fn requests(&self) -> Vec<RequestView> {
        self.state(|s| s.requests.clone())
    }

    pub fn calls(&self, call: &str) -> usize {
        self.state(|s| s.pub_calls.iter().filter(|c| *c == call).count())
    }

    pub fn refresh_is_valid(&self, token: &str) -> bool {
        self.state(|s| s.refresh.contains(token))
    }

    /// Whether a grant is live by the server's own clock.
    pub fn is_live(&self, grant: &str) -> bool {
        let now = self.inner.clock.now();
        self.state(|s| {
            s.grants.iter().any(|g| {
                g.id.to_string() == grant
                    && g.status == GrantStatus::Live
                    && g.expires_at.is_some_and(|e| now < e)
            })
        })
    }

    /// Every token and password that was ever given out.
    pub fn secrets(&self) -> Vec<String> {
        self.state(|s| s.secrets.clone())
    }

    /// A grant becomes live now.
    pub fn activate(&self, seconds: i64) -> GrantId {
        self.activate_for(RequestId(uuid::Uuid::new_v4()), seconds)
    }

    pub fn activate_for(&self, request: RequestId, seconds: i64) -> GrantId {
        let now = self.inner.clock.now();
        let mut view = grant("shop-db", now, seconds);
        view.request = request;
        let id = view.id;
        self.state(|s| s.grants.insert(0, view));
        self.tell(|e| {
            e.kind = EntryKind::GrantActivated;
            e.grant = Some(id);
            e.request = Some(request);
            e.expires_at = Some(now + TimeDelta::seconds(seconds));
            e.text = "Access became live".into();
        });
        id
    }

    /// Ends a grant, and tells of it.
    pub fn end(&self, grant: GrantId, why: EndedWhy) {
        let at = self.inner.clock.now();
        self.state(|s| {
            for g in s.grants.iter_mut().filter(|g| g.id == grant) {
                g.status = GrantStatus::Ended { at, why: why.clone() };
            }
        });
        self.tell(|e| {
            e.kind = EntryKind::GrantEnding;
            e.grant = Some(grant);
            e.text = "Maya Olsen revoked access".into();
            e.actor = match &why {
                EndedWhy::Revoked { by, .. } => Some(by.clone()),
                _ => None,
            };
        });
    }

    pub fn give_to_device(&self, grant: GrantId, device: DeviceId) {
        self.state(|s| {
            for g in s.grants.iter_mut().filter(|g| g.id == grant) {
                g.device = Some(device);
            }
        });
        self.tell(|e| {
            e.kind = EntryKind::CredentialIssued;
            e.grant = Some(grant);
        });
    }

    pub fn add_review(&self, review: RequestView) {
        self.state(|s| s.reviews.push(review));
    }

    /// Something happens.
    pub fn tell(&self, change: impl FnOnce(&mut Entry)) -> i64 {
        let now = self.inner.clock.now();
        let position = self.state(|s| {
            let position = s.entries.last().map_or(3, |e| e.position + 2);
            let mut entry = entry(position, now);
            change(&mut entry);
            s.entries.push(entry);
            position
        });
        self.inner.news.send_replace(position);
        position
    }

    fn state<T>(&self, call: impl FnOnce(&mut Inner) -> T) -> T {
        call(&mut self.inner.state.lock().unwrap())
    }

    fn router(&self) -> Router {
        Router::new()
            .route("/v1/info", get(info))
            .route("/oauth/token", post(token))
            .route("/oauth/revoke", post(revoke))
            .route("/v1/me", get(me))
            .route("/v1/catalogue", get(|| async { Json(Vec::<Resource>::new()) }))
            .route("/v1/requests", get(requests).post(submit))
            .route("/v1/requests/{id}", put(edit))
            .route("/v1/requests/{id}/decisions", post(decide))
            .route(
                "/v1/reviews",
                get(|State(s): State<FakeServer>| async move { Json(s.state(|s| s.reviews.clone())) }),
            )
            .route(
                "/v1/grants",
                get(|State(s): State<FakeServer>| async move { Json(s.state(|s| s.grants.clone())) }),
            )
            .route("/v1/grants/{id}/credential", post(credential))
            .route("/v1/grants/{id}/release", post(release))
            .route("/v1/grants/{id}/wiped", post(wiped))
            .route("/v1/entries", get(entries))
            .route("/v1/events", get(events))
            .layer(from_fn_with_state(self.clone(), around))
            .with_state(self.clone())
    }

    /// What a browser at the sign-in page ends with: the address to go back to.
    pub fn approve_sign_in(&self, url: &str) -> String {
        let url = reqwest::Url::parse(url).unwrap();
        let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(url.path(), "/oauth/authorize");
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["client_id"], "daypass-desktop");
        assert_eq!(query["code_challenge_method"], "S256");
        assert!(query["redirect_uri"].starts_with("http://127.0.0.1:"));
        assert!(query["device"].parse::<DeviceId>().is_ok());
        let code = uuid::Uuid::new_v4().to_string();
        self.state(|s| s.codes.insert(code.clone(), query["code_challenge"].clone()));
        format!("{}?code={code}&state={}", query["redirect_uri"], query["state"])
    }
}

async fn around(State(server): State<FakeServer>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let call = format!("{} {}", request.method(), kind(&path));
    let public = path == "/v1/info" || path.starts_with("/oauth/");
    let token = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.strip_prefix("Bearer "))
        .map(str::to_owned);
    let now = server.inner.clock.now();
    let (refusal, known) = server.state(|s| {
        s.pub_calls.push(call.clone());
        let known = token.as_ref().is_some_and(|t| s.access.get(t).is_some_and(|end| now < *end));
        (s.refusals.get_mut(&call).and_then(VecDeque::pop_front), known)
    });
    let mut response = match refusal {
        Some(Refusal::Problem(code)) => problem(code),
        Some(Refusal::Garbage) => (StatusCode::OK, "<html>A captive portal</html>").into_response(),
        _ if !public && !known => problem(ProblemCode::SignedOut),
        Some(Refusal::Slow(by)) => {
            tokio::time::sleep(by).await;
            next.run(request).await
        }
        Some(Refusal::AnswerLost) => {
            next.run(request).await;
            let broken = tokio_stream::iter([Ok(Bytes::from("{")), Err(std::io::Error::other("cut"))]);
            Response::new(Body::from_stream(broken))
        }
        None => next.run(request).await,
    };
    let now = server.inner.clock.now().to_rfc3339_opts(SecondsFormat::Micros, true);
    response.headers_mut().insert("x-daypass-now", now.parse().unwrap());
    response
}

fn kind(path: &str) -> String {
    path.split('/')
        .map(|part| if uuid::Uuid::parse_str(part).is_ok() { "{id}" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

fn problem(code: ProblemCode) -> Response {
    let status = match code {
        ProblemCode::SignedOut => 401,
        ProblemCode::Forbidden => 403,
        ProblemCode::NotFound => 404,
        ProblemCode::Conflict | ProblemCode::Over | ProblemCode::NotYet => 409,
        ProblemCode::RateLimited => 429,
        ProblemCode::Invalid => 422,
        ProblemCode::Malformed => 400,
        ProblemCode::TooLarge => 413,
        ProblemCode::TargetUnavailable => 502,
        ProblemCode::Unavailable => 503,
        ProblemCode::Internal => 500,
    };
    let problem = Problem {
        code,
        title: format!("{code:?}"),
        status,
        detail: format!("The server says {code:?}."),
        field: None,
        request_id: None,
    };
    (StatusCode::from_u16(status).unwrap(), Json(problem)).into_response()
}

async fn info(State(s): State<FakeServer>) -> Json<ServerInfo> {
    Json(ServerInfo { organisation: "Harbour".into(), version: "0.1.0".into(), now: s.inner.clock.now() })
}

async fn token(State(server): State<FakeServer>, body: String) -> Response {
    let form: BTreeMap<String, String> =
        reqwest::Url::parse(&format!("http://x/?{body}")).unwrap().query_pairs().into_owned().collect();
    let now = server.inner.clock.now();
    let granted = server.state(|s| match form["grant_type"].as_str() {
        "authorization_code" => {
            let challenge = s.codes.remove(&form["code"])?;
            let proof = URL_SAFE_NO_PAD.encode(Sha256::digest(form["code_verifier"].as_bytes()));
            (challenge == proof).then_some(())
        }
        "refresh_token" => {
            let token = &form["refresh_token"];
            if s.spent.contains(token) {
                // Used twice: the whole family goes (RFC 9700, 4.14).
                s.refresh.clear();
                s.access.clear();
            }
            s.refresh.remove(token).then(|| {
                s.spent.insert(token.clone());
            })
        }
        _ => None,
    });
    if granted.is_none() {
        let error = json!({ "error": "invalid_grant", "error_description": "no" });
        return (StatusCode::BAD_REQUEST, Json(error)).into_response();
    }
    Json(server.state(|s| {
        s.serial += 1;
        let (access, refresh) = (format!("access-secret-{}", s.serial), format!("refresh-secret-{}", s.serial));
        s.access.insert(access.clone(), now + TimeDelta::seconds(i64::from(s.life_s)));
        s.refresh.insert(refresh.clone());
        s.secrets.extend([access.clone(), refresh.clone()]);
        json!({ "access_token": access, "refresh_token": refresh, "expires_in": s.life_s, "token_type": "Bearer" })
    }))
    .into_response()
}

async fn revoke(State(server): State<FakeServer>, body: String) -> StatusCode {
    let form: BTreeMap<String, String> =
        reqwest::Url::parse(&format!("http://x/?{body}")).unwrap().query_pairs().into_owned().collect();
    server.state(|s| {
        s.refresh.remove(&form["token"]);
        s.access.clear();
    });
    StatusCode::OK
}

async fn me() -> Json<Me> {
    Json(Me {
        person: person("sam"),
        email: "sam@example.com".into(),
        groups: vec!["engineering".into()],
        reviews: true,
        security: false,
    })
}

async fn requests(State(server): State<FakeServer>) -> Json<Vec<RequestView>> {
    Json(server.state(|s| s.requests.clone()))
}

async fn submit(State(server): State<FakeServer>, Json(body): Json<SubmitBody>) -> Response {
    if body.ask.reason.trim().is_empty() {
        let mut problem = Problem {
            code: ProblemCode::Invalid,
            title: "Invalid".into(),
            status: 422,
            detail: "Say why you need it".into(),
            field: Some("reason".into()),
            request_id: None,
        };
        problem.status = 422;
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(problem)).into_response();
    }
    let now = server.inner.clock.now();
    let mut view = request_view("sam", now);
    view.id = body.id;
    view.reason = body.ask.reason;
    view.duration_s = body.ask.duration_s;
    let view = server.state(|s| match s.requests.iter().find(|r| r.id == body.id) {
        Some(known) => known.clone(),
        None => {
            s.requests.insert(0, view.clone());
            view
        }
    });
    Json(view).into_response()
}

async fn edit(State(_): State<FakeServer>, Path(_id): Path<String>) -> Response {
    problem(ProblemCode::Conflict)
}

async fn decide(
    State(server): State<FakeServer>,
    Path(id): Path<String>,
    Json(body): Json<DecideBody>,
) -> Response {
    server.state(|s| {
        let Some(review) = s.reviews.iter_mut().find(|r| r.id.to_string() == id) else {
            return problem(ProblemCode::NotFound);
        };
        if review.digest != body.digest {
            return problem(ProblemCode::Conflict);
        }
        review.may_decide = false;
        review.status = RequestStatus::Approved { at: review.submitted_at, duration_s: review.duration_s };
        let review = review.clone();
        s.reviews.retain(|r| r.id != review.id);
        Json(review).into_response()
    })
}

async fn credential(
    State(server): State<FakeServer>,
    Path(id): Path<String>,
    Json(body): Json<CredentialBody>,
) -> Response {
    let live = server.is_live(&id);
    server.state(|s| {
        if let Some(look) = &s.on_credential {
            look();
        }
        let Some(grant) = s.grants.iter_mut().find(|g| g.id.to_string() == id) else {
            return problem(ProblemCode::NotFound);
        };
        if !live {
            return problem(ProblemCode::Over);
        }
        grant.device = Some(body.device);
        s.serial += 1;
        let password = format!("password-secret-{}", s.serial);
        s.secrets.push(password.clone());
        s.issued.push(grant.id);
        let answer: Value = json!({
            "grant": grant.id, "host": "127.0.0.1", "port": 5432, "database": "shop",
            "username": format!("dp_{}", s.serial), "password": password, "expires_at": grant.expires_at,
        });
        Json(answer).into_response()
    })
}

async fn release(State(server): State<FakeServer>, Path(id): Path<String>) -> Response {
    let at = server.inner.clock.now();
    server.state(|s| {
        let Some(grant) = s.grants.iter_mut().find(|g| g.id.to_string() == id) else {
            return problem(ProblemCode::NotFound);
        };
        if grant.status != GrantStatus::Live {
            return problem(ProblemCode::Over);
        }
        grant.status = GrantStatus::Ended { at, why: EndedWhy::Released };
        s.released.push(grant.id);
        Json(grant.clone()).into_response()
    })
}

async fn wiped(State(server): State<FakeServer>, Path(id): Path<String>) -> StatusCode {
    server.state(|s| s.wiped.push(id.parse().unwrap()));
    StatusCode::NO_CONTENT
}

async fn entries(
    State(server): State<FakeServer>,
    Query(q): Query<BTreeMap<String, i64>>,
) -> Json<EntryPage> {
    let all = server.state(|s| s.entries.clone());
    let mut after = all.into_iter().filter(|e| e.position > q["after"]);
    let limit = usize::try_from(q["limit"]).unwrap().min(3);
    let entries: Vec<Entry> = after.by_ref().take(limit).collect();
    let next = after.next().and_then(|_| entries.last().map(|e| e.position));
    Json(EntryPage { entries, next })
}

async fn events(State(server): State<FakeServer>, headers: HeaderMap) -> Response {
    let mut position: i64 = headers["last-event-id"].to_str().unwrap().parse().unwrap();
    let news = WatchStream::new(server.inner.news.subscribe());
    let stream = news.map(move |_| {
        let new =
            server.state(|s| s.entries.iter().filter(|e| e.position > position).cloned().collect::<Vec<_>>());
        let mut text = String::from(": keep-alive\n\n");
        for entry in new {
            position = entry.position;
            text += &format!(
                "id: {position}\nevent: entry\ndata: {}\n\n",
                serde_json::to_string(&entry).unwrap()
            );
        }
        Ok::<_, std::io::Error>(Bytes::from(text))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(stream)).into_response()
}

fn certificate() -> (String, String) {
    let signed = rcgen::generate_simple_self_signed(vec!["daypass.test".into()]).unwrap();
    (hex::encode(signed.cert.der()), hex::encode(signed.signing_key.serialize_der()))
}

pub fn person(id: &str) -> Person {
    let name = match id {
        "sam" => "Sam Okafor",
        "maya" => "Maya Olsen",
        other => other,
    };
    Person { id: UserId::new(id).unwrap(), name: name.into(), team: "Payments".into() }
}

fn resource(id: &str) -> ResourceBrief {
    ResourceBrief {
        id: ResourceId::new(id).unwrap(),
        name: id.into(),
        kind: ResourceKind::Postgres,
        environment: Environment::Prod,
        sensitivity: Sensitivity::High,
        owner: "Payments".into(),
    }
}

pub fn grant(on: &str, now: Timestamp, seconds: i64) -> GrantView {
    GrantView {
        id: GrantId(uuid::Uuid::new_v4()),
        request: RequestId(uuid::Uuid::new_v4()),
        holder: person("sam"),
        resource: resource(on),
        level: AccessLevel::Write,
        duration_s: u32::try_from(seconds).unwrap(),
        opened_at: now,
        not_before: None,
        // Long enough ago that no other device is waited for.
        starts_at: Some(now - TimeDelta::seconds(10)),
        expires_at: Some(now + TimeDelta::seconds(seconds)),
        status: GrantStatus::Live,
        device: None,
    }
}

pub fn entry(position: i64, at: Timestamp) -> Entry {
    Entry {
        position,
        at,
        kind: EntryKind::RequestSubmitted,
        actor: None,
        subject: person("sam"),
        request: None,
        grant: None,
        resources: vec![EntitlementView { resource: resource("shop-db"), level: AccessLevel::Write }],
        text: "Something happened".into(),
        note: None,
        risk: None,
        waits_for: Vec::new(),
        expires_at: None,
        leaf: digest(position),
    }
}

fn digest(n: i64) -> Digest {
    format!("{n:064x}").parse().unwrap()
}

pub fn request_view(by: &str, now: Timestamp) -> RequestView {
    RequestView {
        id: RequestId(uuid::Uuid::new_v4()),
        revision: 1,
        digest: digest(77),
        requester: person(by),
        entitlements: vec![EntitlementView { resource: resource("shop-db"), level: AccessLevel::Write }],
        duration_s: 1800,
        cap_s: None,
        start: None,
        reason: "Fix order 17".into(),
        ticket: None,
        submitted_at: now,
        lapses_at: now + TimeDelta::hours(8),
        status: RequestStatus::Pending,
        stages: Vec::new(),
        decisions: Vec::new(),
        risk: RiskView { points: 42, band: RiskBand::Moderate, factors: Vec::new(), lower: Vec::new() },
        may_decide: by != "sam",
        past: None,
    }
}

/// Words that only occur in secrets.
pub fn secret_words() -> [&'static str; 3] {
    ["access-secret", "refresh-secret", "password-secret"]
}
