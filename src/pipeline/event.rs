//! What happened to a run. Past tense; every event carries its moment and its identity.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::budget::Unfinished;
use super::live::Worked;
use super::preview::Preview;
use super::stage::Done;
use crate::command::Authorized;
use crate::gate::seen::Seen;
use crate::model::budget::Spending;
use crate::model::{Millis, User};

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub at: Millis,
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The run was opened by somebody who may.
    Started,
    /// Somebody who may gave a slash command or pressed a button.
    Commanded(Authorized),
    /// The reason for the run was taken away.
    Withdrawn { by: Option<User>, how: Withdrawal },
    /// A task we asked for under `entry` ended.
    Performed {
        entry: u32,
        done: Done,
        #[serde(flatten)]
        told: Told,
    },
    /// Somebody looked at GitHub and the repository.
    Observed(Box<Seen>),
    /// A timer armed under `entry` went off.
    TimerFired { timer: Timer, entry: u32 },
}

/// What is told beside how a task ended.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Told {
    /// What the agent asked its way out for in vain, as `host:port`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused_hosts: Vec<String>,
    /// What its run has spent by then, where an agent that costs money was at work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spending: Option<Spending>,
    /// What an agent had made that failed or was stopped, if that may be kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub salvaged: Option<Unfinished>,
    /// Why an agent stood in for the one that was wanted, as sentences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stood_in: Option<String>,
    /// In a dry run, beside the plan: how the change would be asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview: Option<Arc<Preview>>,
    /// What the agents of the task did, one after the other.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub worked: Vec<Worked>,
}

impl EventKind {
    /// A task ended, and there is nothing to tell beside.
    pub fn performed(entry: u32, done: Done) -> Self {
        Self::Performed { entry, done, told: Told::default() }
    }
}

/// How the reason for a run can go away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withdrawal {
    LabelRemoved,
    IssueClosed,
}

/// A timer may ask; it never concludes about the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timer {
    /// Time to look again at a run that is waiting.
    Look,
    /// A wait has lasted as long as it may.
    Deadline,
    /// Time to try the merge lane again: it was given back, or some time passed.
    Lane,
    /// The cap that was reached is renewed: time to ask whether there is room.
    Budget,
}
