//! `/push`: release exactly the change that is shown.

use super::SlashCommand;
use super::spec::{Example, Grammar, Spec};
use crate::model::Permission;

pub(super) const SPEC: Spec = Spec {
    word: "push",
    usage: "/push",
    summary: "Releases exactly the change that is shown and held, so that it is pushed and CI \
              runs on it; a later change needs a new one.",
    needs: Permission::Write,
    author: false,
    options: &[],
    examples: &[Example { text: "/push", meaning: "I have read this change; CI may run it." }],
    button: None,
    grammar: Grammar::Alone(|| SlashCommand::Push),
};
