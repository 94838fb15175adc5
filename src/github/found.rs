//! Issues, comments and their history as they are found by asking.

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
    /// The App that wrote it in its author's name, when one did; 0 when it is not named.
    pub via: Option<u64>,
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

/// What was said on an issue, and who touched the words last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conversation {
    /// `None` when the account is gone.
    pub author: Option<User>,
    /// The last edit of the body and the last of the title, where there was one.
    pub edits: Vec<Edited>,
    /// The newest comments, oldest first.
    pub remarks: Vec<Remark>,
    /// How many older comments there are.
    pub older: u32,
}

/// An edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    pub at: Millis,
    /// `None` when the account is gone.
    pub by: Option<User>,
}

/// A comment with its last edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    pub id: CommentId,
    /// `None` when the account is gone.
    pub by: Option<User>,
    /// Untrusted text.
    pub text: String,
    pub created: Millis,
    pub edited: Option<Edited>,
}
