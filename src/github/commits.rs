//! Commits that GitHub makes and signs itself: what it is given, and what it says.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::sanitized::CommentText;
use crate::model::{BranchName, CommitSha};

/// A commit GitHub is asked to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCommit {
    pub branch: BranchName,
    /// The commit the branch must be at; it becomes the only parent.
    pub parent: CommitSha,
    /// Its first line, and what stands below the empty line after it.
    pub message: CommentText,
    /// Plain files with all they shall hold.
    pub written: BTreeMap<String, Vec<u8>>,
    pub deleted: BTreeSet<String>,
}

impl NewCommit {
    /// The message's first line and the rest, as GitHub wants them.
    pub fn headline_and_body(&self) -> (&str, &str) {
        let (headline, body) =
            self.message.as_str().split_once('\n').unwrap_or((self.message.as_str(), ""));
        (headline.trim_end(), body.trim())
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signed {
    Made {
        commit: CommitSha,
    },
    /// The branch is not at the parent; nothing was done.
    Moved,
    /// A definite no; nothing was done.
    Refused {
        text: String,
    },
    /// Nobody knows whether it took effect.
    Unknown {
        text: String,
    },
}
