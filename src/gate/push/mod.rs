//! The push gate: what may leave, judged from the entries of two trees; one file for each rule,
//! one line in the list.
//!
//! Whoever made a change, an agent or a person, this decides by the change alone, before it is
//! committed, before it is pushed and again before it is merged (security facts, §5.4). What a
//! rule refuses never leaves; what it wants reviewed needs one more approving person.

mod binary;
mod canaries;
mod change;
mod collisions;
mod content;
mod counts;
mod delicate;
mod dependencies;
pub mod glob;
mod known;
mod letters;
mod modes;
mod never;
pub mod paths;
mod provenance;
mod scope;
mod secrets;
#[cfg(test)]
mod tests;
mod tests_kept;
mod unicode;

use serde::{Deserialize, Serialize};

pub use change::{Change, ChangeKind, FileChange, Known, Line, Mode, Near, places};
pub use content::{Content, Format};
pub use never::{PLACES, steers};

use crate::model::CommitSha;
use crate::model::text::cut;
use crate::policy::Policy;

/// Most violations kept of each class; more would not change what follows.
pub const VIOLATIONS_MAX: usize = 50;
/// Longest path shown in a sentence, in characters.
const PATH_CHARS_MAX: usize = 200;

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $file:ident,)+) => {
        /// A rule of the gate.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum Rule {
            $($(#[$doc])* $name,)+
        }

        impl Rule {
            /// Every rule, in the order they are asked.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word for it in reports.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($file),)+
                }
            }

            fn judge(self, case: &Case<'_>, say: &mut Say<'_>) {
                match self {
                    $(Self::$name => $file::judge(case, say),)+
                }
            }
        }
    };
}

rules! {
    /// It starts from the commit that was recorded.
    Provenance = provenance,
    /// Only what was asked for is touched, and no conflict marker is left.
    Scope = scope,
    /// Files, bytes and lines.
    Counts = counts,
    /// Plain files, safe links, no submodules; a new executable bit is shown to people.
    Modes = modes,
    /// Names every file system and every tool reads alike.
    Paths = paths,
    /// No two names that some file system takes for one.
    Collisions = collisions,
    /// What decides what runs, and who decides, is never an agent's to change.
    Never = never,
    /// Files that name what is built and from where: one more person looks.
    Delicate = delicate,
    /// New dependencies and install scripts, line by line: one more person looks.
    Dependencies = dependencies,
    /// Only text, and images where the policy allows them.
    Binary = binary,
    /// Nothing that has the form of a secret.
    Secrets = secrets,
    /// Nothing this process keeps secret, however it is written.
    Known = known,
    /// Nothing that was planted to be stolen.
    Canaries = canaries,
    /// Added lines show what they say.
    Unicode = unicode,
    /// What finds faults is not switched off to find none.
    Tests = tests_kept,
}

/// One thing a rule found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Violation {
    pub rule: Rule,
    /// The file it is about; empty when it is about the whole change, or when the name itself
    /// must not be repeated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// From 1, in the new file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// A sentence with the path, without a full stop.
    pub why: String,
}

/// What the gate says of a change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Judgement {
    /// It may not leave.
    pub refused: Vec<Violation>,
    /// It may, and one more person must approve it.
    pub review: Vec<Violation>,
}

/// What was found on one commit, measured from the base branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    pub head: CommitSha,
    /// Why one more person must approve it; empty when nobody more is needed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delicate: Vec<Violation>,
}

impl Violation {
    /// A secret of ours got out of where it belongs: no mistake of an agent.
    pub fn is_alarm(&self) -> bool {
        self.rule == Rule::Known || self.rule == Rule::Canaries
    }
}

impl Judgement {
    /// The first that is an alarm.
    pub fn alarm(&self) -> Option<&Violation> {
        self.refused.iter().find(|found| found.is_alarm())
    }

    /// The first reasons for a refusal as one sentence that an agent, told, can act on.
    pub fn reasons(&self) -> Option<String> {
        const TOLD_MAX: usize = 5;
        let told: Vec<&str> =
            self.refused.iter().take(TOLD_MAX).map(|found| found.why.as_str()).collect();
        let more = self.refused.len().saturating_sub(TOLD_MAX);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        (!told.is_empty()).then(|| format!("{}{more}", told.join("; ")))
    }
}

/// What the rules look at.
struct Case<'a> {
    policy: &'a Policy,
    change: &'a Change<'a>,
    known: &'a Known<'a>,
}

/// Where a rule says what it found.
struct Say<'a> {
    rule: Rule,
    judgement: &'a mut Judgement,
}

impl Say<'_> {
    fn refuse(&mut self, path: &str, line: Option<u32>, why: String) {
        push(&mut self.judgement.refused, self.rule, path, line, why);
    }

    fn review(&mut self, path: &str, line: Option<u32>, why: String) {
        push(&mut self.judgement.review, self.rule, path, line, why);
    }
}

fn push(to: &mut Vec<Violation>, rule: Rule, path: &str, line: Option<u32>, why: String) {
    if to.len() < VIOLATIONS_MAX {
        to.push(Violation { rule, path: path.to_owned(), line, why });
    }
}

/// What every rule says of `change`.
pub fn judge(policy: &Policy, change: &Change<'_>, known: &Known<'_>) -> Judgement {
    judge_by(Rule::ALL.iter().copied(), policy, change, known)
}

/// The same with one rule left out, to prove in tests that it is this rule that refuses.
#[cfg(test)]
fn judge_without(
    without: Rule,
    policy: &Policy,
    change: &Change<'_>,
    known: &Known<'_>,
) -> Judgement {
    let rules = Rule::ALL.iter().copied().filter(|rule| *rule != without);
    judge_by(rules, policy, change, known)
}

fn judge_by(
    rules: impl Iterator<Item = Rule>,
    policy: &Policy,
    change: &Change<'_>,
    known: &Known<'_>,
) -> Judgement {
    let mut judgement = Judgement::default();
    let case = Case { policy, change, known };
    for rule in rules {
        rule.judge(&case, &mut Say { rule, judgement: &mut judgement });
    }
    judgement
}

/// A path for a sentence: what cannot be seen is shown as such, and no mark of ours ends in it.
fn shown(path: &str) -> String {
    let plain = |c: char| match c {
        '`' => '\'',
        c if c.is_control() || letters::hides(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    let path: String = path.chars().map(plain).collect();
    format!("`{}`", cut(&path, PATH_CHARS_MAX))
}
