//! Sub-issues and what blocks what, within one repository.

use super::access::{Actor, ISSUES};
use super::accounts::Level;
use super::model::Issue;
use super::{ApiError, ApiResult, State};

/// Sub-issues one issue may have.
const SUB_ISSUES_MAX: usize = 100;

const READ_ISSUES: (&str, Level) = ("issues", Level::Read);

impl State {
    pub fn list_sub_issues(&self, actor: &Actor, repo: &str, number: u64) -> ApiResult<Vec<Issue>> {
        let id = self.enter(actor, repo, &[READ_ISSUES])?;
        self.issue_at(id, number)?;
        self.issues_of(id, self.repo(id)?.sub_issues.get(&number))
    }

    /// What must be closed before this issue is worked on.
    pub fn list_blockers(&self, actor: &Actor, repo: &str, number: u64) -> ApiResult<Vec<Issue>> {
        let id = self.enter(actor, repo, &[READ_ISSUES])?;
        self.issue_at(id, number)?;
        self.issues_of(id, self.repo(id)?.blocked_by.get(&number))
    }

    fn issues_of(&self, repo: u64, numbers: Option<&Vec<u64>>) -> ApiResult<Vec<Issue>> {
        numbers.into_iter().flatten().map(|one| self.issue_at(repo, *one).cloned()).collect()
    }

    /// Adds an issue, named by its id and not by its number, to those of another.
    pub fn add_sub_issue(
        &mut self,
        actor: &Actor,
        repo: &str,
        (number, sub_issue_id): (u64, u64),
    ) -> ApiResult<Issue> {
        let id = self.enter(actor, repo, &[ISSUES])?;
        let parent = self.issue_at(id, number)?.clone();
        let child = self.issue_by_id(id, sub_issue_id)?;
        let invalid = |why: &str| ApiError::invalid("SubIssue", "sub_issue_id", why);
        let all = &mut self.repo_mut(id)?.sub_issues;
        if child == number || all.values().any(|list| list.contains(&child)) {
            return Err(invalid("may only have one parent"));
        }
        let list = all.entry(number).or_default();
        if list.len() >= SUB_ISSUES_MAX {
            return Err(invalid("Parent cannot have more than 100 sub-issues"));
        }
        list.push(child);
        Ok(parent)
    }

    /// Lets an issue wait for another, named by its id.
    pub fn add_blocker(
        &mut self,
        actor: &Actor,
        repo: &str,
        (number, issue_id): (u64, u64),
    ) -> ApiResult<Issue> {
        let id = self.enter(actor, repo, &[ISSUES])?;
        let issue = self.issue_at(id, number)?.clone();
        let blocker = self.issue_by_id(id, issue_id)?;
        let list = self.repo_mut(id)?.blocked_by.entry(number).or_default();
        if blocker == number || list.contains(&blocker) {
            let why = "is already a blocker, or the issue itself";
            return Err(ApiError::invalid("IssueDependency", "issue_id", why));
        }
        list.push(blocker);
        Ok(issue)
    }

    fn issue_by_id(&self, repo: u64, id: u64) -> ApiResult<u64> {
        let found = self.repo(repo)?.issues.values().find(|issue| issue.id == id);
        found.map(|issue| issue.number).ok_or_else(ApiError::not_found)
    }
}
