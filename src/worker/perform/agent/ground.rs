//! Where an agent works: a workspace on the right commit, and what lies beside it.

use std::collections::BTreeMap;

use super::super::Context;
use crate::agent::{Place, result};
use crate::git::{RESULT_PATH, Workspace, WorkspaceOrder};
use crate::model::{BranchName, CommitSha};
use crate::pipeline::Role;
use crate::sandbox::Limits;
use crate::worker::failure::Failure;

/// Where the agent begins: on the base, on our head, or on a merge of both. Wherever that is,
/// what steers it is the base branch's.
pub(super) fn order(
    context: &Context<'_>,
    role: Role,
    tips: &BTreeMap<BranchName, CommitSha>,
) -> Result<WorkspaceOrder, Failure> {
    let state = context.state;
    let left = state.left().map(|left| &left.head);
    let onto = state.work.onto.as_ref();
    let missing = || Failure::Fault("the run has no commit to begin from".to_owned());
    let (at, merge) = match role {
        Role::Planner | Role::Builder => {
            (left.or(state.work.head.as_ref()).or(onto).ok_or_else(missing)?, None)
        }
        Role::Fixer => (left.map_or_else(|| context.head(), Ok)?, None),
        Role::Critic => (context.head()?, None),
        Role::Resolver => {
            let seen = state.seen.as_deref().ok_or_else(missing)?;
            (context.head()?, Some(seen.base_tip.clone()))
        }
    };
    Ok(WorkspaceOrder {
        repo: state.request.repo.clone(),
        run: state.request.run.clone(),
        name: format!("e{}", state.entry),
        at: at.clone(),
        merge,
        steering: state.work.base.as_ref().and_then(|base| tips.get(base)).cloned(),
    })
}

pub(super) fn place(context: &Context<'_>, workspace: &Workspace) -> Place {
    let engine = context.engine;
    let can_mask = engine.ports.sandbox.can_mask();
    Place {
        directory: workspace.path.clone(),
        workspace: workspace.key.clone(),
        doors: Vec::new(),
        read_only: workspace.borrowed.clone(),
        masks: if can_mask { workspace.absent.clone() } else { Vec::new() },
        limits: Limits {
            wall_ms_max: u64::from(context.policy.limits.agent_minutes_max) * 60_000,
            output_bytes_max: engine.settings.limits.output_bytes_max,
            ..Limits::default()
        },
    }
}

/// A canary, and where a result may be left.
pub(super) async fn beside(
    context: &Context<'_>,
    workspace: &Workspace,
) -> Result<Vec<(String, String)>, Failure> {
    Ok(vec![context.engine.plant(workspace).await?, result_place(context, workspace)])
}

/// Where a result may be left, as the variable that names it.
pub(super) fn result_place(context: &Context<'_>, workspace: &Workspace) -> (String, String) {
    let place = context.engine.ports.sandbox.seen(&workspace.path).join(RESULT_PATH);
    (result::VARIABLE.to_owned(), place.to_string_lossy().into_owned())
}
