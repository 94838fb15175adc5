//! What the core asks for. Imperative; an effect's identity is (run, version, index).

use serde::{Deserialize, Serialize};

use super::event::Timer;
use super::stage::Task;
use crate::command::Authorized;
use crate::model::{BranchName, CommentId, Millis, RunId};

/// One thing to do after the decision is committed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Perform `task` and say under `entry` how it ended.
    Perform { entry: u32, task: Task },
    /// End whatever still runs under entries up to `entry`; its result will be ignored.
    Cancel { entry: u32 },
    /// Look at GitHub and the repository, and say what was seen.
    Look,
    /// Say `timer` under `entry` at this moment; a later one of the same kind replaces it.
    Arm { timer: Timer, entry: u32, at: Millis },
    /// Answer the person who wrote `to`.
    Answer { to: CommentId, answer: Answer },
    /// Give this command to another run, one of the stories.
    Relay { to: RunId, command: Authorized },
    /// Give up the merge lane of `base`, or, with an alarm, keep it closed for everybody.
    Release { base: BranchName, alarm: Option<String> },
}

/// A reply to a comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// A thumb up: done, look at the status comment.
    Done,
    /// Where the run is, in a sentence.
    Status,
    /// The list of commands.
    Help,
    /// The question of the agent that waits, for as long as it waits.
    Question,
    /// A sentence that says why not, or what happens instead, and what to do next.
    Words(String),
}
