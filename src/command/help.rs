//! `/help`: list the commands. Reading is always safe, so words after it are allowed.

use super::SlashCommand;
use super::spec::{Example, Grammar, Spec};
use crate::model::Permission;

pub(super) const SPEC: Spec = Spec {
    word: "help",
    usage: "/help",
    summary: "Answers with this list.",
    needs: Permission::Read,
    author: false,
    options: &[],
    examples: &[Example { text: "/help", meaning: "Which commands are there?" }],
    button: None,
    grammar: Grammar::Loose(|| SlashCommand::Help),
};
