//! What a scripted agent does: for each role a list of rounds, each a list of edits.

use serde::{Deserialize, Serialize};

use super::files::Files;
use crate::pipeline::stage::Role;

/// A script. A role without rounds changes nothing; after its last round that round repeats.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Script {
    pub planner: Vec<Vec<Edit>>,
    pub builder: Vec<Vec<Edit>>,
    pub fixer: Vec<Vec<Edit>>,
    pub resolver: Vec<Vec<Edit>>,
    pub critic: Vec<Vec<Edit>>,
    /// What the calls of a model cost that every turn is taken to make, in millionths of a
    /// dollar: they are paid for as a real agent's are.
    pub calls: Vec<u64>,
}

/// One thing a scripted agent does. Paths are relative to the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Edit {
    Write {
        path: String,
        text: String,
    },
    Delete {
        path: String,
    },
    /// Every `from` in the file; it fails when there is none.
    Replace {
        path: String,
        from: String,
        to: String,
    },
    /// Every conflict marked in the file.
    Resolve {
        path: String,
        by: Resolution,
    },
    /// One file's text into another.
    Copy {
        from: String,
        to: String,
    },
    /// A line of its answer.
    Say(String),
    /// A file's text as lines of its answer.
    Quote(String),
    /// Ends here with this question, unless as many were answered.
    Ask(String),
    /// Ends here with this exit code.
    Fail(u8),
    /// Ends never.
    Hang,
    /// Ends by a signal.
    Crash,
}

/// How a scripted agent resolves a conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// Our lines, then theirs.
    Union,
    /// These lines in place of each conflict.
    Text(String),
}

impl Script {
    /// What to do in this round, counted from 1.
    pub fn edits(&self, role: Role, round: u32) -> &[Edit] {
        let rounds = match role {
            Role::Planner => &self.planner,
            Role::Builder => &self.builder,
            Role::Fixer => &self.fixer,
            Role::Resolver => &self.resolver,
            Role::Critic => &self.critic,
        };
        let index = usize::try_from(round.saturating_sub(1)).unwrap_or(usize::MAX);
        rounds.get(index).or_else(|| rounds.last()).map_or(&[], Vec::as_slice)
    }
}

impl Edit {
    /// Does it, as far as it concerns files.
    pub(super) fn apply(&self, files: &mut dyn Files) -> Result<(), String> {
        match self {
            Self::Write { path, text } => files.write(path, text),
            Self::Delete { path } => files.delete(path),
            Self::Replace { path, from, to } => {
                let text = files.read(path)?;
                if from.is_empty() || !text.contains(from) {
                    return Err(format!("{path} does not contain the text to replace"));
                }
                files.write(path, &text.replace(from, to))
            }
            Self::Resolve { path, by } => {
                let text = resolved(&files.read(path)?, by)
                    .ok_or_else(|| format!("{path} has no complete conflict"))?;
                files.write(path, &text)
            }
            Self::Copy { from, to } => {
                let text = files.read(from)?;
                files.write(to, &text)
            }
            Self::Ask(question) => files.write(crate::pipeline::question::QUESTION_PATH, question),
            Self::Say(_) | Self::Quote(_) | Self::Fail(_) | Self::Hang | Self::Crash => Ok(()),
        }
    }
}

/// `text` with every marked conflict resolved; `None` when none is marked or one is not
/// closed. Knows the two-sided markers and those with the common ancestor between.
fn resolved(text: &str, by: &Resolution) -> Option<String> {
    enum Side {
        Outside,
        Ours,
        Ancestor,
        Theirs,
    }
    let (mut side, mut found, mut out) = (Side::Outside, false, String::new());
    for line in text.split_inclusive('\n') {
        let marker = line.trim_end();
        side = match side {
            Side::Outside if marker.starts_with("<<<<<<<") => Side::Ours,
            Side::Ours if marker.starts_with("|||||||") => Side::Ancestor,
            Side::Ours | Side::Ancestor if marker == "=======" => Side::Theirs,
            Side::Theirs if marker.starts_with(">>>>>>>") => {
                found = true;
                if let Resolution::Text(text) = by {
                    out.push_str(text);
                }
                Side::Outside
            }
            Side::Ancestor => Side::Ancestor,
            Side::Outside => {
                out.push_str(line);
                Side::Outside
            }
            inside @ (Side::Ours | Side::Theirs) => {
                if *by == Resolution::Union {
                    out.push_str(line);
                }
                inside
            }
        };
    }
    (found && matches!(side, Side::Outside)).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFLICT: &str = "a\n<<<<<<< head\nours\n||||||| 123\nold\n=======\ntheirs\n\
                            >>>>>>> base\nz\n";

    #[test]
    fn a_conflict_is_resolved_by_union_or_by_text() {
        assert_eq!(resolved(CONFLICT, &Resolution::Union).unwrap(), "a\nours\ntheirs\nz\n");
        let text = Resolution::Text("both\n".to_owned());
        assert_eq!(resolved(CONFLICT, &text).unwrap(), "a\nboth\nz\n");
        let two_sided = "<<<<<<< x\n1\n=======\n2\n>>>>>>> y\n";
        assert_eq!(resolved(two_sided, &Resolution::Union).unwrap(), "1\n2\n");
    }

    #[test]
    fn half_a_conflict_is_no_conflict() {
        assert_eq!(resolved("plain\n=======\n", &Resolution::Union), None);
        assert_eq!(resolved("<<<<<<< x\n1\n=======\n", &Resolution::Union), None);
    }
}
