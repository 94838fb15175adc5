//! The trust rules by name, so that a test can take exactly one away and see it missed.

/// One rule about whom and what Slipway believes; the security facts' numbers beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The permission is asked of GitHub, now and by id (§4.2).
    Permission,
    /// Only a new comment is a command (§4.4.1).
    Created,
    /// A comment is read again before it is obeyed (§4.4.2).
    Refetch,
    /// A command that is heard late starts nothing (§4.4.3).
    Fresh,
    /// Title and body are those of the moment it was asked (§4.4.4).
    Snapshot,
    /// Comments count only as they stood before it was asked (§4.4.4).
    Before,
    /// Words of strangers that were edited a moment ago are confirmed by digest (§4.4.5).
    Digest,
    /// Bots are heard only when the operator lists them (§4.5).
    People,
    /// What an App typed in a person's name is not that person's word (§4.2).
    Unaided,
    /// Runs of one issue and of one person are counted (§4.5).
    Budgets,
    /// What lives in another repository is left alone (§4.6).
    Forks,
    /// What strangers wrote taints the run (§4.1).
    Taint,
    /// A tainted change is pushed only when a person released it (§5.6).
    Hold,
    /// An approval speaks for one commit (§5.7).
    ApprovedHead,
    /// Whoever asked does not approve (§5.7).
    OtherPerson,
    /// A reviewer counts who may write (§5.7).
    Reviewer,
    /// A required check comes from the App that was expected (§5.7).
    ExpectedApp,
    /// GitHub is told which commit it may merge (§5.7).
    PinnedHead,
    /// Nobody further is needed only where the branch is guarded (§5.7).
    Guarded,
}

/// Which rules are in force: all of them, but in a test that takes one away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trust {
    missing: Option<Rule>,
}

impl Trust {
    /// Every rule.
    pub const fn whole() -> Self {
        Self { missing: None }
    }

    /// Every rule but one: no configuration leads here, only tests do.
    #[doc(hidden)]
    #[must_use]
    pub const fn without(rule: Rule) -> Self {
        Self { missing: Some(rule) }
    }

    /// Whether `rule` is in force.
    pub fn holds(self, rule: Rule) -> bool {
        self.missing != Some(rule)
    }
}
