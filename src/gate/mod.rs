//! Gates: one file each, one line in the list; which facts, which verdict, which sentence.
//!
//! A gate judges purely from [`Facts`]. The stages of the pipeline wait on gates one by one;
//! [`permit()`] asks all of them at once, and nothing else can make a [`MergePermit`].

pub mod checks;
mod conflicts;
mod freshness;
mod head;
mod hold;
pub mod push;
mod review;
pub mod seen;
pub mod signature;
#[cfg(test)]
pub(crate) mod testing;
mod verification;
mod voice;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::{BranchName, CommitSha, Millis, PullNumber, TreeSha, User, UserId};
use crate::policy::{MergeMethod, Policy};
use push::Judged;
use seen::{Merge, Seen};

macro_rules! gates {
    ($($(#[$doc:meta])* $name:ident = $file:ident,)+) => {
        /// A condition for merging.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum GateKind {
            $($(#[$doc])* $name,)+
        }

        impl GateKind {
            /// Every gate, in the order people read them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word for it in reports.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($file),)+
                }
            }

            /// The verdict on `facts`.
            pub fn judge(self, facts: &Facts<'_>) -> Verdict {
                match self {
                    $(Self::$name => $file::judge(facts),)+
                }
            }
        }
    };
}

gates! {
    /// GitHub and git agree that the head is the commit we mean.
    Head = head,
    /// The repository's own commands passed on exactly this head.
    Verification = verification,
    /// The merge is clean.
    Conflicts = conflicts,
    /// The head contains the base, where that is demanded.
    Freshness = freshness,
    /// Every required and every seen check is green on this head.
    Checks = checks,
    /// The people the policy names agree to this head.
    Review = review,
    /// Nobody holds the run, and the pull request is not a draft.
    Hold = hold,
}

/// What a gate says, with its sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Pass(String),
    Pending(String),
    Fail(String),
}

impl Verdict {
    pub fn passed(&self) -> bool {
        match self {
            Self::Pass(_) => true,
            Self::Pending(_) | Self::Fail(_) => false,
        }
    }

    /// The sentence.
    pub fn text(&self) -> &str {
        match self {
            Self::Pass(text) | Self::Pending(text) | Self::Fail(text) => text,
        }
    }
}

/// What gates look at: one look at the world and the run's own evidence, bound to commits.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub at: Millis,
    pub policy: &'a Policy,
    pub seen: &'a Seen,
    /// The commit the run wants to merge.
    pub head: &'a CommitSha,
    pub verified: Option<&'a CommitSha>,
    pub published_at: Option<Millis>,
    /// Checks once seen as required; never shrinks.
    pub required: &'a BTreeSet<String>,
    /// A person accepted this commit without checks.
    pub without_checks: Option<&'a CommitSha>,
    /// Who approved which commit by `/approve` or ordered it merged by `/merge`.
    pub approved: Option<(&'a User, &'a CommitSha)>,
    pub ordered: Option<(&'a User, &'a CommitSha)>,
    /// Everybody who said `/approve`, each with the commit it was last said for.
    pub approvals: &'a BTreeMap<UserId, CommitSha>,
    /// What the push gate said of a commit.
    pub judged: Option<&'a Judged>,
    pub held_by: Option<&'a User>,
    /// Who asked for the run.
    pub requester: &'a User,
    /// Why a person must agree whatever the policy says.
    pub tainted: Option<&'static str>,
    /// A draft would be our own, to be made ready when everything is green.
    pub drafted: bool,
    /// Results that were asked to be produced again, as `name@commit` → stamp.
    pub reruns: &'a BTreeMap<String, String>,
}

/// How many people must still approve the head because of what it touches.
pub fn people_missing(facts: &Facts<'_>) -> usize {
    review::missing(facts)
}

/// The key under which a rerun of a check on a commit is remembered.
pub fn rerun_key(name: &str, head: &CommitSha) -> String {
    format!("{name}@{head}")
}

/// Every gate's verdict.
pub fn judge(facts: &Facts<'_>) -> Vec<(GateKind, Verdict)> {
    GateKind::ALL.iter().map(|gate| (*gate, gate.judge(facts))).collect()
}

/// Proof that every gate passed for exactly this head, base and predicted tree. Only
/// [`permit()`] makes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergePermit {
    pull: PullNumber,
    head: CommitSha,
    base: BranchName,
    base_tip: CommitSha,
    tree: TreeSha,
    method: MergeMethod,
}

impl MergePermit {
    pub fn pull(&self) -> PullNumber {
        self.pull
    }

    pub fn head(&self) -> &CommitSha {
        &self.head
    }

    pub fn base(&self) -> &BranchName {
        &self.base
    }

    /// The tip of the base the gates saw.
    pub fn base_tip(&self) -> &CommitSha {
        &self.base_tip
    }

    /// The tree the merge must give.
    pub fn tree(&self) -> &TreeSha {
        &self.tree
    }

    pub fn method(&self) -> MergeMethod {
        self.method
    }
}

/// The permit, or the first gate that does not pass.
pub fn permit(facts: &Facts<'_>, method: MergeMethod) -> Result<MergePermit, (GateKind, Verdict)> {
    for gate in GateKind::ALL {
        let verdict = gate.judge(facts);
        if !verdict.passed() {
            return Err((*gate, verdict));
        }
    }
    let clean = facts.seen.probe.as_ref().and_then(|probe| match &probe.merge {
        Merge::Clean { tree } => Some((probe, tree)),
        Merge::Conflict { .. } => None,
    });
    let Some((probe, tree)) = clean else {
        let text = "the merge was not probed".to_owned();
        return Err((GateKind::Conflicts, Verdict::Pending(text)));
    };
    Ok(MergePermit {
        pull: facts.seen.pull,
        head: facts.head.clone(),
        base: facts.seen.base.clone(),
        base_tip: probe.base.clone(),
        tree: tree.clone(),
        method,
    })
}
