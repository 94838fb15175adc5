//! The frame around every page, the refusal page, and the style sheet's route.

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::super::error::ApiError;
use super::super::world::{Repo, State};
use super::ask::{Page, Viewer};
use super::parts;

const STYLE: &str = include_str!("style.css");

/// Seconds after which a page with something running loads itself again.
const REFRESH_S: u32 = 4;

/// A hull on an inclined way.
const MARK: &str = r#"<svg class="mark" viewBox="0 0 32 24" aria-hidden="true" focusable="false">
<path class="way" d="M2 22 30 15"/>
<path class="hull" d="M6 9l20-5c-1 6-4 9-8 10l-6 1.500c-3 .5-5-2-6-6.500z"/>
<path class="mast" d="M15 6V1"/></svg>"#;

/// `GET /ui/style.css`.
pub(super) async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "max-age=60")], STYLE)
}

/// A whole document.
pub(super) fn framed(state: &State, viewer: &Viewer, page: &Page) -> String {
    let repo = page.repo.as_ref().and_then(|name| state.repo_id(name));
    let repo = repo.and_then(|id| state.repos.get(&id));
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if page.live {
                    meta http-equiv="refresh" content=(REFRESH_S);
                }
                title { (page.title) " · Slipway playground" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="/ui/style.css";
            }
            body {
                a.to-content href="#main" { "Skip to the content" }
                header.top {
                    div.inner {
                        a.brand href="/ui" {
                            (PreEscaped(MARK)) span { "Slipway " em { "playground" } }
                        }
                        (act_as(viewer, repo))
                    }
                }
                @if let Some(repo) = repo { (repo_bar(repo, viewer)) }
                main #main tabindex="-1" { (page.body) }
                footer.foot {
                    p {
                        "A practice world: its branches, checks and merges are real git, "
                        "but nothing here is on GitHub."
                    }
                    @if page.live {
                        p.live {
                            "Something is running: this page loads itself again every " (REFRESH_S)
                            " seconds."
                        }
                    }
                }
            }
        }
    };
    document.into_string()
}

fn act_as(viewer: &Viewer, repo: Option<&Repo>) -> Markup {
    html! {
        form.act method="post" action="/ui/as" aria-label="Act as" {
            label for="act-as" { "Act as" }
            select #act-as name="user" {
                @for user in &viewer.people {
                    @let chosen = viewer.user.as_ref().is_some_and(|one| one.id == user.id);
                    option value=(user.id) selected[chosen] {
                        (user.login)
                        @if let Some(repo) = repo { " (" (repo.role(user.id).name()) ")" }
                    }
                }
            }
            input type="hidden" name="back" value=(viewer.here);
            button.quiet type="submit" { "Switch" }
        }
    }
}

fn repo_bar(repo: &Repo, viewer: &Viewer) -> Markup {
    let home = parts::home(repo);
    let count = |pulls: bool| {
        repo.issues.values().filter(|issue| issue.open && issue.is_pull == pulls).count()
    };
    let tabs = [
        ("Overview", home.clone(), None),
        ("Issues", format!("{home}/issues"), Some(count(false))),
        ("Pull requests", format!("{home}/pulls"), Some(count(true))),
        ("Commits", format!("{home}/commits"), None),
    ];
    let rest = viewer.here.strip_prefix(&home).unwrap_or_default();
    let at = match rest.trim_start_matches('/').split(['/', '?']).next().unwrap_or_default() {
        "issues" => 1,
        "pull" | "pulls" | "compare" | "runs" | "checks" => 2,
        "commits" | "commit" => 3,
        _ => 0,
    };
    html! {
        div.repo-bar {
            div.inner {
                p.repo-name {
                    (repo.owner.login) span.sep aria-hidden="true" { "/" }
                    a href=(home) { (repo.name) }
                }
                nav aria-label="Repository" {
                    ul.tabs {
                        @for (n, (name, url, count)) in tabs.iter().enumerate() {
                            li { a href=(url) aria-current=[(n == at).then_some("page")] {
                                (name) @if let Some(count) = count { " " span.count { (count) } }
                            } }
                        }
                    }
                }
            }
        }
    }
}

/// What a person sees when the World says no.
pub(super) fn refusal(status: StatusCode, error: &ApiError, back: Option<&str>) -> Page {
    let details = error.body.as_ref().and_then(|body| body.get("errors")?.as_array());
    let details = details.into_iter().flatten().filter_map(|one| {
        let field = one.get("field")?.as_str()?;
        Some(format!("{field}: {}", one.get("message")?.as_str()?))
    });
    let what = match status.as_u16() {
        404 => "There is nothing here",
        401 | 403 => "You may not do that",
        _ => "That was refused",
    };
    let body = html! {
        section.notice {
            p.status-code { (status.as_u16()) }
            h1 { (what) }
            @if status != StatusCode::NOT_FOUND { p.lead { (error.message) } }
            ul { @for detail in details { li { (detail) } } }
            p {
                @if let Some(back) = back {
                    a href=(back) { "Go back" } ", act as somebody else above, or start at "
                } @else {
                    "Act as somebody else above, or start at "
                }
                a href="/ui" { "the repositories" } "."
            }
        }
    };
    Page::new(what, None, body)
}
