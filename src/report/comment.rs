//! The two sticky comments, one on the issue and one on the pull request.

use super::evidence::{beside, counters, delicate, refused_hosts, table, violations};
use super::headline::{Tone, ahead, commands, sentence, since};
use super::picture::mermaid;
use super::{Context, Surface, base_name, commit_link, marker};
use crate::markdown;
use crate::model::sanitized::{Markdown, code, fenced, link, prose, quoted, said};
use crate::model::text::{COMMENT_CHARS_MAX, tail};
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
pub fn issue_comment(context: &Context<'_>) -> Markdown {
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
        blocks.push(&markdown!("**The change is in pull request #{}.**", pull));
        let there = "Slipway sees it through conflicts, CI, review and merge; the comment there \
                     says what is being done and what is awaited.";
        blocks.push(&there.into());
        blocks.push(&"`/stop` ends the run, here or there.".into());
    } else {
        head(context, &mut blocks);
        blocks.push(&mermaid(context.state, context.policy));
        blocks.push(&asked(context, true));
        blocks.push(&super::critique::shown(context).unwrap_or_default());
        rejected(context, &mut blocks);
        blocks.push(&super::trust::read(context));
        blocks.push(&held.unwrap_or_default());
        blocks.push(&refused_hosts(context).unwrap_or_default());
    }
    plan(context, &mut blocks);
    blocks.push(&super::question::answered(context));
    super::agents::preview(context, &mut blocks);
    blocks.close(context)
}

/// The comment on the pull request.
pub fn pull_comment(context: &Context<'_>) -> Markdown {
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
    blocks.push(&super::critique::shown(context).unwrap_or_default());
    blocks.push(&asked(context, false));
    blocks.push(&super::trust::read(context));
    blocks.push(&super::trust::held(context).unwrap_or_default());
    blocks.push(&refused_hosts(context).unwrap_or_default());
    details(context, &mut blocks);
    blocks.push(&super::question::answered(context));
    blocks.close(context)
}

/// The headline, what lies ahead, and what changes it.
fn head(context: &Context<'_>, blocks: &mut Blocks) {
    let state = context.state;
    blocks.push(&markdown!("**{}.**", said(&sentence(state))));
    blocks.push(&when(context));
    blocks.push(&super::question::open(context));
    blocks.push(&super::live::working(context));
    blocks.push(&prose(&commands(context)));
    blocks.push(&super::budget::warning(context));
    if let (Some(by), None) = (&state.held_by, state.finished()) {
        let by = said(&by.login);
        let text = "said `/hold`, and nothing is merged until `/unhold`.";
        blocks.push(&markdown!("On hold: {} {}", by, text));
    }
    if let (Some(by), None) = (&state.stop_by, state.finished()) {
        let by = said(&by.login);
        let text =
            "said `/stop` when the merge was already asked for: GitHub's answer ends the run.";
        blocks.push(&markdown!("{} {}", by, text));
    }
    if let Some(taken_out) = &state.request.taken_out {
        let taken_out = said(taken_out);
        blocks.push(&markdown!("What was asked held what nobody sees: {}.", taken_out));
    }
}

/// Since when it is so, and what lies ahead.
pub(super) fn when(context: &Context<'_>) -> Markdown {
    let when = if context.state.finished().is_some() { "At" } else { "Since" };
    let since = said(&since(context.state).readable());
    markdown!("{} {}. {}", when, since, said(&ahead(context))).trimmed()
}

/// Who asked for what, where it is, and what it cost.
fn asked(context: &Context<'_>, on_issue: bool) -> Markdown {
    let state = context.state;
    let request = &state.request;
    let mut parts = vec![markdown!("Asked for by {}", said(&request.by.login))];
    match (on_issue, state.work.pull) {
        (true, Some(pull)) => parts.push(markdown!("pull request #{}", pull)),
        (false, _) if request.pull.is_none() => parts.push(markdown!("issue #{}", request.issue)),
        (true, None) | (false, _) => {}
    }
    if request.dry_run {
        parts.push("dry run: nothing is changed".into());
    }
    if state.work.base.is_some() || request.base.is_some() {
        parts.push(markdown!("into {}", code(base_name(state))));
    }
    parts.extend(super::agents::chosen(context));
    if let Some(head) = &state.work.head {
        parts.push(markdown!("newest commit {}", commit_or_short(context, head)));
    }
    parts.push(counters(context));
    let line = Markdown::joined(&parts, " · ");
    match &state.work.stood_in {
        Some(told) => markdown!("{}\n\n{}", line, prose(told)),
        None => line,
    }
}

/// A commit that was not pushed yet has no page on GitHub.
fn commit_or_short(context: &Context<'_>, head: &crate::model::CommitSha) -> Markdown {
    if context.state.work.published.as_ref() == Some(head) {
        commit_link(context, head)
    } else {
        code(head.short())
    }
}

fn plan(context: &Context<'_>, blocks: &mut Blocks) {
    if let Some(plan) = &context.state.work.plan {
        let open = context.state.request.dry_run;
        let (plan, rest) = context.shortened(plan.trim(), PLAN_CHARS_MAX);
        fold(blocks, &"The plan".into(), open, &markdown!("{}{}", fenced(&plan), rest));
    }
}

fn details(context: &Context<'_>, blocks: &mut Blocks) {
    let state = context.state;
    if let (Some(complaint), None) = (&state.work.complaint, state.finished()) {
        complained(context, blocks, complaint);
    }
    rejected(context, blocks);
    if !state.counts.flaky.is_empty() {
        let title = "Checks that failed once and passed when run again".into();
        let names: Vec<&str> = state.counts.flaky.iter().map(String::as_str).collect();
        fold(blocks, &title, false, &list(&names));
    }
}

/// Why the push gate refused the last attempt, one by one where that is known.
fn rejected(context: &Context<'_>, blocks: &mut Blocks) {
    let state = context.state;
    if let (Some(why), None) = (&state.work.rejection, state.finished()) {
        let found = violations(&state.work.violations);
        let whole =
            if found.is_empty() { quoted(why, 2_000, &context.links.repo_url) } else { found };
        fold(blocks, &"Why the last attempt was refused".into(), false, &whole);
    }
}

fn complained(context: &Context<'_>, blocks: &mut Blocks, complaint: &Complaint) {
    match complaint {
        Complaint::Verification { log } => {
            let log = fenced(tail(log, LOG_BYTES_MAX));
            fold(blocks, &"The end of the last failed verification".into(), false, &log);
        }
        Complaint::Checks { failed } => {
            let names: Vec<&str> = failed.iter().map(|check| check.name.as_str()).collect();
            fold(blocks, &"Checks that failed last".into(), false, &list(&names));
        }
        Complaint::Review { by, text } => {
            let title = markdown!("What {} asked for", said(by));
            fold(blocks, &title, false, &quoted(text, 4_000, &context.links.repo_url));
        }
        // Whatever a critic found stands above, with its commit.
        Complaint::Critique { .. } => {}
    }
}

/// Names as a list, as many as one reads.
fn list(names: &[&str]) -> Markdown {
    let names = names.iter().take(NAMES_MAX);
    let names: Vec<Markdown> = names.map(|name| markdown!("- {}", said(name))).collect();
    Markdown::joined(&names, "\n")
}

pub(super) fn folded(title: &Markdown, open: bool, body: &Markdown) -> Markdown {
    let (open, title, body) = (if open { " open" } else { "" }, title.clone(), body.clone());
    markdown!("<details{}><summary>{}</summary>\n\n{}\n\n</details>", open, title, body)
}

fn fold(blocks: &mut Blocks, title: &Markdown, open: bool, body: &Markdown) {
    blocks.push(&folded(title, open, body));
}

/// A text of whole blocks: one that does not fit is left out, never cut open.
#[derive(Debug)]
pub(super) struct Blocks {
    text: Markdown,
    chars: usize,
    left_out: bool,
}

impl Blocks {
    pub(super) fn open(first: Markdown) -> Self {
        Self { chars: first.chars(), text: first, left_out: false }
    }

    pub(super) fn push(&mut self, block: &Markdown) {
        if block.is_empty() {
            return;
        }
        let chars = block.chars() + 2;
        if self.chars + chars + LAST_CHARS_MAX > COMMENT_CHARS_MAX {
            self.left_out = true;
            return;
        }
        self.text.push(&"\n\n".into());
        self.text.push(block);
        self.chars += chars;
    }

    /// The text with its last line: the run, the whole of it, and what was left out.
    pub(super) fn close(mut self, context: &Context<'_>) -> Markdown {
        let name = markdown!("run `{}`", context.state.request.run);
        let page = context.links.run_page.as_ref();
        let name = page.map_or_else(|| name.clone(), |page| link(&name, page));
        let left = if self.left_out {
            markdown!(" Some of it did not fit here; {}.", context.whole())
        } else {
            Markdown::default()
        };
        let last = "`/help` lists the commands.";
        self.text.push(&markdown!("\n\n<sub>Slipway, {}. {}{}</sub>\n", name, last, left));
        self.text
    }
}
