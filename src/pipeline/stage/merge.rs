//! Merge: take the lane, look once more, merge exactly the verified commit, check what landed.
//!
//! The lane makes merges to one branch follow each other; the permit can only come from gates
//! that all passed on that last look; an unknown answer is read, never sent again.

use super::{Done, MergeAnswer, Run, Settled, Stage, StageKind, Step, Task, queue};
use crate::gate::{GateKind, MergePermit, Verdict, permit};
use crate::model::{CommitSha, TreeSha};
use crate::pipeline::effect::Effect;
use crate::pipeline::park::ParkReason;
use crate::pipeline::state::{LaneWait, Outcome};
use crate::policy::MergeMethod;

/// Merge calls whose answer was lost and that were proven to have had no effect.
const LOST_CALLS_MAX: u32 = 3;
/// Definite refusals that may pass by themselves.
const REFUSALS_MAX: u32 = 5;
/// Reads after an unknown answer.
const SETTLE_READS_MAX: u32 = 20;
/// First pause after a refusal; doubles each time.
const PAUSE_MS: i64 = 4_000;
/// First pause while another run merges into the same branch; doubles each time.
const LANE_MS: i64 = 5_000;
/// Longest such pause: an alarm may keep the lane closed for days.
const LANE_MS_MAX: i64 = 300_000;

#[derive(Debug)]
pub(super) struct Merge;

impl Stage for Merge {
    fn doing(&self) -> &'static str {
        "is merging"
    }

    fn enter(&self, run: &mut Run<'_>) -> Step {
        if let Some(landed) = run.state.work.landed.clone() {
            return land(run, landed);
        }
        if run.state.work.standing.is_some() {
            return queue::wait(run);
        }
        let facts = run.state.facts(run.policy, run.at);
        let judged = facts.map(|facts| {
            permit(&facts, run.state.work.method).map(|_permit| facts.seen.base.clone())
        });
        if let Some(Ok(base)) = judged {
            return Step::Do(Task::Ready { base });
        }
        run.work().lane_wait = None;
        match judged {
            None | Some(Ok(_)) => super::wait_to_see(run),
            Some(Err((GateKind::Hold, _))) if super::undraft(run).is_some() => {
                Step::Back(StageKind::Review)
            }
            Some(Err((gate, verdict))) => turn_back(gate, &verdict),
        }
    }

    fn done(&self, run: &mut Run<'_>, done: &Done) -> Step {
        match done {
            Done::Ready(seen) => {
                run.counts().lane_waits = 0;
                run.work().lane_wait = None;
                if let Some(base) = run.work().lane.take_if(|lane| *lane != seen.base) {
                    run.effects.push(Effect::Release { base, alarm: None });
                    return self.enter(run);
                }
                if let Some(step) = super::ground(run) {
                    return step;
                }
                call(run)
            }
            Done::LaneBusy { why } => busy(run, why.clone()),
            Done::MergeAnswered(answer) => answered(run, answer),
            Done::Settled(settled) => settle(run, settled),
            Done::Landed { tree, commit } => landed(run, tree, commit),
            Done::Enlisted(answer) => queue::enlisted(run, answer),
            Done::Left(left) => queue::left(run, left),
            Done::Compared { tree, expected } => queue::compared(run, expected.as_ref(), tree),
            _unknown if run.state.work.standing.is_some() => queue::unsure(run, done),
            // Whoever cannot say how a merge call or a read of it ended knows nothing about it.
            _unknown if run.state.work.unsettled.is_some() => {
                run.counts().not_landed_reads = 0;
                settle_again(run)
            }
            // What a queue sent back is brought up to date or repaired here.
            other => super::conflicts::changed(run, StageKind::Merge, other),
        }
    }

    fn seen(&self, run: &mut Run<'_>) -> Step {
        let pausing = run.state.work.pause_until.is_some_and(|until| run.at < until);
        if pausing { Step::Stay } else { self.enter(run) }
    }
}

/// The stage that can make a gate pass; only a hold is waited for here.
fn turn_back(gate: GateKind, verdict: &Verdict) -> Step {
    match gate {
        GateKind::Head | GateKind::Conflicts | GateKind::Freshness => {
            Step::Back(StageKind::Conflicts)
        }
        GateKind::Verification => Step::Back(StageKind::Verify),
        GateKind::Checks => Step::Back(StageKind::Ci),
        GateKind::Review => Step::Back(StageKind::Review),
        GateKind::Hold => {
            super::wait(format!("the hold to end: {}", verdict.text()), None, super::PEOPLE_MS)
        }
    }
}

/// The lane is ours and the look is fresh: every gate once more, then the call.
fn call(run: &mut Run<'_>) -> Step {
    let Some(facts) = run.state.facts(run.policy, run.at) else {
        return super::wait_to_see(run);
    };
    match permit(&facts, queue::method(run)) {
        Ok(permit) => match queue::way(run) {
            Some(way) => queue::enlist(run, permit, way),
            None => send(run, permit),
        },
        Err((gate, verdict)) => turn_back(gate, &verdict),
    }
}

/// The one merge call of this permit.
pub(super) fn send(run: &mut Run<'_>, permit: MergePermit) -> Step {
    run.counts().merge_calls += 1;
    run.counts().settle_reads = 0;
    run.counts().not_landed_reads = 0;
    let work = run.work();
    work.predicted = Some(permit.tree().clone());
    work.unsettled = Some(permit.clone());
    Step::Do(Task::Merge(permit))
}

/// Whoever gives the lane back wakes the run that waited longest; should that get lost, it is
/// tried again after a while. Looks in between would only find it taken, so they wait too.
fn busy(run: &mut Run<'_>, why: String) -> Step {
    if let Some(Task::Ready { base }) = run.state.task().cloned() {
        let since = run.at;
        let known = run.work().lane_wait.take().filter(|wait| wait.base == base);
        run.work().lane_wait = Some(known.unwrap_or(LaneWait { base, since }));
    }
    let waits = run.state.counts.lane_waits.min(6);
    run.counts().lane_waits = waits + 1;
    let pause_ms = (LANE_MS << waits).min(LANE_MS_MAX);
    run.work().pause_until = Some(run.at.plus(pause_ms));
    super::wait(why, None, pause_ms.max(super::LOOK_MS))
}

/// The change is in the base branch.
fn is_in(run: &mut Run<'_>, commit: &CommitSha) -> Step {
    let work = run.work();
    work.landed = Some(commit.clone());
    work.unsettled = None;
    land(run, commit.clone())
}

/// The last merge call is known to have had no effect.
fn not_in(run: &mut Run<'_>) {
    let work = run.work();
    work.unsettled = None;
    work.predicted = None;
}

pub(super) fn answered(run: &mut Run<'_>, answer: &MergeAnswer) -> Step {
    match answer {
        MergeAnswer::Merged { commit } => is_in(run, commit),
        MergeAnswer::Unknown { .. } => settle_again(run),
        MergeAnswer::NotSent => {
            not_in(run);
            Step::Finish(Outcome::Stopped { why: "Stopped before the merge call.".to_owned() })
        }
        MergeAnswer::Refused { text } => {
            not_in(run);
            super::park(ParkReason::MergeRefused, text.clone())
        }
        MergeAnswer::BaseModified => refused(run, "the base moved", ParkReason::BaseRace),
        MergeAnswer::HeadModified => {
            refused(run, "GitHub's record of the head to follow", ParkReason::HeadLag)
        }
        MergeAnswer::NotMergeable => {
            refused(run, "GitHub to find it mergeable", ParkReason::MergeRefused)
        }
        MergeAnswer::ChecksMissing { text } => {
            refused(run, &format!("GitHub to accept the checks ({text})"), ParkReason::MergeRefused)
        }
    }
}

/// A definite no that may pass: wait longer each time, then ask.
fn refused(run: &mut Run<'_>, what: &str, reason: ParkReason) -> Step {
    not_in(run);
    run.counts().merge_refusals += 1;
    let times = run.state.counts.merge_refusals;
    if times > REFUSALS_MAX {
        let text = format!("GitHub refused the merge {times} times; still waiting for {what}");
        return super::park(reason, text);
    }
    let pause_ms = PAUSE_MS << times.saturating_sub(1);
    run.work().pause_until = Some(run.at.plus(pause_ms));
    super::wait(what.to_owned(), None, pause_ms)
}

fn settle_again(run: &mut Run<'_>) -> Step {
    run.counts().settle_reads += 1;
    let reads = run.state.counts.settle_reads;
    if let Some(permit) = run.state.work.unsettled.clone().filter(|_| reads <= SETTLE_READS_MAX) {
        return Step::Do(Task::Settle { permit });
    }
    let text = "GitHub gave no answer to the merge call, and reading it does not tell whether it \
                took effect";
    super::park(ParkReason::MergeUnknown, text)
}

fn settle(run: &mut Run<'_>, settled: &Settled) -> Step {
    match settled {
        Settled::Landed { commit } => is_in(run, commit),
        Settled::Unclear => {
            run.counts().not_landed_reads = 0;
            settle_again(run)
        }
        Settled::NotLanded => {
            run.counts().not_landed_reads += 1;
            if run.state.counts.not_landed_reads < 2 {
                return settle_again(run);
            }
            not_in(run);
            run.counts().lost_calls += 1;
            if let Some(by) = &run.state.stop_by {
                let why = format!("Stopped by {by}; the merge did not take effect.");
                return Step::Finish(Outcome::Stopped { why });
            }
            if run.state.counts.lost_calls >= LOST_CALLS_MAX {
                let text = "three merge calls got no answer and did not take effect";
                return super::park(ParkReason::MergeUnknown, text);
            }
            Step::Back(StageKind::Conflicts)
        }
    }
}

/// Compare what landed with what was predicted.
fn land(run: &Run<'_>, commit: CommitSha) -> Step {
    if let Some(standing) = &run.state.work.standing {
        return queue::compare(commit, standing.permit.clone());
    }
    match run.state.work.predicted.clone() {
        Some(predicted) => Step::Do(Task::Land { commit, predicted }),
        None => Step::Next,
    }
}

fn landed(run: &mut Run<'_>, tree: &TreeSha, commit: &CommitSha) -> Step {
    let work = run.work();
    let same = work.predicted.as_ref() == Some(tree);
    work.landed_verified = same;
    if same || work.method == MergeMethod::Rebase {
        return Step::Next;
    }
    let why = format!(
        "What landed as {} is not what was predicted. Slipway merges nothing more into this \
         branch until somebody has looked and runs `slipway unlock`.",
        commit.short()
    );
    if let Some(base) = work.lane.take() {
        run.effects.push(Effect::Release { base, alarm: Some(why.clone()) });
    }
    Step::Finish(Outcome::HandedOver { why })
}
