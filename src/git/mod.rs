//! Git as Slipway needs it: a mirror per repository, workspaces, commits, probes and pushes.
//!
//! Adapters: `cli` (the git program, hardened). Fake: `fake` over an in-memory [`depot`].

pub mod bundle;
pub mod cli;
#[cfg(test)]
mod contract;
pub mod depot;
pub mod fake;
mod sight;
mod texts;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use async_trait::async_trait;

pub use crate::gate::push::{ChangeKind, FileChange, Near};
pub use texts::{Sought, TEXT_BYTES_MAX, TEXT_FILES_MAX, TextFile, Texts};

use crate::gate::seen::Probe;
use crate::github::Remote;
use crate::model::sanitized::{CommentText, PullTitle};
use crate::model::{BranchName, CommitSha, Repo, RunId, TreeSha};
pub use crate::pipeline::question::QUESTION_PATH;
pub use sight::{SIGHT_BYTES_MAX, SIGHT_FILE_BYTES_MAX, SIGHT_FILES_MAX, SIGHT_PATHS_MAX, Sight};

/// Most changed paths listed for one change; more is refused by the gate anyway.
pub const CHANGES_MAX: usize = 10_000;
/// Changed files whose contents are looked at; more is refused by the gate anyway.
pub const CHANGES_READ_MAX: usize = 3_000;
/// Largest file whose content is looked at, in bytes, and what all together may have.
pub const READ_BYTES_MAX: u64 = 8 << 20;
pub const READ_BYTES_IN_ALL_MAX: u64 = 64 << 20;
/// Longest patch that is looked at, in bytes.
pub const PATCH_BYTES_MAX: u64 = 16 << 20;
/// Most paths looked for in one commit at once.
pub const PATHS_MAX: usize = 500;
/// Most files of a change that [`Git::plain`] tells.
pub const PLAIN_FILES_MAX: usize = 500;
/// Most bytes of what they hold afterwards, all together.
pub const PLAIN_BYTES_MAX: usize = 5 << 20;
/// Most commits that are told as one change.
pub const PLAIN_COMMITS_MAX: usize = 50;

/// Where an agent may leave a result, below its workspace: outside the work tree, as git sees it.
pub const RESULT_PATH: &str = ".git/slipway/result.json";

/// Git. The mirror is a cache: losing it loses nothing.
#[async_trait]
pub trait Git: Send + Sync {
    /// Brings `branches` of the remote into the mirror and says where each is now; a branch
    /// the remote does not have is absent from the answer.
    async fn fetch(
        &self,
        remote: &Remote,
        branches: &[BranchName],
    ) -> Result<BTreeMap<BranchName, CommitSha>, Error>;

    /// What merging `head` into `base` would give. Both must be in the mirror.
    async fn probe(&self, repo: &Repo, base: &CommitSha, head: &CommitSha) -> Result<Probe, Error>;

    /// A fresh directory with `at` checked out, a git repository of its own; with `merge`, that
    /// commit is merged into it and conflicts are left in the files with markers, ready to be
    /// resolved. With `steering`, everything that steers agents and tools is as it is on that
    /// commit. A workspace of the same run and name that is left over is replaced.
    async fn workspace(&self, order: &WorkspaceOrder) -> Result<Workspace, Error>;

    /// What a sandbox is to run, once nothing else runs there, so that the files of the
    /// workspace can be imported. It is done once for each workspace.
    async fn packing(&self, workspace: &Workspace) -> Result<Packing, Error>;

    /// Takes what the packing left, checking everything. From then on only objects of ours are
    /// looked at, and never the workspace. What an agent committed in it counts for nothing.
    async fn import(&self, workspace: &Workspace) -> Result<Import, Error>;

    /// What the agent left under [`RESULT_PATH`], when it is a small plain file.
    async fn result(&self, workspace: &Workspace) -> Result<Option<Vec<u8>>, Error>;

    /// What the agent wrote under [`QUESTION_PATH`], when it is a small plain file and the
    /// repository has none of this name.
    async fn question(&self, workspace: &Workspace) -> Result<Option<Vec<u8>>, Error>;

    /// What differs between the workspace as imported and its starting point. With a merge the
    /// starting point is what git made of it, markers included, so that only what was done by
    /// hand is listed.
    async fn changes(&self, workspace: &Workspace) -> Result<Changes, Error>;

    /// What `head` changes, measured from where it and `base` parted: what came in by merging
    /// the base is not its doing. Sizes are read before contents, and nothing larger than
    /// [`READ_BYTES_MAX`] is.
    async fn between(
        &self,
        repo: &Repo,
        base: &CommitSha,
        head: &CommitSha,
    ) -> Result<Changes, Error>;

    /// Puts a file into the workspace, where none of this name is, that will never be part of
    /// what is packed. Before the agent starts.
    async fn plant(&self, workspace: &Workspace, path: &str, text: &str) -> Result<(), Error>;

    /// Commits what was imported, in one commit of ours, and puts it into the mirror; a merge
    /// gets both parents. `None` when nothing changed (and nothing was merged). Refused while
    /// conflict markers are left ([`Changes`] tells of them). What stood in place of steering
    /// files comes back.
    async fn commit(
        &self,
        workspace: &Workspace,
        message: &Message,
    ) -> Result<Option<Committed>, Error>;

    /// Merges `base` into `head` without a workspace; `None` when they conflict, and `head`
    /// itself when it already contains `base`.
    async fn merge(
        &self,
        repo: &Repo,
        head: &CommitSha,
        base: &CommitSha,
        message: &Message,
    ) -> Result<Option<Committed>, Error>;

    async fn discard(&self, workspace: Workspace) -> Result<(), Error>;

    /// Moves `branch` of the remote from `expect` (`None`: it must not exist) to `new`, which
    /// may be `None` to delete it. The lease is checked by the remote; pushing what is already
    /// there is `Pushed`, wherever it was expected to be.
    async fn push(&self, remote: &Remote, push: &Push) -> Result<PushAnswer, Error>;

    async fn tree_of(&self, repo: &Repo, commit: &CommitSha) -> Result<TreeSha, Error>;

    /// The parents of `commit`, in their order; none for a root.
    async fn parents_of(&self, repo: &Repo, commit: &CommitSha) -> Result<Vec<CommitSha>, Error>;

    /// The first parent of `commit`; `None` for a root.
    async fn parent_of(&self, repo: &Repo, commit: &CommitSha) -> Result<Option<CommitSha>, Error> {
        Ok(self.parents_of(repo, commit).await?.into_iter().next())
    }

    /// What the commits between `from` and `head` do together, told as plain files, or why that
    /// cannot be told: they are no single line from `from`, too large, or not of plain files.
    async fn plain(&self, repo: &Repo, from: &CommitSha, head: &CommitSha) -> Result<Plain, Error>;

    /// Those of `paths` that are files in `commit`; at most [`PATHS_MAX`] are looked for.
    async fn files_among(
        &self,
        repo: &Repo,
        commit: &CommitSha,
        paths: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, Error>;

    /// The texts of the plain files of `commit` that are `sought`, in the order of their paths; a
    /// symbolic link is none.
    async fn texts(&self, repo: &Repo, commit: &CommitSha, sought: &Sought)
    -> Result<Texts, Error>;
    /// The names of what `commit` holds, and the texts of those in `wanted`, within the limits of
    /// [`Sight`]. A link is listed and not followed.
    async fn sight(
        &self,
        repo: &Repo,
        commit: &CommitSha,
        wanted: &BTreeSet<String>,
    ) -> Result<Sight, Error>;

    /// `commit` is `tip` or an ancestor of it.
    async fn contains(
        &self,
        repo: &Repo,
        tip: &CommitSha,
        commit: &CommitSha,
    ) -> Result<bool, Error>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceOrder {
    pub repo: Repo,
    pub run: RunId,
    /// Distinguishes workspaces of one run, such as `e7`.
    pub name: String,
    pub at: CommitSha,
    pub merge: Option<CommitSha>,
    /// Whose configuration and instructions are believed, when not those of `at`.
    pub steering: Option<CommitSha>,
}

/// A directory an agent or a check may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    pub repo: Repo,
    /// The key under which a fake keeps it; the directory's name for the real one.
    pub key: String,
    pub path: PathBuf,
    pub at: CommitSha,
    pub merging: Option<CommitSha>,
    /// Files with conflict markers at the start.
    pub conflicts: Vec<String>,
    /// Directories outside that its repository reads; a sandbox lends them, to be read only.
    pub borrowed: Vec<PathBuf>,
    /// Places below it where agents look for configuration and nothing is.
    pub absent: Vec<String>,
}

/// Our own program that a sandbox is to run on what an agent left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packing {
    pub program: String,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    /// The only thing it may write; the workspace lies in it.
    pub directory: PathBuf,
    pub read_only: Vec<PathBuf>,
}

/// How an import ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Import {
    Taken,
    /// What came out of the sandbox is not taken, for a reason that can be told.
    Refused {
        why: String,
    },
}

/// What a change touches, for the gate and for people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    pub files: Vec<FileChange>,
    /// There were more than [`CHANGES_MAX`].
    pub truncated: bool,
    /// Files that were in conflict and still have conflict markers.
    pub markers: Vec<String>,
    /// What lies in the directories that new files come into and new links point into.
    pub near: Vec<Near>,
    /// More than [`PATCH_BYTES_MAX`] when there is more than is looked at.
    pub patch_bytes: u64,
    /// The commit it was measured from; `None` when the two have nothing in common.
    pub from: Option<CommitSha>,
}

/// A commit message; the author is always Slipway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// No `[skip ci]`, no trailer of others.
    pub text: CommentText,
    /// `Name <id+login@users.noreply.github.com>` of the requester, as a trailer; one line.
    pub co_author: Option<PullTitle>,
    /// Seconds since 1970, so that repeating the commit gives the same sha.
    pub at_seconds: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    pub commit: CommitSha,
    pub tree: TreeSha,
}

/// Whether a change consists of plain files alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plain {
    Yes(PlainChange),
    No { why: String },
}

/// A change told without git: what is written, what is deleted, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlainChange {
    /// The message of its first commit.
    pub message: String,
    pub written: BTreeMap<String, Vec<u8>>,
    pub deleted: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    pub branch: BranchName,
    pub new: Option<CommitSha>,
    pub expect: Option<CommitSha>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushAnswer {
    Pushed,
    /// The branch is somewhere else; `None` when it does not exist.
    Stale {
        actual: Option<CommitSha>,
    },
    /// The remote's rules refuse it, in its own words.
    Refused {
        text: String,
    },
}

/// Why git did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A commit that should be in the mirror is not.
    #[error("missing object: {0}")]
    Missing(String),
    /// The remote did not answer as it should; a push may or may not have happened.
    #[error("remote: {0}")]
    Remote(String),
    /// Git or the disk failed here.
    #[error("git: {0}")]
    Local(String),
}

impl Message {
    /// The author and committer of every commit.
    pub const AUTHOR: (&str, &str) = ("Slipway", "slipway@users.noreply.github.com");

    /// The text with its trailer, as git stores it: beside the trailers that are there, since
    /// only the last paragraph holds any.
    pub fn full(&self) -> String {
        let text = self.text.as_str().replace('\0', "");
        let text = text.trim_end();
        let last = text.rsplit("\n\n").next().filter(|last| last.len() < text.len());
        let is_trailer = |line: &str| {
            let name = line.split_once(": ").map_or("", |(name, _)| name);
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        let joint = if last.is_some_and(|last| last.lines().all(is_trailer)) { "" } else { "\n" };
        let co_author =
            self.co_author.iter().map(|who| who.as_str().replace(char::is_control, " "));
        let trailers = co_author.map(|who| format!("{joint}Co-authored-by: {who}\n"));
        format!("{text}\n{}", trailers.collect::<String>())
    }
}

impl Error {
    /// Whether repeating the whole task may help; tasks begin by reading what is already so.
    pub fn retry(&self) -> bool {
        match self {
            Self::Remote(_) | Self::Missing(_) => true,
            Self::Local(_) => false,
        }
    }
}
