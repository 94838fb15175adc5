//! GraphQL operations of the merge queue and of auto-merge.

use serde_json::{Value, json};

use super::graphql::{pull_of, text, variable};
use super::request::Ctx;
use crate::playground::error::{ApiError, ApiResult};
use crate::playground::world::merge::MergeCall;
use crate::playground::world::queue::QueueView;
use crate::playground::world::{Method, State};

const OPERATIONS: [&str; 5] =
    ["MergeQueueEntry", "Enqueue", "Dequeue", "EnableAutoMerge", "DisableAutoMerge"];

pub(super) fn knows(operation: &str) -> bool {
    OPERATIONS.contains(&operation)
}

pub(super) fn answer(ctx: &Ctx<'_>, operation: &str) -> ApiResult<Value> {
    match operation {
        "MergeQueueEntry" => ctx.call("graphql/MergeQueueEntry", |state| view(ctx, state)),
        "Enqueue" => ctx.call("graphql/Enqueue", |state| {
            let (repo, number) = pull_of(ctx, state)?;
            let head = text(ctx, "head").ok();
            state.enqueue(&ctx.actor, &repo, number, head.as_deref())?;
            let view = state.queue_view(&ctx.actor, &repo, number)?;
            Ok(json!({"enqueuePullRequest": {"mergeQueueEntry": entry(&view)}}))
        }),
        "Dequeue" => ctx.call("graphql/Dequeue", |state| {
            let (repo, number) = pull_of(ctx, state)?;
            state.dequeue(&ctx.actor, &repo, number)?;
            Ok(json!({"dequeuePullRequest": {"clientMutationId": null}}))
        }),
        "EnableAutoMerge" => ctx.call("graphql/EnableAutoMerge", |state| enable(ctx, state)),
        _ => ctx.call("graphql/DisableAutoMerge", |state| {
            let (repo, number) = pull_of(ctx, state)?;
            state.disable_auto_merge(&ctx.actor, &repo, number)?;
            Ok(json!({"disablePullRequestAutoMerge": {"clientMutationId": null}}))
        }),
    }
}

fn view(ctx: &Ctx<'_>, state: &State) -> ApiResult<Value> {
    let repo = format!("{}/{}", text(ctx, "owner")?, text(ctx, "name")?);
    let number = variable(ctx, "number")?.as_u64().unwrap_or_default();
    let view = state.queue_view(&ctx.actor, &repo, number)?;
    let left: Vec<Value> = view.removed.iter().map(|why| json!({"reason": why})).collect();
    Ok(json!({"repository": {"pullRequest": {
        "isInMergeQueue": view.entry.is_some(),
        "mergeQueueEntry": entry(&view),
        "timelineItems": {"nodes": left},
    }}}))
}

fn entry(view: &QueueView) -> Value {
    let Some((state, position, group)) = &view.entry else { return Value::Null };
    let commit = |oid: Option<&String>| oid.map(|oid| json!({"oid": oid}));
    json!({
        "state": state,
        "position": position,
        "headCommit": commit(group.as_ref().map(|group| &group.head)),
        "baseCommit": commit(group.as_ref().map(|group| &group.base)),
    })
}

fn enable(ctx: &Ctx<'_>, state: &mut State) -> ApiResult<Value> {
    let (repo, number) = pull_of(ctx, state)?;
    let wanted = text(ctx, "method")?.to_lowercase();
    let method = Method::ALL.into_iter().find(|method| method.name() == wanted);
    let method = method.ok_or_else(|| ApiError::new(422, "No such merge method"))?;
    let call = MergeCall {
        sha: None,
        method,
        title: text(ctx, "title").ok(),
        message: text(ctx, "message").ok(),
    };
    let head = text(ctx, "head").ok();
    state.enable_auto_merge(&ctx.actor, &repo, number, (&call, head.as_deref()))?;
    Ok(json!({"enablePullRequestAutoMerge": {"clientMutationId": null}}))
}
