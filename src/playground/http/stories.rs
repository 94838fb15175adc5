//! REST routes of sub-issues and of what blocks what.

use super::issues::{number, shown};
use super::request::{Ctx, Routed};
use crate::playground::error::{ApiError, ApiResult};

pub(super) fn route(ctx: &Ctx<'_>, repo: &str, path: &[&str]) -> Routed {
    match (ctx.method, path) {
        ("GET", ["issues", n, "sub_issues"]) => ctx.list("issues/list-sub-issues", |state| {
            let found = state.list_sub_issues(&ctx.actor, repo, number(n)?)?;
            found.iter().map(|one| shown(ctx, state, repo, one)).collect()
        }),
        ("POST", ["issues", n, "sub_issues"]) => ctx.created("issues/add-sub-issue", |state| {
            let pair = (number(n)?, id(ctx, "sub_issue_id")?);
            let parent = state.add_sub_issue(&ctx.actor, repo, pair)?;
            shown(ctx, state, repo, &parent)
        }),
        ("GET", ["issues", n, "dependencies", "blocked_by"]) => {
            ctx.list("issues/list-dependencies-blocked-by", |state| {
                let found = state.list_blockers(&ctx.actor, repo, number(n)?)?;
                found.iter().map(|one| shown(ctx, state, repo, one)).collect()
            })
        }
        ("POST", ["issues", n, "dependencies", "blocked_by"]) => {
            ctx.created("issues/add-blocked-by-dependency", |state| {
                let pair = (number(n)?, id(ctx, "issue_id")?);
                let issue = state.add_blocker(&ctx.actor, repo, pair)?;
                shown(ctx, state, repo, &issue)
            })
        }
        _ => None,
    }
}

fn id(ctx: &Ctx<'_>, name: &str) -> ApiResult<u64> {
    let found = ctx.body.get(name).and_then(serde_json::Value::as_u64);
    found.ok_or_else(|| ApiError::invalid("Issue", name, "is missing"))
}
