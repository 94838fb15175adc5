//! The machine: one pure function from state and event to the next state and its effects.
//!
//! One file per kind of event. What concerns one stage is in that stage's file; here is what
//! concerns them all: commands, withdrawal, foreign commits, merges by others, timers.

mod budget;
mod commanded;
mod critique;
mod lost;
mod observed;
mod performed;
mod question;
mod timer;
mod walk;
mod withdrawn;

use serde::{Deserialize, Serialize};

pub use self::observed::{Hears, hears};

use super::effect::Effect;
use super::event::{Event, EventKind};
use super::run::Run;
use super::stage::{StageKind, Step};
use super::state::{Progress, State};
use crate::policy::Policy;

/// What follows from an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    pub next: State,
    pub effects: Vec<Effect>,
}

/// Why an event changed nothing. Not an error: events come late and twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ignored {
    /// It is about a task or a wait that is over.
    Stale,
    /// It says what we knew.
    Unchanged,
    /// The run is finished.
    Finished,
    /// The run was not started, or is started already.
    NotNow,
}

impl Ignored {
    /// The word for it in timelines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stale => "stale",
            Self::Unchanged => "unchanged",
            Self::Finished => "finished",
            Self::NotNow => "not now",
        }
    }
}

/// What follows from `event`; total, pure, the same for the same input.
pub fn decide(state: &State, event: &Event, policy: &Policy) -> Result<Decision, Ignored> {
    match (&state.progress, &event.kind) {
        (Progress::Finished { .. }, EventKind::Commanded(command)) => {
            return commanded::after_the_end(state, command, policy, event.at);
        }
        (Progress::Finished { .. }, _) => return Err(Ignored::Finished),
        (Progress::Idle, EventKind::Started) => {
            let mut run = Run::new(state.clone(), policy, event.at);
            walk::go(&mut run, Step::Back(StageKind::Accept));
            return Ok(Decision { next: run.state, effects: run.effects });
        }
        // Whoever takes it back before it began must be heard too.
        (Progress::Idle, EventKind::Commanded(_) | EventKind::Withdrawn { .. }) => {}
        (Progress::Idle, _) | (Progress::Running { .. }, EventKind::Started) => {
            return Err(Ignored::NotNow);
        }
        (Progress::Running { .. }, _) => {}
    }
    if is_stale(state, &event.kind) {
        return Err(Ignored::Stale);
    }
    let mut run = Run::new(state.clone(), policy, event.at);
    match &event.kind {
        EventKind::Started => return Err(Ignored::NotNow),
        EventKind::Commanded(command) => commanded::decide(&mut run, command),
        EventKind::Withdrawn { by, how } => withdrawn::decide(&mut run, by.as_ref(), *how)?,
        EventKind::Performed { done, told, .. } => performed::decide(&mut run, done, told)?,
        EventKind::Observed(seen) => observed::decide(&mut run, state, seen)?,
        EventKind::TimerFired { timer, entry } => timer::decide(&mut run, *timer, *entry)?,
    }
    Ok(Decision { next: run.state, effects: run.effects })
}

/// Known from the event alone, before anything is copied: late events are many.
fn is_stale(state: &State, kind: &EventKind) -> bool {
    match kind {
        EventKind::Performed { entry, .. } | EventKind::TimerFired { entry, .. } => {
            *entry != state.entry
        }
        EventKind::Observed(seen) => observed::stale(state, seen),
        EventKind::Started | EventKind::Commanded(_) | EventKind::Withdrawn { .. } => false,
    }
}
