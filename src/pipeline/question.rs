//! Questions of agents: one is open at a time; a person answers it, and the agent goes on.

use serde::{Deserialize, Serialize};

use super::budget::Unfinished;
use super::stage::Role;
use super::state::{State, Work};
use crate::model::{Millis, User};

/// Where an agent may write what it has to ask, below its workspace. It is no part of its work,
/// unless the repository has a file of this name.
pub const QUESTION_PATH: &str = "BLOCKED.md";
/// Longest question that is kept, in characters.
pub const QUESTION_CHARS_MAX: usize = 4_000;
/// Longest account of what an agent did before it asked, in characters.
pub const DID_CHARS_MAX: usize = 4_000;

/// A question, from when it is asked until the agent that goes on has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// A stranger's text.
    pub text: String,
    pub role: Role,
    pub round: u32,
    pub at: Millis,
    /// What it did until then, in its own words: for another agent that goes on in its place.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub did: String,
    /// What it had made by then, kept in our own mirror.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Unfinished>,
    /// The conversation that can be gone on with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub talk: Option<Talk>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
}

/// An agent's conversation with its model, which it keeps in its home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Talk {
    /// The agent, and perhaps its model, as they are wanted.
    pub agent: String,
    /// The agent's own name for it.
    pub session: String,
    /// The task under which its home was begun.
    pub entry: u32,
}

/// What a person said to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    pub by: User,
    /// Empty when nobody answers it and the agent is to decide by itself.
    pub text: String,
}

/// A question that was answered, for the agents that come after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    pub question: String,
    pub reply: Reply,
}

impl Work {
    /// Questions that were asked so far.
    pub fn questions(&self) -> u32 {
        let open = usize::from(self.asked.is_some());
        u32::try_from(self.answers.len().saturating_add(open)).unwrap_or(u32::MAX)
    }

    /// Everything people have answered, the open question's reply last.
    pub fn answered(&self) -> Vec<Answered> {
        let open = self.asked.as_deref().and_then(Asked::answered);
        self.answers.iter().cloned().chain(open).collect()
    }
}

impl Answered {
    /// The answer, or that there is none.
    pub fn said(&self) -> &str {
        if self.reply.text.is_empty() {
            return "Decide by yourself, and say what you assumed.";
        }
        &self.reply.text
    }
}

impl Asked {
    /// The question with its reply, when it has one.
    pub fn answered(&self) -> Option<Answered> {
        let reply = self.reply.clone()?;
        Some(Answered { question: self.text.clone(), reply })
    }
}

impl State {
    /// Unfinished work that the next agent goes on from.
    pub fn left(&self) -> Option<&Unfinished> {
        let asked = self.work.asked.as_deref().and_then(|asked| asked.left.as_ref());
        self.budget.left().or(asked).or_else(|| self.salvaged())
    }

    /// The question a person is to answer now.
    pub fn open_question(&self) -> Option<&Asked> {
        let asked = self.work.asked.as_deref()?;
        let parked = self.park().is_some_and(|park| park.why == super::ParkReason::Question);
        (parked && asked.reply.is_none()).then_some(asked)
    }
}
