//! The store: deliveries, runs, their event logs, jobs, merge lanes and what was published.
//!
//! One transaction holds a state, its event and its jobs; a commit is compare-and-set on the
//! run's version and fenced by the lease of the job it consumes. Adapters: `sqlite`,
//! `postgres`. Honest fake: `memory`. One suite for all: `contract`.

mod audit;
mod beside;
mod claim;
#[cfg(test)]
pub(crate) mod contract;
mod durable;
#[cfg(test)]
mod golden;
mod index;
mod job;
mod limits;
mod link;
pub mod memory;
mod operation;
pub mod postgres;
mod record;
mod shape;
mod spend;
mod sql;
pub mod sqlite;
mod writer;

use std::sync::Arc;

use async_trait::async_trait;

pub use audit::{AuditRow, Audited};
pub use beside::{Beside, LiveRow, STREAM_BYTES_MAX, Stream, StreamRow};
pub use durable::Durable;
use job::inbox_job;
pub use job::{Heavy, INBOX_AHEAD_MS, JobKey, JobKind, Lease, NewJob, OnRepeat};
pub use spend::{Ask, Payer, Reserving};
pub use writer::WRITES_WAITING_MAX;

use crate::model::budget::Usage;
use crate::model::{
    Audit, BranchName, CommitSha, DeliveryId, IssueNumber, Millis, PullNumber, Repo, RunId,
};
use crate::pipeline::{Event, Ignored, State};
use crate::policy::Policy;

/// Largest delivery body kept, in bytes; GitHub sends at most 25 MB.
pub const DELIVERY_BYTES_MAX: usize = 25 * 1024 * 1024;
/// Largest stored state, in bytes; beyond it a commit is refused as a bug.
pub const STATE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most deliveries forgotten at once, so that no commit takes long.
pub const PRUNE_MAX: u32 = 500;
/// Milliseconds that a job which cannot be read is put back, so that it stops nobody.
pub const DAMAGED_BACK_MS: i64 = 24 * 60 * 60 * 1_000;
/// Most runs given by one listing.
pub const RUNS_MAX: u32 = 500;
/// Most lines of the audit given at once.
pub const AUDITS_MAX: u32 = 5_000;
/// Events that Slipway records for itself begin so; no event of GitHub's does.
pub const OWN_EVENT: &str = "slipway";

/// Where everything that must survive lives.
#[async_trait]
pub trait Store: Beside + Send + Sync {
    /// Keeps a delivery and its inbox job, durably, before it is acknowledged. The same GUID
    /// again changes nothing, nor does the same body under another.
    async fn record(&self, delivery: NewDelivery) -> Result<Recorded, Error>;

    async fn delivery(&self, id: &DeliveryId) -> Result<Option<NewDelivery>, Error>;

    /// Forgets at most [`PRUNE_MAX`] deliveries that came before `before` and wait no more;
    /// says how many. A forgotten GUID that comes again is new.
    async fn prune(&self, before: Millis) -> Result<u64, Error>;

    /// Leases up to `claim.jobs_max` due jobs, oldest first, within the limits; heavy ones
    /// before others, for their limits bound them and they take longest. A leased job is
    /// nobody else's until its lease ends; then it may be claimed again, under a higher fence.
    /// A job that cannot be read is put far back, with the reason, and not given.
    async fn claim(&self, claim: &Claim) -> Result<Vec<Lease>, Error>;

    /// When the next unleased job is due, or the next lease runs out; `None` without jobs. May
    /// be past while a limit holds a heavy job back: after a claim that gave nothing, wait for
    /// [`changed`](Self::changed) and not for this moment.
    async fn next_due(&self) -> Result<Option<Millis>, Error>;

    /// Prolongs a lease (also one that ran out but nobody took); says when it was lost or the
    /// job was cancelled meanwhile.
    async fn heartbeat(&self, lease: &Lease, until: Millis) -> Result<Beat, Error>;

    /// Ends a job that moved no run, and puts jobs it caused, in one transaction.
    async fn finish(&self, lease: &Lease, jobs: Vec<NewJob>) -> Result<(), Error> {
        self.finish_audited(lease, jobs, Vec::new()).await
    }

    /// The same, with lines for the audit.
    async fn finish_audited(
        &self,
        lease: &Lease,
        jobs: Vec<NewJob>,
        audits: Vec<Audit>,
    ) -> Result<(), Error>;

    /// Gives a job back to be tried at `due`; counts the attempt. A cancelled job is dropped.
    async fn put_back(&self, lease: &Lease, due: Millis, why: &str) -> Result<(), Error>;

    /// Opens a run with its first state, event and jobs. At most one live run exists for an
    /// issue, and a run's name is never used twice. Its version is then 1.
    async fn open(&self, opening: Opening) -> Result<Opened, Error>;

    async fn load(&self, run: &RunId) -> Result<Option<Snapshot>, Error>;

    /// Writes event, state, index, jobs and lanes, and consumes the leased job, all or nothing.
    /// The version grows by one. A run that waits for a lane ([`State::waits_for_lane`]) is woken,
    /// its timer [`JobKey::lane`] made due, when the lane is given back, or at once when it is
    /// free already.
    ///
    /// # Errors
    /// [`Error::Conflict`], [`Error::Fenced`] and [`Error::LaneBusy`] say that nothing was
    /// written; when several apply, the first of these.
    async fn commit(&self, transition: Transition) -> Result<(), Error>;

    /// Consumes the leased job and notes in the timeline that its event was ignored.
    async fn ignore(&self, ignored: IgnoredEvent) -> Result<(), Error>;

    /// Every event of a run, oldest first.
    async fn timeline(&self, run: &RunId) -> Result<Vec<Entry>, Error>;

    /// The live run of an issue or of its pull request.
    async fn live_run(&self, repo: &Repo, number: IssueNumber) -> Result<Option<RunId>, Error>;

    /// The newest run of an issue or of its pull request, live or not.
    async fn latest_run(&self, repo: &Repo, number: IssueNumber) -> Result<Option<RunId>, Error>;

    /// Every live run of a repository, or of all.
    async fn live_runs(&self, repo: Option<&Repo>) -> Result<Vec<RunRow>, Error>;

    /// Runs for listings, newest first.
    async fn runs(&self, limit: u32) -> Result<Vec<RunRow>, Error>;

    /// Puts jobs that no run's transition causes; keyed, so repeating is harmless.
    async fn put(&self, jobs: Vec<NewJob>) -> Result<(), Error>;

    /// What was last published of a run on GitHub.
    async fn published(&self, run: &RunId) -> Result<Vec<Published>, Error>;

    /// Remembers what was published; replaces the same surface.
    async fn publish(&self, run: &RunId, published: Published) -> Result<(), Error>;

    /// Merge lanes that are taken or closed.
    async fn lanes(&self) -> Result<Vec<Lane>, Error>;

    /// Opens a lane that an alarm closed, and wakes the run that has waited longest for it.
    async fn clear_lane(&self, repo: &Repo, base: &BranchName) -> Result<bool, Error>;

    /// Frees the leases of every other owner and counts the attempt. Only for a store that
    /// proves there is none (a locked file); others answer 0 and let leases run out.
    async fn reclaim(&self, owner: &str, now: Millis) -> Result<u64, Error>;

    /// Appends lines to the audit that no other write brings.
    async fn audit(&self, audits: Vec<Audit>) -> Result<(), Error>;

    /// The audit, newest first, at most `limit` and [`AUDITS_MAX`].
    async fn audits(&self, which: &Audited, limit: u32) -> Result<Vec<AuditRow>, Error>;

    /// Forgets at most [`PRUNE_MAX`] lines of before `before`; the databases themselves refuse
    /// to give up what is younger than ninety days.
    async fn forget_audits(&self, before: Millis) -> Result<u64, Error>;

    /// Reserves what a call costs at worst, in every scope at once, or says which cap is full;
    /// however many ask at once, no cap is exceeded.
    async fn reserve(&self, ask: &Ask) -> Result<Reserving, Error>;

    /// Says what a reserved call cost; `None` when nobody knows, and then it cost its worst. The
    /// first word counts: says whether this was it. What is still open when a step of its run
    /// ends its task is charged at its worst with that step.
    async fn settle(&self, id: u64, micros: Option<u64>) -> Result<bool, Error>;

    /// What is used wherever a call of `payer` at `at` would count.
    async fn usage(&self, payer: &Payer, at: Millis) -> Result<Usage, Error>;

    /// Forgets at most [`PRUNE_MAX`] calls, and as many sums, of before `before`.
    async fn forget_spend(&self, before: Millis) -> Result<u64, Error>;

    /// Depth of the queue and other gauges.
    async fn gauges(&self, now: Millis) -> Result<Gauges, Error>;

    /// Returns when something was committed that may have made a job due, or at once when
    /// that already happened since the last call; for one caller at a time. Durable stores
    /// also return after a few seconds without news, for another process may have written, and
    /// may tell the same news twice.
    async fn changed(&self);

    /// Ends background work and closes the files.
    async fn close(&self);
}

/// One webhook POST, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    pub id: DeliveryId,
    /// The value of `X-GitHub-Event`; not signed, so only a hint.
    pub event: String,
    pub body: Vec<u8>,
    pub at: Millis,
}

/// By what a body from GitHub is known again. What Slipway records for itself, it names itself.
fn body_hash(event: &str, body: &[u8]) -> Option<String> {
    use sha2::{Digest, Sha256};
    (!event.starts_with(OWN_EVENT)).then(|| hex::encode(Sha256::digest(body)))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    New,
    /// This GUID was here before.
    Repeat,
    /// The body was, under another GUID: headers are not signed, bodies are.
    Replay,
}

/// What a worker is willing to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Names this process; different for every start.
    pub owner: String,
    pub now: Millis,
    pub lease_ms: i64,
    pub jobs_max: u32,
    /// Heavy jobs leased at once: in all, and in one repository.
    pub heavy_max: u32,
    pub heavy_per_repo_max: u32,
    /// Heavy jobs leased at once of each agent named here; others are not limited.
    pub heavy_per_agent_max: Vec<(String, u32)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    Kept,
    /// The run does not want the result any more.
    Cancelled,
    /// Somebody else has the job, or it is gone.
    Lost,
}

/// A run about to exist.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    /// The job that caused it, consumed with it.
    pub lease: Option<Lease>,
    pub event: Event,
    pub state: State,
    pub policy: Policy,
    pub jobs: Vec<NewJob>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    New,
    /// The issue has a live run already, or this very run existed before. The leased job is
    /// *not* consumed: the caller decides what to answer.
    Exists(RunId),
}

/// A run as loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    pub state: State,
    pub policy: Policy,
    pub version: u64,
}

/// A step of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    pub run: RunId,
    pub from_version: u64,
    pub lease: Option<Lease>,
    pub event: Event,
    pub next: State,
    pub jobs: Vec<NewJob>,
    /// Drop unleased perform jobs with entries up to this, and mark leased ones cancelled.
    pub cancel_entry: Option<u32>,
    /// Take the merge lane of this base, or fail with [`Error::LaneBusy`].
    pub take_lane: Option<BranchName>,
    /// Give it back, and wake the run that has waited longest for it; with an alarm, close it for
    /// everybody, whoever holds it.
    pub release_lane: Option<(BranchName, Option<String>)>,
    /// Lines for the audit, written with the rest.
    pub audits: Vec<Audit>,
}

/// An event that changed nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct IgnoredEvent {
    pub run: RunId,
    pub lease: Lease,
    pub event: Event,
    pub why: Ignored,
}

/// One line of a timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Counts from 1 without gaps within a run.
    pub number: u64,
    /// The version the event led to; `None` when it was ignored.
    pub version: Option<u64>,
    pub event: Event,
    pub ignored: Option<Ignored>,
    /// The stage and phase after it, in words.
    pub after: String,
}

/// A run in a listing, and how webhooks find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    pub run: RunId,
    pub repo: Repo,
    pub issue: IssueNumber,
    pub title: String,
    pub pull: Option<PullNumber>,
    pub branch: Option<BranchName>,
    pub base: Option<BranchName>,
    pub head: Option<CommitSha>,
    pub live: bool,
    /// The stage, or the outcome's word.
    pub at_stage: String,
    pub opened: Millis,
    pub moved: Millis,
}

/// What was last published on one surface of GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// `issue`, `pull`, or `check:<head>`.
    pub surface: String,
    /// GitHub's id of the comment or check run.
    pub remote: u64,
    /// Of the rendered text.
    pub hash: String,
    pub at: Millis,
}

/// A merge lane: one merge in flight per repository and branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    pub repo: Repo,
    pub base: BranchName,
    pub run: RunId,
    /// Closed for everybody until a person looks.
    pub alarm: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gauges {
    pub jobs_due: u64,
    pub jobs_leased: u64,
    pub jobs_later: u64,
    pub runs_live: u64,
    pub deliveries: u64,
}

/// How old the tables of a database are: numbers of migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schema {
    /// `None` when nothing was made there yet.
    pub found: Option<i64>,
    /// What this program brings its tables to.
    pub ours: i64,
}

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The run moved meanwhile: load, decide and commit again.
    #[error("the run moved meanwhile")]
    Conflict,
    /// The lease is not ours any more; somebody else does the job.
    #[error("the lease was lost")]
    Fenced,
    /// Another run holds the merge lane, or an alarm closed it.
    #[error("the merge lane is taken: {0}")]
    LaneBusy(String),
    /// What is stored cannot be read: an unknown shape or damage.
    #[error("stored data cannot be read: {0}")]
    Damaged(String),
    #[error("the store is full or busy: {0}")]
    Busy(String),
    /// A state or a body beyond its limit.
    #[error("{what} has {bytes} bytes, {bytes_max} are allowed")]
    TooLarge { what: &'static str, bytes: usize, bytes_max: usize },
    #[error("database")]
    Database(#[source] Arc<sqlx::Error>),
    #[error("files: {0}")]
    Files(String),
}
