//! Recognise: whether what is in the branch is exactly the merge that GitHub was asked for.

use super::Context;
use crate::gate::seen::Merge;
use crate::model::CommitSha;
use crate::pipeline::Done;
use crate::worker::failure::Failure;

/// The merge that was asked for.
pub(super) struct Asked<'a> {
    pub(super) head: &'a CommitSha,
    /// The tip of the base then; GitHub may have taken a later one.
    pub(super) base: &'a CommitSha,
}

pub(super) async fn perform(
    context: &Context<'_>,
    asked: &Asked<'_>,
    found: &CommitSha,
) -> Result<Done, Failure> {
    let work = &context.state.work;
    let seen = context.state.seen.as_deref().map(|seen| &seen.base);
    let (Some(branch), Some(base)) = (&work.branch, seen.or(work.base.as_ref())) else {
        return Err(Failure::Fault("a run without a branch awaits no update".to_owned()));
    };
    let tips = context.engine.tips(context.state, &[branch.clone(), base.clone()]).await?;
    let Some(tip) = tips.get(branch) else { return Ok(Done::Diverged { remote: None }) };
    if tip == found
        && let Some(base_tip) = tips.get(base)
        && let Some(tree) = proven(context, asked, (found, base_tip)).await?
    {
        return Ok(Done::Recognised { head: found.clone(), tree });
    }
    Ok(Done::Diverged { remote: Some(tip.clone()) })
}

/// The tree of `found` if it is the head with a commit of the base merged into it, not older
/// than the one asked for, and nothing else.
async fn proven(
    context: &Context<'_>,
    asked: &Asked<'_>,
    (found, base_tip): (&CommitSha, &CommitSha),
) -> Result<Option<crate::model::TreeSha>, Failure> {
    let (git, repo) = (&context.engine.ports.git, &context.at.repo);
    let parents = git.parents_of(repo, found).await?;
    let [first, second] = parents.as_slice() else { return Ok(None) };
    let of_base = git.contains(repo, base_tip, second).await?
        && git.contains(repo, second, asked.base).await?;
    if first != asked.head || !of_base {
        return Ok(None);
    }
    let tree = git.tree_of(repo, found).await?;
    match git.probe(repo, second, asked.head).await?.merge {
        Merge::Clean { tree: expected } => Ok((expected == tree).then_some(tree)),
        Merge::Conflict { .. } => Ok(None),
    }
}
