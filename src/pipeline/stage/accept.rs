//! Accept: find the base branch, pin its tip, choose how to merge.

use super::{Adopted, Done, Run, Stage, Step, Task};
use crate::model::BranchName;
use crate::pipeline::stage::StageKind;
use crate::pipeline::state::Outcome;

#[derive(Debug)]
pub(super) struct Accept;

impl Stage for Accept {
    fn doing(&self) -> &'static str {
        "is reading the repository"
    }

    fn enter(&self, run: &mut Run<'_>) -> Step {
        let request = &run.state.request;
        if request.stories {
            return super::stories::ask();
        }
        Step::Do(Task::Accept { base: request.base.clone(), pull: request.pull })
    }

    fn done(&self, run: &mut Run<'_>, done: &Done) -> Step {
        if run.state.request.stories {
            return super::stories::done(run, done);
        }
        match done {
            Done::Accepted { base, tip, method, adopted, sandbox: _ } => {
                let request = &run.state.request;
                let name = format!("slipway/{}-{}", request.issue, request.run);
                let branch = BranchName::parse(&name).ok();
                let work = run.work();
                work.branch = branch;
                work.base = Some(base.clone());
                work.onto = Some(tip.clone());
                work.method = *method;
                if let Some(Adopted { pull, branch, head }) = adopted {
                    work.branch = Some(branch.clone());
                    work.pull = Some(*pull);
                    super::adopt(run, head.clone());
                }
                Step::Next
            }
            Done::NoBase { why } => Step::Finish(Outcome::Failed { why: why.clone() }),
            other => super::unexpected(StageKind::Accept, other),
        }
    }
}
