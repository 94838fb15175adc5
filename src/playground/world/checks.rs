//! Check suites, check runs and commit statuses, with GitHub's limits on all of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::access::{Actor, CHECKS};
use super::accounts::{Level, User};
use super::events::News;
use super::model::{CheckAction, CheckOutput, Run, RunStatus, Suite};
use super::{ApiError, ApiResult, State};
use crate::playground::render;

/// The longest summary or text of a check run, in characters.
pub const OUTPUT_MAX: usize = 65_535;
/// Annotations in one request.
pub const ANNOTATIONS_MAX: usize = 50;
/// Buttons on a check run, and the characters of label, description and identifier.
pub const ACTIONS_MAX: (usize, usize, usize, usize) = (3, 20, 40, 20);
const CONCLUSIONS: [&str; 9] = [
    "action_required",
    "cancelled",
    "failure",
    "neutral",
    "success",
    "skipped",
    "stale",
    "timed_out",
    "startup_failure",
];

const READ_CHECKS: (&str, Level) = ("checks", Level::Read);

/// Fields of a check run to be made or changed; `None` leaves a field alone.
#[derive(Clone, Debug, Default)]
pub struct RunEdit {
    pub name: Option<String>,
    pub external_id: Option<String>,
    pub details_url: Option<String>,
    pub status: Option<RunStatus>,
    pub conclusion: Option<String>,
    /// Annotations are added to those already there.
    pub output: Option<CheckOutput>,
    pub actions: Option<Vec<CheckAction>>,
    pub log: Option<String>,
}

/// What is asked of the list of check runs.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    /// Every attempt and not only the newest of each name.
    pub all: bool,
    pub app_id: Option<u64>,
    pub name: Option<String>,
    pub status: Option<String>,
}

fn check_edit(edit: &RunEdit) -> ApiResult<()> {
    let refused = |field: &str, why: &str| ApiError::invalid("CheckRun", field, why);
    if edit.conclusion.as_ref().is_some_and(|text| !CONCLUSIONS.contains(&text.as_str())) {
        return Err(refused("conclusion", "is not included in the list"));
    }
    if edit.status == Some(RunStatus::Completed) && edit.conclusion.is_none() {
        return Err(refused("conclusion", "is required when the status is completed"));
    }
    if let Some(output) = &edit.output {
        let long = |text: &Option<String>| {
            text.as_ref().is_some_and(|text| text.chars().count() > OUTPUT_MAX)
        };
        if long(&output.summary) || long(&output.text) {
            return Err(refused("output", "exceeds a maximum length of 65535"));
        }
        if output.annotations.len() > ANNOTATIONS_MAX {
            return Err(refused("annotations", "No more than 50 items are allowed"));
        }
    }
    let (count, label, description, identifier) = ACTIONS_MAX;
    let actions = edit.actions.as_deref().unwrap_or_default();
    let too_long = |action: &CheckAction| {
        action.label.chars().count() > label
            || action.description.chars().count() > description
            || action.identifier.chars().count() > identifier
    };
    if actions.len() > count || actions.iter().any(too_long) {
        return Err(refused("actions", "No more than 3 items of 20, 40 and 20 characters"));
    }
    Ok(())
}

impl State {
    pub fn create_check_run(
        &mut self,
        actor: &Actor,
        repo: &str,
        head_sha: &str,
        edit: &RunEdit,
    ) -> ApiResult<Run> {
        let id = self.enter(actor, repo, &[CHECKS])?;
        let app = Self::via_app(actor)
            .ok_or_else(|| ApiError::new(403, "You must authenticate via a GitHub App."))?;
        if self.forge(id)?.commit_info(head_sha)?.is_none() {
            let why = format!("No commit found for SHA: {head_sha}");
            return Err(ApiError::new(422, why));
        }
        self.put_run(id, app, (None, head_sha), edit)
    }

    pub fn update_check_run(
        &mut self,
        actor: &Actor,
        repo: &str,
        run: u64,
        edit: &RunEdit,
    ) -> ApiResult<Run> {
        let id = self.enter(actor, repo, &[CHECKS])?;
        let found = self.repo(id)?.runs.get(&run).ok_or_else(ApiError::not_found)?;
        let (app, sha) = (found.app, found.head_sha.clone());
        if Self::via_app(actor) != Some(app) {
            let why = format!(
                "Invalid app_id `{app}` - check run can only be modified by the GitHub App that \
                 created it."
            );
            return Err(ApiError::new(403, why));
        }
        self.put_run(id, app, (Some(run), &sha), edit)
    }

    /// Makes or changes a run and tells everybody about it.
    pub(crate) fn put_run(
        &mut self,
        repo: u64,
        app: u64,
        (run, sha): (Option<u64>, &str),
        edit: &RunEdit,
    ) -> ApiResult<Run> {
        check_edit(edit)?;
        let now_ms = self.now_ms;
        let suite = self.suite_for(repo, app, sha)?;
        let id = run.unwrap_or_else(|| self.fresh_id());
        if run.is_none() {
            let missing = || ApiError::invalid("CheckRun", "name", "is missing");
            let name = edit.name.clone().ok_or_else(missing)?;
            let fresh = Run {
                id,
                suite,
                app,
                name,
                head_sha: sha.to_owned(),
                external_id: String::new(),
                details_url: None,
                status: RunStatus::Queued,
                conclusion: None,
                started_ms: None,
                completed_ms: None,
                output: CheckOutput::default(),
                actions: Vec::new(),
                log: None,
            };
            self.repo_mut(repo)?.runs.insert(id, fresh);
        }
        let found = self.repo_mut(repo)?.runs.get_mut(&id).ok_or_else(ApiError::not_found)?;
        let was_done = run.is_some() && found.status == RunStatus::Completed;
        apply_edit(found, edit, now_ms);
        let found = found.clone();
        if let Some(suite) = self.repo_mut(repo)?.suites.get_mut(&suite) {
            suite.updated_ms = now_ms;
        }
        let sender = self.app_user(app)?;
        let done = found.status == RunStatus::Completed && !was_done;
        if run.is_none() {
            self.emit_run(repo, &found, ("created", &sender, None), json!({}));
        }
        if done {
            self.emit_run(repo, &found, ("completed", &sender, None), json!({}));
            self.emit_suite_if_done(repo, suite, &sender)?;
        }
        Ok(found)
    }

    pub(crate) fn app_user(&self, app: u64) -> ApiResult<User> {
        self.apps.get(&app).map(|app| app.user.clone()).ok_or_else(ApiError::not_found)
    }

    /// The App's suite on a commit, made when there is none.
    pub(crate) fn suite_for(&mut self, repo: u64, app: u64, sha: &str) -> ApiResult<u64> {
        let (fresh, now_ms) = (self.fresh_id(), self.now_ms);
        let repo = self.repo_mut(repo)?;
        let same = |one: &&Suite| one.app == app && one.head_sha == sha;
        if let Some(found) = repo.suites.values().find(same) {
            return Ok(found.id);
        }
        let head_branch = repo.branches.iter().find(|(_, tip)| *tip == sha);
        let head_branch = head_branch.map(|(branch, _)| branch.clone());
        let suite = Suite {
            id: fresh,
            app,
            head_sha: sha.to_owned(),
            head_branch,
            created_ms: now_ms,
            updated_ms: now_ms,
        };
        repo.suites.insert(fresh, suite);
        Ok(fresh)
    }

    /// A new commit on a branch: a suite for every App with checks, and CI where it is due.
    pub(crate) fn head_arrived(
        &mut self,
        repo: u64,
        branch: &str,
        sha: &str,
        is_default: bool,
    ) -> ApiResult<()> {
        let wants = |app: &u64| {
            let app = self.apps.get(app);
            let level = app.and_then(|app| app.permissions.get("checks"));
            level.is_some_and(|level| *level >= Level::Write) && app.map(|a| a.id) != self.ci_app
        };
        let installed = self.installations.values().filter(|one| one.repositories.contains(&repo));
        let apps: Vec<u64> = installed.map(|one| one.app).filter(wants).collect();
        for app in apps {
            let suite = self.suite_for(repo, app, sha)?;
            let sender = self.app_user(app)?;
            self.emit_suite(repo, suite, "requested", (&sender, Some(app)))?;
        }
        let open = self.open_pulls(repo);
        if is_default || open.iter().any(|pull| pull.head_ref == branch) {
            self.ci_for_head(repo, branch, sha)?;
        }
        Ok(())
    }

    pub fn check_run(&self, actor: &Actor, repo: &str, run: u64) -> ApiResult<Run> {
        let id = self.enter(actor, repo, &[READ_CHECKS])?;
        self.repo(id)?.runs.get(&run).cloned().ok_or_else(ApiError::not_found)
    }

    /// Check runs of a commit or ref, newest last.
    pub fn list_check_runs(
        &self,
        actor: &Actor,
        repo: &str,
        name: &str,
        filter: &RunFilter,
    ) -> ApiResult<Vec<Run>> {
        let id = self.enter(actor, repo, &[READ_CHECKS])?;
        let sha = self.resolve(id, name)?;
        let mut runs = if filter.all {
            let all = self.repo(id)?.runs.values();
            all.filter(|run| run.head_sha == sha).cloned().collect()
        } else {
            self.latest_runs(id, &sha)?
        };
        runs.retain(|run| {
            filter.app_id.is_none_or(|app| run.app == app)
                && filter.name.as_ref().is_none_or(|name| run.name == *name)
                && filter.status.as_ref().is_none_or(|status| run.status.name() == status)
        });
        Ok(runs)
    }

    pub fn list_suites(&self, actor: &Actor, repo: &str, name: &str) -> ApiResult<Vec<Suite>> {
        let id = self.enter(actor, repo, &[READ_CHECKS])?;
        let sha = self.resolve(id, name)?;
        let all = self.repo(id)?.suites.values();
        Ok(all.filter(|suite| suite.head_sha == sha).cloned().collect())
    }

    /// The newest run of each App and name.
    pub(crate) fn latest_runs(&self, repo: u64, sha: &str) -> ApiResult<Vec<Run>> {
        let mut latest = BTreeMap::new();
        for run in self.repo(repo)?.runs.values().filter(|run| run.head_sha == sha) {
            latest.insert((run.app, run.name.clone()), run.clone());
        }
        let mut runs: Vec<Run> = latest.into_values().collect();
        runs.sort_by_key(|run| run.id);
        Ok(runs)
    }

    /// A person presses one of a run's buttons.
    pub fn request_action(
        &mut self,
        actor: &Actor,
        repo: &str,
        run: u64,
        identifier: &str,
    ) -> ApiResult<()> {
        let id = self.enter(actor, repo, &[("contents", Level::Write)])?;
        let user = self.user_of(actor)?;
        let found = self.repo(id)?.runs.get(&run).cloned().ok_or_else(ApiError::not_found)?;
        let has = |action: &CheckAction| action.identifier == identifier;
        if found.status != RunStatus::Completed || !found.actions.iter().any(has) {
            return Err(ApiError::new(422, "There is no such button"));
        }
        let payload = json!({"requested_action": {"identifier": identifier}});
        self.emit_run(id, &found, ("requested_action", &user, Some(found.app)), payload);
        Ok(())
    }

    pub(crate) fn emit_run(
        &mut self,
        repo: u64,
        run: &Run,
        (action, sender, only_app): (&'static str, &User, Option<u64>),
        mut payload: Value,
    ) {
        if !self.is_heard(repo, "check_run", only_app) {
            return;
        }
        let Ok(found) = self.repo(repo) else {
            return;
        };
        let rendered = render::check_run(self, found, run);
        if let Some(fields) = payload.as_object_mut() {
            fields.insert("check_run".into(), rendered);
        }
        let news = News::new("check_run", Some(action), sender, payload);
        self.emit(repo, News { only_app, ..news });
    }

    fn emit_suite_if_done(&mut self, repo: u64, suite: u64, sender: &User) -> ApiResult<()> {
        let mut runs = self.repo(repo)?.runs.values().filter(|run| run.suite == suite);
        if runs.all(|run| run.status == RunStatus::Completed) {
            self.emit_suite(repo, suite, "completed", (sender, None))?;
        }
        Ok(())
    }

    pub(crate) fn emit_suite(
        &mut self,
        repo: u64,
        suite: u64,
        action: &'static str,
        (sender, only_app): (&User, Option<u64>),
    ) -> ApiResult<()> {
        if !self.is_heard(repo, "check_suite", only_app) {
            return Ok(());
        }
        let found = self.repo(repo)?;
        let one = found.suites.get(&suite).ok_or_else(ApiError::not_found)?;
        let payload = json!({"check_suite": render::check_suite(self, found, one)});
        let news = News::new("check_suite", Some(action), sender, payload);
        self.emit(repo, News { only_app, ..news });
        Ok(())
    }
}

fn apply_edit(run: &mut Run, edit: &RunEdit, now_ms: i64) {
    if let Some(name) = &edit.name {
        run.name.clone_from(name);
    }
    if let Some(id) = &edit.external_id {
        run.external_id.clone_from(id);
    }
    if edit.details_url.is_some() {
        run.details_url.clone_from(&edit.details_url);
    }
    if let Some(output) = &edit.output {
        run.output.title.clone_from(&output.title);
        run.output.summary.clone_from(&output.summary);
        run.output.text.clone_from(&output.text);
        run.output.annotations.extend(output.annotations.iter().cloned());
    }
    if let Some(actions) = &edit.actions {
        run.actions.clone_from(actions);
    }
    if edit.log.is_some() {
        run.log.clone_from(&edit.log);
    }
    let implied = edit.conclusion.as_ref().map(|_| RunStatus::Completed);
    if let Some(status) = implied.or(edit.status) {
        run.status = status;
        run.conclusion.clone_from(&edit.conclusion);
        let done = status == RunStatus::Completed;
        run.completed_ms = done.then_some(now_ms);
        if status != RunStatus::Queued && run.started_ms.is_none() {
            run.started_ms = Some(now_ms);
        }
    }
}
