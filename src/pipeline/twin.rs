//! A twin: another commit with the same tree, made and signed by GitHub in the place of ours.
//!
//! Evidence is bound to a commit, and this is the one place where it goes over to another
//! (ADR 0014): what the repository's own commands were run on is a tree, and the trees are the
//! same. The word of a person is not taken over, for it was given for a commit they saw.

use serde::{Deserialize, Serialize};

use super::state::Work;
use crate::model::{CommitSha, TreeSha};

/// The proof that `commit` holds exactly what `of` holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Twin {
    of: CommitSha,
    commit: CommitSha,
    tree: TreeSha,
}

/// How the present head came to its branch, where GitHub's signature was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signing {
    Signed(Twin),
    /// It was pushed as it is; why, as the rest of "because …".
    Pushed {
        why: String,
    },
}

impl Twin {
    /// `None` when the trees differ: then nothing that is known of one says anything of the other.
    pub fn of(
        (of, tree): (&CommitSha, &TreeSha),
        (commit, its_tree): (&CommitSha, &TreeSha),
    ) -> Option<Self> {
        (tree == its_tree).then(|| Self {
            of: of.clone(),
            commit: commit.clone(),
            tree: tree.clone(),
        })
    }

    /// The commit whose place it takes.
    pub fn original(&self) -> &CommitSha {
        &self.of
    }

    pub fn commit(&self) -> &CommitSha {
        &self.commit
    }

    /// The twin becomes the head, and takes over what was verified of the other's tree.
    pub(super) fn take_over(&self, work: &mut Work) {
        if work.head.as_ref() != Some(&self.of) {
            return;
        }
        work.head = Some(self.commit.clone());
        if work.verified.as_ref() == Some(&self.of) {
            work.verified = Some(self.commit.clone());
        }
        work.critic.take_over(&self.of, &self.commit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(digit: char) -> CommitSha {
        CommitSha::parse(&digit.to_string().repeat(40)).unwrap()
    }

    fn tree(digit: char) -> TreeSha {
        TreeSha::parse(&digit.to_string().repeat(40)).unwrap()
    }

    #[test]
    fn another_tree_is_no_twin() {
        let ours = (&commit('a'), &tree('1'));
        assert_eq!(Twin::of(ours, (&commit('b'), &tree('2'))), None);
        assert!(Twin::of(ours, (&commit('b'), &tree('1'))).is_some());
    }

    #[test]
    fn evidence_goes_over_only_from_the_commit_the_twin_is_of() {
        let ours = (&commit('a'), &tree('1'));
        let twin = Twin::of(ours, (&commit('b'), &tree('1'))).unwrap();
        let work = |head: char, verified: char| Work {
            head: Some(commit(head)),
            verified: Some(commit(verified)),
            without_checks: Some(commit('a')),
            ..Work::default()
        };
        let after = |head, verified| {
            let mut work = work(head, verified);
            twin.take_over(&mut work);
            (work.head, work.verified, work.without_checks)
        };
        let said = Some(commit('a'));
        assert_eq!(after('a', 'a'), (Some(commit('b')), Some(commit('b')), said.clone()));
        assert_eq!(after('a', 'c'), (Some(commit('b')), Some(commit('c')), said.clone()));
        assert_eq!(after('d', 'a'), (Some(commit('d')), Some(commit('a')), said));
    }
}
