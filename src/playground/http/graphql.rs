//! GraphQL for the few documents the bot uses: a table of operations by name.

use serde_json::{Value, json};

use super::request::{Ctx, Reply};
use crate::playground::error::{ApiError, ApiResult};
use crate::playground::world::{State, Thread};

/// Answers a GraphQL request by its operation's name and variables.
pub(super) fn answer(ctx: &Ctx<'_>) -> ApiResult<Reply> {
    let document = ctx.text("query").unwrap_or_default();
    let named = ctx.owned("operationName").or_else(|| operation_name(document));
    let data = match named.as_deref() {
        Some("ReviewThreads") => {
            ctx.call("graphql/ReviewThreads", |state| review_threads(ctx, state))
        }
        Some("MarkReady") => ctx.call("graphql/MarkReady", |state| set_ready(ctx, state, true)),
        Some("MarkDraft") => ctx.call("graphql/MarkDraft", |state| set_ready(ctx, state, false)),
        Some("ResolveThread") => {
            ctx.call("graphql/ResolveThread", |state| resolve_thread(ctx, state))
        }
        Some("Conversation") => {
            ctx.call("graphql/Conversation", |state| super::conversation::view(ctx, state))
        }
        Some("CommitOnBranch") => super::commits::answer(ctx),
        Some(other) if super::queue::knows(other) => super::queue::answer(ctx, other),
        Some(_) | None => Err(ApiError::new(422, "The playground does not know this operation")),
    };
    match data {
        Ok(data) => Ok(Reply::json(json!({"data": data}))),
        Err(error)
            if [403, 404, 409, 422].contains(&error.status)
                && error.body.is_none()
                && error.headers.is_empty() =>
        {
            let kind = match error.status {
                403 => "FORBIDDEN",
                404 => "NOT_FOUND",
                409 => "STALE_DATA",
                _ => "UNPROCESSABLE",
            };
            let errors = json!([{"type": kind, "message": error.message}]);
            Ok(Reply::json(json!({"data": null, "errors": errors})))
        }
        Err(error) => Err(error),
    }
}

/// The first operation's name in a document.
fn operation_name(document: &str) -> Option<String> {
    let rest = document.trim_start();
    let rest = rest.strip_prefix("query").or_else(|| rest.strip_prefix("mutation"))?;
    let name: String = rest.trim_start().chars().take_while(|c| c.is_alphanumeric()).collect();
    (!name.is_empty()).then_some(name)
}

pub(super) fn variable<'a>(ctx: &'a Ctx<'_>, name: &str) -> ApiResult<&'a Value> {
    let found = ctx.body.get("variables").and_then(|all| all.get(name));
    found.ok_or_else(|| ApiError::new(422, format!("Variable ${name} was not provided")))
}

pub(super) fn text(ctx: &Ctx<'_>, name: &str) -> ApiResult<String> {
    Ok(variable(ctx, name)?.as_str().unwrap_or_default().to_owned())
}

/// Splits a node id such as `PR_17` into its number.
fn node(id: &str, kind: &str) -> ApiResult<u64> {
    let digits = id.strip_prefix(kind).and_then(|rest| rest.strip_prefix('_'));
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(ApiError::not_found)
}

fn review_threads(ctx: &Ctx<'_>, state: &State) -> ApiResult<Value> {
    let repo = format!("{}/{}", text(ctx, "owner")?, text(ctx, "name")?);
    let number = variable(ctx, "number")?.as_u64().unwrap_or_default();
    let threads = state.list_threads(&ctx.actor, &repo, number)?;
    let first = variable(ctx, "first").ok().and_then(Value::as_u64).unwrap_or(100);
    let first = usize::try_from(first).unwrap_or(100).min(100);
    let after = text(ctx, "after").unwrap_or_default().parse().unwrap_or(0_usize);
    let nodes: Vec<Value> = threads.iter().skip(after).take(first).map(thread).collect();
    let end = after + nodes.len();
    let page = json!({"hasNextPage": end < threads.len(), "endCursor": end.to_string()});
    let found = json!({"totalCount": threads.len(), "nodes": nodes, "pageInfo": page});
    Ok(json!({"repository": {"pullRequest": {"reviewThreads": found}}}))
}

fn thread(thread: &Thread) -> Value {
    let comment = |one: &crate::playground::world::ReviewComment| {
        let author = json!({"login": one.user.login});
        json!({"databaseId": one.id, "body": one.body, "author": author})
    };
    json!({
        "id": format!("PRRT_{}", thread.id),
        "isResolved": thread.resolved,
        "isOutdated": false,
        "path": thread.path,
        "line": thread.line,
        "comments": {"nodes": thread.comments.iter().map(comment).collect::<Vec<_>>()},
    })
}

/// Repository and number of the pull request whose node id is the variable `id`.
pub(super) fn pull_of(ctx: &Ctx<'_>, state: &State) -> ApiResult<(String, u64)> {
    let id = node(&text(ctx, "id")?, "PR")?;
    let mut repos = state.repos.values();
    let found = repos.find_map(|repo| {
        let pull = repo.pulls.values().find(|pull| pull.id == id)?;
        Some((repo.full_name(), pull.number))
    });
    found.ok_or_else(ApiError::not_found)
}

fn set_ready(ctx: &Ctx<'_>, state: &mut State, ready: bool) -> ApiResult<Value> {
    let (repo, number) = pull_of(ctx, state)?;
    state.set_ready(&ctx.actor, &repo, number, ready)?;
    let pull = json!({"pullRequest": {"number": number, "isDraft": !ready}});
    let field = if ready { "markPullRequestReadyForReview" } else { "convertPullRequestToDraft" };
    Ok(json!({field: pull}))
}

fn resolve_thread(ctx: &Ctx<'_>, state: &mut State) -> ApiResult<Value> {
    let id = node(&text(ctx, "id")?, "PRRT")?;
    let has = |repo: &&crate::playground::world::Repo| repo.threads.contains_key(&id);
    let repo = state.repos.values().find(has).map(crate::playground::world::Repo::full_name);
    let repo = repo.ok_or_else(ApiError::not_found)?;
    let found = state.resolve_thread(&ctx.actor, &repo, id, true)?;
    Ok(json!({"resolveReviewThread": {"thread": {"isResolved": found.resolved}}}))
}
