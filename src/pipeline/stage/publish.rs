//! Publish: push the head and open the pull request, each at most once.

use super::{Done, Run, Stage, StageKind, Step, Task, hold};
use crate::pipeline::park::ParkReason;
use crate::pipeline::state::Outcome;
use crate::pipeline::twin::Signing;
use crate::policy::Draft;

#[derive(Debug)]
pub(super) struct Publish;

impl Stage for Publish {
    fn doing(&self) -> &'static str {
        "is publishing the change"
    }

    fn enter(&self, run: &mut Run<'_>) -> Step {
        let work = &run.state.work;
        let Some(head) = work.head.clone() else { return Step::Back(StageKind::Build) };
        if work.published.as_ref() == Some(&head) && work.pull.is_some() {
            return Step::Next;
        }
        if let Some(step) = hold::before_push(run, &head) {
            return step;
        }
        let work = &run.state.work;
        Step::Do(Task::Publish { head, expect: work.published.clone() })
    }

    fn done(&self, run: &mut Run<'_>, done: &Done) -> Step {
        match done {
            Done::Published { head, pull, signing } => {
                let (at, draft) = (run.at, run.policy.draft);
                let work = run.work();
                if let Some(Signing::Signed(twin)) = signing {
                    twin.take_over(work);
                }
                work.signing.clone_from(signing);
                work.drafted |= work.pull.is_none() && draft == Draft::UntilGreen;
                work.replaced = work.published.take().filter(|before| before != head);
                work.published = Some(head.clone());
                work.published_at = Some(at);
                work.pull = Some(*pull);
                (work.held, work.released) = (None, None);
                // What was seen before is not of this head, also when clocks cannot tell.
                run.state.seen = None;
                Step::Next
            }
            Done::Diverged { remote: Some(remote) } => {
                super::adopt(run, remote.clone());
                Step::Back(StageKind::Verify)
            }
            Done::Diverged { remote: None } => {
                let why = "The branch was deleted on GitHub.".to_owned();
                Step::Finish(Outcome::Stopped { why })
            }
            Done::Rejected { why, violations, .. } => {
                super::refused(run, why, violations);
                let text = format!("what is about to be pushed is refused: {why}");
                super::park(ParkReason::AgentStuck, text)
            }
            Done::Shown { head, diff } => {
                hold::shown(run, head, diff);
                self.enter(run)
            }
            other => super::unexpected(StageKind::Publish, other),
        }
    }
}
