//! What came of a merge call: GitHub's answer, or what reading found instead of one.

use serde::{Deserialize, Serialize};

use crate::model::CommitSha;

/// GitHub's answer to a merge call, by what it means for us (merge facts, §1.14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeAnswer {
    Merged {
        commit: CommitSha,
    },
    /// 405: the base moved meanwhile.
    BaseModified,
    /// 405: a required check is expected or failing in GitHub's view.
    ChecksMissing {
        text: String,
    },
    /// 405: conflict or not computed yet.
    NotMergeable,
    /// 409: the head is not the one we named, or GitHub's record lags.
    HeadModified,
    /// 403, 405 or 422: rules we cannot change.
    Refused {
        text: String,
    },
    /// 5xx, time-out, reset: nobody knows.
    Unknown {
        text: String,
    },
    /// The stop came first; no call was made.
    NotSent,
}

/// What reading found after an unknown merge answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settled {
    Landed {
        commit: CommitSha,
    },
    NotLanded,
    /// The interface and git disagree, or do not answer yet.
    Unclear,
}

/// GitHub's answer to being asked to merge the base into the branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateAnswer {
    /// 202: it will be there later.
    Coming,
    /// 422: the head is not the one we named; nothing was done.
    Moved,
    /// A definite no; nothing was done.
    No { text: String },
    /// 5xx, time-out, reset: nobody knows.
    Unknown { text: String },
}
