//! Tasks: one file each. A task begins by reading what is already so, does what is missing, and
//! says how it ended; it decides nothing.

mod accept;
mod afford;
mod agent;
mod ask_update;
mod close;
mod compare;
mod enlist;
mod land;
mod leave;
mod merge;
mod pack;
mod publish;
mod ready;
mod recognise;
mod settle;
mod show;
mod sign;
mod stories;
mod update;
mod verify;
mod way_out;

use std::sync::{Mutex, MutexGuard, PoisonError};

use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;

use super::Engine;
use super::failure::Failure;
use crate::gate::MergePermit;
use crate::github::{At, MergeOrder};
use crate::model::budget::Spending;
use crate::model::{BranchName, CommitSha, RunId};
use crate::pipeline::{Done, State, Task, Told, Worked};
use crate::policy::Policy;
use crate::report;
use crate::store::{Beat, Lease};

/// What a task works with.
struct Context<'a> {
    engine: &'a Engine,
    lease: &'a Lease,
    state: &'a State,
    policy: &'a Policy,
    at: At,
    cancel: &'a CancellationToken,
    /// What is told beside how the task ended.
    told: Mutex<Told>,
}

/// How a task ended, and what is told beside.
pub(super) struct Ended {
    pub(super) done: Done,
    pub(super) told: Told,
}

impl Engine {
    pub(super) async fn perform(
        &self,
        lease: &Lease,
        run: &RunId,
        task: &Task,
        cancel: &CancellationToken,
    ) -> Result<Ended, Failure> {
        let Some(snapshot) = self.ports.store.load(run).await? else {
            return Err(Failure::Fault(format!("there is no run {run}")));
        };
        if snapshot.state.finished().is_some() {
            return Err(Failure::Unwanted);
        }
        let state = &snapshot.state;
        let at = Self::at(state);
        let policy = &snapshot.policy;
        let told = Mutex::default();
        let context = Context { engine: self, lease, state, policy, at, cancel, told };
        let done = match task {
            Task::Accept { base, pull } => accept::perform(&context, base.as_ref(), *pull).await,
            Task::Agent { role, round } => Box::pin(agent::perform(&context, *role, *round)).await,
            Task::Afford => afford::perform(&context).await,
            Task::Verify { head } => verify::perform(&context, head).await,
            Task::Show { head } => show::perform(&context, head).await,
            Task::Publish { head, expect } => {
                publish::perform(&context, head, expect.as_ref()).await
            }
            Task::Update { head, base } => update::perform(&context, head, base).await,
            Task::AskUpdate { pull, head, .. } => ask_update::perform(&context, *pull, head).await,
            Task::Recognise { head, base, found } => {
                let asked = recognise::Asked { head, base };
                recognise::perform(&context, &asked, found).await
            }
            Task::Rerun { checks } => {
                for check in checks {
                    self.ports.github.rerun(&context.at, *check).await?;
                }
                Ok(Done::Reran)
            }
            Task::Stories { close } => stories::perform(&context, *close).await,
            Task::Undraft { pull } => {
                self.ports.github.mark_ready(&context.at, *pull).await?;
                Ok(Done::Undrafted)
            }
            Task::Ready { .. } => ready::perform(&context).await,
            Task::Merge(permit) => merge::perform(&context, permit).await,
            Task::Settle { permit } => settle::perform(&context, permit).await,
            Task::Enlist { permit, way } => enlist::perform(&context, permit, *way).await,
            Task::Leave { pull, way } => leave::perform(&context, *pull, *way).await,
            Task::Compare { commit, permit } => compare::perform(&context, commit, permit).await,
            Task::Land { commit, .. } => land::perform(&context, commit).await,
            Task::Close { .. } => close::perform(&context).await,
        }?;
        let told = context.told.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Ended { done, told })
    }
}

impl Context<'_> {
    /// Tells people what the run has spent.
    fn tell(&self, spending: Spending) {
        self.told().spending = Some(spending);
    }

    /// Tells people that an agent stands in for another, and why; or that none does.
    fn stood_in(&self, why: Option<String>) {
        self.told().stood_in = why;
    }

    /// Tells people what an agent did.
    fn worked(&self, worked: Worked) {
        self.told().worked.push(worked);
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn head(&self) -> Result<&CommitSha, Failure> {
        let head = self.state.work.head.as_ref();
        head.ok_or_else(|| Failure::Fault("the task needs a head, and there is none".to_owned()))
    }

    fn links(&self) -> report::Links {
        self.engine.links(self.state)
    }

    /// What the texts of the run are made from.
    fn report<'a>(&'a self, links: &'a report::Links) -> report::Context<'a> {
        report::Context::new(self.state, self.policy, links)
    }

    /// What GitHub is asked to merge. Whoever lost the job meanwhile, or does not know, gets
    /// nothing to send.
    async fn order(&self, permit: &MergePermit) -> Result<MergeOrder, Failure> {
        let until = self.engine.now().plus(self.engine.settings.limits.lease_ms);
        match self.engine.ports.store.heartbeat(self.lease, until).await? {
            Beat::Kept => {}
            Beat::Cancelled | Beat::Lost => return Err(Failure::Unwanted),
        }
        let links = self.links();
        let texts = self.report(&links);
        Ok(MergeOrder {
            pull: permit.pull(),
            head: permit.head().clone(),
            method: permit.method(),
            title: self.engine.sanitizer.text(&report::merge_title(&texts)),
            message: self.engine.sanitizer.text(&report::merge_message(&texts)),
        })
    }

    /// Where a rule requires our own check, it says yes before GitHub is asked to merge.
    async fn vouch(&self, head: &CommitSha) -> Result<(), Failure> {
        if !self.state.seen.as_deref().is_some_and(|seen| seen.rules.ours) {
            return Ok(());
        }
        let github = &self.engine.ports.github;
        let run = super::vouch::on_head(self.state, head);
        match github.check_run_of(&self.at, head).await? {
            Some(id) => github.update_check_run(&self.at, id, &run).await?,
            None => drop(github.create_check_run(&self.at, &run).await?),
        }
        Ok(())
    }

    /// Makes sure the run's commits are in the mirror: it is a cache and may have been lost.
    /// Says where the run's branches are now.
    async fn refresh(&self) -> Result<BTreeMap<BranchName, CommitSha>, Failure> {
        let work = &self.state.work;
        let branches: Vec<_> = work.base.iter().chain(work.branch.iter()).cloned().collect();
        self.engine.tips(self.state, &branches).await
    }
}
