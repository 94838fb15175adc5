//! The laws of orders: what GitHub was asked to merge by itself stands alone until it is gone,
//! and what is delicate is asked for with one person more; and of looks that nobody hears.

use std::collections::BTreeSet;

use slipway::gate::MergePermit;
use slipway::gate::seen::{PullState, ReviewVerdict};
use slipway::model::UserId;
use slipway::pipeline::standing::{Enlisted, Left};
use slipway::pipeline::{Done, EventKind, Hears, Task, hears};
use slipway::policy::MergeMode;

use super::laws::{fail, is_command, merge_call, next, performed};
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

/// Counted here anew: whoever approved this very head in a review or in words, or ordered it.
pub(super) fn seconded(m: &Move<'_>) -> Result<(), String> {
    let Some(permit) = merge_call(m).filter(|permit| !falls_back(m, permit)) else {
        return Ok(());
    };
    let work = &next(m).work;
    let Some(judged) = work.judged.as_ref().filter(|judged| &judged.head == permit.head()) else {
        return Err("nobody looked at what it touches".to_owned());
    };
    let mut people: BTreeSet<UserId> = work.approvals.keys().copied().collect();
    people.retain(|by| work.approvals.get(by) == Some(permit.head()));
    people.extend(work.merge_ordered.iter().filter(|o| &o.head == permit.head()).map(|o| o.by.id));
    let reviews = next(m).seen.iter().flat_map(|seen| &seen.reviews);
    let approving = reviews.filter(|review| {
        review.counts
            && review.verdict == ReviewVerdict::Approved
            && &review.commit == permit.head()
    });
    people.extend(approving.map(|review| review.by.id));
    let usual = match m.lens.policy.merge {
        MergeMode::Auto => 0,
        MergeMode::OnApproval if !m.lens.policy.stages.review => 0,
        MergeMode::OnApproval | MergeMode::OnCommand | MergeMode::Never => 1,
    };
    let missing = !judged.delicate.is_empty() && people.len() <= usual;
    fail(missing, &format!("{} people agreed to what is delicate", people.len()))
}

/// Whoever looks reads no more than is heard: the rest must be nothing to the run.
pub(super) fn unheard(m: &Move<'_>) -> Result<(), String> {
    let EventKind::Observed(seen) = &m.letter.event.kind else { return Ok(()) };
    let heard = match hears(&m.before.state) {
        Hears::Nothing => false,
        Hears::TheEnd => seen.pull_state != PullState::Open,
        Hears::Everything => true,
    };
    fail(!heard && m.result.is_ok(), "it was heard")
}
