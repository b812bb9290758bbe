//! `daypassd serve`.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use async_trait::async_trait;
use daypass_clock::Clock;
use daypass_domain::UserId;
use daypass_policy::{Policy, SecretRef, Sources};
use metrics_exporter_prometheus::PrometheusBuilder;
use secrecy::SecretString;
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

use super::{Place, block_on, policy};
use crate::api::{self, Api};
use crate::app::App;
use crate::connector::{Connector, PostgresConnector};
use crate::key::ServerKey;
use crate::reconcile;
use crate::signin::{self, Directory, LocalAccounts, Settings, SignIn};
use crate::store::{Body, Circumstances, NewEvent, PersonEvent, SqlStore, Store, StoreError, Stream};
use crate::tls::Identity;

/// How long open answers may take to end when the server stops.
const GRACE: Duration = Duration::from_secs(3);
/// How often the policy folder is looked at.
const POLICY_PERIOD: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Address and port; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8460", env = "DAYPASS_LISTEN")]
    listen: SocketAddr,
    /// The address that browsers and desktops use, when it is not the one above.
    #[arg(long, env = "DAYPASS_PUBLIC_URL")]
    public_url: Option<String>,
    /// The policy folder; read again whenever it changes.
    #[arg(long, env = "DAYPASS_POLICY", required_unless_present = "sample")]
    policy: Option<PathBuf>,
    /// The sample organisation, unless --policy names another; everyone without a password gets the one in
    /// DAYPASS_SAMPLE_PASSWORD.
    #[arg(long)]
    sample: bool,
    /// Values for ${NAME} in org.toml, as NAME=value.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// The weights of the risk score; a TOML file. Built-in ones when absent.
    #[arg(long, env = "DAYPASS_WEIGHTS")]
    weights: Option<PathBuf>,
    /// A certificate chain (PEM), instead of a self-made one.
    #[arg(long, requires = "key")]
    certificate: Option<PathBuf>,
    /// Its private key (PEM).
    #[arg(long, requires = "certificate")]
    key: Option<PathBuf>,
}

pub fn run(arguments: Arguments) -> Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    block_on(serve(arguments))
}

fn sources(arguments: &Arguments) -> Result<Sources> {
    match &arguments.policy {
        Some(folder) => policy::read(folder, &arguments.set),
        None => policy::with_variables(Sources::sample(), &arguments.set),
    }
}

async fn serve(arguments: Arguments) -> Result<()> {
    let clock = Clock::system();
    let folder = arguments.place.folder()?.to_owned();
    let policy = policy::parse(&sources(&arguments)?)?;
    let weights = super::risk::weights(arguments.weights.as_deref())?;
    let key = ServerKey::load_or_make(&folder)?;
    let store: Arc<dyn Store> = Arc::new(SqlStore::open(&arguments.place.store_url()?).await?);
    if arguments.sample {
        give_sample_passwords(store.as_ref(), &policy).await?;
    }
    let connectors = connectors(&policy, &key)?;
    let app = App::start(store.clone(), clock.clone(), policy, weights, connectors).await?;

    let listener = TcpListener::bind(arguments.listen)
        .with_context(|| format!("cannot listen on {}; is another daypassd running?", arguments.listen))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let issuer = arguments.public_url.clone().unwrap_or_else(|| format!("https://{address}"));
    let identity = match (&arguments.certificate, &arguments.key) {
        (Some(certificate), Some(key)) => Identity::load(certificate, key)?,
        _ => Identity::load_or_make(&folder, &host_names(&issuer), clock.now())?,
    };
    let signin = SignIn::new(
        store.clone(),
        clock.clone(),
        Arc::new(AppDirectory(app.clone())),
        Arc::new(LocalAccounts::new(store, clock)),
        key,
        Settings { issuer: issuer.clone(), organisation: app.policy().org().name.clone() },
    );
    let metrics = PrometheusBuilder::new().install_recorder().context("cannot keep metrics")?;
    let router = api::router(Api::new(app.clone(), signin, metrics));

    let (stop, mut stopped) = watch::channel(false);
    let handle = axum_server::Handle::new();
    let mut background = reconcile::start(&app);
    if arguments.policy.is_some() {
        background.spawn(follow_policy(app.clone(), arguments));
    }
    let closing = handle.clone();
    tokio::spawn(async move {
        wait_for_signal().await;
        tracing::info!("stopping");
        let _ = stop.send(true);
        closing.graceful_shutdown(Some(GRACE));
    });
    // One line for whoever started us: where, and the certificate to expect.
    writeln!(std::io::stdout(), r#"{{"listening":"{issuer}","fingerprint":"{}"}}"#, identity.fingerprint())?;
    std::io::stdout().flush()?;
    tracing::info!(%address, fingerprint = %identity.fingerprint(), "listening");
    axum_server::from_tcp_rustls(listener, identity.server_config())?
        .handle(handle)
        .serve(router.into_make_service_with_connect_info::<SocketAddr>())
        .await?;
    if !*stopped.borrow_and_update() {
        bail!("the listener ended by itself");
    }
    background.shutdown().await;
    Ok(())
}

fn host_names(issuer: &str) -> Vec<String> {
    let host = issuer.trim_start_matches("https://").split(['/', ':']).next().unwrap_or_default();
    vec![host.to_owned()]
}

async fn give_sample_passwords(store: &dyn Store, policy: &Policy) -> Result<()> {
    let password = std::env::var("DAYPASS_SAMPLE_PASSWORD")
        .context("--sample needs a password for the sample people in DAYPASS_SAMPLE_PASSWORD")?;
    let people: Vec<UserId> = policy.org().people.keys().cloned().collect();
    signin::ensure_passwords(store, &people, &SecretString::from(password)).await?;
    Ok(())
}

/// One connector for each resource that has settings; a secret that is missing stops the start, rather than every
/// grant later.
fn connectors(policy: &Policy, key: &ServerKey) -> Result<Vec<Arc<dyn Connector>>> {
    let mut connectors: Vec<Arc<dyn Connector>> = Vec::new();
    for (id, resource) in &policy.org().resources {
        let Some(settings) = resource.postgres() else { continue };
        let admin = match &settings.admin {
            SecretRef::Env(name) => std::env::var(name)
                .with_context(|| format!("{id} wants its administrator's address in the variable {name}"))?,
            SecretRef::File(path) => std::fs::read_to_string(path)
                .with_context(|| format!("{id}: cannot read {path}"))?
                .trim()
                .to_owned(),
        };
        let connector = PostgresConnector::new(id.clone(), settings, &SecretString::from(admin), key)
            .with_context(|| format!("the connection settings of {id} are not good"))?;
        connectors.push(Arc::new(connector));
    }
    Ok(connectors)
}

/// The organisation's people, and the ledger that keeps their comings and goings.
struct AppDirectory(App);

#[async_trait]
impl Directory for AppDirectory {
    fn knows(&self, user: &UserId) -> bool {
        self.0.policy().org().person(user).is_some()
    }

    async fn record(&self, user: &UserId, event: PersonEvent) -> Result<(), StoreError> {
        let event = NewEvent {
            stream: Stream::Person(user.clone()),
            after: None,
            actor: Some(user.clone()),
            body: Body::Person(event),
            circumstances: Circumstances { audience: [user.clone()].into(), ..Default::default() },
        };
        self.0.record(vec![event]).await.map(|_| ())
    }
}

/// Puts a changed policy in force once it is good; a bad one is told in the log and changes nothing.
async fn follow_policy(app: App, arguments: Arguments) {
    let mut refused = None;
    loop {
        tokio::time::sleep(POLICY_PERIOD).await;
        let Ok(sources) = sources(&arguments) else { continue };
        let digest = sources.digest();
        if digest == app.policy().digest() || refused == Some(digest) {
            continue;
        }
        match policy::parse(&sources) {
            Ok(policy) => {
                tracing::info!(%digest, "a new policy is in force");
                app.replace_policy(policy);
            }
            Err(e) => {
                tracing::error!(
                    error = format!("{e:#}"),
                    "the changed policy is not good; the one before stays in force"
                );
                refused = Some(digest);
            }
        }
    }
}

async fn wait_for_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = tokio::signal::ctrl_c() => {}
                }
                return;
            }
            Err(e) => tracing::warn!(error = %e, "cannot wait for SIGTERM"),
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
