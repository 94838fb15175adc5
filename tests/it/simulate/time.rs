//! Virtual time and the fuse of one engine: who sleeps until when, and when it falls over.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use async_trait::async_trait;
use slipway::clock::Clock;
use slipway::model::Millis;

/// A clock that moves only when told to, and remembers what is slept for.
#[derive(Debug, Default)]
pub(super) struct SimClock {
    now: AtomicI64,
    wanted: AtomicI64,
}

impl SimClock {
    pub(super) fn at(now: i64) -> Self {
        Self { now: AtomicI64::new(now), wanted: AtomicI64::new(i64::MAX) }
    }

    pub(super) fn ms(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    pub(super) fn set(&self, to: i64) {
        self.now.fetch_max(to, Ordering::SeqCst);
    }

    /// The nearest moment that anybody polled since the last call sleeps for.
    pub(super) fn take_wanted(&self) -> i64 {
        self.wanted.swap(i64::MAX, Ordering::SeqCst)
    }
}

struct Sleep<'a>(&'a SimClock, i64);

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.0.ms() >= self.1 {
            return Poll::Ready(());
        }
        self.0.wanted.fetch_min(self.1, Ordering::SeqCst);
        Poll::Pending
    }
}

#[async_trait]
impl Clock for SimClock {
    fn now(&self) -> Millis {
        Millis(self.ms())
    }

    async fn sleep_until(&self, until: Millis) {
        Sleep(self, until.0).await;
    }
}

/// Lets the others go on once.
struct Breath(bool);

impl Future for Breath {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.0 {
            return Poll::Ready(());
        }
        self.0 = true;
        Poll::Pending
    }
}

/// Counts what one engine does at its ports, lets others in between, and ends it at its time.
#[derive(Debug)]
pub(super) struct Fuse {
    left: AtomicI64,
    dead: AtomicBool,
    moved: AtomicBool,
    dice: Mutex<fastrand::Rng>,
    /// How often somebody else comes in between, in percent.
    breaths: u32,
}

impl Fuse {
    /// Burns through after `steps` beginnings and ends of calls.
    pub(super) fn new(steps: i64, seed: u64, breaths: u32) -> Self {
        let dice = Mutex::new(fastrand::Rng::with_seed(seed));
        let (dead, moved) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { left: AtomicI64::new(steps), dead, moved, dice, breaths }
    }

    pub(super) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// No crash any more, and nobody comes in between.
    pub(super) fn calm(&self) {
        self.left.store(i64::MAX, Ordering::SeqCst);
    }

    pub(super) fn take_moved(&self) -> bool {
        self.moved.swap(false, Ordering::SeqCst)
    }

    pub(super) fn chance(&self, percent: u32) -> bool {
        self.dice.lock().unwrap_or_else(PoisonError::into_inner).u32(0..100) < percent
    }

    /// Before and after every call at a port.
    pub(super) async fn step(&self) {
        self.moved.store(true, Ordering::SeqCst);
        if self.left.fetch_sub(1, Ordering::SeqCst) <= 1 {
            self.dead.store(true, Ordering::SeqCst);
        }
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
        if self.breaths > 0 && self.chance(self.breaths) {
            Breath(false).await;
        }
    }
}
