//! `slipway serve`: settings become adapters, adapters become the program, until SIGTERM.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::args::{Common, Serve};
use super::audit::Minted;
use super::relay::Relay;
use super::watch::Telling;
use super::{barrier, hub, pool, private};
use crate::clock::{Clock, SystemClock};
use crate::config::{Database, GitHubUrls, Identity, Settings, Webhooks};
use crate::egress::proxy::Proxy;
use crate::gateway::keys::Ring;
use crate::gateway::relay::{self, Clients};
use crate::gateway::{Gateway, Prices};
use crate::git::cli::Cli;
use crate::github::app::App;
use crate::github::app::pace::Priority;
use crate::model::trust::Trust;
use crate::model::{Secret, UserId, Vault};
use crate::sandbox::{Homes, Sandbox};
use crate::store::{Store, postgres, sqlite};
use crate::telemetry::{Logs, Metrics, Redactor};
use crate::web::{self, Bounded, Readiness, Visitors, Web};
use crate::worker::{self, Engine, Ports, poll_job, sweep_job};

/// How long a shut-down waits for work in progress.
const GRACE: Duration = Duration::from_secs(20);
const CONNECTIONS_MAX: usize = 1_024;
const SILENCE_MS_MAX: u64 = 30_000;
/// What a relay lost is found by reading the delivery log so often, in milliseconds.
const RELAY_POLL_MS: i64 = 60_000;
/// Shortest line of a key that is a secret by itself, in bytes.
const KEY_LINE_MIN: usize = 32;
/// Workspaces older than this were left behind by a crash.
const WORKSPACE_AGE_MAX: Duration = Duration::from_hours(24);

pub(super) async fn serve(common: &Common, serve: &Serve) -> anyhow::Result<ExitCode> {
    private::hide()?;
    let settings = common.settings(serve)?;
    let identity = settings.identity()?;
    let vault = Vault::default();
    let redactor = redactor(&settings, &identity, &vault);
    logs(&settings, redactor.clone())?;
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    anyhow::ensure!(
        !settings.agents.is_empty(),
        "no agent is configured; add one to the configuration file or set SLIPWAY_AGENT"
    );
    let tasks = TaskTracker::new();
    let stop = CancellationToken::new();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = open_store(&settings, &tasks).await?;
    let metrics = Metrics::new();
    let ledger = Arc::new(Minted(Arc::clone(&store)));
    let github = github(&settings, &identity, (vault.clone(), ledger), Arc::clone(&clock))?;
    let ports = (Arc::clone(&github), Arc::clone(&store), clock);
    let engine = build(&settings, &identity, &metrics, ports).await?;
    let engine = Arc::new(engine.guarding(vault).with_redactor(redactor));
    start(&engine).await?;
    let readiness = Arc::new(Readiness::default());
    let web = Web {
        store: Arc::clone(&store),
        clock: Arc::clone(&engine.ports().clock),
        app_id: identity.app_id,
        lapse: web::Lapse::None,
        secrets: identity.webhook_secrets.clone(),
        limits: web::Limits::default(),
        readiness: Arc::clone(&readiness),
        metrics: metrics.clone(),
        visitors: visitors(&settings),
        github_url: settings.github.web.clone(),
    };
    let listener = TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("cannot listen on {}", settings.listen))?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    tasks.spawn(listen(listener, web, stop.clone()));
    if let Webhooks::Relay(url) = &settings.webhooks {
        let relay = Relay {
            url: url.reveal().to_owned(),
            secrets: identity.webhook_secrets.clone(),
            store: Arc::clone(&store),
            clock: Arc::clone(&engine.ports().clock),
            metrics: metrics.clone(),
        };
        tasks.spawn(hear(relay, stop.clone()));
    }
    tasks.spawn(count(github, metrics, stop.clone()));
    tasks.spawn(signals(stop.clone())?);
    let slots = slots(&settings) as usize;
    pool::run(engine, slots, &readiness, &stop, GRACE).await;
    store.close().await;
    tasks.close();
    if tokio::time::timeout(GRACE, tasks.wait()).await.is_err() {
        tracing::warn!("something did not end in time");
    }
    Ok(ExitCode::SUCCESS)
}

/// Jobs done at the same time.
fn slots(settings: &Settings) -> u32 {
    settings.limits.heavy_max.saturating_add(settings.workers)
}

/// Knows everything that must not be seen anywhere.
fn redactor(settings: &Settings, identity: &Identity, vault: &Vault) -> Redactor {
    let mut secrets: Vec<Secret> = settings.secrets();
    secrets.extend(identity.key.secrets());
    for secret in &secrets {
        keep(vault, secret);
    }
    Redactor::new(secrets).with_vault(vault.clone())
}

fn logs(settings: &Settings, redactor: Redactor) -> anyhow::Result<()> {
    let filter = settings.log_filter.clone();
    Ok(Logs { format: settings.log, filter, redactor }.install()?)
}

/// A key in lines is one secret in each of them.
fn keep(vault: &Vault, secret: &Secret) {
    vault.keep(secret.reveal().trim());
    let body = secret.reveal().lines().map(str::trim);
    let body = body.filter(|line| line.len() >= KEY_LINE_MIN && !line.starts_with("-----"));
    for line in body {
        vault.keep(line);
    }
}

/// Opens the database the settings name.
pub(super) async fn open_store(
    settings: &Settings,
    tasks: &TaskTracker,
) -> anyhow::Result<Arc<dyn Store>> {
    Ok(match &settings.database {
        Database::Sqlite(path) => {
            if let Some(directory) = path.parent().filter(|d| !d.as_os_str().is_empty()) {
                std::fs::create_dir_all(directory)
                    .with_context(|| format!("cannot create {}", directory.display()))?;
            }
            Arc::new(sqlite::open(path, tasks).await.context("cannot open the database")?)
        }
        Database::Postgres(url) => {
            Arc::new(postgres::open(url.reveal(), tasks).await.context("cannot open the database")?)
        }
    })
}

/// GitHub as we reach it; what it gives us is kept out of the logs.
fn github(
    settings: &Settings,
    identity: &Identity,
    (vault, ledger): (Vault, Arc<Minted>),
    clock: Arc<dyn Clock>,
) -> anyhow::Result<Arc<App>> {
    let mut config = hub::ourselves(settings, identity)?;
    config.vault = vault;
    config.ledger = Some(ledger);
    config.limits = config.limits.with_workers(slots(settings));
    Ok(Arc::new(App::new(&config, clock).context("the way to GitHub")?))
}

/// The way of agents to models. Keys are read when they are needed, where the operator says.
fn gateway(settings: &Settings, clock: &Arc<dyn Clock>) -> anyhow::Result<Arc<dyn Gateway>> {
    let roots = settings.ca_file()?.map(|file| file.pem);
    let roots: Vec<String> = roots.into_iter().collect();
    let clients = Clients::new(&roots).context("the way to models")?;
    let variable = Arc::new(|name: &str| Common::env(name).map(Secret::new));
    let ring = Arc::new(Ring::new(variable, clients.vaults(), Arc::clone(clock)));
    let prices = Arc::new(Prices::ours().context("the table of prices")?);
    Ok(Arc::new(relay::Relay::new(prices, ring, clients, Arc::clone(clock))))
}

async fn build(
    settings: &Settings,
    identity: &Identity,
    metrics: &Metrics,
    (github, store, clock): (Arc<App>, Arc<dyn Store>, Arc<dyn Clock>),
) -> anyhow::Result<Engine> {
    let mut git = Cli::open(&settings.work_dir).await.context("git")?;
    if let Some(file) = settings.ca_file()? {
        git = git.trusting(&file.path);
    }
    let now = Duration::from_millis(u64::try_from(clock.now().0).unwrap_or_default());
    let old = std::time::UNIX_EPOCH + now.saturating_sub(WORKSPACE_AGE_MAX);
    if let Err(error) = git.sweep(old).await {
        tracing::warn!(%error, "old workspaces stay");
    }
    let sandbox = sandbox(settings).await?;
    tracing::info!(sandbox = %sandbox.describe(), "sandbox");
    let egress = Arc::new(Proxy::new());
    let gateway = gateway(settings, &clock)?;
    let git = Arc::new(git);
    let ports = Ports { github, git, sandbox, egress, gateway, store, clock };
    let limits = worker::Limits {
        heavy_max: settings.limits.heavy_max,
        heavy_per_repo_max: settings.limits.heavy_per_repo_max,
        light_max: settings.workers,
        report_gap_ms: i64::from(settings.limits.report_gap_ms),
        look_ms_max: i64::from(settings.limits.look_ms_max),
        sweep_ms: i64::from(settings.limits.sweep_ms),
        poll_ms: poll_ms(settings),
        log_ms_max: log_ms_max(settings),
        fresh_ms: i64::from(settings.limits.command_minutes_max) * 60_000,
        runs_per_issue_max: settings.limits.runs_per_issue_max,
        runs_per_actor_max: settings.limits.runs_per_actor_max,
        answers_per_issue_max: settings.limits.answers_per_issue_max,
        stream_bytes_max: settings.streams.bytes_max,
        stream_ms_max: settings.streams.ms_max(),
        ..worker::Limits::default()
    };
    let settings = worker::Settings {
        owner: format!("{}-{}", std::process::id(), ports.clock.now()),
        app_id: identity.app_id,
        agents: settings.agents.clone(),
        homes: Some(Homes::at(settings.work_dir.join("homes"))),
        prompts: settings.prompts.clone(),
        providers: settings.providers.clone(),
        limits,
        budget: settings.budget.clone(),
        bots: settings.trusted_bots.iter().copied().map(UserId).collect(),
        trust: Trust::whole(),
        github_url: settings.github.web.clone(),
        public_url: settings.public_url.clone(),
    };
    let watcher = Arc::new(Telling { metrics: metrics.clone() });
    Ok(Engine::new(ports, settings, watcher))
}

async fn sandbox(settings: &Settings) -> anyhow::Result<Arc<dyn Sandbox>> {
    let chosen =
        barrier::choose(settings, barrier::For::Serving).await.map_err(anyhow::Error::msg)?;
    if let Some(warning) = chosen.warning {
        tracing::warn!("{warning}");
    }
    for missing in chosen.sandbox.protection().missing {
        tracing::warn!(next = %missing.next, "sandbox without {}", missing.what);
    }
    Ok(chosen.sandbox)
}

/// Takes up what an earlier process left, and makes sure the sweep goes on.
async fn start(engine: &Engine) -> anyhow::Result<()> {
    let ports = engine.ports();
    let now = ports.clock.now();
    let reclaimed = ports.store.reclaim(&engine.settings().owner, now).await?;
    if reclaimed > 0 {
        tracing::info!(reclaimed, "jobs of an earlier process are taken up again");
    }
    if engine.settings().limits.sweep_ms > 0 {
        ports.store.put(vec![sweep_job(now, now)]).await?;
    }
    if engine.settings().limits.poll_ms > 0 {
        ports.store.put(vec![poll_job(now, now)]).await?;
    }
    Ok(())
}

/// How often GitHub's log of deliveries is read: not at all where webhooks reach us, and seldom
/// beside a relay, which says when there is news.
fn poll_ms(settings: &Settings) -> i64 {
    let poll_ms = i64::from(settings.limits.poll_ms);
    match settings.webhooks {
        Webhooks::Listen => 0,
        Webhooks::Poll => poll_ms,
        Webhooks::Relay(_) => poll_ms.max(RELAY_POLL_MS),
    }
}

/// How long GitHub keeps deliveries: three days, an Enterprise Server seven.
fn log_ms_max(settings: &Settings) -> i64 {
    let days = if settings.github == GitHubUrls::default() { 3 } else { 7 };
    days * 24 * 3_600_000
}

async fn hear(relay: Relay, stop: CancellationToken) {
    if let Err(error) = relay.run(stop.clone()).await {
        tracing::error!(error = %format!("{error:#}"), "the relay cannot be listened to");
        stop.cancel();
    }
}

fn visitors(settings: &Settings) -> Visitors {
    match &settings.dashboard_token {
        Some(token) => Visitors::Token(token.clone()),
        None if settings.listens_on_loopback() => Visitors::Local,
        None => Visitors::Nobody,
    }
}

async fn listen(listener: TcpListener, web: Web, stop: CancellationToken) {
    let listener = Bounded::new(listener, CONNECTIONS_MAX, SILENCE_MS_MAX);
    let served = axum::serve(listener, web::router(web))
        .with_graceful_shutdown(stop.clone().cancelled_owned())
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "the web stopped");
        stop.cancel();
    }
}

/// Copies the adapter's counts into the metrics now and then.
async fn count(github: Arc<App>, metrics: Metrics, stop: CancellationToken) {
    loop {
        let counts = github.counts();
        let [reads, writes, unchanged] =
            [&counts.reads, &counts.writes, &counts.unchanged].map(|one| one.values().sum());
        metrics.api_totals(reads, writes, unchanged);
        let paced = github.paced();
        for ((priority, waited), sent_back) in
            Priority::ALL.into_iter().zip(paced.waits).zip(paced.sent_back)
        {
            metrics.api_paced(priority.word(), waited, sent_back);
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(10)) => {}
        }
    }
}

/// SIGTERM and SIGINT end the program gracefully.
pub(super) fn signals(
    stop: CancellationToken,
) -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let mut term = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("finishing what is in progress");
        stop.cancel();
    })
}
