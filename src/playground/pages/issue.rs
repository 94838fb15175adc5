//! One issue's page.

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;

use super::super::error::ApiError;
use super::ask::{Ask, Page};
use super::{parts, timeline};

/// `GET /{owner}/{repo}/issues/{number}`; pull requests have their own page.
pub(super) async fn page(
    ask: Ask,
    Path((owner, repo, number)): Path<(String, String, u64)>,
) -> Response {
    let full = format!("{owner}/{repo}");
    let is_pull = ask.world().with(|state| {
        let repo = state.repo_id(&full).and_then(|id| state.repos.get(&id))?;
        repo.pulls.contains_key(&number).then(|| parts::home(repo))
    });
    if let Some(home) = is_pull {
        return Redirect::to(&format!("{home}/pull/{number}")).into_response();
    }
    ask.show(move |state, viewer| {
        let issue = state.issue(&viewer.actor(), &full, number)?;
        let id = state.repo_id(&full).ok_or_else(ApiError::not_found)?;
        let repo = state.repo(id)?;
        let body = html! {
            (timeline::head(state, repo, &issue, &html! {}))
            div.columns {
                div {
                    (timeline::conversation(state, viewer, repo, &issue))
                    (timeline::comment_box(viewer, repo, &issue))
                }
                aside aria-label="About this issue" {
                    (timeline::label_box(viewer, repo, &issue))
                    h2 { "Pull requests" }
                    (mentions(repo, number))
                }
            }
        };
        let page = Page::new(format!("{} · #{number}", issue.title), Some(repo), body);
        Ok(page.live(viewer.watches()))
    })
    .await
}

/// Pull requests whose words close this issue.
fn mentions(repo: &super::super::world::Repo, number: u64) -> maud::Markup {
    let closes = |body: &str| {
        super::super::world::merge::closing_numbers(body, &repo.full_name()).contains(&number)
    };
    let pulls = repo.issues.values().filter(|one| one.is_pull && closes(&one.body));
    let pulls: Vec<_> = pulls.collect();
    html! {
        @if pulls.is_empty() { p.empty { "None closes this issue." } }
        ul.lines {
            @for pull in pulls {
                li {
                    (parts::state_badge(repo, pull)) " "
                    a href=(parts::about(repo, pull)) { (pull.title) } " #" (pull.number)
                }
            }
        }
    }
}
