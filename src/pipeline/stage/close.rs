//! Close: close the issue if GitHub did not, delete our branch, and end as merged.

use super::{Done, Run, Stage, StageKind, Step, Task};
use crate::pipeline::state::Outcome;

#[derive(Debug)]
pub(super) struct Close;

impl Stage for Close {
    fn doing(&self) -> &'static str {
        "is tidying up"
    }

    fn enter(&self, run: &mut Run<'_>) -> Step {
        match run.state.work.landed.clone() {
            Some(landed) => Step::Do(Task::Close { landed }),
            None => Step::Back(StageKind::Merge),
        }
    }

    fn done(&self, run: &mut Run<'_>, done: &Done) -> Step {
        match (done, run.state.work.landed.clone()) {
            // The change is in; what could not be tidied up does not make that untrue.
            (Done::Closed | Done::Failed { .. }, Some(commit)) => {
                let verified = run.state.work.landed_verified;
                let by = run.state.work.merged_by.clone();
                Step::Finish(Outcome::Merged { commit, verified, by })
            }
            (other, _) => super::unexpected(StageKind::Close, other),
        }
    }
}
