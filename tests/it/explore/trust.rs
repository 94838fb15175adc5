//! The laws of trust: what is pushed and merged on whose word.

use slipway::gate::seen::PullState;
use slipway::gate::seen::ReviewVerdict::Approved;
use slipway::pipeline::{EventKind, Task};

use super::laws::{fail, is_command, merge_call, next, performed};
use super::lens::Lens;
use super::walk::Move;

/// Whether those on whose word `task` is done may lose their permission meanwhile.
pub(super) fn may_lose(task: &Task, lens: &Lens) -> bool {
    match task {
        Task::Publish { .. } => lens.faults || lens.tainted,
        Task::Merge(_) | Task::Enlist { .. } => lens.answers,
        Task::Accept { .. }
        | Task::Agent { .. }
        | Task::Afford
        | Task::Verify { .. }
        | Task::Show { .. }
        | Task::Update { .. }
        | Task::AskUpdate { .. }
        | Task::Recognise { .. }
        | Task::Rerun { .. }
        | Task::Undraft { .. }
        | Task::Stories { .. }
        | Task::Ready { .. }
        | Task::Settle { .. }
        | Task::Leave { .. }
        | Task::Compare { .. }
        | Task::Land { .. }
        | Task::Close { .. } => false,
    }
}

/// A second opinion: of whatever led there, the head that is pushed was shown before, and the
/// word of a person names it.
pub(super) fn released(m: &Move<'_>) -> Result<(), String> {
    let Some(Task::Publish { head, .. }) = performed(m) else { return Ok(()) };
    if !m.lens.tainted {
        return Ok(());
    }
    let before = &m.before.state.work;
    let shown = before.held.as_ref().is_some_and(|held| &held.head == head);
    let named = next(m).work.released.as_ref().is_some_and(|word| &word.head == head);
    let by_now = before.released.as_ref().is_some_and(|word| &word.head == head);
    fail(!shown, "nobody could read it")?;
    fail(!named, "nobody released it")?;
    fail(!by_now && !is_command(m, "/push"), "it was released by something else than `/push`")
}

pub(super) fn keeps_held(m: &Move<'_>) -> Result<(), String> {
    let EventKind::Observed(seen) = &m.letter.event.kind else { return Ok(()) };
    let before = &m.before.state;
    let ours = seen.git_head.is_some() && seen.git_head == before.work.published;
    let open = seen.pull_state == PullState::Open && before.withdrawn.is_none();
    let lost = next(m).work.held != before.work.held || next(m).work.head != before.work.head;
    fail(before.held().is_some() && ours && open && lost, "the held change is forgotten")
}

pub(super) fn never_by_itself(m: &Move<'_>) -> Result<(), String> {
    let Some(permit) = merge_call(m) else { return Ok(()) };
    let state = next(m);
    if state.tainted.is_empty() {
        return Ok(());
    }
    let words = state.work.approved.iter().chain(&state.work.merge_ordered);
    let spoken = words.map(|word| &word.head).any(|head| head == permit.head());
    let seen = state.seen.as_deref().ok_or("nothing was seen")?;
    let reviewed = seen.reviews.iter().any(|r| r.verdict == Approved && &r.commit == permit.head());
    fail(!spoken && !reviewed, "no person agreed to this commit")
}
