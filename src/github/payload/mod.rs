//! Webhook bodies become happenings: pure, lenient, and never wrong about what they do not know.
//!
//! GitHub adds events, actions and fields at any time and leaves out what was deleted. So
//! everything is optional here, and whatever cannot be understood is `Happening::Nothing`.

mod fit;
mod interest;
mod read;
mod shape;
mod words;

pub use fit::{Fit, fit};
pub use interest::{Interest, interest};
pub use words::{comment_written, issue_changed, issue_words};

use crate::github::At;
use crate::model::trust::{Rule, Trust};
use crate::model::{BranchName, CommentId, CommitSha, InstallationId, IssueNumber};
use crate::model::{PullNumber, User};

/// The events that can become more than `Happening::Nothing`; others need not be stored.
pub const EVENTS: [&str; 13] = [
    "check_run",
    "check_suite",
    "installation",
    "installation_repositories",
    "issue_comment",
    "issues",
    "merge_group",
    "pull_request",
    "pull_request_review",
    "push",
    "status",
    "workflow_job",
    "workflow_run",
];

/// Most pull requests taken from one event.
pub const PULLS_MAX: usize = 20;

/// What a delivery tells us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// Somebody wrote a comment; edits and deletions never arrive here.
    Comment {
        at: At,
        /// The issue or, when `is_pull`, the pull request.
        number: IssueNumber,
        is_pull: bool,
        comment: CommentId,
        by: User,
        /// The App that acted in the author's name, when one did; 0 when it is not named.
        via: Option<u64>,
        /// Untrusted text.
        body: String,
    },
    Labeled {
        at: At,
        issue: IssueNumber,
        label: String,
        by: User,
    },
    Unlabeled {
        at: At,
        issue: IssueNumber,
        label: String,
        by: Option<User>,
    },
    IssueClosed {
        at: At,
        issue: IssueNumber,
        by: Option<User>,
    },
    IssueReopened {
        at: At,
        issue: IssueNumber,
        by: Option<User>,
    },
    Pull {
        at: At,
        pull: PullNumber,
        action: PullAction,
        head: CommitSha,
        /// The head's branch; `None` when it is in another or a deleted repository.
        branch: Option<BranchName>,
        base: BranchName,
        by: Option<User>,
    },
    /// A review was given, changed or dismissed.
    Review {
        at: At,
        pull: PullNumber,
        by: Option<User>,
    },
    Push {
        at: At,
        branch: BranchName,
        /// `None` when the branch was created.
        before: Option<CommitSha>,
        /// `None` when the branch was deleted.
        after: Option<CommitSha>,
        by: Option<User>,
    },
    /// A merge queue made or dropped the commit on which it tests pull requests.
    Group {
        at: At,
        base: BranchName,
        head: CommitSha,
        /// The pull request its branch is named after, while checks are asked for.
        asks: Option<PullNumber>,
    },
    /// Something about the checks of `head` changed; what, must be asked.
    Checks {
        at: At,
        head: CommitSha,
        pulls: Vec<PullNumber>,
    },
    /// Somebody pressed a button on our check run.
    Button {
        at: At,
        /// What we wrote into the check run: the run's name. Compare, do not trust.
        external_id: String,
        head: CommitSha,
        identifier: String,
        by: User,
        pulls: Vec<PullNumber>,
    },
    /// Somebody asked for our check run, or with `None` for our whole suite, once more.
    Rerequested {
        at: At,
        external_id: Option<String>,
        head: CommitSha,
        by: User,
    },
    /// The App was installed, removed, suspended or given other repositories.
    Installation {
        installation: InstallationId,
        action: String,
    },
    /// Nothing we act on, and why.
    Nothing {
        why: String,
    },
}

impl Happening {
    /// Where it happened; `None` for what is not about a repository.
    pub fn at(&self) -> Option<&At> {
        match self {
            Self::Comment { at, .. }
            | Self::Labeled { at, .. }
            | Self::Unlabeled { at, .. }
            | Self::IssueClosed { at, .. }
            | Self::IssueReopened { at, .. }
            | Self::Pull { at, .. }
            | Self::Review { at, .. }
            | Self::Push { at, .. }
            | Self::Group { at, .. }
            | Self::Checks { at, .. }
            | Self::Button { at, .. }
            | Self::Rerequested { at, .. } => Some(at),
            Self::Installation { .. } | Self::Nothing { .. } => None,
        }
    }

    /// Who made it happen, where GitHub says so.
    pub fn by(&self) -> Option<&User> {
        match self {
            Self::Comment { by, .. }
            | Self::Labeled { by, .. }
            | Self::Button { by, .. }
            | Self::Rerequested { by, .. } => Some(by),
            Self::Unlabeled { by, .. }
            | Self::IssueClosed { by, .. }
            | Self::IssueReopened { by, .. }
            | Self::Pull { by, .. }
            | Self::Review { by, .. }
            | Self::Push { by, .. } => by.as_ref(),
            Self::Group { .. }
            | Self::Checks { .. }
            | Self::Installation { .. }
            | Self::Nothing { .. } => None,
        }
    }
}

/// What became of a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullAction {
    Opened,
    Reopened,
    /// The head moved.
    Synchronized,
    /// Title, text or base changed.
    Edited,
    ReadyForReview,
    Drafted,
    /// It entered or left a merge queue, or auto-merge was turned on or off.
    Queued,
    /// Closed without a merge.
    Closed,
    Merged,
}

/// A body that is not a JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body is not a json object")]
pub struct Malformed;

/// Whether `body` is one whole JSON object; cheap, nothing is kept.
pub fn is_json_object(body: &[u8]) -> bool {
    let object = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    object
        && std::str::from_utf8(body)
            .is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
}

/// [`read()`] with every rule but those that `trust` lacks.
///
/// # Errors
/// As [`read()`].
#[doc(hidden)]
pub fn read_with(event: &str, body: &[u8], app: u64, trust: Trust) -> Result<Happening, Malformed> {
    if trust.holds(Rule::Created) || event != "issue_comment" {
        return read(event, body, app);
    }
    let Ok(mut payload) = serde_json::from_slice::<shape::Payload>(body) else {
        return Err(Malformed);
    };
    payload.action = Some("created".to_owned());
    Ok(read::happening(event, &payload, app))
}

/// Reads the delivery of `event`. `app` is our own App's id: what it wrote is marked as a
/// bot's, and its check runs speak for nobody else.
///
/// # Errors
/// Only for a body that is not a JSON object.
pub fn read(event: &str, body: &[u8], app: u64) -> Result<Happening, Malformed> {
    if !is_json_object(body) {
        return Err(Malformed);
    }
    if !EVENTS.contains(&event) {
        return Ok(read::nothing(format!("no interest in the event {}", visible(event))));
    }
    let payload = serde_json::from_slice::<shape::Payload>(body);
    Ok(payload.map_or_else(
        |_| read::nothing("the payload has an unknown shape"),
        |payload| read::happening(event, &payload, app),
    ))
}

/// A word from outside, fit for a timeline.
fn visible(word: &str) -> String {
    word.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(50).collect()
}

#[cfg(test)]
mod tests;
