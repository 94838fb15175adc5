//! Merge: one call, for exactly the permitted head. Never sent when it may have been sent.

use super::Context;
use crate::gate::MergePermit;
use crate::github::Retry;
use crate::model::trust::Rule;
use crate::pipeline::{Done, MergeAnswer};
use crate::worker::failure::Failure;

pub(super) async fn perform(context: &Context<'_>, permit: &MergePermit) -> Result<Done, Failure> {
    if context.lease.attempts > 0 {
        let text = "Slipway was interrupted while merging".to_owned();
        return Ok(Done::MergeAnswered(MergeAnswer::Unknown { text }));
    }
    if context.state.stop_by.is_some() {
        return Ok(Done::MergeAnswered(MergeAnswer::NotSent));
    }
    let people = context.engine.lost(context.state, context.state.merge_words()).await?;
    if !people.is_empty() {
        return Ok(Done::Lost { people });
    }
    // Whoever merged between the last look and our lane moved the base: look again, send nothing.
    let base = std::slice::from_ref(permit.base());
    let tips = context.engine.tips(context.state, base).await?;
    if tips.get(permit.base()) != Some(permit.base_tip()) {
        return Ok(Done::MergeAnswered(MergeAnswer::BaseModified));
    }
    context.vouch(permit.head()).await?;
    let mut order = context.order(permit).await?;
    if !context.engine.holds(Rule::PinnedHead) {
        order.head = context.engine.ports.github.pull(&context.at, order.pull).await?.head;
    }
    match context.engine.ports.github.merge(&context.at, &order).await {
        Ok(answer) => Ok(Done::MergeAnswered(answer)),
        // A limit proves that nothing happened: the same call may be made later.
        Err(error) if matches!(error.retry(), Retry::After(_)) => Err(error.into()),
        Err(error) => Ok(Done::MergeAnswered(MergeAnswer::Refused { text: error.to_string() })),
    }
}
