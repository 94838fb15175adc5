//! What the World is made of: repositories, issues, pull requests, checks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::accounts::{Role, User};
use super::merge::MergeCall;
use super::rules::Rules;
use crate::playground::forge::Forge;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    Merge,
    Squash,
    Rebase,
}

impl Method {
    pub const ALL: [Self; 3] = [Self::Merge, Self::Squash, Self::Rebase];

    pub fn name(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Squash => "squash",
            Self::Rebase => "rebase",
        }
    }
}

/// A place in a merge queue.
#[derive(Clone, Debug)]
pub struct Queued {
    pub pull: u64,
    pub base_ref: String,
    /// The head it was put there with.
    pub head: String,
    pub by: User,
    pub since_ms: i64,
    pub group: Option<Group>,
}

/// The commit on which a queue tests an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub head: String,
    pub base: String,
    pub since_ms: i64,
}

/// A merge that happens by itself when nothing is missing.
#[derive(Clone, Debug)]
pub struct AutoMerge {
    pub by: User,
    pub call: MergeCall,
}

/// Settings that a test or story may change at any time.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "GitHub's settings are independent switches")]
pub struct Settings {
    pub private: bool,
    pub allow_merge_commit: bool,
    pub allow_squash_merge: bool,
    pub allow_rebase_merge: bool,
    pub delete_branch_on_merge: bool,
    /// Private repositories on small plans have no drafts.
    pub has_drafts: bool,
    /// How many times mergeability is answered `null` before it is computed.
    pub mergeable_asks: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            private: false,
            allow_merge_commit: true,
            allow_squash_merge: true,
            allow_rebase_merge: true,
            delete_branch_on_merge: false,
            has_drafts: true,
            mergeable_asks: 1,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Repo {
    pub id: u64,
    pub owner: User,
    pub name: String,
    pub default_branch: String,
    pub settings: Settings,
    pub created_ms: i64,
    pub pushed_ms: i64,
    pub roles: BTreeMap<u64, Role>,
    pub rules: BTreeMap<String, Rules>,
    pub issues: BTreeMap<u64, Issue>,
    pub pulls: BTreeMap<u64, Pull>,
    /// Merge queues of all branches, first come first.
    pub queue: Vec<Queued>,
    pub comments: BTreeMap<u64, Comment>,
    pub reviews: BTreeMap<u64, Review>,
    pub threads: BTreeMap<u64, Thread>,
    /// The numbers of an issue's sub-issues, and of those that block it.
    pub sub_issues: BTreeMap<u64, Vec<u64>>,
    pub blocked_by: BTreeMap<u64, Vec<u64>>,
    pub suites: BTreeMap<u64, Suite>,
    pub runs: BTreeMap<u64, Run>,
    pub statuses: Vec<Status>,
    /// Branches as the World last saw them.
    pub branches: BTreeMap<String, String>,
    /// Commits that the World made and signed.
    pub signed: BTreeSet<String>,
    pub forge: Arc<dyn Forge>,
    pub(crate) next_number: u64,
}

impl Repo {
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.owner.login, self.name)
    }

    /// A person's role; everybody may read a public repository.
    pub fn role(&self, user: u64) -> Role {
        let given = self.roles.get(&user).copied().unwrap_or_default();
        if self.settings.private { given } else { given.max(Role::Read) }
    }
}

#[derive(Clone, Debug)]
pub struct Label {
    pub name: String,
    pub by: User,
    pub at_ms: i64,
}

#[derive(Clone, Debug)]
pub struct Reaction {
    pub id: u64,
    pub user: User,
    pub content: String,
    pub at_ms: i64,
}

/// One line of an issue's history.
#[derive(Clone, Debug)]
pub struct IssueEvent {
    pub id: u64,
    pub event: &'static str,
    pub actor: User,
    pub label: Option<String>,
    pub commit_id: Option<String>,
    pub at_ms: i64,
}

/// An issue, or the conversation half of a pull request.
#[derive(Clone, Debug)]
pub struct Issue {
    pub id: u64,
    pub number: u64,
    pub title: String,
    pub body: String,
    pub user: User,
    pub association: &'static str,
    pub via_app: Option<u64>,
    pub open: bool,
    pub state_reason: Option<&'static str>,
    pub closed_by: Option<User>,
    pub labels: BTreeMap<String, Label>,
    pub assignees: Vec<User>,
    pub reactions: Vec<Reaction>,
    pub events: Vec<IssueEvent>,
    pub created_ms: i64,
    pub updated_ms: i64,
    pub closed_ms: Option<i64>,
    pub is_pull: bool,
    /// The last edit of the body and the last of the title.
    pub edited: Option<Edited>,
    pub renamed: Option<Edited>,
}

/// When something was edited, and by whom.
#[derive(Clone, Debug)]
pub struct Edited {
    pub at_ms: i64,
    pub by: User,
}

#[derive(Clone, Debug)]
pub struct Comment {
    pub id: u64,
    pub issue: u64,
    pub body: String,
    pub user: User,
    pub association: &'static str,
    pub via_app: Option<u64>,
    pub reactions: Vec<Reaction>,
    pub created_ms: i64,
    pub updated_ms: i64,
    pub edited: Option<Edited>,
}

/// Where the head of a pull request lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeadRepo {
    #[default]
    Here,
    /// In a copy of the repository.
    Fork,
    /// In one that is gone.
    Gone,
}

/// What is known about merging a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mergeability {
    /// Not computed for the present base and head; asked this many times.
    Unknown {
        asked: u32,
    },
    Clean {
        test_merge: String,
    },
    Conflict,
}

/// The code half of a pull request.
#[derive(Clone, Debug)]
pub struct Pull {
    pub id: u64,
    pub number: u64,
    pub head_repo: HeadRepo,
    pub head_ref: String,
    pub head_sha: String,
    pub base_ref: String,
    /// The base's tip when the head was last pushed.
    pub base_sha: String,
    pub draft: bool,
    pub merged: bool,
    pub merged_ms: Option<i64>,
    pub merged_by: Option<User>,
    pub merge_commit_sha: Option<String>,
    pub mergeability: Mergeability,
    pub auto_merge: Option<AutoMerge>,
    /// Why a merge queue last gave it back.
    pub removed: Option<String>,
    pub requested_reviewers: Vec<User>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReviewState {
    Approved,
    ChangesRequested,
    Commented,
    Dismissed,
}

impl ReviewState {
    pub fn name(self) -> &'static str {
        match self {
            Self::Approved => "APPROVED",
            Self::ChangesRequested => "CHANGES_REQUESTED",
            Self::Commented => "COMMENTED",
            Self::Dismissed => "DISMISSED",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Review {
    pub id: u64,
    pub pull: u64,
    pub user: User,
    pub association: &'static str,
    pub body: String,
    pub state: ReviewState,
    pub commit_id: String,
    pub submitted_ms: i64,
}

/// A conversation on a line of the diff.
#[derive(Clone, Debug)]
pub struct Thread {
    pub id: u64,
    pub pull: u64,
    pub path: String,
    pub line: u64,
    pub resolved: bool,
    pub comments: Vec<ReviewComment>,
}

#[derive(Clone, Debug)]
pub struct ReviewComment {
    pub id: u64,
    pub review: Option<u64>,
    pub user: User,
    pub association: &'static str,
    pub body: String,
    pub commit_id: String,
    pub created_ms: i64,
}

#[derive(Clone, Debug)]
pub struct Suite {
    pub id: u64,
    pub app: u64,
    pub head_sha: String,
    pub head_branch: Option<String>,
    pub created_ms: i64,
    pub updated_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStatus {
    Queued,
    InProgress,
    Completed,
}

impl RunStatus {
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckOutput {
    pub title: Option<String>,
    pub summary: Option<String>,
    pub text: Option<String>,
    pub annotations: Vec<serde_json::Value>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckAction {
    pub label: String,
    pub description: String,
    pub identifier: String,
}

#[derive(Clone, Debug)]
pub struct Run {
    pub id: u64,
    pub suite: u64,
    pub app: u64,
    pub name: String,
    pub head_sha: String,
    pub external_id: String,
    pub details_url: Option<String>,
    pub status: RunStatus,
    pub conclusion: Option<String>,
    pub started_ms: Option<i64>,
    pub completed_ms: Option<i64>,
    pub output: CheckOutput,
    pub actions: Vec<CheckAction>,
    /// The whole log, of runs that a CI made.
    pub log: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Status {
    pub id: u64,
    pub sha: String,
    pub context: String,
    pub state: String,
    pub description: Option<String>,
    pub target_url: Option<String>,
    pub creator: User,
    pub at_ms: i64,
}
