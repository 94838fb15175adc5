//! GraphQL's `createCommitOnBranch`: files by path, on a branch that is where the caller says.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::graphql::{text, variable};
use super::request::Ctx;
use crate::playground::error::{ApiError, ApiResult};
use crate::playground::forge::Files;
use crate::playground::world::commits::BranchCommit;

pub(super) fn answer(ctx: &Ctx<'_>) -> ApiResult<Value> {
    ctx.call("graphql/CommitOnBranch", |state| {
        let (repo, branch, head) = (text(ctx, "repo")?, text(ctx, "branch")?, text(ctx, "head")?);
        let (headline, body) = (text(ctx, "headline")?, text(ctx, "body")?);
        let files = files(variable(ctx, "changes")?)?;
        let commit = BranchCommit {
            branch: &branch,
            expected_head: &head,
            headline: &headline,
            body: &body,
            files: &files,
        };
        let oid = state.commit_on_branch(&ctx.actor, &repo, &commit)?;
        Ok(json!({"createCommitOnBranch": {"commit": {"oid": oid}}}))
    })
}

fn files(changes: &Value) -> ApiResult<Files> {
    let list = |name: &str| changes.get(name).and_then(Value::as_array).cloned();
    let path = |one: &Value| {
        let path = one.get("path").and_then(Value::as_str).map(str::to_owned);
        path.ok_or_else(|| ApiError::new(422, "A file needs a path"))
    };
    let mut files = Files::new();
    for one in list("additions").unwrap_or_default() {
        let packed = one.get("contents").and_then(Value::as_str);
        let bytes = packed.and_then(|packed| STANDARD.decode(packed).ok());
        let bytes = bytes.ok_or_else(|| ApiError::new(422, "The contents are not Base64"))?;
        files.push((path(&one)?, Some(bytes)));
    }
    for one in list("deletions").unwrap_or_default() {
        files.push((path(&one)?, None));
    }
    Ok(files)
}
