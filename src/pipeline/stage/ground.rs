//! What later stages stand on: a head that is mergeable, green, and no draft of ours.

use std::sync::Arc;

use super::{Run, StageKind, Step, Task};
use crate::gate::GateKind;

/// The task that makes our own draft ready for people; `None` when there is none.
pub(super) fn undraft(run: &Run<'_>) -> Option<Step> {
    let is_draft = run.state.seen.as_deref().is_some_and(|seen| seen.draft);
    let pull = run.state.work.pull.filter(|_| is_draft && run.state.work.drafted)?;
    Some(Step::Do(Task::Undraft { pull }))
}

/// It is ready: known without another look, and from now on a draft is a person's.
pub(super) fn undrafted(run: &mut Run<'_>) {
    run.work().drafted = false;
    if let Some(seen) = &mut run.state.seen {
        Arc::make_mut(seen).draft = false;
    }
}

/// Whether the head must be made mergeable again before anything later may go on. CI on a
/// head that conflicts, or that GitHub does not show yet, proves nothing.
pub(super) fn moved(run: &Run<'_>) -> Option<Step> {
    let facts = run.state.facts(run.policy, run.at)?;
    let failing = |gate: GateKind| !gate.judge(&facts).passed();
    (failing(GateKind::Head) || failing(GateKind::Conflicts))
        .then_some(Step::Back(StageKind::Conflicts))
}

/// Whether an earlier stage must work again before a later one may go on: the ground moved.
pub(super) fn ground(run: &Run<'_>) -> Option<Step> {
    if let Some(step) = moved(run) {
        return Some(step);
    }
    let facts = run.state.facts(run.policy, run.at)?;
    (!GateKind::Checks.judge(&facts).passed()).then_some(Step::Back(StageKind::Ci))
}
