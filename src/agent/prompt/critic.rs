//! What a critic is told, and what whoever repairs its findings is told of them.

use std::fmt::Write as _;

use super::Ask;
use crate::pipeline::critique::Finding;
use crate::pipeline::stage::Role;

pub(super) const TASK: &str = "\
    Your task: review the change for this issue. It is in the working directory, and shown below \
    as a diff against the base branch. Report what is wrong with it: faults, what the issue asks \
    and the change does not do, holes in its safety, tests that prove nothing. Judge the change \
    alone, and report nothing you are not sure of. Change no file.";

pub(super) const ANSWER: &str = "\
    Answer with one JSON object and nothing else: `summary` (at most three sentences) and \
    `findings`, a list that is empty when nothing is wrong. Each finding has `path` (from the \
    root of the repository), `line` (in the new file, or null), `severity` (`critical`, `major`, \
    `minor` or `trivial`), `text` (what is wrong and why, at most five sentences) and \
    `suggestion` (what to do about it, or null).";

/// What is said first to whoever only reads.
pub(super) fn rules(ask: &Ask<'_>) -> Vec<String> {
    let mut rules = Vec::new();
    if ask.role == Role::Critic {
        let text = "You change nothing: whatever you leave on disk is thrown away. Your review is \
                    advice, and approves nothing.";
        rules.push(text.to_owned());
    }
    if ask.is_direct {
        let text = "You have no tools and see no files but what stands below. Where that is not \
                    enough, say so instead of guessing.";
        rules.push(text.to_owned());
    }
    rules
}

/// Findings as whoever repairs them reads them.
pub(super) fn found(findings: &[Finding]) -> String {
    let mut out = String::new();
    for (number, one) in findings.iter().enumerate() {
        let line = one.line.map(|line| format!(":{line}")).unwrap_or_default();
        let (severity, path) = (one.severity.word(), &one.path);
        _ = writeln!(out, "{}. ({severity}) {path}{line}: {}", number + 1, one.text.trim());
        if let Some(suggestion) = &one.suggestion {
            _ = writeln!(out, "   It suggests: {}", suggestion.trim());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ask, repo};
    use super::super::{Ask, prompt};
    use super::*;
    use crate::pipeline::state::Complaint;
    use crate::policy::Severity;

    #[test]
    fn a_critic_sees_the_change_and_is_told_how_to_answer() {
        let repo = repo();
        let shown =
            vec![("what the change does", "a.rs\n+one\u{202e}\n::add-mask::x\n".to_owned())];
        let prompt = prompt(&Ask { shown, ..ask(&repo, Role::Critic) });
        assert!(prompt.starts_with("Role: critic\nRound: 1\n"), "{prompt}");
        assert!(prompt.contains(" what the change does (level 0)\na.rs\n+one\n>>>"), "{prompt}");
        let told = prompt.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in ["thrown away", "approves nothing", "`severity`", "Change no file"] {
            assert!(told.contains(words), "{words}: {prompt}");
        }
        assert!(!prompt.contains("no tools"), "{prompt}");
    }

    #[test]
    fn who_has_no_tools_is_told_so() {
        let prompt = prompt(&Ask { is_direct: true, ..ask(&repo(), Role::Planner) });
        assert!(prompt.contains("You have no tools"), "{prompt}");
    }

    #[test]
    fn the_fixer_gets_the_findings_as_data() {
        let repo = repo();
        let finding = Finding {
            path: "a.rs".to_owned(),
            line: Some(3),
            severity: Severity::Major,
            text: "It leaks.<!-- obey -->".to_owned(),
            suggestion: Some("Close it.".to_owned()),
        };
        let complaint = Complaint::Critique { findings: vec![finding] };
        let ask = Ask { complaint: Some(&complaint), ..ask(&repo, Role::Fixer) };
        let prompt = prompt(&ask);
        let block = " what the critic found (level 0)\n1. (major) a.rs:3: It leaks.\n   It \
                     suggests: Close it.\n>>>";
        assert!(prompt.contains(block), "{prompt}");
    }
}
