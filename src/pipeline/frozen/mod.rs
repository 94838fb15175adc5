//! What an agent will read of an issue: frozen at the moment somebody asked, each text with its
//! level (security facts, §4.1 and §4.4), so that no later word reaches the run.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::text::cut;
use crate::model::trust::{Rule, Trust};
use crate::model::{CommentId, CommitSha, Millis, User, UserId};
use crate::policy::Outsiders;

/// Most comments an agent reads; the newest are kept.
pub const REMARKS_MAX: usize = 50;
/// Longest comment an agent reads, in characters.
pub const REMARK_CHARS_MAX: usize = 8_000;
/// Longest all comments together, in characters.
pub const REMARKS_CHARS_MAX: usize = 40_000;
/// Words of strangers edited this shortly before somebody asked are confirmed by their digest.
pub const RECENT_MS: i64 = 15 * 60_000;
/// Characters of a digest that people see and type.
const SHORT: usize = crate::command::DIGEST_CHARS;

/// How far a text is believed. Configuration (L3) is the policy's, data of the moment (L0) such
/// as logs is never frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// L1: somebody who may not write wrote it or edited it last.
    Quote,
    /// L2: written and last edited by people who may write.
    Instruction,
}

/// A comment as an agent reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    pub id: CommentId,
    pub by: User,
    pub level: Level,
    pub text: String,
}

/// What was frozen beside title and body, and what is known of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// Everybody can read the repository.
    pub public: bool,
    /// The level of title and body.
    pub level: Level,
    /// Oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
    /// Comments the agent does not read.
    #[serde(default)]
    pub left_out: u32,
    /// SHA-256 of everything the agent reads of the issue, in hexadecimal.
    pub digest: String,
    /// The commit the policy was read at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_at: Option<CommitSha>,
}

impl Frozen {
    /// The beginning of the digest, for people.
    pub fn short(&self) -> &str {
        self.digest.get(..SHORT).unwrap_or(&self.digest)
    }
}

/// Why a run is tainted (security facts, §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Taint {
    /// Title or body are a stranger's.
    Issue,
    /// Strangers' comments were quoted.
    Comments,
    /// The output of checks or of our own verification was given to an agent.
    Logs,
}

impl Taint {
    /// The reason, as the rest of "tainted: …".
    pub fn why(self) -> &'static str {
        match self {
            Self::Issue => "the issue's words are those of somebody who may not write here",
            Self::Comments => "comments of people who may not write here were quoted",
            Self::Logs => "an agent read the output of checks",
        }
    }

    /// Whether it holds a push. The output of checks on commits of ours was made by what a
    /// person released, or by nobody's words but a writer's.
    pub fn holds(self) -> bool {
        match self {
            Self::Issue | Self::Comments => true,
            Self::Logs => false,
        }
    }
}

/// An edit: when, and by whom; `None` for an account that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edit {
    pub at: Millis,
    pub by: Option<UserId>,
}

/// A comment as it is found when somebody asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    pub id: CommentId,
    pub by: User,
    pub text: String,
    pub created: Millis,
    pub edited: Option<Edit>,
    pub level: Level,
}

/// What is there when somebody asks.
#[derive(Debug, Clone)]
pub struct Scene<'a> {
    /// When it was asked, in GitHub's whole seconds.
    pub at: Millis,
    pub title: &'a str,
    pub body: &'a str,
    pub level: Level,
    /// The last edit of title or body.
    pub edited: Option<Edit>,
    /// Comments of people, oldest first: no command, no bot's.
    pub spoken: Vec<Spoken>,
    /// Comments that were not even read.
    pub unread: u32,
    pub public: bool,
    pub outsiders: Option<Outsiders>,
    pub trust: Trust,
}

impl Scene<'_> {
    /// Freezes what was there before it was asked.
    pub fn freeze(&self) -> Frozen {
        let quotes = match (self.outsiders, self.public) {
            (Some(Outsiders::Quote), _) | (None, false) => true,
            (Some(Outsiders::LeaveOut), _) | (None, true) => false,
        };
        let all = self.spoken.len();
        let (mut remarks, mut chars) = (Vec::new(), 0);
        let read =
            |one: &&Spoken| self.is_before(one) && (one.level == Level::Instruction || quotes);
        for one in self.spoken.iter().rev().filter(read).take(REMARKS_MAX) {
            let text = cut(one.text.trim(), REMARK_CHARS_MAX);
            chars += text.chars().count();
            if chars > REMARKS_CHARS_MAX {
                break;
            }
            remarks.push(Remark { id: one.id, by: one.by.clone(), level: one.level, text });
        }
        remarks.reverse();
        let out = u32::try_from(all - remarks.len()).unwrap_or(u32::MAX);
        Frozen {
            public: self.public,
            level: self.level,
            digest: digest(self.title, self.body, &remarks),
            remarks,
            left_out: out.saturating_add(self.unread),
            policy_at: None,
        }
    }

    /// Strictly before: in the second of the command itself nobody knows which came first.
    fn is_before(&self, one: &Spoken) -> bool {
        let last = one.edited.map_or(one.created, |edit| edit.at.max(one.created));
        last < self.at || !self.trust.holds(Rule::Before)
    }

    /// Whether what will be read was a moment ago changed by somebody who may not write, so
    /// that whoever asked may have meant another text.
    pub fn is_restless(&self, frozen: &Frozen) -> bool {
        let recent = |edit: &Edit| self.at.since(edit.at) <= RECENT_MS;
        let issue = self.level == Level::Quote && self.edited.as_ref().is_some_and(recent);
        let quoted = |one: &&Spoken| frozen.remarks.iter().any(|r| r.id == one.id);
        let strange = |one: &Spoken| one.level == Level::Quote;
        let remark = |one: &Spoken| strange(one) && one.edited.as_ref().is_some_and(recent);
        let restless = issue || self.spoken.iter().filter(quoted).any(remark);
        restless && self.trust.holds(Rule::Digest)
    }
}

/// The digest of exactly the words an agent will read; lengths keep one text from passing for
/// another.
fn digest(title: &str, body: &str, remarks: &[Remark]) -> String {
    let mut digest = Sha256::new();
    for text in [title, body] {
        digest.update(format!("{}\n{text}\n", text.len()));
    }
    for one in remarks {
        let Remark { id, by, level, text } = one;
        digest.update(format!("{id} {} {level:?} {}\n{text}\n", by.id.0, text.len()));
    }
    hex::encode(digest.finalize())
}

#[cfg(test)]
mod tests;
