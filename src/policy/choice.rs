//! Who does which stage: agents by the repository's policy.

use serde::{Deserialize, Serialize};

/// Agents of single stages, each written as `codex` or `codex:gpt-5.5`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Agents {
    /// Writes the plan.
    pub plan: Option<String>,
    /// Makes the change.
    pub build: Option<String>,
    /// Repairs what verification, CI or a reviewer found.
    pub fix: Option<String>,
    /// Resolves conflicts with the base branch.
    pub resolve: Option<String>,
    /// Reviews what was made.
    pub critique: Option<String>,
}
