//! Hearing an agent while it works: its words become events, and whoever is stuck is stopped.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::follow::Following;
use crate::agent::dialect::{Account, Dialect, Heard, Opening, Reader, Step};
use crate::agent::outcome::Stopped;
use crate::agent::watch::{Patience, Watch};
use crate::clock::Clock;
use crate::model::Millis;
use crate::sandbox::{Answer, Ear};

/// The ear of one agent.
pub(super) struct Hearing {
    clock: Arc<dyn Clock>,
    /// Ends the agent.
    stop: CancellationToken,
    answers: bool,
    /// Shows and keeps what it says.
    following: Arc<Following>,
    inner: Mutex<Inner>,
}

struct Inner {
    reader: Reader,
    watch: Watch,
    stopped: Option<Stopped>,
}

impl Hearing {
    /// An ear for `dialect`, and what the agent is told before it says anything.
    pub(super) fn new(
        dialect: Dialect,
        opening: Opening,
        following: Arc<Following>,
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
    ) -> (Self, String) {
        let mut reader = Reader::new(dialect, opening);
        let first = answer(reader.open());
        let first = String::from_utf8_lossy(&first.text).into_owned();
        let watch = Watch::new(Patience::default(), clock.now());
        let inner = Mutex::new(Inner { reader, watch, stopped: None });
        (Self { clock, stop, answers: dialect.answers(), following, inner }, first)
    }

    /// What ends the agent, from whichever side.
    pub(super) fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Looks whether it has been silent for too long; `traffic` is when something last went
    /// between it and its model.
    pub(super) fn tick(&self, traffic: Option<Millis>) {
        let now = self.clock.now();
        let mut inner = self.inner();
        if let Some(why) = inner.watch.tick(now, traffic) {
            self.end(&mut inner, why);
        }
    }

    /// Looks whether it goes on asking though its model was refused to it `times`.
    pub(super) fn refused(&self, times: u64) {
        let mut inner = self.inner();
        if let Some(why) = inner.watch.refused(times) {
            self.end(&mut inner, why);
        }
    }

    /// What it said of itself, and why it was stopped if it was.
    pub(super) fn over(self) -> (Account, Heard, Option<Stopped>) {
        let inner = self.inner.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut unheard = Vec::new();
        let (account, heard) = inner.reader.end(&mut unheard);
        (account, heard, inner.stopped)
    }

    fn end(&self, inner: &mut Inner, why: Stopped) {
        if inner.stopped.is_none() {
            tracing::info!(why = why.why, "an agent is stopped");
            inner.stopped = Some(why);
            self.stop.cancel();
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ear for Hearing {
    fn hear(&self, bytes: &[u8]) -> Answer {
        let now = self.clock.now();
        let mut inner = self.inner();
        let mut steps = Vec::new();
        inner.reader.feed(bytes, &mut steps);
        self.following.heard(bytes, &steps, now);
        for step in &steps {
            let Step::Event(event) = step else { continue };
            if let Some(why) = inner.watch.event(event, now) {
                self.end(&mut inner, why);
            }
        }
        answer(steps)
    }

    fn answers(&self) -> bool {
        self.answers
    }
}

/// What is written to the program because of these steps.
fn answer(steps: Vec<Step>) -> Answer {
    let mut answer = Answer::default();
    for step in steps {
        match step {
            Step::Reply(line) => {
                answer.text.extend_from_slice(line.as_bytes());
                if !line.ends_with('\n') {
                    answer.text.push(b'\n');
                }
            }
            Step::Close => answer.close = true,
            Step::Event(_) => {}
        }
    }
    answer
}
