//! REST routes of check runs, check suites, commit statuses and CI jobs.

use serde_json::{Value, json};

use super::issues::number;
use super::request::{Ctx, Reply, Routed};
use crate::playground::error::{ApiError, ApiResult};
use crate::playground::render;
use crate::playground::world::checks::{RunEdit, RunFilter};
use crate::playground::world::{CheckAction, CheckOutput, Level, Run, RunStatus, State};

pub(super) fn route(ctx: &Ctx<'_>, repo: &str, path: &[&str]) -> Routed {
    match (ctx.method, path) {
        ("POST", ["check-runs"]) => ctx.created("checks/create", |state| {
            let (sha, edit) = (ctx.need("head_sha")?, run_edit(ctx)?);
            let made = state.create_check_run(&ctx.actor, repo, sha, &edit)?;
            shown(ctx, state, repo, &made)
        }),
        ("GET", ["check-runs", id]) => ctx.json("checks/get", |state| {
            let found = state.check_run(&ctx.actor, repo, number(id)?)?;
            shown(ctx, state, repo, &found)
        }),
        ("PATCH", ["check-runs", id]) => ctx.json("checks/update", |state| {
            let edit = run_edit(ctx)?;
            let made = state.update_check_run(&ctx.actor, repo, number(id)?, &edit)?;
            shown(ctx, state, repo, &made)
        }),
        ("GET", ["check-runs", id, "annotations"]) => {
            ctx.list("checks/list-annotations", |state| {
                let found = state.check_run(&ctx.actor, repo, number(id)?)?;
                let home = state.repo(state.enter(&ctx.actor, repo, &[])?)?;
                Ok(render::annotations(state, home, &found))
            })
        }
        ("POST", ["check-runs", id, "rerequest"]) => {
            let done = ctx.call("checks/rerequest-run", |state| {
                state.rerequest_run(&ctx.actor, repo, number(id)?)
            });
            Some(done.map(|()| Reply::created(json!({}))))
        }
        ("POST", ["check-suites", id, "rerequest"]) => {
            let done = ctx.call("checks/rerequest-suite", |state| {
                state.rerequest_suite(&ctx.actor, repo, number(id)?)
            });
            Some(done.map(|()| Reply::created(json!({}))))
        }
        ("POST", ["statuses", sha]) => ctx.created("repos/create-commit-status", |state| {
            let context = ctx.text("context").unwrap_or("default");
            let more = (ctx.text("description"), ctx.text("target_url"));
            let status = (*sha, context, ctx.need("state")?);
            let made = state.create_status(&ctx.actor, repo, status, more)?;
            let home = state.repo(state.enter(&ctx.actor, repo, &[])?)?;
            Ok(render::status(state, home, &made))
        }),
        (_, ["actions", "jobs", id, rest @ ..]) => jobs(ctx, repo, id, rest),
        _ => None,
    }
}

fn shown(ctx: &Ctx<'_>, state: &State, repo: &str, run: &Run) -> ApiResult<Value> {
    let home = state.repo(state.enter(&ctx.actor, repo, &[])?)?;
    Ok(render::check_run(state, home, run))
}

/// `GET …/commits/{ref}/{check-runs,check-suites,status,statuses,pulls}`.
pub(super) fn of_commit(ctx: &Ctx<'_>, repo: &str, path: &[&str]) -> Routed {
    let [name @ .., what] = path else {
        return None;
    };
    let name = name.join("/");
    match *what {
        "check-runs" => {
            let found = ctx.call("checks/list-for-ref", |state| {
                let filter = RunFilter {
                    all: ctx.param("filter") == Some("all"),
                    app_id: ctx.param("app_id").and_then(|id| id.parse().ok()),
                    name: ctx.param("check_name").map(str::to_owned),
                    status: ctx.param("status").map(str::to_owned),
                };
                let found = state.list_check_runs(&ctx.actor, repo, &name, &filter)?;
                found.iter().map(|run| shown(ctx, state, repo, run)).collect()
            });
            Some(found.map(|list| Reply::wrapped("check_runs", list)))
        }
        "check-suites" => {
            let found = ctx.call("checks/list-suites-for-ref", |state| {
                let found = state.list_suites(&ctx.actor, repo, &name)?;
                let home = state.repo(state.enter(&ctx.actor, repo, &[])?)?;
                Ok(found.iter().map(|one| render::check_suite(state, home, one)).collect())
            });
            Some(found.map(|list| Reply::wrapped("check_suites", list)))
        }
        "statuses" => ctx.list("repos/list-commit-statuses-for-ref", |state| {
            let found = state.list_statuses(&ctx.actor, repo, &name)?;
            let home = state.repo(state.enter(&ctx.actor, repo, &[])?)?;
            Ok(found.iter().map(|one| render::status(state, home, one)).collect())
        }),
        "status" => ctx.json("repos/get-combined-status-for-ref", |state| {
            let id = state.enter(&ctx.actor, repo, &[("statuses", Level::Read)])?;
            let sha = state.resolve(id, &name)?;
            let latest = state.latest_statuses(id, &sha)?;
            Ok(render::combined_status(state, state.repo(id)?, &sha, &latest))
        }),
        _ => ctx.list("repos/list-pull-requests-associated-with-commit", |state| {
            let found = state.list_pulls(&ctx.actor, repo, ("all", None, None))?;
            let home = state.repo(state.enter(&ctx.actor, repo, &[])?)?;
            let about = found.iter().filter(|view| {
                view.pull.head_sha == name || view.pull.merge_commit_sha.as_ref() == Some(&name)
            });
            Ok(about.map(|view| render::pull(state, home, view)).collect())
        }),
    }
}

fn run_edit(ctx: &Ctx<'_>) -> ApiResult<RunEdit> {
    let status = match ctx.text("status") {
        None => None,
        Some("queued") => Some(RunStatus::Queued),
        Some("in_progress") => Some(RunStatus::InProgress),
        Some("completed") => Some(RunStatus::Completed),
        Some(_) => {
            let why = "is not included in the list";
            return Err(ApiError::invalid("CheckRun", "status", why));
        }
    };
    let actions = ctx.body.get("actions").and_then(Value::as_array).map(|list| {
        let text = |value: &Value, name: &str| {
            value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let action = |value: &Value| CheckAction {
            label: text(value, "label"),
            description: text(value, "description"),
            identifier: text(value, "identifier"),
        };
        list.iter().map(action).collect()
    });
    Ok(RunEdit {
        name: ctx.owned("name"),
        external_id: ctx.owned("external_id"),
        details_url: ctx.owned("details_url"),
        status,
        conclusion: ctx.owned("conclusion"),
        output: ctx.body.get("output").filter(|value| value.is_object()).map(output),
        actions,
        log: None,
    })
}

fn output(value: &Value) -> CheckOutput {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let annotations = value.get("annotations").and_then(Value::as_array);
    CheckOutput {
        title: text("title"),
        summary: text("summary"),
        text: text("text"),
        annotations: annotations.cloned().unwrap_or_default(),
    }
}

fn jobs(ctx: &Ctx<'_>, repo: &str, id: &str, rest: &[&str]) -> Routed {
    match (ctx.method, rest) {
        ("GET", ["logs"]) => {
            let link = ctx.call("actions/download-job-logs-for-workflow-run", |state| {
                state.log_link(&ctx.actor, repo, number(id)?)
            });
            Some(link.map(Reply::redirect))
        }
        ("POST", ["rerun"]) => {
            let done = ctx.call("actions/re-run-job-for-workflow-run", |state| {
                state.rerun_job(&ctx.actor, repo, number(id)?)
            });
            Some(done.map(|()| Reply::created(json!({}))))
        }
        _ => None,
    }
}

/// Serves a log to whoever holds its short-lived link.
pub(super) fn log(ctx: &Ctx<'_>, secret: &str) -> ApiResult<Reply> {
    let text = ctx.world.with(|state| state.log_text(secret)).ok_or_else(ApiError::not_found)?;
    Ok(Reply::bytes("text/plain; charset=utf-8", text.into_bytes()))
}
