//! The list of repositories, and one repository's front page: branches, rules, files, README.

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::super::error::{ApiError, ApiResult};
use super::super::forge::Entry;
use super::super::world::{Repo, Role, Rules, State};
use super::ask::{Ask, Page, Viewer};
use super::code;
use super::markdown::{Place, markdown};
use super::parts;

/// People of a repository that are listed.
const PEOPLE_MAX: usize = 50;
/// Branches that are listed.
const BRANCHES_MAX: usize = 100;

/// `GET /`.
pub(super) async fn redirect() -> Response {
    Redirect::to("/ui").into_response()
}

/// Every path that is no page's.
pub(super) async fn nothing(ask: Ask) -> Response {
    ask.show(|_, _| Err(ApiError::not_found())).await
}

/// `GET /ui`.
pub(super) async fn page(ask: Ask) -> Response {
    ask.show(|state, viewer| {
        let seen: Vec<&Repo> =
            state.repos.values().filter(|repo| viewer.role(repo) >= Role::Read).collect();
        let body = html! {
            h1 { "Repositories" }
            p.lead {
                "You act as " b { (viewer.login()) } ". Open an issue, comment "
                code { "/go" } " on it, and watch what the bot does."
            }
            @if seen.is_empty() { p.empty { "There is no repository that you may see." } }
            ul.cards {
                @for repo in seen { li { (card(state, viewer, repo)) } }
            }
        };
        Ok(Page::new("Repositories", None, body))
    })
    .await
}

fn card(state: &State, viewer: &Viewer, repo: &Repo) -> Markup {
    let open = |pulls: bool| {
        repo.issues.values().filter(|issue| issue.open && issue.is_pull == pulls).count()
    };
    html! {
        article.card {
            h2 { a href=(parts::home(repo)) { (repo.full_name()) } }
            p.quiet-text {
                (parts::plural(open(false), "open issue")) " · "
                (parts::plural(open(true), "open pull request")) " · pushed "
                (parts::time(state.now_ms, repo.pushed_ms))
            }
            p.quiet-text { "Your permission: " b { (viewer.role(repo).name()) } }
        }
    }
}

/// `GET /{owner}/{repo}`.
pub(super) async fn overview(ask: Ask, Path((owner, repo)): Path<(String, String)>) -> Response {
    ask.show(move |state, viewer| {
        let id = state.enter(&viewer.actor(), &format!("{owner}/{repo}"), &[])?;
        let repo = state.repo(id)?;
        let main = repo.default_branch.clone();
        let tip = repo.branches.get(&main);
        let entries = tip.map(|tip| repo.forge.list_tree(tip)).transpose()?.unwrap_or_default();
        let readme = tip.map(|tip| readme(repo, tip, &entries)).transpose()?.flatten();
        let body = html! {
            h1.sr { (repo.full_name()) }
            div.columns {
                div {
                    (code::file_list(repo, &main, &entries))
                    @if let Some((name, text)) = readme {
                        section.panel aria-label="README" {
                            h2.panel-head { (name) }
                            div.panel-body {
                                (markdown(&text, Place { home: &parts::home(repo), breaks: false }))
                            }
                        }
                    }
                }
                aside aria-label="About this repository" {
                    (start_box(repo))
                    (branches(state, repo))
                    (rules(repo))
                    (people(state, repo))
                }
            }
        };
        Ok(Page::new(repo.full_name(), Some(repo), body))
    })
    .await
}

fn readme(repo: &Repo, tip: &str, entries: &[Entry]) -> ApiResult<Option<(String, String)>> {
    let named = |entry: &&Entry| entry.path.eq_ignore_ascii_case("readme.md");
    let Some(entry) = entries.iter().find(named) else {
        return Ok(None);
    };
    let bytes = repo.forge.read_file(tip, &entry.path)?;
    Ok(bytes.map(|bytes| (entry.path.clone(), String::from_utf8_lossy(&bytes).into_owned())))
}

fn start_box(repo: &Repo) -> Markup {
    let home = parts::home(repo);
    html! {
        p.actions {
            a.button.primary href={ (home) "/issues/new" } { "New issue" }
            a.button href={ (home) "/compare" } { "New pull request" }
        }
    }
}

fn branches(state: &State, repo: &Repo) -> Markup {
    let pull = |branch: &str| {
        let mut all = repo.pulls.values().rev();
        all.find(|pull| pull.head_ref == branch).and_then(|pull| repo.issues.get(&pull.number))
    };
    html! {
        h2 { "Branches" }
        ul.lines {
            @for (branch, tip) in repo.branches.iter().take(BRANCHES_MAX) {
                li {
                    a href={ (parts::home(repo)) "/tree/" (parts::encode_path(branch)) } {
                        (branch)
                    }
                    " " (parts::commit_link(repo, tip))
                    @if *branch == repo.default_branch { " " span.tag { "default" } }
                    @if let Some(issue) = pull(branch) {
                        " " a href=(parts::about(repo, issue)) { "#" (issue.number) }
                    }
                }
            }
        }
        @if repo.branches.is_empty() { p.empty { "No commit yet." } }
        p.quiet-text { "Clone: " code { (state.base_url) "/" (repo.full_name()) ".git" } }
    }
}

fn rules(repo: &Repo) -> Markup {
    html! {
        h2 { "Rules" }
        @if repo.rules.is_empty() { p.empty { "No branch has rules." } }
        @for (branch, rules) in &repo.rules {
            h3 { code { (branch) } }
            ul.lines { @for line in rule_lines(rules) { li { (line) } } }
        }
    }
}

fn rule_lines(rules: &Rules) -> Vec<String> {
    let mut lines: Vec<String> = rules
        .required_checks
        .iter()
        .map(|check| format!("Check “{}” must pass", check.context))
        .collect();
    if rules.strict {
        lines.push("Heads must be up to date".to_owned());
    }
    if let Some(count) = rules.approvals {
        let count = usize::try_from(count).unwrap_or_default();
        lines.push(format!("{} needed", parts::plural(count, "approving review")));
    }
    if rules.dismiss_stale_reviews {
        lines.push("A push dismisses approvals".to_owned());
    }
    if let Some(methods) = &rules.allowed_merge_methods {
        let names: Vec<&str> = methods.iter().map(|method| method.name()).collect();
        lines.push(format!("Merged by {} only", names.join(" or ")));
    }
    if lines.is_empty() {
        lines.push("Nothing is asked".to_owned());
    }
    lines
}

fn people(state: &State, repo: &Repo) -> Markup {
    let all = state.users.values().filter(|user| !user.bot).take(PEOPLE_MAX);
    html! {
        h2 { "People" }
        ul.lines {
            @for user in all {
                li {
                    (parts::avatar(user)) " " (parts::who(user)) " "
                    span.quiet-text { (repo.role(user.id).name()) }
                }
            }
        }
    }
}
