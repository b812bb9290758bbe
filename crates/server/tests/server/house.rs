//! A whole server: the program itself with the sample organisation, a real PostgreSQL, and people who are signed in.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use daypass_domain::RequestId;
use daypass_testkit::{Daypassd, Postgres, free_port, wait_until};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use uuid::Uuid;

pub const SOON: Duration = Duration::from_secs(20);
const PASSWORD: &str = "a day at the fjord";
const VERIFIER: &str = "a-verifier-of-more-than-forty-three-characters-is-good";
const REDIRECT: &str = "http://127.0.0.1:9/callback";

pub struct House {
    pub server: Daypassd,
    pub postgres: Postgres,
    pub folder: TempDir,
    address: String,
}

/// A signed-in person.
pub struct Person {
    http: Client,
    address: String,
    token: String,
    pub device: Uuid,
}

/// What the server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
}

impl House {
    pub fn start() -> Self {
        let postgres = Postgres::start().unwrap();
        for database in ["shop", "shop_dev", "shop_staging"] {
            postgres.create_database(database).unwrap();
        }
        postgres.sql("shop", "CREATE TABLE orders (id int PRIMARY KEY, status text NOT NULL)").unwrap();
        postgres
            .sql("shop", "INSERT INTO orders SELECT n, 'pending' FROM generate_series(1, 100) n")
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let port = free_port().unwrap();
        let policy = folder.path().join("policy");
        let program = PathBuf::from(env!("CARGO_BIN_EXE_daypassd"));
        let made = std::process::Command::new(&program).arg("init-policy").arg(&policy).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        let mut args: Vec<OsString> = ["serve", "--sample", "--policy"].map(OsString::from).into();
        args.extend([policy.into(), "--data".into(), folder.path().join("data").into()]);
        for pair in [
            ["--listen", &format!("127.0.0.1:{port}")],
            ["--set", &format!("SHOP_HOST={}", postgres.host())],
            ["--set", &format!("SHOP_PORT={}", postgres.port())],
        ] {
            args.extend(pair.map(OsString::from));
        }
        let admin = postgres.admin_url();
        let env = [("SHOP_ADMIN", admin.as_str()), ("DAYPASS_SAMPLE_PASSWORD", PASSWORD)];
        let ready = |log: &str| {
            anyhow::ensure!(log.contains("\"listening\":\""), "it does not listen");
            Ok(())
        };
        let server = Daypassd::start(&program, args, &env, folder.path(), ready).unwrap();
        Self { server, postgres, folder, address: format!("https://127.0.0.1:{port}") }
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    pub fn policy_file(&self, name: &str) -> PathBuf {
        self.folder.path().join("policy").join(name)
    }

    /// Signs somebody in on a new device, as a browser and a desktop would.
    pub async fn person(&self, user: &str) -> Person {
        let http = client();
        let device = Uuid::new_v4();
        let query = [
            ("response_type", "code"),
            ("client_id", "daypass-desktop"),
            ("redirect_uri", REDIRECT),
            ("state", "state"),
            ("code_challenge", &URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))),
            ("code_challenge_method", "S256"),
            ("device", &device.to_string()),
        ];
        let page = http.get(self.at("/oauth/authorize")).query(&query).send().await.unwrap();
        let page = page.text().await.unwrap();
        let mut form: BTreeMap<&str, String> =
            ["ask", "made_at", "proof"].into_iter().map(|name| (name, hidden(&page, name))).collect();
        form.insert("account", user.to_owned());
        form.insert("password", PASSWORD.to_owned());
        let back = http.post(self.at("/oauth/authorize")).form(&form).send().await.unwrap();
        let location = back.headers().get("location").expect("signed in").to_str().unwrap().to_owned();
        let code = location.split(['?', '&']).find_map(|part| part.strip_prefix("code=")).unwrap();
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", "daypass-desktop"),
            ("code", code),
            ("code_verifier", VERIFIER),
            ("redirect_uri", REDIRECT),
        ];
        let tokens: Value =
            http.post(self.at("/oauth/token")).form(&form).send().await.unwrap().json().await.unwrap();
        let token = tokens["access_token"].as_str().unwrap().to_owned();
        Person { http, address: self.address.clone(), token, device }
    }

    /// The accounts of grants in the target.
    pub fn accounts(&self) -> Vec<String> {
        let sql = "SELECT r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member \
                   JOIN pg_roles g ON g.oid = m.roleid WHERE g.rolname = 'daypass_grants' ORDER BY 1";
        self.postgres.sql("postgres", sql).unwrap().lines().map(str::to_owned).collect()
    }

    pub fn wait_for_accounts(&self, count: usize) {
        wait_until(&format!("{count} accounts"), SOON, || {
            let accounts = self.accounts();
            anyhow::ensure!(accounts.len() == count, "there are {accounts:?}");
            Ok(())
        })
        .unwrap();
    }
}

impl Person {
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/v1{path}", self.address)).bearer_auth(&self.token)
    }

    pub async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        answer(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        answer(self.request(Method::PUT, path).json(&body)).await
    }

    /// Asks for write access to the shop's production database, and gets it as far as the request.
    pub async fn ask(&self, seconds: u32) -> Value {
        let answer = self.post("/requests", json!({"id": new_id(), "ask": ask(seconds)})).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.body
    }

    pub async fn decide(&self, request: &Value, verdict: &str) -> Answer {
        let body = json!({"digest": request["digest"], "verdict": verdict, "note": "seen"});
        self.post(&format!("/requests/{}/decisions", text(&request["id"])), body).await
    }

    /// Waits until the newest grant says this of itself.
    pub async fn grant(&self, status: &str) -> Value {
        for _ in 0..400 {
            let grants = self.get("/grants").await.body;
            if grants[0]["status"]["status"] == status {
                return grants[0].clone();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no grant is {status}: {:#}", self.get("/grants").await.body);
    }

    pub async fn credential(&self, grant: &Value) -> Answer {
        self.post(&format!("/grants/{}/credential", text(&grant["id"])), json!({"device": self.device})).await
    }
}

pub fn client() -> Client {
    Client::builder()
        .danger_accept_invalid_certs(true)
        .cookie_store(true)
        .redirect(Policy::none())
        .no_proxy()
        // A server that was restarted has closed what was open.
        .pool_max_idle_per_host(0)
        .build()
        .unwrap()
}

pub async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
}

pub fn new_id() -> RequestId {
    RequestId(Uuid::new_v4())
}

pub fn ask(seconds: u32) -> Value {
    json!({
        "entitlements": [{"resource": "shop-db", "level": "write"}],
        "duration_s": seconds,
        "reason": "INC-2041: orders stuck in payment since 03:10",
    })
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

fn hidden(page: &str, name: &str) -> String {
    let field = page.split(&format!("name=\"{name}\" value=\"")).nth(1).expect(name);
    field.split('"').next().unwrap().replace("&amp;", "&")
}
