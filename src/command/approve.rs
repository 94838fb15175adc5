//! `/approve`: a person's word for the newest commit.

use super::SlashCommand;
use super::spec::{Button, Example, Grammar, Spec};
use crate::model::Permission;

pub(super) const SPEC: Spec = Spec {
    word: "approve",
    usage: "/approve",
    summary: "Approves exactly the newest commit of the run; a later commit needs a new one.",
    needs: Permission::Write,
    author: false,
    options: &[],
    examples: &[Example { text: "/approve", meaning: "This commit may be merged." }],
    button: Some(Button::new("Approve", "Approve exactly this commit", "approve")),
    grammar: Grammar::Alone(|| SlashCommand::Approve),
};
