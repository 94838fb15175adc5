//! Ask update: GitHub is asked once to merge the base into exactly the head. What becomes of it
//! shows in the branch, so a request that may have left is never sent again.

use super::Context;
use crate::github::Retry;
use crate::model::{CommitSha, PullNumber};
use crate::pipeline::{Done, UpdateAnswer};
use crate::worker::failure::Failure;

pub(super) async fn perform(
    context: &Context<'_>,
    pull: PullNumber,
    head: &CommitSha,
) -> Result<Done, Failure> {
    if context.lease.attempts > 0 {
        let text = "Slipway was interrupted while asking".to_owned();
        return Ok(Done::UpdateAsked(UpdateAnswer::Unknown { text }));
    }
    match context.engine.ports.github.update_branch(&context.at, pull, head).await {
        Ok(answer) => Ok(Done::UpdateAsked(answer)),
        Err(error) if matches!(error.retry(), Retry::After(_)) => Err(error.into()),
        Err(error) => Ok(Done::UpdateAsked(UpdateAnswer::No { text: error.to_string() })),
    }
}
