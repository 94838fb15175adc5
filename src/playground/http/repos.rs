//! REST routes of repositories: settings, contents, refs, branches, rules, commits.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::request::{Ctx, Reply, Routed};
use crate::playground::error::{ApiError, ApiResult};
use crate::playground::forge::Entry;
use crate::playground::render;
use crate::playground::world::{Level, Repo, Rules, State};

pub(super) fn route(ctx: &Ctx<'_>, repo: &str, path: &[&str]) -> Routed {
    match (ctx.method, path) {
        ("GET", []) => ctx.json("repos/get", |state| {
            let id = state.enter(&ctx.actor, repo, &[])?;
            Ok(render::repo(state, state.repo(id)?))
        }),
        ("GET", ["collaborators", login, "permission"]) => {
            ctx.json("repos/get-collaborator-permission-level", |state| {
                let (user, role) = state.permission(&ctx.actor, repo, login)?;
                let user = state.users.get(&user).ok_or_else(ApiError::not_found)?;
                Ok(render::permission(state, user, role))
            })
        }
        ("GET", ["collaborators"]) => ctx.list("repos/list-collaborators", |state| {
            let people = state.collaborators(&ctx.actor, repo)?;
            Ok(people.iter().map(|(user, role)| render::collaborator(state, user, *role)).collect())
        }),
        ("GET", ["rulesets", id]) => ctx.json("repos/get-repo-ruleset", |state| {
            let number = super::issues::number(id)?;
            ruleset(ctx, state, repo, number)
        }),
        ("GET", ["contents", rest @ ..]) => Some(contents(ctx, repo, &rest.join("/"))),
        ("GET", ["branches"]) => ctx.list("repos/list-branches", |state| {
            let id = state.enter(&ctx.actor, repo, &[("contents", Level::Read)])?;
            let found = state.repo(id)?;
            Ok(found
                .branches
                .iter()
                .map(|(name, tip)| short_branch(state, found, name, tip))
                .collect())
        }),
        ("GET", ["branches", rest @ ..]) => {
            ctx.json("repos/get-branch", |state| branch(ctx, state, repo, &rest.join("/")))
        }
        ("GET", ["rules", "branches", rest @ ..]) => ctx.list("repos/get-branch-rules", |state| {
            let rules = state.rules(&ctx.actor, repo, &rest.join("/"))?;
            Ok(if rules.classic { Vec::new() } else { branch_rules(repo, &rules) })
        }),
        ("GET", ["commits", rest @ ..]) => commits(ctx, repo, rest),
        ("GET", ["compare", rest @ ..]) => ctx.json("repos/compare-commits", |state| {
            let spec = rest.join("/");
            let (base, head) = spec.split_once("...").ok_or_else(ApiError::not_found)?;
            let found = state.compare(&ctx.actor, repo, base, head)?;
            let id = state.enter(&ctx.actor, repo, &[])?;
            Ok(render::compare(state, state.repo(id)?, &found))
        }),
        (_, ["git", rest @ ..]) => git(ctx, repo, rest),
        _ => None,
    }
}

fn contents(ctx: &Ctx<'_>, repo: &str, path: &str) -> ApiResult<Reply> {
    let name = ctx.param("ref");
    let (entries, bytes) = ctx.call("repos/get-content", |state| {
        let entries = state.entries(&ctx.actor, repo, path, name)?;
        match entries.as_slice() {
            [] => Err(ApiError::not_found()),
            [only] if only.path == path => Ok((
                Vec::new(),
                Some((only.blob.clone(), state.contents(&ctx.actor, repo, path, name)?)),
            )),
            _ => Ok((entries, None)),
        }
    })?;
    let base = format!("{}/repos/{repo}/contents", ctx.world.base_url());
    let Some((blob, bytes)) = bytes else {
        return Ok(Reply::json(directory(&base, path, &entries)));
    };
    if ctx.accept.contains("raw") {
        return Ok(Reply::bytes("application/vnd.github.raw; charset=utf-8", bytes));
    }
    let mut encoded = String::new();
    for line in STANDARD.encode(&bytes).as_bytes().chunks(60) {
        encoded.push_str(&String::from_utf8_lossy(line));
        encoded.push('\n');
    }
    let mut file = entry(&base, "file", path, Some(&blob));
    if let Some(fields) = file.as_object_mut() {
        fields.insert("size".into(), bytes.len().into());
        fields.insert("encoding".into(), "base64".into());
        fields.insert("content".into(), encoded.into());
    }
    Ok(Reply::json(file))
}

fn entry(base: &str, kind: &str, path: &str, sha: Option<&str>) -> Value {
    let url = format!("{base}/{path}");
    json!({"type": kind, "size": 0, "name": path.rsplit('/').next(), "path": path, "sha": sha,
        "url": url, "html_url": null, "git_url": null, "download_url": null,
        "_links": {"self": url, "git": null, "html": null}})
}

/// The direct children of a directory.
fn directory(base: &str, path: &str, entries: &[Entry]) -> Value {
    let below = if path.is_empty() { String::new() } else { format!("{path}/") };
    let mut children = Vec::new();
    let mut seen = BTreeSet::new();
    for one in entries {
        let rest = one.path.strip_prefix(&below).unwrap_or(&one.path);
        match rest.split_once('/') {
            None => children.push(entry(base, "file", &one.path, Some(&one.blob))),
            Some((dir, _)) if seen.insert(dir.to_owned()) => {
                children.push(entry(base, "dir", &format!("{below}{dir}"), None));
            }
            Some(_) => {}
        }
    }
    Value::Array(children)
}

fn short_branch(state: &State, repo: &Repo, name: &str, tip: &str) -> Value {
    let protected = repo.rules.get(name).is_some_and(|rules| *rules != Rules::default());
    let url = format!("{}/repos/{}/commits/{tip}", state.base_url, repo.full_name());
    json!({"name": name, "commit": {"sha": tip, "url": url}, "protected": protected})
}

fn branch(ctx: &Ctx<'_>, state: &State, repo: &str, name: &str) -> ApiResult<Value> {
    let tip = state.branch(&ctx.actor, repo, name)?;
    let commit = state.commit(&ctx.actor, repo, &tip)?;
    let id = state.enter(&ctx.actor, repo, &[])?;
    let found = state.repo(id)?;
    let rules = found.rules.get(name);
    let classic = rules.filter(|rules| rules.classic).cloned().unwrap_or_default();
    let checks = classic.required_checks.iter();
    let url = format!("{}/repos/{repo}/branches/{name}", state.base_url);
    let level = if classic.required_checks.is_empty() { "off" } else { "non_admins" };
    Ok(json!({
        "name": name,
        "commit": render::commit(state, found, &commit),
        "_links": {"self": url, "html": url},
        "protected": rules.is_some_and(|rules| *rules != Rules::default()),
        "protection": {
            "enabled": classic.classic,
            "required_status_checks": {
                "enforcement_level": level,
                "contexts": checks.clone().map(|one| &one.context).collect::<Vec<_>>(),
                "checks": checks
                    .map(|one| json!({"context": one.context, "app_id": one.integration_id}))
                    .collect::<Vec<_>>(),
            },
        },
        "protection_url": format!("{url}/protection"),
    }))
}

fn branch_rules(repo: &str, rules: &Rules) -> Vec<Value> {
    let mut found = Vec::new();
    let mut add = |kind: &str, parameters: Value| {
        found.push(json!({"type": kind, "parameters": parameters,
            "ruleset_source_type": "Repository", "ruleset_source": repo, "ruleset_id": 1}));
    };
    if !rules.required_checks.is_empty() {
        let check = |one: &crate::playground::world::RequiredCheck| match one.integration_id {
            Some(id) => json!({"context": one.context, "integration_id": id}),
            None => json!({"context": one.context}),
        };
        let checks: Vec<Value> = rules.required_checks.iter().map(check).collect();
        add(
            "required_status_checks",
            json!({"required_status_checks": checks,
                "strict_required_status_checks_policy": rules.strict}),
        );
    }
    if rules.approvals.is_some() || rules.allowed_merge_methods.is_some() {
        let methods = rules.allowed_merge_methods.as_ref();
        let mut parameters = json!({
            "required_approving_review_count": rules.approvals.unwrap_or(0),
            "dismiss_stale_reviews_on_push": rules.dismiss_stale_reviews,
            "require_code_owner_review": false,
            "require_last_push_approval": false,
            "required_review_thread_resolution": false,
        });
        if let (Some(methods), Some(fields)) = (methods, parameters.as_object_mut()) {
            let names = methods.iter().map(|method| method.name().into()).collect();
            fields.insert("allowed_merge_methods".into(), Value::Array(names));
        }
        add("pull_request", parameters);
    }
    if let Some(queue) = rules.queue {
        add(
            "merge_queue",
            json!({"merge_method": queue.method.name().to_uppercase(),
                "check_response_timeout_minutes": queue.minutes,
                "grouping_strategy": "ALLGREEN", "max_entries_to_build": 1,
                "max_entries_to_merge": 1, "min_entries_to_merge": 1,
                "min_entries_to_merge_wait_minutes": 0}),
        );
    }
    found
}

/// The playground has one ruleset, and every branch with rules is in it.
fn ruleset(ctx: &Ctx<'_>, state: &State, repo: &str, number: u64) -> ApiResult<Value> {
    let id = state.enter(&ctx.actor, repo, &[])?;
    let mut shown = state.repo(id)?.rules.values().filter(|rules| !rules.classic).peekable();
    if number != 1 || shown.peek().is_none() {
        return Err(ApiError::not_found());
    }
    let how = if shown.any(|rules| rules.bypass) { "always" } else { "never" };
    Ok(json!({"id": 1, "name": "rules", "target": "branch", "source_type": "Repository",
        "source": repo, "enforcement": "active", "current_user_can_bypass": how}))
}

fn commits(ctx: &Ctx<'_>, repo: &str, rest: &[&str]) -> Routed {
    let (id, name, what) = match rest {
        [] => return list_commits(ctx, repo),
        [.., "check-runs" | "check-suites" | "status" | "statuses" | "pulls"] => {
            return super::checks::of_commit(ctx, repo, rest);
        }
        name => ("repos/get-commit", name.join("/"), ctx.accept.contains("sha")),
    };
    let found = ctx.call(id, |state| {
        let commit = state.commit(&ctx.actor, repo, &name)?;
        let home = state.repo(state.enter(&ctx.actor, repo, &[])?)?;
        let mut rendered = render::commit(state, home, &commit);
        let files = match commit.parents.first() {
            Some(parent) => home.forge.diff(parent, &commit.id)?,
            None => Vec::new(),
        };
        let files = files.iter().map(|one| render::file(state, home, &commit.id, one)).collect();
        if let Some(fields) = rendered.as_object_mut() {
            fields.insert("files".into(), Value::Array(files));
        }
        Ok((commit.id, rendered))
    });
    Some(found.map(|(sha, rendered)| {
        if what { Reply::bytes("text/plain", sha.into_bytes()) } else { Reply::json(rendered) }
    }))
}

fn list_commits(ctx: &Ctx<'_>, repo: &str) -> Routed {
    ctx.list("repos/list-commits", |state| {
        let id = state.enter(&ctx.actor, repo, &[("contents", Level::Read)])?;
        let home = state.repo(id)?;
        let tip = state.resolve(id, ctx.param("sha").unwrap_or(&home.default_branch))?;
        let mut found = home.forge.commits_between(None, &tip, 1_000)?;
        found.reverse();
        Ok(found.iter().map(|one| render::commit(state, home, one)).collect())
    })
}

fn reference(state: &State, repo: &str, branch: &str, sha: &str) -> Value {
    let base = format!("{}/repos/{repo}/git", state.base_url);
    let (url, commit) = (format!("{base}/refs/heads/{branch}"), format!("{base}/commits/{sha}"));
    json!({"ref": format!("refs/heads/{branch}"), "node_id": "", "url": url,
        "object": {"type": "commit", "sha": sha, "url": commit}})
}

fn git(ctx: &Ctx<'_>, repo: &str, rest: &[&str]) -> Routed {
    match (ctx.method, rest) {
        ("GET", ["ref", "heads", name @ ..]) => ctx.json("git/get-ref", |state| {
            let name = name.join("/");
            let tip = state.branch(&ctx.actor, repo, &name);
            let tip = if tip.is_err() { Err(ApiError::not_found()) } else { tip }?;
            Ok(reference(state, repo, &name, &tip))
        }),
        ("GET", ["matching-refs" | "refs", "heads", name @ ..]) => {
            ctx.list("git/list-matching-refs", |state| {
                let id = state.enter(&ctx.actor, repo, &[("contents", Level::Read)])?;
                let prefix = name.join("/");
                let all = state.repo(id)?.branches.iter();
                let found = all.filter(|(name, _)| name.starts_with(&prefix));
                Ok(found.map(|(name, tip)| reference(state, repo, name, tip)).collect())
            })
        }
        ("POST", ["refs"]) => ctx.created("git/create-ref", |state| {
            let (full, sha) = (ctx.need("ref")?, ctx.need("sha")?);
            let name = full.strip_prefix("refs/heads/");
            let name = name.ok_or_else(|| ApiError::new(422, "Reference name is not valid"))?;
            state.create_branch(&ctx.actor, repo, name, sha)?;
            Ok(reference(state, repo, name, sha))
        }),
        ("PATCH", ["refs", "heads", name @ ..]) => ctx.json("git/update-ref", |state| {
            let (name, sha) = (name.join("/"), ctx.need("sha")?);
            state.move_branch(&ctx.actor, repo, &name, (sha, ctx.flag("force")))?;
            Ok(reference(state, repo, &name, sha))
        }),
        ("DELETE", ["refs", "heads", name @ ..]) => {
            let done = ctx.call("git/delete-ref", |state| {
                state.delete_branch(&ctx.actor, repo, &name.join("/"))
            });
            Some(done.map(|()| Reply::empty(204)))
        }
        _ => None,
    }
}
