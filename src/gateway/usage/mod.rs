//! What an answer of a model says of itself: tokens, why it ended, what went wrong. One file a
//! wire, pure: bytes in any cut go in, and the same reading comes out.

mod chat;
mod frames;
mod gemini;
mod messages;
mod ollama;
mod responses;
#[cfg(test)]
mod tests;

use serde_json::Value;

use super::Wire;
use crate::model::{Cost, Tokens, Trouble};
use frames::Frames;
pub use frames::{FRAME_BYTES_MAX, Shape};

/// Longest text kept of an error, in bytes.
pub const WORDS_BYTES_MAX: usize = 300;

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// It was all said.
    Stop,
    /// The model wants tools to be called.
    Tools,
    /// The limit of its output was reached.
    Length,
    /// It was kept back by rules of the house.
    Filtered,
    /// A word that nobody here knows.
    Other,
}

/// What one answer told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    pub tokens: Tokens,
    /// The part of `tokens.cache_write` that is kept for an hour or more.
    pub cache_write_long: u64,
    /// The figures are the final ones.
    pub complete: bool,
    pub finish: Option<Finish>,
    /// An error in the middle of an answer that began well.
    pub fault: Option<Fault>,
    /// What the house says it cost.
    pub told: Option<Cost>,
    /// Events, lines or documents until now.
    pub parts: u64,
}

impl Reading {
    /// An error came instead of an answer: nothing was said, so nothing is to be paid.
    pub fn is_refusal(&self) -> bool {
        self.fault.is_some() && self.parts <= 1
    }
}

/// An error as the house told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub trouble: Trouble,
    /// Bounded, and the house's own words: data.
    pub words: String,
}

/// Reads one answer while it comes.
#[derive(Debug)]
pub struct Reader {
    wire: Wire,
    frames: Frames,
    reading: Reading,
}

impl Reader {
    pub fn new(wire: Wire, shape: Shape) -> Self {
        Self { wire, frames: Frames::new(shape), reading: Reading::default() }
    }

    /// The next bytes, wherever they were cut.
    pub fn feed(&mut self, bytes: &[u8]) {
        let (wire, reading) = (self.wire, &mut self.reading);
        self.frames.feed(bytes, &mut |frame| note(wire, frame, reading));
    }

    /// What is known now.
    pub fn so_far(&self) -> &Reading {
        &self.reading
    }

    /// Nothing more will come.
    pub fn end(mut self) -> Reading {
        let (wire, reading) = (self.wire, &mut self.reading);
        self.frames.end(&mut |frame| note(wire, frame, reading));
        self.reading
    }
}

/// One event, line or whole document; what is no JSON says nothing.
fn note(wire: Wire, frame: &[u8], reading: &mut Reading) {
    let Ok(value) = serde_json::from_slice::<Value>(frame) else { return };
    reading.parts = reading.parts.saturating_add(1);
    // Gemini sends a list of answers to whoever does not ask for events.
    let list = [value];
    let values = match &list {
        [Value::Array(values)] if wire == Wire::Gemini => values.as_slice(),
        one => one.as_slice(),
    };
    for value in values {
        match wire {
            Wire::Responses => responses::note(value, reading),
            Wire::Chat => chat::note(value, reading),
            Wire::Messages => messages::note(value, reading),
            Wire::Gemini => gemini::note(value, reading),
            Wire::Ollama => ollama::note(value, reading),
        }
    }
}

/// A count under `path`, where one is given.
fn count(value: &Value, path: &str) -> Option<u64> {
    value.pointer(path).and_then(Value::as_u64)
}

fn text<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    value.pointer(path).and_then(Value::as_str)
}

/// The error object of any house: a text, or an object with some of `type`, `code`, `status`,
/// `message`.
fn fault(error: &Value) -> Fault {
    let message = error.as_str().or_else(|| text(error, "/message")).unwrap_or_default();
    let kinds = ["/type", "/code", "/status"].iter().filter_map(|path| text(error, path));
    let kind = kinds.collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    let words = format!("{kind} {message}");
    let told = error.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    let status = told.filter(|code| (400..600).contains(code)).unwrap_or_else(|| meant(&kind));
    let trouble = Trouble::of_status(status, &words);
    Fault { trouble, words: bounded(words.trim()) }
}

/// The status that a kind of error would have had as an answer of its own.
fn meant(kind: &str) -> u16 {
    const KINDS: [(&str, u16); 12] = [
        ("overloaded", 529),
        ("unavailable", 503),
        ("rate_limit", 429),
        ("insufficient_quota", 429),
        ("resource_exhausted", 429),
        ("billing", 402),
        ("authentication", 401),
        ("permission", 403),
        ("context_length", 400),
        ("invalid", 400),
        ("not_found", 404),
        ("timeout", 408),
    ];
    KINDS.iter().find(|(word, _)| kind.contains(word)).map_or(500, |(_, status)| *status)
}

fn bounded(words: &str) -> String {
    let end = words.char_indices().map(|(at, c)| at + c.len_utf8());
    let end = end.take_while(|end| *end <= WORDS_BYTES_MAX).last().unwrap_or_default();
    words.get(..end).unwrap_or_default().to_owned()
}
