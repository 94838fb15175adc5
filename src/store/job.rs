//! Jobs: queued effects, their keys, and the leases under which they are done.

use serde::{Deserialize, Serialize};

use crate::command::Authorized;
use crate::model::{CommentId, DeliveryId, InstallationId, IssueNumber, Millis, Repo, RunId};
use crate::pipeline::{Answer, Task, Timer};

use super::NewDelivery;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Read a delivery and turn it into events.
    Inbox { delivery: DeliveryId },
    /// Perform a task for a run.
    Perform { run: RunId, entry: u32, task: Task },
    /// Look at GitHub and the repository for a run.
    Look { run: RunId },
    /// Tell a run that a timer went off.
    Timer { run: RunId, entry: u32, timer: Timer },
    /// Make GitHub show what is so.
    Report { run: RunId },
    /// Answer a comment.
    Answer {
        installation: InstallationId,
        repo: Repo,
        issue: IssueNumber,
        to: CommentId,
        answer: Answer,
    },
    /// A command from the operator, at the machine.
    Command { run: RunId, command: Authorized },
    /// Look for commands whose webhook was lost, given since this moment.
    Sweep { since: Millis },
    /// Read GitHub's log of deliveries from this moment on.
    Poll { since: Millis },
}

impl JobKind {
    /// The run it belongs to.
    pub fn run(&self) -> Option<&RunId> {
        match self {
            Self::Perform { run, .. }
            | Self::Look { run }
            | Self::Timer { run, .. }
            | Self::Report { run }
            | Self::Command { run, .. } => Some(run),
            Self::Inbox { .. } | Self::Answer { .. } | Self::Sweep { .. } | Self::Poll { .. } => {
                None
            }
        }
    }

    /// The entry it performs, when it performs one.
    pub fn entry(&self) -> Option<u32> {
        match self {
            Self::Perform { entry, .. } => Some(*entry),
            Self::Inbox { .. }
            | Self::Look { .. }
            | Self::Timer { .. }
            | Self::Report { .. }
            | Self::Answer { .. }
            | Self::Command { .. }
            | Self::Sweep { .. }
            | Self::Poll { .. } => None,
        }
    }

    /// A word for logs and metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Inbox { .. } => "inbox",
            Self::Perform { .. } => "perform",
            Self::Look { .. } => "look",
            Self::Timer { .. } => "timer",
            Self::Report { .. } => "report",
            Self::Answer { .. } => "answer",
            Self::Command { .. } => "command",
            Self::Sweep { .. } => "sweep",
            Self::Poll { .. } => "poll",
        }
    }
}

/// The idempotency key of a job: there is never more than one with the same key.
/// At most [`JobKey::BYTES_MAX`] bytes; a longer one is refused when put.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobKey(pub String);

impl JobKey {
    /// Longest key, in bytes.
    pub const BYTES_MAX: usize = 500;

    /// The key of the timer with which a run tries its merge lane again. Who gives the lane
    /// back makes it due; `sql.rs` knows it too.
    pub fn lane(run: &RunId) -> Self {
        Self(format!("{run}/timer/lane"))
    }

    /// The key of the job that reads a delivery.
    pub fn inbox(delivery: &DeliveryId) -> Self {
        Self(format!("inbox:{delivery}"))
    }
}

/// What happens when a job with this key waits already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnRepeat {
    /// The old one stays.
    Keep,
    /// The old one becomes due at the earlier of both moments. If it is leased right now, it
    /// runs once more after that, not before the new moment.
    Sooner,
    /// The new one takes its place (payload and moment; no attempts). If the old one is leased
    /// right now, the new one runs after it.
    Replace,
}

/// A job to put.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    pub key: JobKey,
    pub kind: JobKind,
    pub due: Millis,
    pub on_repeat: OnRepeat,
    /// It runs an agent or checks, and counts against the limits.
    pub heavy: Option<Heavy>,
}

/// What a heavy job counts against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heavy {
    pub repo: Repo,
    pub agent: Option<String>,
}

/// The right to do a job until a moment. Only the store makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct Lease {
    pub(in crate::store) id: u64,
    pub(in crate::store) fence: u64,
    pub(in crate::store) owner: String,
    pub key: JobKey,
    pub kind: JobKind,
    pub until: Millis,
    /// Times it was put back, ran out of its lease or lost its owner before.
    pub attempts: u32,
    /// Milliseconds it waited after it was due.
    pub late_ms: i64,
}

/// Deliveries are due this much before they came, in milliseconds: a person who waits for a
/// sign goes before all that became due meanwhile.
pub const INBOX_AHEAD_MS: i64 = 60_000;

/// The job that reads a delivery.
pub(super) fn inbox_job(delivery: &NewDelivery) -> NewJob {
    NewJob {
        key: JobKey::inbox(&delivery.id),
        kind: JobKind::Inbox { delivery: delivery.id.clone() },
        due: delivery.at.plus(-INBOX_AHEAD_MS),
        on_repeat: OnRepeat::Keep,
        heavy: None,
    }
}
