//! Somebody looked at GitHub and the repository.

use std::sync::Arc;

use super::{Ignored, walk};
use crate::gate::seen::{PullState, Seen};
use crate::model::CommitSha;
use crate::pipeline::effect::Effect;
use crate::pipeline::park::ParkReason;
use crate::pipeline::run::Run;
use crate::pipeline::stage::{StageKind, Step, Task, adopt, queue, update};
use crate::pipeline::standing::Leaving;
use crate::pipeline::state::{Outcome, Phase, Progress, State};

/// What a look could change now: whoever looks need not read more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hears {
    Nothing,
    /// A task is out: only that the pull request is open no more.
    TheEnd,
    Everything,
}

/// What a decision about a look would listen to.
pub fn hears(state: &State) -> Hears {
    if is_merging(state) {
        Hears::Nothing
    } else if state.task().is_some() && state.withdrawn.is_none() {
        Hears::TheEnd
    } else {
        Hears::Everything
    }
}

/// A look that is older than what is known, or is of something else.
pub(super) fn stale(state: &State, seen: &Seen) -> bool {
    let older = state.seen.as_deref().is_some_and(|known| seen.at < known.at);
    let before_push = state.work.published_at.is_some_and(|at| seen.at < at);
    older || before_push || state.work.pull != Some(seen.pull)
}

pub(super) fn decide(run: &mut Run<'_>, before: &State, seen: &Seen) -> Result<(), Ignored> {
    if is_merging(&run.state) {
        return Err(Ignored::NotNow);
    }
    let step = ended(run, seen);
    if run.state.task().is_some() {
        // A task is out; only the end of the pull request is more urgent than its result.
        let Some(step) = step else { return Err(Ignored::NotNow) };
        run.effects.push(Effect::Cancel { entry: run.state.entry });
        keep(run, seen);
        walk::go(run, step);
        return Ok(());
    }
    let step = step.or_else(|| foreign(run, seen));
    // Most looks find what the last one found; they are judged without being copied.
    // While an order stands, that it is still so, and when, is what is waited for.
    let stands = run.state.work.standing.is_some();
    let known = !stands
        && run.state.seen.as_ref().is_some_and(|known| {
            known.same(seen) && run.state.work.published_at.is_none_or(|at| known.at >= at)
        });
    if known {
        run.looked = true;
    } else {
        keep(run, seen);
    }
    let step = step.unwrap_or_else(|| resume(run));
    let moved = walk::turn(run, step);
    if known && !moved && run.state == *before {
        return Err(Ignored::Unchanged);
    }
    if known {
        keep(run, seen);
    }
    Ok(())
}

/// The look that came with the merge lane; what it says of the pull request comes first.
pub(super) fn ready(run: &mut Run<'_>, seen: &Seen) -> Option<Step> {
    keep(run, seen);
    ended(run, seen).or_else(|| foreign(run, seen))
}

fn keep(run: &mut Run<'_>, seen: &Seen) {
    run.looked = true;
    // Whoever made it ready: a draft it becomes later is theirs.
    if !seen.draft {
        run.work().drafted = false;
    }
    let mut seen = seen.clone();
    // Found once for each commit, and kept with what else is known of it.
    if let Some(judged) = seen.judged.take() {
        run.work().judged = Some(judged);
    }
    run.state.seen = Some(Arc::new(seen));
}

/// What ends the work, whatever the stage: merged, closed, or no longer wanted.
fn ended(run: &mut Run<'_>, seen: &Seen) -> Option<Step> {
    match &seen.pull_state {
        PullState::Merged { commit } => return Some(merged(run, commit)),
        PullState::Closed => {
            run.work().unsettled = None;
            run.work().standing = None;
            let why = "The pull request was closed.".to_owned();
            return Some(Step::Finish(Outcome::Stopped { why }));
        }
        PullState::Open => {}
    }
    // While nobody knows whether a merge took effect, "open" may just be late.
    if run.state.withdrawn.is_none() || run.state.work.unsettled.is_some() {
        return None;
    }
    if run.state.work.standing.is_some() {
        return Some(queue::leave(run, Leaving::Withdrawn));
    }
    let why = "The issue was closed, or its label was taken away.".to_owned();
    Some(Step::Finish(Outcome::Stopped { why }))
}

/// It is in the base branch, and it was not the merge call we are waiting for.
fn merged(run: &mut Run<'_>, commit: &CommitSha) -> Step {
    let work = run.work();
    work.landed = Some(commit.clone());
    if work.unsettled.take().is_some() || work.standing.is_some() {
        return Step::Back(StageKind::Merge);
    }
    work.predicted = None;
    work.merged_by = Some("a person".to_owned());
    Step::Back(StageKind::Close)
}

/// Somebody pushed to our branch.
fn foreign(run: &mut Run<'_>, seen: &Seen) -> Option<Step> {
    if run.state.work.unsettled.is_some() {
        return None;
    }
    let work = &run.state.work;
    // While a change is held, the branch still shows what we pushed last.
    let known = [&work.head, &work.replaced, &work.published];
    let head = seen.git_head.clone().filter(|head| !known.contains(&&Some(head.clone())))?;
    if run.state.work.standing.is_some() {
        return Some(queue::leave(run, Leaving::Moved));
    }
    if let Some(step) = update::found(run, &head) {
        return Some(step);
    }
    adopt(run, head);
    Some(Step::Back(StageKind::Verify))
}

/// A merge call may be out, or what it did is being found out: looks conclude nothing.
fn is_merging(state: &State) -> bool {
    if state.work.landed.is_some() {
        return true;
    }
    match state.task() {
        Some(
            Task::Ready { .. }
            | Task::Merge(_)
            | Task::Settle { .. }
            | Task::Enlist { .. }
            | Task::Leave { .. }
            | Task::Compare { .. }
            | Task::Land { .. }
            | Task::Close { .. },
        ) => true,
        Some(
            Task::Accept { .. }
            | Task::Agent { .. }
            | Task::Verify { .. }
            | Task::Show { .. }
            | Task::Publish { .. }
            | Task::Update { .. }
            | Task::AskUpdate { .. }
            | Task::Recognise { .. }
            | Task::Rerun { .. }
            | Task::Undraft { .. }
            | Task::Afford
            | Task::Stories { .. },
        )
        | None => false,
    }
}

/// What the stage makes of the look. A run parked for something a look cannot cure stays.
fn resume(run: &mut Run<'_>) -> Step {
    match &run.state.progress {
        Progress::Running { stage, phase: Phase::Waiting(_), .. } => stage.stage().seen(run),
        Progress::Running { stage, phase: Phase::Parked(park), .. } => match park.why {
            // GitHub refused again and again what looks say is right: another look is no news.
            ParkReason::HeadLag if *stage == StageKind::Merge => Step::Stay,
            ParkReason::NoChecks
            | ParkReason::NeverStarted
            | ParkReason::CiTooLong
            | ParkReason::CheckNeedsPerson
            | ParkReason::RulesChanged
            | ParkReason::QueueTooLong
            | ParkReason::HeadLag => stage.stage().seen(run),
            ParkReason::AgentStuck
            | ParkReason::Question
            | ParkReason::FixesSpent
            | ParkReason::ConflictStuck
            | ParkReason::MergeRefused
            | ParkReason::MergeUnknown
            | ParkReason::CritiqueOpen
            | ParkReason::ReviewsSpent
            | ParkReason::BaseRace
            | ParkReason::QueueRefused
            | ParkReason::NotReleased
            | ParkReason::PermissionLost
            | ParkReason::BudgetSpent
            | ParkReason::CapReached
            | ParkReason::WorldFailed => Step::Stay,
        },
        Progress::Running { .. } | Progress::Idle | Progress::Finished { .. } => Step::Stay,
    }
}
