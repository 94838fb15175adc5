//! REST routes of pull requests, reviews and merging.

use serde_json::{Value, json};

use super::issues::{issue_edit, number};
use super::request::{Ctx, Reply, Routed};
use crate::playground::error::{ApiError, ApiResult};
use crate::playground::render;
use crate::playground::world::merge::MergeCall;
use crate::playground::world::pulls::{NewPull, PullView};
use crate::playground::world::reviews::{LineRemark, NewReview};
use crate::playground::world::{Method, ReviewState, State};

pub(super) fn route(ctx: &Ctx<'_>, repo: &str, path: &[&str]) -> Routed {
    match (ctx.method, path) {
        ("GET", ["pulls"]) => ctx.list("pulls/list", |state| {
            let wanted = ctx.param("state").unwrap_or("open");
            let by = (wanted, ctx.param("head"), ctx.param("base"));
            let found = state.list_pulls(&ctx.actor, repo, by)?;
            found.iter().map(|view| shown(ctx, state, repo, view)).collect()
        }),
        ("POST", ["pulls"]) => ctx.created("pulls/create", |state| {
            let new = NewPull {
                title: ctx.need("title")?.to_owned(),
                body: ctx.owned("body").unwrap_or_default(),
                head: ctx.need("head")?.to_owned(),
                base: ctx.need("base")?.to_owned(),
                draft: ctx.flag("draft"),
            };
            let view = state.create_pull(&ctx.actor, repo, &new)?;
            detailed(ctx, state, repo, &view)
        }),
        ("GET", ["pulls", n]) => ctx.json("pulls/get", |state| {
            let view = state.pull(&ctx.actor, repo, number(n)?)?;
            detailed(ctx, state, repo, &view)
        }),
        ("PATCH", ["pulls", n]) => ctx.json("pulls/update", |state| {
            let edit = (&issue_edit(ctx)?, ctx.text("base"));
            let view = state.edit_pull(&ctx.actor, repo, number(n)?, edit)?;
            detailed(ctx, state, repo, &view)
        }),
        ("GET", ["pulls", n, "files"]) => ctx.list("pulls/list-files", |state| {
            let found = state.pull_diff(&ctx.actor, repo, number(n)?)?;
            let home = state.repo(state.enter(&ctx.actor, repo, &[])?)?;
            let files = found.files.iter();
            Ok(files.map(|one| render::file(state, home, &found.head, one)).collect())
        }),
        ("GET", ["pulls", n, "commits"]) => ctx.list("pulls/list-commits", |state| {
            let found = state.pull_commits(&ctx.actor, repo, number(n)?)?;
            let home = state.repo(state.enter(&ctx.actor, repo, &[])?)?;
            Ok(found.iter().map(|one| render::commit(state, home, one)).collect())
        }),
        (_, ["pulls", n, "merge"]) => Some(merge(ctx, repo, n)),
        ("PUT", ["pulls", n, "update-branch"]) => {
            let done = ctx.call("pulls/update-branch", |state| {
                let expected = ctx.text("expected_head_sha");
                state.update_pull_branch(&ctx.actor, repo, number(n)?, expected)
            });
            let url = format!("{}/repos/{repo}/pulls/{n}", ctx.world.base_url());
            let message = json!({"message": "Updating pull request branch.", "url": url});
            Some(done.map(|()| Reply::status(202, message)))
        }
        (_, ["pulls", n, "requested_reviewers"]) => Some(reviewers(ctx, repo, n)),
        (_, ["pulls", n, rest @ ..]) => reviews(ctx, repo, n, rest),
        _ => None,
    }
}

fn shown(ctx: &Ctx<'_>, state: &State, repo: &str, view: &PullView) -> ApiResult<Value> {
    let home = state.repo(state.enter(&ctx.actor, repo, &[])?)?;
    Ok(render::pull(state, home, view))
}

/// A single pull request also tells the size of its change.
fn detailed(ctx: &Ctx<'_>, state: &State, repo: &str, view: &PullView) -> ApiResult<Value> {
    let mut rendered = shown(ctx, state, repo, view)?;
    let diff = state.pull_diff(&ctx.actor, repo, view.pull.number);
    if let (Ok(diff), Some(fields)) = (diff, rendered.as_object_mut()) {
        let added: u64 = diff.files.iter().map(|file| file.additions).sum();
        let deleted: u64 = diff.files.iter().map(|file| file.deletions).sum();
        fields.insert("commits".into(), diff.commits.len().into());
        fields.insert("additions".into(), added.into());
        fields.insert("deletions".into(), deleted.into());
        fields.insert("changed_files".into(), diff.files.len().into());
    }
    Ok(rendered)
}

fn merge(ctx: &Ctx<'_>, repo: &str, n: &str) -> ApiResult<Reply> {
    let n = number(n)?;
    if ctx.method == "GET" {
        let view = ctx.call("pulls/check-if-merged", |state| state.pull(&ctx.actor, repo, n))?;
        return if view.pull.merged { Ok(Reply::empty(204)) } else { Err(ApiError::not_found()) };
    }
    let name = ctx.text("merge_method").unwrap_or("merge");
    let method = Method::ALL.into_iter().find(|method| method.name() == name);
    let sha = ctx.call("pulls/merge", |state| {
        let invalid = || ApiError::invalid("PullRequest", "merge_method", "is invalid");
        let call = MergeCall {
            sha: ctx.owned("sha"),
            method: method.ok_or_else(invalid)?,
            title: ctx.owned("commit_title"),
            message: ctx.owned("commit_message"),
        };
        state.merge_pull(&ctx.actor, repo, n, &call)
    })?;
    let message = "Pull Request successfully merged";
    Ok(Reply::json(json!({"sha": sha, "merged": true, "message": message})))
}

fn reviewers(ctx: &Ctx<'_>, repo: &str, n: &str) -> ApiResult<Reply> {
    let n = number(n)?;
    let logins = ctx.texts("reviewers");
    let (id, wanted) = match ctx.method {
        "POST" => ("pulls/request-reviewers", true),
        "DELETE" => ("pulls/remove-requested-reviewers", false),
        _ => {
            let users = ctx.call("pulls/list-requested-reviewers", |state| {
                let view = state.pull(&ctx.actor, repo, n)?;
                let users = view.pull.requested_reviewers.iter();
                Ok(users.map(|one| render::user(state, one)).collect::<Vec<_>>())
            })?;
            return Ok(Reply::json(json!({"users": users, "teams": []})));
        }
    };
    let rendered = ctx.call(id, |state| {
        state.request_reviewers(&ctx.actor, repo, n, (&logins, wanted))?;
        let view = state.pull(&ctx.actor, repo, n)?;
        shown(ctx, state, repo, &view)
    })?;
    Ok(Reply::status(if wanted { 201 } else { 200 }, rendered))
}

fn reviews(ctx: &Ctx<'_>, repo: &str, n: &str, rest: &[&str]) -> Routed {
    match (ctx.method, rest) {
        ("GET", ["reviews"]) => ctx.list("pulls/list-reviews", |state| {
            let found = state.list_reviews(&ctx.actor, repo, number(n)?)?;
            let home = state.repo(state.enter(&ctx.actor, repo, &[])?)?;
            Ok(found.iter().map(|one| render::review(state, home, one)).collect())
        }),
        ("POST", ["reviews"]) => ctx.json("pulls/create-review", |state| {
            let verdict = match ctx.text("event") {
                Some("APPROVE") => ReviewState::Approved,
                Some("REQUEST_CHANGES") => ReviewState::ChangesRequested,
                Some("COMMENT") => ReviewState::Commented,
                _ => {
                    let why = "is not included in the list";
                    return Err(ApiError::invalid("PullRequestReview", "event", why));
                }
            };
            let remarks = remarks(ctx);
            let new = NewReview {
                state: verdict,
                body: ctx.text("body").unwrap_or_default(),
                remarks: &remarks,
                commit: ctx.text("commit_id"),
            };
            let made = state.create_review(&ctx.actor, repo, number(n)?, &new)?;
            let home = state.repo(state.enter(&ctx.actor, repo, &[])?)?;
            Ok(render::review(state, home, &made))
        }),
        ("GET", ["comments"]) => ctx.list("pulls/list-review-comments", |state| {
            let found = state.list_threads(&ctx.actor, repo, number(n)?)?;
            let home = state.repo(state.enter(&ctx.actor, repo, &[])?)?;
            let each = |thread: &crate::playground::world::Thread| {
                let all = thread.comments.iter();
                all.map(|one| render::review_comment(state, home, thread, one)).collect::<Vec<_>>()
            };
            Ok(found.iter().flat_map(each).collect())
        }),
        ("POST", ["comments", id, "replies"]) => {
            ctx.created("pulls/create-reply-for-review-comment", |state| {
                let reply = (number(id)?, ctx.need("body")?);
                let (thread, made) = state.reply(&ctx.actor, repo, number(n)?, reply)?;
                let home = state.repo(state.enter(&ctx.actor, repo, &[])?)?;
                Ok(render::review_comment(state, home, &thread, &made))
            })
        }
        _ => None,
    }
}

fn remarks(ctx: &Ctx<'_>) -> Vec<LineRemark> {
    let list = ctx.body.get("comments").and_then(Value::as_array);
    let remark = |value: &Value| {
        Some(LineRemark {
            path: value.get("path")?.as_str()?.to_owned(),
            line: value.get("line").or_else(|| value.get("position"))?.as_u64()?,
            body: value.get("body")?.as_str()?.to_owned(),
        })
    };
    list.into_iter().flatten().filter_map(remark).collect()
}
