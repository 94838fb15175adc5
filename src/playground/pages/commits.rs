//! Histories of branches, and one commit with its changes.

use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};

use super::super::error::{ApiError, ApiResult};
use super::super::forge::CommitInfo;
use super::super::world::rules::Standing;
use super::super::world::{Repo, RunStatus, State};
use super::ask::{Ask, Page, Viewer};
use super::markdown::{Place, markdown};
use super::{checks, diff, parts};

/// Commits of a history that are shown, the newest.
const COMMITS_MAX: usize = 100;

/// How a commit is marked that the playground signed.
const VERIFIED: (&str, &str, &str) = ("good", "✓", "verified");

/// `GET /{owner}/{repo}/commits`.
pub(super) async fn list_default(
    ask: Ask,
    Path((owner, repo)): Path<(String, String)>,
) -> Response {
    ask.show(move |state, viewer| history(state, viewer, &format!("{owner}/{repo}"), None)).await
}

/// `GET /{owner}/{repo}/commits/{name}`, a branch or a commit.
pub(super) async fn list(
    ask: Ask,
    Path((owner, repo, name)): Path<(String, String, String)>,
) -> Response {
    let full = format!("{owner}/{repo}");
    ask.show(move |state, viewer| history(state, viewer, &full, Some(&name))).await
}

fn history(state: &State, viewer: &Viewer, full: &str, name: Option<&str>) -> ApiResult<Page> {
    let id = state.enter(&viewer.actor(), full, &[])?;
    let repo = state.repo(id)?;
    let name = name.unwrap_or(&repo.default_branch);
    let tip = state.resolve(id, name)?;
    let commits = repo.forge.commits_between(None, &tip, COMMITS_MAX)?;
    let body = html! {
        h1 { "Commits on " code.ref { (name) } }
        (lines(state, repo, &commits)?)
        @if commits.len() == COMMITS_MAX { p.empty { "Older commits are not shown." } }
    };
    Ok(Page::new(format!("Commits · {}", repo.full_name()), Some(repo), body))
}

/// Commits, newest first, with how their checks stand.
pub(super) fn lines(state: &State, repo: &Repo, commits: &[CommitInfo]) -> ApiResult<Markup> {
    let line = |commit: &CommitInfo| -> ApiResult<Markup> {
        let worst = state.standings(repo.id, &commit.id)?.iter().map(|one| one.2).max();
        let checks = worst.map(|worst| match worst {
            Standing::Passed => ("good", "✓", "passed"),
            Standing::Pending => ("now", "●", "running"),
            Standing::Failed => ("bad", "✕", "failed"),
        });
        let title = commit.message.lines().next().unwrap_or_default();
        Ok(html! {
            div.entry {
                p.entry-title { a href={ (parts::home(repo)) "/commit/" (commit.id) } { (title) } }
                p.quiet-text {
                    b { (commit.author.name) } ", " (parts::time(state.now_ms, commit.at_ms))
                    @if commit.parents.len() > 1 { " · merge" }
                    @if repo.signed.contains(&commit.id) { " · " (parts::mark(VERIFIED)) }
                    @if let Some(checks) = checks { " · " (parts::mark(checks)) }
                }
            }
            (parts::commit_link(repo, &commit.id))
        })
    };
    Ok(html! {
        @if commits.is_empty() { p.empty { "No commits." } }
        @else { ul.entries { @for commit in commits.iter().rev() { li { (line(commit)?) } } } }
    })
}

/// `GET /{owner}/{repo}/commit/{sha}`.
pub(super) async fn page(
    ask: Ask,
    Path((owner, repo, sha)): Path<(String, String, String)>,
) -> Response {
    ask.show(move |state, viewer| {
        let full = format!("{owner}/{repo}");
        let commit = state.commit(&viewer.actor(), &full, &sha)?;
        let id = state.repo_id(&full).ok_or_else(ApiError::not_found)?;
        let repo = state.repo(id)?;
        let files = match commit.parents.first() {
            Some(parent) => Some(repo.forge.diff(parent, &commit.id)?),
            None => None,
        };
        let runs = state.latest_runs(id, &commit.id)?;
        let live = runs.iter().any(|run| run.status != RunStatus::Completed);
        let (title, rest) = commit.message.split_once('\n').unwrap_or((&commit.message, ""));
        let home = parts::home(repo);
        let body = html! {
            header.subject {
                h1 { (title) }
                p {
                    b { (commit.author.name) } ", " (parts::time(state.now_ms, commit.at_ms))
                    " · " code { (commit.id) }
                    @if repo.signed.contains(&commit.id) { " · " (parts::mark(VERIFIED)) }
                    @for parent in &commit.parents {
                        " · parent " (parts::commit_link(repo, parent))
                    }
                }
            }
            @if !rest.trim().is_empty() {
                (markdown(rest.trim(), Place { home: &home, breaks: true }))
            }
            h2 { "Checks" }
            (checks::list(state, viewer, repo, &runs))
            h2 { "Changes" }
            @match &files {
                Some(files) => (diff::show(files, |_, _| html! {})),
                None => {
                    p {
                        "The first commit: "
                        a href={ (home) "/tree/" (commit.id) } { "its files" } "."
                    }
                }
            }
        };
        Ok(Page::new(title.to_owned(), Some(repo), body).live(live))
    })
    .await
}
