//! What a sweep finds: comments, changed issues and their history.

use crate::model::{CommentId, IssueNumber, Millis, User};

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

/// An issue or pull request as a sweep finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    pub number: IssueNumber,
    pub is_pull: bool,
    pub open: bool,
    pub labels: Vec<String>,
}

/// One line of an issue's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub id: u64,
    pub what: Changed,
    /// `None` when the account is gone.
    pub by: Option<User>,
    pub at: Millis,
}

/// What changed about an issue; only what we act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    Labeled(String),
    Unlabeled(String),
    Closed,
}
