//! The engine: takes a job, does it, commits what follows. Stepped, never looped.
//!
//! `app` loops; tests step. A job is done under a lease that is kept alive by heartbeats, and
//! whatever it finds out goes through `apply` into one transaction.

mod again;
mod answer;
mod apply;
mod audit;
mod budget;
mod canary;
mod chosen;
mod deliveries;
mod failure;
mod freeze;
mod gate;
mod handle;
mod homes;
mod inbox;
mod jobs;
mod look;
mod missed;
mod notes;
mod perform;
mod pools;
mod purse;
mod reconcile;
mod settings;
mod start;
mod stories;
mod sweep;
mod trusted;
mod vouch;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

pub use failure::Failure;
pub use jobs::{hint_job, operator_job, poll_job, sweep_job};
pub use purse::{Purse, Refused, Reservation};
pub use settings::{Limits, Settings};

use crate::agent::pool::Pools;
use crate::clock::Clock;
use crate::egress::{Account, Egress};
use crate::gateway::Gateway;
use crate::git::Git;
use crate::github::{At, GitHub};
use crate::model::budget::Scope;
use crate::model::sanitized::Sanitizer;
use crate::model::{InstallationId, Millis, Redactor, RunId, Vault};
use crate::pipeline::State;
use crate::sandbox::Sandbox;
use crate::store::{Claim, Error, Lease, Store};

/// What the engine works with; adapters or fakes, it cannot tell.
#[derive(Clone)]
pub struct Ports {
    pub github: Arc<dyn GitHub>,
    pub git: Arc<dyn Git>,
    pub sandbox: Arc<dyn Sandbox>,
    pub egress: Arc<dyn Egress>,
    pub gateway: Arc<dyn Gateway>,
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports").field("sandbox", &self.sandbox.describe()).finish_non_exhaustive()
    }
}

/// Something that is told what the engine does, for logs, metrics and live progress.
pub trait Watcher: Send + Sync {
    /// A job is begun this many milliseconds after it was due.
    fn begun(&self, late_ms: i64);

    /// A job ended: its word, whether well, and how long it took.
    fn job(&self, word: &'static str, ended: Ended, took_ms: i64);

    /// A run moved.
    fn moved(&self, state: &State);

    /// An agent's way out was closed.
    fn reached(&self, account: &Account);

    /// A purse paid, or refused to.
    fn paid(&self, paid: Paid);

    /// Agents of a house rest until a moment.
    fn rests(&self, pool: &str, until: Millis);
}

/// What a purse did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paid {
    /// So many millionths of a dollar.
    Spent(u64),
    /// Nothing: this cap is full.
    Refused(Scope),
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Done,
    /// To be tried again later.
    PutBack,
    /// Not to be tried again.
    GivenUp,
    /// Somebody else has it now, or nobody wants it any more.
    Lost,
    /// A fault of ours, caught.
    Fault,
}

impl Ended {
    /// The word for it in metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::PutBack => "put_back",
            Self::GivenUp => "given_up",
            Self::Lost => "lost",
            Self::Fault => "fault",
        }
    }
}

/// A watcher that does not look.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watcher for Unwatched {
    fn begun(&self, _late_ms: i64) {}

    fn job(&self, _word: &'static str, _ended: Ended, _took_ms: i64) {}

    fn moved(&self, _state: &State) {}

    fn reached(&self, _account: &Account) {}

    fn paid(&self, _paid: Paid) {}

    fn rests(&self, _pool: &str, _until: Millis) {}
}

/// The worker of the durable queue.
pub struct Engine {
    ports: Ports,
    settings: Settings,
    watcher: Arc<dyn Watcher>,
    /// What must never be part of a change: our secrets, and what was planted for thieves.
    vault: Vault,
    canaries: Vault,
    /// Tasks running here, so that a stop reaches them at once.
    running: Mutex<BTreeMap<(RunId, u32), CancellationToken>>,
    /// Until when GitHub's limits last that were met here.
    limited: Mutex<BTreeMap<InstallationId, Millis>>,
    /// Reports that were sent back, and when their turn is.
    later: Mutex<BTreeMap<RunId, Millis>>,
    /// What was answered, and who asked for what.
    ledger: Mutex<budget::Ledger>,
    /// The last step of every text to GitHub, and the first of what is kept.
    sanitizer: Sanitizer,
    /// Which houses have had enough of us, as far as this process knows.
    pools: Mutex<Pools>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("ports", &self.ports).finish_non_exhaustive()
    }
}

impl Engine {
    pub fn new(ports: Ports, settings: Settings, watcher: Arc<dyn Watcher>) -> Self {
        let (running, limited, later, ledger) = Default::default();
        let (vault, canaries, sanitizer, pools) = Default::default();
        Self {
            ports,
            settings,
            watcher,
            vault,
            canaries,
            running,
            limited,
            later,
            ledger,
            sanitizer,
            pools,
        }
    }

    /// Keeps what `redactor` knows out of everything that is stored or shown.
    #[must_use]
    pub fn with_redactor(mut self, redactor: Redactor) -> Self {
        self.sanitizer = Sanitizer::new(redactor);
        self
    }

    /// Lets none of these secrets leave with a change.
    #[must_use]
    pub fn guarding(mut self, vault: Vault) -> Self {
        self.vault = vault;
        self
    }

    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Takes up to `jobs_max` due jobs; each must be handed to [`Engine::work`].
    pub async fn claim(&self, jobs_max: u32) -> Result<Vec<Lease>, Error> {
        let limits = &self.settings.limits;
        let per_agent = self.settings.agents.iter().map(|a| (a.name.clone(), a.at_once_max));
        let claim = Claim {
            owner: self.settings.owner.clone(),
            now: self.now(),
            lease_ms: limits.lease_ms,
            jobs_max,
            heavy_max: limits.heavy_max,
            heavy_per_repo_max: limits.heavy_per_repo_max,
            heavy_per_agent_max: per_agent.collect(),
        };
        self.ports.store.claim(&claim).await
    }

    /// Takes one due job and does it; `false` when there is none.
    pub async fn step(&self) -> Result<bool, Error> {
        let Some(lease) = self.claim(1).await?.pop() else { return Ok(false) };
        self.work(lease).await;
        Ok(true)
    }

    fn now(&self) -> Millis {
        self.ports.clock.now()
    }

    /// Where on GitHub a run works.
    fn at(state: &State) -> At {
        let request = &state.request;
        At { installation: request.installation, repo: request.repo.clone() }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, BTreeMap<(RunId, u32), CancellationToken>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn limited(&self) -> std::sync::MutexGuard<'_, BTreeMap<InstallationId, Millis>> {
        self.limited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ledger(&self) -> std::sync::MutexGuard<'_, budget::Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A report of `run` was sent back until `turn`; whoever wants one sooner waits too.
    fn put_off(&self, run: &RunId, turn: Millis) {
        let mut later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.now();
        later.retain(|_, until| *until > now);
        later.insert(run.clone(), turn);
    }

    /// When the turn of a report of `run` is, unless it may go now.
    fn turn_of(&self, run: &RunId) -> Option<Millis> {
        let later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        later.get(run).copied().filter(|until| *until > self.now())
    }

    /// When a limit ends that was met in the installation, unless it is over.
    fn limited_until(&self, at: &At) -> Option<Millis> {
        let until = self.limited().get(&at.installation).copied()?;
        (until > self.now()).then_some(until)
    }

    /// Ends what runs here for `run` under entries up to `entry`.
    fn cancel(&self, run: &RunId, entry: u32) {
        for ((of, at), token) in self.running().iter() {
            if of == run && *at <= entry {
                token.cancel();
            }
        }
    }
}
