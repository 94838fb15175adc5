//! What an agent is doing now, and what it did: figures, and lines of its own made harmless.
//!
//! Nothing is decided by it. It is told while an agent works, shown to people, and may be lost at
//! any moment.

use serde::{Deserialize, Serialize};

use super::stage::{Role, Task};
use super::state::State;
use crate::model::{Cost, Millis};

/// Newest things it did that are kept.
pub const NEWS_MAX: usize = 30;
/// Newest files that are named.
pub const NAMED_MAX: usize = 5;
/// Longest line, name or summary in it, in characters.
pub const LINE_CHARS_MAX: usize = 160;

/// An agent at work. Every text in it is visible, on one line, cut, and without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// With its model, where that is known.
    pub agent: String,
    pub role: Role,
    pub round: u32,
    pub since: Millis,
    /// The last sign of life.
    pub heard: Millis,
    /// What it said, whatever it means.
    pub lines: u64,
    pub bytes: u64,
    /// What it is doing just now, where it tells.
    pub tool: Option<Doing>,
    /// Calls of tools, and those of them that failed.
    pub calls: u32,
    pub failed: u32,
    /// Different files it wrote, and the newest of them, the very newest last.
    pub files: u32,
    pub named: Vec<String>,
    /// Of a list it keeps for itself.
    pub steps: Option<Steps>,
    /// Times its model was asked once more.
    pub retries: u32,
    pub tokens: u64,
    pub cost: Cost,
    /// The newest things it did, the very newest last.
    pub news: Vec<News>,
}

/// A call of a tool that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doing {
    /// The kind of tool, in a word.
    pub kind: String,
    /// What it is about.
    pub about: String,
    pub since: Millis,
}

/// How far a list of steps is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steps {
    pub done: u32,
    pub all: u32,
}

/// Something it did, in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    pub at: Millis,
    pub text: String,
}

/// What an agent did, when it is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worked {
    pub agent: String,
    pub seconds: u64,
    pub calls: u32,
    pub files: u32,
    /// Calls of its model, where they go through the gateway.
    pub turns: u64,
    pub tokens: u64,
    pub cost: Cost,
}

impl Live {
    /// Nothing was heard of it yet, by itself or from its model.
    pub fn is_silent(&self) -> bool {
        self.bytes == 0 && self.tokens == 0 && self.retries == 0
    }
}

impl State {
    /// Whether what is told of an agent under `entry` is about what the run does now.
    pub fn has_at_work(&self, entry: u32) -> bool {
        self.entry == entry && matches!(self.task(), Some(Task::Agent { .. }))
    }
}
