//! The clock: the only place that asks what time it is.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::model::Millis;

/// Tells the time and waits.
#[async_trait]
pub trait Clock: Send + Sync {
    fn now(&self) -> Millis;

    /// Returns when `now()` is at least `until`.
    async fn sleep_until(&self, until: Millis);
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Millis {
        #[expect(clippy::disallowed_methods, reason = "this is the clock")]
        let now = std::time::SystemTime::now();
        let since = now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    async fn sleep_until(&self, until: Millis) {
        let ms = u64::try_from(until.since(self.now())).unwrap_or(0);
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

/// A clock that moves only when told to: the honest fake. It knows who waits for it.
#[derive(Debug, Default)]
pub struct FakeClock {
    now: watch::Sender<i64>,
    awaited: Mutex<Vec<i64>>,
}

impl FakeClock {
    pub fn at(start: Millis) -> Self {
        Self { now: watch::Sender::new(start.0), awaited: Mutex::default() }
    }

    /// Moves to `to`, never backwards.
    pub fn set(&self, to: Millis) {
        self.now.send_modify(|now| *now = to.0.max(*now));
    }

    pub fn advance(&self, ms: i64) {
        self.now.send_modify(|now| *now = now.saturating_add(ms.max(0)));
    }

    /// The next moment that somebody sleeps for.
    pub fn next_wake(&self) -> Option<Millis> {
        self.awaited().iter().min().copied().map(Millis)
    }

    fn awaited(&self) -> MutexGuard<'_, Vec<i64>> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody sleeps until a moment, for as long as this lives.
struct Asleep<'a>(&'a FakeClock, i64);

impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        let mut awaited = self.0.awaited();
        if let Some(found) = awaited.iter().position(|until| *until == self.1) {
            awaited.swap_remove(found);
        }
    }
}

#[async_trait]
impl Clock for FakeClock {
    fn now(&self) -> Millis {
        Millis(*self.now.borrow())
    }

    async fn sleep_until(&self, until: Millis) {
        let mut now = self.now.subscribe();
        self.awaited().push(until.0);
        let _asleep = Asleep(self, until.0);
        // It fails only when the clock is gone, and we hold it.
        let _reached = now.wait_for(|now| *now >= until.0).await.is_ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_at_its_moment_and_the_clock_knows_who_sleeps() {
        let clock = FakeClock::at(Millis(1_000));
        clock.sleep_until(Millis(900)).await;
        assert_eq!(clock.next_wake(), None, "what is past is not waited for");
        let (late, soon) = (clock.sleep_until(Millis(3_000)), clock.sleep_until(Millis(2_000)));
        let turn = async {
            assert_eq!(clock.next_wake(), Some(Millis(2_000)));
            clock.set(Millis(2_500));
            tokio::task::yield_now().await;
            assert_eq!(clock.next_wake(), Some(Millis(3_000)));
            clock.set(Millis(2_000));
            assert_eq!(clock.now(), Millis(2_500), "never backwards");
            clock.advance(500);
        };
        tokio::join!(biased; late, soon, turn);
        assert_eq!(clock.next_wake(), None);
    }

    #[tokio::test]
    async fn who_gives_up_sleeping_is_forgotten() {
        let clock = FakeClock::at(Millis(0));
        let slept = tokio::time::timeout(Duration::from_millis(1), clock.sleep_until(Millis(9)));
        assert!(slept.await.is_err());
        assert_eq!(clock.next_wake(), None);
    }
}
