//! What an agent is asked to be.

use serde::{Deserialize, Serialize};

/// What an agent is asked to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Says what it would do; changes nothing.
    Planner,
    /// Makes the change.
    Builder,
    /// Repairs what verification, CI, a critic or a reviewer complained about (`work.complaint`).
    Fixer,
    /// Resolves a merge of the base into the head.
    Resolver,
    /// Reviews what was made; changes nothing, and agrees to nothing.
    Critic,
}

impl Role {
    /// Every one, in the order of the pipeline.
    pub const ALL: [Self; 5] =
        [Self::Planner, Self::Builder, Self::Fixer, Self::Resolver, Self::Critic];

    /// The word for it in prompts, reports and scripts.
    pub fn word(self) -> &'static str {
        match self {
            Self::Planner => "planner",
            Self::Builder => "builder",
            Self::Fixer => "fixer",
            Self::Resolver => "resolver",
            Self::Critic => "critic",
        }
    }

    /// Whether what it leaves in its workspace may become a commit.
    pub fn edits(self) -> bool {
        match self {
            Self::Builder | Self::Fixer | Self::Resolver => true,
            Self::Planner | Self::Critic => false,
        }
    }
}
