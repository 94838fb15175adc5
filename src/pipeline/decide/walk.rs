//! Walking the pipeline: from what a stage wants to the phase the run is in next.

use super::{budget, question};
use crate::model::BranchName;
use crate::pipeline::effect::Effect;
use crate::pipeline::event::Timer;
use crate::pipeline::park::{Park, ParkReason};
use crate::pipeline::run::Run;
use crate::pipeline::stage::{PEOPLE_MS, StageKind, Step, Task};
use crate::pipeline::state::{Outcome, Phase, Progress, Wait};
use crate::policy::MergeMethod;

/// Stages passed in one decision before we call it a bug and ask a person: every stage twice
/// and a way back.
const STEPS_MAX: usize = 40;

/// Follows `step` until the run does, awaits, or has ended something.
pub(super) fn go(run: &mut Run<'_>, step: Step) {
    let mut step = step;
    for _ in 0..STEPS_MAX {
        step = match step {
            Step::Stay => return,
            Step::Next => match next_stage(run) {
                Some(stage) => enter(run, stage),
                None => Step::Finish(Outcome::HandedOver { why: "Nothing is left.".to_owned() }),
            },
            Step::Back(stage) => enter(run, stage),
            Step::Do(task) => return rest(run, Phase::Doing(task)),
            Step::Wait(wait) => return rest(run, Phase::Waiting(wait)),
            Step::Park(park) => return rest(run, Phase::Parked(park)),
            Step::Finish(outcome) => return finish(run, outcome),
        };
    }
    let text = "the stages send the run back and forth; this is a fault in Slipway".to_owned();
    rest(run, Phase::Parked(Park { why: ParkReason::WorldFailed, text }));
}

/// Follows `step`, unless it asks for the very phase the run is in: then its timers are armed
/// and its sentence stands. Says whether anything moved.
pub(super) fn turn(run: &mut Run<'_>, step: Step) -> bool {
    let Progress::Running { phase, .. } = &run.state.progress else { return false };
    let stays = match (phase, &step) {
        (_, Step::Stay) => true,
        (Phase::Waiting(now), Step::Wait(next)) => now == next,
        (Phase::Parked(now), Step::Park(next)) => now == next,
        (_, _) => false,
    };
    if !stays {
        go(run, step);
    }
    !stays
}

/// Ends the run: gives the lane back and ends whatever still runs.
fn finish(run: &mut Run<'_>, outcome: Outcome) {
    // A lane that is just being taken is given back too; giving back what one lacks is nothing.
    let taking = match run.state.task() {
        Some(Task::Ready { base }) => Some(base.clone()),
        Some(_) | None => None,
    };
    if let Some(base) = run.work().lane.take().or(taking).or_else(|| uncompared(run)) {
        let alarm = alarm(run);
        run.effects.push(Effect::Release { base, alarm });
    }
    if waits_in_vain(run) {
        arm(run, Timer::Budget, run.at);
    }
    run.effects.push(Effect::Cancel { entry: run.state.entry });
    run.state.progress = Progress::Finished { outcome, at: run.at };
}

/// The base of what GitHub merged for us by itself and nobody compared.
fn uncompared(run: &Run<'_>) -> Option<BranchName> {
    let work = &run.state.work;
    let standing = work.standing.as_ref().filter(|_| work.landed.is_some());
    standing.map(|standing| standing.permit.base().clone())
}

/// Why nobody may merge into the base until a person has looked: it may just have been moved
/// by us to something that nobody compared with what was predicted (I2).
fn alarm(run: &Run<'_>) -> Option<String> {
    let work = &run.state.work;
    if work.unsettled.is_some() {
        return Some("Nobody knows whether a merge call took effect.".to_owned());
    }
    let landed = work.landed.as_ref()?;
    let compared = work.landed_verified || work.method == MergeMethod::Rebase;
    ((work.predicted.is_some() || work.standing.is_some()) && !compared)
        .then(|| format!("What landed as {} was never compared.", landed.short()))
}

fn next_stage(run: &Run<'_>) -> Option<StageKind> {
    let stage = run.state.stage()?;
    StageKind::ALL.iter().copied().find(|later| *later > stage)
}

fn enter(run: &mut Run<'_>, stage: StageKind) -> Step {
    let waiting = Wait { what: String::new(), until: None, look_ms: 0 };
    let phase = Phase::Waiting(waiting);
    run.state.progress = Progress::Running { stage, since: run.at, phase };
    stage.stage().enter(run)
}

/// The phase in which the run rests until the next event.
fn rest(run: &mut Run<'_>, phase: Phase) {
    let Some(stage) = run.state.stage() else { return };
    if let Some(outcome) = stop_overtakes(run, &phase) {
        return finish(run, outcome);
    }
    if !holds_lane(run, &phase)
        && let Some(base) = run.work().lane.take()
    {
        run.effects.push(Effect::Release { base, alarm: None });
    }
    let forgotten = waits_in_vain(run);
    if !budget::keeps(&phase) {
        run.state.budget.short = None;
    }
    if !question::keeps(&phase) {
        run.work().asked = None;
    }
    run.state.entry += 1;
    if forgotten {
        arm(run, Timer::Budget, run.at);
    }
    let entry = run.state.entry;
    match &phase {
        Phase::Doing(task) => {
            run.effects.push(Effect::Perform { entry, task: task.clone() });
        }
        Phase::Waiting(wait) => {
            arm(run, Timer::Look, run.at.plus(wait.look_ms));
            if let Some(until) = &wait.until {
                arm(run, Timer::Deadline, until.at);
            }
            let lane = run.state.work.lane_wait.is_some() && stage == StageKind::Merge;
            if let Some(at) = run.state.work.pause_until.filter(|_| lane) {
                arm(run, Timer::Lane, at);
            }
            if run.state.work.pull.is_some() && !fresh(run) {
                run.effects.push(Effect::Look);
            }
        }
        Phase::Parked(_) => arm(run, Timer::Look, run.at.plus(PEOPLE_MS)),
    }
    run.state.progress = Progress::Running { stage, since: run.at, phase };
    if let Some(at) = run.state.asks_again_at() {
        arm(run, Timer::Budget, at);
    }
}

/// A timer for a cap that renews is armed, maybe for the next month, and the run goes on without
/// it: it is made to go off now, when nobody hears it.
fn waits_in_vain(run: &Run<'_>) -> bool {
    run.state.asks_again_at().is_some_and(|at| at > run.at)
}

fn arm(run: &mut Run<'_>, timer: Timer, at: crate::model::Millis) {
    let entry = run.state.entry;
    run.effects.push(Effect::Arm { timer, entry, at });
}

/// This very moment brought a look; another would see the same.
fn fresh(run: &Run<'_>) -> bool {
    run.state.facts(run.policy, run.at).is_some() && run.looked
}

/// After `/stop`, only what finds out how a merge ended, or tidies up after it, goes on.
fn stop_overtakes(run: &Run<'_>, phase: &Phase) -> Option<Outcome> {
    let by = run.state.stop_by.as_ref()?;
    let work = &run.state.work;
    match (&work.landed, phase) {
        (Some(commit), Phase::Parked(_)) => Some(Outcome::Merged {
            commit: commit.clone(),
            verified: work.landed_verified,
            by: work.merged_by.clone(),
        }),
        (Some(_), Phase::Doing(_) | Phase::Waiting(_)) => None,
        (None, _) if work.unsettled.is_some() || work.standing.is_some() => None,
        (None, _) => {
            Some(Outcome::Stopped { why: format!("Stopped by {by}; nothing was merged.") })
        }
    }
}

/// Only a merge on its way keeps the lane. One whose outcome is unknown keeps it too, and one
/// that was not compared yet: nobody else may merge into a branch that may just have moved.
fn holds_lane(run: &Run<'_>, phase: &Phase) -> bool {
    let work = &run.state.work;
    // What is asked for in the lane is refused where an alarm closed it.
    let ready = matches!(phase, Phase::Doing(Task::Ready { .. } | Task::Enlist { .. }));
    ready || work.unsettled.is_some() || work.landed.is_some()
}
