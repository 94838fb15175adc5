//! The gate under attack: every attack fails, and succeeds with exactly its rule taken away.

mod files;
mod names;
mod review;
mod values;

use super::*;
use crate::model::Vault;

/// A change, what may be said of it, and what is known.
#[derive(Debug, Default)]
pub(super) struct Trial<'a> {
    pub(super) policy: Policy,
    pub(super) files: Vec<FileChange>,
    pub(super) near: Vec<Near>,
    pub(super) texts: Vec<(&'a str, &'a str)>,
    pub(super) secrets: Vault,
    pub(super) canaries: Vault,
    pub(super) repairing: bool,
    pub(super) patch_bytes: u64,
}

impl Trial<'_> {
    pub(super) fn of(files: Vec<FileChange>) -> Self {
        Self { files, ..Self::default() }
    }

    fn with<T>(&self, judge: impl FnOnce(&Change<'_>, &Known<'_>) -> T) -> T {
        let start = CommitSha::parse(&"a".repeat(40)).unwrap();
        let change = Change {
            files: &self.files,
            near: &self.near,
            patch_bytes: self.patch_bytes,
            truncated: false,
            markers: &[],
            from: Some(&start),
            recorded: None,
            only: None,
            repairing: self.repairing,
            texts: &self.texts,
        };
        judge(&change, &Known { secrets: &self.secrets, canaries: &self.canaries })
    }

    pub(super) fn judge(&self) -> Judgement {
        self.with(|change, known| judge(&self.policy, change, known))
    }

    pub(super) fn without(&self, rule: Rule) -> Judgement {
        self.with(|change, known| judge_without(rule, &self.policy, change, known))
    }

    /// What is refused, all of it by `rule`; and nothing is, once that rule is taken away.
    pub(super) fn refused_by(&self, rule: Rule) -> Vec<Violation> {
        let found = self.judge().refused;
        assert!(found.iter().all(|found| found.rule == rule), "{rule:?} alone: {found:?}");
        assert_eq!(self.without(rule).refused, [], "without {rule:?} it would leave");
        found
    }

    /// The same of what one more person must look at.
    pub(super) fn reviewed_by(&self, rule: Rule) -> Vec<Violation> {
        let Judgement { refused, review } = self.judge();
        assert_eq!(refused, [], "it may leave");
        assert!(review.iter().all(|found| found.rule == rule), "{rule:?} alone: {review:?}");
        assert_eq!(self.without(rule).review, [], "without {rule:?} nobody would look");
        review
    }
}

/// A new text file.
pub(super) fn added(path: &str, lines: &[&str]) -> FileChange {
    file(path, ChangeKind::Added, lines)
}

pub(super) fn file(path: &str, kind: ChangeKind, lines: &[&str]) -> FileChange {
    let count = u32::try_from(lines.len()).unwrap();
    let numbered = (1..).zip(lines).map(|(number, text)| Line { number, text: (*text).to_owned() });
    FileChange {
        content: if kind == ChangeKind::Deleted { Content::Nothing } else { Content::Text },
        bytes: lines.iter().map(|line| line.len() as u64 + 1).sum(),
        added: count,
        added_lines: numbered.collect(),
        ..FileChange::new(path.to_owned(), kind)
    }
}

#[test]
fn every_rule_is_in_the_list_once_and_has_a_word() {
    let words: std::collections::BTreeSet<&str> =
        Rule::ALL.iter().map(|rule| rule.word()).collect();
    assert_eq!(words.len(), Rule::ALL.len());
}

#[test]
fn an_ordinary_change_leaves_without_a_word() {
    let files = vec![
        added("src/a.rs", &["fn main() {}", "// naïve café, 日本語, 👩‍💻, ❤️"]),
        file("README.md", ChangeKind::Modified, &["# Hello"]),
        file("old.txt", ChangeKind::Deleted, &[]),
        added("tests/a_test.rs", &["assert_eq!(1, 1);"]),
    ];
    assert_eq!(Trial::of(files).judge(), Judgement::default());
}

#[test]
fn what_starts_elsewhere_or_goes_beyond_its_task_is_refused() {
    let (one, two) = ("a".repeat(40), "b".repeat(40));
    let (one, two) = (CommitSha::parse(&one).unwrap(), CommitSha::parse(&two).unwrap());
    let trial = Trial::of(vec![added("other.rs", &["x"])]);
    let (asked, markers) = (["f.rs".to_owned()], ["g.rs".to_owned()]);
    let policy = Policy::default();
    trial.with(|change, known| {
        for (rule, change) in [
            (Rule::Provenance, Change { from: None, ..*change }),
            (Rule::Provenance, Change { from: Some(&one), recorded: Some(&two), ..*change }),
            (Rule::Scope, Change { only: Some(&asked), ..*change }),
            (Rule::Scope, Change { markers: &markers, ..*change }),
            (Rule::Counts, Change { truncated: true, ..*change }),
        ] {
            let found = judge(&policy, &change, known).refused;
            assert_eq!(found.iter().map(|f| f.rule).collect::<Vec<_>>(), [rule], "{found:?}");
            assert_eq!(judge_without(rule, &policy, &change, known).refused, []);
        }
        let same = Change { recorded: change.from, ..*change };
        assert_eq!(judge(&policy, &same, known).refused, []);
    });
}

#[test]
fn reasons_are_told_in_one_sentence_and_counted() {
    let files = (0..8).map(|n| added(&format!(".github/{n}"), &["x"])).collect();
    let reasons = Trial::of(files).judge().reasons().unwrap();
    assert!(reasons.starts_with("`.github/0` is protected") && reasons.ends_with("and 3 more"));
    assert_eq!(Judgement::default().reasons(), None);
}
