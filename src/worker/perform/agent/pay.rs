//! Paying for an agent: the calls a scripted one is taken to make, and what is kept of the work
//! of one that had to stop.

use super::super::Context;
use super::finish::attempt;
use crate::git::Workspace;
use crate::model::budget::Full;
use crate::model::{CommitSha, Cost};
use crate::pipeline::{Done, Role, Unfinished};
use crate::worker::failure::Failure;
use crate::worker::purse::{Purse, Refused};

/// Makes the calls, each settled at what it costs, until one is refused.
pub(super) async fn calls(purse: &Purse, calls: &[u64]) -> Result<(), Failure> {
    for micros in calls {
        let cost = Cost::Micros(*micros);
        match purse.reserve(cost, false).await {
            Ok(reservation) => purse.settle(reservation, cost).await?,
            Err(Refused::Full(_) | Refused::Unpriced) => return Ok(()),
            Err(Refused::Store(error)) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Keeps what an agent made that had to stop, if it may be kept; the run goes on from it later.
/// A plan is words, and half a merge is none.
pub(super) async fn stopped(
    context: &Context<'_>,
    role: Role,
    workspace: &Workspace,
    (full, summary, cost_micros): (Full, String, u64),
) -> Result<Done, Failure> {
    let left = keep(context, role, workspace, summary).await?;
    Ok(Done::BudgetUsed { full, left, cost_micros })
}

/// What an agent made by now, if it may be kept.
pub(super) async fn keep(
    context: &Context<'_>,
    role: Role,
    workspace: &Workspace,
    summary: String,
) -> Result<Option<Unfinished>, Failure> {
    match role {
        Role::Builder | Role::Fixer => left(context, role, workspace, summary).await,
        Role::Planner | Role::Resolver | Role::Critic => Ok(None),
    }
}

async fn left(
    context: &Context<'_>,
    role: Role,
    workspace: &Workspace,
    summary: String,
) -> Result<Option<Unfinished>, Failure> {
    let made = attempt(context, role, workspace, (&summary, 0)).await?.ok().flatten();
    Ok(made.map(|made| Unfinished { head: made.commit, tree: made.tree, summary }))
}

/// Keeps what an agent made that failed or is passed over, and tells it; says what was kept.
pub(super) async fn salvage(
    context: &Context<'_>,
    role: Role,
    workspace: &Workspace,
) -> Result<Option<CommitSha>, Failure> {
    let Some(left) = keep(context, role, workspace, String::new()).await? else { return Ok(None) };
    let head = left.head.clone();
    context.told().salvaged = Some(left);
    Ok(Some(head))
}
