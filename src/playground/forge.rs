//! What the World needs of a repository, whatever holds its objects.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

pub use crate::git::depot::{ChangeKind, Expected, Person};

/// A commit without its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitInfo {
    pub id: String,
    pub tree: String,
    pub parents: Vec<String>,
    pub message: String,
    pub author: Person,
    /// Milliseconds since the epoch.
    pub at_ms: i64,
}

/// One changed file with its patch in unified form (without file headers).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    pub path: String,
    pub kind: ChangeKind,
    pub additions: u64,
    pub deletions: u64,
    pub patch: String,
}

/// One file of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub path: String,
    pub blob: String,
    pub executable: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merged {
    Clean { tree: String },
    Conflict { paths: Vec<String> },
}

/// A commit to be made of an existing tree.
#[derive(Clone, Debug)]
pub struct CommitDraft<'a> {
    pub tree: &'a str,
    pub parents: &'a [&'a str],
    pub message: &'a str,
    pub author: &'a Person,
    pub at_ms: i64,
}

/// Whether a file written by path alone is executable.
pub(crate) fn is_script(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "sh")
}

/// Content by path; `None` deletes.
pub type Files = Vec<(String, Option<Vec<u8>>)>;

#[derive(Clone, Debug, thiserror::Error)]
pub enum ForgeError {
    /// The ref was not where the caller expected it.
    #[error("{0} moved meanwhile")]
    Moved(String),
    #[error("no such object: {0}")]
    Missing(String),
    #[error("git failed: {0}")]
    Failed(String),
}

pub type ForgeResult<T> = Result<T, ForgeError>;

/// A git repository as the World uses one.
pub trait Forge: fmt::Debug + Send + Sync {
    /// Full ref names to commits.
    fn refs(&self) -> ForgeResult<BTreeMap<String, String>>;
    fn read_ref(&self, name: &str) -> ForgeResult<Option<String>>;
    /// Compare-and-swap; `None` as the new value deletes.
    fn update_ref(&self, name: &str, expected: Expected<'_>, new: Option<&str>) -> ForgeResult<()>;
    /// Merges `theirs` into `ours`; the base is found when none is given.
    fn merge_tree(&self, base: Option<&str>, ours: &str, theirs: &str) -> ForgeResult<Merged>;
    fn commit_tree(&self, draft: &CommitDraft<'_>) -> ForgeResult<String>;
    /// Writes a tree of the parent's files with `files` changed.
    fn write_files(&self, parent: Option<&str>, files: &Files) -> ForgeResult<String>;
    /// The same on a parent, for a caller that knows no modes: what it writes is not executable.
    fn write_plain(&self, parent: &str, files: &Files) -> ForgeResult<String>;
    fn is_ancestor(&self, ancestor: &str, tip: &str) -> ForgeResult<bool>;
    fn merge_base(&self, a: &str, b: &str) -> ForgeResult<Option<String>>;
    fn read_file(&self, commit: &str, path: &str) -> ForgeResult<Option<Vec<u8>>>;
    fn list_tree(&self, commit: &str) -> ForgeResult<Vec<Entry>>;
    fn diff(&self, from: &str, to: &str) -> ForgeResult<Vec<FileChange>>;
    /// Commits of `tip` that `not` has not, oldest first, the newest `max` of them.
    fn commits_between(
        &self,
        not: Option<&str>,
        tip: &str,
        max: usize,
    ) -> ForgeResult<Vec<CommitInfo>>;
    fn commit_info(&self, id: &str) -> ForgeResult<Option<CommitInfo>>;
    /// The bare repository on disk, if there is one.
    fn git_dir(&self) -> Option<&Path>;
}
