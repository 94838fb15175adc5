//! What a token may be for, and what GitHub calls the permissions it needs: a closed table.

use serde::{Deserialize, Serialize};

use super::super::scope::Level;

macro_rules! grants {
    ($($(#[$doc:meta])* $name:ident = $word:literal:
        [$(($permission:literal, $level:ident)),*],)+) => {
        /// What a token is for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Grant {
            $($(#[$doc])* $name,)+
        }

        impl Grant {
            /// Every purpose.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word for it, in the audit and between the two processes.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }

            /// GitHub's names of the permissions it needs.
            pub(in crate::github::app) fn permissions(self) -> &'static [(&'static str, Level)] {
                match self {
                    $(Self::$name => &[$(($permission, Level::$level)),*],)+
                }
            }
        }
    };
}

grants! {
    /// Looking.
    Read = "read": [
        ("actions", Read),
        ("checks", Read),
        ("contents", Read),
        ("issues", Read),
        ("metadata", Read),
        ("pull_requests", Read),
        ("statuses", Read)
    ],
    /// Comments, reactions, issues and pull requests.
    Talk = "talk": [("issues", Write), ("metadata", Read), ("pull_requests", Write)],
    /// Check runs: ours, and asking for others once more.
    Report = "report": [("checks", Write), ("metadata", Read)],
    /// Asking GitHub's own workflows for a job once more.
    Rerun = "rerun": [("actions", Write), ("metadata", Read)],
    Fetch = "fetch": [("contents", Read), ("metadata", Read)],
    Push = "push": [("contents", Write), ("metadata", Read)],
    Merge = "merge": [("contents", Write), ("metadata", Read), ("pull_requests", Write)],
    /// Listing an installation's repositories: the only one that is not for a single repository,
    /// and it can read nothing but their names.
    List = "list": [("metadata", Read)],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_between_the_processes() {
        for grant in Grant::ALL {
            let written = serde_json::to_string(grant).unwrap();
            assert_eq!(written, format!("\"{}\"", grant.word()));
        }
        assert!(serde_json::from_str::<Grant>("\"admin\"").is_err());
    }
}
