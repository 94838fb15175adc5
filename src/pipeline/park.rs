//! Why a run waits for a person, and which command lets it go on.

use serde::{Deserialize, Serialize};

/// A run that cannot go on by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Park {
    pub why: ParkReason,
    /// One calm sentence for the person, with the fact that led here.
    pub text: String,
}

/// The kinds of parking, each with the commands that end it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParkReason {
    /// An agent produced nothing usable.
    AgentStuck,
    /// An agent asks something only a person can say.
    Question,
    /// Fix rounds used up or standing still.
    FixesSpent,
    /// Resolve rounds used up or standing still.
    ConflictStuck,
    /// No check and no rule: nothing speaks for this head.
    NoChecks,
    /// A required check never started.
    NeverStarted,
    /// CI ran longer than it may.
    CiTooLong,
    /// A check waits for a person on GitHub.
    CheckNeedsPerson,
    /// The set of required checks shrank while we waited (I6).
    RulesChanged,
    /// GitHub refuses the merge for a reason we cannot change.
    MergeRefused,
    /// It cannot be told whether a merge call took effect.
    MergeUnknown,
    /// GitHub's record of the head lags behind git.
    HeadLag,
    /// A critic objects, and nobody repairs it any more; or it could not say.
    CritiqueOpen,
    /// Review rounds used up.
    ReviewsSpent,
    /// The base moves faster than CI.
    BaseRace,
    /// GitHub's merge queue, or a person, gave it back.
    QueueRefused,
    /// It stands in GitHub's merge queue longer than it may; there it stays.
    QueueTooLong,
    /// Nobody said `/push` in time.
    NotReleased,
    /// Whose word the run rests on may not write any more.
    PermissionLost,
    /// The budget of the stage, the run or the issue is used up.
    BudgetSpent,
    /// A cap is reached that `/budget` does not raise: it is shared, or bounds one call.
    CapReached,
    /// GitHub, git or the sandbox failed for good.
    WorldFailed,
}

impl ParkReason {
    /// What the person can do, as one sentence naming the command.
    pub fn next(self) -> &'static str {
        match self {
            Self::NoChecks => {
                "Comment `/approve` to accept this commit without checks, or `/stop`."
            }
            Self::CheckNeedsPerson => {
                "Do what the check asks for on GitHub; Slipway goes on by itself. Or `/stop`."
            }
            Self::QueueTooLong => {
                "It stays in the queue and may still land. Comment `/retry` to wait on, or \
                 `/stop` to take it out."
            }
            Self::NotReleased => {
                "Comment `/push` to let exactly this change be pushed, `/retry` to wait on, or \
                 `/stop`."
            }
            Self::CritiqueOpen => {
                "Comment `/push` to let exactly this change be pushed as it is, `/retry` to have \
                 it repaired and reviewed again, or `/stop`."
            }
            Self::PermissionLost => {
                "Somebody who may write comments `/retry` to take the run over, or `/stop`."
            }
            Self::BudgetSpent => {
                "Somebody who may maintain comments `/budget +5` to let it spend so many dollars \
                 more for seven days, or `/stop`."
            }
            Self::CapReached => {
                "Whoever runs Slipway can raise it; then comment `/retry`. Or `/stop`."
            }
            Self::Question => {
                "Comment `/answer` with the answer after it; the agent goes on from where it is. \
                 `/retry` lets it decide by itself, and `/stop` ends the run."
            }
            Self::MergeUnknown => "Look at the pull request, then comment `/retry` or `/stop`.",
            Self::AgentStuck
            | Self::FixesSpent
            | Self::ConflictStuck
            | Self::NeverStarted
            | Self::CiTooLong
            | Self::RulesChanged
            | Self::MergeRefused
            | Self::HeadLag
            | Self::ReviewsSpent
            | Self::BaseRace
            | Self::QueueRefused
            | Self::WorldFailed => {
                "Comment `/retry` to try again, push to the branch yourself, or `/stop`."
            }
        }
    }
}
