//! A cap is full, a person raised it, or it is renewed.

use std::borrow::Cow;

use super::walk;
use crate::command::Authorized;
use crate::model::Dollars;
use crate::model::budget::{Full, RAISE_MICROS_MAX, RAISE_MS, Raise};
use crate::pipeline::budget::{Short, Unfinished, is_for_money};
use crate::pipeline::effect::Answer;
use crate::pipeline::park::{Park, ParkReason};
use crate::pipeline::run::Run;
use crate::pipeline::stage::{Done, Step, Task};
use crate::pipeline::state::{Phase, Progress};

/// What the stage is to hear. An agent that goes on from unfinished work and finds nothing more
/// to do has made what was there.
pub(super) fn heard<'a>(run: &Run<'_>, done: &'a Done) -> Cow<'a, Done> {
    let agent = matches!(run.state.task(), Some(Task::Agent { .. }));
    match (done, run.state.left()) {
        (Done::Unchanged { cost_micros, .. }, Some(left)) if agent => Cow::Owned(Done::Changed {
            head: left.head.clone(),
            tree: left.tree.clone(),
            summary: left.summary.clone(),
            cost_micros: *cost_micros,
        }),
        (other, _) => Cow::Borrowed(other),
    }
}

/// What follows when the end of a task is about money; `None` when it is not. What a question
/// had left is kept on.
pub(super) fn ended(run: &mut Run<'_>, done: &Done, asked: Option<&Unfinished>) -> Option<Step> {
    let task = run.state.task().cloned();
    let short = run.state.budget.short.take();
    match (task, done, short) {
        (
            Some(Task::Agent { role, round }),
            Done::BudgetUsed { full, left, cost_micros },
            short,
        ) => {
            run.counts().cost_micros += cost_micros;
            let before = short.and_then(|short| short.left).or_else(|| asked.cloned());
            let left = left.clone().or(before);
            Some(stops(run, Short { role, round, full: *full, left }))
        }
        (Some(Task::Afford), Done::BudgetUsed { full, .. }, Some(short)) => {
            Some(stops(run, Short { full: *full, ..*short }))
        }
        (Some(Task::Afford), Done::Affordable, Some(short)) => {
            let task = Task::Agent { role: short.role, round: short.round };
            run.counts().agent_calls += 1;
            run.state.budget.resumes += 1;
            run.state.budget.short = Some(short);
            Some(Step::Do(task))
        }
        (_, _, _) => None,
    }
}

/// Parks, with what must be known to go on.
fn stops(run: &mut Run<'_>, short: Short) -> Step {
    let why = if short.full.scope.is_raisable() {
        ParkReason::BudgetSpent
    } else {
        ParkReason::CapReached
    };
    let kept = short.left.as_ref().map_or_else(String::new, |left| {
        format!("; what was made so far is kept as {} and gone on from", left.head.short())
    });
    let text = format!("{}{kept}", short.full.words());
    run.state.budget.short = Some(Box::new(short));
    Step::Park(Park { why, text })
}

/// Whether a run that rests so may still go on with the agent that had to stop.
pub(super) fn keeps(phase: &Phase) -> bool {
    match phase {
        Phase::Parked(park) => is_for_money(park.why),
        Phase::Doing(Task::Afford | Task::Agent { .. }) => true,
        Phase::Doing(_) | Phase::Waiting(_) => false,
    }
}

/// Whether the run is parked for want of money, and knows which agent stopped.
pub(super) fn is_short(run: &Run<'_>) -> bool {
    let parked = run.state.park().is_some_and(|park| is_for_money(park.why));
    parked && run.state.budget.short.is_some()
}

/// Asks whether there is room now; the agent goes on if there is.
pub(super) fn ask(run: &mut Run<'_>) {
    walk::go(run, Step::Do(Task::Afford));
}

/// A person lets the run spend more.
pub(super) fn raise(run: &mut Run<'_>, command: &Authorized, more: Dollars) -> Answer {
    let (at, comment) = (run.at, command.comment());
    if let Some(full) = shared(run) {
        return Answer::Words(format!(
            "What is used up is not this run's own: {}. `/budget` does not raise that. {}",
            full.words(),
            ParkReason::CapReached.next()
        ));
    }
    let budget = &mut run.state.budget;
    if comment.is_some() && budget.raises.iter().any(|raise| raise.comment == comment) {
        return Answer::Done;
    }
    let live = budget.raised(at);
    if live.saturating_add(more.0) > RAISE_MICROS_MAX {
        return Answer::Words(format!(
            "This run is raised by {} already, and {} is the most at a time. Nothing was raised.",
            Dollars(live),
            Dollars(RAISE_MICROS_MAX)
        ));
    }
    budget.raises.retain(|raise| raise.until > at);
    let (by, until) = (command.by().clone(), at.plus(RAISE_MS));
    budget.raises.push(Raise { by, micros: more.0, until, comment });
    budget.resumes = 0;
    if is_short(run) {
        ask(run);
    }
    Answer::Done
}

/// The cap that stopped the run, when `/budget` does not raise it.
fn shared(run: &Run<'_>) -> Option<Full> {
    let parked = match &run.state.progress {
        Progress::Running { phase: Phase::Parked(park), .. } => park.why == ParkReason::CapReached,
        Progress::Running { .. } | Progress::Idle | Progress::Finished { .. } => false,
    };
    run.state.budget.short.as_deref().filter(|_| parked).map(|short| short.full)
}

#[cfg(test)]
mod tests;
