//! Who does the work of one run, and who chose it; frozen with the request.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::stage::Role;
use super::state::Request;
use crate::policy::Agents;

/// What chose the agents of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    pub by: By,
    /// Agents of single stages, where the policy names them and nobody chose for all.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stages: BTreeMap<Role, String>,
}

/// Whose choice it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// `/go --agent`.
    Command,
    /// This label of the issue.
    Label(String),
    /// The repository's policy, or the operator's order.
    Rules,
}

impl Request {
    /// The agent that does `role`; `None` where nobody said, in requests of old.
    pub fn agent_of(&self, role: Role) -> Option<&str> {
        let own = self.chosen.as_ref().and_then(|chosen| chosen.stages.get(&role));
        own.or(self.agent.as_ref()).map(String::as_str)
    }

    /// The agent that a person named for this request, and would name again.
    pub fn named_agent(&self) -> Option<&String> {
        let named = match &self.chosen {
            // It was not kept who chose.
            None => true,
            Some(chosen) => match chosen.by {
                By::Command => true,
                By::Label(_) | By::Rules => false,
            },
        };
        self.agent.as_ref().filter(|_| named)
    }
}

/// The agent that the policy names for the stage in which `role` works.
pub fn of_stage(agents: &Agents, role: Role) -> Option<&str> {
    match role {
        Role::Planner => agents.plan.as_deref(),
        Role::Builder => agents.build.as_deref(),
        Role::Fixer => agents.fix.as_deref(),
        Role::Resolver => agents.resolve.as_deref(),
        Role::Critic => agents.critique.as_deref(),
    }
}
