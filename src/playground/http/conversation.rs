//! The GraphQL operation that tells who wrote and who last edited what on an issue.

use serde_json::{Value, json};

use super::graphql::{text, variable};
use super::request::Ctx;
use crate::playground::error::ApiResult;
use crate::playground::render::time;
use crate::playground::world::{Comment, Edited, State, User};

/// Most comments of one answer.
const COMMENTS_MAX: usize = 100;

pub(super) fn view(ctx: &Ctx<'_>, state: &State) -> ApiResult<Value> {
    let repo = format!("{}/{}", text(ctx, "owner")?, text(ctx, "name")?);
    let number = variable(ctx, "number")?.as_u64().unwrap_or_default();
    let (issue, comments) = state.conversation(&ctx.actor, &repo, number)?;
    let newest = comments.get(comments.len().saturating_sub(COMMENTS_MAX)..).unwrap_or_default();
    let renamed = issue.renamed.as_ref();
    let renamed = renamed.map(|one| json!({"createdAt": time(one.at_ms), "actor": actor(&one.by)}));
    let edited = issue.edited.as_ref();
    Ok(json!({"repository": {"issueOrPullRequest": {
        "author": actor(&issue.user),
        "editor": edited.map(|one| actor(&one.by)),
        "lastEditedAt": edited.map(|one| time(one.at_ms)),
        "timelineItems": {"nodes": renamed.into_iter().collect::<Vec<_>>()},
        "comments": {
            "totalCount": comments.len(),
            "nodes": newest.iter().map(comment).collect::<Vec<_>>(),
        },
    }}}))
}

fn actor(user: &User) -> Value {
    let kind = if user.bot { "Bot" } else { "User" };
    json!({"__typename": kind, "login": user.login, "databaseId": user.id})
}

fn comment(one: &Comment) -> Value {
    let edited: Option<&Edited> = one.edited.as_ref();
    json!({
        "databaseId": one.id,
        "body": one.body,
        "createdAt": time(one.created_ms),
        "lastEditedAt": edited.map(|edit| time(edit.at_ms)),
        "author": actor(&one.user),
        "editor": edited.map(|edit| actor(&edit.by)),
    })
}
