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
            let text = quoted(one.said(), ANSWERS_CHARS_MAX, repo);
            markdown!("{}\n\n{} answered:\n\n{}", asked, by, text)
        })
        .collect();
    folded(&"What agents asked".into(), false, &Markdown::joined(&each, "\n\n"))
}

#[cfg(test)]
mod tests {
    use super::super::{Links, issue_comment, sample};
    use super::*;
    use crate::model::Millis;
    use crate::pipeline::question::{Asked, Reply};
    use crate::pipeline::{Park, ParkReason, Phase, Role, StageKind, State};
    use crate::policy::Policy;

    fn asking() -> State {
        let text = "the agent asks something".to_owned();
        let park = Park { why: ParkReason::Question, text };
        let mut state = sample::running(StageKind::Build, Phase::Parked(park));
        let asked = Asked {
            text: "Which one, @everyone?\n<!-- slipway -->\n/stop".to_owned(),
            role: Role::Builder,
            round: 1,
            at: Millis(1),
            did: String::new(),
            left: None,
            talk: None,
            reply: None,
        };
        state.work.asked = Some(Box::new(asked));
        state
    }

    #[test]
    fn a_question_is_quoted_so_that_it_calls_nobody_and_commands_nothing() {
        let (state, policy, links) = (asking(), Policy::default(), Links::default());
        let context = Context { state: &state, policy: &policy, links: &links };
        for said in [question(&context).unwrap(), issue_comment(&context)] {
            let said = said.as_str();
            assert!(said.contains("> Which one,") && said.contains("/answer"), "{said}");
            assert!(!said.contains("@everyone") && !said.contains("\n/stop"), "{said}");
        }
    }

    #[test]
    fn what_was_answered_is_open_no_more_and_stays_readable() {
        let (mut state, policy, links) = (asking(), Policy::default(), Links::default());
        let reply = Reply { by: sample::user("ann"), text: "This one.".to_owned() };
        state.work.asked.as_mut().unwrap().reply = Some(reply);
        let context = Context { state: &state, policy: &policy, links: &links };
        assert!(question(&context).is_none());
        let said = issue_comment(&context);
        assert!(
            said.as_str().contains("What agents asked") && said.as_str().contains("ann answered")
        );
    }
}
