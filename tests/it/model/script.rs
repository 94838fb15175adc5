//! What a scripted model says, turn by turn, and how its answers fail.

use std::time::Duration;

use serde_json::Value;

/// A whole task.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script {
    /// The last one is said for ever.
    pub(crate) turns: Vec<Turn>,
    /// Said instead of them to a request that holds these words; the first that fits.
    pub(crate) when: Vec<(&'static str, String)>,
    pub(crate) figures: Figures,
    /// What happens to the first call of the model, the second, and so on.
    pub(crate) faults: Vec<Fault>,
    /// What happens to all later ones.
    pub(crate) afterwards: Fault,
    /// Between two pieces of a stream.
    pub(crate) pause: Duration,
}

impl Script {
    /// One that says a sentence and ends.
    pub(crate) fn saying(text: &str) -> Self {
        Self { turns: vec![Turn::Say(text.to_owned())], ..Self::default() }
    }

    /// The same with a fault for ever.
    pub(crate) fn failing(fault: Fault) -> Self {
        Self { afterwards: fault, ..Self::saying("as you wish") }
    }

    pub(super) fn fault(&self, call: usize) -> &Fault {
        self.faults.get(call).unwrap_or(&self.afterwards)
    }

    pub(super) fn turn(&self, at: usize) -> Option<&Turn> {
        self.turns.get(at).or_else(|| self.turns.last())
    }
}

/// One answer.
#[derive(Debug, Clone)]
pub(crate) enum Turn {
    Say(String),
    /// Says it, but was cut off by its limit.
    Stop(String),
    /// Calls the first of these tools that the request offers; says so if it offers none.
    Use(Vec<Tool>),
}

/// A call of a tool. Arguments that are a text are for tools that take plain text.
#[derive(Debug, Clone)]
pub(crate) struct Tool {
    pub(crate) name: String,
    pub(crate) arguments: Value,
}

impl Tool {
    pub(crate) fn new(name: &str, arguments: Value) -> Self {
        Self { name: name.to_owned(), arguments }
    }
}

/// The tokens of every answer, each counted once; thoughts are part of the output.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) input: u64,
    pub(crate) cached: u64,
    pub(crate) output: u64,
    pub(crate) thought: u64,
}

impl Default for Figures {
    fn default() -> Self {
        Self { input: 1_000, cached: 200, output: 40, thought: 10 }
    }
}

/// What goes wrong.
#[derive(Debug, Clone, Default)]
pub(crate) enum Fault {
    #[default]
    None,
    /// Every byte comes alone, so that events and characters are cut everywhere.
    Cut,
    /// The connection ends in the middle of an event.
    Close,
    /// Nothing comes after the first half.
    Stall,
    /// An error event in place of the second half.
    Error(&'static str),
    /// Another status, with `Retry-After` and words.
    Status(u16, Option<&'static str>, &'static str),
    /// Sends whoever asks elsewhere.
    Redirect(String),
    /// Another status or 200, with the headers of the request in one of its own.
    Echo(u16),
    /// The same in the body.
    EchoBody(u16),
    /// So many bytes of nothing.
    Huge(usize),
    /// Ends before its length says.
    WrongLength,
    /// Takes the request and never answers.
    Silent,
}
