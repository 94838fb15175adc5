//! Build: let an agent make the change.

use super::{Done, Role, Run, Stage, StageKind, Step, Task};
use crate::pipeline::park::ParkReason;

/// Times the builder is asked before a person is.
const BUILD_ROUNDS_MAX: u32 = 2;

#[derive(Debug)]
pub(super) struct Build;

impl Stage for Build {
    fn doing(&self) -> &'static str {
        "is making the change"
    }

    fn enter(&self, run: &mut Run<'_>) -> Step {
        let request = &run.state.request;
        let asked_for_more = request.pull.is_some() && !request.words.trim().is_empty();
        let built = run.state.work.head.is_some();
        if built && (!asked_for_more || run.state.counts.build_rounds > 0) {
            return Step::Next;
        }
        ask(run)
    }

    fn done(&self, run: &mut Run<'_>, done: &Done) -> Step {
        match done {
            Done::Changed { head, tree, summary, cost_micros } => {
                let counts = run.counts();
                counts.cost_micros += cost_micros;
                counts.trees.insert(tree.clone());
                let work = run.work();
                work.head = Some(head.clone());
                work.summary = Some(summary.clone());
                work.rejection = None;
                work.violations.clear();
                Step::Next
            }
            Done::Unchanged { cost_micros, .. } => {
                run.counts().cost_micros += cost_micros;
                again(run, "the agent changed nothing")
            }
            Done::Rejected { why, cost_micros, violations } => {
                run.counts().cost_micros += cost_micros;
                super::refused(run, why, violations);
                again(run, &format!("the change was refused: {why}"))
            }
            Done::AgentFailed { why, cost_micros } => {
                run.counts().cost_micros += cost_micros;
                again(run, &format!("the agent failed: {why}"))
            }
            other => super::unexpected(StageKind::Build, other),
        }
    }
}

fn ask(run: &mut Run<'_>) -> Step {
    let counts = run.counts();
    counts.agent_calls += 1;
    counts.build_rounds += 1;
    let round = counts.build_rounds;
    Step::Do(Task::Agent { role: Role::Builder, round })
}

fn again(run: &mut Run<'_>, why: &str) -> Step {
    if run.state.counts.build_rounds < BUILD_ROUNDS_MAX {
        return ask(run);
    }
    let times = run.state.counts.build_rounds;
    super::park(ParkReason::AgentStuck, format!("{why} ({times} attempts)"))
}
