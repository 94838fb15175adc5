//! Land: what is in the base branch now, to be compared with what was predicted.

use super::Context;
use crate::model::CommitSha;
use crate::pipeline::Done;
use crate::worker::failure::Failure;

pub(super) async fn perform(context: &Context<'_>, commit: &CommitSha) -> Result<Done, Failure> {
    let base: Vec<_> =
        context.state.work.lane.iter().chain(&context.state.work.base).cloned().collect();
    let tips = context.engine.tips(context.state, &base).await?;
    let git = &context.engine.ports.git;
    let repo = &context.at.repo;
    let tip = base.first().and_then(|base| tips.get(base));
    let inside = match tip {
        Some(tip) => git.contains(repo, tip, commit).await?,
        None => false,
    };
    if !inside {
        // GitHub answers before every replica has the branch: ask again.
        return Err(crate::git::Error::Missing(format!("{commit} in the base branch")).into());
    }
    let tree = git.tree_of(repo, commit).await?;
    Ok(Done::Landed { tree, commit: commit.clone() })
}
