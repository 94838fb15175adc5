//! Update: merge the base into the head without an agent, when that is clean.

use super::Context;
use super::agent::message;
use crate::model::CommitSha;
use crate::pipeline::{Done, Role};
use crate::worker::failure::Failure;

pub(super) async fn perform(
    context: &Context<'_>,
    head: &CommitSha,
    base: &CommitSha,
) -> Result<Done, Failure> {
    context.refresh().await?;
    let message = message(context, Role::Resolver);
    let merged = context.engine.ports.git.merge(&context.at.repo, head, base, &message).await?;
    Ok(match merged {
        Some(made) => Done::Changed {
            head: made.commit,
            tree: made.tree,
            summary: String::new(),
            cost_micros: 0,
        },
        None => Done::Failed { why: "the base moved once more and conflicts now".to_owned() },
    })
}
