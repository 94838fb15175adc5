//! Lists of issues and pull requests, and the forms that open new ones.

use axum::extract::{Path, Query};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::error::ApiResult;
use super::super::world::issues::{BODY_MAX, TITLE_MAX};
use super::super::world::rules::Standing;
use super::super::world::{Issue, Repo, State};
use super::ask::{Ask, Page, Viewer};
use super::parts;

/// Entries on one page of a list.
const ENTRIES_MAX: usize = 50;

/// The query of a list.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    state: String,
    /// Counted from one.
    page: Option<usize>,
}

/// `GET /{owner}/{repo}/issues`.
pub(super) async fn list(
    ask: Ask,
    Path((owner, repo)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let full = format!("{owner}/{repo}");
    ask.show(move |state, viewer| listing(state, viewer, &full, (false, &wanted))).await
}

/// `GET /{owner}/{repo}/pulls`.
pub(super) async fn list_pulls(
    ask: Ask,
    Path((owner, repo)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let full = format!("{owner}/{repo}");
    ask.show(move |state, viewer| listing(state, viewer, &full, (true, &wanted))).await
}

fn listing(
    state: &State,
    viewer: &Viewer,
    full: &str,
    (pulls, wanted): (bool, &Wanted),
) -> ApiResult<Page> {
    let id = state.enter(&viewer.actor(), full, &[])?;
    let repo = state.repo(id)?;
    let closed = wanted.state == "closed";
    let all = || repo.issues.values().rev().filter(|issue| issue.is_pull == pulls);
    let (open_count, all_count) = (all().filter(|one| one.open).count(), all().count());
    let page = wanted.page.unwrap_or(1).max(1);
    let matching = || all().filter(|issue| issue.open != closed);
    let entries: Vec<&Issue> =
        matching().skip((page - 1).saturating_mul(ENTRIES_MAX)).take(ENTRIES_MAX).collect();
    let further = matching().count() > page.saturating_mul(ENTRIES_MAX);
    let (title, kind, new, create) = if pulls {
        ("Pull requests", "pulls", "compare", "New pull request")
    } else {
        ("Issues", "issues", "issues/new", "New issue")
    };
    let home = parts::home(repo);
    let filter = |word: &str, chosen: bool, count: usize| {
        let url = format!("{home}/{kind}?state={word}");
        html! {
            a href=(url) aria-current=[chosen.then_some("true")] { (count) " " (word) }
        }
    };
    let shown = format!("{home}/{kind}?state={}", if closed { "closed" } else { "open" });
    let body = html! {
        div.head-line { h1 { (title) } a.button.primary href={ (home) "/" (new) } { (create) } }
        nav.filter aria-label="State" {
            (filter("open", !closed, open_count)) (filter("closed", closed, all_count - open_count))
        }
        @if entries.is_empty() {
            p.empty { "Nothing " (if closed { "closed" } else { "open" }) " here." }
        } @else {
            ul.entries { @for issue in entries { li { (entry(state, repo, issue)?) } } }
        }
        (pager(&shown, page, further))
    };
    Ok(Page::new(format!("{title} · {}", repo.full_name()), Some(repo), body))
}

fn pager(url: &str, page: usize, further: bool) -> Markup {
    html! {
        @if page > 1 || further {
            nav.pager aria-label="Pages" {
                @if page > 1 { a.button href={ (url) "&page=" (page - 1) } { "Newer" } }
                @if further {
                    a.button href={ (url) "&page=" (page.saturating_add(1)) } { "Older" }
                }
            }
        }
    }
}

fn entry(state: &State, repo: &Repo, issue: &Issue) -> ApiResult<Markup> {
    let comments = repo.comments.values().filter(|one| one.issue == issue.number).count();
    let worst = match repo.pulls.get(&issue.number) {
        Some(pull) if issue.open => {
            state.standings(repo.id, &pull.head_sha)?.iter().map(|one| one.2).max()
        }
        Some(_) | None => None,
    };
    let checks = worst.map(|standing| match standing {
        Standing::Passed => ("good", "✓", "checks passed"),
        Standing::Pending => ("now", "●", "checks running"),
        Standing::Failed => ("bad", "✕", "checks failed"),
    });
    Ok(html! {
        (parts::state_badge(repo, issue))
        div.entry {
            p.entry-title {
                a href=(parts::about(repo, issue)) { (issue.title) }
                " " (parts::labels(issue))
            }
            p.quiet-text {
                "#" (issue.number) " by " (parts::who(&issue.user)) ", "
                (parts::time(state.now_ms, issue.created_ms))
                @if comments > 0 { " · " (parts::plural(comments, "comment")) }
                @if let Some(checks) = checks { " · " (parts::mark(checks)) }
            }
        }
    })
}

/// `GET /{owner}/{repo}/issues/new`.
pub(super) async fn new(ask: Ask, Path((owner, repo)): Path<(String, String)>) -> Response {
    ask.show(move |state, viewer| {
        let id = state.enter(&viewer.actor(), &format!("{owner}/{repo}"), &[])?;
        let repo = state.repo(id)?;
        let body = html! {
            h1 { "New issue" }
            form.stack method="post" action={ (parts::home(repo)) "/issues" } {
                (words_fields())
                p.actions {
                    button.primary type="submit" { "Open as " (viewer.login()) }
                    a.button href={ (parts::home(repo)) "/issues" } { "Cancel" }
                }
            }
        };
        Ok(Page::new("New issue", Some(repo), body))
    })
    .await
}

fn words_fields() -> Markup {
    html! {
        div.field {
            label for="title" { "Title" }
            input #title name="title" type="text" required maxlength=(TITLE_MAX) autocomplete="off";
        }
        div.field {
            label for="body" { "What is it about? " span.quiet-text { "Markdown" } }
            textarea #body name="body" rows="10" maxlength=(BODY_MAX) {}
        }
    }
}

/// `GET /{owner}/{repo}/compare`: the form of a new pull request.
pub(super) async fn new_pull(ask: Ask, Path((owner, repo)): Path<(String, String)>) -> Response {
    ask.show(move |state, viewer| {
        let id = state.enter(&viewer.actor(), &format!("{owner}/{repo}"), &[])?;
        let repo = state.repo(id)?;
        let choice = |name: &str, words: &str, main: bool| {
            html! {
                div.field {
                    label for=(name) { (words) }
                    select id=(name) name=(name) required {
                        @for branch in repo.branches.keys() {
                            @let is_main = *branch == repo.default_branch;
                            @if main || !is_main {
                                option value=(branch) selected[main && is_main] { (branch) }
                            }
                        }
                    }
                }
            }
        };
        let body = html! {
            h1 { "New pull request" }
            @if repo.branches.len() < 2 {
                p.lead {
                    "There is only one branch. Change a file on a new branch, or push one with git."
                }
            } @else {
                form.stack method="post" action={ (parts::home(repo)) "/pulls" } {
                    div.pair {
                        (choice("head", "Take the changes of", false))
                        (choice("base", "into", true))
                    }
                    (words_fields())
                    p.actions { button.primary type="submit" { "Open as " (viewer.login()) } }
                }
            }
        };
        Ok(Page::new("New pull request", Some(repo), body))
    })
    .await
}
