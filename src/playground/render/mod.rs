//! GitHub's JSON shapes, the same for REST answers and webhooks.

mod checks;
mod pulls;
mod repos;

use serde_json::{Value, json};

pub use checks::{annotations, check_run, check_suite, combined_status, status, status_event};
pub use pulls::{commit, compare, file, pull, push_commit, review, review_comment, thread};
pub use repos::repo;

use super::world::{
    App, Comment, Installation, Issue, IssueEvent, Level, Permissions, Reaction, Repo, Role, State,
    User,
};

/// Seconds of precision, in UTC, as GitHub writes times.
pub fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
        .unwrap_or_default()
}

pub(crate) fn api(state: &State, repo: &Repo) -> String {
    format!("{}/repos/{}", state.base_url, repo.full_name())
}

pub(crate) fn page(state: &State, repo: &Repo) -> String {
    format!("{}/{}", state.base_url, repo.full_name())
}

fn node_id(kind: &str, id: u64) -> String {
    format!("{kind}_{id}")
}

pub fn user(state: &State, user: &User) -> Value {
    if state.brief_payloads {
        return json!({"login": user.login, "id": user.id,
            "type": if user.bot { "Bot" } else { "User" }});
    }
    let url = format!("{}/users/{}", state.base_url, user.login);
    let below = |rest: &str| format!("{url}/{rest}");
    json!({
        "login": user.login,
        "id": user.id,
        "node_id": node_id("U", user.id),
        "avatar_url": format!("{}/avatars/{}", state.base_url, user.id),
        "gravatar_id": "",
        "html_url": format!("{}/{}", state.base_url, user.login),
        "followers_url": below("followers"),
        "following_url": below("following{/other_user}"),
        "gists_url": below("gists{/gist_id}"),
        "starred_url": below("starred{/owner}{/repo}"),
        "subscriptions_url": below("subscriptions"),
        "organizations_url": below("orgs"),
        "repos_url": below("repos"),
        "events_url": below("events{/privacy}"),
        "received_events_url": below("received_events"),
        "url": url,
        "type": if user.bot { "Bot" } else { "User" },
        "user_view_type": "public",
        "site_admin": false,
    })
}

pub fn permissions(permissions: &Permissions) -> Value {
    let pairs = permissions.iter().map(|(name, level)| (name.clone(), level.name().into()));
    Value::Object(pairs.collect())
}

pub fn app(state: &State, app: &App) -> Value {
    if state.brief_payloads {
        return json!({"id": app.id, "slug": app.slug, "name": app.name});
    }
    json!({
        "id": app.id,
        "slug": app.slug,
        "node_id": node_id("A", app.id),
        "client_id": app.client_id,
        "owner": user(state, &app.owner),
        "name": app.name,
        "description": "",
        "external_url": state.base_url,
        "html_url": format!("{}/apps/{}", state.base_url, app.slug),
        "created_at": time(0),
        "updated_at": time(0),
        "permissions": permissions(&app.permissions),
        "events": app.events,
    })
}

pub(crate) fn app_by_id(state: &State, id: u64) -> Value {
    state.apps.get(&id).map(|found| app(state, found)).unwrap_or_default()
}

pub fn installation(state: &State, one: &Installation) -> Value {
    let found = state.apps.get(&one.app);
    let base = &state.base_url;
    json!({
        "id": one.id,
        "account": user(state, &one.account),
        "repository_selection": "selected",
        "access_tokens_url": format!("{base}/app/installations/{}/access_tokens", one.id),
        "repositories_url": format!("{base}/installation/repositories"),
        "html_url": format!("{base}/settings/installations/{}", one.id),
        "app_id": one.app,
        "app_slug": found.map(|app| &app.slug),
        "target_id": one.account.id,
        "target_type": "User",
        "permissions": permissions(&one.permissions),
        "events": found.map(|app| &app.events),
        "created_at": time(one.created_ms),
        "updated_at": time(one.created_ms),
        "single_file_name": null,
        "suspended_at": one.suspended.then(|| time(state.now_ms)),
        "suspended_by": null,
    })
}

pub fn label(state: &State, name: &str) -> Value {
    let id = name.bytes().fold(7_u64, |sum, byte| {
        (sum.wrapping_mul(31)).wrapping_add(u64::from(byte)) & 0xffff_ffff
    });
    json!({"id": id, "node_id": node_id("LA", id), "name": name, "color": "ededed",
        "default": false, "description": null,
        "url": format!("{}/labels/{name}", state.base_url)})
}

fn reaction_counts(on: &str, reactions: &[Reaction]) -> Value {
    let url = format!("{on}/reactions");
    let mut counts = json!({"url": url, "total_count": reactions.len()});
    let all = ["+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"];
    for content in all {
        let count = reactions.iter().filter(|one| one.content == content).count();
        if let Some(fields) = counts.as_object_mut() {
            fields.insert(content.into(), count.into());
        }
    }
    counts
}

pub fn reaction(state: &State, one: &Reaction) -> Value {
    json!({"id": one.id, "node_id": node_id("REA", one.id), "user": user(state, &one.user),
        "content": one.content, "created_at": time(one.at_ms)})
}

pub fn issue(state: &State, repo: &Repo, issue: &Issue) -> Value {
    let (base, html) = (api(state, repo), page(state, repo));
    let number = issue.number;
    let kind = if issue.is_pull { "pull" } else { "issues" };
    let comments = repo.comments.values().filter(|one| one.issue == number).count();
    let mut rendered = json!({
        "id": issue.id,
        "node_id": node_id("I", issue.id),
        "url": format!("{base}/issues/{number}"),
        "repository_url": base,
        "labels_url": format!("{base}/issues/{number}/labels{{/name}}"),
        "comments_url": format!("{base}/issues/{number}/comments"),
        "events_url": format!("{base}/issues/{number}/events"),
        "html_url": format!("{html}/{kind}/{number}"),
        "number": number,
        "state": if issue.open { "open" } else { "closed" },
        "state_reason": issue.state_reason,
        "title": issue.title,
        "body": issue.body,
        "user": user(state, &issue.user),
        "labels": issue.labels.keys().map(|name| label(state, name)).collect::<Vec<_>>(),
        "assignee": issue.assignees.first().map(|one| user(state, one)),
        "assignees": issue.assignees.iter().map(|one| user(state, one)).collect::<Vec<_>>(),
        "milestone": null,
        "locked": false,
        "active_lock_reason": null,
        "comments": comments,
        "created_at": time(issue.created_ms),
        "updated_at": time(issue.updated_ms),
        "closed_at": issue.closed_ms.map(time),
        "closed_by": issue.closed_by.as_ref().map(|one| user(state, one)),
        "author_association": issue.association,
        "reactions": reaction_counts(&format!("{base}/issues/{number}"), &issue.reactions),
        "performed_via_github_app": issue.via_app.map(|id| app_by_id(state, id)),
    });
    if let (true, Some(fields)) = (issue.is_pull, rendered.as_object_mut()) {
        let merged = repo.pulls.get(&number).and_then(|pull| pull.merged_ms).map(time);
        let links = json!({"url": format!("{base}/pulls/{number}"),
            "html_url": format!("{html}/pull/{number}"), "merged_at": merged,
            "diff_url": format!("{html}/pull/{number}.diff"),
            "patch_url": format!("{html}/pull/{number}.patch")});
        fields.insert("pull_request".into(), links);
    }
    rendered
}

pub fn comment(state: &State, repo: &Repo, comment: &Comment) -> Value {
    let (base, html) = (api(state, repo), page(state, repo));
    let pull = repo.pulls.contains_key(&comment.issue);
    let kind = if pull { "pull" } else { "issues" };
    let url = format!("{base}/issues/comments/{}", comment.id);
    json!({
        "id": comment.id,
        "node_id": node_id("IC", comment.id),
        "url": url,
        "issue_url": format!("{base}/issues/{}", comment.issue),
        "html_url": format!("{html}/{kind}/{}#issuecomment-{}", comment.issue, comment.id),
        "user": user(state, &comment.user),
        "body": comment.body,
        "created_at": time(comment.created_ms),
        "updated_at": time(comment.updated_ms),
        "author_association": comment.association,
        "reactions": reaction_counts(&url, &comment.reactions),
        "performed_via_github_app": comment.via_app.map(|id| app_by_id(state, id)),
    })
}

pub fn issue_event(state: &State, event: &IssueEvent) -> Value {
    let mut rendered = json!({
        "id": event.id,
        "node_id": node_id("E", event.id),
        "url": format!("{}/events/{}", state.base_url, event.id),
        "event": event.event,
        "actor": user(state, &event.actor),
        "commit_id": event.commit_id,
        "commit_url": null,
        "performed_via_github_app": null,
        "created_at": time(event.at_ms),
    });
    if let (Some(name), Some(fields)) = (&event.label, rendered.as_object_mut()) {
        fields.insert("label".into(), json!({"name": name, "color": "ededed"}));
    }
    rendered
}

/// A line of the list of collaborators.
pub fn collaborator(state: &State, who: &User, role: Role) -> Value {
    let found = permission(state, who, role);
    found.get("user").cloned().unwrap_or_default()
}

/// The answer of the collaborators' permission call.
pub fn permission(state: &State, who: &User, role: Role) -> Value {
    let mut account = user(state, who);
    let at_least = |wanted: Role| role >= wanted;
    if let Some(fields) = account.as_object_mut() {
        let held = json!({"pull": at_least(Role::Read), "triage": at_least(Role::Triage),
            "push": at_least(Role::Write), "maintain": at_least(Role::Maintain),
            "admin": at_least(Role::Admin)});
        fields.insert("permissions".into(), held);
        fields.insert("role_name".into(), role.name().into());
    }
    json!({"permission": role.permission(), "role_name": role.name(), "user": account})
}

/// What a token may do, as `POST …/access_tokens` answers.
pub fn token(state: &State, secret: &str, token: &super::world::Token) -> Value {
    let mut rendered = json!({
        "token": secret,
        "expires_at": time(token.expires_ms),
        "permissions": permissions(&token.permissions),
        "repository_selection": "selected",
    });
    if let (Some(only), Some(fields)) = (&token.repositories, rendered.as_object_mut()) {
        let found = only.iter().filter_map(|id| state.repos.get(id));
        fields.insert("repositories".into(), found.map(|one| repo(state, one)).collect());
    }
    rendered
}

/// Permissions from a request body; `None` when a level is unknown.
pub fn parse_permissions(value: &Value) -> Option<Permissions> {
    let fields = value.as_object()?;
    let pair =
        |(name, level): (&String, &Value)| Some((name.clone(), Level::parse(level.as_str()?)?));
    fields.iter().map(pair).collect()
}
