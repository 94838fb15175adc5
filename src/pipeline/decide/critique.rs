//! A person's word on a change that a critic objects to, or could not review.

use super::walk;
use crate::command::Authorized;
use crate::pipeline::effect::Answer;
use crate::pipeline::park::ParkReason;
use crate::pipeline::run::Run;
use crate::pipeline::stage::{StageKind, Step};
use crate::pipeline::state::{Approval, Phase, Progress};

/// `/push` while the run asks about a review: exactly this commit goes on as it is. `None` when
/// it asks something else. Whatever else holds a push still holds it.
pub(super) fn waive(run: &mut Run<'_>, command: &Authorized) -> Option<Answer> {
    let Progress::Running { since, phase: Phase::Parked(park), .. } = &run.state.progress else {
        return None;
    };
    if park.why != ParkReason::CritiqueOpen {
        return None;
    }
    let (since, head) = (*since, run.state.work.head.clone()?);
    if command.is_older_than(since) {
        let text = "Another commit was reviewed since you wrote this; read what was found, then \
                    say it again.";
        return Some(Answer::Words(text.to_owned()));
    }
    run.work().critic.waived = Some(Box::new(Approval { by: command.by().clone(), head }));
    walk::go(run, Step::Back(StageKind::Critique));
    Some(Answer::Done)
}
