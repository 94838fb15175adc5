//! Pull requests, reviews, commits and differences as JSON.

use serde_json::{Value, json};

use super::{api, label, node_id, page, repo, time, user};
use crate::playground::forge::{ChangeKind, CommitInfo, FileChange};
use crate::playground::world::pulls::PullView;
use crate::playground::world::refs::Comparison;
use crate::playground::world::{
    AutoMerge, HeadRepo, Mergeability, Pull, Repo, Review, ReviewComment, State, Thread,
};

/// The head's side, which may be in another repository or in none.
fn head(state: &State, home: &Repo, pull: &Pull) -> Value {
    let mut rendered = side(state, home, &pull.head_ref, &pull.head_sha);
    let Some(fields) = rendered.as_object_mut() else { return rendered };
    match pull.head_repo {
        HeadRepo::Here => {}
        HeadRepo::Gone => drop(fields.insert("repo".into(), Value::Null)),
        HeadRepo::Fork => {
            if let Some(fork) = fields.get_mut("repo").and_then(Value::as_object_mut) {
                fork.insert("id".into(), (home.id + 1_000_000).into());
                fork.insert("full_name".into(), format!("fork/{}", home.name).into());
                fork.insert("fork".into(), true.into());
            }
        }
    }
    rendered
}

fn side(state: &State, home: &Repo, branch: &str, sha: &str) -> Value {
    json!({
        "label": format!("{}:{branch}", home.owner.login),
        "ref": branch,
        "sha": sha,
        "user": user(state, &home.owner),
        "repo": repo(state, home),
    })
}

fn merge_commit(pull: &Pull) -> Option<&String> {
    match &pull.mergeability {
        _ if pull.merged => pull.merge_commit_sha.as_ref(),
        Mergeability::Clean { test_merge } => Some(test_merge),
        Mergeability::Unknown { .. } | Mergeability::Conflict => None,
    }
}

fn auto_merge(state: &State, wish: &AutoMerge) -> Value {
    json!({
        "enabled_by": user(state, &wish.by),
        "merge_method": wish.call.method.name(),
        "commit_title": wish.call.title.as_deref().unwrap_or_default(),
        "commit_message": wish.call.message.as_deref().unwrap_or_default(),
    })
}

pub fn pull(state: &State, home: &Repo, view: &PullView) -> Value {
    let (issue, pull) = (&view.issue, &view.pull);
    let (base, html) = (api(state, home), page(state, home));
    let number = pull.number;
    let url = format!("{base}/pulls/{number}");
    let comments = home.comments.values().filter(|one| one.issue == number).count();
    let remarks = home.threads.values().filter(|one| one.pull == number);
    let mut rendered = json!({
        "id": pull.id,
        "node_id": node_id("PR", pull.id),
        "number": number,
        "state": if issue.open { "open" } else { "closed" },
        "locked": false,
        "title": issue.title,
        "body": issue.body,
        "user": user(state, &issue.user),
        "labels": issue.labels.keys().map(|name| label(state, name)).collect::<Vec<_>>(),
        "assignees": [],
        "assignee": null,
        "milestone": null,
        "requested_teams": [],
        "draft": pull.draft,
        "head": head(state, home, pull),
        "base": side(state, home, &pull.base_ref, &pull.base_sha),
        "author_association": issue.association,
        "auto_merge": pull.auto_merge.as_ref().map(|wish| auto_merge(state, wish)),
        "merged": pull.merged,
        "mergeable": view.mergeable,
        "mergeable_state": view.mergeable_state,
        "rebaseable": view.mergeable,
        "merge_commit_sha": merge_commit(pull),
        "comments": comments,
        "review_comments": remarks.map(|one| one.comments.len()).sum::<usize>(),
        "maintainer_can_modify": false,
        "commits": 0,
        "additions": 0,
        "deletions": 0,
        "changed_files": 0,
    });
    let more = json!({
        "created_at": time(issue.created_ms),
        "updated_at": time(issue.updated_ms),
        "closed_at": issue.closed_ms.map(time),
        "merged_at": pull.merged_ms.map(time),
        "merged_by": pull.merged_by.as_ref().map(|one| user(state, one)),
        "requested_reviewers":
            pull.requested_reviewers.iter().map(|one| user(state, one)).collect::<Vec<_>>(),
        "url": url,
        "html_url": format!("{html}/pull/{number}"),
        "diff_url": format!("{html}/pull/{number}.diff"),
        "patch_url": format!("{html}/pull/{number}.patch"),
        "issue_url": format!("{base}/issues/{number}"),
        "commits_url": format!("{url}/commits"),
        "review_comments_url": format!("{url}/comments"),
        "review_comment_url": format!("{base}/pulls/comments{{/number}}"),
        "comments_url": format!("{base}/issues/{number}/comments"),
        "statuses_url": format!("{base}/statuses/{}", pull.head_sha),
    });
    let links = links(&more);
    if let (Some(fields), Value::Object(more)) = (rendered.as_object_mut(), more) {
        fields.extend(more);
        fields.insert("_links".into(), links);
    }
    rendered
}

/// The addresses of a pull request once more, as GitHub repeats them.
fn links(pull: &Value) -> Value {
    let named = [
        ("self", "url"),
        ("html", "html_url"),
        ("issue", "issue_url"),
        ("comments", "comments_url"),
        ("review_comments", "review_comments_url"),
        ("review_comment", "review_comment_url"),
        ("commits", "commits_url"),
        ("statuses", "statuses_url"),
    ];
    let link = |(name, field): (&str, &str)| (name.to_owned(), json!({"href": pull.get(field)}));
    Value::Object(named.map(link).into_iter().collect())
}

pub fn review(state: &State, home: &Repo, review: &Review) -> Value {
    let number = review.pull;
    let html = format!("{}/pull/{number}#pullrequestreview-{}", page(state, home), review.id);
    let about = format!("{}/pulls/{number}", api(state, home));
    json!({
        "id": review.id,
        "node_id": node_id("PRR", review.id),
        "user": user(state, &review.user),
        "body": review.body,
        "state": review.state.name(),
        "html_url": html,
        "pull_request_url": about,
        "author_association": review.association,
        "submitted_at": time(review.submitted_ms),
        "commit_id": review.commit_id,
        "_links": {"html": {"href": html}, "pull_request": {"href": about}},
    })
}

pub fn review_comment(
    state: &State,
    home: &Repo,
    thread: &Thread,
    comment: &ReviewComment,
) -> Value {
    let number = thread.pull;
    let first = thread.comments.first().map(|one| one.id);
    let url = format!("{}/pulls/comments/{}", api(state, home), comment.id);
    let html = format!("{}/pull/{number}#discussion_r{}", page(state, home), comment.id);
    let about = format!("{}/pulls/{number}", api(state, home));
    let mut rendered = json!({
        "id": comment.id,
        "node_id": node_id("PRRC", comment.id),
        "pull_request_review_id": comment.review,
        "user": user(state, &comment.user),
        "body": comment.body,
        "path": thread.path,
        "line": thread.line,
        "side": "RIGHT",
        "diff_hunk": "",
        "commit_id": comment.commit_id,
        "original_commit_id": comment.commit_id,
        "author_association": comment.association,
        "created_at": time(comment.created_ms),
        "updated_at": time(comment.created_ms),
        "url": url,
        "html_url": html,
        "pull_request_url": about,
        "_links": {"self": {"href": url}, "html": {"href": html}, "pull_request": {"href": about}},
    });
    if let (Some(first), Some(fields)) = (first, rendered.as_object_mut())
        && first != comment.id
    {
        fields.insert("in_reply_to_id".into(), first.into());
    }
    rendered
}

/// The comments of a thread.
pub fn thread(state: &State, home: &Repo, thread: &Thread) -> Value {
    let comments = thread.comments.iter();
    comments.map(|comment| review_comment(state, home, thread, comment)).collect()
}

fn signature(commit: &CommitInfo) -> Value {
    json!({"name": commit.author.name, "email": commit.author.email, "date": time(commit.at_ms)})
}

/// The account behind a commit, where its address is ours.
fn account(state: &State, commit: &CommitInfo) -> Option<Value> {
    let named = |one: &&crate::playground::world::User| one.login == commit.author.name;
    state.users.values().find(named).map(|one| user(state, one))
}

pub fn commit(state: &State, home: &Repo, commit: &CommitInfo) -> Value {
    let base = api(state, home);
    let parent = |id: &String| {
        json!({"sha": id, "url": format!("{base}/commits/{id}"),
            "html_url": format!("{}/commit/{id}", page(state, home))})
    };
    json!({
        "sha": commit.id,
        "node_id": format!("C_{}", commit.id),
        "url": format!("{base}/commits/{}", commit.id),
        "html_url": format!("{}/commit/{}", page(state, home), commit.id),
        "comments_url": format!("{base}/commits/{}/comments", commit.id),
        "commit": {
            "message": commit.message,
            "author": signature(commit),
            "committer": signature(commit),
            "tree": {"sha": commit.tree, "url": format!("{base}/git/trees/{}", commit.tree)},
            "url": format!("{base}/git/commits/{}", commit.id),
            "comment_count": 0,
            "verification": verification(home, commit),
        },
        "author": account(state, commit),
        "committer": account(state, commit),
        "parents": commit.parents.iter().map(parent).collect::<Vec<_>>(),
    })
}

/// Only what the World signed itself is verified; it keeps no key for anything else.
fn verification(home: &Repo, commit: &CommitInfo) -> Value {
    if !home.signed.contains(&commit.id) {
        return json!({"verified": false, "reason": "unsigned", "signature": null,
            "payload": null, "verified_at": null});
    }
    json!({"verified": true, "reason": "valid", "signature": "signed by the playground",
        "payload": format!("tree {}", commit.tree), "verified_at": time(commit.at_ms)})
}

/// A commit as the push event lists it.
pub fn push_commit(state: &State, home: &Repo, commit: &CommitInfo) -> Value {
    let who = json!({"name": commit.author.name, "email": commit.author.email,
        "username": commit.author.name});
    json!({
        "id": commit.id,
        "tree_id": commit.tree,
        "distinct": true,
        "message": commit.message,
        "timestamp": time(commit.at_ms),
        "url": format!("{}/commit/{}", page(state, home), commit.id),
        "author": who,
        "committer": who,
        "added": [],
        "removed": [],
        "modified": [],
    })
}

pub fn file(state: &State, home: &Repo, sha: &str, change: &FileChange) -> Value {
    let status = match change.kind {
        ChangeKind::Added => "added",
        ChangeKind::Modified => "modified",
        ChangeKind::Removed => "removed",
    };
    let path = &change.path;
    json!({
        "sha": null,
        "filename": path,
        "status": status,
        "additions": change.additions,
        "deletions": change.deletions,
        "changes": change.additions + change.deletions,
        "patch": change.patch,
        "blob_url": format!("{}/blob/{sha}/{path}", page(state, home)),
        "raw_url": format!("{}/raw/{sha}/{path}", page(state, home)),
        "contents_url": format!("{}/contents/{path}?ref={sha}", api(state, home)),
    })
}

pub fn compare(state: &State, home: &Repo, found: &Comparison) -> Value {
    let (ahead, behind) = (found.commits.len(), found.behind_by);
    let status = match (ahead, behind) {
        (0, 0) => "identical",
        (_, 0) => "ahead",
        (0, _) => "behind",
        (_, _) => "diverged",
    };
    let info = |id: &str| home.forge.commit_info(id).ok().flatten();
    let whole = |id: &str| info(id).map(|one| commit(state, home, &one));
    let html = format!("{}/compare/{}...{}", page(state, home), found.base, found.head);
    json!({
        "url": format!("{}/compare/{}...{}", api(state, home), found.base, found.head),
        "html_url": html,
        "permalink_url": html,
        "diff_url": format!("{html}.diff"),
        "patch_url": format!("{html}.patch"),
        "status": status,
        "ahead_by": ahead,
        "behind_by": behind,
        "total_commits": ahead,
        "base_commit": whole(&found.base),
        "merge_base_commit": whole(&found.merge_base),
        "commits": found.commits.iter().map(|one| commit(state, home, one)).collect::<Vec<_>>(),
        "files":
            found.files.iter().map(|one| file(state, home, &found.head, one)).collect::<Vec<_>>(),
    })
}
