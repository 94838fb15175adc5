//! A standing order: GitHub was asked to merge by itself, through its queue or when it may.
//!
//! From the moment it is asked until GitHub says that it is merged, gone or taken back, the order
//! stands, and nothing else is asked for. It is bound to the permit it was given with.

use serde::{Deserialize, Serialize};

use super::stage::MergeAnswer;
use crate::gate::MergePermit;
use crate::model::{CommitSha, Millis};

/// How GitHub is asked to merge later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// An entry in the merge queue of the base branch.
    Queue,
    /// Auto-merge: GitHub merges when its own rules allow it.
    Auto,
}

impl Way {
    /// What people call it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queue => "merge queue",
            Self::Auto => "auto-merge",
        }
    }
}

/// An order that stands, or may stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    pub permit: MergePermit,
    pub way: Way,
    /// When it was asked for; older looks know nothing of it.
    pub since: Millis,
    /// A look, or GitHub's answer, has shown it.
    pub found: bool,
    /// The look that first missed it; a second one, seconds later, must agree.
    pub missed_at: Option<Millis>,
    /// The commit on which the queue last tested it.
    pub group: Option<CommitSha>,
    /// It is being taken back.
    pub leaving: Option<Leaving>,
    /// Times it was tried to take it back.
    pub tries: u32,
}

impl Standing {
    /// One that is just being asked for.
    pub fn new(permit: MergePermit, way: Way, since: Millis) -> Self {
        Self {
            permit,
            way,
            since,
            found: false,
            missed_at: None,
            group: None,
            leaving: None,
            tries: 0,
        }
    }
}

/// Why an order is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaving {
    /// `/stop`.
    Stop,
    /// The reason for the run went away.
    Withdrawn,
    /// Somebody pushed to our branch.
    Moved,
    /// A gate does not pass any more.
    Gate,
}

/// GitHub's answer to being asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enlisted {
    Stands,
    /// Nothing is pending, so GitHub wants a merge call instead.
    Clean,
    /// A definite no; nothing was done.
    No(MergeAnswer),
    /// Nobody knows whether it took effect.
    Unknown {
        text: String,
    },
}

/// What taking it back came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// GitHub took it back, and the pull request is open.
    Out,
    /// GitHub shows no order, and the pull request is open; a read alone, to be confirmed.
    Absent,
    /// GitHub was faster.
    Merged {
        commit: CommitSha,
    },
    Closed,
    /// It still stands, or GitHub does not say.
    Unclear,
}
