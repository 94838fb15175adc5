//! Profiles: how each agent is started, as data. What it says is read by its
//! [dialect](super::dialect), which is code.
//!
//! The shipped profiles lie beside this folder in `profiles`, one file each; an operator's own
//! replace or extend them ([`Catalogue::with`]).

mod catalogue;
mod manual;
mod render;
mod template;
#[cfg(test)]
mod tests;
mod written;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::dialect::Dialect;
use super::dialect::words::plain;
use super::probe;
use crate::egress::Rule;
use crate::model::Trouble;
pub use crate::model::Wire;
use crate::sandbox::Signal;
pub use catalogue::Catalogue;
pub use manual::{Shown, manual, table};
pub use render::{ARGUMENT_BYTES_MAX, Access, Launch, Mode, Task, Thread};
pub use template::{Slot, Template};

/// What would configure an agent and lies in the repository: strangers may have written it.
/// A directory ends with `/`.
pub const MASKS: [&str; 17] = [
    ".claude/",
    ".codex/",
    ".agents/",
    ".opencode/",
    ".gemini/",
    ".qwen/",
    ".cursor/",
    ".copilot/",
    ".github/hooks/",
    ".github/copilot/",
    "opencode.json",
    "opencode.jsonc",
    ".mcp.json",
    ".vscode/mcp.json",
    ".aider.conf.yml",
    ".aider.model.settings.yml",
    ".env",
];

/// How an agent is started, read and found good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub name: String,
    pub dialect: Dialect,
    /// Asks its version.
    pub probe: Vec<String>,
    pub tested: Option<probe::Range>,
    argv: Vec<Piece>,
    edit: Vec<Template>,
    /// `None` where it cannot be kept from editing.
    review: Option<Vec<Template>>,
    /// It reviews, and does nothing else.
    pub review_only: bool,
    prompt: Prompt,
    system: Vec<Template>,
    schema: Vec<Template>,
    /// What it speaks with its model, where the gateway stands between.
    pub wire: Option<Wire>,
    /// What it reaches beside the gateway.
    pub hosts: Vec<Rule>,
    env: BTreeMap<String, Template>,
    /// Beside `env`, in one mode only.
    edit_env: BTreeMap<String, Template>,
    review_env: BTreeMap<String, Template>,
    /// Below its home.
    files: BTreeMap<String, Template>,
    pub masks: Vec<String>,
    /// What it is asked by first to end.
    pub cancel: Signal,
    /// How a line begins that it ends with when all went well.
    pub finish: Vec<String>,
    pub exits: BTreeMap<i32, Trouble>,
    pub errors: Vec<Pattern>,
    /// It is paid by the month, so its calls cost nothing more.
    pub flat_rate: bool,
    /// The operator's command line, for `{command}`.
    command: Option<String>,
}

impl Profile {
    /// The program it starts, when its name is fixed.
    pub fn program(&self) -> Option<&str> {
        match self.argv.first()? {
            Piece::One(template) => Some(template.text()).filter(|text| !text.contains('{')),
            Piece::Mode | Piece::System | Piece::Schema => None,
        }
    }

    /// Whether it counts its turns itself.
    pub fn counts_turns(&self) -> bool {
        let named = |templates: &[Template]| templates.iter().any(|t| t.names(Slot::TurnsMax));
        let argv = self.argv.iter().any(|piece| match piece {
            Piece::One(template) => template.names(Slot::TurnsMax),
            Piece::Mode | Piece::System | Piece::Schema => false,
        });
        argv || named(&self.edit) || self.files.values().any(|file| file.names(Slot::TurnsMax))
    }

    /// Whether a session can be gone on with.
    pub fn resumes(&self) -> bool {
        self.dialect == Dialect::Acp
            || self.argv.iter().any(|piece| match piece {
                Piece::One(template) => template.names(Slot::Resume),
                Piece::Mode | Piece::System | Piece::Schema => false,
            })
    }

    /// Whether it can be kept from editing.
    pub fn reviews(&self) -> bool {
        self.review.is_some()
    }

    /// Whether a key of its own goes into the sandbox.
    pub fn holds_a_key(&self) -> bool {
        self.argv.iter().any(|piece| match piece {
            Piece::One(template) => template.names(Slot::Key),
            Piece::Mode | Piece::System | Piece::Schema => false,
        }) || self.env.values().any(|value| value.names(Slot::Key))
    }
}

/// A piece of a command line, or several that are put in together.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    One(Template),
    Mode,
    System,
    Schema,
}

/// How the prompt comes to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Prompt {
    Stdin,
    /// In a file below its home.
    File,
    Arg,
    /// It asks nothing, or the dialect tells it.
    None,
}

/// Words that tell a class, where the dialect cannot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// Any of these; large and small letters and line breaks do not matter.
    #[serde(rename = "match")]
    pub any: Vec<String>,
    pub class: Trouble,
}

impl Pattern {
    /// The class of the first pattern that is found in `words`.
    pub fn find(patterns: &[Self], words: &str) -> Option<Trouble> {
        if patterns.is_empty() || words.is_empty() {
            return None;
        }
        let words = plain(words);
        let holds = |one: &String| !one.is_empty() && words.contains(&plain(one));
        patterns.iter().find(|pattern| pattern.any.iter().any(holds)).map(|found| found.class)
    }
}

/// A profile that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub agent: String,
    /// The key of the profile, or what the task lacks.
    pub key: String,
    pub why: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "agent {}, {}: {}", self.agent, self.key, self.why)
    }
}

impl std::error::Error for Refused {}
