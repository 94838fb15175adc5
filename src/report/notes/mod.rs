//! Notes at file and line: what failed on the published head, where a person would look first.

mod parse;

pub use parse::parse;

use crate::gate::push::Violation;
use crate::model::text::cut;
use crate::model::{CheckId, CommitSha};
use crate::pipeline::critique::Finding;
use crate::pipeline::state::Complaint;
use crate::pipeline::{ParkReason, Phase, Progress, Role, StageKind, State, Task};

/// Most notes on one commit.
pub const NOTES_MAX: usize = 150;
/// Longest message of a note, in characters; GitHub takes 64 KiB.
pub const MESSAGE_CHARS_MAX: usize = 4_000;
/// Most checks whose logs are read for notes.
pub const CHECKS_MAX: usize = 5;

/// A remark about one line of one file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// Relative to the root of the repository.
    pub path: String,
    /// From 1.
    pub line: u32,
    pub level: Level,
    /// What found it: a check's name or our own verification.
    pub title: String,
    /// Untrusted text.
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Failure,
    Warning,
}

impl Level {
    /// GitHub's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Warning => "warning",
        }
    }
}

/// What failed on the published head, and where its words are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failing<'a> {
    /// Our own verification, with the end of its output.
    Verification { head: &'a CommitSha, log: &'a str },
    /// Checks on GitHub, whose logs are there.
    Checks { head: &'a CommitSha, checks: Vec<(CheckId, &'a str)> },
}

/// What to note on the head that GitHub shows; `None` while nothing is known to have failed
/// there. A person is asked, or an agent is at it: until then it may still pass.
pub fn failing(state: &State) -> Option<Failing<'_>> {
    let work = &state.work;
    let head = published(state)?;
    let Progress::Running { stage, phase, .. } = &state.progress else { return None };
    let told = match phase {
        Phase::Doing(Task::Agent { role: Role::Fixer, .. }) => true,
        Phase::Parked(park) => park.why == ParkReason::FixesSpent,
        Phase::Doing(_) | Phase::Waiting(_) => false,
    };
    match (work.complaint.as_ref().filter(|_| told)?, stage) {
        (Complaint::Verification { log }, StageKind::Verify) => {
            Some(Failing::Verification { head, log })
        }
        (Complaint::Checks { failed }, StageKind::Ci) => {
            let checks = failed.iter().filter_map(|check| Some((check.id?, check.name.as_str())));
            Some(Failing::Checks { head, checks: checks.take(CHECKS_MAX).collect() })
        }
        (
            Complaint::Verification { .. }
            | Complaint::Checks { .. }
            | Complaint::Review { .. }
            | Complaint::Critique { .. },
            _,
        ) => None,
    }
}

/// What the push gate refused, once a person is asked: the change itself was never committed,
/// so its places are those it would have had.
pub fn refused(state: &State) -> Option<(&CommitSha, Vec<Note>)> {
    let head = published(state)?;
    state.park()?;
    let title = "Slipway refused an agent's change";
    let found = notes(&state.work.violations, Level::Failure, title);
    (!found.is_empty()).then_some((head, found))
}

/// What the published head touches that one more person must approve.
pub fn delicate(state: &State) -> Option<(&CommitSha, Vec<Note>)> {
    let head = published(state)?;
    let judged = state.work.judged.as_ref().filter(|judged| &judged.head == head)?;
    let found = notes(&judged.delicate, Level::Warning, "One more person must approve this");
    (!found.is_empty()).then_some((head, found))
}

/// What the critic of the published head left, at its places.
pub fn critique(state: &State) -> Option<(&CommitSha, Vec<Note>)> {
    let head = published(state)?;
    let found = &state.work.critic.of(head)?.findings;
    let note = |one: &Finding| {
        let suggestion = one.suggestion.as_deref().unwrap_or_default();
        let message = cut(format!("{}\n\n{suggestion}", one.text).trim(), MESSAGE_CHARS_MAX);
        let (path, line) = (parse::inside(&one.path)?, one.line.unwrap_or(1));
        let title = format!("Slipway's critic ({})", one.severity.word());
        Some(Note { path, line, level: Level::Warning, title, message })
    };
    let found: Vec<Note> = found.iter().filter_map(note).collect();
    (!found.is_empty()).then_some((head, found))
}

/// The head, when GitHub shows it.
fn published(state: &State) -> Option<&CommitSha> {
    let work = &state.work;
    work.head.as_ref().filter(|head| work.published.as_ref() == Some(head))
}

/// A note for each violation that has a place; one without a line stands at the first.
fn notes(found: &[Violation], level: Level, title: &str) -> Vec<Note> {
    let note = |one: &Violation| {
        let path = parse::inside(&one.path)?;
        let message = format!("{} (rule: {})", one.why, one.rule.word());
        let message = cut(&message, MESSAGE_CHARS_MAX);
        let (line, title) = (one.line.unwrap_or(1), title.to_owned());
        Some(Note { path, line, level, title, message })
    };
    found.iter().filter_map(note).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::gate::push::{Judged, Rule};
    use crate::pipeline::Park;

    #[test]
    fn only_a_failure_of_the_published_head_is_noted() {
        let mut state = sample::fixing();
        let head = state.work.head.clone();
        state.work.published.clone_from(&head);
        if let Some(Complaint::Checks { failed }) = &mut state.work.complaint {
            failed[0].id = Some(CheckId(7));
        }
        let Some(Failing::Checks { head: found, checks }) = failing(&state) else {
            panic!("a fixer is at work on what CI found");
        };
        assert_eq!((Some(found), checks.len()), (head.as_ref(), 1));
        state.work.published = Some(sample::sha('b'));
        assert_eq!(failing(&state), None, "another commit is shown");
        state.work.published = head;
        let since = sample::T;
        let park = |why| Phase::Parked(Park { why, text: String::new() });
        for (stage, phase, known) in [
            (StageKind::Ci, park(ParkReason::FixesSpent), true),
            (StageKind::Ci, park(ParkReason::CiTooLong), false),
            (StageKind::Verify, park(ParkReason::FixesSpent), false),
            (StageKind::Ci, Phase::Doing(Task::Rerun { checks: Vec::new() }), false),
        ] {
            state.progress = Progress::Running { stage, since, phase };
            assert_eq!(failing(&state).is_some(), known, "{:?}", state.progress);
        }
        state.work.complaint = Some(Complaint::Verification { log: "x".to_owned() });
        let phase = park(ParkReason::FixesSpent);
        state.progress = Progress::Running { stage: StageKind::Verify, since, phase };
        assert!(matches!(failing(&state), Some(Failing::Verification { log: "x", .. })));
    }

    fn violation(path: &str, line: Option<u32>) -> Violation {
        let why = format!("`{path}` is protected");
        Violation { rule: Rule::Never, path: path.to_owned(), line, why }
    }

    #[test]
    fn a_refused_change_is_noted_at_its_files_once_a_person_is_asked() {
        let mut state = sample::parked(ParkReason::FixesSpent, "refused");
        state.work.published.clone_from(&state.work.head);
        for (path, line, noted) in [
            (".github/x.yml", Some(7), Some((".github/x.yml", 7))),
            ("CODEOWNERS", None, Some(("CODEOWNERS", 1))),
            ("../etc/passwd", Some(1), None),
            ("", None, None),
        ] {
            state.work.violations = vec![violation(path, line)];
            let found = refused(&state).map(|(_, notes)| notes).unwrap_or_default();
            let found = found.first().map(|note| (note.path.as_str(), note.line));
            assert_eq!(found, noted, "{path}");
        }
        state.work.violations = vec![violation("a", None)];
        state.progress = sample::fixing().progress;
        assert_eq!(refused(&state), None, "an agent is at it again");
    }

    #[test]
    fn what_a_critic_left_is_noted_on_its_own_commit() {
        let mut state = sample::waiting_for_ci();
        assert_eq!(critique(&state), None);
        let finding = |path: &str, line| Finding {
            path: path.to_owned(),
            line,
            severity: crate::policy::Severity::Minor,
            text: "It leaks.".to_owned(),
            suggestion: Some("Close it.".to_owned()),
        };
        state.work.critic.found = Some(Box::new(crate::pipeline::critique::Critique {
            head: sample::sha('a'),
            summary: String::new(),
            findings: vec![finding("a.rs", None), finding("../b", Some(2)), finding("", None)],
            left_out: 0,
            given_up: false,
        }));
        let (_, notes) = critique(&state).unwrap();
        let found: Vec<_> = notes.iter().map(|one| (one.path.as_str(), one.line)).collect();
        assert_eq!(found, [("a.rs", 1)], "only what has a place in the repository");
        assert_eq!(notes[0].title, "Slipway's critic (minor)");
        assert_eq!(notes[0].message, "It leaks.\n\nClose it.");
        state.work.published = Some(sample::sha('b'));
        assert_eq!(critique(&state), None, "another commit is shown");
    }

    #[test]
    fn what_is_delicate_is_noted_on_its_own_commit() {
        let mut state = sample::waiting_for_ci();
        assert_eq!(delicate(&state), None);
        let found = vec![violation("Cargo.toml", Some(3))];
        let head = state.work.head.clone().unwrap();
        state.work.judged = Some(Judged { head, delicate: found.clone() });
        let (_, notes) = delicate(&state).unwrap();
        let note = &notes[0];
        assert_eq!((note.path.as_str(), note.line, note.level), ("Cargo.toml", 3, Level::Warning));
        state.work.judged = Some(Judged { head: sample::sha('b'), delicate: found });
        assert_eq!(delicate(&state), None, "it was said of another commit");
    }
}
