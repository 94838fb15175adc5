//! Which agents rest, because the house they share has had enough.

use std::sync::{MutexGuard, PoisonError};

use super::Engine;
use crate::agent::fallback::{Bar, Candidate, bars};
use crate::agent::outcome::Outcome;
use crate::agent::pool::Pools;

impl Engine {
    pub(super) fn pools(&self) -> MutexGuard<'_, Pools> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how an agent ended that took so many milliseconds; says why another one is to do
    /// its work, if it is.
    pub(super) fn ended(
        &self,
        candidate: &Candidate,
        outcome: &Outcome,
        took_ms: i64,
    ) -> Option<Bar> {
        let now = self.now();
        if let Some(pool) = &candidate.pool
            && let Some(until) = self.pools().note(pool, outcome.class, (now, took_ms))
        {
            tracing::warn!(pool, until = %until.readable(), "agents of this house rest");
            self.watcher.rests(pool, until);
        }
        outcome.class.err().and_then(bars)
    }
}
