//! Updates that GitHub makes: asked for once, awaited, and believed only when git proves them.

use super::{Run, StageKind, Step, Task};
use crate::model::{CommitSha, TreeSha};
use crate::pipeline::stage::UpdateAnswer;
use crate::pipeline::state::Updating;

/// Minutes GitHub may take to merge the base into the branch.
const MINUTES_MAX: i64 = 5;

/// Asks GitHub to merge the base into exactly this head.
pub(super) fn ask(run: &mut Run<'_>, head: CommitSha, base: CommitSha) -> Step {
    let Some(pull) = run.state.work.pull else {
        return Step::Do(Task::Update { head, base });
    };
    let since = run.at;
    run.work().updating = Some(Updating { head: head.clone(), base: base.clone(), since });
    Step::Do(Task::AskUpdate { pull, head, base })
}

pub(super) fn asked(run: &mut Run<'_>, answer: &UpdateAnswer) -> Step {
    match answer {
        // Whether it was heard shows in the branch.
        UpdateAnswer::Coming | UpdateAnswer::Unknown { .. } => Step::Back(StageKind::Conflicts),
        UpdateAnswer::Moved => {
            run.work().updating = None;
            super::wait_to_see(run)
        }
        UpdateAnswer::No { .. } => by_ourselves(run),
    }
}

/// The base is merged here after all. Should GitHub's merge come later, the lease of our push
/// finds it.
pub(super) fn by_ourselves(run: &mut Run<'_>) -> Step {
    match run.work().updating.take() {
        Some(Updating { head, base, .. }) => Step::Do(Task::Update { head, base }),
        None => Step::Back(StageKind::Conflicts),
    }
}

/// What an update that was asked for is waited for; nothing when none is on its way.
pub(super) fn awaited(run: &mut Run<'_>) -> Option<Step> {
    let updating = run.state.work.updating.clone()?;
    if run.state.work.head.as_ref() != Some(&updating.head) {
        run.work().updating = None;
        return None;
    }
    let until = updating.since.plus(MINUTES_MAX * 60_000);
    if run.at >= until {
        return Some(by_ourselves(run));
    }
    let what = "GitHub to merge the base into the branch".to_owned();
    Some(super::wait(what, Some((until, "Slipway merges it itself")), super::LOOK_MS))
}

/// A look shows another head while GitHub's merge is awaited: git says what it is.
pub(in crate::pipeline) fn found(run: &Run<'_>, found: &CommitSha) -> Option<Step> {
    let updating = run.state.work.updating.as_ref()?;
    let here = run.state.stage() == Some(StageKind::Conflicts);
    (here && run.state.work.head.as_ref() == Some(&updating.head)).then(|| {
        Step::Do(Task::Recognise {
            head: updating.head.clone(),
            base: updating.base.clone(),
            found: found.clone(),
        })
    })
}

/// It is exactly the merge that was asked for; nothing of the old head is evidence for it.
pub(super) fn recognised(run: &mut Run<'_>, head: &CommitSha, tree: &TreeSha) -> Step {
    let at = run.at;
    run.counts().trees.insert(tree.clone());
    let work = run.work();
    work.updating = None;
    work.signing = None;
    work.head = Some(head.clone());
    work.replaced = work.published.replace(head.clone());
    work.published_at = Some(at);
    Step::Back(StageKind::Verify)
}
