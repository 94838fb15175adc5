//! Verify: run the repository's own commands in the sandbox on exactly the head.

use super::{Done, Run, Stage, StageKind, Step, Task, repair};
use crate::pipeline::state::Complaint;
use crate::policy::Policy;

#[derive(Debug)]
pub(super) struct Verify;

impl Stage for Verify {
    fn doing(&self) -> &'static str {
        "is running the repository's own commands"
    }

    fn skipped(&self, policy: &Policy) -> bool {
        !policy.stages.verify || policy.verify.is_empty()
    }

    fn enter(&self, run: &mut Run<'_>) -> Step {
        let work = &run.state.work;
        let Some(head) = work.head.clone() else { return Step::Back(StageKind::Build) };
        if self.skipped(run.policy) || work.verified.as_ref() == Some(&head) {
            return Step::Next;
        }
        Step::Do(Task::Verify { head })
    }

    fn done(&self, run: &mut Run<'_>, done: &Done) -> Step {
        match done {
            Done::Verified { head, passed: true, .. } => {
                run.work().verified = Some(head.clone());
                Step::Next
            }
            Done::Verified { passed: false, log, signature, .. } => {
                let signature = format!("verify:{}", signature.as_deref().unwrap_or("?"));
                repair::fix(run, Complaint::Verification { log: log.clone() }, &signature)
            }
            other => repair::done(run, StageKind::Verify, other),
        }
    }
}
