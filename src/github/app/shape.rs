//! The parts of GitHub's answers that we read, and how they become ours.

use serde::Deserialize;
use serde_json::Value;

pub(super) use crate::github::account::{Account, WithId};

use crate::gate::seen::PullState;
use crate::github::{Error, Issue, Pull};
use crate::model::{BranchName, CommitSha, IssueNumber, PullNumber};

fn unexpected(what: &str) -> Error {
    Error::Unexpected(format!("the answer has no usable {what}"))
}

pub(super) fn required<T>(found: Option<T>, what: &str) -> Result<T, Error> {
    found.ok_or_else(|| unexpected(what))
}

pub(super) fn sha(text: Option<&str>, what: &str) -> Result<CommitSha, Error> {
    text.and_then(|text| CommitSha::parse(text).ok()).ok_or_else(|| unexpected(what))
}

pub(super) fn branch(text: Option<&str>, what: &str) -> Result<BranchName, Error> {
    text.and_then(|text| BranchName::parse(text).ok()).ok_or_else(|| unexpected(what))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PermissionAnswer {
    pub(super) permission: Option<String>,
    pub(super) role_name: Option<String>,
    pub(super) user: Option<WithId>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RepositoryAnswer {
    pub(super) default_branch: Option<String>,
    pub(super) allow_merge_commit: Option<bool>,
    pub(super) allow_squash_merge: Option<bool>,
    pub(super) allow_rebase_merge: Option<bool>,
    pub(super) private: Option<bool>,
    pub(super) archived: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FileAnswer {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) encoding: Option<String>,
    pub(super) content: Option<String>,
}

/// Names of labels: each is an object, in old answers a plain text.
pub(super) fn labels(found: Option<&[Value]>) -> Vec<String> {
    let name = |label: &Value| label.get("name").unwrap_or(label).as_str().map(str::to_owned);
    found.into_iter().flatten().filter_map(name).collect()
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct IssueAnswer {
    number: Option<u64>,
    title: Option<String>,
    body: Option<String>,
    user: Option<Account>,
    state: Option<String>,
    labels: Option<Vec<Value>>,
    pull_request: Option<Value>,
}

impl IssueAnswer {
    pub(super) fn into_issue(self) -> Result<Issue, Error> {
        Ok(Issue {
            number: IssueNumber(required(self.number, "issue number")?),
            title: self.title.unwrap_or_default(),
            body: self.body.unwrap_or_default(),
            author: self.user.as_ref().and_then(Account::user),
            open: required(self.state, "state")? == "open",
            labels: labels(self.labels.as_deref()),
            is_pull: self.pull_request.is_some(),
        })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CommentAnswer {
    pub(super) id: Option<u64>,
    pub(super) body: Option<String>,
    pub(super) user: Option<Account>,
    pub(super) performed_via_github_app: Option<WithId>,
    pub(super) issue_url: Option<String>,
    pub(super) html_url: Option<String>,
    pub(super) created_at: Option<String>,
    pub(super) updated_at: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Side {
    #[serde(rename = "ref")]
    pub(super) reference: Option<String>,
    pub(super) sha: Option<String>,
    pub(super) repo: Option<Named>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Named {
    pub(super) id: Option<u64>,
    pub(super) full_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PullAnswer {
    pub(super) number: Option<u64>,
    pub(super) node_id: Option<String>,
    state: Option<String>,
    merged: Option<bool>,
    merge_commit_sha: Option<String>,
    draft: Option<bool>,
    pub(super) user: Option<Account>,
    pub(super) head: Option<Side>,
    base: Option<Side>,
    auto_merge: Option<AutoMerge>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AutoMerge {
    enabled_by: Option<Account>,
}

impl AutoMerge {
    /// Who enabled it; an account that is gone leaves its wish behind.
    fn by(self) -> String {
        self.enabled_by.and_then(|by| by.login).unwrap_or_else(|| "ghost".to_owned())
    }
}

impl PullAnswer {
    pub(super) fn head_sha(&self) -> Result<CommitSha, Error> {
        sha(self.head.as_ref().and_then(|head| head.sha.as_deref()), "head")
    }

    pub(super) fn into_pull(self) -> Result<Pull, Error> {
        let state = match (self.merged, self.state.as_deref()) {
            (Some(true), _) => {
                PullState::Merged { commit: sha(self.merge_commit_sha.as_deref(), "merge commit")? }
            }
            (_, Some("open")) => PullState::Open,
            (_, Some("closed")) => PullState::Closed,
            (_, _) => return Err(unexpected("state")),
        };
        let head = self.head_sha()?;
        let home =
            |side: Option<&Side>| side.and_then(|side| side.repo.as_ref()).and_then(|r| r.id);
        let (from, into) = (home(self.head.as_ref()), home(self.base.as_ref()));
        let base = self.base.and_then(|base| base.reference);
        Ok(Pull {
            number: PullNumber(required(self.number, "pull request number")?),
            state,
            draft: self.draft.unwrap_or(false),
            head,
            head_branch: self.head.and_then(|head| head.reference).unwrap_or_default(),
            fork: from.is_none() || from != into,
            base: branch(base.as_deref(), "base")?,
            auto_merge: self.auto_merge.map(AutoMerge::by),
        })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ReviewAnswer {
    pub(super) id: Option<u64>,
    pub(super) user: Option<Account>,
    pub(super) body: Option<String>,
    pub(super) state: Option<String>,
    pub(super) commit_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct MergeAnswered {
    pub(super) merged: Option<bool>,
    pub(super) sha: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AppAnswer {
    pub(super) id: Option<u64>,
    pub(super) slug: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Output {
    pub(super) title: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) text: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RunAnswer {
    pub(super) id: Option<u64>,
    pub(super) name: Option<String>,
    pub(super) status: Option<String>,
    pub(super) conclusion: Option<String>,
    pub(super) completed_at: Option<String>,
    pub(super) details_url: Option<String>,
    pub(super) html_url: Option<String>,
    pub(super) output: Option<Output>,
    pub(super) app: Option<AppAnswer>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StatusAnswer {
    pub(super) id: Option<u64>,
    pub(super) context: Option<String>,
    pub(super) state: Option<String>,
    pub(super) description: Option<String>,
    pub(super) target_url: Option<String>,
    pub(super) updated_at: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnnotationAnswer {
    pub(super) path: Option<String>,
    pub(super) start_line: Option<u64>,
    pub(super) annotation_level: Option<String>,
    pub(super) title: Option<String>,
    pub(super) message: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RuleAnswer {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) ruleset_id: Option<u64>,
    pub(super) parameters: Option<RuleParameters>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RuleParameters {
    pub(super) required_status_checks: Option<Vec<Context>>,
    pub(super) strict_required_status_checks_policy: Option<bool>,
    pub(super) required_approving_review_count: Option<u32>,
    pub(super) allowed_merge_methods: Option<Vec<String>>,
    pub(super) require_code_owner_review: Option<bool>,
    pub(super) require_last_push_approval: Option<bool>,
    pub(super) required_review_thread_resolution: Option<bool>,
    pub(super) required_deployment_environments: Option<Vec<String>>,
    pub(super) merge_method: Option<String>,
    pub(super) check_response_timeout_minutes: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Context {
    pub(super) context: Option<String>,
    pub(super) integration_id: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct BranchAnswer {
    pub(super) commit: Option<Tip>,
    pub(super) protected: Option<bool>,
    pub(super) protection: Option<Protection>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tip {
    pub(super) sha: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Protection {
    pub(super) required_status_checks: Option<ProtectedChecks>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ProtectedChecks {
    pub(super) enforcement_level: Option<String>,
    pub(super) contexts: Option<Vec<String>>,
    pub(super) checks: Option<Vec<Context>>,
}
