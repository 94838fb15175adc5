//! Dialects: how each family of agents tells what it does, turned into one kind of events.
//!
//! One file a dialect, one line in [`Dialect`]. Each is a state machine without any I/O: lines
//! go in, [`Step`]s come out, and at the end an [`Account`], which is what the agent says and
//! not yet the [`Outcome`](super::outcome::Outcome).

#[macro_use]
mod lenient;

mod acp;
mod call;
mod claude_stream;
mod coderabbit;
mod codex_exec;
mod copilot_jsonl;
mod gemini_stream;
mod opencode_run;
mod plain_text;
mod reader;
pub(in crate::agent) mod words;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::event::{Event, Said, Session, Summary, Usage, Words};
use crate::model::text;
pub use reader::{Heard, LINE_BYTES_MAX, Reader};
pub use words::trouble as trouble_in;

/// Longest final text that is kept, in characters.
pub const TEXT_CHARS_MAX: usize = 65_536;

/// The families.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    CodexExec,
    ClaudeStream,
    /// The events of `claude_stream`, with usage that counts the cache as input.
    QwenStream,
    OpencodeRun,
    GeminiStream,
    CopilotJsonl,
    Acp,
    Coderabbit,
    PlainText,
}

impl Dialect {
    pub const ALL: [Self; 9] = [
        Self::CodexExec,
        Self::ClaudeStream,
        Self::QwenStream,
        Self::OpencodeRun,
        Self::GeminiStream,
        Self::CopilotJsonl,
        Self::Acp,
        Self::Coderabbit,
        Self::PlainText,
    ];

    /// As profiles name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::CodexExec => "codex_exec",
            Self::ClaudeStream => "claude_stream",
            Self::QwenStream => "qwen_stream",
            Self::OpencodeRun => "opencode_run",
            Self::GeminiStream => "gemini_stream",
            Self::CopilotJsonl => "copilot_jsonl",
            Self::Acp => "acp",
            Self::Coderabbit => "coderabbit",
            Self::PlainText => "plain_text",
        }
    }

    /// Whether its programs have to be answered while they run.
    pub fn answers(self) -> bool {
        matches!(self, Self::Acp)
    }

    fn listener(self, opening: Opening) -> Box<dyn Listener> {
        match self {
            Self::CodexExec => Box::new(codex_exec::Codex::default()),
            Self::ClaudeStream => Box::new(claude_stream::Claude::default()),
            Self::QwenStream => Box::new(claude_stream::Claude::qwen()),
            Self::OpencodeRun => Box::new(opencode_run::Opencode::default()),
            Self::GeminiStream => Box::new(gemini_stream::Gemini::default()),
            Self::CopilotJsonl => Box::new(copilot_jsonl::Copilot::default()),
            Self::Acp => Box::new(acp::Acp::new(opening)),
            Self::Coderabbit => Box::new(coderabbit::Coderabbit::default()),
            Self::PlainText => Box::new(plain_text::Plain::new(opening.finish)),
        }
    }
}

/// What a conversation begins with. Only dialects that [answer](Dialect::answers) need the
/// prompt: the others were given it when they were started.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opening {
    pub prompt: String,
    /// The working directory, as the program sees it.
    pub directory: PathBuf,
    pub resume: Option<Session>,
    /// Whether it is allowed what it asks permission for.
    pub may_edit: bool,
    /// Of programs that say nothing a machine can read: how a line begins that they end with
    /// when all went well. Empty where there is no such line.
    pub finish: Vec<String>,
}

/// What follows from a line.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    Event(Event),
    /// A line to write to the program.
    Reply(String),
    /// Nothing will be written to it any more: its input is closed, so that it ends.
    Close,
}

/// What the agent itself says in the end.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    pub said: Said,
    /// Its last words, cut.
    pub text: String,
    /// An answer to a schema, where the dialect has a place for it.
    pub structured: Option<serde_json::Value>,
    pub usage: Option<Usage>,
    pub session: Option<Session>,
    /// Calls of the model, where it counts them.
    pub turns: Option<u64>,
    /// Everything it said that may tell why, where `said` does not.
    pub noise: String,
}

/// One dialect at work.
trait Listener: std::fmt::Debug + Send {
    /// What is to be written before anything was heard.
    fn open(&mut self) -> Vec<Step> {
        Vec::new()
    }

    /// Hears one line without its end; `false` when it means nothing in this dialect.
    fn line(&mut self, line: &[u8], steps: &mut Vec<Step>) -> bool;

    /// What is to be written so that the program ends by itself.
    fn cancel(&mut self) -> Vec<Step> {
        Vec::new()
    }

    /// The stream is over.
    fn end(self: Box<Self>) -> Account;
}

/// What most dialects remember.
#[derive(Debug, Default)]
struct Notes {
    text: String,
    session: Option<Session>,
    started: bool,
    retries: u32,
}

impl Notes {
    /// Tells once that it started.
    fn start(&mut self, session: &str, model: Option<&str>, steps: &mut Vec<Step>) {
        if self.session.is_none() {
            self.session = Session::parse(session);
        }
        if !self.started {
            self.started = true;
            let session = self.session.clone();
            steps.push(Step::Event(Event::Started { session, model: model.map(Summary::from) }));
        }
    }

    /// The last words so far.
    fn say(&mut self, text: &str, steps: &mut Vec<Step>) {
        self.text = text::cut(text, TEXT_CHARS_MAX);
        steps.push(Step::Event(Event::Text(Words::from(text))));
    }

    /// The number of the next retry.
    fn retry(&mut self) -> u32 {
        self.retries = self.retries.saturating_add(1);
        self.retries
    }

    fn account(self, said: Option<Said>, usage: Option<Usage>) -> Account {
        Account {
            said: said.unwrap_or(Said::Nothing),
            text: self.text,
            structured: None,
            usage,
            session: self.session,
            turns: None,
            noise: String::new(),
        }
    }
}

/// Tells how far a list of steps is done, where there is one.
fn listed(list: Option<(u32, u32)>, steps: &mut Vec<Step>) {
    if let Some((done, all)) = list {
        steps.push(Step::Event(Event::Steps { done, all }));
    }
}

/// A failure in words, with its class where the words are known.
fn failed(words: &str) -> Said {
    Said::Failed { trouble: words::trouble(words), words: Words::from(words) }
}

/// Remembers and tells how it ended.
fn ended(said: &mut Option<Said>, how: Said, steps: &mut Vec<Step>) {
    steps.push(Step::Event(Event::Ended(how.clone())));
    *said = Some(how);
}
