//! The money of a run: who let it spend more, what is known of it, and what stopped for want of it.

use serde::{Deserialize, Serialize};

use super::park::ParkReason;
use super::stage::Role;
use super::state::State;
use crate::model::budget::{Full, Raise, Spending, raised};
use crate::model::{CommitSha, Millis, TreeSha};

/// Times a run goes on by itself when a cap renews, before a person must say something.
pub const RESUMES_MAX: u32 = 3;

/// What a run knows of its money.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Budget {
    /// What people let it spend beyond its caps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub raises: Vec<Raise>,
    /// As it was when the last agent ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spending: Option<Spending>,
    /// The agent that had to stop, until it went on and ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short: Option<Box<Short>>,
    /// Times it went on by itself since a person last said something.
    pub resumes: u32,
}

/// An agent that had to stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Short {
    pub role: Role,
    pub round: u32,
    pub full: Full,
    /// What it had made by then, kept in our own mirror.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Unfinished>,
}

/// Unfinished work that passed the push gate. It is gone on from and never published as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfinished {
    pub head: CommitSha,
    pub tree: TreeSha,
    pub summary: String,
}

impl Budget {
    /// Nothing was ever spent or said of money.
    pub fn is_untouched(&self) -> bool {
        *self == Self::default()
    }

    /// What people let it spend beyond its caps at `at`, in micros.
    pub fn raised(&self, at: Millis) -> u64 {
        raised(&self.raises, at)
    }

    /// The unfinished work the next agent goes on from.
    pub fn left(&self) -> Option<&Unfinished> {
        self.short.as_deref()?.left.as_ref()
    }
}

impl State {
    /// When a run that is parked for want of money asks again by itself.
    pub fn asks_again_at(&self) -> Option<Millis> {
        self.park().filter(|park| is_for_money(park.why))?;
        let short = self.budget.short.as_deref()?;
        short.full.renews.filter(|_| self.budget.resumes < RESUMES_MAX)
    }
}

/// Whether a run that is parked for this goes on as soon as it may spend.
pub fn is_for_money(why: ParkReason) -> bool {
    match why {
        ParkReason::BudgetSpent | ParkReason::CapReached => true,
        ParkReason::AgentStuck
        | ParkReason::Question
        | ParkReason::FixesSpent
        | ParkReason::ConflictStuck
        | ParkReason::NoChecks
        | ParkReason::NeverStarted
        | ParkReason::CiTooLong
        | ParkReason::CheckNeedsPerson
        | ParkReason::RulesChanged
        | ParkReason::MergeRefused
        | ParkReason::MergeUnknown
        | ParkReason::HeadLag
        | ParkReason::CritiqueOpen
        | ParkReason::ReviewsSpent
        | ParkReason::BaseRace
        | ParkReason::QueueRefused
        | ParkReason::QueueTooLong
        | ParkReason::NotReleased
        | ParkReason::PermissionLost
        | ParkReason::WorldFailed => false,
    }
}
