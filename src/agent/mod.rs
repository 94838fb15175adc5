//! Coding agents: data and pure functions, task → invocation and transcript → result.
//!
//! An agent is not a boundary. The sandbox runs it; this folder only knows how to ask it and
//! how to read what it said. How each is started is a [`profile`], which is data; what it says
//! is read in its [`dialect`], which is code; what became of it is the [`outcome`].

pub mod choice;
pub mod command;
pub mod critique;
pub mod dialect;
pub mod direct;
pub mod event;
pub mod fallback;
pub mod fit;
pub mod live;
pub mod outcome;
pub mod pick;
pub mod pool;
pub mod probe;
pub mod profile;
pub mod profiled;
pub mod prompt;
pub mod result;
pub mod scripted;
pub mod wanted;
pub mod watch;

pub use pick::{candidates, pick};

use crate::egress::{self, Rule};
use crate::model::{Secret, text};
use crate::sandbox::{Door, End, Invocation, Limits, Transcript};

/// Characters of an agent's last words quoted in a failure.
const WORDS_CHARS_MAX: usize = 1_000;

/// An agent as the operator configures it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// How policy files and `/go --agent` name it.
    pub name: String,
    pub kind: Kind,
    /// Runs of it at once, over all repositories.
    pub at_once_max: u32,
    /// What it may reach, through a way out of its own: its model, say. Nothing else may.
    pub hosts: Vec<Rule>,
}

/// The kinds of agent, each with its own file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Any program that edits the working directory, prompt on standard input.
    Command(command::Command),
    /// The agent of the demo and the tests: edits by a script the operator wrote.
    Scripted(scripted::Scripted),
    /// A known agent, started as its profile says.
    Profiled(Box<profiled::Profiled>),
    /// A model, asked without a program; it edits nothing.
    Direct(direct::Direct),
}

/// The kinds that are started with a prompt and read when they are over, and nothing else.
#[derive(Debug, Clone, Copy)]
pub enum Plain<'a> {
    Command(&'a command::Command),
    Scripted(&'a scripted::Scripted),
}

/// How an agent is run.
#[derive(Debug, Clone, Copy)]
pub enum Way<'a> {
    Plain(Plain<'a>),
    Profiled(&'a profiled::Profiled),
    Direct(&'a direct::Direct),
}

/// How an agent ended, read from its transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// It says it did its work; whether anything changed is for git to tell.
    Finished { summary: String, cost_micros: u64 },
    /// It crashed, hung, or says it failed.
    Failed { why: String, cost_micros: u64 },
}

impl Agent {
    /// The key that goes into the sandbox with it, where one does.
    pub fn key(&self) -> Option<&Secret> {
        match &self.kind {
            Kind::Profiled(profiled) => profiled.key.as_ref(),
            Kind::Command(_) | Kind::Scripted(_) | Kind::Direct(_) => None,
        }
    }

    pub fn way(&self) -> Way<'_> {
        match &self.kind {
            Kind::Command(command) => Way::Plain(Plain::Command(command)),
            Kind::Scripted(scripted) => Way::Plain(Plain::Scripted(scripted)),
            Kind::Profiled(profiled) => Way::Profiled(profiled),
            Kind::Direct(direct) => Way::Direct(direct),
        }
    }
}

impl Plain<'_> {
    /// How to start it on `prompt` in a place.
    pub fn invocation(self, prompt: String, place: Place) -> Invocation {
        let mut invocation = match self {
            Self::Command(command) => command.invocation(prompt, place),
            Self::Scripted(scripted) => scripted.invocation(prompt, place),
        };
        if invocation.doors.iter().any(|door| door.port == egress::PORT) {
            invocation.env.extend(egress::variables(egress::PORT));
        }
        invocation
    }

    /// The calls a turn of it is taken to make, by their cost in millionths of a dollar. An
    /// agent without any costs nothing by the call, and no budget concerns it.
    pub fn calls(&self) -> &[u64] {
        match self {
            Self::Command(_) => &[],
            Self::Scripted(scripted) => &scripted.script.calls,
        }
    }

    /// What its transcript means.
    pub fn read(self, transcript: &Transcript) -> Reading {
        match self {
            Self::Command(command) => command.read(transcript),
            Self::Scripted(scripted) => scripted.read(transcript),
        }
    }
}

/// Where an agent works and how long it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub directory: std::path::PathBuf,
    pub workspace: String,
    pub limits: Limits,
    pub doors: Vec<Door>,
    /// What the workspace reads outside of itself.
    pub read_only: Vec<std::path::PathBuf>,
    /// What it is to find empty.
    pub masks: Vec<String>,
}

/// Why a process that did not end well failed, in words; `None` when it exited with 0.
fn failure(transcript: &Transcript) -> Option<String> {
    let spoken = [&transcript.stderr, &transcript.stdout];
    let words = spoken.iter().map(|said| said.trim()).find(|said| !said.is_empty());
    let words = words.map(|said| text::tail(said, WORDS_CHARS_MAX).trim());
    match transcript.end {
        End::Exited(0) => None,
        End::Exited(code) => {
            let words = words.map(|words| format!(": {words}")).unwrap_or_default();
            Some(format!("it ended with exit code {code}{words}"))
        }
        End::Signalled(signal) => Some(format!("signal {signal} ended it")),
        End::TimedOut => Some("it was still running at its time limit and was ended".to_owned()),
        End::Cancelled => Some("it was stopped".to_owned()),
        End::Limit(limit) => Some(limit.to_string()),
    }
}
