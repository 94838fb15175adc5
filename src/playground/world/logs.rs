//! Running checks again, and the logs of CI jobs behind short-lived links.

use serde_json::json;

use super::access::{Actor, CHECKS};
use super::accounts::Level;
use super::model::RunStatus;
use super::{ApiError, ApiResult, State};
use crate::playground::render;

/// A link to a log lives one minute.
const LINK_LIFE_MS: i64 = 60_000;

/// Where a link leads and until when.
#[derive(Clone, Debug)]
pub(crate) struct LogLink {
    repo: u64,
    run: u64,
    expires_ms: i64,
}

impl State {
    /// `GET …/actions/jobs/{id}/logs`: the address the caller is sent to.
    pub fn log_link(&mut self, actor: &Actor, repo: &str, job: u64) -> ApiResult<String> {
        let repo = self.enter(actor, repo, &[("actions", Level::Read)])?;
        let run = self.repo(repo)?.runs.get(&job).filter(|run| run.log.is_some());
        let run = run.ok_or_else(ApiError::not_found)?.id;
        let now_ms = self.now_ms;
        self.log_links.retain(|_, link| link.expires_ms > now_ms);
        let secret = self.fresh_secret();
        let link = LogLink { repo, run, expires_ms: now_ms + LINK_LIFE_MS };
        self.log_links.insert(secret.clone(), link);
        Ok(format!("{}/_logs/{secret}", self.base_url))
    }

    /// The log behind a link, as Actions writes logs: byte order mark and times.
    pub fn log_text(&self, secret: &str) -> Option<String> {
        let link = self.log_links.get(secret).filter(|link| link.expires_ms > self.now_ms)?;
        let run = self.repos.get(&link.repo)?.runs.get(&link.run)?;
        let at = render::time(run.completed_ms.unwrap_or(self.now_ms));
        let at = at.trim_end_matches('Z');
        let mut text = String::from("\u{feff}");
        for line in run.log.as_ref()?.lines() {
            text.push_str(at);
            text.push_str(".0000000Z ");
            text.push_str(line);
            text.push('\n');
        }
        Some(text)
    }

    /// `POST …/actions/jobs/{id}/rerun`.
    pub fn rerun_job(&mut self, actor: &Actor, repo: &str, job: u64) -> ApiResult<()> {
        let id = self.enter(actor, repo, &[("actions", Level::Write)])?;
        let run = self.repo(id)?.runs.get(&job).cloned();
        let run = run.filter(|run| self.ci_app == Some(run.app)).ok_or_else(ApiError::not_found)?;
        if run.status != RunStatus::Completed {
            let why = "The workflow run containing this job is already running";
            return Err(ApiError::new(403, why));
        }
        self.ci_rerun(id, &run)
    }

    /// Asks the run's App to run it again.
    pub fn rerequest_run(&mut self, actor: &Actor, repo: &str, run: u64) -> ApiResult<()> {
        let id = self.enter(actor, repo, &[CHECKS, ("contents", Level::Write)])?;
        let user = self.user_of(actor)?;
        let found = self.repo(id)?.runs.get(&run).cloned().ok_or_else(ApiError::not_found)?;
        if found.status != RunStatus::Completed {
            return Err(ApiError::new(422, "This check run is not rerequestable"));
        }
        if self.ci_app == Some(found.app) {
            return self.ci_rerun(id, &found);
        }
        // GitHub forgets how it ended; showing it again is the App's business.
        if let Some(run) = self.repo_mut(id)?.runs.get_mut(&run) {
            run.status = RunStatus::Queued;
            run.conclusion = None;
            run.completed_ms = None;
        }
        self.emit_run(id, &found, ("rerequested", &user, Some(found.app)), json!({}));
        Ok(())
    }

    pub fn rerequest_suite(&mut self, actor: &Actor, repo: &str, suite: u64) -> ApiResult<()> {
        let id = self.enter(actor, repo, &[CHECKS, ("contents", Level::Write)])?;
        let user = self.user_of(actor)?;
        let found = self.repo(id)?.suites.get(&suite).cloned().ok_or_else(ApiError::not_found)?;
        if self.ci_app == Some(found.app) {
            for run in self.latest_runs(id, &found.head_sha)? {
                if run.suite == suite && run.status == RunStatus::Completed {
                    self.ci_rerun(id, &run)?;
                }
            }
            return Ok(());
        }
        self.emit_suite(id, suite, "rerequested", (&user, Some(found.app)))
    }
}
