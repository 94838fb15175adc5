//! GitHub as Slipway needs it: the contract, its errors and the values that cross it.
//!
//! Adapters: `app` (octocrab over HTTP). The honest fake is the playground's in-process face.

pub mod answer;
pub mod app;
pub mod checks;
#[cfg(test)]
mod contract;
pub mod log;
pub mod payload;
pub mod people;
pub mod signature;

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;

use crate::gate::seen::{Check, PullState, Review, Rules};
use crate::model::{
    BranchName, CheckId, CommentId, CommitSha, InstallationId, IssueNumber, Millis, Permission,
    PullNumber, Repo, User,
};
use crate::pipeline::stage::MergeAnswer;
use crate::policy::MergeMethod;

/// Most pages read of any list; 100 entries each.
pub const PAGES_MAX: u32 = 10;
/// Largest file read, in bytes.
pub const FILE_BYTES_MAX: usize = 256 * 1024;
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

    async fn issue(&self, at: &At, issue: IssueNumber) -> Result<Issue, Error>;

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
    async fn comment(&self, at: &At, issue: IssueNumber, body: &str) -> Result<CommentId, Error>;

    /// Replaces the text of our comment; `Error::Gone` when somebody deleted it.
    async fn edit_comment(&self, at: &At, id: CommentId, body: &str) -> Result<(), Error>;

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

    /// The merge call, naming `head`. Never sent twice by the adapter; an answer that does not
    /// prove an outcome is `MergeAnswer::Unknown`. An error proves that nothing was done: a
    /// limit, or no token to send it with.
    async fn merge(&self, at: &At, order: &MergeOrder) -> Result<MergeAnswer, Error>;

    /// Closes the issue as completed; closing a closed issue changes nothing.
    async fn close_issue(&self, at: &At, issue: IssueNumber) -> Result<(), Error>;

    /// Every repository the App is installed on.
    async fn places(&self) -> Result<Vec<At>, Error>;

    /// Comments on issues and pull requests written or edited since `since`, oldest first; at
    /// most [`PAGES_MAX`] pages.
    async fn comments_since(&self, at: &At, since: Millis) -> Result<Vec<Comment>, Error>;

    /// Where git finds the repository and a short-lived secret for it.
    async fn remote(&self, at: &At, purpose: Purpose) -> Result<Remote, Error>;
}

/// What a token for git is for; a token for reading cannot push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    Fetch,
    Push,
}

/// A git remote over HTTP. `Debug` never shows the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Remote {
    pub repo: Repo,
    /// `https://host/owner/name.git`, without credentials.
    pub url: String,
    /// The password for user `x-access-token`.
    pub secret: String,
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote").field("url", &self.url).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    pub default_branch: BranchName,
    /// Ways to merge that its settings and the rules of its default branch allow.
    pub methods: BTreeSet<MergeMethod>,
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

/// A comment as a sweep finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    pub id: CommentId,
    /// The issue or pull request it is on.
    pub number: IssueNumber,
    pub is_pull: bool,
    /// `None` when the account is gone.
    pub by: Option<User>,
    /// Untrusted text.
    pub body: String,
    pub created: Millis,
    /// It is not what its author first wrote: never a command.
    pub edited: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    pub number: PullNumber,
    pub state: PullState,
    pub draft: bool,
    pub head: CommitSha,
    pub head_branch: String,
    pub base: BranchName,
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
    pub title: String,
    /// Markdown, at most 65,535 characters.
    pub summary: String,
    /// At most three.
    pub buttons: Vec<Button>,
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

/// A button on a check run: label ≤ 20, description ≤ 40, identifier ≤ 20 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    pub label: &'static str,
    pub description: &'static str,
    pub identifier: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPull {
    pub title: String,
    pub body: String,
    pub head: BranchName,
    pub base: BranchName,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeOrder {
    pub pull: PullNumber,
    pub head: CommitSha,
    pub method: MergeMethod,
    pub title: String,
    pub message: String,
}

/// Why GitHub did not give what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not there (or we may not know); also a comment or branch somebody deleted.
    #[error("not found: {0}")]
    Gone(String),
    /// Our App may not do this.
    #[error("not permitted: {0}")]
    Forbidden(String),
    /// GitHub refuses what we sent; repeating it would be refused again.
    #[error("refused ({status}): {text}")]
    Refused { status: u16, text: String },
    /// A primary or secondary limit; nothing was done.
    #[error("rate limited")]
    Limited { after: Duration },
    /// 5xx, time-out or broken connection: for a write, nobody knows whether it took effect.
    #[error("no usable answer: {0}")]
    Unavailable(String),
    /// The answer is not what the interface promises.
    #[error("unexpected answer: {0}")]
    Unexpected(String),
}

/// When to try again, decided here and nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    After(Duration),
    Never,
}

impl Error {
    /// Whether repeating the *whole task* may help; tasks begin by reading what is already so.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Limited { after } => Retry::After(*after),
            Self::Unavailable(_) => Retry::After(Duration::from_secs(1)),
            Self::Gone(_) | Self::Forbidden(_) | Self::Refused { .. } | Self::Unexpected(_) => {
                Retry::Never
            }
        }
    }
}
