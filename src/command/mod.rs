//! Slash commands: one file each, one line in the list; parsing and the proof of permission.

mod authority;
mod manual;
mod spec;
mod typo;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use authority::{Authorized, Refusal, Source, authorize, authorize_author};
pub use go::{DIGEST_CHARS, Go, WORDS_CHARS_MAX};
pub use manual::{help, manual};
pub use spec::{Button, Example, Opt, Spec};

use crate::model::{Dollars, text};
use spec::Rest;

/// Longest first line that is read as a command, in characters.
pub const LINE_CHARS_MAX: usize = 5_000;
/// Longest word after the slash that may be a typing error, in characters.
const WORD_CHARS_MAX: usize = 20;

macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident $(($given:ty))? = $file:ident,)+) => {
        $(mod $file;)+

        /// A command somebody gave.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum SlashCommand {
            $($(#[$doc])* $name $(($given))?,)+
        }

        /// Every command, in the order of the manual.
        pub const ALL: &[&Spec] = &[$(&$file::SPEC,)+];

        impl SlashCommand {
            /// What its file says about it.
            pub fn spec(&self) -> &'static Spec {
                match self {
                    $(Self::$name { .. } => &$file::SPEC,)+
                }
            }
        }
    };
}

commands! {
    /// Start a run.
    Go(Go) = go,
    /// End it.
    Stop = stop,
    /// Let a parked run try again.
    Retry = retry,
    /// Say where it is.
    Status = status,
    /// Release the change that is held.
    Push = push,
    /// Approve the newest commit.
    Approve = approve,
    /// Merge the newest commit when the gates have passed.
    Merge = merge,
    /// Merge nothing for now.
    Hold = hold,
    /// Take a hold back.
    Unhold = unhold,
    /// Let a run spend more.
    Budget(Dollars) = budget,
    /// Answer the question of an agent.
    Answer(String) = answer,
    /// List the commands.
    Help = help,
}

impl fmt::Display for SlashCommand {
    /// The comment that parses to this command.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Go(go) => go.fmt(f),
            Self::Budget(more) => write!(f, "/budget +{}", more.plain()),
            Self::Answer(words) => write!(f, "/answer {words}"),
            Self::Stop
            | Self::Retry
            | Self::Status
            | Self::Push
            | Self::Approve
            | Self::Merge
            | Self::Hold
            | Self::Unhold
            | Self::Help => write!(f, "/{}", self.spec().word),
        }
    }
}

/// What a comment turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// Nothing for us; stay silent.
    None,
    Command(SlashCommand),
    /// Meant for us and not understood; the text is for the author and says what to do.
    Mistake {
        text: String,
    },
}

/// Reads the body of a new comment. Only its first line can hold a command; a line that
/// Markdown would show as code, a quote or an HTML comment does not begin with a slash.
pub fn parse(body: &str) -> Parsed {
    let (line, below) = body.split_once(['\n', '\r']).unwrap_or((body, ""));
    let indent = line.bytes().take_while(|&b| b == b' ').count();
    let Some(typed) = line.get(indent..).and_then(|line| line.strip_prefix('/')) else {
        return Parsed::None;
    };
    if indent > 3 {
        return Parsed::None;
    }
    let (word, rest) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
    let lower = word.to_ascii_lowercase();
    let Some(spec) = ALL.iter().find(|spec| spec.word == lower) else {
        return typo(&lower);
    };
    if line.chars().count() > LINE_CHARS_MAX {
        let text = format!(
            "The first line is longer than {LINE_CHARS_MAX} characters, so nothing was done; \
             put `/{}` and its options on a line of their own.",
            spec.word
        );
        return Parsed::Mistake { text };
    }
    match spec.read(Rest { line: rest, below }) {
        Ok(command) => Parsed::Command(command),
        Err(text) => Parsed::Mistake { text },
    }
}

fn typo(word: &str) -> Parsed {
    let plausible = !word.is_empty() && !word.contains('/') && word.len() <= WORD_CHARS_MAX;
    let Some(spec) = typo::nearest(word).filter(|_| plausible) else { return Parsed::None };
    let typed = quoted(&format!("/{word}"));
    let text = format!(
        "There is no command {typed}; did you mean `/{}`? Nothing was done. `/help` lists the \
         commands.",
        spec.word
    );
    Parsed::Mistake { text }
}

/// The command of a check run's button, by the identifier GitHub sends back.
pub fn from_button(identifier: &str) -> Option<SlashCommand> {
    let is = |spec: &&&Spec| spec.button.is_some_and(|b| b.identifier() == identifier);
    let spec = ALL.iter().find(is)?;
    spec.read(Rest { line: "", below: "" }).ok()
}

/// The button that does what `command` does, when there is one.
pub fn button(command: &SlashCommand) -> Option<Button> {
    command.spec().button
}

/// Words of others as a code span that nothing in them can close, cut to be short.
fn quoted(words: &str) -> String {
    let clean: String =
        words.chars().map(|c| if c == '`' || c.is_control() { '\'' } else { c }).collect();
    format!("`{}`", text::cut(&clean, 60))
}

#[cfg(test)]
mod tests;
