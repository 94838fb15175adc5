//! A repository's rules, read from `.github/slipway.yml` on its default branch.

mod choice;
pub mod critique;
mod manual;
mod read;
#[cfg(test)]
pub(crate) mod wrapped;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::Dollars;
use crate::model::budget::{Caps, Scope};
use crate::model::trust::Trust;

pub use choice::Agents;
pub use critique::{Critique, Severity, Then};
pub use manual::manual;
pub use read::PolicyError;

/// Largest policy file, in bytes.
pub const POLICY_BYTES_MAX: usize = 64 * 1024;
/// Where the policy lives.
pub const POLICY_PATH: &str = ".github/slipway.yml";

/// A repository's rules with every default spelled out in [`Policy::default`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    pub stages: Stages,
    pub merge: MergeMode,
    /// How a permitted merge is asked for, where the branch has no merge queue.
    pub merge_with: MergeWith,
    /// Preferred way to merge; the first one the repository allows otherwise.
    pub method: MergeMethod,
    pub freshness: Freshness,
    /// How long our own pull requests stay drafts.
    pub draft: Draft,
    /// Who makes the commits of the branch, where both could.
    pub commits: Commits,
    /// Who merges the base into the branch, where that is clean.
    pub update_with: UpdateWith,
    /// Commands run in the sandbox on exactly the head, each by `sh -c`.
    pub verify: Vec<String>,
    /// Accept a head that no check speaks for.
    pub allow_no_checks: bool,
    /// The label that starts a run.
    pub label: String,
    /// Name of the agent, from the operator's list.
    pub agent: Option<String>,
    /// Agents of single stages.
    pub agents: Agents,
    /// Labels of an issue that choose an agent.
    pub agent_labels: BTreeMap<String, String>,
    /// Paths an agent may not change, beside the built-in ones; `dir/` means all below.
    pub protected: Vec<String>,
    /// Paths that need one more approving person when they change.
    pub review_paths: Vec<String>,
    /// Images that may be changed.
    pub allow_binary: Vec<String>,
    /// When a change waits for `/push`; `None` as the repository's visibility says.
    pub push: Option<PushMode>,
    /// What is done with comments of people who may not write; `None` as the visibility says.
    pub outsiders: Option<Outsiders>,
    /// Whether the word of whoever asked counts as an approval; `None` while nobody else may
    /// write.
    pub requester_may_approve: Option<bool>,
    pub critique: Critique,
    pub limits: Limits,
    pub budget: Budget,
    /// The rules in force: never read from the file, and whole but in tests.
    #[doc(hidden)]
    #[serde(skip)]
    pub trust: Trust,
}

/// Stages that can be left out. The others make the five claims true and cannot.
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the policy")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stages {
    pub plan: bool,
    pub verify: bool,
    /// Off by default: another agent reviews the change before it is pushed.
    pub critique: bool,
    pub review: bool,
}

/// Who decides that a verified, green head is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MergeMode {
    Auto,
    OnApproval,
    OnCommand,
    Never,
}

/// How a permitted merge is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MergeWith {
    /// The merge call, at the moment every gate passes.
    Api,
    /// GitHub's auto-merge, where its own rules still want something.
    AutoMerge,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum MergeMethod {
    Merge,
    #[default]
    Squash,
    Rebase,
}

/// What must hold between the head and the tip of the base at the moment of merging.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Freshness {
    /// The head contains the tip: the landed tree is the tree CI tested.
    Strict,
    /// Merging must be clean; GitHub's own rules may still demand more.
    Loose,
}

/// When a change is pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PushMode {
    /// At once.
    Direct,
    /// Once a person said `/push` for exactly it.
    Hold,
    /// The same where strangers' words were read, otherwise at once.
    HoldWhenTainted,
}

/// What is done with comments of people who may not write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outsiders {
    /// Quoted to the agent as data; the run is tainted.
    Quote,
    LeaveOut,
}

/// Whether pull requests are opened as drafts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Draft {
    /// Until everything is green and only people are missing: nobody is asked too early.
    UntilGreen,
    Never,
}

/// Who makes the commits that are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Commits {
    /// They are made here and pushed as they are, without a signature.
    Pushed,
    /// GitHub makes them once more with the same tree, and signs them, where it can.
    SignedByGithub,
}

/// Who merges the base into a branch that is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpdateWith {
    /// It is merged in our own mirror and pushed.
    Slipway,
    /// GitHub is asked for it, and what it made is compared.
    Github,
}

/// Upper bounds; a run stops and asks when it reaches one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    pub fix_rounds_max: u32,
    pub resolve_rounds_max: u32,
    pub review_rounds_max: u32,
    /// Times what a critic found is given to the agent.
    pub critique_rounds_max: u32,
    pub update_rounds_max: u32,
    /// Minutes one agent call may last.
    pub agent_minutes_max: u32,
    /// Minutes the verification commands may last together.
    pub verify_minutes_max: u32,
    /// Minutes until CI that never started is reported.
    pub ci_start_minutes_max: u32,
    /// Minutes CI may run on one head.
    pub ci_minutes_max: u32,
    /// Seconds without a new check before an unknown set of checks counts as complete.
    pub ci_quiet_seconds: u32,
    /// Files one change may touch.
    pub files_max: u32,
    /// Lines one change may add and remove.
    pub lines_max: u32,
    /// Bytes one file of a change may have.
    pub file_bytes_max: u32,
    /// Bytes the patch of one change may have.
    pub patch_bytes_max: u32,
    /// Questions that agents may ask people in one run.
    pub questions_max: u32,
    /// Sub-issues of one issue that are worked on at once.
    pub stories_at_once_max: u32,
    /// Hours a held change waits before a person is asked what to do.
    pub hold_hours_max: u32,
}

/// What runs here may spend, where that is less than the operator allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// One run.
    pub run: Option<Dollars>,
    /// All runs of one issue.
    pub issue: Option<Dollars>,
}

impl Budget {
    pub fn caps(&self) -> Caps {
        let said = [(Scope::Run, self.run), (Scope::Issue, self.issue)];
        said.into_iter()
            .filter_map(|(scope, cap)| Some((scope, cap?)))
            .fold(Caps::default(), |caps, (scope, cap)| caps.with(scope, cap.0))
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            stages: Stages::default(),
            merge: MergeMode::OnApproval,
            merge_with: MergeWith::Api,
            method: MergeMethod::Squash,
            freshness: Freshness::Strict,
            draft: Draft::UntilGreen,
            commits: Commits::Pushed,
            update_with: UpdateWith::Slipway,
            verify: Vec::new(),
            allow_no_checks: false,
            label: "go".to_owned(),
            agent: None,
            agents: Agents::default(),
            agent_labels: BTreeMap::new(),
            protected: Vec::new(),
            review_paths: Vec::new(),
            allow_binary: Vec::new(),
            push: None,
            outsiders: None,
            requester_may_approve: None,
            critique: Critique::default(),
            limits: Limits::default(),
            budget: Budget::default(),
            trust: Trust::whole(),
        }
    }
}

impl Default for Stages {
    fn default() -> Self {
        Self { plan: true, verify: true, critique: false, review: true }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fix_rounds_max: 3,
            resolve_rounds_max: 3,
            review_rounds_max: 3,
            critique_rounds_max: 2,
            update_rounds_max: 5,
            agent_minutes_max: 30,
            verify_minutes_max: 20,
            ci_start_minutes_max: 10,
            ci_minutes_max: 60,
            ci_quiet_seconds: 90,
            files_max: 100,
            lines_max: 5_000,
            file_bytes_max: 1 << 20,
            patch_bytes_max: 4 << 20,
            questions_max: 3,
            stories_at_once_max: 1,
            hold_hours_max: 72,
        }
    }
}
