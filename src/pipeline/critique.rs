//! What a critic found in one commit: shown, repaired, and never anybody's yes.
//!
//! No gate reads it and nothing of it is an approval. It can only keep a change that an agent made
//! from being pushed for a while, until it is repaired or a person says otherwise.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::state::Approval;
use crate::model::CommitSha;
use crate::policy::Severity;

/// Most findings kept of one review; the heaviest stay.
pub const FINDINGS_MAX: usize = 50;

/// What is known of reviews by agents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Critic {
    /// The last review.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<Box<Critique>>,
    /// `/push` for this head although a critic objects, or could not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waived: Option<Box<Approval>>,
    /// Times findings were given to the fixer since a person last said something.
    pub rounds: u32,
}

/// One review of one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Critique {
    pub head: CommitSha,
    /// Untrusted text.
    pub summary: String,
    /// The heaviest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// Findings beyond [`FINDINGS_MAX`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u32,
    /// Nobody repairs it any more: the same was found again, or the fixer had nothing to give.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub given_up: bool,
}

/// One thing that is wrong, as a critic says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Untrusted, as everything here; empty when it is about the whole change.
    pub path: String,
    /// From 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    pub severity: Severity,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Critic {
    /// Nothing was ever reviewed.
    pub fn is_untouched(&self) -> bool {
        *self == Self::default()
    }

    /// What was found in exactly this commit.
    pub fn of(&self, head: &CommitSha) -> Option<&Critique> {
        self.found.as_deref().filter(|found| &found.head == head)
    }

    /// A person said that exactly this commit goes on whatever was found.
    pub fn is_waived(&self, head: &CommitSha) -> bool {
        self.waived.as_ref().is_some_and(|word| &word.head == head)
    }

    /// A person asked for another try.
    pub(super) fn anew(&mut self) {
        self.rounds = 0;
        if let Some(found) = &mut self.found {
            found.given_up = false;
        }
    }

    /// Another commit with the same tree takes the place of `of`.
    pub(super) fn take_over(&mut self, of: &CommitSha, twin: &CommitSha) {
        if let Some(found) = self.found.as_mut().filter(|found| &found.head == of) {
            found.head = twin.clone();
        }
    }
}

impl Critique {
    /// What weighs at least `severity`.
    pub fn open(&self, severity: Severity) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.severity >= severity)
    }

    /// Whether another review objects to the very same, wherever its lines have moved to.
    pub fn repeats(&self, before: &Self, severity: Severity) -> bool {
        let said = |critique: &Self| -> BTreeSet<(String, String)> {
            let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            critique.open(severity).map(|one| (one.path.clone(), plain(&one.text))).collect()
        };
        said(self) == said(before)
    }

    /// How many there are of which weight, as "2 major, 1 minor"; `None` when there are none.
    pub fn counted(&self) -> Option<String> {
        let of = |severity| self.findings.iter().filter(|one| one.severity == severity).count();
        let each = Severity::ALL.map(|severity| (of(severity), severity.word()));
        let each = each.iter().filter(|(count, _)| *count > 0);
        let each: Vec<String> = each.map(|(count, word)| format!("{count} {word}")).collect();
        (!each.is_empty()).then(|| each.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(severity: Severity, line: u32, text: &str) -> Finding {
        let (path, text) = ("a.rs".to_owned(), text.to_owned());
        Finding { path, line: Some(line), severity, text, suggestion: None }
    }

    fn critique(findings: Vec<Finding>) -> Critique {
        let head = CommitSha::parse(&"a".repeat(40)).unwrap();
        Critique { head, summary: String::new(), findings, left_out: 0, given_up: false }
    }

    #[test]
    fn only_what_weighs_enough_is_open() {
        let all = Severity::ALL.map(|severity| finding(severity, 1, severity.word()));
        let critique = critique(all.to_vec());
        let open = |severity| critique.open(severity).count();
        assert_eq!(
            [Severity::Critical, Severity::Major, Severity::Minor, Severity::Trivial].map(open),
            [1, 2, 3, 4]
        );
        assert_eq!(critique.counted().unwrap(), "1 critical, 1 major, 1 minor, 1 trivial");
    }

    #[test]
    fn the_same_words_on_another_line_are_the_same_finding() {
        let first = critique(vec![finding(Severity::Major, 3, "it  leaks")]);
        let again = critique(vec![
            finding(Severity::Major, 9, "it leaks"),
            finding(Severity::Trivial, 1, "a typo"),
        ]);
        assert!(again.repeats(&first, Severity::Major));
        assert!(!again.repeats(&first, Severity::Trivial));
        let other = critique(vec![finding(Severity::Major, 3, "it panics")]);
        assert!(!other.repeats(&first, Severity::Major));
        assert_eq!(critique(Vec::new()).counted(), None);
    }
}
