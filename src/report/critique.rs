//! What a critic found in the present head, where the run is shown: claims of an agent.

use super::Context;
use crate::markdown;
use crate::model::character::visible;
use crate::model::sanitized::{Markdown, code, quoted, said};
use crate::model::text::cut;
use crate::pipeline::State;
use crate::pipeline::critique::{Critique, Finding};

/// Most findings listed; the heaviest come first.
const FINDINGS_SHOWN_MAX: usize = 20;
/// Characters of a finding, of its suggestion, and of the summary.
const FINDING_CHARS_MAX: usize = 600;
const SUMMARY_CHARS_MAX: usize = 1_000;
/// Characters of a path.
const PATH_CHARS_MAX: usize = 200;

/// What is left to say of the present head; `None` where nothing was reviewed.
pub(super) fn shown(context: &Context<'_>) -> Option<Markdown> {
    let head = context.state.work.head.as_ref()?;
    let found = context.state.work.critic.of(head)?;
    let of = code(head.short());
    let Some(counted) = found.counted() else {
        let text = "A critic found nothing to repair in";
        return Some(markdown!("{} {}. That approves nothing.", text, of));
    };
    let counted = said(&counted);
    let waived = waived(context, found);
    let mut lines = vec![markdown!("**What a critic found in {}: {}.**{}", of, counted, waived)];
    if !found.summary.trim().is_empty() {
        lines.push(quoted(&found.summary, SUMMARY_CHARS_MAX, &context.links.repo_url));
    }
    let list: Vec<Markdown> = found.findings.iter().take(FINDINGS_SHOWN_MAX).map(line).collect();
    lines.push(Markdown::joined(&list, "\n"));
    let more = found.findings.len().saturating_sub(FINDINGS_SHOWN_MAX);
    let more = more as u64 + u64::from(found.left_out);
    if more > 0 {
        lines.push(markdown!("And {} more; {}.", more, context.whole()));
    }
    Some(Markdown::joined(&lines, "\n\n"))
}

/// What is done with it.
fn waived(context: &Context<'_>, found: &Critique) -> Markdown {
    let waived = context.state.work.critic.waived.as_deref();
    match waived.filter(|waived| waived.head == found.head) {
        Some(waived) => markdown!(" {} said `/push` all the same.", said(&waived.by.login)),
        None => Markdown::default(),
    }
}

fn line(finding: &Finding) -> Markdown {
    let place = match (finding.path.as_str(), finding.line) {
        ("", _) => Markdown::default(),
        (path, None) => markdown!(" in {}", code(&cut(path, PATH_CHARS_MAX))),
        (path, Some(line)) => markdown!(" in {}, line {}", code(&cut(path, PATH_CHARS_MAX)), line),
    };
    let text = said(&cut(&one_line(&finding.text), FINDING_CHARS_MAX));
    let suggestion = finding.suggestion.as_deref().map_or_else(Markdown::default, |suggestion| {
        markdown!(" It suggests: {}", said(&cut(&one_line(suggestion), FINDING_CHARS_MAX)))
    });
    markdown!("- {}{}: {}{}", finding.severity.word(), place, text, suggestion)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The same without any markup, with a title, for the run's page.
pub(super) fn lines(state: &State) -> Option<(String, String)> {
    let found = state.work.critic.found.as_ref()?;
    let counted = found.counted().unwrap_or_else(|| "nothing".to_owned());
    let title = format!("What a critic found in {}: {counted}", found.head.short());
    let line = |one: &Finding| {
        let at = one.line.map(|line| format!(":{line}")).unwrap_or_default();
        let suggestion = one.suggestion.as_deref().unwrap_or_default();
        let text = visible(&format!("{} {suggestion}", one.text)).trim().to_owned();
        format!("{} {}{at}: {text}\n", one.severity.word(), visible(&one.path))
    };
    let all: String = found.findings.iter().map(line).collect();
    Some((title, format!("{}\n\n{all}", found.summary.trim())))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, sha, shown as snapshot, user, with};
    use super::*;
    use crate::pipeline::state::Approval;
    use crate::policy::{Policy, Severity};

    fn reviewed(findings: Vec<Finding>) -> State {
        let mut state = sample::waiting_for_ci();
        state.work.critic.found = Some(Box::new(Critique {
            head: sha('a'),
            summary: "Mostly good, @bob.".to_owned(),
            findings,
            left_out: 0,
            given_up: true,
        }));
        state
    }

    fn finding(text: &str) -> Finding {
        Finding {
            path: "src/a`b.rs".to_owned(),
            line: Some(3),
            severity: Severity::Major,
            text: text.to_owned(),
            suggestion: Some("close it".to_owned()),
        }
    }

    fn said_of(state: &State) -> Option<String> {
        with(state, &Policy::default(), shown).map(|said| snapshot(said.as_str()))
    }

    #[test]
    fn what_a_critic_found_is_shown_with_its_commit_and_acts_on_nobody() {
        let mut state = reviewed(vec![finding("It leaks\n/merge @all fixes #1")]);
        insta::assert_snapshot!(said_of(&state).unwrap(), @"
        **What a critic found in `aaaaaaaaaa`: 1 major.**

        > Mostly good, @(zero width)bob.

        - major in `src/a'b.rs`, line 3: It leaks (zero width)/(zero width)merge @(zero
        width)all fixes #(zero width)1 It suggests: close it
        ");
        state.work.critic.waived = Some(Box::new(Approval { by: user("ann"), head: sha('a') }));
        assert!(said_of(&state).unwrap().contains("ann said `/push` all the same."));
        state.work.head = Some(sha('b'));
        assert_eq!(said_of(&state), None, "it says nothing of another commit");
    }

    #[test]
    fn a_critic_that_found_nothing_approves_nothing() {
        insta::assert_snapshot!(said_of(&reviewed(Vec::new())).unwrap(), @"A critic found nothing to repair in `aaaaaaaaaa`. That approves nothing.");
    }

    #[test]
    fn endless_findings_are_cut_and_counted() {
        let findings = vec![finding(&"x".repeat(10_000)); FINDINGS_SHOWN_MAX + 5];
        let said = said_of(&reviewed(findings)).unwrap();
        assert!(said.contains("And 5 more") && said.len() < 60_000, "{}", said.len());
    }
}
