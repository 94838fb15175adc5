//! What people see of questions: the one that is open, and what was answered.

use super::Context;
use super::comment::folded;
use crate::markdown;
use crate::model::sanitized::{Markdown, quoted, said};

/// Longest question and answer shown, in characters.
const CHARS_MAX: usize = 4_000;
/// Longest in one line of the answers given, in characters.
const ANSWERS_CHARS_MAX: usize = 1_000;

/// The comment that asks, under the one that began the run; `None` when nothing is open.
pub fn question(context: &Context<'_>) -> Option<Markdown> {
    let asked = context.state.open_question()?;
    let text = quoted(&asked.text, CHARS_MAX, &context.links.repo_url);
    let next = "Comment `/answer` with the answer after it, and the agent goes on. `/retry` lets \
                it decide by itself; nothing is spent meanwhile.";
    Some(markdown!("The agent that works on this asks:\n\n{}\n\n{}", text, next))
}

/// The open question, as a block of the status comment.
pub(super) fn open(context: &Context<'_>) -> Markdown {
    let Some(asked) = context.state.open_question() else { return Markdown::default() };
    quoted(&asked.text, CHARS_MAX, &context.links.repo_url)
}

/// What was asked and answered before, folded.
pub(super) fn answered(context: &Context<'_>) -> Markdown {
    let all = context.state.work.answered();
    if all.is_empty() {
        return Markdown::default();
    }
    let repo = &context.links.repo_url;
    let each: Vec<Markdown> = all
        .iter()
        .map(|one| {
            let asked = quoted(&one.question, ANSWERS_CHARS_MAX, repo);
            let by = said(&one.reply.by.login);
            if one.reply.text.is_empty() {
                markdown!("{}\n\n{} let the agent decide.", asked, by)
            } else {
                let text = quoted(&one.reply.text, ANSWERS_CHARS_MAX, repo);
                markdown!("{}\n\n{} answered:\n\n{}", asked, by, text)
            }
        })
        .collect();
    folded(&"What agents asked".into(), false, &Markdown::joined(&each, "\n\n"))
}
