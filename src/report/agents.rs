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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::page::run_page;
    use super::super::{Links, issue_comment, sample};
    use super::*;
    use crate::pipeline::{Chosen, Preview, State};
    use crate::policy::Policy;

    fn comment(state: &State) -> String {
        let (policy, links) = (Policy::default(), Links::default());
        let said = issue_comment(&Context::new(state, &policy, &links));
        // Names that other bots listen to are broken up by what nobody sees.
        said.as_str().chars().filter(|c| !crate::model::character::is_hidden(*c)).collect()
    }

    #[test]
    fn the_comment_says_who_works_and_who_chose_it() {
        let mut state = sample::building();
        let request = Arc::make_mut(&mut state.request);
        request.agent = Some("codex:gpt-5.5".to_owned());
        let stages = [(Role::Planner, "claude".to_owned()), (Role::Fixer, "qwen".to_owned())];
        request.chosen = Some(Chosen { by: By::Rules, stages: stages.into() });
        let said = comment(&state);
        assert!(said.contains("agent codex:gpt-5.5, plan claude, fix qwen ·"), "{said}");
        let label = By::Label("@agent <b>".to_owned());
        let chosen = Chosen { by: label, stages: std::collections::BTreeMap::new() };
        Arc::make_mut(&mut state.request).chosen = Some(chosen);
        let said = comment(&state);
        assert!(said.contains("codex:gpt-5.5 by the label"), "{said}");
        assert!(said.contains("&lt;b&gt;") && !said.contains("<b>"), "{said}");
    }

    #[test]
    fn what_would_be_told_is_folded_cut_in_the_comment_and_whole_on_the_page() {
        let mut state = sample::building();
        assert!(!comment(&state).contains("builder would be"));
        let prompt = format!("Role: builder\n```\n{}the end", "line\n".repeat(10_000));
        let (agent, argv) = ("codex".to_owned(), vec!["codex".to_owned(), "exec".to_owned()]);
        state.work.preview = Some(Arc::new(Preview { agent, argv, prompt, ..Preview::default() }));
        let said = comment(&state);
        assert!(said.contains("<details><summary>How the builder would be started</summary>"));
        assert!(said.contains("  codex\n  exec\n"), "{said}");
        assert!(said.contains("Cut here; ") && !said.contains("the end"), "{said}");
        let (policy, links) = (Policy::default(), Links::default());
        let context = Context::new(&state, &policy, &links);
        let page = run_page(&context, (&[], &[], &[]), None);
        assert!(page.contains("What the builder would be told") && page.contains("the end"));
    }
}
