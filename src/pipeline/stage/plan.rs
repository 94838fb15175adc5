//! Plan: let an agent say what it would do, before anything is changed.

use super::{Done, Role, Run, Stage, StageKind, Step, Task};
use crate::pipeline::park::ParkReason;
use crate::pipeline::state::Outcome;

#[derive(Debug)]
pub(super) struct Plan;

impl Stage for Plan {
    fn doing(&self) -> &'static str {
        "is planning the change"
    }

    fn enter(&self, run: &mut Run<'_>) -> Step {
        let wanted = run.policy.stages.plan || run.state.request.dry_run;
        if !wanted || run.state.work.plan.is_some() {
            return planned(run);
        }
        run.counts().agent_calls += 1;
        Step::Do(Task::Agent { role: Role::Planner, round: 1 })
    }

    fn done(&self, run: &mut Run<'_>, done: &Done) -> Step {
        match done {
            Done::Planned { text, cost_micros } => {
                run.counts().cost_micros += cost_micros;
                if text.trim().is_empty() {
                    return super::park(ParkReason::AgentStuck, "the agent planned nothing");
                }
                run.work().plan = Some(text.clone());
                planned(run)
            }
            Done::AgentFailed { why, cost_micros } => {
                run.counts().cost_micros += cost_micros;
                super::park(ParkReason::AgentStuck, format!("planning failed: {why}"))
            }
            other => super::unexpected(StageKind::Plan, other),
        }
    }
}

/// A dry run ends with its plan; it never touches the repository.
fn planned(run: &Run<'_>) -> Step {
    if run.state.request.dry_run {
        let why = "This was a dry run: here is the plan, and nothing was changed.".to_owned();
        return Step::Finish(Outcome::HandedOver { why });
    }
    Step::Next
}
