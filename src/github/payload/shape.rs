//! The parts of GitHub's payloads that we read. Every field may be missing or null.

use serde::Deserialize;

use crate::github::account::{Account, WithId};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    pub(super) action: Option<String>,
    pub(super) installation: Option<WithId>,
    pub(super) repository: Option<Repository>,
    pub(super) sender: Option<Account>,
    pub(super) issue: Option<Issue>,
    pub(super) comment: Option<Comment>,
    pub(super) label: Option<Label>,
    pub(super) pull_request: Option<Pull>,
    pub(super) merge_group: Option<MergeGroup>,
    pub(super) check_run: Option<CheckRun>,
    pub(super) check_suite: Option<Headed>,
    pub(super) workflow_run: Option<Headed>,
    pub(super) workflow_job: Option<Headed>,
    pub(super) requested_action: Option<Requested>,
    /// Of `status`.
    pub(super) sha: Option<String>,
    /// Of `push`.
    #[serde(rename = "ref")]
    pub(super) reference: Option<String>,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Repository {
    pub(super) id: Option<u64>,
    pub(super) full_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Issue {
    pub(super) number: Option<u64>,
    /// Present when the number belongs to a pull request.
    pub(super) pull_request: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Comment {
    pub(super) id: Option<u64>,
    pub(super) body: Option<String>,
    pub(super) user: Option<Account>,
    pub(super) performed_via_github_app: Option<WithId>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Label {
    pub(super) name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Pull {
    pub(super) number: Option<u64>,
    pub(super) merged: Option<bool>,
    pub(super) head: Option<Side>,
    pub(super) base: Option<Side>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Side {
    #[serde(rename = "ref")]
    pub(super) reference: Option<String>,
    pub(super) sha: Option<String>,
    /// Null when the fork is gone.
    pub(super) repo: Option<Repository>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct MergeGroup {
    pub(super) head_sha: Option<String>,
    pub(super) head_ref: Option<String>,
    pub(super) base_ref: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CheckRun {
    pub(super) head_sha: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) app: Option<WithId>,
    pub(super) pull_requests: Option<Vec<Numbered>>,
}

/// A check suite, a workflow run or one of its jobs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Headed {
    pub(super) head_sha: Option<String>,
    pub(super) app: Option<WithId>,
    pub(super) pull_requests: Option<Vec<Numbered>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Numbered {
    pub(super) number: Option<u64>,
    pub(super) base: Option<Side>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Requested {
    pub(super) identifier: Option<String>,
}
