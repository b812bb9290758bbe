//! Sign-in over TLS, as the desktop and the browser do it.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::extract::FromRef;
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use daypass_clock::Clock;
use daypass_domain::{DeviceId, UserId};
use daypass_server::key::ServerKey;
use daypass_server::network::Network;
use daypass_server::signin::{
    self, Directory, LocalAccounts, PasswordError, Principal, Settings, SignIn, ensure_passwords,
    set_password,
};
use daypass_server::store::{PersonEvent, SqlStore, Store, StoreError};
use daypass_server::tls::{self, Identity};
use reqwest::header::{CONTENT_SECURITY_POLICY, LOCATION, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

const PASSWORD: &str = "correct horse battery";
const REDIRECT: &str = "http://127.0.0.1:4711/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

#[tokio::test]
async fn a_person_signs_in_and_out() {
    let t = Server::start().await;
    let page = t.authorize(&t.ask()).await;
    assert_eq!(page.status(), StatusCode::OK);
    let policy = page.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("form-action 'self' http://127.0.0.1:4711;")
    );
    assert!(page.headers()["set-cookie"].to_str().unwrap().contains("HttpOnly; SameSite=Strict"));
    assert_eq!(page.headers()["cache-control"], "no-store");
    let html = page.text().await.unwrap();
    assert!(html.contains("Sign in to Small &amp; Sons") && !html.contains("<script"));

    let back = t.submit(&html, "maya", PASSWORD).await;
    assert_eq!(back.status(), StatusCode::SEE_OTHER);
    let back = query(&back);
    assert_eq!((back["state"].as_str(), back["iss"].as_str()), ("a&b=c d", t.issuer.as_str()));

    let answer = t.exchange(&back["code"], VERIFIER, REDIRECT).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let tokens: Value = answer.json().await.unwrap();
    assert_eq!((tokens["token_type"].as_str(), tokens["expires_in"].as_u64()), (Some("Bearer"), Some(300)));
    assert_eq!(t.whoami(&tokens).await, Ok(format!("maya {}", t.device)));
    let network = Some(Network::of([127, 0, 0, 1].into()));
    assert_eq!(t.recorded(), [("maya", PersonEvent::SignedIn { device: t.device, network })]);

    assert_eq!(t.revoke(&tokens["refresh_token"]).await, StatusCode::OK);
    assert_eq!(t.whoami(&tokens).await, Err(StatusCode::UNAUTHORIZED), "the access token is void at once");
    assert_eq!(t.refresh(&tokens).await.unwrap_err().0, StatusCode::BAD_REQUEST);
    assert_eq!(t.recorded().last(), Some(&("maya", PersonEvent::SignedOut { device: t.device })));
    assert_eq!(t.revoke(&tokens["refresh_token"]).await, StatusCode::OK, "again is no error");
    assert_eq!(t.revoke(&"never was one".into()).await, StatusCode::OK);
    assert_eq!(t.recorded().len(), 2);
}

#[tokio::test]
async fn wrong_names_and_passwords_are_told_apart_by_nothing() {
    let t = Server::start().await;
    let mut answers = Vec::new();
    // A wrong password; nobody; no name at all; someone who has left; someone without a password.
    for (account, password) in [
        ("maya", "wrong"),
        ("nobody", PASSWORD),
        ("Not A Name", PASSWORD),
        ("former", PASSWORD),
        ("silent", PASSWORD),
    ] {
        let page = t.authorize(&t.ask()).await.text().await.unwrap();
        let answer = t.submit(&page, account, password).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        let html = answer.text().await.unwrap();
        assert!(html.contains("The name or the password is not right."));
        assert!(html.contains(&format!("value=\"{account}\"")), "what was typed is still there");
        assert!(!html.contains(PASSWORD));
        let hidden = ["ask", "made_at", "proof"].map(|name| hidden(&html, name));
        answers.push(hidden.iter().fold(html, |html, value| html.replace(value, "")).replace(account, ""));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    assert!(t.recorded().is_empty());
    // The page that tells so can be used for the next try.
    let page = t.authorize(&t.ask()).await.text().await.unwrap();
    let again = t.submit(&page, "maya", "wrong").await.text().await.unwrap();
    assert_eq!(t.submit(&again, " Maya ", PASSWORD).await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn an_unknown_name_takes_as_long_as_a_wrong_password() {
    let t = Server::start().await;
    let page = t.authorize(&t.ask()).await.text().await.unwrap();
    let clock = Clock::system();
    let time = async |account: &str| {
        let before = clock.uptime();
        assert_eq!(t.submit(&page, account, "wrong").await.status(), StatusCode::UNAUTHORIZED);
        clock.uptime() - before
    };
    let mut best = [Duration::MAX; 2];
    for _ in 0..5 {
        for (best, account) in best.iter_mut().zip(["maya", "nobody"]) {
            *best = (*best).min(time(account).await);
        }
    }
    // The hash costs about ten times what the rest does, so that leaving it out would show.
    assert!(best[1] * 3 > best[0] && best[0] * 3 > best[1], "{best:?}");
}

#[tokio::test]
async fn guesses_are_limited_by_account_and_by_address() {
    let t = Server::start().await;
    let page = t.authorize(&t.ask()).await.text().await.unwrap();
    for _ in 0..5 {
        assert_eq!(t.submit(&page, "maya", "wrong").await.status(), StatusCode::UNAUTHORIZED);
    }
    // Now even the right one waits, and it is told for how long.
    let told = t.submit(&page, "maya", PASSWORD).await;
    assert_eq!(
        (told.status(), &told.headers()[RETRY_AFTER]),
        (StatusCode::TOO_MANY_REQUESTS, &"15".parse().unwrap())
    );
    assert!(
        told.text().await.unwrap().contains("Too many wrong passwords. Wait 15 seconds before the next try.")
    );
    assert_eq!(t.submit(&page, "sam", PASSWORD).await.status(), StatusCode::SEE_OTHER, "others do not wait");
    t.clock.advance(Duration::from_secs(15));
    assert_eq!(t.submit(&page, "maya", PASSWORD).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(
        t.submit(&page, "maya", "wrong").await.status(),
        StatusCode::UNAUTHORIZED,
        "success cleared it"
    );

    // The address has four attempts behind it that did not succeed by then; many names do not help.
    let mut tried = 0;
    while t.submit(&page, &format!("guess-{tried}"), "wrong").await.status() == StatusCode::UNAUTHORIZED {
        tried += 1;
        assert!(tried < 30, "nothing stops it");
    }
    assert!((10..20).contains(&tried), "{tried}");
    assert_eq!(t.submit(&page, "sam", PASSWORD).await.status(), StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn an_ask_that_is_not_in_order_goes_nowhere_or_is_told_to_the_desktop() {
    let t = Server::start().await;
    for (name, value) in [
        ("redirect_uri", "https://evil.example/callback"),
        ("redirect_uri", "http://localhost:4711/callback"),
        ("redirect_uri", "http://127.0.0.1:4711/elsewhere"),
        ("client_id", "another"),
    ] {
        let answer = t.authorize(&t.ask_with(name, Some(value))).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{value}");
        assert!(answer.headers().get(LOCATION).is_none());
        assert!(answer.text().await.unwrap().contains("This does not work"));
    }
    for (name, value, error) in [
        ("response_type", Some("token"), "unsupported_response_type"),
        ("code_challenge_method", Some("plain"), "invalid_request"),
        ("code_challenge_method", None, "invalid_request"),
        ("code_challenge", None, "invalid_request"),
        ("code_challenge", Some("short"), "invalid_request"),
        ("device", Some("not-a-uuid"), "invalid_request"),
    ] {
        let answer = t.authorize(&t.ask_with(name, value)).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{name}");
        let told = query(&answer);
        assert_eq!((told["error"].as_str(), told["state"].as_str()), (error, "a&b=c d"));
        assert_eq!(told["iss"], t.issuer);
    }
    let twice = format!("{}&state=other", t.ask());
    assert_eq!(t.authorize(&twice).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_form_works_only_as_this_server_made_it_in_the_browser_that_it_was_made_for() {
    let t = Server::start().await;
    let page = t.authorize(&t.ask()).await.text().await.unwrap();
    // Another browser, which has a form of its own, so that it has the cookie too.
    let other = client(&t.certificate);
    other.get(t.at(&format!("/oauth/authorize?{}", t.ask()))).send().await.unwrap();
    let stolen = t.submit_with(&other, &page, "maya", PASSWORD).await;
    assert_eq!(stolen.status(), StatusCode::BAD_REQUEST);
    let bare = t.submit_with(&client(&t.certificate), &page, "maya", PASSWORD).await;
    assert_eq!(bare.status(), StatusCode::BAD_REQUEST);

    let ask = hidden(&page, "ask");
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(&ask).unwrap()).unwrap();
    let forged = URL_SAFE_NO_PAD.encode(text.replace("4711", "4712"));
    assert_ne!(ask, forged);
    let forged = t.submit(&page.replace(&ask, &forged), "maya", PASSWORD).await;
    assert_eq!(forged.status(), StatusCode::BAD_REQUEST);

    t.clock.advance(Duration::from_secs(30 * 60));
    assert_eq!(t.submit(&page, "maya", PASSWORD).await.status(), StatusCode::BAD_REQUEST);
    let huge =
        t.submit(&t.authorize(&t.ask()).await.text().await.unwrap(), "maya", &"x".repeat(100_000)).await;
    assert_eq!(huge.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_code_is_worth_nothing_without_what_it_is_bound_to() {
    let t = Server::start().await;
    for (verifier, redirect) in [
        ("another-verifier-of-the-right-length-000000000", REDIRECT),
        (VERIFIER, "http://127.0.0.1:4712/callback"),
    ] {
        let code = t.code("maya").await;
        let refused = t.exchange(&code, verifier, redirect).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
        assert_eq!(refused.json::<Value>().await.unwrap()["error"], "invalid_grant");
        // The wrong try has used it up.
        assert_eq!(t.exchange(&code, VERIFIER, REDIRECT).await.status(), StatusCode::BAD_REQUEST);
    }
    let old = t.code("maya").await;
    t.clock.advance(Duration::from_secs(60));
    assert_eq!(t.exchange(&old, VERIFIER, REDIRECT).await.status(), StatusCode::BAD_REQUEST);
    assert!(t.recorded().is_empty());
}

#[tokio::test]
async fn a_code_that_is_used_twice_ends_what_it_began() {
    let t = Server::start().await;
    let code = t.code("maya").await;
    let tokens: Value = t.exchange(&code, VERIFIER, REDIRECT).await.json().await.unwrap();
    assert!(t.whoami(&tokens).await.is_ok());
    assert_eq!(t.exchange(&code, VERIFIER, REDIRECT).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(t.whoami(&tokens).await, Err(StatusCode::UNAUTHORIZED));
    assert!(t.refresh(&tokens).await.is_err());
}

#[tokio::test]
async fn refreshing_changes_both_tokens_and_reuse_ends_the_family() {
    let t = Server::start().await;
    let first = t.sign_in("maya").await;
    let elsewhere = t.sign_in("maya").await;
    t.clock.advance(Duration::from_secs(301));
    assert_eq!(t.whoami(&first).await, Err(StatusCode::UNAUTHORIZED), "five minutes are over");
    let second = t.refresh(&first).await.unwrap();
    assert!(t.whoami(&second).await.is_ok());
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    let third = t.refresh(&second).await.unwrap();

    // Somebody kept a copy of an old one.
    let (status, error) = t.refresh(&first).await.unwrap_err();
    assert_eq!((status, error.as_str()), (StatusCode::BAD_REQUEST, "invalid_grant"));
    assert_eq!(t.recorded().last(), Some(&("maya", PersonEvent::TokenReused { device: t.device })));
    assert_eq!(t.whoami(&third).await, Err(StatusCode::UNAUTHORIZED));
    assert!(t.refresh(&third).await.is_err());
    assert_eq!(t.recorded().iter().filter(|(_, e)| matches!(e, PersonEvent::TokenReused { .. })).count(), 1);
    t.refresh(&elsewhere).await.expect("another sign-in is not touched");
}

#[tokio::test]
async fn refresh_tokens_and_people_do_not_last_for_ever() {
    let t = Server::start().await;
    let tokens = t.sign_in("maya").await;
    t.clock.advance(Duration::from_secs(14 * 24 * 3600));
    assert!(t.refresh(&tokens).await.is_err());
    let tokens = t.sign_in("sam").await;
    t.people.lock().unwrap().retain(|user| user != "sam");
    assert_eq!(t.whoami(&tokens).await, Err(StatusCode::UNAUTHORIZED), "sam has left");
    assert!(t.refresh(&tokens).await.is_err());
    t.people.lock().unwrap().push("sam".into());
    assert_eq!(t.whoami(&tokens).await, Err(StatusCode::UNAUTHORIZED), "that sign-in is over for good");
}

#[tokio::test]
async fn the_token_endpoint_speaks_rfc_6749() {
    let t = Server::start().await;
    for (form, status, error) in [
        ("", StatusCode::UNAUTHORIZED, "invalid_client"),
        ("client_id=another&grant_type=refresh_token", StatusCode::UNAUTHORIZED, "invalid_client"),
        ("client_id=daypass-desktop", StatusCode::BAD_REQUEST, "invalid_request"),
        ("client_id=daypass-desktop&grant_type=password", StatusCode::BAD_REQUEST, "unsupported_grant_type"),
        ("client_id=daypass-desktop&grant_type=refresh_token", StatusCode::BAD_REQUEST, "invalid_request"),
        (
            "client_id=daypass-desktop&grant_type=authorization_code&code=x",
            StatusCode::BAD_REQUEST,
            "invalid_request",
        ),
        (
            "client_id=daypass-desktop&grant_type=refresh_token&refresh_token=x",
            StatusCode::BAD_REQUEST,
            "invalid_grant",
        ),
        ("client_id=a&client_id=b", StatusCode::BAD_REQUEST, "invalid_request"),
    ] {
        let request =
            t.http.post(t.at("/oauth/token")).header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(form).send().await.unwrap();
        assert_eq!(answer.status(), status, "{form}");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert_eq!(answer.json::<Value>().await.unwrap()["error"], error, "{form}");
    }
    let json = t.http.post(t.at("/oauth/token")).json(&serde_json::json!({})).send().await.unwrap();
    assert_eq!(json.json::<Value>().await.unwrap()["error"], "invalid_request");
}

#[tokio::test]
async fn nobody_gets_through_with_anything_but_a_whole_token() {
    let t = Server::start().await;
    let tokens = t.sign_in("maya").await;
    let good = tokens["access_token"].as_str().unwrap();
    let (claims, mac) = good.split_once('.').unwrap();
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    let forged = URL_SAFE_NO_PAD.encode(text.replace("maya", "sam"));
    let refresh = tokens["refresh_token"].as_str().unwrap();
    for header in [
        None,
        Some(String::new()),
        Some("Bearer".into()),
        Some("Bearer ".into()),
        Some(format!("Basic {good}")),
        Some(format!("Bearer {claims}")),
        Some(format!("Bearer {claims}.")),
        Some(format!("Bearer {forged}.{mac}")),
        Some(format!("Bearer {claims}.{}", mac.chars().rev().collect::<String>())),
        Some(format!("Bearer {refresh}")),
        Some(format!("Bearer {}", "x".repeat(5000))),
    ] {
        let mut request = t.http.get(t.at("/whoami"));
        if let Some(header) = &header {
            request = request.header("authorization", header);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{header:?}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], "signed_out");
    }
}

#[tokio::test]
async fn passwords_have_a_length_and_samples_do_not_overwrite() {
    let t = Server::start().await;
    let maya = UserId::new("maya").unwrap();
    for bad in ["too short".to_owned(), "x".repeat(201)] {
        let refused = set_password(t.store.as_ref(), &maya, &bad.into()).await;
        assert!(matches!(refused, Err(PasswordError::Length)));
    }
    let kept = t.store.password_hash(&maya).await.unwrap();
    ensure_passwords(t.store.as_ref(), std::slice::from_ref(&maya), &"another password".into())
        .await
        .unwrap();
    assert_eq!(t.store.password_hash(&maya).await.unwrap(), kept);
    set_password(t.store.as_ref(), &maya, &"a new password".into()).await.unwrap();
    let page = t.authorize(&t.ask()).await.text().await.unwrap();
    assert_eq!(t.submit(&page, "maya", PASSWORD).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(t.submit(&page, "maya", "a new password").await.status(), StatusCode::SEE_OTHER);
}

/// A running server on SQLite, a browser with its cookies, and a clock that the test turns.
struct Server {
    issuer: String,
    clock: Clock,
    store: Arc<dyn Store>,
    people: Arc<Mutex<Vec<String>>>,
    events: Arc<Mutex<Vec<(String, PersonEvent)>>>,
    http: Client,
    certificate: Vec<u8>,
    device: DeviceId,
    handle: axum_server::Handle<SocketAddr>,
    _folder: tempfile::TempDir,
}

#[derive(Clone)]
struct State(SignIn);

impl FromRef<State> for SignIn {
    fn from_ref(state: &State) -> Self {
        state.0.clone()
    }
}

struct People {
    here: Arc<Mutex<Vec<String>>>,
    events: Arc<Mutex<Vec<(String, PersonEvent)>>>,
}

#[async_trait]
impl Directory for People {
    fn knows(&self, user: &UserId) -> bool {
        self.here.lock().unwrap().iter().any(|here| here == user.as_str())
    }

    async fn record(&self, user: &UserId, event: PersonEvent) -> Result<(), StoreError> {
        self.events.lock().unwrap().push((user.to_string(), event));
        Ok(())
    }
}

impl Server {
    async fn start() -> Self {
        tls::install_provider();
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("store.db").display());
        let store: Arc<dyn Store> = Arc::new(SqlStore::open(&url).await.unwrap());
        for user in ["maya", "sam", "former"] {
            set_password(store.as_ref(), &UserId::new(user).unwrap(), &PASSWORD.into()).await.unwrap();
        }
        let clock = Clock::manual(Clock::system().now() - TimeDelta::days(1));
        let people = Arc::new(Mutex::new(["maya", "sam", "silent"].map(String::from).to_vec()));
        let events = Arc::new(Mutex::new(Vec::new()));
        let directory = People { here: people.clone(), events: events.clone() };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let issuer = format!("https://{}", listener.local_addr().unwrap());
        let sign_in = SignIn::new(
            store.clone(),
            clock.clone(),
            Arc::new(directory),
            Arc::new(LocalAccounts::new(store.clone(), clock.clone())),
            ServerKey::random().unwrap(),
            Settings { issuer: issuer.clone(), organisation: "Small & Sons".into() },
        );
        let whoami = async |who: Principal| Json(format!("{} {}", who.user, who.device));
        let app = Router::new().route("/whoami", get(whoami)).with_state(State(sign_in.clone()));
        let app = app.merge(signin::router(sign_in)).into_make_service_with_connect_info::<SocketAddr>();
        let identity = Identity::load_or_make(folder.path(), &[], clock.now()).unwrap();
        let handle = axum_server::Handle::new();
        let serving = axum_server::from_tcp_rustls(listener, identity.server_config()).unwrap();
        tokio::spawn(serving.handle(handle.clone()).serve(app));
        let certificate = identity.certificate().to_vec();
        let http = client(&certificate);
        let device = DeviceId(Uuid::new_v4());
        Self { issuer, clock, store, people, events, http, certificate, device, handle, _folder: folder }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    fn ask(&self) -> String {
        self.ask_with("", None)
    }

    /// The desktop's query, with one parameter changed or left out.
    fn ask_with(&self, changed: &str, value: Option<&str>) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let device = self.device.to_string();
        let mut url = Url::parse(&self.issuer).unwrap();
        for (name, usual) in [
            ("response_type", "code"),
            ("client_id", "daypass-desktop"),
            ("redirect_uri", REDIRECT),
            ("state", "a&b=c d"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("device", &device),
        ] {
            if let Some(value) = if name == changed { value } else { Some(usual) } {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        url.query().unwrap().to_owned()
    }

    async fn authorize(&self, query: &str) -> Response {
        self.http.get(self.at(&format!("/oauth/authorize?{query}"))).send().await.unwrap()
    }

    async fn submit(&self, page: &str, account: &str, password: &str) -> Response {
        self.submit_with(&self.http, page, account, password).await
    }

    async fn submit_with(&self, browser: &Client, page: &str, account: &str, password: &str) -> Response {
        let mut form: BTreeMap<&str, String> =
            ["ask", "made_at", "proof"].into_iter().map(|name| (name, hidden(page, name))).collect();
        form.insert("account", account.into());
        form.insert("password", password.into());
        browser.post(self.at("/oauth/authorize")).form(&form).send().await.unwrap()
    }

    async fn code(&self, account: &str) -> String {
        let page = self.authorize(&self.ask()).await.text().await.unwrap();
        query(&self.submit(&page, account, PASSWORD).await)["code"].clone()
    }

    async fn exchange(&self, code: &str, verifier: &str, redirect: &str) -> Response {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", "daypass-desktop"),
            ("code", code),
            ("code_verifier", verifier),
            ("redirect_uri", redirect),
        ];
        self.http.post(self.at("/oauth/token")).form(&form).send().await.unwrap()
    }

    async fn sign_in(&self, account: &str) -> Value {
        let code = self.code(account).await;
        self.exchange(&code, VERIFIER, REDIRECT).await.json().await.unwrap()
    }

    async fn refresh(&self, tokens: &Value) -> Result<Value, (StatusCode, String)> {
        let token = tokens["refresh_token"].as_str().unwrap();
        let form =
            [("grant_type", "refresh_token"), ("client_id", "daypass-desktop"), ("refresh_token", token)];
        let answer = self.http.post(self.at("/oauth/token")).form(&form).send().await.unwrap();
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        if status.is_success() { Ok(body) } else { Err((status, body["error"].as_str().unwrap().into())) }
    }

    async fn revoke(&self, token: &Value) -> StatusCode {
        let form = [("token", token.as_str().unwrap()), ("client_id", "daypass-desktop")];
        self.http.post(self.at("/oauth/revoke")).form(&form).send().await.unwrap().status()
    }

    async fn whoami(&self, tokens: &Value) -> Result<String, StatusCode> {
        let token = tokens["access_token"].as_str().unwrap();
        let answer = self.http.get(self.at("/whoami")).bearer_auth(token).send().await.unwrap();
        if answer.status().is_success() { Ok(answer.json().await.unwrap()) } else { Err(answer.status()) }
    }

    fn recorded(&self) -> Vec<(&'static str, PersonEvent)> {
        let name = |user: &str| if user == "maya" { "maya" } else { "someone else" };
        self.events.lock().unwrap().iter().map(|(user, event)| (name(user), event.clone())).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

/// A browser that trusts the server's own certificate, as the desktop does by its pin.
fn client(certificate: &[u8]) -> Client {
    let root = reqwest::Certificate::from_der(certificate).unwrap();
    let builder = Client::builder().add_root_certificate(root).cookie_store(true);
    builder.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

fn query(answer: &Response) -> BTreeMap<String, String> {
    let location = Url::parse(answer.headers()[LOCATION].to_str().unwrap()).unwrap();
    assert!(location.as_str().starts_with(&format!("{REDIRECT}?")), "{location}");
    location.query_pairs().into_owned().collect()
}

fn hidden(page: &str, name: &str) -> String {
    let after = page.split_once(&format!("name=\"{name}\" value=\"")).expect("the form's field").1;
    after.split_once('"').unwrap().0.to_owned()
}
