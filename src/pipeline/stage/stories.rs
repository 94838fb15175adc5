//! Stories: what the stage accept does for an issue that has sub-issues.

use super::{Done, Run, StageKind, Step, Task};
use crate::pipeline::state::Outcome;
use crate::pipeline::stories;

/// Reads how far they are, and starts those that may.
pub(super) fn ask() -> Step {
    Step::Do(Task::Stories { close: false })
}

pub(super) fn done(run: &mut Run<'_>, done: &Done) -> Step {
    match done {
        Done::Stories { stories: read, elsewhere } => {
            let work = run.work();
            work.stories.clone_from(read);
            work.stories_elsewhere = *elsewhere;
            match (stories::are_over(read), elsewhere) {
                (true, 0) => Step::Do(Task::Stories { close: true }),
                (true, _) => Step::Finish(Outcome::HandedOver { why: finished(run) }),
                (false, _) => super::wait(stories::awaited(read), None, super::PEOPLE_MS),
            }
        }
        Done::Closed => Step::Finish(Outcome::HandedOver { why: finished(run) }),
        other => super::unexpected(StageKind::Accept, other),
    }
}

fn finished(run: &Run<'_>) -> String {
    let work = &run.state.work;
    let all = work.stories.len();
    match work.stories_elsewhere {
        0 => format!("All {all} stories are done."),
        left => format!(
            "All {all} stories here are done; {left} in other repositories are left to you."
        ),
    }
}
