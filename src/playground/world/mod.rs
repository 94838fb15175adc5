//! The World: our GitHub, one state under one mutex, entered through one gate.

pub mod access;
pub mod accounts;
pub mod auth;
pub mod checks;
pub mod comments;
pub mod commits;
pub mod events;
pub mod issues;
pub mod limits;
pub mod logs;
pub mod manifests;
pub mod merge;
pub mod model;
pub mod people;
pub mod pulls;
pub mod queue;
pub mod refs;
pub mod reviews;
pub mod rules;
pub mod setup;
pub mod statuses;
mod stories;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use access::Actor;
pub use accounts::*;
pub use model::*;
pub use rules::{QueueRule, RequiredCheck, Rules};

use super::ci::CiJob;
use super::error::{ApiError, ApiResult};
use super::faults::FaultPlan;
use super::mailbox::{Delivery, Mailbox};

/// Where the World takes its time from, in milliseconds since the epoch.
pub type NowMs = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Calls kept in the journal; the oldest are forgotten first.
const JOURNAL_MAX: usize = 100_000;

/// One operation as it is counted, journalled and made to fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    /// GitHub's operation id, such as `pulls/merge`; ours are `git/push` and `git/fetch`.
    pub id: &'static str,
    pub method: &'static str,
    pub path: String,
}

impl Op {
    pub fn read(id: &'static str, path: impl Into<String>) -> Self {
        Self { id, method: "GET", path: path.into() }
    }

    pub fn write(id: &'static str, path: impl Into<String>) -> Self {
        Self { id, method: "POST", path: path.into() }
    }

    pub fn is_read(&self) -> bool {
        self.method == "GET"
    }
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub n: u64,
    pub at_ms: i64,
    /// Login of the person or slug of the App; empty when nobody.
    pub actor: String,
    pub operation: &'static str,
    pub method: &'static str,
    pub path: String,
    /// What was answered; 0 when nothing was.
    pub status: u16,
    /// Whether the World was changed by it.
    pub effect: bool,
}

/// GraphQL operations that change nothing, though they are sent as writes are.
const QUERIES: [&str; 2] = ["graphql/MergeQueueEntry", "graphql/ReviewThreads"];

impl Call {
    /// Whether it only asked.
    pub fn is_read(&self) -> bool {
        self.method == "GET" || QUERIES.contains(&self.operation)
    }
}

/// Calls of one actor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallCount {
    pub reads: u64,
    pub writes: u64,
}

/// Everything there is. Operations are methods in the files beside this one.
#[derive(Debug)]
pub struct State {
    pub now_ms: i64,
    pub base_url: String,
    pub users: BTreeMap<u64, User>,
    pub apps: BTreeMap<u64, App>,
    pub installations: BTreeMap<u64, Installation>,
    pub repos: BTreeMap<u64, Repo>,
    pub mailbox: Mailbox,
    pub faults: FaultPlan,
    /// Leaves out of payloads what only links and decorates; simulations are faster for it.
    pub brief_payloads: bool,
    /// How long a script job of the CI may run.
    pub ci_time_max: Duration,
    /// Calls an installation may make in an hour.
    pub rate_max: u64,
    pub(crate) tokens: BTreeMap<String, Token>,
    pub(crate) human_tokens: BTreeMap<String, u64>,
    pub(crate) ci: BTreeMap<u64, CiJob>,
    pub(crate) ci_app: Option<u64>,
    pub(crate) log_links: BTreeMap<String, logs::LogLink>,
    pub(crate) codes: BTreeMap<String, manifests::Code>,
    pub(crate) seed: u64,
    pub(crate) next_id: u64,
    secrets_made: u64,
    journal: Vec<Call>,
    calls_made: u64,
    counts: BTreeMap<(bool, &'static str), u32>,
    by_actor: BTreeMap<String, CallCount>,
    rates: BTreeMap<u64, (i64, u64)>,
    pub(crate) limits: Option<limits::Ledger>,
}

/// The shared World.
#[derive(Clone)]
pub struct World {
    state: Arc<Mutex<State>>,
    now_ms: NowMs,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}

impl World {
    /// An empty World. `seed` is what tokens and secrets are derived from.
    pub fn new(now_ms: NowMs, seed: u64) -> Self {
        let state = State {
            now_ms: now_ms(),
            base_url: "http://127.0.0.1".to_owned(),
            users: BTreeMap::new(),
            apps: BTreeMap::new(),
            installations: BTreeMap::new(),
            repos: BTreeMap::new(),
            mailbox: Mailbox::default(),
            faults: FaultPlan::default(),
            brief_payloads: false,
            ci_time_max: Duration::from_mins(2),
            rate_max: 5_000,
            tokens: BTreeMap::new(),
            human_tokens: BTreeMap::new(),
            ci: BTreeMap::new(),
            ci_app: None,
            log_links: BTreeMap::new(),
            codes: BTreeMap::new(),
            seed,
            next_id: 1_000,
            secrets_made: 0,
            journal: Vec::new(),
            calls_made: 0,
            counts: BTreeMap::new(),
            by_actor: BTreeMap::new(),
            rates: BTreeMap::new(),
            limits: None,
        };
        Self { state: Arc::new(Mutex::new(state)), now_ms }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.now_ms = (self.now_ms)();
        state
    }

    /// Looks at or arranges the World from outside: no count, no journal, no fault.
    pub fn with<T>(&self, run: impl FnOnce(&mut State) -> T) -> T {
        run(&mut self.lock())
    }

    /// Does one operation for an actor: counted, journalled, limited, and subject to faults.
    pub fn call<T>(
        &self,
        actor: &Actor,
        op: Op,
        run: impl FnOnce(&mut State) -> ApiResult<T>,
    ) -> ApiResult<T> {
        let mut state = self.lock();
        let fault = state.begin(actor, &op);
        let allowed = state.admit(actor);
        let (result, applied) = match (allowed, fault) {
            (Err(refused), _) => (Err(refused), false),
            (Ok(()), None) => {
                let result = run(&mut state);
                let applied = result.is_ok();
                (result, applied)
            }
            (Ok(()), Some(fault)) => {
                let applied = fault.apply && run(&mut state).is_ok();
                (Err(fault.into_error()), applied)
            }
        };
        state.settle_merges();
        let status = result.as_ref().err().map_or(200, |error| error.status);
        state.end(actor, op, status, applied);
        result
    }

    /// A read was answered with "not modified": it does not count against the hour.
    pub fn unchanged(&self, actor: &Actor, path: &str) {
        let mut state = self.lock();
        let name = state.actor_name(actor);
        let mut calls = state.journal.iter_mut().rev();
        let read = |call: &&mut Call| {
            call.actor == name && call.method == "GET" && call.path == path && call.status == 200
        };
        if let Some(call) = calls.find(read) {
            call.status = 304;
        }
        if let Actor::Bot { installation, .. } = actor
            && let Some(rate) = state.rates.get_mut(installation)
        {
            rate.1 = rate.1.saturating_sub(1);
        }
    }

    /// The deliveries that are due by now, taken out of the mailbox.
    pub fn due_deliveries(&self, now_ms: i64) -> Vec<Delivery> {
        self.lock().mailbox.take_due(now_ms)
    }

    /// Records the receiver's answer to a delivery; 0 when there was none.
    pub fn delivery_answered(&self, id: u64, status_code: u16) {
        self.lock().mailbox.answered(id, status_code);
    }

    /// Changes the mailbox's plan.
    pub fn mailbox<T>(&self, run: impl FnOnce(&mut Mailbox) -> T) -> T {
        run(&mut self.lock().mailbox)
    }

    /// Changes the fault plan.
    pub fn faults<T>(&self, run: impl FnOnce(&mut FaultPlan) -> T) -> T {
        run(&mut self.lock().faults)
    }

    pub fn journal(&self) -> Vec<Call> {
        self.lock().journal.clone()
    }

    /// Reads and writes of every actor.
    pub fn call_counts(&self) -> BTreeMap<String, CallCount> {
        self.lock().by_actor.clone()
    }

    /// When something will be due by itself: a delivery or a CI job.
    pub fn next_due_ms(&self) -> Option<i64> {
        let state = self.lock();
        let due = [state.mailbox.next_due_ms(), state.ci_next_due_ms(), state.queue_next_due_ms()];
        due.into_iter().flatten().min()
    }

    pub fn now_ms(&self) -> i64 {
        (self.now_ms)()
    }

    pub fn base_url(&self) -> String {
        self.lock().base_url.clone()
    }

    pub fn set_base_url(&self, url: &str) {
        url.trim_end_matches('/').clone_into(&mut self.lock().base_url);
    }
}

impl State {
    fn begin(&mut self, actor: &Actor, op: &Op) -> Option<super::faults::Fault> {
        let by_app = match actor {
            Actor::App(_) | Actor::Bot { .. } => true,
            Actor::Anonymous | Actor::User(_) => false,
        };
        let nth = self.counts.entry((by_app, op.id)).or_default();
        *nth += 1;
        let nth = *nth;
        self.faults.take(by_app, op.id, nth)
    }

    fn end(&mut self, actor: &Actor, op: Op, status: u16, applied: bool) {
        let name = self.actor_name(actor);
        let count = self.by_actor.entry(name.clone()).or_default();
        if op.is_read() {
            count.reads += 1;
        } else {
            count.writes += 1;
        }
        self.calls_made += 1;
        let effect = applied && !op.is_read();
        let (operation, method, path) = (op.id, op.method, op.path);
        let (n, at_ms) = (self.calls_made, self.now_ms);
        let call = Call { n, at_ms, actor: name, operation, method, path, status, effect };
        if self.journal.len() >= JOURNAL_MAX {
            self.journal.drain(..JOURNAL_MAX / 10);
        }
        self.journal.push(call);
    }

    /// Refuses dead tokens and exhausted installations.
    fn admit(&mut self, actor: &Actor) -> ApiResult<()> {
        let Actor::Bot { installation, expires_ms, .. } = actor else {
            return Ok(());
        };
        let alive = self.installations.get(installation).is_some_and(|one| !one.suspended);
        if !alive || self.now_ms >= *expires_ms {
            return Err(ApiError::bad_credentials());
        }
        let window = self.now_ms.div_euclid(HOUR_MS);
        let rate = self.rates.entry(*installation).or_insert((window, 0));
        if rate.0 != window {
            *rate = (window, 0);
        }
        rate.1 += 1;
        if rate.1 > self.rate_max {
            let what = format!("API rate limit exceeded for installation ID {installation}.");
            let mut refused = ApiError::new(403, what);
            let reset = (window + 1) * HOUR_MS / 1000;
            refused.headers.push(("x-ratelimit-remaining".to_owned(), "0".to_owned()));
            refused.headers.push(("x-ratelimit-reset".to_owned(), reset.to_string()));
            return Err(refused);
        }
        Ok(())
    }

    /// Limit, used and reset (seconds since the epoch) of an actor's hour.
    pub fn rate(&self, actor: &Actor) -> (u64, u64, i64) {
        let window = self.now_ms.div_euclid(HOUR_MS);
        let used = match actor {
            Actor::Bot { installation, .. } => {
                self.rates.get(installation).filter(|rate| rate.0 == window).map_or(0, |r| r.1)
            }
            Actor::Anonymous | Actor::User(_) | Actor::App(_) => 0,
        };
        (self.rate_max, used.min(self.rate_max), (window + 1) * HOUR_MS / 1000)
    }

    pub(crate) fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Hexadecimal digits that only somebody who knows the seed could guess.
    pub(crate) fn fresh_secret(&mut self) -> String {
        use sha2::{Digest, Sha256};
        self.secrets_made += 1;
        let text = format!("{}/{}", self.seed, self.secrets_made);
        hex::encode(Sha256::digest(text.as_bytes()))
    }
}

const HOUR_MS: i64 = 3_600_000;
