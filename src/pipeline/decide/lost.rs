//! On whose word something would have been pushed or merged, may not write any more.

use crate::model::User;
use crate::pipeline::park::{Park, ParkReason};
use crate::pipeline::run::Run;
use crate::pipeline::stage::{Step, Task};

/// Nothing was sent. Their words are void, and a person who may write takes over or stops.
pub(super) fn lost(run: &mut Run<'_>, people: &[User]) -> Step {
    let task = run.state.task().cloned();
    let work = run.work();
    match task {
        Some(Task::Merge(_)) => {
            work.unsettled = None;
            work.predicted = None;
        }
        Some(Task::Enlist { .. }) => work.standing = None,
        Some(_) | None => {}
    }
    let theirs = |by: &User| people.iter().any(|lost| lost.id == by.id);
    for word in [&mut work.approved, &mut work.merge_ordered, &mut work.released] {
        word.take_if(|word| theirs(&word.by));
    }
    let names: Vec<&str> = people.iter().map(|user| user.login.as_str()).collect();
    let text = format!(
        "this rests on the word of {}, who may not write to this repository any more",
        names.join(" and ")
    );
    Step::Park(Park { why: ParkReason::PermissionLost, text })
}
