//! Ready: the last look before a merge. The lane is taken in the transaction that records it.

use super::Context;
use crate::pipeline::Done;
use crate::worker::failure::Failure;

pub(super) async fn perform(context: &Context<'_>) -> Result<Done, Failure> {
    let Some(pull) = context.state.work.pull else {
        return Err(Failure::Fault("a run without a pull request cannot merge".to_owned()));
    };
    let seen = context.engine.seen(context.state, context.policy, pull).await?;
    Ok(Done::Ready(Box::new(seen)))
}
