//! Commit statuses: the newest of each context counts.

use std::collections::BTreeMap;

use super::access::Actor;
use super::accounts::Level;
use super::events::News;
use super::model::Status;
use super::{ApiError, ApiResult, State};
use crate::playground::render;

/// The longest description of a commit status, in characters.
pub const DESCRIPTION_MAX: usize = 140;

impl State {
    pub fn create_status(
        &mut self,
        actor: &Actor,
        repo: &str,
        (sha, context, state): (&str, &str, &str),
        (description, target_url): (Option<&str>, Option<&str>),
    ) -> ApiResult<Status> {
        let id = self.enter(actor, repo, &[("statuses", Level::Write)])?;
        let creator = self.user_of(actor)?;
        if !["error", "failure", "pending", "success"].contains(&state) {
            return Err(ApiError::invalid("Status", "state", "is not included in the list"));
        }
        if description.is_some_and(|text| text.chars().count() > DESCRIPTION_MAX) {
            let why = "description is too long (maximum is 140 characters)";
            return Err(ApiError::invalid("Status", "description", why));
        }
        if self.forge(id)?.commit_info(sha)?.is_none() {
            return Err(ApiError::new(422, format!("No commit found for SHA: {sha}")));
        }
        let status = Status {
            id: self.fresh_id(),
            sha: sha.to_owned(),
            context: context.to_owned(),
            state: state.to_owned(),
            description: description.map(str::to_owned),
            target_url: target_url.map(str::to_owned),
            creator,
            at_ms: self.now_ms,
        };
        self.repo_mut(id)?.statuses.push(status.clone());
        let payload = render::status_event(self, self.repo(id)?, &status);
        self.emit(id, News::new("status", None, &status.creator, payload));
        Ok(status)
    }

    /// All statuses of a commit or ref, newest first.
    pub fn list_statuses(&self, actor: &Actor, repo: &str, name: &str) -> ApiResult<Vec<Status>> {
        let id = self.enter(actor, repo, &[("statuses", Level::Read)])?;
        let sha = self.resolve(id, name)?;
        let all = self.repo(id)?.statuses.iter().rev();
        Ok(all.filter(|status| status.sha == sha).cloned().collect())
    }

    /// The newest status of each context.
    pub(crate) fn latest_statuses(&self, repo: u64, sha: &str) -> ApiResult<Vec<Status>> {
        let mut latest = BTreeMap::new();
        for status in self.repo(repo)?.statuses.iter().filter(|status| status.sha == sha) {
            latest.insert(status.context.clone(), status.clone());
        }
        Ok(latest.into_values().collect())
    }
}
