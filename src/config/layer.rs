//! One layer of configuration: everything is optional, and remembers where it was said.

use crate::model::Secret;

/// A value as text, with the place it came from for messages.
#[derive(Debug, Clone)]
pub(super) struct Said<T> {
    pub(super) value: T,
    pub(super) place: String,
}

impl<T> Said<T> {
    pub(super) fn at(place: impl Into<String>, value: T) -> Self {
        Self { value, place: place.into() }
    }
}

macro_rules! layer {
    ($($(#[$doc:meta])* $key:ident: $value:ty,)*) => {
        /// What one source says. Flags fill in the public fields and leave the rest.
        #[derive(Debug, Clone, Default)]
        pub struct Layer {
            $($(#[$doc])* pub $key: Option<$value>,)*
        }

        /// A layer in which every value knows its place.
        #[derive(Debug, Clone, Default)]
        pub(super) struct Placed {
            $(pub(super) $key: Option<Said<$value>>,)*
        }

        impl Layer {
            /// Marks every value with the place `place(key)`.
            pub(super) fn placed(self, place: impl Fn(&str) -> String) -> Placed {
                Placed {
                    $($key: self.$key.map(|value| Said::at(place(stringify!($key)), value)),)*
                }
            }
        }

        impl Placed {
            /// This layer, with the gaps filled from `below`.
            pub(super) fn over(self, below: Self) -> Self {
                Self { $($key: self.$key.or(below.$key),)* }
            }
        }
    };
}

layer! {
    /// The number of the GitHub App.
    app_id: u64,
    /// The App's private key, as PEM text.
    private_key: Secret,
    private_key_file: String,
    /// The key before, while it is being replaced.
    private_key_old: Secret,
    private_key_old_file: String,
    /// The socket of another process that holds the key.
    key_service: String,
    webhook_secret: Secret,
    /// The secret before, while it is being replaced.
    webhook_secret_old: Secret,
    /// `listen`, `poll` or `relay`.
    webhooks: String,
    /// The channel of a relay.
    relay_url: Secret,
    /// A path, or a `postgres://` address.
    database: Secret,
    /// Address and port.
    listen: String,
    github_url: String,
    /// Hosts that may be reached beside GitHub's own.
    hosts: Vec<String>,
    /// A file with the certificates of the authority that vouches for GitHub's server.
    ca_file: String,
    work_dir: String,
    workers: u32,
    heavy_max: u32,
    heavy_per_repo_max: u32,
    report_gap_ms: u32,
    look_ms_max: u32,
    sweep_ms: u32,
    poll_ms: u32,
    /// Minutes after which a command that would start something is too old.
    command_minutes_max: u32,
    runs_per_issue_max: u32,
    runs_per_actor_max: u32,
    answers_per_issue_max: u32,
    /// Whose models may be asked.
    providers: Vec<crate::gateway::provider::Entry>,
    /// A file with profiles of the operator's own.
    profiles: String,
    /// A directory with templates of the operator's own.
    prompts: String,
    /// What may be spent.
    budget: super::budget::BudgetEntry,
    /// What is kept of what agents say.
    streams: super::streams::StreamsEntry,
    /// Bots whose commands are heard, by number.
    trusted_bots: Vec<u64>,
    sandbox: String,
    sandbox_level_min: u32,
    sandbox_uid_base: u32,
    /// Directories, separated by colons.
    tools: String,
    public_url: String,
    dashboard_token: Secret,
    /// `human` or `json`.
    log: String,
    /// Such as `info,slipway=debug`.
    log_filter: String,
    /// Agents as the file lists them; the environment and flags give one command.
    agents: Vec<super::file::AgentEntry>,
    /// What containers are like, where they are the sandbox.
    sandbox_container: super::file::ContainerEntry,
}
