//! `/status`: say where the run is. Reading is always safe, so words after it are allowed.

use super::SlashCommand;
use super::spec::{Example, Grammar, Spec};
use crate::model::Permission;

pub(super) const SPEC: Spec = Spec {
    word: "status",
    usage: "/status",
    summary: "Brings the status comment up to date and answers with one sentence.",
    needs: Permission::Read,
    author: false,
    options: &[],
    examples: &[Example { text: "/status", meaning: "What is being done, and what is awaited?" }],
    button: None,
    grammar: Grammar::Loose(|| SlashCommand::Status),
};
