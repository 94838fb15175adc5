//! What the operator decides about the engine, parsed by `config`.

use std::collections::BTreeSet;

use crate::agent::Agent;
use crate::agent::prompt::Templates;
use crate::gateway::Provider;
use crate::model::UserId;
use crate::model::budget::Rules;
use crate::model::trust::Trust;
use crate::sandbox::Homes;

/// The engine's settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Names this process; different for every start.
    pub owner: String,
    /// The App's own number, to know our own check runs and comments.
    pub app_id: u64,
    pub agents: Vec<Agent>,
    /// Where homes of agents stay that may be gone on with; without it none does.
    pub homes: Option<Homes>,
    /// The operator's own words for what agents are asked.
    pub prompts: Templates,
    /// Whose models agents may ask.
    pub providers: Vec<Provider>,
    pub limits: Limits,
    /// What may be spent.
    pub budget: Rules,
    /// Bots whose commands are heard, by their own number.
    pub bots: BTreeSet<UserId>,
    /// The rules in force: whole, but in tests.
    #[doc(hidden)]
    pub trust: Trust,
    /// `https://github.com`, or the server's address; for links.
    pub github_url: String,
    /// Where people reach our own pages; `None` leaves the links out.
    pub public_url: Option<String>,
}

/// Limits and rhythms, in milliseconds where they are times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Agents and checks running at once: in all, and in one repository.
    pub heavy_max: u32,
    pub heavy_per_repo_max: u32,
    /// Light jobs done at once beside them.
    pub light_max: u32,
    pub lease_ms: i64,
    /// Two writes to the same comment or check run are at least this far apart.
    pub report_gap_ms: i64,
    /// Between reads that find out how a merge ended.
    pub settle_gap_ms: i64,
    /// Looks caused by webhooks wait this long for more of them.
    pub look_gap_ms: i64,
    /// A waiting run is looked at after this time at the latest, although no webhook came.
    pub look_ms_max: i64,
    /// Between sweeps for commands whose webhook was lost; 0 switches them off.
    pub sweep_ms: i64,
    /// Between readings of GitHub's log of deliveries where webhooks do not reach us by
    /// themselves; 0 where they do.
    pub poll_ms: i64,
    /// How long GitHub keeps a delivery.
    pub log_ms_max: i64,
    /// First pause after a failure; doubles up to `retry_ms_max`.
    pub retry_ms: i64,
    pub retry_ms_max: i64,
    /// Times a task is tried before a person is asked.
    pub attempts_max: u32,
    /// Largest output kept of an agent or a check, in bytes.
    pub output_bytes_max: usize,
    /// Most kept of what one agent said, in bytes after compression, and for how long; 0 keeps
    /// nothing.
    pub stream_bytes_max: usize,
    pub stream_ms_max: i64,
    /// A command that would start something is heard this long after it was written at most.
    pub fresh_ms: i64,
    /// Runs in a day of one issue, and of one person everywhere.
    pub runs_per_issue_max: u32,
    pub runs_per_actor_max: u32,
    /// Answers by comment on one issue in a day; beyond them a sign must do.
    pub answers_per_issue_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            heavy_max: 4,
            heavy_per_repo_max: 2,
            light_max: 8,
            lease_ms: 30_000,
            report_gap_ms: 10_000,
            settle_gap_ms: 5_000,
            look_gap_ms: 1_000,
            look_ms_max: 600_000,
            sweep_ms: 300_000,
            poll_ms: 0,
            log_ms_max: 3 * 24 * 3_600_000,
            retry_ms: 1_000,
            retry_ms_max: 600_000,
            attempts_max: 8,
            output_bytes_max: 1024 * 1024,
            stream_bytes_max: 2 * 1024 * 1024,
            stream_ms_max: 14 * 24 * 3_600_000,
            fresh_ms: 600_000,
            runs_per_issue_max: 5,
            runs_per_actor_max: 20,
            answers_per_issue_max: 10,
        }
    }
}
