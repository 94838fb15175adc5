//! Enlist: GitHub is asked once to merge exactly the permitted head later.
//!
//! A request that may have been sent is never sent again: the looks that follow tell whether it
//! stands.

use super::Context;
use crate::gate::MergePermit;
use crate::github::Retry;
use crate::pipeline::standing::{Enlisted, Way};
use crate::pipeline::{Done, MergeAnswer};
use crate::worker::failure::Failure;

pub(super) async fn perform(
    context: &Context<'_>,
    permit: &MergePermit,
    way: Way,
) -> Result<Done, Failure> {
    if context.lease.attempts > 0 {
        let text = "Slipway was interrupted while asking".to_owned();
        return Ok(Done::Enlisted(Enlisted::Unknown { text }));
    }
    if context.state.stop_by.is_some() {
        return Ok(Done::Enlisted(Enlisted::No(MergeAnswer::NotSent)));
    }
    let people = context.engine.lost(context.state, context.state.merge_words()).await?;
    if !people.is_empty() {
        return Ok(Done::Lost { people });
    }
    context.vouch(permit.head()).await?;
    let order = context.order(permit).await?;
    match context.engine.ports.github.enlist(&context.at, way, &order).await {
        Ok(answer) => Ok(Done::Enlisted(answer)),
        // A limit proves that nothing happened: the same may be asked later.
        Err(error) if matches!(error.retry(), Retry::After(_)) => Err(error.into()),
        Err(error) => {
            let text = error.to_string();
            Ok(Done::Enlisted(Enlisted::No(MergeAnswer::Refused { text })))
        }
    }
}
