//! Issues, the conversation half of pull requests, and their labels.

use serde_json::{Value, json};

use super::access::{Actor, ISSUES, PULLS};
use super::accounts::{Level, Role, User};
use super::events::News;
use super::model::{Edited, Issue, IssueEvent, Label};
use super::{ApiError, ApiResult, State};
use crate::playground::render;

/// The longest body of an issue, pull request or comment, in characters.
pub const BODY_MAX: usize = 65_536;
/// The longest title, in characters.
pub const TITLE_MAX: usize = 256;

/// What an issue is changed to; `None` leaves a field alone.
#[derive(Clone, Debug, Default)]
pub struct IssueEdit {
    pub title: Option<String>,
    pub body: Option<String>,
    pub open: Option<bool>,
    pub state_reason: Option<String>,
}

pub(crate) fn check_body(resource: &str, body: &str) -> ApiResult<()> {
    if body.chars().count() > BODY_MAX {
        let why = "body is too long (maximum is 65536 characters)";
        return Err(ApiError::invalid(resource, "body", why));
    }
    Ok(())
}

fn check_title(title: &str) -> ApiResult<()> {
    if title.trim().is_empty() {
        return Err(ApiError::invalid("Issue", "title", "title can't be blank"));
    }
    if title.chars().count() > TITLE_MAX {
        let why = "title is too long (maximum is 256 characters)";
        return Err(ApiError::invalid("Issue", "title", why));
    }
    Ok(())
}

impl State {
    pub(crate) fn issue_at(&self, repo: u64, number: u64) -> ApiResult<&Issue> {
        self.repo(repo)?.issues.get(&number).ok_or_else(ApiError::not_found)
    }

    pub(crate) fn issue_mut(&mut self, repo: u64, number: u64) -> ApiResult<&mut Issue> {
        let now_ms = self.now_ms;
        let issue = self.repo_mut(repo)?.issues.get_mut(&number);
        let issue = issue.ok_or_else(ApiError::not_found)?;
        issue.updated_ms = now_ms;
        Ok(issue)
    }

    pub fn issue(&self, actor: &Actor, repo: &str, number: u64) -> ApiResult<Issue> {
        let needs = [("issues", Level::Read), ("pull_requests", Level::Read)];
        let id = self.enter(actor, repo, &needs)?;
        self.issue_at(id, number).cloned()
    }

    /// Issues and pull requests changed since a time, oldest number first.
    pub fn list_issues(&self, actor: &Actor, repo: &str, since_ms: i64) -> ApiResult<Vec<Issue>> {
        let needs = [("issues", Level::Read), ("pull_requests", Level::Read)];
        let id = self.enter(actor, repo, &needs)?;
        let all = self.repo(id)?.issues.values();
        Ok(all.filter(|issue| issue.updated_ms >= since_ms).cloned().collect())
    }

    pub fn create_issue(
        &mut self,
        actor: &Actor,
        repo: &str,
        title: &str,
        body: &str,
    ) -> ApiResult<Issue> {
        let id = self.enter(actor, repo, &[ISSUES])?;
        let number = self.new_issue(actor, id, (title, body), false)?;
        let issue = self.issue_at(id, number)?.clone();
        self.emit_issue(id, &issue, "opened", json!({}));
        Ok(issue)
    }

    /// Makes the issue entry of an issue or pull request.
    pub(crate) fn new_issue(
        &mut self,
        actor: &Actor,
        repo: u64,
        (title, body): (&str, &str),
        is_pull: bool,
    ) -> ApiResult<u64> {
        let user = self.user_of(actor)?;
        check_title(title)?;
        check_body(if is_pull { "PullRequest" } else { "Issue" }, body)?;
        let (issue_id, now_ms) = (self.fresh_id(), self.now_ms);
        let association = self.association(repo, &user);
        let repo = self.repo_mut(repo)?;
        repo.next_number += 1;
        let number = repo.next_number;
        let issue = Issue {
            id: issue_id,
            number,
            title: title.to_owned(),
            body: body.to_owned(),
            user,
            association,
            via_app: Self::via_app(actor),
            open: true,
            state_reason: None,
            closed_by: None,
            labels: std::collections::BTreeMap::new(),
            assignees: Vec::new(),
            reactions: Vec::new(),
            events: Vec::new(),
            created_ms: now_ms,
            updated_ms: now_ms,
            closed_ms: None,
            is_pull,
            edited: None,
            renamed: None,
        };
        repo.issues.insert(number, issue);
        Ok(number)
    }

    pub fn edit_issue(
        &mut self,
        actor: &Actor,
        repo: &str,
        number: u64,
        edit: &IssueEdit,
    ) -> ApiResult<Issue> {
        let id = self.enter(actor, repo, &[ISSUES, PULLS])?;
        let user = self.user_of(actor)?;
        let before = self.issue_at(id, number)?.clone();
        self.need_hand(actor, id, number)?;
        self.edit_text(id, number, edit, &user)?;
        match edit.open {
            Some(open) if open != before.open => {
                let reason = edit.state_reason.as_deref();
                self.set_open(id, number, (open, reason), &user)?;
            }
            Some(_) | None => {}
        }
        self.issue_at(id, number).cloned()
    }

    fn edit_text(
        &mut self,
        repo: u64,
        number: u64,
        edit: &IssueEdit,
        user: &User,
    ) -> ApiResult<()> {
        let issue = self.issue_mut(repo, number)?;
        let mut changes = json!({});
        if let Some(title) = edit.title.as_ref().filter(|title| **title != issue.title) {
            check_title(title)?;
            changes = json!({"title": {"from": issue.title}});
            issue.title.clone_from(title);
            issue.renamed = Some(Edited { at_ms: issue.updated_ms, by: user.clone() });
        }
        if let Some(body) = edit.body.as_ref().filter(|body| **body != issue.body) {
            check_body("Issue", body)?;
            if let Some(fields) = changes.as_object_mut() {
                fields.insert("body".into(), json!({"from": issue.body}));
            }
            issue.body.clone_from(body);
            issue.edited = Some(Edited { at_ms: issue.updated_ms, by: user.clone() });
        }
        if changes.as_object().is_some_and(|fields| !fields.is_empty()) {
            self.emit_about(repo, number, ("edited", user), json!({"changes": changes}));
        }
        Ok(())
    }

    /// Opens or closes an issue or an unmerged pull request.
    pub(crate) fn set_open(
        &mut self,
        repo: u64,
        number: u64,
        (open, reason): (bool, Option<&str>),
        user: &User,
    ) -> ApiResult<()> {
        if open && self.repo(repo)?.pulls.get(&number).is_some_and(|pull| pull.merged) {
            return Err(ApiError::invalid("PullRequest", "state", "cannot be reopened"));
        }
        let now_ms = self.now_ms;
        let issue = self.issue_mut(repo, number)?;
        issue.open = open;
        issue.closed_ms = (!open).then_some(now_ms);
        issue.closed_by = (!open).then(|| user.clone());
        issue.state_reason = match (open, issue.is_pull, reason) {
            (_, true, _) => None,
            (true, ..) => Some("reopened"),
            (false, _, Some("not_planned")) => Some("not_planned"),
            (false, ..) => Some("completed"),
        };
        let action = if open { "reopened" } else { "closed" };
        self.note(repo, number, (action, user), (None, None))?;
        if let Ok(pull) = self.pull_mut(repo, number) {
            pull.mergeability = super::Mergeability::Unknown { asked: 0 };
        }
        self.emit_about(repo, number, (action, user), json!({}));
        Ok(())
    }

    /// Adds a line to an issue's history.
    pub(crate) fn note(
        &mut self,
        repo: u64,
        number: u64,
        (event, actor): (&'static str, &User),
        (label, commit_id): (Option<String>, Option<String>),
    ) -> ApiResult<()> {
        let (id, at_ms, actor) = (self.fresh_id(), self.now_ms, actor.clone());
        let issue = self.issue_mut(repo, number)?;
        issue.events.push(IssueEvent { id, event, actor, label, commit_id, at_ms });
        Ok(())
    }

    pub fn add_labels(
        &mut self,
        actor: &Actor,
        repo: &str,
        number: u64,
        names: &[String],
    ) -> ApiResult<Issue> {
        let id = self.enter(actor, repo, &[ISSUES, PULLS])?;
        let by = self.user_of(actor)?;
        self.need_triage(actor, id)?;
        for name in names {
            let at_ms = self.now_ms;
            let issue = self.issue_mut(id, number)?;
            if issue.labels.contains_key(name) {
                continue;
            }
            let label = Label { name: name.clone(), by: by.clone(), at_ms };
            issue.labels.insert(name.clone(), label);
            self.note(id, number, ("labeled", &by), (Some(name.clone()), None))?;
            let payload = json!({"label": render::label(self, name)});
            self.emit_about(id, number, ("labeled", &by), payload);
        }
        self.issue_at(id, number).cloned()
    }

    pub fn remove_label(
        &mut self,
        actor: &Actor,
        repo: &str,
        number: u64,
        name: &str,
    ) -> ApiResult<Issue> {
        let id = self.enter(actor, repo, &[ISSUES, PULLS])?;
        let by = self.user_of(actor)?;
        self.need_triage(actor, id)?;
        if self.issue_mut(id, number)?.labels.remove(name).is_none() {
            return Err(ApiError::new(404, "Label does not exist"));
        }
        self.note(id, number, ("unlabeled", &by), (Some(name.to_owned()), None))?;
        self.emit_about(
            id,
            number,
            ("unlabeled", &by),
            json!({"label": render::label(self, name)}),
        );
        self.issue_at(id, number).cloned()
    }

    /// Authors and people with the triage role may shape an issue or pull request.
    pub(crate) fn need_hand(&self, actor: &Actor, repo: u64, number: u64) -> ApiResult<()> {
        let author = self.issue_at(repo, number)?.user.id;
        if self.user_of(actor).is_ok_and(|user| user.id == author) {
            return Ok(());
        }
        self.need_triage(actor, repo)
    }

    fn need_triage(&self, actor: &Actor, repo: u64) -> ApiResult<()> {
        if self.at_least(actor, repo, Role::Triage) {
            return Ok(());
        }
        Err(ApiError::new(403, "Must have admin rights to Repository."))
    }

    /// Emits `issues` or `pull_request`, whichever the number is.
    pub(crate) fn emit_about(
        &mut self,
        repo: u64,
        number: u64,
        (action, sender): (&'static str, &User),
        payload: Value,
    ) {
        if self.pull_at(repo, number).is_ok() {
            self.emit_pull(repo, number, (action, sender), payload);
            return;
        }
        let Ok(issue) = self.issue_at(repo, number).cloned() else {
            return;
        };
        self.emit_issue_by(repo, &issue, (action, sender), payload);
    }

    fn emit_issue(&mut self, repo: u64, issue: &Issue, action: &'static str, payload: Value) {
        self.emit_issue_by(repo, issue, (action, &issue.user), payload);
    }

    fn emit_issue_by(
        &mut self,
        repo: u64,
        issue: &Issue,
        (action, sender): (&'static str, &User),
        mut payload: Value,
    ) {
        if !self.is_heard(repo, "issues", None) {
            return;
        }
        let Some(found) = self.repos.get(&repo) else {
            return;
        };
        let rendered = render::issue(self, found, issue);
        if let Some(fields) = payload.as_object_mut() {
            fields.insert("issue".into(), rendered);
        }
        self.emit(repo, News::new("issues", Some(action), sender, payload));
    }
}
