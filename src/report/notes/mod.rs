//! Notes at file and line: what failed on the published head, where a person would look first.

mod parse;

pub use parse::parse;

use crate::model::{CheckId, CommitSha};
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
    let head = work.head.as_ref().filter(|head| work.published.as_ref() == Some(head))?;
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
            Complaint::Verification { .. } | Complaint::Checks { .. } | Complaint::Review { .. },
            _,
        ) => None,
    }
}

/// What the guard refused, at the file it names: the change itself was never committed, so its
/// lines are nowhere; the file's first line stands for it.
pub fn refused(state: &State) -> Option<(&CommitSha, Note)> {
    let work = &state.work;
    let head = work.head.as_ref().filter(|head| work.published.as_ref() == Some(head))?;
    let why = work.rejection.as_ref().filter(|_| state.park().is_some())?;
    let path = why.split('`').nth(1).and_then(parse::inside)?;
    let title = "Slipway refused an agent's change".to_owned();
    let message = crate::model::text::cut(why, MESSAGE_CHARS_MAX);
    Some((head, Note { path, line: 1, level: Level::Warning, title, message }))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
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

    #[test]
    fn a_refused_change_is_noted_at_its_file_once_a_person_is_asked() {
        let mut state = sample::parked(ParkReason::FixesSpent, "refused");
        state.work.published.clone_from(&state.work.head);
        for (why, path) in [
            ("it deletes the test `tests/a.rs`", Some("tests/a.rs")),
            ("`../etc/passwd` still has conflict markers", None),
            ("it touches more files than can be listed", None),
        ] {
            state.work.rejection = Some(why.to_owned());
            let found = refused(&state).map(|(_, note)| (note.path, note.line));
            assert_eq!(found, path.map(|path| (path.to_owned(), 1)));
        }
    }
}
