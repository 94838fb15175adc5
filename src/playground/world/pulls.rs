//! Pull requests: opening, reading with true mergeability, editing, updating their branch.

use serde_json::{Value, json};

use super::access::{Actor, CONTENTS, PULLS};
use super::accounts::{Level, User};
use super::events::News;
use super::issues::IssueEdit;
use super::model::{HeadRepo, Issue, Mergeability, Pull};
use super::refs::{COMMITS_MAX, Comparison, person};
use super::{ApiError, ApiResult, State};
use crate::playground::forge::{CommitDraft, CommitInfo, Expected, Merged};
use crate::playground::render;

pub(crate) const READ_PULLS: [(&str, Level); 2] =
    [("pull_requests", Level::Read), ("contents", Level::Read)];

/// A pull request as a reader gets it.
#[derive(Clone, Debug)]
pub struct PullView {
    pub issue: Issue,
    pub pull: Pull,
    /// `None` while it is being computed.
    pub mergeable: Option<bool>,
    pub mergeable_state: &'static str,
}

/// A pull request to be opened inside one repository.
#[derive(Clone, Debug, Default)]
pub struct NewPull {
    pub title: String,
    pub body: String,
    /// A branch, with or without `owner:` in front.
    pub head: String,
    pub base: String,
    pub draft: bool,
}

impl State {
    pub(crate) fn pull_at(&self, repo: u64, number: u64) -> ApiResult<&Pull> {
        self.repo(repo)?.pulls.get(&number).ok_or_else(ApiError::not_found)
    }

    pub(crate) fn pull_mut(&mut self, repo: u64, number: u64) -> ApiResult<&mut Pull> {
        self.repo_mut(repo)?.pulls.get_mut(&number).ok_or_else(ApiError::not_found)
    }

    pub(crate) fn pull_view(&self, repo: u64, number: u64) -> ApiResult<PullView> {
        let issue = self.issue_at(repo, number)?.clone();
        let pull = self.pull_at(repo, number)?.clone();
        let mergeable = match (&pull.mergeability, issue.open) {
            (_, false) | (Mergeability::Unknown { .. }, true) => None,
            (Mergeability::Clean { .. }, true) => Some(true),
            (Mergeability::Conflict, true) => Some(false),
        };
        let mergeable_state = self.mergeable_state(repo, &pull, mergeable)?;
        Ok(PullView { issue, pull, mergeable, mergeable_state })
    }

    /// Reads a pull request; asking is what makes its mergeability be computed.
    pub fn pull(&mut self, actor: &Actor, repo: &str, number: u64) -> ApiResult<PullView> {
        let id = self.enter(actor, repo, &READ_PULLS)?;
        let asks_max = self.repo(id)?.settings.mergeable_asks;
        let is_open = self.issue_at(id, number)?.open;
        let pull = self.pull_mut(id, number)?;
        match &mut pull.mergeability {
            Mergeability::Unknown { asked } if is_open && *asked < asks_max => *asked += 1,
            Mergeability::Unknown { .. } if is_open => self.probe(id, number)?,
            Mergeability::Unknown { .. } | Mergeability::Clean { .. } | Mergeability::Conflict => {}
        }
        self.pull_view(id, number)
    }

    /// Merges head into base for trial and keeps the answer.
    pub(crate) fn probe(&mut self, repo: u64, number: u64) -> ApiResult<()> {
        let pull = self.pull_at(repo, number)?.clone();
        let forge = self.forge(repo)?;
        let base = self.base_tip(repo, &pull)?;
        let found = match forge.merge_tree(None, &base, &pull.head_sha)? {
            Merged::Conflict { .. } => Mergeability::Conflict,
            Merged::Clean { tree } => {
                let message = format!("Merge {} into {base}", pull.head_sha);
                let test_merge = forge.commit_tree(&CommitDraft {
                    tree: &tree,
                    parents: &[&base, &pull.head_sha],
                    message: &message,
                    author: &person(&self.issue_at(repo, number)?.user),
                    at_ms: self.now_ms,
                })?;
                let name = format!("refs/pull/{number}/merge");
                forge.update_ref(&name, Expected::Anything, Some(&test_merge))?;
                Mergeability::Clean { test_merge }
            }
        };
        self.pull_mut(repo, number)?.mergeability = found;
        Ok(())
    }

    pub(crate) fn base_tip(&self, repo: u64, pull: &Pull) -> ApiResult<String> {
        let tip = self.repo(repo)?.branches.get(&pull.base_ref).cloned();
        tip.ok_or_else(|| ApiError::new(405, "Base branch does not exist"))
    }

    /// Pull requests by state (`open`, `closed`, `all`), head branch and base; newest first.
    pub fn list_pulls(
        &self,
        actor: &Actor,
        repo: &str,
        (state, head, base): (&str, Option<&str>, Option<&str>),
    ) -> ApiResult<Vec<PullView>> {
        let id = self.enter(actor, repo, &READ_PULLS)?;
        let found = self.repo(id)?;
        let branch = head.map(|name| name.split_once(':').map_or(name, |(_, branch)| branch));
        let mut views = Vec::new();
        for pull in found.pulls.values().rev() {
            let is_open = self.issue_at(id, pull.number)?.open;
            let wanted = (state == "all" || is_open == (state != "closed"))
                && branch.is_none_or(|branch| pull.head_ref == branch)
                && base.is_none_or(|branch| pull.base_ref == branch);
            if wanted {
                views.push(self.pull_view(id, pull.number)?);
            }
        }
        Ok(views)
    }

    pub fn create_pull(&mut self, actor: &Actor, repo: &str, new: &NewPull) -> ApiResult<PullView> {
        let id = self.enter(actor, repo, &[PULLS])?;
        let user = self.user_of(actor)?;
        let head_ref = new.head.split_once(':').map_or(&*new.head, |(_, branch)| branch);
        let found = self.repo(id)?;
        let invalid = |field: &str| ApiError::invalid("PullRequest", field, "invalid");
        let head = found.branches.get(head_ref).cloned().ok_or_else(|| invalid("head"))?;
        let base = found.branches.get(&new.base).cloned().ok_or_else(|| invalid("base"))?;
        if new.draft && !found.settings.has_drafts {
            let why = "Draft pull requests are not supported in this repository.";
            return Err(ApiError::new(422, why));
        }
        let same = |one: &Pull| one.head_ref == head_ref && one.base_ref == new.base;
        if self.open_pulls(id).iter().any(same) {
            let owner = &found.owner.login;
            let why = format!("A pull request already exists for {owner}:{head_ref}.");
            return Err(ApiError::invalid("PullRequest", "head", &why));
        }
        if found.forge.is_ancestor(&head, &base)? {
            let why = format!("No commits between {} and {head_ref}", new.base);
            return Err(ApiError::invalid("PullRequest", "head", &why));
        }
        let number = self.new_issue(actor, id, (&new.title, &new.body), true)?;
        let pull = Pull {
            id: self.fresh_id(),
            number,
            head_repo: HeadRepo::Here,
            head_ref: head_ref.to_owned(),
            head_sha: head.clone(),
            base_ref: new.base.clone(),
            base_sha: base,
            draft: new.draft,
            merged: false,
            merged_ms: None,
            merged_by: None,
            merge_commit_sha: None,
            mergeability: Mergeability::Unknown { asked: 0 },
            auto_merge: None,
            removed: None,
            requested_reviewers: Vec::new(),
        };
        self.repo_mut(id)?.pulls.insert(number, pull);
        self.point_head(id, number, &head)?;
        self.emit_pull(id, number, ("opened", &user), json!({}));
        self.ci_for_head(id, head_ref, &head)?;
        self.pull_view(id, number)
    }

    /// Changes title, body, state, and with `base` the target branch.
    pub fn edit_pull(
        &mut self,
        actor: &Actor,
        repo: &str,
        number: u64,
        (edit, base): (&IssueEdit, Option<&str>),
    ) -> ApiResult<PullView> {
        let id = self.enter(actor, repo, &[PULLS])?;
        let user = self.user_of(actor)?;
        let old = self.pull_at(id, number)?.clone();
        if edit.open == Some(true) && !self.repo(id)?.branches.contains_key(&old.head_ref) {
            let why = "state cannot be changed. The head branch has been deleted.";
            return Err(ApiError::invalid("PullRequest", "state", why));
        }
        self.edit_issue(actor, repo, number, edit)?;
        if let Some(base) = base.filter(|base| **base != *old.base_ref) {
            let tip = self.repo(id)?.branches.get(base).cloned();
            let tip = tip.ok_or_else(|| ApiError::invalid("PullRequest", "base", "invalid"))?;
            let pull = self.pull_mut(id, number)?;
            base.clone_into(&mut pull.base_ref);
            pull.base_sha = tip;
            pull.mergeability = Mergeability::Unknown { asked: 0 };
            // Another base has other rules: GitHub takes the wish back.
            pull.auto_merge = None;
            let changes = json!({"changes": {"base": {"ref": {"from": old.base_ref}}}});
            self.emit_pull(id, number, ("edited", &user), changes);
        }
        self.pull_view(id, number)
    }

    /// Draft to ready (`true`) or back, as the GraphQL mutations do.
    pub fn set_ready(
        &mut self,
        actor: &Actor,
        repo: &str,
        number: u64,
        ready: bool,
    ) -> ApiResult<()> {
        let id = self.enter(actor, repo, &[PULLS])?;
        self.need_hand(actor, id, number)?;
        let user = self.user_of(actor)?;
        let pull = self.pull_mut(id, number)?;
        if pull.draft != ready {
            return Ok(());
        }
        pull.draft = !ready;
        let action = if ready { "ready_for_review" } else { "converted_to_draft" };
        self.emit_pull(id, number, (action, &user), json!({}));
        Ok(())
    }

    /// `PUT …/update-branch`: merges the base into the head.
    pub fn update_pull_branch(
        &mut self,
        actor: &Actor,
        repo: &str,
        number: u64,
        expected_head: Option<&str>,
    ) -> ApiResult<()> {
        let id = self.enter(actor, repo, &[PULLS])?;
        self.enter(actor, repo, &[CONTENTS])?;
        let user = self.user_of(actor)?;
        let pull = self.pull_at(id, number)?.clone();
        if expected_head.is_some_and(|sha| sha != pull.head_sha) {
            let why = format!("expected head sha didn’t match current head ref. {}", pull.head_sha);
            return Err(ApiError::new(422, why));
        }
        let (forge, base) = (self.forge(id)?, self.base_tip(id, &pull)?);
        if forge.is_ancestor(&base, &pull.head_sha)? {
            return Err(ApiError::new(422, "There are no new commits on the base branch."));
        }
        let Merged::Clean { tree } = forge.merge_tree(None, &pull.head_sha, &base)? else {
            return Err(ApiError::new(422, "merge conflict between base and head"));
        };
        let message = format!("Merge branch '{}' into {}", pull.base_ref, pull.head_ref);
        let made = forge.commit_tree(&CommitDraft {
            tree: &tree,
            parents: &[&pull.head_sha, &base],
            message: &message,
            author: &person(&user),
            at_ms: self.now_ms,
        })?;
        let name = format!("refs/heads/{}", pull.head_ref);
        forge.update_ref(&name, Expected::At(&pull.head_sha), Some(&made))?;
        self.repo_mut(id)?.signed.insert(made);
        self.refresh_refs(id, &user)
    }

    pub fn pull_commits(
        &self,
        actor: &Actor,
        repo: &str,
        number: u64,
    ) -> ApiResult<Vec<CommitInfo>> {
        let id = self.enter(actor, repo, &READ_PULLS)?;
        let pull = self.pull_at(id, number)?;
        let base = if pull.merged { &pull.base_sha } else { &self.base_tip(id, pull)? };
        Ok(self.forge(id)?.commits_between(Some(base), &pull.head_sha, COMMITS_MAX)?)
    }

    /// Base against head, from their merge base.
    pub fn pull_diff(&self, actor: &Actor, repo: &str, number: u64) -> ApiResult<Comparison> {
        let id = self.enter(actor, repo, &READ_PULLS)?;
        let pull = self.pull_at(id, number)?;
        let base = if pull.merged { pull.base_sha.clone() } else { self.base_tip(id, pull)? };
        self.compare_at(id, &base, &pull.head_sha)
    }

    pub(crate) fn emit_pull(
        &mut self,
        repo: u64,
        number: u64,
        (action, sender): (&'static str, &User),
        mut payload: Value,
    ) {
        if !self.is_heard(repo, "pull_request", None) {
            return;
        }
        let (Ok(view), Some(found)) = (self.pull_view(repo, number), self.repos.get(&repo)) else {
            return;
        };
        let rendered = render::pull(self, found, &view);
        if let Some(fields) = payload.as_object_mut() {
            fields.insert("number".into(), number.into());
            fields.insert("pull_request".into(), rendered);
        }
        self.emit(repo, News::new("pull_request", Some(action), sender, payload));
    }
}
