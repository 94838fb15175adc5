//! Check suites, check runs and commit statuses as JSON.

use serde_json::{Value, json};

use super::{api, app_by_id, node_id, page, repo, time, user};
use crate::playground::world::{Repo, Run, RunStatus, State, Status, Suite};

/// Open pull requests whose head is this commit, in the short form.
fn pulls_at(state: &State, home: &Repo, sha: &str) -> Value {
    let open = home.pulls.values().filter(|pull| {
        pull.head_sha == sha && home.issues.get(&pull.number).is_some_and(|issue| issue.open)
    });
    let short = json!({"id": home.id, "name": home.name, "url": api(state, home)});
    open.map(|pull| {
        json!({
            "id": pull.id,
            "number": pull.number,
            "url": format!("{}/pulls/{}", api(state, home), pull.number),
            "head": {"ref": pull.head_ref, "sha": pull.head_sha, "repo": short},
            "base": {"ref": pull.base_ref, "sha": pull.base_sha, "repo": short},
        })
    })
    .collect()
}

pub fn check_run(state: &State, home: &Repo, run: &Run) -> Value {
    let base = api(state, home);
    let url = format!("{base}/check-runs/{}", run.id);
    let html = format!("{}/checks/{}", page(state, home), run.id);
    let suite = home.suites.get(&run.suite);
    let action = |one: &crate::playground::world::CheckAction| {
        json!({"label": one.label, "description": one.description,
            "identifier": one.identifier})
    };
    let suite_short = match suite {
        Some(one) => json!({"id": one.id, "head_branch": one.head_branch,
            "head_sha": one.head_sha, "app": app_by_id(state, one.app),
            "pull_requests": pulls_at(state, home, &one.head_sha)}),
        None => Value::Null,
    };
    json!({
        "id": run.id,
        "node_id": node_id("CR", run.id),
        "name": run.name,
        "head_sha": run.head_sha,
        "external_id": run.external_id,
        "url": url,
        "html_url": html,
        "details_url": run.details_url.as_ref().unwrap_or(&html),
        "status": run.status.name(),
        "conclusion": run.conclusion,
        "started_at": run.started_ms.map(time),
        "completed_at": run.completed_ms.map(time),
        "output": {
            "title": run.output.title,
            "summary": run.output.summary,
            "text": run.output.text,
            "annotations_count": run.output.annotations.len(),
            "annotations_url": format!("{url}/annotations"),
        },
        "actions": run.actions.iter().map(action).collect::<Vec<_>>(),
        "check_suite": suite_short,
        "app": app_by_id(state, run.app),
        "pull_requests": pulls_at(state, home, &run.head_sha),
    })
}

/// The notes of a run, with what their writer left out as GitHub fills it in.
pub fn annotations(state: &State, home: &Repo, run: &Run) -> Vec<Value> {
    let notes = run.output.annotations.iter();
    let whole = |note: &Value| {
        let path = note.get("path").and_then(Value::as_str).unwrap_or_default();
        let mut whole = json!({
            "path": path,
            "blob_href": format!("{}/blob/{}/{path}", page(state, home), run.head_sha),
            "start_line": 1,
            "end_line": note.get("start_line").cloned().unwrap_or_else(|| 1.into()),
            "start_column": null,
            "end_column": null,
            "annotation_level": null,
            "title": null,
            "message": null,
            "raw_details": null,
        });
        if let (Some(fields), Some(given)) = (whole.as_object_mut(), note.as_object()) {
            fields.extend(given.clone());
        }
        whole
    };
    notes.map(whole).collect()
}

/// Status and conclusion of a suite from its runs.
fn roll_up(runs: &[&Run]) -> (&'static str, Option<&'static str>) {
    if runs.is_empty() {
        return ("queued", None);
    }
    if runs.iter().any(|run| run.status != RunStatus::Completed) {
        let started = runs.iter().any(|run| run.status != RunStatus::Queued);
        return (if started { "in_progress" } else { "queued" }, None);
    }
    let worst = [
        "startup_failure",
        "failure",
        "timed_out",
        "action_required",
        "cancelled",
        "stale",
        "success",
        "neutral",
        "skipped",
    ];
    let has = |name: &&str| runs.iter().any(|run| run.conclusion.as_deref() == Some(*name));
    ("completed", worst.into_iter().find(has))
}

pub fn check_suite(state: &State, home: &Repo, suite: &Suite) -> Value {
    let runs: Vec<&Run> = home.runs.values().filter(|run| run.suite == suite.id).collect();
    let (status, conclusion) = roll_up(&runs);
    let base = api(state, home);
    let head = home.forge.commit_info(&suite.head_sha).ok().flatten();
    json!({
        "id": suite.id,
        "node_id": node_id("CS", suite.id),
        "head_branch": suite.head_branch,
        "head_sha": suite.head_sha,
        "status": status,
        "conclusion": conclusion,
        "url": format!("{base}/check-suites/{}", suite.id),
        "before": null,
        "after": suite.head_sha,
        "pull_requests": pulls_at(state, home, &suite.head_sha),
        "app": app_by_id(state, suite.app),
        "repository": repo(state, home),
        "created_at": time(suite.created_ms),
        "updated_at": time(suite.updated_ms),
        "latest_check_runs_count": runs.len(),
        "check_runs_url": format!("{base}/check-suites/{}/check-runs", suite.id),
        "head_commit": head.map(|one| super::push_commit(state, home, &one)),
        "rerequestable": true,
        "runs_rerequestable": true,
    })
}

pub fn status(state: &State, home: &Repo, status: &Status) -> Value {
    json!({
        "url": format!("{}/statuses/{}", api(state, home), status.sha),
        "id": status.id,
        "node_id": node_id("SC", status.id),
        "avatar_url": null,
        "state": status.state,
        "description": status.description,
        "target_url": status.target_url,
        "context": status.context,
        "creator": user(state, &status.creator),
        "created_at": time(status.at_ms),
        "updated_at": time(status.at_ms),
    })
}

/// The body of `GET …/commits/{ref}/status`: no status at all counts as pending.
pub fn combined_status(state: &State, home: &Repo, sha: &str, latest: &[Status]) -> Value {
    let any = |names: &[&str]| latest.iter().any(|one| names.contains(&one.state.as_str()));
    let rolled = if any(&["error", "failure"]) {
        "failure"
    } else if latest.is_empty() || any(&["pending"]) {
        "pending"
    } else {
        "success"
    };
    let base = api(state, home);
    json!({
        "state": rolled,
        "sha": sha,
        "total_count": latest.len(),
        "statuses": latest.iter().map(|one| status(state, home, one)).collect::<Vec<_>>(),
        "repository": repo(state, home),
        "commit_url": format!("{base}/commits/{sha}"),
        "url": format!("{base}/commits/{sha}/status"),
    })
}

/// The `status` webhook's own fields.
pub fn status_event(state: &State, home: &Repo, status: &Status) -> Value {
    let at = home.branches.iter().filter(|(_, tip)| **tip == status.sha);
    let branch = |(name, tip): (&String, &String)| {
        let protected = home.rules.contains_key(name);
        json!({"name": name, "commit": {"sha": tip}, "protected": protected})
    };
    let commit = home.forge.commit_info(&status.sha).ok().flatten();
    json!({
        "id": status.id,
        "sha": status.sha,
        "name": home.full_name(),
        "context": status.context,
        "state": status.state,
        "description": status.description,
        "target_url": status.target_url,
        "branches": at.map(branch).collect::<Vec<_>>(),
        "commit": commit.map(|one| super::commit(state, home, &one)),
        "created_at": time(status.at_ms),
        "updated_at": time(status.at_ms),
    })
}
