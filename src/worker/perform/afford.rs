//! Afford: whether the agent that had to stop could make the call it was refused.

use super::Context;
use crate::pipeline::Done;
use crate::worker::failure::Failure;

pub(super) async fn perform(context: &Context<'_>) -> Result<Done, Failure> {
    let Some(short) = context.state.budget.short.as_deref() else {
        return Err(Failure::Fault("no agent had to stop".to_owned()));
    };
    let purse = context.engine.purse(context.state, context.policy);
    context.tell(purse.spending().await?);
    Ok(match purse.full(short.full.asked).await? {
        Some(full) => Done::BudgetUsed { full, left: None, cost_micros: 0 },
        None => Done::Affordable,
    })
}
