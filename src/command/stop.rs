//! `/stop`: end the run. Stopping is always safe, so words after it are allowed.

use super::SlashCommand;
use super::spec::{Button, Example, Grammar, Spec};
use crate::model::Permission;

pub(super) const SPEC: Spec = Spec {
    word: "stop",
    usage: "/stop [reason]",
    summary: "Ends the run; the branch and the pull request stay as they are.",
    needs: Permission::Triage,
    author: true,
    options: &[],
    examples: &[Example {
        text: "/stop wrong approach",
        meaning: "Stop at once; the words are for the people reading.",
    }],
    button: Some(Button::new("Stop", "End this run and leave its branch", "stop")),
    grammar: Grammar::Loose(|| SlashCommand::Stop),
};
