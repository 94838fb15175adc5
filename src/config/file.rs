//! The configuration file: TOML; unknown keys are refused with their place.

use serde::Deserialize;

use super::ConfigError;
use super::budget::BudgetEntry;
use super::layer::Layer;
use super::streams::StreamsEntry;
use crate::model::Secret;

/// Largest configuration file, in bytes.
pub(super) const FILE_BYTES_MAX: u64 = 256 * 1024;

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    app_id: Option<u64>,
    private_key_file: Option<String>,
    private_key_old_file: Option<String>,
    key_service: Option<String>,
    webhook_secret: Option<Secret>,
    webhook_secret_old: Option<Secret>,
    webhooks: Option<String>,
    relay_url: Option<Secret>,
    database: Option<Secret>,
    listen: Option<String>,
    github_url: Option<String>,
    hosts: Option<Vec<String>>,
    ca_file: Option<String>,
    work_dir: Option<String>,
    workers: Option<u32>,
    sandbox: Option<String>,
    sandbox_level_min: Option<u32>,
    sandbox_uid_base: Option<u32>,
    tools: Option<String>,
    public_url: Option<String>,
    dashboard_token: Option<Secret>,
    log: Option<String>,
    log_filter: Option<String>,
    trusted_bots: Option<Vec<u64>>,
    limits: Bounds,
    budget: Option<BudgetEntry>,
    streams: Option<StreamsEntry>,
    agents: Option<Vec<AgentEntry>>,
    providers: Option<Vec<crate::gateway::provider::Entry>>,
    profiles: Option<String>,
    prompts: Option<PromptsEntry>,
    sandbox_container: Option<ContainerEntry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Bounds {
    heavy_max: Option<u32>,
    heavy_per_repo_max: Option<u32>,
    report_gap_ms: Option<u32>,
    look_ms_max: Option<u32>,
    sweep_ms: Option<u32>,
    poll_ms: Option<u32>,
    command_minutes_max: Option<u32>,
    runs_per_issue_max: Option<u32>,
    runs_per_actor_max: Option<u32>,
    answers_per_issue_max: Option<u32>,
}

/// An agent as an operator writes it down.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentEntry {
    pub name: String,
    /// Run by `sh -c` in the sandbox, with the prompt on standard input.
    #[serde(default)]
    pub command: Option<String>,
    /// Or how a known agent is started.
    #[serde(default)]
    pub profile: Option<String>,
    /// Or that it is a model, asked without a program.
    #[serde(default)]
    pub direct: bool,
    /// Whose models it asks.
    #[serde(default)]
    pub provider: Option<String>,
    /// Its own choice first.
    #[serde(default)]
    pub models: Vec<String>,
    /// Who does its work when it cannot, in this order.
    #[serde(default)]
    pub fallbacks: Vec<String>,
    /// A file with a key of its own, where its profile asks its house without the gateway. The key
    /// goes into the sandbox.
    #[serde(default)]
    pub key_file: Option<String>,
    #[serde(default = "one")]
    pub at_once_max: u32,
    /// What it may reach.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Refused, with what to write instead.
    #[serde(default)]
    pub network: Option<bool>,
}

/// Where an operator keeps templates.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PromptsEntry {
    directory: String,
}

/// Containers as an operator writes them down.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct ContainerEntry {
    pub image: Option<String>,
    pub runtime: Option<String>,
    pub gpus: Option<String>,
    pub memory_mb_max: Option<u32>,
    pub cpus_max: Option<u32>,
    pub pids_max: Option<u32>,
    pub seccomp: Option<String>,
}

fn one() -> u32 {
    1
}

impl AgentEntry {
    /// An agent of which only the name is said.
    pub(super) fn named(name: String) -> Self {
        Self {
            name,
            command: None,
            profile: None,
            direct: false,
            provider: None,
            models: Vec::new(),
            fallbacks: Vec::new(),
            key_file: None,
            at_once_max: 2,
            hosts: Vec::new(),
            network: None,
        }
    }
}

/// Reads the text of the file called `name`.
pub(super) fn parse(name: &str, text: &str) -> Result<Layer, ConfigError> {
    let file: Written = toml::from_str(text).map_err(|error| refuse(name, text, &error))?;
    Ok(Layer {
        app_id: file.app_id,
        private_key: None,
        private_key_file: file.private_key_file,
        private_key_old: None,
        private_key_old_file: file.private_key_old_file,
        key_service: file.key_service,
        webhook_secret: file.webhook_secret,
        webhook_secret_old: file.webhook_secret_old,
        webhooks: file.webhooks,
        relay_url: file.relay_url,
        database: file.database,
        listen: file.listen,
        github_url: file.github_url,
        hosts: file.hosts,
        ca_file: file.ca_file,
        work_dir: file.work_dir,
        workers: file.workers,
        heavy_max: file.limits.heavy_max,
        heavy_per_repo_max: file.limits.heavy_per_repo_max,
        report_gap_ms: file.limits.report_gap_ms,
        look_ms_max: file.limits.look_ms_max,
        sweep_ms: file.limits.sweep_ms,
        poll_ms: file.limits.poll_ms,
        command_minutes_max: file.limits.command_minutes_max,
        runs_per_issue_max: file.limits.runs_per_issue_max,
        runs_per_actor_max: file.limits.runs_per_actor_max,
        answers_per_issue_max: file.limits.answers_per_issue_max,
        budget: file.budget,
        streams: file.streams,
        trusted_bots: file.trusted_bots,
        sandbox: file.sandbox,
        sandbox_level_min: file.sandbox_level_min,
        sandbox_uid_base: file.sandbox_uid_base,
        tools: file.tools,
        public_url: file.public_url,
        dashboard_token: file.dashboard_token,
        log: file.log,
        log_filter: file.log_filter,
        agents: file.agents,
        providers: file.providers,
        profiles: file.profiles,
        prompts: file.prompts.map(|prompts| prompts.directory),
        sandbox_container: file.sandbox_container,
    })
}

/// The parser's own message quotes the line, which may hold a secret; this one does not.
fn refuse(name: &str, text: &str, error: &toml::de::Error) -> ConfigError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let place = format!("{name}, line {line}, column {column}");
    let why = error.message().lines().next().unwrap_or_default().to_owned();
    ConfigError::new(
        place,
        why,
        "correct it or take it out; deploy/slipway.example.toml has all keys",
    )
}
