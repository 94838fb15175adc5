//! What one look at GitHub and at the repository found: one consistent reading.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::push::Judged;
use crate::model::{BranchName, CheckId, CommitSha, Millis, PullNumber, TreeSha, User};
use crate::policy::MergeMethod;

/// Most checks kept from one look; more would not change a verdict that already has these.
pub const CHECKS_MAX: usize = 500;

/// One look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// When the look began; an older look never replaces a newer one.
    pub at: Millis,
    pub pull: PullNumber,
    pub pull_state: PullState,
    pub draft: bool,
    /// The head as GitHub's interface says.
    pub api_head: CommitSha,
    /// The head as git says; `None` when the branch is gone.
    pub git_head: Option<CommitSha>,
    /// The branch the pull request goes into, and its tip as git says.
    pub base: BranchName,
    pub base_tip: CommitSha,
    /// What merging `git_head` into `base_tip` would give; `None` without a head.
    pub probe: Option<Probe>,
    /// Checks and statuses on `api_head`, other Apps' and people's, newest of each name.
    pub checks: Vec<Check>,
    /// Checks that failed on `base_tip`; asked only when something failed on the head.
    pub base_checks: Vec<Check>,
    /// What the rules of the base branch demand.
    pub rules: Rules,
    /// The latest review of each person who may review, with the commit it was given for.
    pub reviews: Vec<Review>,
    /// Nobody but whoever asked for the run may write; asked only where it matters.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sole_writer: bool,
    /// Who asked GitHub to merge it by itself, when somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_merge: Option<String>,
    /// What GitHub's merge queue says of it; asked only while we have put it there.
    #[serde(default, skip_serializing_if = "Line::is_empty")]
    pub line: Line,
    /// What the push gate says of `git_head`, when nothing was known of it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<Judged>,
}

impl Seen {
    /// Both looks found the same; only their moments may differ.
    pub fn same(&self, other: &Self) -> bool {
        let Self {
            at: _,
            pull,
            pull_state,
            draft,
            api_head,
            git_head,
            base,
            base_tip,
            probe,
            checks,
            base_checks,
            rules,
            reviews,
            sole_writer,
            auto_merge,
            line,
            judged,
        } = self;
        (pull, pull_state, draft, api_head, git_head)
            == (&other.pull, &other.pull_state, &other.draft, &other.api_head, &other.git_head)
            && (base, base_tip, probe) == (&other.base, &other.base_tip, &other.probe)
            && (checks, base_checks) == (&other.checks, &other.base_checks)
            && (rules, reviews) == (&other.rules, &other.reviews)
            && (auto_merge, line, judged) == (&other.auto_merge, &other.line, &other.judged)
            && sole_writer == &other.sole_writer
    }
}

/// Whether a pull request still lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PullState {
    Open,
    Closed,
    Merged { commit: CommitSha },
}

/// What a merge would give, found in our mirror with `git merge-tree`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    pub head: CommitSha,
    pub base: CommitSha,
    /// The head already contains the base: the merge changes nothing in its tree.
    pub contains_base: bool,
    pub merge: Merge,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Merge {
    Clean { tree: TreeSha },
    Conflict { paths: Vec<String> },
}

/// A check run or commit status, reduced to what a verdict needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub name: String,
    pub result: CheckResult,
    /// Tells this result from an earlier or later one of the same check (its id and the moment
    /// it completed).
    pub stamp: String,
    /// `None` for a commit status.
    pub id: Option<CheckId>,
    /// The App that reported it, when it is a check run.
    pub app: Option<u64>,
    /// Where a person can read more.
    pub url: Option<String>,
    /// What failed, with numbers, paths and times taken out; equal for equal failures.
    pub signature: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckResult {
    Pending,
    /// Success or neutral.
    Passed,
    Skipped,
    Failed,
    /// Cancelled, timed out or stale: says nothing about the code.
    Aborted,
    /// Somebody must act on GitHub (approve a workflow, an environment, a start-up failure).
    NeedsPerson,
}

/// What the rules of a branch demand before a merge.
#[expect(clippy::struct_excessive_bools, reason = "rules of GitHub's, each on its own")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Rules {
    /// Names of checks that must pass.
    pub required: BTreeSet<String>,
    /// The head must contain the base.
    pub strict: bool,
    /// Approving reviews GitHub itself demands.
    pub approvals: u32,
    /// The branch is merged through GitHub's merge queue.
    pub queue: bool,
    /// How that queue merges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_method: Option<MergeMethod>,
    /// Minutes that queue waits for checks; 0 when it does not say.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub queue_minutes: u32,
    /// Required checks that only one App may report, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_app: BTreeMap<String, u64>,
    /// Our own check is required: we must answer, on the head and on what a queue tests.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ours: bool,
    /// Some rule or protection guards the branch.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub protected: bool,
    /// Our own App may bypass a rule, as far as GitHub tells.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bypass: bool,
    /// What else they demand and only GitHub can judge, in words for people.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub demands: BTreeSet<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The pull request in GitHub's merge queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Line {
    pub entry: Option<Entry>,
    /// Why GitHub last took it out, in GitHub's word.
    pub removed: Option<String>,
    /// Checks that failed on the commit the queue last tested it on.
    pub failed: Vec<Check>,
}

impl Line {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Its place in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub state: EntryState,
    /// From 1.
    pub position: u32,
    /// What the queue made of it to test, when it has.
    pub group: Option<Group>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryState {
    Queued,
    AwaitingChecks,
    Mergeable,
    Unmergeable,
    /// It is being merged and cannot be taken out.
    Locked,
    /// A word we do not know.
    Other,
}

/// A commit that the queue made and tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub head: CommitSha,
    pub base: CommitSha,
    /// Git says that it adds exactly our head to what comes before it; `None` while git does
    /// not have it.
    pub holds: Option<bool>,
}

/// The latest review of one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    pub id: u64,
    pub by: User,
    pub commit: CommitSha,
    pub verdict: ReviewVerdict,
    /// The reviewer may write to the repository; others inform but do not decide.
    pub counts: bool,
    /// What the reviewer wrote, cut; data for the agent, never a command.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewVerdict {
    Approved,
    ChangesRequested,
}
