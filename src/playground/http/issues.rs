//! REST routes of issues, comments, labels and reactions.

use serde_json::{Value, json};

use super::request::{Ctx, Reply, Routed};
use crate::playground::error::{ApiError, ApiResult};
use crate::playground::render;
use crate::playground::world::comments::Subject;
use crate::playground::world::issues::IssueEdit;
use crate::playground::world::{Comment, Issue, State};

/// Parses a number of a path; what is no number is not found.
pub(super) fn number(text: &str) -> ApiResult<u64> {
    text.parse().ok().ok_or_else(ApiError::not_found)
}

pub(super) fn issue_edit(ctx: &Ctx<'_>) -> ApiResult<IssueEdit> {
    let open = match ctx.text("state") {
        None => None,
        Some("open") => Some(true),
        Some("closed") => Some(false),
        Some(_) => return Err(ApiError::invalid("Issue", "state", "is not included in the list")),
    };
    Ok(IssueEdit {
        title: ctx.owned("title"),
        body: ctx.owned("body"),
        open,
        state_reason: ctx.owned("state_reason"),
    })
}

pub(super) fn shown(ctx: &Ctx<'_>, state: &State, repo: &str, issue: &Issue) -> ApiResult<Value> {
    let home = state.repo(state.enter(&ctx.actor, repo, &[])?)?;
    Ok(render::issue(state, home, issue))
}

fn shown_comment(ctx: &Ctx<'_>, state: &State, repo: &str, one: &Comment) -> ApiResult<Value> {
    let home = state.repo(state.enter(&ctx.actor, repo, &[])?)?;
    Ok(render::comment(state, home, one))
}

pub(super) fn route(ctx: &Ctx<'_>, repo: &str, path: &[&str]) -> Routed {
    match (ctx.method, path) {
        ("GET", ["issues"]) => ctx.list("issues/list-for-repo", |state| list(ctx, state, repo)),
        ("POST", ["issues"]) => ctx.created("issues/create", |state| {
            let (title, body) = (ctx.need("title")?, ctx.text("body").unwrap_or_default());
            let issue = state.create_issue(&ctx.actor, repo, title, body)?;
            shown(ctx, state, repo, &issue)
        }),
        (_, ["issues", "comments", rest @ ..]) => comments(ctx, repo, rest),
        ("GET", ["issues", n]) => ctx.json("issues/get", |state| {
            let issue = state.issue(&ctx.actor, repo, number(n)?)?;
            shown(ctx, state, repo, &issue)
        }),
        ("PATCH", ["issues", n]) => ctx.json("issues/update", |state| {
            let issue = state.edit_issue(&ctx.actor, repo, number(n)?, &issue_edit(ctx)?)?;
            shown(ctx, state, repo, &issue)
        }),
        ("GET", ["issues", n, "comments"]) => ctx.list("issues/list-comments", |state| {
            let found = state.list_comments(&ctx.actor, repo, Some(number(n)?), ctx.since_ms())?;
            found.iter().map(|one| shown_comment(ctx, state, repo, one)).collect()
        }),
        ("POST", ["issues", n, "comments"]) => ctx.created("issues/create-comment", |state| {
            let made = state.create_comment(&ctx.actor, repo, number(n)?, ctx.need("body")?)?;
            shown_comment(ctx, state, repo, &made)
        }),
        ("GET", ["issues", n, "events" | "timeline"]) => ctx.list("issues/list-events", |state| {
            let issue = state.issue(&ctx.actor, repo, number(n)?)?;
            Ok(issue.events.iter().map(|one| render::issue_event(state, one)).collect())
        }),
        (_, ["issues", n, "labels", rest @ ..]) => labels(ctx, repo, n, rest),
        (_, ["issues", n, "reactions", rest @ ..]) => {
            let subject = number(n).map(Subject::Issue);
            Some(subject.and_then(|on| reactions(ctx, repo, on, rest)))
        }
        _ => None,
    }
}

fn list(ctx: &Ctx<'_>, state: &State, repo: &str) -> ApiResult<Vec<Value>> {
    let wanted = ctx.param("state").unwrap_or("open");
    let mut found = state.list_issues(&ctx.actor, repo, ctx.since_ms())?;
    found.retain(|one| wanted == "all" || one.open == (wanted != "closed"));
    if let Some(labels) = ctx.param("labels") {
        let has = |one: &Issue| labels.split(',').all(|name| one.labels.contains_key(name));
        found.retain(has);
    }
    if ctx.param("sort") == Some("updated") {
        found.sort_by_key(|one| one.updated_ms);
    }
    if ctx.param("direction") != Some("asc") {
        found.reverse();
    }
    found.iter().map(|one| shown(ctx, state, repo, one)).collect()
}

fn comments(ctx: &Ctx<'_>, repo: &str, rest: &[&str]) -> Routed {
    match (ctx.method, rest) {
        ("GET", []) => ctx.list("issues/list-comments-for-repo", |state| {
            let mut found = state.list_comments(&ctx.actor, repo, None, ctx.since_ms())?;
            if ctx.param("sort") == Some("updated") {
                found.sort_by_key(|one| one.updated_ms);
            }
            if ctx.param("direction") == Some("desc") {
                found.reverse();
            }
            found.iter().map(|one| shown_comment(ctx, state, repo, one)).collect()
        }),
        ("GET", [id]) => ctx.json("issues/get-comment", |state| {
            let found = state.comment(&ctx.actor, repo, number(id)?)?;
            shown_comment(ctx, state, repo, &found)
        }),
        ("PATCH", [id]) => ctx.json("issues/update-comment", |state| {
            let found = state.edit_comment(&ctx.actor, repo, number(id)?, ctx.need("body")?)?;
            shown_comment(ctx, state, repo, &found)
        }),
        ("DELETE", [id]) => {
            let done = ctx.call("issues/delete-comment", |state| {
                state.delete_comment(&ctx.actor, repo, number(id)?)
            });
            Some(done.map(|()| Reply::empty(204)))
        }
        (_, [id, "reactions", rest @ ..]) => {
            let subject = number(id).map(Subject::Comment);
            Some(subject.and_then(|on| reactions(ctx, repo, on, rest)))
        }
        _ => None,
    }
}

fn labels(ctx: &Ctx<'_>, repo: &str, n: &str, rest: &[&str]) -> Routed {
    let all = |state: &State, issue: &Issue| {
        issue.labels.keys().map(|name| render::label(state, name)).collect()
    };
    match (ctx.method, rest) {
        ("GET", []) => ctx.list("issues/list-labels-on-issue", |state| {
            let issue = state.issue(&ctx.actor, repo, number(n)?)?;
            Ok(all(state, &issue))
        }),
        ("POST", []) => ctx.list("issues/add-labels", |state| {
            let names = ctx.texts("labels");
            let issue = state.add_labels(&ctx.actor, repo, number(n)?, &names)?;
            Ok(all(state, &issue))
        }),
        ("DELETE", [_, ..]) => ctx.list("issues/remove-label", |state| {
            let name = rest.join("/");
            let issue = state.remove_label(&ctx.actor, repo, number(n)?, &name)?;
            Ok(all(state, &issue))
        }),
        _ => None,
    }
}

fn reactions(ctx: &Ctx<'_>, repo: &str, on: Subject, rest: &[&str]) -> ApiResult<Reply> {
    let (list, create, delete) = match on {
        Subject::Issue(_) => {
            ("reactions/list-for-issue", "reactions/create-for-issue", "reactions/delete-for-issue")
        }
        Subject::Comment(_) => (
            "reactions/list-for-issue-comment",
            "reactions/create-for-issue-comment",
            "reactions/delete-for-issue-comment",
        ),
    };
    match (ctx.method, rest) {
        ("GET", []) => {
            let found = ctx.call(list, |state| {
                let found = state.list_reactions(&ctx.actor, repo, on)?;
                Ok(found.iter().map(|one| render::reaction(state, one)).collect())
            })?;
            Ok(Reply::list(found))
        }
        ("POST", []) => {
            let (fresh, rendered) = ctx.call(create, |state| {
                let (one, fresh) = state.react(&ctx.actor, repo, on, ctx.need("content")?)?;
                Ok((fresh, render::reaction(state, &one)))
            })?;
            Ok(Reply::status(if fresh { 201 } else { 200 }, rendered))
        }
        ("DELETE", [id]) => {
            let id = number(id)?;
            ctx.call(delete, |state| state.delete_reaction(&ctx.actor, repo, on, id))?;
            Ok(Reply::empty(204))
        }
        _ => Err(ApiError { body: Some(json!({"message": "Not Found"})), ..ApiError::not_found() }),
    }
}
