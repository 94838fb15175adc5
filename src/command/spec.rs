//! What every slash command says about itself; help, manual, parser and buttons follow from it.

use super::SlashCommand;
use crate::model::Permission;

/// One slash command, as its own file describes it.
#[derive(Debug)]
pub struct Spec {
    /// The word after the slash, in lower case.
    pub word: &'static str,
    pub usage: &'static str,
    /// One sentence: what happens.
    pub summary: &'static str,
    /// The least permission in the repository that its author must hold.
    pub needs: Permission,
    /// Whoever wrote the issue may give it there too, whatever they hold.
    pub author: bool,
    pub options: &'static [Opt],
    pub examples: &'static [Example],
    /// The same command as a button of our check run.
    pub button: Option<Button>,
    pub(super) grammar: Grammar,
}

/// What may follow the word.
#[derive(Debug, Clone, Copy)]
pub(super) enum Grammar {
    /// Nothing on its line: words that would be lost may say "not yet".
    Alone(fn() -> SlashCommand),
    /// Anything: the command is harmless, and the words are for the people reading.
    Loose(fn() -> SlashCommand),
    /// What its own file reads; the error is a sentence for the person.
    Own(fn(Rest<'_>) -> Result<SlashCommand, String>),
}

/// An option of a command.
#[derive(Debug)]
pub struct Opt {
    /// With its two hyphens.
    pub name: &'static str,
    /// The name of its value, when it takes one.
    pub value: Option<&'static str>,
    pub summary: &'static str,
}

/// A command as somebody might write it.
#[derive(Debug)]
pub struct Example {
    pub text: &'static str,
    pub meaning: &'static str,
}

/// A button of a check run. GitHub allows 20 characters of label and identifier and 40 of
/// description; a longer one does not compile where it is a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Button {
    label: &'static str,
    description: &'static str,
    identifier: &'static str,
}

impl Button {
    /// # Panics
    ///
    /// When a text is too long, counted in bytes: while a constant is compiled, not later.
    pub const fn new(
        label: &'static str,
        description: &'static str,
        identifier: &'static str,
    ) -> Self {
        assert!(label.len() <= 20 && identifier.len() <= 20, "at most 20 characters");
        assert!(description.len() <= 40, "at most 40 characters");
        Self { label, description, identifier }
    }

    pub fn label(&self) -> &'static str {
        self.label
    }

    pub fn description(&self) -> &'static str {
        self.description
    }

    /// What GitHub sends back when it is pressed.
    pub fn identifier(&self) -> &'static str {
        self.identifier
    }
}

/// What a comment holds after the command's word.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest<'a> {
    /// The rest of the first line.
    pub(super) line: &'a str,
    /// The lines below.
    pub(super) below: &'a str,
}

impl Spec {
    /// Reads what follows the word; the error is a sentence for the person.
    pub(super) fn read(&self, rest: Rest<'_>) -> Result<SlashCommand, String> {
        match self.grammar {
            Grammar::Own(read) => read(rest),
            Grammar::Loose(command) => Ok(command()),
            Grammar::Alone(command) if rest.line.trim().is_empty() => Ok(command()),
            Grammar::Alone(_) => Err(format!(
                "`/{word}` takes nothing after it on its line; nothing was done. Comment \
                 `/{word}` alone on the first line.",
                word = self.word
            )),
        }
    }
}
