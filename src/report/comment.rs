//! The two sticky comments, one on the issue and one on the pull request.

use super::evidence::{beside, counters, delicate, refused_hosts, table, violations};
use super::headline::{Tone, ahead, commands, sentence, since};
use super::picture::mermaid;
use super::words::{quoted, said};
use super::{Context, Surface, base_name, commit_link, marker};
use crate::model::text::{COMMENT_CHARS_MAX, fenced, tail};
use crate::pipeline::state::Complaint;

/// Longest plan shown, in characters.
const PLAN_CHARS_MAX: usize = 16_000;
/// Longest end of a log shown, in bytes.
const LOG_BYTES_MAX: usize = 8_000;
/// Most names listed.
const NAMES_MAX: usize = 50;
/// Characters kept free for the last line.
const LAST_CHARS_MAX: usize = 1_000;

/// The comment on the issue. Once there is a pull request it only points there, until a person
/// is needed or the run ends: one place that moves is enough, and every edit is a write.
pub fn issue_comment(context: &Context<'_>) -> String {
    let mut blocks = Blocks::open(marker(&context.state.request.run, Surface::Issue));
    if context.state.request.stories {
        head(context, &mut blocks);
        blocks.push(&super::stories::table(&context.state.work.stories));
        return blocks.close(context);
    }
    let held = super::trust::held(context);
    let moving = match Tone::of(context.state) {
        Tone::Working | Tone::Waiting => held.is_none(),
        Tone::Parked | Tone::Merged | Tone::Ended | Tone::Failed => false,
    };
    if let (Some(pull), true) = (context.state.work.pull, moving) {
        blocks.push(&format!("**The change is in pull request #{pull}.**"));
        blocks.push(
            "Slipway sees it through conflicts, CI, review and merge; the comment there says \
             what is being done and what is awaited.",
        );
        blocks.push("`/stop` ends the run, here or there.");
    } else {
        head(context, &mut blocks);
        blocks.push(&mermaid(context.state, context.policy));
        blocks.push(&asked(context, true));
        rejected(context, &mut blocks);
        blocks.push(&super::trust::read(context));
        blocks.push(&held.unwrap_or_default());
        blocks.push(&refused_hosts(context).unwrap_or_default());
    }
    plan(context, &mut blocks);
    blocks.close(context)
}

/// The comment on the pull request.
pub fn pull_comment(context: &Context<'_>) -> String {
    let mut blocks = Blocks::open(marker(&context.state.request.run, Surface::Pull));
    head(context, &mut blocks);
    blocks.push(&mermaid(context.state, context.policy));
    if let Some(table) = table(context) {
        blocks.push(&table);
    }
    for line in beside(context) {
        blocks.push(&line);
    }
    blocks.push(&delicate(context).unwrap_or_default());
    blocks.push(&asked(context, false));
    blocks.push(&super::trust::read(context));
    blocks.push(&super::trust::held(context).unwrap_or_default());
    blocks.push(&refused_hosts(context).unwrap_or_default());
    details(context, &mut blocks);
    blocks.close(context)
}

/// The headline, what lies ahead, and what changes it.
fn head(context: &Context<'_>, blocks: &mut Blocks) {
    let state = context.state;
    blocks.push(&format!("**{}.**", said(&sentence(state))));
    let when = if state.finished().is_some() { "At" } else { "Since" };
    let ahead = said(&ahead(context));
    let line = format!("{when} {}. {ahead}", since(state).readable());
    blocks.push(line.trim_end());
    blocks.push(&commands(context));
    blocks.push(&super::budget::warning(context).unwrap_or_default());
    if let (Some(by), None) = (&state.held_by, state.finished()) {
        let by = said(&by.login);
        blocks.push(&format!("On hold: {by} said `/hold`, and nothing is merged until `/unhold`."));
    }
    if let (Some(by), None) = (&state.stop_by, state.finished()) {
        let by = said(&by.login);
        blocks.push(&format!(
            "{by} said `/stop` when the merge was already asked for: GitHub's answer ends the run."
        ));
    }
}

/// Who asked for what, where it is, and what it cost.
fn asked(context: &Context<'_>, on_issue: bool) -> String {
    let state = context.state;
    let request = &state.request;
    let mut parts = vec![format!("Asked for by {}", said(&request.by.login))];
    match (on_issue, state.work.pull) {
        (true, Some(pull)) => parts.push(format!("pull request #{pull}")),
        (false, _) if request.pull.is_none() => parts.push(format!("issue #{}", request.issue)),
        (true, None) | (false, _) => {}
    }
    if request.dry_run {
        parts.push("dry run: nothing is changed".to_owned());
    }
    if state.work.base.is_some() || request.base.is_some() {
        parts.push(format!("into `{}`", base_name(state)));
    }
    if let Some(agent) = request.agent.as_ref().or(context.policy.agent.as_ref()) {
        parts.push(format!("agent {}", said(agent)));
    }
    if let Some(head) = &state.work.head {
        parts.push(format!("newest commit {}", commit_or_short(context, head)));
    }
    parts.push(counters(context));
    parts.join(" · ")
}

/// A commit that was not pushed yet has no page on GitHub.
fn commit_or_short(context: &Context<'_>, head: &crate::model::CommitSha) -> String {
    if context.state.work.published.as_ref() == Some(head) {
        commit_link(context, head)
    } else {
        format!("`{}`", head.short())
    }
}

fn plan(context: &Context<'_>, blocks: &mut Blocks) {
    if let Some(plan) = &context.state.work.plan {
        let open = context.state.request.dry_run;
        let (plan, rest) = context.shortened(plan.trim(), PLAN_CHARS_MAX);
        fold(blocks, "The plan", open, &format!("{}{rest}", fenced(&plan)));
    }
}

fn details(context: &Context<'_>, blocks: &mut Blocks) {
    let state = context.state;
    if let (Some(complaint), None) = (&state.work.complaint, state.finished()) {
        complained(blocks, complaint);
    }
    rejected(context, blocks);
    if !state.counts.flaky.is_empty() {
        let names: Vec<String> = state
            .counts
            .flaky
            .iter()
            .take(NAMES_MAX)
            .map(|name| format!("- {}", said(name)))
            .collect();
        fold(blocks, "Checks that failed once and passed when run again", false, &names.join("\n"));
    }
}

/// Why the push gate refused the last attempt, one by one where that is known.
fn rejected(context: &Context<'_>, blocks: &mut Blocks) {
    let state = context.state;
    if let (Some(why), None) = (&state.work.rejection, state.finished()) {
        let found = violations(&state.work.violations);
        let whole = if found.is_empty() { quoted(why, 2_000) } else { found };
        fold(blocks, "Why the last attempt was refused", false, &whole);
    }
}

fn complained(blocks: &mut Blocks, complaint: &Complaint) {
    match complaint {
        Complaint::Verification { log } => {
            let log = fenced(tail(log, LOG_BYTES_MAX));
            fold(blocks, "The end of the last failed verification", false, &log);
        }
        Complaint::Checks { failed } => {
            let names: Vec<String> = failed
                .iter()
                .take(NAMES_MAX)
                .map(|check| format!("- {}", said(&check.name)))
                .collect();
            fold(blocks, "Checks that failed last", false, &names.join("\n"));
        }
        Complaint::Review { by, text } => {
            let title = format!("What {} asked for", said(by));
            fold(blocks, &title, false, &quoted(text, 4_000));
        }
    }
}

fn fold(blocks: &mut Blocks, title: &str, open: bool, body: &str) {
    let open = if open { " open" } else { "" };
    blocks.push(&format!("<details{open}><summary>{title}</summary>\n\n{body}\n\n</details>"));
}

/// A text of whole blocks: one that does not fit is left out, never cut open.
#[derive(Debug)]
pub(super) struct Blocks {
    text: String,
    chars: usize,
    left_out: bool,
}

impl Blocks {
    pub(super) fn open(first: String) -> Self {
        Self { chars: first.chars().count(), text: first, left_out: false }
    }

    pub(super) fn push(&mut self, block: &str) {
        if block.is_empty() {
            return;
        }
        let chars = block.chars().count() + 2;
        if self.chars + chars + LAST_CHARS_MAX > COMMENT_CHARS_MAX {
            self.left_out = true;
            return;
        }
        self.text.push_str("\n\n");
        self.text.push_str(block);
        self.chars += chars;
    }

    /// The text with its last line: the run, the whole of it, and what was left out.
    pub(super) fn close(mut self, context: &Context<'_>) -> String {
        let run = &context.state.request.run;
        let page = context.run_page();
        let name =
            page.map_or_else(|| format!("run `{run}`"), |page| format!("[run `{run}`]({page})"));
        let left = if self.left_out {
            format!(" Some of it did not fit here; {}.", context.whole())
        } else {
            String::new()
        };
        let last = format!("<sub>Slipway, {name}. `/help` lists the commands.{left}</sub>\n");
        self.text.push_str("\n\n");
        self.text.push_str(&last);
        self.text
    }
}
