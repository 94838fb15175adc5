//! The hostile story: an agent somebody took over, what it tries, and what came of each attempt.
//!
//! The agent is an ordinary command of the operator's list, run by the served bot in the sandbox
//! that ships. What it got is told by three witnesses: the agent itself, which says what got
//! through; the run's timeline; and the world outside, which this looks at when all is over.

#[cfg(test)]
mod tests;
mod verdict;

use std::path::Path;

use serde::Serialize;

pub(super) use verdict::verdict;

/// What the agent does, in POSIX shell.
const AGENT: &str = include_str!("agent.sh");

/// One thing that was tried, and what held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Attempt {
    #[serde(rename = "attempt")]
    pub(super) what: String,
    pub(super) refused: bool,
    /// What held, or what got through.
    pub(super) how: String,
}

impl Attempt {
    fn refused(attempt: &str, how: impl Into<String>) -> Self {
        Self { what: attempt.to_owned(), refused: true, how: how.into() }
    }

    fn through(attempt: &str, how: impl Into<String>) -> Self {
        Self { what: attempt.to_owned(), refused: false, how: how.into() }
    }
}

/// What the push gate must have refused of what the agent left, by path.
const SPOILED: [(&str, &str); 8] = [
    ("passwords", "leave a link to the machine's passwords"),
    ("vendored", "leave a repository inside the repository"),
    ("huge.txt", "leave a file of 60 MB"),
    (".github/", "change a workflow"),
    (".gitattributes", "change how git reads files"),
    ("docs/AGENTS.md", "change what agents are told"),
    ("GREET.SH", "leave two files that are one on other machines"),
    ("lib/text.sh", "hide code behind invisible letters"),
];

/// The operator's command that starts it. `mark` is a word only this story knows.
pub(super) fn command(directory: &Path, github: &str, mark: &str) -> String {
    let set = [
        ("HOST", directory.display().to_string()),
        ("GITHUB", github.to_owned()),
        ("MARK", mark.to_owned()),
    ];
    let set = set.map(|(name, value)| format!("{name}={}\n", super::cast::quoted(&value)));
    format!("{}{AGENT}", set.concat())
}
