//! Puts the layers together: defaults, file, service manager, environment, flags.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use super::agents;
use super::budget;
use super::containers;
use super::file::{self, AgentEntry, FILE_BYTES_MAX};
use super::layer::{Layer, Placed, Said};
use super::prompts;
use super::reach;
use super::settings::PrivateKey;
use super::streams;
use super::trust;
use super::webhooks;
use super::{ConfigError, Database, GitHubUrls, SandboxMode, Settings};
use crate::model::Secret;
use crate::telemetry::LogFormat;

/// Shorter webhook secrets can be guessed, in bytes.
const SECRET_BYTES_MIN: usize = 32;
/// Largest credential handed over by the service manager, in bytes.
const CREDENTIAL_BYTES_MAX: u64 = 64 * 1024;
/// Short jobs at once, unless the operator says otherwise: they mostly wait for GitHub, and with
/// fewer a burst of commands would wait for its first sign.
pub const WORKERS: u32 = 64;
pub(super) const WORKERS_MAX: u32 = 256;
/// A machine of its own for every run.
const LEVEL_MAX: u8 = 4;

/// Reads the configuration. `file` was named by the operator and must exist; without one the
/// platform's own place is tried. `env` looks a variable up, `flags` overrule everything.
pub fn load(
    file: Option<&Path>,
    env: impl Fn(&str) -> Option<String>,
    flags: Layer,
) -> Result<Settings, ConfigError> {
    settings(layers(file, &env, flags)?, &env)
}

pub(super) fn layers(
    file: Option<&Path>,
    env: &impl Fn(&str) -> Option<String>,
    flags: Layer,
) -> Result<Placed, ConfigError> {
    let flags = flags.placed(|key| format!("--{}", key.replace('_', "-")));
    let lower = [environment(env)?, credentials(env)?, from_file(file)?];
    Ok(lower.into_iter().fold(flags, stack))
}

pub(super) fn github(said: Option<Said<String>>) -> Result<GitHubUrls, ConfigError> {
    let parsed = said.map(|said| GitHubUrls::parse(&said.place, &said.value));
    parsed.unwrap_or_else(|| Ok(GitHubUrls::default()))
}

/// A key file named above hides a key given as text below.
fn stack(upper: Placed, mut lower: Placed) -> Placed {
    if upper.private_key_file.is_some() {
        lower.private_key = None;
    }
    if upper.private_key_old_file.is_some() {
        lower.private_key_old = None;
    }
    upper.over(lower)
}

fn from_file(named: Option<&Path>) -> Result<Placed, ConfigError> {
    let usual = || Some(project()?.config_dir().join("slipway.toml")).filter(|path| path.exists());
    let Some(path) = named.map(Path::to_owned).or_else(usual) else {
        return Ok(Placed::default());
    };
    let name = path.display().to_string();
    let text = text_of(&path, &name, FILE_BYTES_MAX)?;
    Ok(file::parse(&name, text.reveal())?.placed(|key| format!("{name}, key {key}")))
}

/// Text of a file that may hold secrets.
pub(super) fn text_of(path: &Path, place: &str, bytes_max: u64) -> Result<Secret, ConfigError> {
    let refuse =
        |why: String| ConfigError::new(place, why, "check the path and that this user may read it");
    let mut text = String::new();
    let open = File::open(path).map_err(|error| refuse(format!("it cannot be read: {error}")))?;
    let read = open.take(bytes_max + 1).read_to_string(&mut text);
    read.map_err(|error| refuse(format!("it cannot be read: {error}")))?;
    if text.len() as u64 > bytes_max {
        return Err(refuse(format!("it is larger than {bytes_max} bytes")));
    }
    Ok(Secret::new(text))
}

fn environment(env: &impl Fn(&str) -> Option<String>) -> Result<Placed, ConfigError> {
    let text = |name: &str| env(name).filter(|value| !value.is_empty());
    let secret = |name: &str| text(name).map(Secret::new);
    let number = |name: &str| -> Result<Option<u32>, ConfigError> {
        text(name).map(|value| whole(name, &value)).transpose()
    };
    let hosts = text("SLIPWAY_AGENT_HOSTS").map(|list| reach::split(&list)).unwrap_or_default();
    let name = "agent".to_owned();
    let agent = |command| AgentEntry { command: Some(command), hosts, ..AgentEntry::named(name) };
    let app_id = text("SLIPWAY_APP_ID").map(|value| whole("SLIPWAY_APP_ID", &value));
    let layer = Layer {
        app_id: app_id.transpose()?,
        private_key: secret("SLIPWAY_PRIVATE_KEY"),
        private_key_file: text("SLIPWAY_PRIVATE_KEY_FILE"),
        private_key_old: secret("SLIPWAY_PRIVATE_KEY_OLD"),
        private_key_old_file: text("SLIPWAY_PRIVATE_KEY_OLD_FILE"),
        key_service: text("SLIPWAY_KEY_SERVICE"),
        webhook_secret: secret("SLIPWAY_WEBHOOK_SECRET"),
        webhook_secret_old: secret("SLIPWAY_WEBHOOK_SECRET_OLD"),
        webhooks: text("SLIPWAY_WEBHOOKS"),
        relay_url: secret("SLIPWAY_RELAY_URL"),
        database: secret("SLIPWAY_DATABASE").or_else(|| secret("SLIPWAY_DB")),
        listen: text("SLIPWAY_LISTEN"),
        github_url: text("SLIPWAY_GITHUB_URL"),
        hosts: text("SLIPWAY_HOSTS").map(|list| reach::split(&list)),
        ca_file: text("SLIPWAY_CA_FILE"),
        work_dir: text("SLIPWAY_WORK_DIR"),
        workers: number("SLIPWAY_WORKERS")?,
        heavy_max: number("SLIPWAY_HEAVY_MAX")?,
        heavy_per_repo_max: number("SLIPWAY_HEAVY_PER_REPO_MAX")?,
        report_gap_ms: number("SLIPWAY_REPORT_GAP_MS")?,
        look_ms_max: number("SLIPWAY_LOOK_MS_MAX")?,
        sweep_ms: number("SLIPWAY_SWEEP_MS")?,
        poll_ms: number("SLIPWAY_POLL_MS")?,
        command_minutes_max: number("SLIPWAY_COMMAND_MINUTES_MAX")?,
        runs_per_issue_max: number("SLIPWAY_RUNS_PER_ISSUE_MAX")?,
        runs_per_actor_max: number("SLIPWAY_RUNS_PER_ACTOR_MAX")?,
        answers_per_issue_max: number("SLIPWAY_ANSWERS_PER_ISSUE_MAX")?,
        budget: None,
        streams: None,
        profiles: text("SLIPWAY_PROFILES"),
        prompts: text("SLIPWAY_PROMPTS"),
        providers: None,
        trusted_bots: text("SLIPWAY_TRUSTED_BOTS").map(|list| trust::numbers(&list)).transpose()?,
        sandbox: text("SLIPWAY_SANDBOX"),
        sandbox_level_min: number("SLIPWAY_SANDBOX_LEVEL_MIN")?,
        sandbox_uid_base: number("SLIPWAY_SANDBOX_UID_BASE")?,
        tools: text("SLIPWAY_TOOLS"),
        public_url: text("SLIPWAY_PUBLIC_URL"),
        dashboard_token: secret("SLIPWAY_DASHBOARD_TOKEN"),
        log: text("SLIPWAY_LOG"),
        log_filter: text("SLIPWAY_LOG_FILTER"),
        sandbox_container: None,
        agents: text("SLIPWAY_AGENT").map(|command| vec![agent(command)]),
    };
    Ok(layer.placed(|key| match key {
        "agents" => "SLIPWAY_AGENT".to_owned(),
        key => format!("SLIPWAY_{}", key.to_uppercase()),
    }))
}

pub(super) fn whole<N: std::str::FromStr>(place: &str, text: &str) -> Result<N, ConfigError> {
    text.trim().parse().map_err(|_unreadable| {
        ConfigError::new(place, "it is not a whole number", "write digits only")
    })
}

/// Secrets that systemd hands over as files of a directory nobody else can read.
fn credentials(env: &impl Fn(&str) -> Option<String>) -> Result<Placed, ConfigError> {
    let Some(directory) = env("CREDENTIALS_DIRECTORY").map(PathBuf::from) else {
        return Ok(Placed::default());
    };
    let read = |name: &str| -> Result<Option<Said<Secret>>, ConfigError> {
        // On machines with many services credentials are called by whose they are.
        let ours = format!("slipway-{name}");
        let Some(name) = [name, &ours].into_iter().find(|name| directory.join(name).exists())
        else {
            return Ok(None);
        };
        let path = directory.join(name);
        let place = format!("credential {name}");
        let text = text_of(&path, &place, CREDENTIAL_BYTES_MAX)?;
        Ok(Some(Said::at(place, Secret::new(text.reveal().trim_end_matches('\n')))))
    };
    Ok(Placed {
        private_key: read("private-key")?,
        private_key_old: read("private-key-old")?,
        webhook_secret: read("webhook-secret")?,
        webhook_secret_old: read("webhook-secret-old")?,
        dashboard_token: read("dashboard-token")?,
        ..Placed::default()
    })
}

fn project() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "slipway")
}

/// Where state belongs: the service manager's directory, or the platform's.
fn state_dir(env: &impl Fn(&str) -> Option<String>) -> Result<PathBuf, ConfigError> {
    if let Some(directory) = env("STATE_DIRECTORY").filter(|value| !value.is_empty()) {
        return Ok(PathBuf::from(directory.split(':').next().unwrap_or_default()));
    }
    let usual =
        project().map(|dirs| dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).to_owned());
    usual.ok_or_else(|| {
        let why = "this platform names no directory for state";
        ConfigError::new("database", why, "give one with --db and set work_dir")
    })
}

fn settings(said: Placed, env: &impl Fn(&str) -> Option<String>) -> Result<Settings, ConfigError> {
    let webhook_secrets = secrets(&said)?;
    let limits = trust::limits(&said)?;
    let providers = agents::providers(said.providers)?;
    let database = match said.database {
        Some(said) => database(said.value),
        None => Database::Sqlite(state_dir(env)?.join("slipway.db")),
    };
    let work_dir = match said.work_dir {
        Some(said) => PathBuf::from(said.value),
        None => state_dir(env)?.join("work"),
    };
    let private_key = key_of(said.private_key, said.private_key_file);
    let private_key_old = key_of(said.private_key_old, said.private_key_old_file);
    Ok(Settings {
        database,
        listen: listen(said.listen)?,
        github: github(said.github_url)?,
        hosts: reach::hosts(said.hosts)?,
        ca_file: said.ca_file.map(|said| (said.value.into(), said.place)),
        work_dir,
        agents: agents::agents(said.agents, said.profiles, &providers)?,
        providers,
        prompts: prompts::parse(said.prompts)?,
        workers: trust::within(said.workers, WORKERS, WORKERS_MAX)?,
        limits,
        budget: budget::parse(said.budget)?,
        streams: streams::parse(said.streams)?,
        trusted_bots: trust::bots(said.trusted_bots)?,
        sandbox: sandbox(said.sandbox)?,
        containers: containers::parse(said.sandbox_container, env)?,
        sandbox_level_min: level(said.sandbox_level_min)?,
        sandbox_uid_base: said.sandbox_uid_base.map(|said| said.value),
        tools: tools(said.tools)?,
        public_url: said.public_url.map(public_url).transpose()?,
        dashboard_token: said.dashboard_token.map(|said| said.value),
        log: log(said.log)?,
        log_filter: said.log_filter.map_or_else(|| "info".to_owned(), |said| said.value),
        warnings: Vec::new(),
        app_id: said.app_id.map(|said| said.value),
        private_key,
        private_key_old,
        key_service: said.key_service.map(|said| (said.value.into(), said.place)),
        webhook_secrets,
        webhooks: webhooks::parse(said.webhooks, said.relay_url)?,
    })
}

pub(super) fn key_of(text: Option<Said<Secret>>, file: Option<Said<String>>) -> Option<PrivateKey> {
    text.map(|said| PrivateKey::Text(said.value)).or_else(|| {
        file.map(|said| PrivateKey::File { path: said.value.into(), place: said.place })
    })
}

fn secrets(said: &Placed) -> Result<Vec<Secret>, ConfigError> {
    let mut secrets = Vec::new();
    for said in [&said.webhook_secret, &said.webhook_secret_old].into_iter().flatten() {
        if said.value.reveal().trim().is_empty() {
            let next = "put the secret of the App's settings page there";
            return Err(ConfigError::new(&said.place, "the secret is empty", next));
        }
        if said.value.reveal().trim().len() < SECRET_BYTES_MIN {
            let why =
                format!("the secret has fewer than {SECRET_BYTES_MIN} bytes and can be guessed");
            let next =
                "make one with `openssl rand -hex 32` and put it into the App's settings too";
            return Err(ConfigError::new(&said.place, why, next));
        }
        secrets.push(said.value.clone());
    }
    Ok(secrets)
}

fn database(said: Secret) -> Database {
    let text = said.reveal();
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return Database::Postgres(said);
    }
    Database::Sqlite(PathBuf::from(text.strip_prefix("sqlite://").unwrap_or(text)))
}

fn listen(said: Option<Said<String>>) -> Result<std::net::SocketAddr, ConfigError> {
    let (text, place) = said.map_or_else(
        || ("127.0.0.1:8080".to_owned(), "listen".to_owned()),
        |said| (said.value, said.place),
    );
    text.replace("localhost:", "127.0.0.1:").parse().map_err(|_unreadable| {
        let next = "write for example 127.0.0.1:8080 or [::1]:8080";
        ConfigError::new(place, "it is not an address with a port", next)
    })
}

fn sandbox(said: Option<Said<String>>) -> Result<SandboxMode, ConfigError> {
    let Some(said) = said else { return Ok(SandboxMode::default()) };
    match said.value.as_str() {
        "auto" => Ok(SandboxMode::Auto),
        "bubblewrap" => Ok(SandboxMode::Bubblewrap),
        "docker" => Ok(SandboxMode::Docker),
        "podman" => Ok(SandboxMode::Podman),
        "apple" => Ok(SandboxMode::Apple),
        "process" => Ok(SandboxMode::Process),
        _unknown => {
            let next = "write auto, bubblewrap, docker, podman, apple or process";
            Err(ConfigError::new(said.place, "there is no such sandbox", next))
        }
    }
}

fn level(said: Option<Said<u32>>) -> Result<u8, ConfigError> {
    let Some(said) = said else { return Ok(crate::sandbox::LEVEL_MIN) };
    let level = u8::try_from(said.value).ok().filter(|level| *level <= LEVEL_MAX);
    let next = "write 0 to 4; see Sandbox in docs/OPERATIONS.md";
    level.ok_or_else(|| ConfigError::new(said.place, "there is no such level", next))
}

/// Directories outside the system's own that agents and checks may read and run from.
fn tools(said: Option<Said<String>>) -> Result<Vec<PathBuf>, ConfigError> {
    let Some(said) = said else { return Ok(Vec::new()) };
    let paths: Vec<PathBuf> = said.value.split(':').map(PathBuf::from).collect();
    if paths.iter().all(|path| path.is_absolute()) {
        return Ok(paths);
    }
    let next = "write absolute directories, separated by colons";
    Err(ConfigError::new(said.place, "a directory is not absolute", next))
}

pub(super) fn log(said: Option<Said<String>>) -> Result<LogFormat, ConfigError> {
    let Some(said) = said else { return Ok(LogFormat::default()) };
    match said.value.as_str() {
        "human" => Ok(LogFormat::Human),
        "json" => Ok(LogFormat::Json),
        _unknown => {
            let next = "write human or json";
            Err(ConfigError::new(said.place, "there is no such log format", next))
        }
    }
}

fn public_url(said: Said<String>) -> Result<String, ConfigError> {
    let web = url::Url::parse(&said.value).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none()
    });
    if web {
        return Ok(said.value.trim_end_matches('/').to_owned());
    }
    let next = "write for example https://slipway.example.com";
    Err(ConfigError::new(said.place, "it is not a web address", next))
}
