//! Critique: have another agent review what was made, and have what it finds repaired.
//!
//! Only what is not pushed yet is reviewed: what a person pushed is theirs. A round is counted for
//! each repair; when they are used up, or the same is found again, the policy says what follows.

use super::{Done, Role, Run, Stage, StageKind, Step, Task, repair};
use crate::model::text::cut;
use crate::pipeline::critique::Critique as Found;
use crate::pipeline::park::ParkReason;
use crate::pipeline::state::Complaint;
use crate::policy::{Policy, Then};

/// Characters of a summary in the sentence that asks a person.
const SUMMARY_CHARS_MAX: usize = 200;

#[derive(Debug)]
pub(super) struct Critique;

impl Stage for Critique {
    fn doing(&self) -> &'static str {
        "is having the change reviewed by an agent"
    }

    fn skipped(&self, policy: &Policy) -> bool {
        !policy.stages.critique
    }

    fn enter(&self, run: &mut Run<'_>) -> Step {
        let work = &run.state.work;
        let Some(head) = work.head.clone() else { return Step::Back(StageKind::Build) };
        let is_out = work.published.as_ref() == Some(&head);
        if self.skipped(run.policy) || is_out || work.critic.is_waived(&head) {
            return Step::Next;
        }
        if work.critic.of(&head).is_some() {
            return judge(run);
        }
        run.counts().agent_calls += 1;
        let round = run.state.work.critic.rounds + 1;
        Step::Do(Task::Agent { role: Role::Critic, round })
    }

    fn done(&self, run: &mut Run<'_>, done: &Done) -> Step {
        let reviewed = matches!(run.state.task(), Some(Task::Agent { role: Role::Critic, .. }));
        match (done, reviewed) {
            (Done::Critiqued { critique, cost_micros }, true)
                if run.state.work.head.as_ref() == Some(&critique.head) =>
            {
                run.counts().cost_micros += cost_micros;
                heard(run, critique);
                judge(run)
            }
            (Done::AgentFailed { why, cost_micros }, true) => {
                run.counts().cost_micros += cost_micros;
                super::park(ParkReason::CritiqueOpen, format!("the review failed: {why}"))
            }
            (Done::Unchanged { cost_micros, .. }, false) => {
                run.counts().cost_micros += cost_micros;
                give_up(
                    run,
                    "the agent was asked to repair what the critic found and changed nothing",
                )
            }
            (other, false) => match repair::done(run, StageKind::Critique, other) {
                Step::Park(park) if park.why == ParkReason::CritiqueOpen => {
                    give_up(run, &park.text)
                }
                step => step,
            },
            // Whatever else a critic did, nothing of it becomes the run's.
            (other, true) => super::unexpected(StageKind::Critique, other),
        }
    }
}

/// Remembers a review, and whether it says what the last one said.
fn heard(run: &mut Run<'_>, critique: &Found) {
    let severity = run.policy.critique.severity;
    let critic = &mut run.work().critic;
    let before = critic.found.take();
    let given_up = before.is_some_and(|before| critique.repeats(&before, severity));
    critic.found = Some(Box::new(Found { given_up, ..critique.clone() }));
}

/// What the review of the present head means.
fn judge(run: &mut Run<'_>) -> Step {
    let severity = run.policy.critique.severity;
    let Some(critique) = run.state.work.critic.found.clone() else { return Step::Next };
    let open: Vec<_> = critique.open(severity).cloned().collect();
    if open.is_empty() {
        return Step::Next;
    }
    let max = run.policy.limits.critique_rounds_max;
    let rounds = run.state.work.critic.rounds;
    let (bar, count) = (severity.word(), open.len());
    if critique.given_up {
        return give_up(run, &format!("the critic finds the same {count} again ({bar} or more)"));
    }
    if rounds >= max {
        let summary = cut(critique.summary.trim(), SUMMARY_CHARS_MAX);
        let text = format!(
            "the critic finds {count} ({bar} or more), and all {max} rounds are used up: {summary}"
        );
        return give_up(run, &text);
    }
    let work = run.work();
    work.complaint = Some(Complaint::Critique { findings: open });
    work.critic.rounds += 1;
    run.counts().agent_calls += 1;
    Step::Do(Task::Agent { role: Role::Fixer, round: rounds + 1 })
}

/// Nobody repairs it any more: the policy says whether a person is asked.
fn give_up(run: &mut Run<'_>, text: &str) -> Step {
    if let Some(found) = &mut run.work().critic.found {
        found.given_up = true;
    }
    match run.policy.critique.then {
        Then::GoOn => Step::Next,
        Then::Ask => super::park(ParkReason::CritiqueOpen, text),
    }
}
