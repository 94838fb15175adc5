//! How many heavy jobs may be leased at once: in all, in a repository, of an agent.

use std::collections::BTreeMap;

use super::{Claim, Heavy};
use crate::model::Repo;

/// What is left of a claim's limits, given what is leased.
#[derive(Debug)]
pub(super) struct Room {
    all: u32,
    per_repo_max: u32,
    repos: BTreeMap<Repo, u32>,
    agents: BTreeMap<String, u32>,
}

impl Room {
    /// Everything free that `claim` allows.
    pub(super) fn of(claim: &Claim) -> Self {
        Self {
            all: claim.heavy_max,
            per_repo_max: claim.heavy_per_repo_max,
            repos: BTreeMap::new(),
            agents: claim.heavy_per_agent_max.iter().cloned().collect(),
        }
    }

    pub(super) fn fits(&self, heavy: &Heavy) -> bool {
        let repo = self.repos.get(&heavy.repo).copied().unwrap_or(0) < self.per_repo_max;
        let agent = heavy.agent.as_ref().and_then(|agent| self.agents.get(agent));
        self.all > 0 && repo && agent.is_none_or(|left| *left > 0)
    }

    /// Counts one more.
    pub(super) fn take(&mut self, heavy: &Heavy) {
        self.all = self.all.saturating_sub(1);
        let repo = self.repos.entry(heavy.repo.clone()).or_insert(0);
        *repo = repo.saturating_add(1);
        let agent = heavy.agent.as_ref().and_then(|agent| self.agents.get_mut(agent));
        if let Some(left) = agent {
            *left = left.saturating_sub(1);
        }
    }
}
