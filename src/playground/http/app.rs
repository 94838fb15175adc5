//! REST routes of Apps, installations, users, rate limits and webhook deliveries.

use serde_json::{Value, json};

use super::request::{Ctx, Reply, Routed};
use crate::playground::error::{ApiError, ApiResult};
use crate::playground::mailbox::Logged;
use crate::playground::render;
use crate::playground::world::auth::TokenScope;
use crate::playground::world::{Actor, Installation, State, User};

pub(super) fn route(ctx: &Ctx<'_>, path: &[&str]) -> Routed {
    match (ctx.method, path) {
        ("GET", ["app"]) => ctx.json("apps/get-authenticated", |state| {
            let id = State::app_of(&ctx.actor)?;
            Ok(render::app_by_id(state, id))
        }),
        ("GET", ["app", "installations"]) => {
            ctx.list("apps/list-installations", |state| list_installations(ctx, state))
        }
        ("GET", ["app", "installations", id]) => ctx.json("apps/get-installation", |state| {
            let app = State::app_of(&ctx.actor)?;
            let found = id.parse().ok().and_then(|id: u64| state.installations.get(&id));
            let found = found.filter(|one| one.app == app).ok_or_else(ApiError::not_found)?;
            Ok(render::installation(state, found))
        }),
        ("POST", ["app", "installations", id, "access_tokens"]) => {
            ctx.created("apps/create-installation-access-token", |state| {
                let id = id.parse().ok().ok_or_else(ApiError::not_found)?;
                let (secret, token) = state.create_token(&ctx.actor, id, &token_scope(ctx)?)?;
                Ok(render::token(state, &secret, &token))
            })
        }
        ("GET", ["repos", owner, name, "installation"]) => {
            ctx.json("apps/get-repo-installation", |state| {
                let app = State::app_of(&ctx.actor)?;
                let repo = state.repo_id(&format!("{owner}/{name}"));
                let repo = repo.ok_or_else(ApiError::not_found)?;
                let has = |one: &&Installation| one.app == app && one.repositories.contains(&repo);
                let found = state.installations.values().find(has);
                Ok(render::installation(state, found.ok_or_else(ApiError::not_found)?))
            })
        }
        ("GET", ["installation", "repositories"]) => {
            let found = ctx.call("apps/list-repos-accessible-to-installation", |state| {
                installation_repositories(ctx, state)
            });
            Some(found.map(|list| Reply::wrapped("repositories", list)))
        }
        ("GET", ["rate_limit"]) => ctx.json("rate-limit/get", |state| {
            let (limit, used, reset) = state.rate(&ctx.actor);
            let core = json!({"limit": limit, "used": used, "remaining": limit - used,
                "reset": reset});
            let resources = json!({"core": core, "graphql": core, "search": core});
            Ok(json!({"resources": resources, "rate": core}))
        }),
        ("GET", ["users", login]) => ctx.json("users/get-by-username", |state| {
            user(state, |one| one.login.eq_ignore_ascii_case(login))
        }),
        ("GET", ["user", id]) => {
            ctx.json("users/get-by-id", |state| user(state, |one| one.id.to_string() == **id))
        }
        ("GET", ["user"]) => ctx.json("users/get-authenticated", |state| {
            let me = match &ctx.actor {
                Actor::User(id) => *id,
                Actor::Anonymous => return Err(ApiError::new(401, "Requires authentication")),
                Actor::App(_) | Actor::Bot { .. } => return Err(ApiError::not_accessible()),
            };
            user(state, |one| one.id == me)
        }),
        (_, ["app", "hook", "deliveries", rest @ ..]) => deliveries(ctx, rest),
        _ => None,
    }
}

fn user(state: &State, wanted: impl Fn(&User) -> bool) -> ApiResult<Value> {
    let found = state.users.values().find(|one| wanted(one)).ok_or_else(ApiError::not_found)?;
    let mut rendered = render::user(state, found);
    if let Some(fields) = rendered.as_object_mut() {
        for unsaid in ["bio", "blog", "company", "email", "hireable", "location"] {
            fields.insert(unsaid.into(), Value::Null);
        }
        for none in ["followers", "following", "public_gists", "public_repos"] {
            fields.insert(none.into(), 0.into());
        }
        fields.insert("name".into(), found.login.clone().into());
        fields.insert("created_at".into(), render::time(0).into());
        fields.insert("updated_at".into(), render::time(0).into());
    }
    Ok(rendered)
}

fn list_installations(ctx: &Ctx<'_>, state: &State) -> ApiResult<Vec<Value>> {
    let app = State::app_of(&ctx.actor)?;
    let own = state.installations.values().filter(|one| one.app == app);
    Ok(own.map(|one| render::installation(state, one)).collect())
}

fn installation_repositories(ctx: &Ctx<'_>, state: &State) -> ApiResult<Vec<Value>> {
    let Actor::Bot { installation, repositories, .. } = &ctx.actor else {
        return Err(ApiError::new(403, "You must authenticate with an installation access token"));
    };
    let found = state.installations.get(installation).ok_or_else(ApiError::not_found)?;
    let seen = found
        .repositories
        .iter()
        .filter(|id| repositories.as_ref().is_none_or(|only| only.contains(id)))
        .filter_map(|id| state.repos.get(id));
    Ok(seen.map(|repo| render::repo(state, repo)).collect())
}

fn token_scope(ctx: &Ctx<'_>) -> ApiResult<TokenScope> {
    let invalid = |what: &str| ApiError::new(422, format!("Invalid request. {what} is invalid."));
    let repositories = ctx.body.get("repositories").map(|_| ctx.texts("repositories"));
    let ids = ctx.body.get("repository_ids").and_then(Value::as_array);
    let permissions = match ctx.body.get("permissions") {
        None | Some(Value::Null) => None,
        Some(asked) => {
            Some(render::parse_permissions(asked).ok_or_else(|| invalid("permissions"))?)
        }
    };
    Ok(TokenScope {
        repositories,
        repository_ids: ids.map(|list| list.iter().filter_map(Value::as_u64).collect()),
        permissions,
    })
}

fn deliveries(ctx: &Ctx<'_>, rest: &[&str]) -> Routed {
    let id = |text: &str| text.parse::<u64>().ok().ok_or_else(ApiError::not_found);
    match (ctx.method, rest) {
        ("GET", []) => Some(list_deliveries(ctx)),
        ("GET", [one]) => ctx.json("apps/get-webhook-delivery", |state| {
            let one = id(one)?;
            let found = state.deliveries(&ctx.actor)?;
            let found = found.iter().find(|logged| logged.delivery.id == one);
            let found = found.ok_or_else(ApiError::not_found)?;
            let payload = serde_json::from_slice(&found.delivery.body).unwrap_or(Value::Null);
            let mut rendered = delivery(found);
            if let Some(fields) = rendered.as_object_mut() {
                let url = state.apps.get(&found.delivery.app);
                let url = url.and_then(|app| app.webhook_url.clone()).unwrap_or_default();
                fields.insert("url".into(), url.into());
                let headers = sent_headers(found);
                fields.insert("request".into(), json!({"headers": headers, "payload": payload}));
                fields.insert("response".into(), json!({"headers": {}, "payload": ""}));
            }
            Ok(rendered)
        }),
        ("POST", [one, "attempts"]) => {
            let done = ctx.call("apps/redeliver-webhook-delivery", |state| {
                state.redeliver(&ctx.actor, id(one)?)
            });
            Some(done.map(|()| Reply::status(202, json!({}))))
        }
        _ => None,
    }
}

/// The headers a delivery was sent with; GitHub hides nothing of them but its own.
fn sent_headers(logged: &Logged) -> Value {
    let one = &logged.delivery;
    json!({
        "Accept": "*/*",
        "User-Agent": "GitHub-Hookshot/playground",
        "X-GitHub-Delivery": one.guid,
        "X-GitHub-Event": one.event,
        "X-GitHub-Hook-ID": one.app.to_string(),
        "X-GitHub-Hook-Installation-Target-ID": one.app.to_string(),
        "X-GitHub-Hook-Installation-Target-Type": "integration",
        "X-Hub-Signature-256": one.signature_sha256,
        "content-type": "application/json",
    })
}

/// Before the id in a cursor, which is opaque to everybody else.
const CURSOR: &str = "v1_";

/// Deliveries come newest first; the cursor names the last one seen. A page by number is not
/// known here.
fn list_deliveries(ctx: &Ctx<'_>) -> ApiResult<Reply> {
    let mut found =
        ctx.call("apps/list-webhook-deliveries", |state| state.deliveries(&ctx.actor))?;
    found.retain(Logged::is_answered);
    let status = ctx.param("status");
    found.retain(|one| match status {
        Some("success") => (200..400).contains(&one.status_code),
        Some("failure") => one.is_failed(),
        Some(_) | None => true,
    });
    if let Some(cursor) = ctx.param("cursor") {
        let last = cursor.strip_prefix(CURSOR).and_then(|id| id.parse::<u64>().ok());
        let last = last.ok_or_else(|| ApiError::new(422, "Invalid cursor"))?;
        found.retain(|one| one.delivery.id < last);
    }
    let size = ctx.param("per_page").and_then(|text| text.parse().ok()).unwrap_or(30);
    let size: usize = Ord::clamp(size, 1, 100);
    let more = found.len() > size;
    found.truncate(size);
    let mut reply = Reply::json(found.iter().map(delivery).collect());
    if let (true, Some(last)) = (more, found.last()) {
        let base = format!("{}/app/hook/deliveries", ctx.world.base_url());
        let status = status.map(|status| format!("&status={status}")).unwrap_or_default();
        let cursor = format!("{CURSOR}{}", last.delivery.id);
        let link = format!("<{base}?per_page={size}{status}&cursor={cursor}>; rel=\"next\"");
        reply.headers.push(("link".to_owned(), link));
    }
    Ok(reply)
}

fn delivery(logged: &Logged) -> Value {
    let one = &logged.delivery;
    json!({
        "id": one.id,
        "guid": one.guid,
        "delivered_at": render::time(logged.emitted_ms),
        "redelivery": logged.redelivery,
        "duration": 0.1,
        "status": logged.status,
        "status_code": logged.status_code,
        "event": one.event,
        "action": one.action,
        "installation_id": one.installation,
        "repository_id": one.repository,
        "throttled_at": null,
    })
}
