//! Hold: a change made on strangers' words is shown, and pushed only when a person released
//! exactly it, since a push runs the repository's CI with its secrets (security facts, §5.6).

use super::{Run, Step, Task};
use crate::model::CommitSha;
use crate::pipeline::park::ParkReason;
use crate::pipeline::trust::{Diff, Held};

/// What must happen before `head` may be pushed; `None` when it may.
pub(super) fn before_push(run: &Run<'_>, head: &CommitSha) -> Option<Step> {
    if !run.state.holds_push(run.policy) {
        return None;
    }
    let work = &run.state.work;
    if work.released.as_ref().is_some_and(|word| &word.head == head) {
        return None;
    }
    let Some(shown) = work.held.as_ref().filter(|held| &held.head == head) else {
        return Some(Step::Do(Task::Show { head: head.clone() }));
    };
    let hours = run.policy.limits.hold_hours_max;
    let from = Some(shown.at).max(work.retried_at).unwrap_or(shown.at);
    let until = from.plus(i64::from(hours) * 3_600_000);
    if run.at >= until {
        let text = format!("nobody said `/push` for `{}` within {hours} hours", head.short());
        return Some(super::park(ParkReason::NotReleased, text));
    }
    let what = format!("`/push` of exactly `{}` by somebody who may write", head.short());
    Some(super::wait(what, Some((until, "it asks you what to do")), super::PEOPLE_MS))
}

/// People can read it now.
pub(super) fn shown(run: &mut Run<'_>, head: &CommitSha, diff: &Diff) {
    let at = run.at;
    run.work().held = Some(Held { head: head.clone(), at, diff: diff.clone() });
}
