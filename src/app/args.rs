//! The command line.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

use crate::config::{self, ConfigError, KeySettings, Layer, Settings};
use crate::model::Secret;

/// From `/go` on an issue to a merged pull request.
#[derive(Debug, Parser)]
#[command(version, about, propagate_version = true)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Common {
    /// Configuration file (default: slipway.toml in the platform's place).
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Database: a file, or a postgres:// address (default: in the platform's state directory).
    #[arg(long, global = true, value_name = "PATH|URL")]
    db: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve real GitHub.
    Serve(Serve),
    /// Play stories against a GitHub of our own, with nothing but git.
    Demo(Demo),
    /// Make the GitHub App: one click in a browser, and key and configuration are stored.
    Setup(Setup),
    /// Look whether everything is as it must be, and say what to do where it is not.
    Doctor(Doctor),
    /// Hold the App's key for `serve`, in a process and under a user of its own.
    Keyd(Keyd),
    /// Show what was done and what was refused, oldest first.
    Audit(AuditOf),
    /// Show which agents there are and how each is started.
    Agents(Agents),
    /// Show what agents are asked, and check templates of your own.
    Prompts(Prompts),
    /// List runs, newest first.
    Runs,
    /// Show one run's timeline.
    Show {
        /// Such as r0123456789.
        run: String,
        /// What its agents said under this entry, of those that `show` lists, instead.
        #[arg(long, value_name = "ENTRY")]
        stream: Option<u32>,
    },
    /// Stop a run.
    Stop {
        /// Such as r0123456789.
        run: String,
    },
    /// Open a merge lane that an alarm closed, after somebody has looked.
    Unlock {
        /// owner/name.
        repo: String,
        /// The branch merged into.
        branch: String,
    },
    /// The agent the demo uses.
    #[command(hide = true)]
    ScriptedAgent,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Keyd {
    /// The App's private key; without it, the credential private-key of the service manager.
    #[arg(long, value_name = "FILE")]
    key: Option<String>,
    /// The number of the GitHub App.
    #[arg(long, value_name = "N")]
    app_id: Option<u64>,
    /// Where to listen.
    #[arg(long, value_name = "PATH")]
    pub(super) socket: PathBuf,
    /// The user who may ask, by number; may be given several times. Nobody else may, not even root.
    #[arg(long, value_name = "N", required = true)]
    pub(super) allow_uid: Vec<u32>,
    /// A GitHub Enterprise Server.
    #[arg(long, value_name = "URL")]
    github_url: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct AuditOf {
    /// Of one repository: owner/name.
    #[arg(long, value_name = "REPO")]
    pub(super) repo: Option<String>,
    /// Of one run, such as r0123456789.
    #[arg(long, value_name = "RUN")]
    pub(super) run: Option<String>,
    /// One JSON object a line.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Agents {
    #[command(subcommand)]
    pub(super) of: OfAgents,
    /// Profiles of your own, as TOML; they change the shipped ones or stand beside them.
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) profiles: Option<PathBuf>,
    /// One JSON object a line.
    #[arg(long, global = true)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum OfAgents {
    /// List them.
    List,
    /// Show one profile.
    Show {
        /// Such as codex.
        name: String,
    },
    /// Ask the installed program for its version, in the sandbox.
    Probe {
        /// Such as codex.
        name: String,
    },
}

#[derive(Debug, ClapArgs)]
pub(super) struct Prompts {
    #[command(subcommand)]
    pub(super) of: OfPrompts,
}

#[derive(Debug, Subcommand)]
pub(super) enum OfPrompts {
    /// Say whether the templates of a directory can be used.
    Check {
        /// With persona.md, planner.md, builder.md, fixer.md or resolver.md in it.
        directory: PathBuf,
    },
    /// Show what an agent is told in a role.
    Show {
        /// planner, builder, fixer or resolver.
        role: String,
        /// Templates of your own.
        #[arg(long, value_name = "DIR")]
        directory: Option<PathBuf>,
    },
}

#[derive(Debug, Default, ClapArgs)]
pub(super) struct Serve {
    /// Address and port for webhooks and pages.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// A GitHub Enterprise Server.
    #[arg(long, value_name = "URL")]
    github_url: Option<String>,
    /// What keeps agents away from this machine: auto, bubblewrap, docker, podman, apple or
    /// process.
    #[arg(long, value_name = "MODE")]
    sandbox: Option<String>,
}

#[derive(Debug, Clone, ClapArgs)]
pub(super) struct Demo {
    /// One JSON object per scenario on a line of its own, and nothing else.
    #[arg(long)]
    pub(super) json: bool,
    /// Which story.
    #[arg(long, value_enum, default_value_t = Scenario::Full)]
    pub(super) scenario: Scenario,
    /// Lose, double, delay and reorder webhooks, answer with faults, and kill the bot in the
    /// middle; the end must be the same.
    #[arg(long, value_name = "SEED")]
    pub(super) chaos: Option<u64>,
    /// Your own repository instead of the sample; a copy is used.
    #[arg(long, value_name = "PATH")]
    pub(super) repo: Option<PathBuf>,
    /// A known agent, such as codex or opencode (`slipway agents list`), or any command that
    /// edits the working directory, prompt on standard input.
    #[arg(long, value_name = "NAME|COMMAND")]
    pub(super) agent: Option<String>,
    /// The model a known agent uses.
    #[arg(long, value_name = "MODEL", requires = "agent")]
    pub(super) model: Option<String>,
    /// Where its model is, instead of the house that made the agent: nothing is charged there.
    #[arg(long, value_name = "URL", requires = "agent")]
    pub(super) model_url: Option<String>,
    /// Directories outside the system's own that the agent may read and run from, separated by
    /// colons.
    #[arg(long, value_name = "DIRECTORIES", requires = "agent")]
    pub(super) tools: Option<String>,
    /// A file with profiles of your own.
    #[arg(long, value_name = "FILE", requires = "agent")]
    pub(super) profiles: Option<PathBuf>,
    /// A host that agent may reach, such as api.example.com or *.example.org:8443; repeatable.
    #[arg(long = "allow-host", value_name = "HOST", requires = "agent")]
    pub(super) allow_hosts: Vec<String>,
    /// A model that plans and reviews, asked without a program, and the protocol it speaks, such
    /// as chat:gpt-5.5 or messages:claude-opus-4-5.
    #[arg(long, value_name = "WIRE:MODEL", conflicts_with = "repo")]
    pub(super) thinker: Option<String>,
    /// Where it is, instead of the house of its protocol: nothing is charged there.
    #[arg(long, value_name = "URL", requires = "thinker")]
    pub(super) thinker_url: Option<String>,
    /// Leave the pages open until Ctrl-C.
    #[arg(long)]
    pub(super) keep: bool,
    /// How the bot hears of what happens; with poll and relay nothing has to reach it.
    #[arg(long, value_enum, value_name = "MODE", default_value_t = Hearing::Listen)]
    pub(super) webhooks: Hearing,
}

/// How the demo's bot hears of what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Hearing {
    /// The playground posts to it.
    Listen,
    /// It reads the playground's delivery log; its address is told to nobody.
    Poll,
    /// It listens to the playground's relay.
    Relay,
}

#[derive(Debug, Default, ClapArgs)]
pub(super) struct Setup {
    /// The organisation that is to own the App (default: your own account).
    #[arg(long, value_name = "ORG")]
    pub(super) org: Option<String>,
    /// A GitHub Enterprise Server.
    #[arg(long, value_name = "URL")]
    github_url: Option<String>,
    /// Name of the App, unique on GitHub (default: slipway with something drawn at random).
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// Where GitHub reaches this Slipway; without it, Slipway asks GitHub for news instead.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Where key and configuration go (default: where slipway looks for its configuration).
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
    /// Address and port of the page, on loopback.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(super) listen: String,
    /// Only print the page's address.
    #[arg(long)]
    pub(super) no_browser: bool,
    /// Replace files that are there already.
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Debug, Default, ClapArgs)]
pub(super) struct Doctor {
    /// One JSON object, and nothing else.
    #[arg(long)]
    pub(super) json: bool,
}

/// The stories of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Scenario {
    /// The whole story: CI breaks and is fixed, a conflict appears and is resolved.
    Full,
    /// From /go to merged without a hitch.
    Happy,
    /// The first version breaks a test that only CI runs.
    RedCi,
    /// Another pull request lands first and conflicts.
    Conflict,
    /// Somebody without permission says /go.
    Outsider,
    /// A maintainer says /stop in the middle.
    Stop,
    /// The branch is merged through a merge queue that also wants Slipway's own check.
    Queue,
    /// The policy wants commits that GitHub makes and signs.
    Signed,
    /// The agent stops to ask something, and is answered.
    Question,
    /// The agent was taken over: it steals, breaks out, plants and smuggles what it can.
    Hostile,
    /// Happy, red-ci, conflict, outsider, stop, queue, signed, question and hostile, in turn.
    All,
}

impl Common {
    /// Reads the configuration: defaults, file, environment, then flags.
    pub(super) fn settings(&self, serve: &Serve) -> Result<Settings, ConfigError> {
        let flags = Layer {
            database: self.db.clone().map(Secret::new),
            listen: serve.listen.clone(),
            github_url: serve.github_url.clone(),
            sandbox: serve.sandbox.clone(),
            ..Layer::default()
        };
        self.load(flags)
    }

    /// What set-up has to know before there is a configuration.
    pub(super) fn for_setup(&self, setup: &Setup) -> Result<Settings, ConfigError> {
        let flags = Layer {
            github_url: setup.github_url.clone(),
            public_url: setup.public_url.clone(),
            ..Layer::default()
        };
        self.load(flags)
    }

    /// What the holder of the key has to know.
    pub(super) fn key_settings(&self, keyd: &Keyd) -> Result<KeySettings, ConfigError> {
        let flags = Layer {
            app_id: keyd.app_id,
            private_key_file: keyd.key.clone(),
            github_url: keyd.github_url.clone(),
            ..Layer::default()
        };
        config::load_key(self.config.as_deref(), Self::env, flags)
    }

    #[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
    pub(super) fn env(name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn load(&self, flags: Layer) -> Result<Settings, ConfigError> {
        config::load(self.config.as_deref(), Self::env, flags)
    }
}
