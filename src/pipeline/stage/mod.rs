//! The catalogue of stages: one file each, one line in the list, and what they ask for and hear.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a stage names the ends it knows; every other one is the same fault, `unexpected`"
)]

mod accept;
mod answer;
mod build;
mod ci;
mod close;
mod conflicts;
mod critique;
mod ground;
mod hold;
mod merge;
mod plan;
mod publish;
pub(super) mod queue;
mod repair;
mod review;
mod role;
mod steps;
mod stories;
pub(super) mod update;
mod verify;

use serde::{Deserialize, Serialize};

pub use self::answer::{MergeAnswer, Settled, UpdateAnswer};
use self::ground::{ground, moved, undraft, undrafted};
pub use self::role::Role;
pub use self::steps::{LOOK_MS, PEOPLE_MS};
pub(super) use self::steps::{adopt, park};
use self::steps::{patience, refused, unexpected, wait, wait_to_see};
use super::budget::Unfinished;
use super::critique::Critique as Found;
use super::park::Park;
use super::question::Talk;
use super::run::Run;
use super::standing::{Enlisted, Left, Way};
use super::state::{Outcome, Wait};
use super::stories::Story;
use super::trust::Diff;
use super::twin::Signing;
use crate::gate::MergePermit;
use crate::gate::push::Violation;
use crate::gate::seen::Seen;
use crate::model::budget::Full;
use crate::model::{BranchName, CheckId, CommitSha, PullNumber, TreeSha, User};
use crate::policy::{MergeMethod, Policy};

macro_rules! stages {
    ($($(#[$doc:meta])* $name:ident = $file:ident,)+) => {

        /// A stage of the pipeline, in order.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum StageKind {
            $($(#[$doc])* $name,)+
        }

        impl StageKind {
            /// Every stage, in the order of the pipeline.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word for it in reports, logs and the policy file.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($file),)+
                }
            }

            /// What it does.
            pub fn stage(self) -> &'static dyn Stage {
                match self {
                    $(Self::$name => &$file::$name,)+
                }
            }
        }
    };
}

stages! {
    /// Take the request: find the base branch and pin its tip.
    Accept = accept,
    /// Let an agent plan.
    Plan = plan,
    /// Let an agent make the change.
    Build = build,
    /// Run the repository's own commands on exactly the head.
    Verify = verify,
    /// Have another agent review the change.
    Critique = critique,
    /// Push the head and open the pull request.
    Publish = publish,
    /// Keep the head mergeable, found locally before CI is awaited.
    Conflicts = conflicts,
    /// Wait for CI, and have failures fixed.
    Ci = ci,
    /// Wait for the people the policy names.
    Review = review,
    /// Merge exactly the verified commit.
    Merge = merge,
    /// Close the issue and tidy up.
    Close = close,
}

/// What a stage does with what happens. Pure: everything it may know is in `run`.
pub trait Stage: Sync {
    /// One sentence in the progressive form for the report: "is doing …".
    fn doing(&self) -> &'static str;

    /// The policy leaves this stage out.
    fn skipped(&self, _policy: &Policy) -> bool {
        false
    }

    /// The run arrives here, or is sent back here; evidence that still holds lets it pass.
    fn enter(&self, run: &mut Run<'_>) -> Step;

    /// A task of this stage ended.
    fn done(&self, run: &mut Run<'_>, done: &Done) -> Step;

    /// There is a new look in `run.state.seen` while this stage waits or is parked, or a wait
    /// has lasted as long as it may. Compare deadlines with `run.at`.
    fn seen(&self, run: &mut Run<'_>) -> Step {
        self.enter(run)
    }
}

/// The pipeline `policy` defines: the stages that are on, in order.
pub fn pipeline(policy: &Policy) -> impl Iterator<Item = StageKind> + '_ {
    StageKind::ALL.iter().copied().filter(|kind| !kind.stage().skipped(policy))
}

/// What a stage wants next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Nothing to do now; everything stays as it is.
    Stay,
    Do(Task),
    Wait(Wait),
    Park(Park),
    Next,
    Back(StageKind),
    Finish(Outcome),
}

/// A piece of work outside the core, performed by `worker::perform`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Fetch the repository and find the base branch. → `Accepted`, `NoBase`
    Accept { base: Option<BranchName>, pull: Option<PullNumber> },
    /// Read how far the sub-issues are and start those that may; with `close`, close the issue
    /// they belong to. → `Stories`, `Closed`
    Stories { close: bool },
    /// Run an agent. → `Planned`, `Changed`, `Unchanged`, `Critiqued`, `Rejected`,
    /// `AgentFailed`, `Leaked`, `Asked`, `BudgetUsed`
    Agent { role: Role, round: u32 },
    /// Ask whether the agent that had to stop could go on. → `Affordable`, `BudgetUsed`
    Afford,
    /// Run the policy's commands on `head` in the sandbox. → `Verified`
    Verify { head: CommitSha },
    /// Read what `head` changes, for people who release it. → `Shown`
    Show { head: CommitSha },
    /// Push `head` where `expect` was before, find or open the pull request.
    /// → `Published`, `Diverged`, `Rejected`, `Leaked`
    Publish { head: CommitSha, expect: Option<CommitSha> },
    /// Merge `base` into `head` without an agent. → `Changed`, `Failed`
    Update { head: CommitSha, base: CommitSha },
    /// Ask GitHub to merge `base` into exactly `head`. → `UpdateAsked`
    AskUpdate { pull: PullNumber, head: CommitSha, base: CommitSha },
    /// Find out whether `found` is exactly the merge of `base` into `head` that GitHub was asked
    /// for. → `Recognised`, `Diverged`
    Recognise { head: CommitSha, base: CommitSha, found: CommitSha },
    /// Ask for these checks to be run again. → `Reran`
    Rerun { checks: Vec<CheckId> },
    /// Make our draft ready for people. → `Undrafted`
    Undraft { pull: PullNumber },
    /// Take the merge lane of `base`, then look. → `Ready`, `LaneBusy`
    Ready { base: BranchName },
    /// The merge call. → `MergeAnswered`
    Merge(MergePermit),
    /// Read, never write, until it is known whether the merge took effect. → `Settled`
    Settle { permit: MergePermit },
    /// Ask GitHub to merge exactly the permitted head later, by itself. → `Enlisted`
    Enlist { permit: MergePermit, way: Way },
    /// Take back what was asked; may be repeated. → `Left`
    Leave { pull: PullNumber, way: Way },
    /// What landed, and what the permitted head makes of the commit before it. → `Compared`
    Compare { commit: CommitSha, permit: MergePermit },
    /// Compare the landed tree with the predicted one. → `Landed`
    Land { commit: CommitSha, predicted: TreeSha },
    /// Close the issue if GitHub did not, delete our branch. → `Closed`
    Close { landed: CommitSha },
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    Accepted {
        base: BranchName,
        tip: CommitSha,
        method: MergeMethod,
        adopted: Option<Adopted>,
        /// What its programs run in: the level, by what, what is missing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sandbox: Option<String>,
    },
    /// The base branch asked for does not exist.
    NoBase {
        why: String,
    },
    /// How far the stories are, and how many open ones are in other repositories.
    Stories {
        stories: Vec<Story>,
        elsewhere: u32,
    },
    Planned {
        text: String,
        cost_micros: u64,
    },
    /// A new commit exists in the mirror.
    Changed {
        head: CommitSha,
        tree: TreeSha,
        summary: String,
        cost_micros: u64,
    },
    /// The agent ended well and changed nothing.
    Unchanged {
        summary: String,
        cost_micros: u64,
    },
    /// What a critic found.
    Critiqued {
        critique: Box<Found>,
        cost_micros: u64,
    },
    /// The push gate refused what was made; nothing was committed, or nothing pushed.
    Rejected {
        why: String,
        cost_micros: u64,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        violations: Vec<Violation>,
    },
    /// A secret of ours, or what was planted for thieves, came back out of the sandbox.
    Leaked {
        why: String,
        cost_micros: u64,
    },
    /// The agent crashed, hung or said nothing usable.
    AgentFailed {
        why: String,
        cost_micros: u64,
    },
    /// The agent ended because it asks something only a person can say.
    Asked {
        text: String,
        /// What it did until then, in its own words.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        did: String,
        /// What it had made by then, if that may be kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left: Option<Unfinished>,
        /// The conversation that can be gone on with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        talk: Option<Talk>,
        cost_micros: u64,
    },
    /// A call of the agent's was not made, because a cap is full.
    BudgetUsed {
        full: Full,
        /// What it had made by then, if that may be kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left: Option<Unfinished>,
        cost_micros: u64,
    },
    /// There is room for the call that was not made.
    Affordable,
    Verified {
        head: CommitSha,
        passed: bool,
        log: String,
        signature: Option<String>,
    },
    /// What the head changes.
    Shown {
        head: CommitSha,
        diff: Diff,
    },
    /// Nothing was done: on whose word it would have been, may not write any more.
    Lost {
        people: Vec<User>,
    },
    Published {
        head: CommitSha,
        pull: PullNumber,
        /// `None` where nobody asked for GitHub's signature.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signing: Option<Signing>,
    },
    /// Somebody else moved our branch; `None` when it is gone.
    Diverged {
        remote: Option<CommitSha>,
    },
    UpdateAsked(UpdateAnswer),
    /// The branch holds exactly the merge that was asked for.
    Recognised {
        head: CommitSha,
        tree: TreeSha,
    },
    Reran,
    /// The pull request is no draft any more.
    Undrafted,
    Ready(Box<Seen>),
    /// Another run merges into this branch, or an alarm closed it.
    LaneBusy {
        why: String,
    },
    MergeAnswered(MergeAnswer),
    Settled(Settled),
    Enlisted(Enlisted),
    Left(Left),
    Compared {
        tree: TreeSha,
        /// `None` when the permitted head does not fit, or is not in it.
        expected: Option<TreeSha>,
    },
    Landed {
        tree: TreeSha,
        commit: CommitSha,
    },
    Closed,
    /// The world did not answer as it should, for good.
    Failed {
        why: String,
    },
}

/// A pull request that existed before the run: its branch becomes the run's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopted {
    pub pull: PullNumber,
    pub branch: BranchName,
    pub head: CommitSha,
}
