//! An agent asked something, a person answered, or nobody does.

use std::borrow::Cow;

use super::walk;
use crate::command::Authorized;
use crate::pipeline::budget::Unfinished;
use crate::pipeline::effect::Answer;
use crate::pipeline::park::ParkReason;
use crate::pipeline::question::{Asked, Reply};
use crate::pipeline::run::Run;
use crate::pipeline::stage::{self, Done, Step, Task};
use crate::pipeline::state::Phase;

/// What the stage is to hear: an agent that asks more often than it may has failed.
pub(super) fn heard<'a>(run: &Run<'_>, done: Cow<'a, Done>) -> Cow<'a, Done> {
    let max = run.policy.limits.questions_max;
    let Done::Asked { cost_micros, .. } = &*done else { return done };
    if run.state.work.questions() < max {
        return done;
    }
    let why = format!("it asked a question, and may ask {max} in a run");
    Cow::Owned(Done::AgentFailed { why, cost_micros: *cost_micros })
}

/// The agent that went on from an answer has ended: what was answered is remembered, and what
/// had been made by then is given back, also by one that failed.
pub(super) fn over(run: &mut Run<'_>) -> Option<Unfinished> {
    if !matches!(run.state.task(), Some(Task::Agent { .. })) {
        return None;
    }
    let salvaged = run.state.salvaged().cloned();
    let Some(asked) = run.work().asked.take() else { return salvaged };
    if let Some(answered) = asked.answered() {
        run.work().answers.push(answered);
    }
    asked.left.or(salvaged)
}

/// Parks with the question; `None` when there is none.
pub(super) fn ended(run: &mut Run<'_>, done: &Done, before: Option<Unfinished>) -> Option<Step> {
    let Done::Asked { text, did, left, talk, cost_micros } = done else { return None };
    let Some(Task::Agent { role, round }) = run.state.task().cloned() else { return None };
    run.counts().cost_micros += cost_micros;
    let (at, left) = (run.at, left.clone().or(before));
    let kept = left.as_ref().map_or_else(String::new, |left| {
        format!("; what it made so far is kept as {}", left.head.short())
    });
    let asked = Asked {
        text: text.clone(),
        role,
        round,
        at,
        did: did.clone(),
        left,
        talk: talk.clone(),
        reply: None,
    };
    run.work().asked = Some(Box::new(asked));
    let to = run.state.request.comment;
    run.answer(to, Answer::Question);
    Some(stage::park(ParkReason::Question, format!("the agent asks something{kept}")))
}

/// Whether a run that rests so still knows its question.
pub(super) fn keeps(phase: &Phase) -> bool {
    match phase {
        Phase::Parked(park) => park.why == ParkReason::Question,
        Phase::Doing(Task::Agent { .. }) => true,
        Phase::Doing(_) | Phase::Waiting(_) => false,
    }
}

/// A person answers.
pub(super) fn answer(run: &mut Run<'_>, command: &Authorized, text: &str) -> Answer {
    let Some(asked) = run.state.open_question() else {
        return Answer::Words(
            "No question is open here; the status comment says what is awaited.".to_owned(),
        );
    };
    if command.is_older_than(asked.at) {
        return Answer::Words(
            "Another question was asked since you wrote this; read it, then answer it.".to_owned(),
        );
    }
    reply(run, command, text);
    Answer::Done
}

/// Lets the agent go on with what was said; with nothing, it decides by itself. Says whether
/// there was a question.
pub(super) fn reply(run: &mut Run<'_>, command: &Authorized, text: &str) -> bool {
    if run.state.open_question().is_none() {
        return false;
    }
    let reply = Reply { by: command.by().clone(), text: text.to_owned() };
    let Some(asked) = run.work().asked.as_mut() else { return false };
    asked.reply = Some(reply);
    let task = Task::Agent { role: asked.role, round: asked.round };
    run.counts().agent_calls += 1;
    walk::go(run, Step::Do(task));
    true
}
