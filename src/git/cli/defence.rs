//! The defences of this folder by name, so that a test of an attack can take one away.

/// One defence. A test of an attack runs it with all of them, where it must fail, and without
/// this one, where it must succeed: otherwise the test would prove nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Defence {
    /// Git's settings and environment are ours alone.
    Settings,
    /// Git works in repositories of ours, never in one that an agent could write.
    OwnRepository,
    /// Nothing that comes from outside can be read as an option.
    EndOfOptions,
    /// The secret of a remote is in the environment of one process and nowhere else.
    SecretInEnvironment,
    /// A remote cannot send us elsewhere.
    NoRedirects,
    /// A branch moves only from where it was expected.
    Lease,
    /// The branches we make have names of our own grammar.
    BranchGrammar,
    /// Every object of a bundle is checked.
    Fsck,
    /// A bundle holds one commit on what the workspace began from.
    Parents,
    /// The commit is made by us from a tree; nothing else of the agent's history is kept.
    OneCommit,
    /// What an agent could have written is opened without following anything.
    NoFollow,
    /// Only plain files with one name are read.
    PlainFile,
    /// Nothing larger than its limit is read.
    FileSize,
    /// What steers an agent is the base branch's.
    BaseConfiguration,
}

/// All of them, always: only tests of attacks can take one away.
#[derive(Debug, Clone, Default)]
pub(super) struct Defences {
    #[cfg(test)]
    away: std::collections::BTreeSet<Defence>,
}

impl Defences {
    #[cfg(test)]
    pub(super) fn without(defence: Defence) -> Self {
        Self { away: [defence].into() }
    }

    #[cfg(test)]
    pub(super) fn has(&self, defence: Defence) -> bool {
        !self.away.contains(&defence)
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "as in tests")]
    pub(super) const fn has(&self, _: Defence) -> bool {
        true
    }
}
