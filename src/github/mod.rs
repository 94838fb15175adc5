//! GitHub as Slipway needs it: the contract, its errors and the values that cross it.
//!
//! Adapters: `app` (octocrab over HTTP). The honest fake is the playground's in-process face.

mod account;
pub mod answer;
pub mod app;
pub mod checks;
pub mod commits;
#[cfg(test)]
mod contract;
pub mod delivery;
mod error;
mod found;
pub mod log;
pub mod notes;
pub mod payload;
pub mod people;
pub mod pulls;
pub mod rules;
pub mod signature;

use std::collections::BTreeSet;

use async_trait::async_trait;

use self::commits::{NewCommit, Signed};
use self::delivery::{Kept, Log, Which};
pub use self::error::{Error, Retry};
pub use self::found::{Change, Changed, Comment, Conversation, Edited, Remark, Touched};
pub use crate::command::Button;
use crate::gate::seen::{Check, Line, PullState, Review, Rules};
use crate::model::sanitized::{CheckText, CheckTitle, CommentText, PullTitle};
use crate::model::{
    BranchName, CheckId, CommentId, CommitSha, InstallationId, IssueNumber, Millis, Permission,
    PullNumber, Repo, Secret, User,
};
use crate::pipeline::stage::{MergeAnswer, UpdateAnswer};
use crate::pipeline::standing::{Enlisted, Way};
use crate::policy::MergeMethod;
use crate::report::notes::Level;

/// Most pages read of any list; 100 entries each.
pub const PAGES_MAX: u32 = 10;
/// Largest file read, in bytes.
pub const FILE_BYTES_MAX: usize = 256 * 1024;
/// Most buttons on a check run.
pub const BUTTONS_MAX: usize = 3;
/// Longest part of a check's log kept, in bytes, from its end.
pub const LOG_BYTES_MAX: usize = 20_000;

/// One repository as one installation sees it: every call names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    pub installation: InstallationId,
    pub repo: Repo,
}

/// GitHub. Reads may be repeated freely; every write is either idempotent by nature or looks
/// for its own trace first, and says so.
#[async_trait]
pub trait GitHub: Send + Sync {
    /// What `user` may do, asked now and by id: a login that meanwhile belongs to somebody else
    /// has no permission. An outsider of a public repository may `Read`.
    async fn permission(&self, at: &At, user: &User) -> Result<Permission, Error>;

    async fn repository(&self, at: &At) -> Result<Repository, Error>;

    /// A text file on the tip of the default branch, at most [`FILE_BYTES_MAX`] bytes; `None`
    /// when there is none.
    async fn file(&self, at: &At, path: &str) -> Result<Option<String>, Error>;

    /// The tip of a branch, and a text file at exactly that commit.
    async fn file_at_tip(
        &self,
        at: &At,
        branch: &BranchName,
        path: &str,
    ) -> Result<(CommitSha, Option<String>), Error>;

    async fn issue(&self, at: &At, issue: IssueNumber) -> Result<Issue, Error>;

    /// A comment as it is now; `None` when it is gone.
    async fn comment_now(&self, at: &At, id: CommentId) -> Result<Option<Comment>, Error>;

    /// Who wrote an issue and its newest comments, and who edited them last.
    async fn conversation(&self, at: &At, issue: IssueNumber) -> Result<Conversation, Error>;

    /// Whether `user` is certainly the only person who may write; in doubt, not.
    async fn sole_writer(&self, at: &At, user: &User) -> Result<bool, Error>;

    /// Whether our App may bypass a rule of `branch`, as far as GitHub tells it.
    async fn may_bypass(&self, at: &At, branch: &BranchName) -> Result<bool, Error>;

    async fn pull(&self, at: &At, pull: PullNumber) -> Result<Pull, Error>;

    /// The open pull request whose head is `branch` of this same repository.
    async fn pull_of(&self, at: &At, branch: &BranchName) -> Result<Option<PullNumber>, Error>;

    /// Check runs and statuses on `head`, newest of each name and App, without our own.
    async fn checks(&self, at: &At, head: &CommitSha) -> Result<Vec<Check>, Error>;

    /// The end of what a check printed, at most [`LOG_BYTES_MAX`] bytes; untrusted data.
    async fn check_log(&self, at: &At, check: CheckId) -> Result<String, Error>;

    async fn rules(&self, at: &At, branch: &BranchName) -> Result<Rules, Error>;

    /// The latest deciding review of each person but the author; `counts` is set from their
    /// permission now, and never for a bot.
    async fn reviews(&self, at: &At, pull: PullNumber) -> Result<Vec<Review>, Error>;

    /// Puts a reaction; repeating it changes nothing.
    async fn react(&self, at: &At, to: CommentId, with: Reaction) -> Result<(), Error>;

    /// Our comment on `issue` whose body holds `marker`.
    async fn comment_with(
        &self,
        at: &At,
        issue: IssueNumber,
        marker: &str,
    ) -> Result<Option<CommentId>, Error>;

    /// Writes a comment. Not idempotent: look with [`GitHub::comment_with`] first.
    async fn comment(
        &self,
        at: &At,
        issue: IssueNumber,
        body: &CommentText,
    ) -> Result<CommentId, Error>;

    /// Replaces the text of our comment; `Error::Gone` when somebody deleted it.
    async fn edit_comment(&self, at: &At, id: CommentId, body: &CommentText) -> Result<(), Error>;

    /// Our check run of this name on `head`.
    async fn check_run_of(&self, at: &At, head: &CommitSha) -> Result<Option<CheckId>, Error>;

    /// Creates our check run on `run.head`. Look with [`GitHub::check_run_of`] first.
    async fn create_check_run(&self, at: &At, run: &CheckRun) -> Result<CheckId, Error>;

    async fn update_check_run(&self, at: &At, id: CheckId, run: &CheckRun) -> Result<(), Error>;

    /// Asks the App of a check that ended to run it again.
    async fn rerun(&self, at: &At, check: CheckId) -> Result<(), Error>;

    /// Opens a pull request. Look with [`GitHub::pull_of`] first; when GitHub says that one
    /// exists for this head, it is that one.
    async fn open_pull(&self, at: &At, new: &NewPull) -> Result<PullNumber, Error>;

    /// The sub-issues of an issue, in their order.
    async fn sub_issues(&self, at: &At, issue: IssueNumber) -> Result<SubIssues, Error>;

    /// The open issues that block an issue, as `#3` or, elsewhere, `octo/hello#3`.
    async fn blockers(&self, at: &At, issue: IssueNumber) -> Result<Vec<String>, Error>;

    /// Makes a draft ready for review; one that is ready stays so.
    async fn mark_ready(&self, at: &At, pull: PullNumber) -> Result<(), Error>;

    /// Adds to our check run, named with what it shows, those of `notes` it does not have:
    /// GitHub only ever adds, so what is there is read first.
    async fn annotate(
        &self,
        at: &At,
        check: (CheckId, &CheckRun),
        notes: &[Note],
    ) -> Result<(), Error>;

    /// Asks GitHub to make and sign a commit, only if its branch is at the parent. Never sent
    /// twice by the adapter. An error proves that nothing was done.
    async fn commit(&self, at: &At, new: &NewCommit) -> Result<Signed, Error>;

    /// Asks GitHub to merge the base into exactly `head`; it shows in the branch later. Never
    /// sent twice by the adapter. An error proves that nothing was done.
    async fn update_branch(
        &self,
        at: &At,
        pull: PullNumber,
        head: &CommitSha,
    ) -> Result<UpdateAnswer, Error>;

    /// The merge call, naming `head`. Never sent twice by the adapter; an answer that does not
    /// prove an outcome is `MergeAnswer::Unknown`. An error proves that nothing was done: a
    /// limit, or no token to send it with.
    async fn merge(&self, at: &At, order: &MergeOrder) -> Result<MergeAnswer, Error>;

    /// Asks GitHub to merge exactly `order.head` later, by itself. Never sent twice by the
    /// adapter; an answer that does not prove an outcome is `Enlisted::Unknown`. An error
    /// proves that nothing was done.
    async fn enlist(&self, at: &At, way: Way, order: &MergeOrder) -> Result<Enlisted, Error>;

    /// Takes back what [`GitHub::enlist`] asked; `false` when there was nothing to take back,
    /// which may also mean that GitHub was faster. May be repeated.
    async fn leave(&self, at: &At, way: Way, pull: PullNumber) -> Result<bool, Error>;

    /// What the merge queue says of a pull request.
    async fn line(&self, at: &At, pull: PullNumber) -> Result<Line, Error>;

    /// Closes the issue as completed; closing a closed issue changes nothing.
    async fn close_issue(&self, at: &At, issue: IssueNumber) -> Result<(), Error>;

    /// Every repository the App is installed on.
    async fn places(&self) -> Result<Vec<At>, Error>;

    /// Comments on issues and pull requests written or edited since `since`, oldest first; at
    /// most [`PAGES_MAX`] pages.
    async fn comments_since(&self, at: &At, since: Millis) -> Result<Vec<Comment>, Error>;

    /// Issues and pull requests, open or closed, that changed since `since`, oldest change
    /// first; at most [`PAGES_MAX`] pages.
    async fn issues_since(&self, at: &At, since: Millis) -> Result<Vec<Touched>, Error>;

    /// When an issue was labelled, relabelled and closed, oldest first; at most [`PAGES_MAX`]
    /// pages.
    async fn history(&self, at: &At, issue: IssueNumber) -> Result<Vec<Change>, Error>;

    /// Deliveries to our App since `since`, of all installations; at most
    /// [`delivery::LOG_PAGES_MAX`] pages, the newest. GitHub keeps three days, GitHub Enterprise
    /// Server seven.
    async fn deliveries_since(&self, since: Millis, which: Which) -> Result<Log, Error>;

    /// What an attempt of the log carried; `None` when the log forgot it.
    async fn delivery(&self, id: u64) -> Result<Option<Kept>, Error>;

    /// Asks GitHub to deliver again what an attempt of the log carried, under the same GUID.
    async fn redeliver(&self, id: u64) -> Result<(), Error>;

    /// Where git finds the repository and a short-lived secret for it.
    async fn remote(&self, at: &At, purpose: Purpose) -> Result<Remote, Error>;
}

/// What a token for git is for; a token for reading cannot push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    Fetch,
    Push,
}

/// A git remote over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    pub repo: Repo,
    /// `https://host/owner/name.git`, without credentials.
    pub url: String,
    /// The password for user `x-access-token`.
    pub secret: Secret,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    pub default_branch: BranchName,
    /// Ways to merge that its settings and the rules of its default branch allow.
    pub methods: BTreeSet<MergeMethod>,
    /// Not everybody can read it.
    pub private: bool,
    /// Nothing can be written to it.
    pub archived: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    pub number: IssueNumber,
    pub title: String,
    pub body: String,
    pub author: Option<User>,
    pub open: bool,
    pub labels: Vec<String>,
    /// The number belongs to a pull request.
    pub is_pull: bool,
}

/// What belongs to an issue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubIssues {
    /// Those in the same repository.
    pub here: Vec<SubIssue>,
    /// How many open ones there are in others.
    pub elsewhere: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubIssue {
    pub number: IssueNumber,
    /// Untrusted text.
    pub title: String,
    pub open: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    pub number: PullNumber,
    pub state: PullState,
    pub draft: bool,
    pub head: CommitSha,
    pub head_branch: String,
    /// Its head is in another repository, or in one that is gone.
    pub fork: bool,
    pub base: BranchName,
    /// Who asked GitHub to merge it by itself, when somebody did.
    pub auto_merge: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    Eyes,
    ThumbsUp,
    Confused,
}

impl Reaction {
    /// GitHub's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Eyes => "eyes",
            Self::ThumbsUp => "+1",
            Self::Confused => "confused",
        }
    }
}

/// Our check run as it should look. Limits are GitHub's (GitHub facts, §6 "Checks").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRun {
    pub head: CommitSha,
    /// The run it belongs to, as `external_id`.
    pub external_id: String,
    /// `None` while in progress.
    pub conclusion: Option<Conclusion>,
    pub title: CheckTitle,
    /// Markdown.
    pub summary: CheckText,
    pub buttons: Buttons,
}

/// A remark about one line of one file, as people see it at that line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Relative to the root of the repository.
    pub path: String,
    /// From 1.
    pub line: u32,
    pub level: Level,
    pub title: CheckTitle,
    pub message: CheckText,
}

/// The name of our check run on every head.
pub const CHECK_NAME: &str = "slipway";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    Success,
    Neutral,
    Failure,
    Cancelled,
    ActionRequired,
}

/// The buttons of a check run: never more than [`BUTTONS_MAX`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Buttons(Vec<Button>);

impl Buttons {
    pub fn as_slice(&self) -> &[Button] {
        &self.0
    }
}

impl FromIterator<Button> for Buttons {
    /// Takes the first [`BUTTONS_MAX`].
    fn from_iter<T: IntoIterator<Item = Button>>(all: T) -> Self {
        Self(all.into_iter().take(BUTTONS_MAX).collect())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPull {
    pub title: PullTitle,
    pub body: CommentText,
    pub head: BranchName,
    pub base: BranchName,
    /// Opened as a draft, where the repository has drafts.
    pub draft: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeOrder {
    pub pull: PullNumber,
    pub head: CommitSha,
    pub method: MergeMethod,
    pub title: PullTitle,
    pub message: CommentText,
}
