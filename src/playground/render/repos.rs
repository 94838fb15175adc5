//! Repositories as JSON, with the addresses GitHub lists for everything in them.

use serde_json::{Map, Value, json};

use super::{api, node_id, page, time, user};
use crate::playground::world::{Repo, State};

/// Fields that are addresses below the repository's own.
const BELOW: &[(&str, &str)] = &[
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
    ("url", ""),
];

pub fn repo(state: &State, repo: &Repo) -> Value {
    let name = repo.full_name();
    if state.brief_payloads {
        return json!({"id": repo.id, "name": repo.name, "full_name": name,
            "private": repo.settings.private, "owner": user(state, &repo.owner),
            "default_branch": repo.default_branch,
            "clone_url": format!("{}/{name}.git", state.base_url)});
    }
    let open = repo.issues.values().filter(|issue| issue.open).count();
    let mut rendered = json!({
        "id": repo.id,
        "node_id": node_id("R", repo.id),
        "name": repo.name,
        "full_name": name,
        "private": repo.settings.private,
        "visibility": if repo.settings.private { "private" } else { "public" },
        "owner": user(state, &repo.owner),
        "html_url": page(state, repo),
        "svn_url": page(state, repo),
        "description": null,
        "fork": false,
        "clone_url": format!("{}/{name}.git", state.base_url),
        "git_url": format!("{}/{name}.git", state.base_url),
        "ssh_url": format!("{}/{name}.git", state.base_url),
        "default_branch": repo.default_branch,
        "created_at": time(repo.created_ms),
        "updated_at": time(repo.pushed_ms),
        "pushed_at": time(repo.pushed_ms),
        "archived": false,
        "disabled": false,
        "has_issues": true,
        "open_issues": open,
        "open_issues_count": open,
        "allow_merge_commit": repo.settings.allow_merge_commit,
        "allow_squash_merge": repo.settings.allow_squash_merge,
        "allow_rebase_merge": repo.settings.allow_rebase_merge,
        "delete_branch_on_merge": repo.settings.delete_branch_on_merge,
    });
    if let Some(fields) = rendered.as_object_mut() {
        let base = api(state, repo);
        let below =
            BELOW.iter().map(|(name, rest)| ((*name).into(), format!("{base}{rest}").into()));
        fields.extend(below);
        fields.extend(absent());
    }
    rendered
}

/// What a repository of the playground never has, as GitHub says so.
fn absent() -> Map<String, Value> {
    let none = ["homepage", "language", "license", "mirror_url"].map(|name| (name, Value::Null));
    let off = ["has_discussions", "has_downloads", "has_pages", "has_projects", "has_wiki"];
    let zero = [
        "forks",
        "forks_count",
        "network_count",
        "size",
        "stargazers_count",
        "subscribers_count",
        "watchers",
        "watchers_count",
    ];
    let off = off.map(|name| (name, Value::Bool(false)));
    let zero = zero.map(|name| (name, Value::from(0)));
    let all = none.into_iter().chain(off).chain(zero);
    all.map(|(name, value)| (name.to_owned(), value)).collect()
}
