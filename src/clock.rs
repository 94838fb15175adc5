//! The clock: the only place that asks what time it is.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;

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

/// A clock that moves only when told to: the honest fake.
#[derive(Debug, Default)]
pub struct FakeClock(AtomicI64);

impl FakeClock {
    pub fn at(start: Millis) -> Self {
        Self(AtomicI64::new(start.0))
    }

    /// Moves to `to`, never backwards.
    pub fn set(&self, to: Millis) {
        self.0.fetch_max(to.0, Ordering::SeqCst);
    }

    pub fn advance(&self, ms: i64) {
        self.0.fetch_add(ms.max(0), Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for FakeClock {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }

    async fn sleep_until(&self, until: Millis) {
        while self.now() < until {
            tokio::task::yield_now().await;
        }
    }
}
