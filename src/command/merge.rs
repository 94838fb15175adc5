//! `/merge`: order the merge of the newest commit.

use super::SlashCommand;
use super::spec::{Example, Grammar, Spec};
use crate::model::Permission;

pub(super) const SPEC: Spec = Spec {
    word: "merge",
    usage: "/merge",
    summary: "Orders the merge of the newest commit as soon as every gate has passed for it.",
    needs: Permission::Write,
    author: false,
    options: &[],
    examples: &[Example {
        text: "/merge",
        meaning: "Merge this commit when it is verified and green.",
    }],
    button: None,
    grammar: Grammar::Alone(|| SlashCommand::Merge),
};
