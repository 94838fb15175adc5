//! `/retry`: let a parked run go on.

use super::SlashCommand;
use super::spec::{Button, Example, Grammar, Spec};
use crate::model::Permission;

pub(super) const SPEC: Spec = Spec {
    word: "retry",
    usage: "/retry",
    summary: "Lets a run that waits for a person try its stage again, with fresh rounds; after \
              the end, asks for the same once more.",
    needs: Permission::Write,
    author: false,
    options: &[],
    examples: &[Example { text: "/retry", meaning: "Try again." }],
    button: Some(Button::new("Retry", "Try the current stage again", "retry")),
    grammar: Grammar::Alone(|| SlashCommand::Retry),
};
