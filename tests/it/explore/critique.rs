//! The laws of critics: what they say keeps a change back or does not, and never lets one through.

use slipway::pipeline::critique::{Critique, Finding};
use slipway::pipeline::{Done, EventKind, Role, State, Task};
use slipway::policy::{Severity, Then};

use super::laws::{fail, next, performed};
use super::walk::Move;
use super::world::{HEAD, commit};

/// Calls of a critic, and of the fixer for it, that any path may have beside the others: one for
/// the first change, one for its repair, one for each later commit of a fixer and of a resolver.
pub(super) const CALLS_MAX: usize = 6;

/// The ways a critic ends: content, with two kinds of objection, and with a trifle.
pub(super) fn ends(state: &State) -> Vec<(&'static str, Done)> {
    let head = state.work.head.clone().unwrap_or_else(|| commit(HEAD));
    let said = |findings| {
        let (head, summary) = (head.clone(), String::new());
        let critique = Critique { head, summary, findings, left_out: 0, given_up: false };
        Done::Critiqued { critique: Box::new(critique), cost_micros: 1 }
    };
    let finding = |severity, text: &str| {
        let (path, text) = ("a.rs".to_owned(), text.to_owned());
        Finding { path, line: Some(1), severity, text, suggestion: None }
    };
    vec![
        ("critic content", said(Vec::new())),
        ("critic objects", said(vec![finding(Severity::Major, "it leaks")])),
        ("critic objects otherwise", said(vec![finding(Severity::Critical, "it panics")])),
        ("critic finds a trifle", said(vec![finding(Severity::Minor, "a typo")])),
    ]
}

/// A second opinion: what is pushed was reviewed as it is, and nobody objects, or the policy or a
/// person said that it goes on all the same.
pub(super) fn reviewed(m: &Move<'_>) -> Result<(), String> {
    let Some(Task::Publish { head, .. }) = performed(m) else { return Ok(()) };
    let policy = &m.lens.policy;
    // What is on the branch already, a person pushed.
    if !policy.stages.critique || next(m).work.published.as_ref() == Some(head) {
        return Ok(());
    }
    let critic = &next(m).work.critic;
    let found = critic.found.as_deref().filter(|found| &found.head == head);
    let heavy = |found: &Critique| {
        found.findings.iter().any(|one| one.severity >= policy.critique.severity)
    };
    let clean = found.is_some_and(|found| !heavy(found));
    let left = found.is_some() && policy.critique.then == Then::GoOn;
    let waived = critic.waived.as_ref().is_some_and(|word| &word.head == head);
    fail(!(clean || left || waived), "nobody reviewed it, or somebody objects")
}

/// Whatever a critic says or leaves, the commit stays what it was, and no word of a person
/// appears.
pub(super) fn changes_nothing(m: &Move<'_>) -> Result<(), String> {
    let before = &m.before.state;
    let critic = matches!(before.task(), Some(Task::Agent { role: Role::Critic, .. }));
    let EventKind::Performed { .. } = &m.letter.event.kind else { return Ok(()) };
    if !critic {
        return Ok(());
    }
    let (was, is) = (&before.work, &next(m).work);
    fail(was.head != is.head || was.published != is.published, "it changed the commit")?;
    let words = was.approved == is.approved
        && was.approvals == is.approvals
        && was.merge_ordered == is.merge_ordered
        && was.released == is.released
        && was.critic.waived == is.critic.waived;
    fail(!words, "it spoke for a person")?;
    fail(was.verified != is.verified, "it vouched for the commit")
}

/// No more rounds than the policy allows, since a person last said something.
pub(super) fn bounded(m: &Move<'_>) -> Result<(), String> {
    let rounds = next(m).work.critic.rounds;
    fail(rounds > m.lens.policy.limits.critique_rounds_max, "it goes on for ever")
}
