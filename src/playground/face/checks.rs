//! Checks of the World through the face.

use serde_json::Value;

use super::Face;
use crate::gate::seen::Check;
use crate::github::checks::{self, Reported};
use crate::github::{At, CHECK_NAME, CheckRun, Error, log};
use crate::model::{CheckId, CommitSha};
use crate::playground::render;
use crate::playground::world::checks::{RunEdit, RunFilter};
use crate::playground::world::{CheckAction, CheckOutput, Level, Run, RunStatus, Status};

impl Face {
    fn runs(&self, at: &At, head: &CommitSha, filter: &RunFilter) -> Result<Vec<Run>, Error> {
        let rest = format!("/commits/{head}/check-runs");
        self.read(at, ("checks/list-for-ref", &rest), |state, actor, repo| {
            state.list_check_runs(actor, repo, head.as_str(), filter)
        })
    }

    pub(super) fn read_checks(&self, at: &At, head: &CommitSha) -> Result<Vec<Check>, Error> {
        let runs = self.runs(at, head, &RunFilter::default())?;
        let (id, rest) = ("repos/get-combined-status-for-ref", format!("/commits/{head}/status"));
        let statuses = self.read(at, (id, &rest), |state, actor, repo| {
            let id = state.enter(actor, repo, &[("statuses", Level::Read)])?;
            let sha = state.resolve(id, head.as_str())?;
            state.latest_statuses(id, &sha)
        })?;
        let others = runs.into_iter().filter(|run| run.app != self.app).map(of_run);
        let all = others.chain(statuses.into_iter().map(of_status)).map(checks::dated);
        Ok(checks::newest(all.collect()))
    }

    /// The notes of a check run, as GitHub lists them.
    pub(super) fn notes_of(&self, at: &At, check: CheckId) -> Result<Vec<Value>, Error> {
        let rest = format!("/check-runs/{check}/annotations");
        self.read(at, ("checks/list-annotations", &rest), |state, actor, repo| {
            let run = state.check_run(actor, repo, check.0)?;
            let home = state.repo(state.enter(actor, repo, &[])?)?;
            Ok(render::annotations(state, home, &run))
        })
    }

    pub(super) fn read_check_log(&self, at: &At, check: CheckId) -> Result<String, Error> {
        let rest = format!("/check-runs/{check}");
        let run = self.read(at, ("checks/get", &rest), |state, actor, repo| {
            state.check_run(actor, repo, check.0)
        })?;
        let notes = self.notes_of(at, check)?;
        let mut words = String::new();
        for note in notes {
            let text = |name: &str| note.get(name).and_then(|value| value.as_str()).unwrap_or("");
            let line = note.get("start_line").and_then(Value::as_u64).unwrap_or(0);
            words.push_str(&log::note(
                text("path"),
                line,
                text("annotation_level"),
                text("message"),
            ));
        }
        for part in [run.output.title, run.output.summary].into_iter().flatten() {
            words.push_str(part.trim());
            words.push('\n');
        }
        let (id, rest) =
            ("actions/download-job-logs-for-workflow-run", format!("/actions/jobs/{check}/logs"));
        let printed = self.read(at, (id, &rest), |state, actor, repo| {
            let link = state.log_link(actor, repo, check.0)?;
            let secret = link.rsplit('/').next().unwrap_or_default();
            Ok(state.log_text(secret))
        });
        let printed = match printed {
            Ok(printed) => printed,
            Err(limited @ Error::Limited { .. }) => return Err(limited),
            Err(
                Error::Gone(_)
                | Error::Forbidden(_)
                | Error::Refused { .. }
                | Error::Unavailable(_)
                | Error::Unexpected(_),
            ) => None,
        };
        Ok(log::told(&words, &printed.or(run.output.text).unwrap_or_default()))
    }

    pub(super) fn find_check_run(
        &self,
        at: &At,
        head: &CommitSha,
    ) -> Result<Option<CheckId>, Error> {
        let name = Some(CHECK_NAME.to_owned());
        let filter = RunFilter { app_id: Some(self.app), name, ..RunFilter::default() };
        let runs = self.runs(at, head, &filter)?;
        Ok(runs.iter().map(|run| run.id).max().map(CheckId))
    }
}

fn of_run(run: Run) -> Reported {
    let said = [run.output.summary, run.output.text, run.output.title].into_iter().flatten();
    Reported {
        id: run.id,
        is_run: true,
        result: checks::result(run.status.name(), run.conclusion.as_deref()),
        name: run.name,
        at: run.completed_ms.map(render::time).unwrap_or_default(),
        app: Some(run.app),
        url: run.details_url,
        said: said.map(|part| part + "\n").collect(),
    }
}

fn of_status(status: Status) -> Reported {
    Reported {
        id: status.id,
        is_run: false,
        result: checks::status_result(&status.state),
        name: status.context,
        at: render::time(status.at_ms),
        app: None,
        url: status.target_url,
        said: status.description.unwrap_or_default(),
    }
}

/// Our check run within GitHub's limits, as the World takes it.
pub(super) fn edit(run: &CheckRun) -> RunEdit {
    let body = checks::body(run);
    let text = |value: &Value, name: &str| {
        value.get(name).and_then(|value| value.as_str()).map(str::to_owned)
    };
    let output = body.get("output").map(|output| CheckOutput {
        title: text(output, "title"),
        summary: text(output, "summary"),
        ..CheckOutput::default()
    });
    let action = |value: &Value| CheckAction {
        label: text(value, "label").unwrap_or_default(),
        description: text(value, "description").unwrap_or_default(),
        identifier: text(value, "identifier").unwrap_or_default(),
    };
    let actions = body.get("actions").and_then(|list| list.as_array());
    let done = run.conclusion.is_some();
    RunEdit {
        name: text(&body, "name"),
        external_id: text(&body, "external_id"),
        details_url: None,
        status: Some(if done { RunStatus::Completed } else { RunStatus::InProgress }),
        conclusion: text(&body, "conclusion"),
        output,
        actions: actions.map(|list| list.iter().map(action).collect()),
        log: None,
    }
}
