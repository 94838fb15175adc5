//! The dashboard's pages: the list of runs and one run, rendered on the server and complete
//! without scripts.

mod tables;
mod working;

use maud::{DOCTYPE, Markup, html};

use super::evidence::{counters, verdicts};
use super::headline::{Tone, ahead, commands, sentence, since};
use super::picture::{Mark, marks};
use super::{Context, base_name};
use crate::gate::Verdict;
use crate::model::character::{visible, without_ansi};
use crate::model::text::{cut, tail};
use crate::model::{Audit, IssueNumber, Millis, PullNumber, Repo, RunId};
use crate::pipeline::state::Complaint;

/// The style sheet of every page, to be served under [`STYLE_PATH`].
pub const CSS: &str = include_str!("page.css");
/// Where pages look for their style sheet.
pub const STYLE_PATH: &str = "/slipway.css";
/// Most rows of a list or timeline on one page; of a longer timeline the newest are shown.
pub const ROWS_MAX: usize = 500;
/// Longest text of others in one cell, in characters.
const CELL_CHARS_MAX: usize = 500;
/// Longest plan shown, in characters.
const PLAN_CHARS_MAX: usize = 50_000;
/// Longest end of a log shown, in bytes.
const LOG_BYTES_MAX: usize = 50_000;

/// One entry of a run's event log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineRow {
    pub number: u64,
    pub at: Millis,
    /// What happened; see [`super::happened`].
    pub what: String,
    /// The stage and phase after it.
    pub after: String,
    /// Why it changed nothing, when it did not; see [`super::ignored`].
    pub ignored: Option<String>,
}

/// Something an agent said that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamLine {
    pub entry: u32,
    pub agent: String,
    pub at: Millis,
    pub bytes: u64,
    pub is_cut: bool,
}

/// One run in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRow {
    pub run: RunId,
    pub repo: Repo,
    pub issue: IssueNumber,
    pub title: String,
    pub pull: Option<PullNumber>,
    /// The stage, or the outcome's word.
    pub at_stage: String,
    pub live: bool,
    pub opened: Millis,
    pub moved: Millis,
}

/// The list of runs, in the order given. `refresh_seconds` lets the browser load it again.
pub fn list_page(rows: &[ListRow], refresh_seconds: Option<u32>) -> String {
    let body = html! {
        h1 { "Runs" }
        @if rows.is_empty() {
            p { "There is no run yet. A comment " code { "/go" } " on an issue starts one." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Runs" {
                table {
                    thead {
                        tr {
                            th scope="col" { "Run" }
                            th scope="col" { "Repository" }
                            th scope="col" { "Issue" }
                            th scope="col" { "Pull request" }
                            th scope="col" { "State" }
                            th scope="col" { "Opened" }
                            th scope="col" { "Last moved" }
                        }
                    }
                    tbody { @for row in rows.iter().take(ROWS_MAX) { (list_row(row)) } }
                }
            }
        }
    };
    page(&html! { "Runs" }, refresh_seconds, &body)
}

fn list_row(row: &ListRow) -> Markup {
    let state = if row.live { "live" } else { "over" };
    html! {
        tr {
            th scope="row" { a href={ "/runs/" (row.run) } { (row.run) } }
            td { (row.repo) }
            td { "#" (row.issue) " " (cell(&row.title)) }
            td { @if let Some(pull) = row.pull { "#" (pull) } @else { "–" } }
            td { span.badge.(state) { (cell(&row.at_stage)) } }
            td { (time(row.opened)) }
            td { (time(row.moved)) }
        }
    }
}

/// One run: where it is, its stages, its evidence and everything that happened.
pub fn run_page(
    context: &Context<'_>,
    (rows, audits, streams): (&[TimelineRow], &[Audit], &[StreamLine]),
    refresh_seconds: Option<u32>,
) -> String {
    let request = &context.state.request;
    let tone = Tone::of(context.state).word();
    let body = html! {
        p.crumbs { a href="/" { "Runs" } " / " (request.run) }
        h1 { (cell(&request.title)) }
        section.now.(tone) aria-labelledby="now" {
            h2 #now { (coded(&visible(&sentence(context.state)))) }
            p {
                @if context.state.finished().is_some() { "At " } @else { "Since " }
                (time(since(context.state))) ". " (coded(&visible(&ahead(context))))
            }
            p { (coded(&visible(&commands(context)))) }
        }
        (working::section(context))
        (stages(context))
        (facts(context))
        (gates(context))
        (texts(context))
        (tables::timeline(rows))
        (working::streams(&request.run, streams))
        (tables::audit(audits))
    };
    let live = context.state.finished().is_none();
    page(&cell(&request.title), refresh_seconds.filter(|_| live), &body)
}

/// Our own sentences, with what stands between backticks as code.
fn coded(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

fn stages(context: &Context<'_>) -> Markup {
    html! {
        h2 { "Stages" }
        ol.stages {
            @for (stage, mark) in marks(context.state, context.policy) {
                @let current = match mark {
                    Mark::Active | Mark::Waiting | Mark::Parked => Some("step"),
                    Mark::Done | Mark::Skipped | Mark::Open => None,
                };
                li class=(mark.word()) aria-current=[current] {
                    (stage.word()) " " span.mark { (mark.word()) }
                }
            }
        }
    }
}

fn facts(context: &Context<'_>) -> Markup {
    let state = context.state;
    let request = &state.request;
    let repo = &context.links.repo_url;
    html! {
        dl {
            dt { "Repository" }
            dd { a href=(repo) { (request.repo) } }
            dt { "Issue" }
            dd { a href={ (repo) "/issues/" (request.issue) } { "#" (request.issue) } }
            @if let Some(pull) = state.work.pull {
                dt { "Pull request" }
                dd { a href={ (repo) "/pull/" (pull) } { "#" (pull) } }
            }
            dt { "Into" }
            dd { code { (base_name(state)) } }
            @if let Some(head) = &state.work.head {
                dt { "Newest commit" }
                dd { code { (head) } }
            }
            dt { "Asked for by" }
            dd { (cell(&request.by.login)) ", " (time(request.at)) }
            @if let Some(by) = &state.held_by {
                dt { "On hold by" }
                dd { (cell(&by.login)) }
            }
            @if let Some(frozen) = &request.frozen {
                dt { "Read" }
                dd {
                    (frozen.remarks.len()) " comments, " (frozen.left_out) " left out, digest "
                    code { (frozen.short()) }
                }
                @if let Some(commit) = &frozen.policy_at {
                    dt { "Policy of" }
                    dd { code { (commit) } }
                }
            }
            @for taint in &state.tainted {
                dt { "Tainted" }
                dd { (taint.why()) }
            }
            dt { "Spent" }
            dd { (counters(context).as_str()) }
        }
    }
}

fn gates(context: &Context<'_>) -> Markup {
    let verdicts = verdicts(context);
    html! {
        @if !verdicts.is_empty() {
            h2 { "Gates" }
            div.scroll tabindex="0" role="region" aria-label="Gates" {
                table {
                    thead { tr { th scope="col" { "Gate" } th scope="col" { "Verdict" } } }
                    tbody {
                        @for (gate, verdict) in &verdicts {
                            @let (class, word) = match verdict {
                                Verdict::Pass(_) => ("done", "passed"),
                                Verdict::Pending(_) => ("waiting", "open"),
                                Verdict::Fail(_) => ("parked", "failed"),
                            };
                            tr {
                                th scope="row" { (gate.word()) }
                                td { span.badge.(class) { (word) } " " (cell(verdict.text())) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn texts(context: &Context<'_>) -> Markup {
    let work = &context.state.work;
    let log = match &work.complaint {
        Some(Complaint::Verification { log }) => Some(tail(log, LOG_BYTES_MAX)),
        Some(Complaint::Checks { .. } | Complaint::Review { .. } | Complaint::Critique { .. })
        | None => None,
    };
    html! {
        @if let Some(asked) = context.state.open_question() {
            details open {
                summary { "What the agent asks" }
                pre { (lines(&cut(&asked.text, PLAN_CHARS_MAX))) }
            }
        }
        @if let Some((title, patch)) = super::trust::held_lines(context.state) {
            details open { summary { (cell(&title)) } pre { (lines(&patch)) } }
        }
        @if let Some(plan) = &work.plan {
            details { summary { "The plan" } pre { (lines(&cut(plan, PLAN_CHARS_MAX))) } }
        }
        @if let Some(preview) = &work.preview {
            details {
                summary { "How the builder would be started" }
                pre { (lines(&preview.start())) }
            }
            details {
                summary { "What the builder would be told" }
                pre { (lines(&preview.prompt)) }
            }
        }
        @if let Some(summary) = &work.summary {
            details {
                summary { "The agent's summary" }
                pre { (lines(&cut(summary, PLAN_CHARS_MAX))) }
            }
        }
        @for one in &work.answered() {
            details {
                summary { "What " (cell(&one.reply.by.login)) " was asked" }
                pre { (lines(&cut(&one.question, PLAN_CHARS_MAX))) }
                pre { (lines(&cut(one.said(), PLAN_CHARS_MAX))) }
            }
        }
        @if let Some((title, found)) = super::critique::lines(context.state) {
            details { summary { (cell(&title)) } pre { (lines(&found)) } }
        }
        @if let Some(log) = log {
            details { summary { "The end of the last failed verification" } pre { (lines(log)) } }
        }
    }
}

fn page(title: &Markup, refresh_seconds: Option<u32>, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                @if let Some(seconds) = refresh_seconds {
                    meta http-equiv="refresh" content=(seconds);
                }
                title { (title) " · Slipway" }
                link rel="stylesheet" href=(STYLE_PATH);
            }
            body {
                header { a.brand href="/" { "Slipway" } }
                main { (body) }
            }
        }
    }
    .into_string()
}

fn time(at: Millis) -> Markup {
    html! { time datetime=(at.rfc3339()) { (at.readable()) } }
}

/// A text of others for one cell: one line, visible, cut.
fn cell(text: &str) -> Markup {
    text_node(&cut(&visible(&without_ansi(text)), CELL_CHARS_MAX))
}

/// A text of others with its line breaks.
fn lines(text: &str) -> Markup {
    text_node(&without_ansi(text).lines().map(visible).collect::<Vec<_>>().join("\n"))
}

/// Text and never anything else: no page renders Markdown, or HTML that was not written here.
fn text_node(text: &str) -> Markup {
    #[cfg(test)]
    if tests::RAW.get() {
        return maud::PreEscaped(text.to_owned());
    }
    html! { (text) }
}

#[cfg(test)]
mod tests;
