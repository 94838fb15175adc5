//! Leave: take back what GitHub was asked to merge by itself, then read whether it is out.

use super::Context;
use crate::gate::seen::PullState;
use crate::github::Retry;
use crate::model::PullNumber;
use crate::pipeline::Done;
use crate::pipeline::standing::{Left, Way};
use crate::worker::failure::Failure;

pub(super) async fn perform(
    context: &Context<'_>,
    pull: PullNumber,
    way: Way,
) -> Result<Done, Failure> {
    let (github, at) = (&context.engine.ports.github, &context.at);
    let taken = match github.leave(at, way, pull).await {
        Ok(taken) => taken,
        Err(error) if matches!(error.retry(), Retry::After(_)) => return Err(error.into()),
        // What became of it is read below, whatever the answer was.
        Err(_) => false,
    };
    let found = github.pull(at, pull).await?;
    let left = match found.state {
        PullState::Merged { commit } => Left::Merged { commit },
        PullState::Closed => Left::Closed,
        PullState::Open => {
            let stands = match way {
                Way::Queue => github.line(at, pull).await?.entry.is_some(),
                Way::Auto => found.auto_merge.is_some(),
            };
            match (stands, taken) {
                (true, _) => Left::Unclear,
                (false, true) => Left::Out,
                (false, false) => Left::Absent,
            }
        }
    };
    Ok(Done::Left(left))
}
