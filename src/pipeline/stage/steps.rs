//! What several stages say: waits, parks, and what an end that a stage does not know means.

use super::{Done, Run, StageKind, Step};
use crate::gate::push::Violation;
use crate::model::text::cut;
use crate::model::{CommitSha, Millis};
use crate::pipeline::park::{Park, ParkReason};
use crate::pipeline::state::{Until, Wait};

/// Milliseconds between looks while machines are awaited and no webhook comes.
pub const LOOK_MS: i64 = 60_000;
/// Milliseconds between looks while people are awaited (merge facts, I13: at most 10 minutes).
pub const PEOPLE_MS: i64 = 600_000;

pub(in crate::pipeline) fn park(why: ParkReason, text: impl Into<String>) -> Step {
    Step::Park(Park { why, text: text.into() })
}

pub(super) fn wait(what: String, until: Option<(Millis, &str)>, look_ms: i64) -> Step {
    let until = until.map(|(at, then)| Until { at, then: then.to_owned() });
    Step::Wait(Wait { what, until, look_ms })
}

/// Remembers why the push gate refused an attempt.
pub(super) fn refused(run: &mut Run<'_>, why: &str, violations: &[Violation]) {
    let work = run.work();
    work.rejection = Some(why.to_owned());
    work.violations = violations.to_vec();
}

/// A look is on its way; nothing is known of this head yet.
pub(super) fn wait_to_see(_run: &Run<'_>) -> Step {
    wait("a look at GitHub".to_owned(), None, LOOK_MS)
}

/// A task ended in a way its stage does not know: the world failed, or a bug; ask a person.
pub(super) fn unexpected(stage: StageKind, done: &Done) -> Step {
    let text = match done {
        Done::Failed { why } => why.clone(),
        other => format!("the stage {} got an answer it does not know: {other:?}", stage.word()),
    };
    park(ParkReason::WorldFailed, cut(&text, 500))
}

/// Since when the present head has been waited for: its publishing, or a person's `/retry`.
pub(super) fn patience(run: &Run<'_>) -> Millis {
    let work = &run.state.work;
    work.published_at.max(work.retried_at).unwrap_or(run.at)
}

/// Somebody else's commit becomes the head; evidence for other commits is void by itself.
pub(in crate::pipeline) fn adopt(run: &mut Run<'_>, head: CommitSha) {
    let at = run.at;
    // A person moved things: what agents made before is no sign of standing still any more.
    run.counts().trees.clear();
    if let Some(short) = &mut run.state.budget.short {
        short.left = None;
    }
    let work = run.work();
    if let Some(asked) = &mut work.asked {
        asked.left = None;
    }
    work.replaced = None;
    work.signing = None;
    work.updating = None;
    work.published = Some(head.clone());
    work.published_at = Some(at);
    work.head = Some(head);
    work.foreign = true;
}
