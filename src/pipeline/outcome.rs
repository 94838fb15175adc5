//! How a run ends.

use serde::{Deserialize, Serialize};

use crate::model::CommitSha;

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The change is in the base branch; by a person when `by` is set.
    Merged { commit: CommitSha, verified: bool, by: Option<String> },
    /// Somebody or something withdrew the request.
    Stopped { why: String },
    /// Everything asked for is done, and the rest is for people.
    HandedOver { why: String },
    /// It cannot be done; `why` says what to do next.
    Failed { why: String },
}

impl Outcome {
    /// The word for it in reports and in `--json`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Merged { .. } => "merged",
            Self::Stopped { .. } => "stopped",
            Self::HandedOver { .. } => "handed-over",
            Self::Failed { .. } => "failed",
        }
    }
}
