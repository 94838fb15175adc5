//! Who does the work and who chose it, and how a dry run says an agent would be asked.

use super::Context;
use super::comment::{Blocks, folded};
use crate::markdown;
use crate::model::sanitized::{Markdown, fenced, said};
use crate::pipeline::chosen::By;
use crate::pipeline::stage::Role;

/// Longest start of an agent shown, in characters.
const START_CHARS_MAX: usize = 8_000;
/// Longest prompt shown, in characters.
const PROMPT_CHARS_MAX: usize = 16_000;

/// The agent of the run, by whose choice, and those of single stages.
pub(super) fn chosen(context: &Context<'_>) -> Option<Markdown> {
    let request = &context.state.request;
    let agent = request.agent.as_ref().or(context.policy.agent.as_ref())?;
    let mut told = markdown!("agent {}", said(agent));
    let Some(chosen) = &request.chosen else { return Some(told) };
    match &chosen.by {
        By::Command | By::Rules => {}
        By::Label(label) => told.push(&markdown!(" by the label {}", said(label))),
    }
    for (role, agent) in &chosen.stages {
        told.push(&markdown!(", {} {}", stage(*role), said(agent)));
    }
    Some(told)
}

fn stage(role: Role) -> &'static str {
    match role {
        Role::Planner => "plan",
        Role::Builder => "build",
        Role::Fixer => "fix",
        Role::Resolver => "resolve",
        Role::Critic => "critique",
    }
}

/// How the change would be asked for: the start, and the prompt.
pub(super) fn preview(context: &Context<'_>, blocks: &mut Blocks) {
    let Some(preview) = &context.state.work.preview else { return };
    let mut part = |title: &'static str, text: &str, chars_max| {
        let (text, rest) = context.shortened(text.trim_end(), chars_max);
        if !text.is_empty() {
            let body = markdown!("{}{}", fenced(&text), rest);
            blocks.push(&folded(&title.into(), false, &body));
        }
    };
    part("How the builder would be started", &preview.start(), START_CHARS_MAX);
    part("What the builder would be told", &preview.prompt, PROMPT_CHARS_MAX);
}
