//! The laws of orders: what GitHub was asked to merge by itself stands alone until it is gone.

use slipway::gate::MergePermit;
use slipway::gate::seen::PullState;
use slipway::pipeline::standing::{Enlisted, Left};
use slipway::pipeline::{Done, EventKind, Task};

use super::laws::{fail, is_command, next, performed};
use super::walk::Move;

/// GitHub wants a merge call for what it was just asked to merge by itself: the same permit.
pub(super) fn falls_back(m: &Move<'_>, permit: &MergePermit) -> bool {
    let answered = matches!(
        &m.letter.event.kind,
        EventKind::Performed { done: Done::Enlisted(Enlisted::Clean), .. }
    );
    let asked = m.before.state.work.standing.as_ref().map(|standing| &standing.permit);
    answered && asked == Some(permit)
}

pub(super) fn stands_alone(m: &Move<'_>) -> Result<(), String> {
    let (before, after) = (&m.before.state.work.standing, &next(m).work.standing);
    let (Some(before), Some(after)) = (before, after) else { return Ok(()) };
    fail(before.permit != after.permit, "it stands for another commit now")?;
    let tidies = next(m).work.landed.is_some() && matches!(performed(m), Some(Task::Close { .. }));
    let only = matches!(performed(m), None | Some(Task::Leave { .. } | Task::Compare { .. }));
    fail(!only && !tidies, "something else is begun")
}

pub(super) fn gone_for_sure(m: &Move<'_>) -> Result<(), String> {
    let Some(standing) = &m.before.state.work.standing else { return Ok(()) };
    let state = next(m);
    let over = state.finished().is_some() && state.work.landed.is_none();
    if state.work.standing.is_some() && !over {
        return Ok(());
    }
    let sure = match &m.letter.event.kind {
        EventKind::Observed(seen) => {
            let agree = standing.missed_at.is_some_and(|first| seen.at.since(first) >= 5_000);
            seen.pull_state == PullState::Closed || agree
        }
        EventKind::Performed { done: Done::Left(Left::Absent), .. } => {
            standing.missed_at.is_some_and(|first| m.letter.event.at.since(first) >= 5_000)
        }
        EventKind::Performed { done, .. } => matches!(
            done,
            Done::Left(Left::Out | Left::Closed)
                | Done::Compared { .. }
                | Done::Enlisted(Enlisted::Clean | Enlisted::No(_))
                // Nothing was sent.
                | Done::Lost { .. }
        ),
        EventKind::Commanded(_) => {
            is_command(m, "/stop") && m.before.state.stop_by.is_some() && over
        }
        EventKind::Started | EventKind::Withdrawn { .. } | EventKind::TimerFired { .. } => false,
    };
    fail(!sure, "it is only thought to be gone")
}
