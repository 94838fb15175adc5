//! The configuration as the program uses it: every value present, checked and bounded.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::{ConfigError, Containers, GitHubUrls, Streams, Webhooks};
use crate::agent::Agent;
use crate::agent::prompt::Templates;
use crate::gateway::Provider;
use crate::model::Secret;
use crate::model::budget::Rules;
use crate::telemetry::LogFormat;

/// Everything an operator can set.
#[derive(Debug, Clone)]
pub struct Settings {
    pub database: Database,
    pub listen: SocketAddr,
    pub github: GitHubUrls,
    /// Hosts that may be reached beside GitHub's own: names, or `*.name`.
    pub hosts: Vec<String>,
    /// Mirrors and workspaces; losing it loses nothing.
    pub work_dir: PathBuf,
    /// At least one for `serve`; the first one is the default.
    pub agents: Vec<Agent>,
    pub workers: u32,
    pub limits: Limits,
    /// Whose models may be asked.
    pub providers: Vec<Provider>,
    /// The operator's own words for what agents are asked.
    pub prompts: Templates,
    /// What may be spent on models.
    pub budget: Rules,
    /// What is kept of what agents say.
    pub streams: Streams,
    /// Bots whose commands are heard, by their own number; there is no word for all of them.
    pub trusted_bots: BTreeSet<u64>,
    pub sandbox: SandboxMode,
    /// Without an image there are no containers.
    pub containers: Option<Containers>,
    /// Agents are not started below this level of protection, 0 to 4.
    pub sandbox_level_min: u8,
    /// The first of the host's users that are lent to runs when Slipway is root.
    pub sandbox_uid_base: Option<u32>,
    /// Directories outside the system's own that agents and checks may read and run from.
    pub tools: Vec<PathBuf>,
    /// Where people reach the pages, without a slash at the end.
    pub public_url: Option<String>,
    pub dashboard_token: Option<Secret>,
    pub log: LogFormat,
    pub log_filter: String,
    /// What is allowed but should be mended; log it once at the start.
    pub warnings: Vec<String>,
    /// How we hear of what happens.
    pub webhooks: Webhooks,
    /// The path and where it was said.
    pub(super) ca_file: Option<(PathBuf, String)>,
    pub(super) app_id: Option<u64>,
    pub(super) private_key: Option<PrivateKey>,
    pub(super) private_key_old: Option<PrivateKey>,
    pub(super) key_service: Option<(PathBuf, String)>,
    pub(super) webhook_secrets: Vec<Secret>,
}

/// Certificates of authorities, one or several.
#[derive(Debug, Clone)]
pub struct CaFile {
    /// Absolute: git reads it too.
    pub path: PathBuf,
    pub pem: String,
}

/// Where runs are kept.
#[derive(Debug, Clone)]
pub enum Database {
    Sqlite(PathBuf),
    /// The address, which holds a password.
    Postgres(Secret),
}

/// Who we are for GitHub.
#[derive(Debug, Clone)]
pub struct Identity {
    pub app_id: u64,
    pub key: AppKey,
    /// The newest first; at least one where webhooks are listened to.
    pub webhook_secrets: Vec<Secret>,
}

/// Where the App's private key is.
#[derive(Debug, Clone)]
pub enum AppKey {
    /// In this process, in PEM form, with the one before while it is being replaced.
    Held { key: Secret, old: Option<Secret> },
    /// In another one, which is asked through this socket; this process never reads the key.
    Elsewhere(PathBuf),
}

impl AppKey {
    /// What must never be logged.
    pub fn secrets(&self) -> Vec<Secret> {
        match self {
            Self::Held { key, old } => {
                [Some(key), old.as_ref()].into_iter().flatten().cloned().collect()
            }
            Self::Elsewhere(_) => Vec::new(),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) enum PrivateKey {
    Text(Secret),
    File { path: PathBuf, place: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Agents and verifications at once, in all.
    pub heavy_max: u32,
    /// And in one repository.
    pub heavy_per_repo_max: u32,
    /// Milliseconds between two edits of the same comment or check run.
    pub report_gap_ms: u32,
    /// Milliseconds after which a waiting run is looked at although no webhook came.
    pub look_ms_max: u32,
    /// Milliseconds between sweeps for commands whose webhook was lost.
    pub sweep_ms: u32,
    /// Milliseconds between readings of GitHub's delivery log.
    pub poll_ms: u32,
    /// Minutes after which a command that would start something is too old.
    pub command_minutes_max: u32,
    /// Runs in a day of one issue, and of one person.
    pub runs_per_issue_max: u32,
    pub runs_per_actor_max: u32,
    /// Answers by comment on one issue in a day.
    pub answers_per_issue_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            heavy_max: 4,
            heavy_per_repo_max: 2,
            report_gap_ms: 3_000,
            look_ms_max: 600_000,
            sweep_ms: 300_000,
            poll_ms: 15_000,
            command_minutes_max: 10,
            runs_per_issue_max: 5,
            runs_per_actor_max: 20,
            answers_per_issue_max: 10,
        }
    }
}

/// How agents are kept away from the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SandboxMode {
    /// The best that works here; nothing below `sandbox_level_min`.
    #[default]
    Auto,
    /// Bubblewrap or nothing.
    Bubblewrap,
    /// Containers of one engine, or nothing.
    Docker,
    Podman,
    /// Apple's `container`.
    Apple,
    /// A process with a cleared environment and limits.
    Process,
}

/// Largest private key file, in bytes.
const KEY_BYTES_MAX: u64 = 64 * 1024;
/// Largest file with certificates, in bytes.
const CERTIFICATES_BYTES_MAX: u64 = 1024 * 1024;

impl Settings {
    /// Who vouches for GitHub's server, beside whom the system believes.
    pub fn ca_file(&self) -> Result<Option<CaFile>, ConfigError> {
        certificates(self.ca_file.as_ref())
    }

    /// What `serve` needs to be a GitHub App. Read late, so that commands that only look at
    /// the database need neither key nor secret.
    pub fn identity(&self) -> Result<Identity, ConfigError> {
        let missing = |key: &str, next: &str| ConfigError::new(key, "it is not set", next);
        let app_id = self.app_id.ok_or_else(|| {
            missing("app_id", "set SLIPWAY_APP_ID to the number on the App's settings page")
        })?;
        let key = self.key()?;
        if self.webhook_secrets.is_empty() && matches!(self.webhooks, Webhooks::Listen) {
            let next = "set SLIPWAY_WEBHOOK_SECRET to the secret on the App's settings page";
            return Err(missing("webhook_secret", next));
        }
        Ok(Identity { app_id, key: key.read()?, webhook_secrets: self.webhook_secrets.clone() })
    }

    /// Where the key is, before anything of it is read. Two answers are none.
    fn key(&self) -> Result<KeyPlace<'_>, ConfigError> {
        match (&self.key_service, &self.private_key) {
            (Some((path, _)), None) => Ok(KeyPlace::Elsewhere(path)),
            (Some((_, place)), Some(_)) => {
                let why = "a private key is configured as well, which this process must not have";
                Err(ConfigError::new(place, why, "take private_key_file away"))
            }
            (None, Some(key)) => Ok(KeyPlace::Here(key, self.private_key_old.as_ref())),
            (None, None) => Err(ConfigError::new(
                "private_key_file",
                "it is not set",
                "set SLIPWAY_PRIVATE_KEY_FILE to the .pem file the App's settings page gave you, \
                 or SLIPWAY_KEY_SERVICE to the socket of `slipway keyd`",
            )),
        }
    }

    /// The socket of the process that holds the key, where there is one.
    pub fn key_service(&self) -> Option<&Path> {
        self.key_service.as_ref().map(|(path, _)| path.as_path())
    }

    /// Values that must never be logged.
    pub fn secrets(&self) -> Vec<Secret> {
        let mut secrets = self.webhook_secrets.clone();
        secrets.extend(self.dashboard_token.clone());
        if let Webhooks::Relay(url) = &self.webhooks {
            secrets.push(url.clone());
        }
        if let Database::Postgres(url) = &self.database {
            secrets.push(url.clone());
        }
        secrets.extend(self.agents.iter().filter_map(Agent::key).cloned());
        secrets
    }

    /// Pages are open on loopback, behind the token where there is one, and closed otherwise.
    pub fn listens_on_loopback(&self) -> bool {
        self.listen.ip().is_loopback()
    }
}

/// The file with certificates that was named at a place.
pub(super) fn certificates(
    named: Option<&(PathBuf, String)>,
) -> Result<Option<CaFile>, ConfigError> {
    let Some((path, place)) = named else { return Ok(None) };
    let pem = super::read::text_of(path, place, CERTIFICATES_BYTES_MAX)?.reveal().to_owned();
    if !pem.contains("-----BEGIN CERTIFICATE-----") {
        let next = "give the authority's certificate, not its key, as text in PEM form";
        return Err(ConfigError::new(place, "it holds no certificate", next));
    }
    let failed =
        |error: std::io::Error| ConfigError::new(place, error.to_string(), "check the path");
    Ok(Some(CaFile { path: path.canonicalize().map_err(failed)?, pem }))
}

enum KeyPlace<'a> {
    Here(&'a PrivateKey, Option<&'a PrivateKey>),
    Elsewhere(&'a Path),
}

impl KeyPlace<'_> {
    fn read(&self) -> Result<AppKey, ConfigError> {
        Ok(match self {
            Self::Here(key, old) => {
                AppKey::Held { key: key.read()?, old: old.map(PrivateKey::read).transpose()? }
            }
            Self::Elsewhere(path) => AppKey::Elsewhere((*path).to_owned()),
        })
    }
}

/// Some environments can hold only one line, in which `\n` stands for its end.
fn unfolded(key: Secret) -> Secret {
    if key.reveal().trim().contains('\n') {
        return key;
    }
    Secret::new(key.reveal().replace("\\n", "\n"))
}

impl PrivateKey {
    pub(super) fn read(&self) -> Result<Secret, ConfigError> {
        let (text, place) = match self {
            Self::Text(text) => (text.clone(), "private_key".to_owned()),
            Self::File { path, place } => {
                let place = format!("{place} ({})", path.display());
                (super::read::text_of(path, &place, KEY_BYTES_MAX)?, place)
            }
        };
        if text.reveal().contains("PRIVATE KEY-----") {
            return Ok(unfolded(text));
        }
        let next = "use the .pem file the App's settings page gave you, unchanged";
        Err(ConfigError::new(place, "it is not a private key in PEM form", next))
    }
}
