//! Where a run is: what was asked, what was made, what is awaited, how it ended.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::budget::Budget;
use super::critique::{Critic, Finding};
use super::event::Withdrawal;
use super::frozen::{Frozen, Taint};
pub use super::outcome::Outcome;
use super::park::Park;
use super::question::{Answered, Asked};
use super::stage::{StageKind, Task};
use super::standing::Standing;
use super::stories::Story;
use super::trust::Held;
use super::twin::Signing;
use crate::gate::MergePermit;
use crate::gate::push::{Judged, Violation};
use crate::gate::seen::{Check, Seen};
use crate::model::{
    BranchName, CommentId, CommitSha, InstallationId, IssueNumber, Millis, PullNumber, Repo, RunId,
    TreeSha, User, UserId,
};
use crate::policy::MergeMethod;

/// Everything a decision may look at, beside the policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Shared: a decision copies the state, and the request never changes.
    pub request: Arc<Request>,
    pub progress: Progress,
    /// Number of the newest task handed out; results of older ones are stale.
    pub entry: u32,
    pub work: Work,
    pub counts: Counts,
    /// Set by `/hold`: nothing is merged until `/unhold`.
    pub held_by: Option<User>,
    /// Set by `/stop` once a merge was asked for: only GitHub's answer ends the run then.
    pub stop_by: Option<User>,
    /// The reason for the run went away; the next look decides whether it was by merging.
    pub withdrawn: Option<Withdrawal>,
    /// Why words of strangers may be in what was made; grows, never shrinks.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tainted: BTreeSet<Taint>,
    /// Who took the run over when whoever asked may not write any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sponsor: Option<User>,
    #[serde(default, skip_serializing_if = "Budget::is_untouched")]
    pub budget: Budget,
    /// The newest look.
    pub seen: Option<Arc<Seen>>,
}

/// What was asked, frozen at that moment: later edits do not reach the agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    pub run: RunId,
    pub repo: Repo,
    pub installation: InstallationId,
    pub issue: IssueNumber,
    /// The request is about this pull request, which exists already.
    pub pull: Option<PullNumber>,
    pub title: String,
    pub body: String,
    pub by: User,
    /// The comment that asked; `None` when a label did.
    pub comment: Option<CommentId>,
    pub base: Option<BranchName>,
    pub agent: Option<String>,
    /// What chose it, and the agents of single stages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<super::chosen::Chosen>,
    /// Words after the options of `/go`, for the agent.
    pub words: String,
    pub dry_run: bool,
    /// The issue has sub-issues: they are worked through instead of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stories: bool,
    /// The run this is a story of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<RunId>,
    /// The comments that were read with it, and what is known of its words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen: Option<Frozen>,
    /// What nobody sees and was taken out of title, body and words, as the rest of a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_out: Option<String>,
    pub at: Millis,
}

/// Where the run is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Opened, not started.
    Idle,
    Running {
        stage: StageKind,
        since: Millis,
        phase: Phase,
    },
    Finished {
        outcome: Outcome,
        at: Millis,
    },
}

/// What a running stage is doing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// A task is out.
    Doing(Task),
    /// The world must do something; a look or a timer goes on.
    Waiting(Wait),
    /// A person must do something.
    Parked(Park),
}

/// A wait with its sentence and its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// What is awaited, as the rest of "waiting for …".
    pub what: String,
    /// When the wait is given up, and what happens then; `None` when a person is awaited.
    pub until: Option<Until>,
    /// Milliseconds between looks when no webhook comes; see `stage::LOOK_MS`.
    pub look_ms: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Until {
    pub at: Millis,
    /// What happens then, as the rest of "then …".
    pub then: String,
}

/// What the run has made and proven so far. Evidence is bound to a commit and void for others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Work {
    /// Where the work started; later merges of the base move `onto` along.
    pub base: Option<BranchName>,
    pub onto: Option<CommitSha>,
    /// The policy allows, the issue names: the branch we push.
    pub branch: Option<BranchName>,
    pub plan: Option<String>,
    /// In a dry run: how the change would be asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<Arc<super::preview::Preview>>,
    /// The sub-issues as they were last read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stories: Vec<Story>,
    /// Open sub-issues in other repositories, which are not ours to work on.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stories_elsewhere: u32,
    pub head: Option<CommitSha>,
    /// The head was pushed by somebody else; we build on it and never force over it.
    pub foreign: bool,
    pub summary: Option<String>,
    pub verified: Option<CommitSha>,
    #[serde(default, skip_serializing_if = "Critic::is_untouched")]
    pub critic: Critic,
    pub published: Option<CommitSha>,
    /// What our last push replaced: a look that began before it still shows this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<CommitSha>,
    /// How the published head came to its branch; `None` where no signature was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing: Option<Signing>,
    pub pull: Option<PullNumber>,
    /// We opened the pull request as a draft and have not made it ready: a draft is ours. Any
    /// other one is a person's, and holds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drafted: bool,
    /// What GitHub was asked to merge into the branch, until it shows or is given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updating: Option<Updating>,
    /// Names once seen as required; grows silently, never shrinks (merge facts, I6).
    pub required: BTreeSet<String>,
    /// A person accepted this head although no check speaks for it.
    pub without_checks: Option<CommitSha>,
    /// The change that waits for `/push`, and `/push` for this head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Approval>,
    /// `/approve` for this head.
    pub approved: Option<Approval>,
    /// Everybody who said `/approve`, with the head it was last said for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub approvals: BTreeMap<UserId, CommitSha>,
    /// `/merge` for this head.
    pub merge_ordered: Option<Approval>,
    /// What the next fix is about.
    pub complaint: Option<Complaint>,
    /// Why the push gate refused the last attempt, in one sentence and one by one.
    pub rejection: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Violation>,
    /// What the push gate said of the last head that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<Judged>,
    /// The question of an agent, until the one that goes on has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Box<Asked>>,
    /// Questions that were answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answered>,
    /// What the last agent had made, when it failed or was stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salvage: Option<Box<super::salvage::Salvage>>,
    /// Why the last agent stood in for the one that was wanted, in sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stood_in: Option<String>,
    /// What agents asked their way out for in vain, as `host:port`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub refused_hosts: BTreeSet<String>,
    /// The tree the last merge call must give.
    pub predicted: Option<TreeSha>,
    /// The permit of a merge call whose outcome is not known; until it is, only reads (I4).
    #[serde(default)]
    pub unsettled: Option<MergePermit>,
    /// What GitHub was asked to merge by itself, until it did, gave it back or let it go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
    /// No further merge call before this moment: GitHub said no, and it may pass.
    pub pause_until: Option<Millis>,
    /// The merge lane we hold.
    pub lane: Option<BranchName>,
    /// The merge lane it was last refused, until it gets it or no longer wants it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane_wait: Option<LaneWait>,
    /// How to merge, chosen from what the repository allows.
    pub method: MergeMethod,
    pub landed: Option<CommitSha>,
    /// Who merged it, when it was not Slipway.
    pub merged_by: Option<String>,
    /// The landed tree was compared and is the predicted one.
    pub landed_verified: bool,
    /// Reviews already handed to the agent.
    pub addressed: BTreeSet<u64>,
    /// When the current head was published.
    pub published_at: Option<Millis>,
    /// When a person asked for another try: waits are measured anew from then.
    #[serde(default)]
    pub retried_at: Option<Millis>,
}

/// A merge lane that another run holds, and since when it is waited for: who waited longest
/// comes first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneWait {
    pub base: BranchName,
    pub since: Millis,
}

/// A merge of the base into the branch that GitHub was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Updating {
    pub head: CommitSha,
    pub base: CommitSha,
    pub since: Millis,
}

/// One person's word for one head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    pub by: User,
    pub head: CommitSha,
}

/// Why the agent is asked to change something again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Complaint {
    /// Our own verification failed; the end of its output.
    Verification { log: String },
    /// Checks failed on the pull request.
    Checks { failed: Vec<Check> },
    /// A reviewer asked for changes.
    Review { by: String, text: String },
    /// A critic found this before it was pushed.
    Critique { findings: Vec<Finding> },
}

/// What was spent and how often something was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Counts {
    pub agent_calls: u32,
    pub fix_rounds: u32,
    pub resolve_rounds: u32,
    pub update_rounds: u32,
    pub review_rounds: u32,
    pub build_rounds: u32,
    pub merge_calls: u32,
    pub merge_refusals: u32,
    /// Merge calls whose answer was lost and that did not take effect.
    #[serde(default)]
    pub lost_calls: u32,
    /// Times GitHub was asked to merge by itself.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub orders: u32,
    /// Times in a row that another run had the merge lane.
    #[serde(default)]
    pub lane_waits: u32,
    /// Reads after a merge call whose answer was lost, and how many in a row said "not landed".
    pub settle_reads: u32,
    pub not_landed_reads: u32,
    /// Checks that were run again, as `name@commit`, with the stamp of the result before.
    pub reruns: BTreeMap<String, String>,
    /// Signatures of failures that fixes were tried for, and how often.
    pub signatures: BTreeMap<String, u32>,
    /// Trees that agents produced, to notice standing still.
    pub trees: BTreeSet<TreeSha>,
    pub cost_micros: u64,
    /// Names of checks that failed once and passed when run again.
    pub flaky: BTreeSet<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl State {
    /// A run that was asked for and not yet started.
    pub fn open(request: Request) -> Self {
        let mut state = Self {
            request: Arc::new(request),
            progress: Progress::Idle,
            entry: 0,
            work: Work::default(),
            counts: Counts::default(),
            held_by: None,
            stop_by: None,
            withdrawn: None,
            tainted: BTreeSet::new(),
            sponsor: None,
            budget: Budget::default(),
            seen: None,
        };
        state.taint_of_request();
        state
    }

    pub fn finished(&self) -> Option<&Outcome> {
        match &self.progress {
            Progress::Finished { outcome, .. } => Some(outcome),
            Progress::Idle | Progress::Running { .. } => None,
        }
    }

    /// The stage it is in, when it runs.
    pub fn stage(&self) -> Option<StageKind> {
        match &self.progress {
            Progress::Running { stage, .. } => Some(*stage),
            Progress::Idle | Progress::Finished { .. } => None,
        }
    }

    /// The task that is out.
    pub fn task(&self) -> Option<&Task> {
        match &self.progress {
            Progress::Running { phase: Phase::Doing(task), .. } => Some(task),
            Progress::Running { .. } | Progress::Idle | Progress::Finished { .. } => None,
        }
    }

    /// The merge lane it waits for, while it does nothing else.
    pub fn waits_for_lane(&self) -> Option<&LaneWait> {
        match &self.progress {
            Progress::Running { stage: StageKind::Merge, phase: Phase::Waiting(_), .. } => {
                self.work.lane_wait.as_ref()
            }
            Progress::Running { .. } | Progress::Idle | Progress::Finished { .. } => None,
        }
    }

    /// Why it waits for a person, when it does.
    pub fn park(&self) -> Option<&Park> {
        match &self.progress {
            Progress::Running { phase: Phase::Parked(park), .. } => Some(park),
            Progress::Running { .. } | Progress::Idle | Progress::Finished { .. } => None,
        }
    }
}
