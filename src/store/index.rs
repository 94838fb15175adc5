//! What the store keeps beside a state, so that webhooks and listings find its run.

use crate::model::{Millis, text};
use crate::pipeline::{Phase, Progress, State};

use super::{Error, RunRow, STATE_BYTES_MAX};

/// Longest description of a stage and phase, in characters.
const AFTER_CHARS_MAX: usize = 200;

/// The listing of a run whose state is `state` since `moved`.
pub(super) fn index_of(state: &State, moved: Millis) -> RunRow {
    let request = &state.request;
    let at_stage = match (&state.progress, state.stage()) {
        (Progress::Finished { outcome, .. }, _) => outcome.word(),
        (Progress::Idle | Progress::Running { .. }, Some(kind)) => kind.word(),
        (Progress::Idle | Progress::Running { .. }, None) => "idle",
    };
    RunRow {
        run: request.run.clone(),
        repo: request.repo.clone(),
        issue: request.issue,
        title: request.title.clone(),
        pull: state.work.pull.or(request.pull),
        branch: state.work.branch.clone(),
        base: state.work.base.clone().or_else(|| request.base.clone()),
        head: state.work.head.clone(),
        live: state.finished().is_none(),
        at_stage: at_stage.to_owned(),
        opened: request.at,
        moved,
    }
}

/// The stage and phase of `state`, in words, for the timeline.
pub(super) fn after(state: &State) -> String {
    let words = match &state.progress {
        Progress::Idle => "idle".to_owned(),
        Progress::Finished { outcome, .. } => outcome.word().to_owned(),
        Progress::Running { stage, phase, .. } => match phase {
            Phase::Doing(_) => format!("{}: working", stage.word()),
            Phase::Waiting(wait) => format!("{}: waiting for {}", stage.word(), wait.what),
            Phase::Parked(park) => format!("{}: parked, {}", stage.word(), park.text),
        },
    };
    text::cut(&words, AFTER_CHARS_MAX)
}

/// Refuses what is larger than its limit.
pub(super) fn fits(what: &'static str, bytes: usize, bytes_max: usize) -> Result<(), Error> {
    if bytes > bytes_max { Err(Error::TooLarge { what, bytes, bytes_max }) } else { Ok(()) }
}

/// Refuses a state that is too large to be stored, without keeping its text.
pub(super) fn state_fits(state: &State) -> Result<(), Error> {
    let mut count = Count(0);
    serde_json::to_writer(&mut count, state).map_err(|why| Error::Damaged(why.to_string()))?;
    fits("the state", count.0, STATE_BYTES_MAX)
}

struct Count(usize);

impl std::io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
