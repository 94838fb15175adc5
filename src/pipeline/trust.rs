//! What a run may do on whose word: its taint, who answers for it, and what is held.

use serde::{Deserialize, Serialize};

use super::frozen::{Level, Taint};
use super::state::State;
use crate::model::trust::Rule;
use crate::model::{CommitSha, Millis, User};
use crate::policy::{Policy, PushMode};

/// Largest patch kept of a held change, in bytes.
pub const HELD_BYTES_MAX: usize = 60_000;
/// Most paths listed of a held change.
pub const HELD_FILES_MAX: usize = 300;

/// A change that waits for `/push`, as people are shown it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub head: CommitSha,
    /// Since when it is shown.
    pub at: Millis,
    pub diff: Diff,
}

/// What a commit changes, cut to limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Diff {
    pub files: Vec<DiffFile>,
    /// Files beyond [`HELD_FILES_MAX`].
    pub more_files: u32,
    /// Lines put in and taken out, at most [`HELD_BYTES_MAX`] bytes.
    pub patch: String,
    /// The patch does not hold every line.
    pub is_cut: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffFile {
    pub path: String,
    pub added: u32,
    pub removed: u32,
}

impl State {
    /// What taints it from its beginning.
    pub(super) fn taint_of_request(&mut self) {
        let Some(frozen) = &self.request.frozen else { return };
        if frozen.level == Level::Quote {
            self.tainted.insert(Taint::Issue);
        }
        if frozen.remarks.iter().any(|remark| remark.level == Level::Quote) {
            self.tainted.insert(Taint::Comments);
        }
    }

    /// Why a person must agree whatever the policy says, when one must.
    pub fn taint(&self, policy: &Policy) -> Option<Taint> {
        self.tainted.first().copied().filter(|_| policy.trust.holds(Rule::Taint))
    }

    /// Whether a change waits for a person's `/push` (security facts, §5.6).
    pub fn holds_push(&self, policy: &Policy) -> bool {
        let strange = self.tainted.iter().any(|taint| taint.holds());
        let public = self.request.frozen.as_ref().is_none_or(|frozen| frozen.public);
        let holds = match policy.push {
            Some(PushMode::Direct) => false,
            Some(PushMode::Hold) => true,
            Some(PushMode::HoldWhenTainted) => strange,
            None => strange && public,
        };
        holds && policy.trust.holds(Rule::Hold)
    }

    /// Whether no registry may be reached from its sandbox: code of a private repository must
    /// not leave on strangers' words (security facts, §4.1).
    pub fn bars_registries(&self, policy: &Policy) -> bool {
        let public = self.request.frozen.as_ref().is_some_and(|frozen| frozen.public);
        !public && self.taint(policy).is_some()
    }

    /// Who answers for the run: whoever asked, or took it over since.
    pub fn sponsor(&self) -> &User {
        self.sponsor.as_ref().unwrap_or(&self.request.by)
    }

    /// What is shown and waits for `/push`.
    pub fn held(&self) -> Option<&Held> {
        let work = &self.work;
        let waits = self.finished().is_none() && work.published != work.head;
        work.held.as_ref().filter(|held| waits && work.head.as_ref() == Some(&held.head))
    }

    /// Without whose permission nothing may be pushed now.
    pub fn push_words(&self) -> Vec<&User> {
        let head = self.work.head.as_ref();
        let released = self.work.released.iter().filter(|word| Some(&word.head) == head);
        [self.sponsor()].into_iter().chain(released.map(|word| &word.by)).collect()
    }

    /// Without whose permission nothing may be merged now.
    pub fn merge_words(&self) -> Vec<&User> {
        let work = &self.work;
        let words = work.approved.iter().chain(&work.merge_ordered);
        let of_head = words.filter(|word| Some(&word.head) == work.head.as_ref());
        [self.sponsor()].into_iter().chain(of_head.map(|word| &word.by)).collect()
    }
}
