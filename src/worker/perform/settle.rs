//! Settle: reads only. Did a merge call whose answer was lost take effect?

use super::Context;
use crate::gate::MergePermit;
use crate::gate::seen::PullState;
use crate::pipeline::{Done, Settled};
use crate::worker::failure::Failure;

pub(super) async fn perform(context: &Context<'_>, permit: &MergePermit) -> Result<Done, Failure> {
    let ports = &context.engine.ports;
    let pull = ports.github.pull(&context.at, permit.pull()).await?;
    let tips = context.engine.tips(context.state, std::slice::from_ref(permit.base())).await?;
    let Some(tip) = tips.get(permit.base()) else {
        return Ok(Done::Settled(Settled::Unclear));
    };
    let repo = &context.at.repo;
    let settled = match pull.state {
        PullState::Merged { commit } => {
            // Both must say so: GitHub's interface and the branch itself.
            match ports.git.contains(repo, tip, &commit).await {
                Ok(true) => Settled::Landed { commit },
                Ok(false) | Err(_) => Settled::Unclear,
            }
        }
        PullState::Open | PullState::Closed if tip == permit.base_tip() => Settled::NotLanded,
        PullState::Open | PullState::Closed => {
            // The base moved: by us, with GitHub's record of the pull request behind, or not?
            let tree = ports.git.tree_of(repo, tip).await?;
            if &tree == permit.tree() { Settled::Unclear } else { Settled::NotLanded }
        }
    };
    Ok(Done::Settled(settled))
}
