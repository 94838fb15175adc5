//! The audit: what was done with somebody else's repository, for whom, and what was refused.

use serde::{Deserialize, Serialize};

use super::{CommitSha, Millis, Repo, RunId, TreeSha};

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)+) => {
        /// What was done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Act {
            $($(#[$doc])* $name,)+
        }

        impl Act {
            /// Every act.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }
        }
    };
}

acts! {
    /// A commit was pushed to the run's branch.
    Push = "push",
    /// GitHub is about to be asked to merge exactly this commit; every gate has passed.
    Merge = "merge",
    /// GitHub is about to be asked to merge exactly this commit later, by itself.
    Enlist = "enlist",
    /// The change is in the base branch.
    Landed = "landed",
    /// A token was made.
    Token = "token",
    /// A person let a run spend more.
    Raise = "raise",
    /// Somebody asked for something and did not get it, or something was not let through.
    Refusal = "refusal",
}

impl Act {
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|act| act.word() == word)
    }
}

/// One line of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    pub at: Millis,
    pub act: Act,
    /// For whom: a login with its number, or what acted by itself.
    pub who: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo: Option<Repo>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<CommitSha>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<TreeSha>,
    /// SHA-256 of the text that was acted on, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What the rules and gates said, or why it was refused, in words.
    pub verdict: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_has_one_word_everywhere() {
        for act in Act::ALL {
            assert_eq!(Act::parse(act.word()), Some(*act));
            assert_eq!(serde_json::to_string(act).unwrap(), format!("{:?}", act.word()));
        }
        assert_eq!(Act::parse("anything"), None);
    }
}
