//! Repair: what verification, CI and review share when an agent must change something again.
//!
//! Every loop here has a decreasing measure: rounds, rounds per failure signature, and trees
//! that were not seen before (merge facts, I10).

use super::{Done, Role, Run, StageKind, Step, Task};
use crate::pipeline::frozen::Taint;
use crate::pipeline::park::ParkReason;
use crate::pipeline::state::Complaint;

/// Fixes tried for one and the same failure.
const SAME_FAILURE_MAX: u32 = 2;

/// Asks the fixer, or a person when the rounds are used up or nothing moves.
pub(super) fn fix(run: &mut Run<'_>, complaint: Complaint, signature: &str) -> Step {
    let max = run.policy.limits.fix_rounds_max;
    let what = describe(&complaint);
    // Kept also when no agent is asked any more: people are shown where it fails.
    run.work().complaint = Some(complaint);
    if run.state.counts.fix_rounds >= max {
        let text = format!("{what}, and all {max} fix rounds are used up");
        return super::park(ParkReason::FixesSpent, text);
    }
    let tried = run.counts().signatures.entry(signature.to_owned()).or_insert(0);
    if *tried >= SAME_FAILURE_MAX {
        let text = format!("{what} in the same way after {tried} fixes");
        return super::park(ParkReason::FixesSpent, text);
    }
    *tried += 1;
    // What checks print may hold anybody's words.
    run.state.tainted.insert(Taint::Logs);
    let counts = run.counts();
    counts.fix_rounds += 1;
    counts.agent_calls += 1;
    let round = counts.fix_rounds;
    Step::Do(Task::Agent { role: Role::Fixer, round })
}

/// Asks the fixer for what a reviewer wants; these rounds are counted apart.
pub(super) fn address(run: &mut Run<'_>, complaint: Complaint) -> Step {
    let max = run.policy.limits.review_rounds_max;
    if run.state.counts.review_rounds >= max {
        let text = format!("{}, and all {max} review rounds are used up", describe(&complaint));
        return super::park(ParkReason::ReviewsSpent, text);
    }
    run.work().complaint = Some(complaint);
    let counts = run.counts();
    counts.review_rounds += 1;
    counts.agent_calls += 1;
    let round = counts.review_rounds;
    Step::Do(Task::Agent { role: Role::Fixer, round })
}

/// What the fixer's or the resolver's end means.
pub(super) fn done(run: &mut Run<'_>, stage: StageKind, done: &Done) -> Step {
    let stuck = if stage == StageKind::Conflicts {
        ParkReason::ConflictStuck
    } else if stage == StageKind::Critique {
        ParkReason::CritiqueOpen
    } else {
        ParkReason::FixesSpent
    };
    match done {
        Done::Changed { head, tree, summary, cost_micros } => {
            run.counts().cost_micros += cost_micros;
            if !run.counts().trees.insert(tree.clone()) {
                return super::park(stuck, "the agent came back to a change it had tried before");
            }
            let work = run.work();
            work.head = Some(head.clone());
            work.rejection = None;
            work.violations.clear();
            if !summary.is_empty() {
                work.summary = Some(summary.clone());
            }
            Step::Back(StageKind::Verify)
        }
        Done::Unchanged { cost_micros, .. } => {
            run.counts().cost_micros += cost_micros;
            super::park(stuck, "the agent was asked to change something and changed nothing")
        }
        Done::Rejected { why, cost_micros, violations } => {
            run.counts().cost_micros += cost_micros;
            super::refused(run, why, violations);
            again(run, stage, &format!("the agent's change was refused: {why}"))
        }
        Done::AgentFailed { why, cost_micros } => {
            run.counts().cost_micros += cost_micros;
            again(run, stage, &format!("the agent failed: {why}"))
        }
        other => super::unexpected(stage, other),
    }
}

/// One more round for the same complaint, while the budget lasts.
fn again(run: &mut Run<'_>, stage: StageKind, why: &str) -> Step {
    let counts = &run.state.counts;
    let limits = &run.policy.limits;
    let resolving = stage == StageKind::Conflicts;
    let reviewing = stage == StageKind::Review;
    let critiquing = stage == StageKind::Critique;
    let (spent, max, role) = if resolving {
        (counts.resolve_rounds, limits.resolve_rounds_max, Role::Resolver)
    } else if reviewing {
        (counts.review_rounds, limits.review_rounds_max, Role::Fixer)
    } else if critiquing {
        (run.state.work.critic.rounds, limits.critique_rounds_max, Role::Fixer)
    } else {
        (counts.fix_rounds, limits.fix_rounds_max, Role::Fixer)
    };
    if spent >= max {
        let reason = if resolving {
            ParkReason::ConflictStuck
        } else if critiquing {
            ParkReason::CritiqueOpen
        } else {
            ParkReason::FixesSpent
        };
        return super::park(reason, format!("{why}, and all {max} rounds are used up"));
    }
    if critiquing {
        run.work().critic.rounds += 1;
    }
    let counts = run.counts();
    counts.agent_calls += 1;
    if resolving {
        counts.resolve_rounds += 1;
    } else if reviewing {
        counts.review_rounds += 1;
    } else if !critiquing {
        counts.fix_rounds += 1;
    }
    Step::Do(Task::Agent { role, round: spent + 1 })
}

fn describe(complaint: &Complaint) -> String {
    match complaint {
        Complaint::Verification { .. } => "the repository's own commands fail".to_owned(),
        Complaint::Checks { failed } => {
            let names: Vec<&str> = failed.iter().map(|check| check.name.as_str()).collect();
            format!("CI fails ({})", names.join(", "))
        }
        Complaint::Review { by, .. } => format!("{by} asks for changes"),
        Complaint::Critique { .. } => "the critic objects".to_owned(),
    }
}
