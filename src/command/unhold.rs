//! `/unhold`: take a hold back.

use super::SlashCommand;
use super::spec::{Example, Grammar, Spec};
use crate::model::Permission;

pub(super) const SPEC: Spec = Spec {
    word: "unhold",
    usage: "/unhold",
    summary: "Takes a `/hold` back.",
    needs: Permission::Write,
    author: false,
    options: &[],
    examples: &[Example { text: "/unhold", meaning: "Merging is allowed again." }],
    button: None,
    grammar: Grammar::Alone(|| SlashCommand::Unhold),
};
