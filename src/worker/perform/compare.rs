//! Compare: what landed by GitHub's own hand, and what the permitted head makes of what was
//! there just before.

use super::Context;
use crate::gate::MergePermit;
use crate::gate::seen::Merge;
use crate::model::{CommitSha, Repo, TreeSha};
use crate::pipeline::Done;
use crate::policy::MergeMethod;
use crate::worker::Engine;
use crate::worker::failure::Failure;

pub(super) async fn perform(
    context: &Context<'_>,
    commit: &CommitSha,
    permit: &MergePermit,
) -> Result<Done, Failure> {
    let (engine, repo) = (context.engine, &context.at.repo);
    let tips = engine.tips(context.state, std::slice::from_ref(permit.base())).await?;
    let inside = match tips.get(permit.base()) {
        Some(tip) => engine.ports.git.contains(repo, tip, commit).await?,
        None => false,
    };
    if !inside {
        // GitHub answers before every replica has the branch: ask again.
        return Err(crate::git::Error::Missing(format!("{commit} in the base branch")).into());
    }
    let tree = engine.ports.git.tree_of(repo, commit).await?;
    let wanted = (permit.head(), permit.method());
    let expected = engine.made_of(repo, commit, wanted).await?;
    Ok(Done::Compared { tree, expected })
}

impl Engine {
    /// The tree `commit` must have if it adds exactly `head` to its first parent; `None` when
    /// it cannot: a conflict, no parent, or a merge that does not contain `head`.
    pub(in crate::worker) async fn made_of(
        &self,
        repo: &Repo,
        commit: &CommitSha,
        (head, method): (&CommitSha, MergeMethod),
    ) -> Result<Option<TreeSha>, Failure> {
        let git = &self.ports.git;
        if method == MergeMethod::Merge && !git.contains(repo, commit, head).await? {
            return Ok(None);
        }
        let Some(parent) = git.parent_of(repo, commit).await? else { return Ok(None) };
        match git.probe(repo, &parent, head).await?.merge {
            Merge::Clean { tree } => Ok(Some(tree)),
            Merge::Conflict { .. } => Ok(None),
        }
    }
}
