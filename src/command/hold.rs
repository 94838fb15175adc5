//! `/hold`: keep the run from merging. Waiting is always safe, so words after it are allowed.

use super::SlashCommand;
use super::spec::{Example, Grammar, Spec};
use crate::model::Permission;

pub(super) const SPEC: Spec = Spec {
    word: "hold",
    usage: "/hold [reason]",
    summary: "Merges nothing until `/unhold`; the work before the merge goes on.",
    needs: Permission::Write,
    author: false,
    options: &[],
    examples: &[Example {
        text: "/hold until the release is out",
        meaning: "Do not merge for now; the words are for the people reading.",
    }],
    button: None,
    grammar: Grammar::Loose(|| SlashCommand::Hold),
};
