//! Checks over HTTP: those of others read, our own written, and what they printed.

use axum::http::Method;
use serde_json::json;

use super::shape::{AnnotationAnswer, RunAnswer, StatusAnswer, WithId, required};
use super::wire::Request;
use super::{App, Grant, path};
use crate::gate::seen::Check;
use crate::github::checks::{self, Dated, Reported};
use crate::github::{At, CHECK_NAME, CheckRun, Error, LOG_BYTES_MAX, log};
use crate::model::{CheckId, CommitSha};

/// The name of the App that runs workflows; its checks are jobs.
const ACTIONS: &str = "github-actions";

impl App {
    pub(super) async fn read_checks(&self, at: &At, head: &CommitSha) -> Result<Vec<Check>, Error> {
        let path = path::repo(at, &format!("/commits/{head}/check-runs?filter=latest"));
        let runs = self.pages::<RunAnswer>(at, ("check_runs", &path), Some("check_runs")).await?;
        let path = path::repo(at, &format!("/commits/{head}/status"));
        let statuses =
            self.pages::<StatusAnswer>(at, ("statuses", &path), Some("statuses")).await?;
        if !runs.whole || !statuses.whole {
            // What was not read might be red.
            return Err(Error::Unexpected("more checks than can be read".to_owned()));
        }
        let others = |run: &RunAnswer| run.app.as_ref().and_then(|app| app.id) != Some(self.id);
        let mut all = Vec::new();
        for run in runs.entries.into_iter().filter(others) {
            all.push(of_run(run)?);
        }
        for status in statuses.entries {
            all.push(of_status(status)?);
        }
        Ok(checks::newest(all))
    }

    pub(super) async fn read_check_log(&self, at: &At, check: CheckId) -> Result<String, Error> {
        let path = path::repo(at, &format!("/check-runs/{check}"));
        let run: RunAnswer = self.get(at, "check_run", path).await?;
        let path = path::repo(at, &format!("/check-runs/{check}/annotations?per_page=50"));
        let notes: Vec<AnnotationAnswer> = self.get(at, "annotations", path).await?;
        let mut words = String::new();
        for note in notes {
            let place = note.path.unwrap_or_default();
            let line = note.start_line.unwrap_or_default();
            let level = note.annotation_level.unwrap_or_default();
            let message = note.message.unwrap_or_default();
            words.push_str(&log::note(&place, line, &level, &message));
        }
        let output = run.output.unwrap_or_default();
        for part in [output.title, output.summary].into_iter().flatten() {
            words.push_str(part.trim());
            words.push('\n');
        }
        let ended = run.completed_at.filter(|_| run.status.as_deref() == Some("completed"));
        let printed = match self.job_log(at, check, ended.as_deref()).await? {
            Some(printed) => printed,
            None => output.text.unwrap_or_default(),
        };
        Ok(log::told(&words, &printed))
    }

    /// The log of the workflow job behind a check, where there is one. That of a job that
    /// `ended` does not change any more, and is asked for once.
    async fn job_log(
        &self,
        at: &At,
        check: CheckId,
        ended: Option<&str>,
    ) -> Result<Option<String>, Error> {
        let name = ended.map(|ended| format!("{} {} {check} {ended}", at.installation, at.repo));
        if let Some(kept) = name.as_deref().and_then(|name| self.logs.get(name)) {
            return Ok(Some(kept));
        }
        let path = path::repo(at, &format!("/actions/jobs/{check}/logs"));
        let mut request = Request::get("job_log", path);
        request.tail = Some(LOG_BYTES_MAX * 4);
        match self.ask(at, Grant::Read, &request).await {
            Ok(answer) => {
                let text = String::from_utf8_lossy(&answer.body).into_owned();
                if let Some(name) = name {
                    self.logs.keep(name, &text);
                }
                Ok(Some(text))
            }
            // Not a job, not finished, or its store is down: the check's own words must do.
            Err(
                Error::Gone(_)
                | Error::Forbidden(_)
                | Error::Refused { .. }
                | Error::Unavailable(_)
                | Error::Unexpected(_),
            ) => Ok(None),
            Err(limited @ Error::Limited { .. }) => Err(limited),
        }
    }

    pub(super) async fn find_check_run(
        &self,
        at: &At,
        head: &CommitSha,
    ) -> Result<Option<CheckId>, Error> {
        let filter = format!("check_name={CHECK_NAME}&app_id={}", self.id);
        let path = path::repo(at, &format!("/commits/{head}/check-runs?{filter}"));
        let runs = self.pages::<RunAnswer>(at, ("check_runs", &path), Some("check_runs")).await?;
        let ours = runs.entries.into_iter().filter(|run| {
            run.name.as_deref() == Some(CHECK_NAME)
                && run.app.as_ref().and_then(|app| app.id) == Some(self.id)
        });
        Ok(ours.filter_map(|run| run.id).max().map(CheckId))
    }

    pub(super) async fn write_check_run(&self, at: &At, run: &CheckRun) -> Result<CheckId, Error> {
        let mut body = checks::body(run);
        if let Some(fields) = body.as_object_mut() {
            fields.insert("head_sha".to_owned(), run.head.as_str().into());
            fields.insert("started_at".to_owned(), self.clock.now().rfc3339().into());
        }
        let path = path::repo(at, "/check-runs");
        let made: WithId = self.post(at, Grant::Report, ("create_check_run", path), body).await?;
        required(made.id, "check run id").map(CheckId)
    }

    pub(super) async fn rewrite_check_run(
        &self,
        at: &At,
        id: CheckId,
        run: &CheckRun,
    ) -> Result<(), Error> {
        let path = path::repo(at, &format!("/check-runs/{id}"));
        let request = Request::write(Method::PATCH, "update_check_run", path, checks::body(run));
        self.ask(at, Grant::Report, &request).await.map(drop)
    }

    pub(super) async fn ask_rerun(&self, at: &At, check: CheckId) -> Result<(), Error> {
        let path = path::repo(at, &format!("/check-runs/{check}"));
        let run: RunAnswer = self.get(at, "check_run", path).await?;
        // Workflows are run again as jobs; every other App is asked through its check run.
        let is_job = run.app.and_then(|app| app.slug).as_deref() == Some(ACTIONS);
        let path = if is_job {
            path::repo(at, &format!("/actions/jobs/{check}/rerun"))
        } else {
            path::repo(at, &format!("/check-runs/{check}/rerequest"))
        };
        let request = Request::write(Method::POST, "rerun", path, json!({}));
        let grant = if is_job { Grant::Rerun } else { Grant::Report };
        match self.ask(at, grant, &request).await {
            Ok(_) => Ok(()),
            Err(Error::Forbidden(text)) if text.contains("already running") => Ok(()),
            Err(other) => Err(other),
        }
    }
}

fn of_run(run: RunAnswer) -> Result<Dated, Error> {
    let result = checks::result(run.status.as_deref().unwrap_or(""), run.conclusion.as_deref());
    let output = run.output.unwrap_or_default();
    let said = [output.summary, output.text, output.title].into_iter().flatten();
    Ok(checks::dated(Reported {
        id: required(run.id, "check run id")?,
        is_run: true,
        name: required(run.name, "check run name")?,
        result,
        at: run.completed_at.unwrap_or_default(),
        app: run.app.and_then(|app| app.id),
        url: run.html_url.or(run.details_url),
        said: said.map(|part| part + "\n").collect(),
    }))
}

fn of_status(status: StatusAnswer) -> Result<Dated, Error> {
    Ok(checks::dated(Reported {
        id: required(status.id, "status id")?,
        is_run: false,
        name: required(status.context, "status name")?,
        result: checks::status_result(status.state.as_deref().unwrap_or("")),
        at: status.updated_at.unwrap_or_default(),
        app: None,
        url: status.target_url,
        said: status.description.unwrap_or_default(),
    }))
}
