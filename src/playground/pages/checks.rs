//! Checks: their list with buttons, and one run's page with its output and log.

use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

use super::super::error::ApiError;
use super::super::world::{Repo, Role, Run, RunStatus, State, Status};
use super::ask::{Ask, Page, Viewer};
use super::markdown::{Place, markdown};
use super::parts;

/// Lines of a log that are shown, the last ones.
const LOG_LINES_MAX: usize = 2_000;
/// Annotations that are shown.
const ANNOTATIONS_MAX: usize = 100;

/// Runs with status, words and buttons.
pub(super) fn list(state: &State, viewer: &Viewer, repo: &Repo, runs: &[Run]) -> Markup {
    html! {
        @if runs.is_empty() { p.empty { "No check has been reported on this commit." } }
        @else {
            ul.checks {
                @for run in runs {
                    @let (tone, mark, word) = parts::verdict(run);
                    li {
                        (parts::mark((tone, mark, &word)))
                        div.check-words {
                            p {
                                a href={ (parts::home(repo)) "/runs/" (run.id) } {
                                    b { (run.name) }
                                }
                                " " span.quiet-text {
                                    "by " (parts::app_name(state, run.app)) (lasted(run))
                                }
                            }
                            @if let Some(title) = &run.output.title { p.quiet-text { (title) } }
                        }
                        (buttons(viewer, repo, run))
                    }
                }
            }
        }
    }
}

fn lasted(run: &Run) -> String {
    match (run.started_ms, run.completed_ms) {
        (Some(from), Some(to)) => format!(" in {}", parts::span(to - from)),
        (None, _) | (_, None) => String::new(),
    }
}

/// Commit statuses, the older kind of check.
pub(super) fn statuses(state: &State, statuses: &[Status]) -> Markup {
    html! {
        @if !statuses.is_empty() {
            h2 { "Statuses" }
            ul.checks {
                @for status in statuses {
                    @let (tone, mark) = match status.state.as_str() {
                        "success" => ("good", "✓"),
                        "pending" => ("now", "●"),
                        _ => ("bad", "✕"),
                    };
                    li {
                        (parts::mark((tone, mark, &status.state)))
                        div.check-words {
                            p {
                                b { (status.context) } " "
                                span.quiet-text {
                                    "by " (parts::who(&status.creator)) ", "
                                    (parts::time(state.now_ms, status.at_ms))
                                }
                            }
                            @if let Some(words) = &status.description { p.quiet-text { (words) } }
                        }
                    }
                }
            }
        }
    }
}

/// The App's own buttons and "run again", as far as the person may press them.
fn buttons(viewer: &Viewer, repo: &Repo, run: &Run) -> Markup {
    let base = format!("{}/runs/{}", parts::home(repo), run.id);
    let pressable = run.status == RunStatus::Completed && viewer.role(repo) >= Role::Write;
    html! {
        @if pressable {
            div.check-buttons {
                @if !run.actions.is_empty() {
                    form method="post" action={ (base) "/button" } {
                        @for action in &run.actions {
                            button type="submit" name="button" value=(action.identifier)
                                title=(action.description) {
                                (action.label)
                            }
                        }
                    }
                }
                form method="post" action={ (base) "/again" } {
                    button.quiet type="submit" aria-label={ "Run " (run.name) " again" } {
                        "Run again"
                    }
                }
            }
        }
    }
}

/// `GET /{owner}/{repo}/runs/{run}`.
pub(super) async fn page(
    ask: Ask,
    Path((owner, repo, run)): Path<(String, String, u64)>,
) -> Response {
    ask.show(move |state, viewer| {
        let full = format!("{owner}/{repo}");
        let run = state.check_run(&viewer.actor(), &full, run)?;
        let id = state.repo_id(&full).ok_or_else(ApiError::not_found)?;
        let repo = state.repo(id)?;
        let (tone, mark, word) = parts::verdict(&run);
        let body = html! {
            header.subject {
                h1 { (run.name) " " span.number { "#" (run.id) } }
                p {
                    (parts::mark((tone, mark, &word)))
                    " by " b { (parts::app_name(state, run.app)) } (lasted(&run))
                    " on " (parts::commit_link(repo, &run.head_sha))
                    @for pull in repo.pulls.values().filter(|pull| pull.head_sha == run.head_sha) {
                        " · " a href={ (parts::home(repo)) "/pull/" (pull.number) } {
                            "#" (pull.number)
                        }
                    }
                }
                (buttons(viewer, repo, &run))
                @if viewer.role(repo) < Role::Write {
                    p.quiet-text { "Buttons take write permission." }
                }
            }
            (output(repo, &run))
            (annotations(&run.output.annotations))
            @if let Some(log) = &run.log { (log_panel(log)) }
        };
        let live = run.status != RunStatus::Completed;
        Ok(Page::new(format!("{} · {word}", run.name), Some(repo), body).live(live))
    })
    .await
}

fn output(repo: &Repo, run: &Run) -> Markup {
    let home = parts::home(repo);
    let place = Place { home: &home, breaks: true };
    let title = run.output.title.as_deref().unwrap_or("Output");
    let texts = [&run.output.summary, &run.output.text];
    html! {
        section.panel aria-label="Output" {
            h2.panel-head { (title) }
            div.panel-body {
                @if texts.iter().all(|text| text.is_none()) { p.empty { "Nothing was said yet." } }
                @for text in texts.into_iter().flatten() { (markdown(text, place)) }
            }
        }
    }
}

fn annotations(all: &[Value]) -> Markup {
    let text = |one: &Value, name: &str| {
        one.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    html! {
        @if !all.is_empty() {
            section.panel aria-label="Remarks on lines" {
                h2.panel-head { "Remarks on lines" }
                ul.lines.panel-body {
                    @for one in all.iter().take(ANNOTATIONS_MAX) {
                        li {
                            span.tag { (text(one, "annotation_level")) } " "
                            code {
                                (text(one, "path")) ":"
                                (one.get("start_line").and_then(Value::as_u64).unwrap_or(1))
                            }
                            " " (text(one, "message"))
                        }
                    }
                }
            }
        }
    }
}

fn log_panel(log: &str) -> Markup {
    let hidden = log.lines().count().saturating_sub(LOG_LINES_MAX);
    html! {
        section.panel aria-label="Log" {
            h2.panel-head { "Log" }
            @if hidden > 0 { p.empty { (parts::plural(hidden, "earlier line")) " not shown" } }
            div.scroll tabindex="0" role="region" aria-label="Log" {
                pre.log {
                    @for line in log.lines().skip(hidden) {
                        @let bad = line.contains("[error]") || line.starts_with("FAIL");
                        span.bad[bad] { (line) "\n" }
                    }
                }
            }
        }
    }
}
