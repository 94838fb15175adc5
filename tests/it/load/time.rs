//! Virtual time: it jumps to the next moment somebody sleeps for as soon as nobody has anything
//! to do, so that an hour costs as long as what happens in it.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use slipway::clock::Clock;
use slipway::model::Millis;

#[derive(Debug)]
pub(super) struct VirtualClock {
    now: AtomicI64,
    sleepers: Mutex<BTreeMap<(i64, u64), Waker>>,
    numbered: AtomicU64,
    /// What is being done by other threads; no time passes meanwhile.
    elsewhere: AtomicUsize,
}

impl VirtualClock {
    pub(super) fn at(now: i64) -> Self {
        let (sleepers, numbered) = (Mutex::default(), AtomicU64::new(0));
        Self { now: AtomicI64::new(now), sleepers, numbered, elsewhere: AtomicUsize::new(0) }
    }

    pub(super) fn ms(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    pub(super) async fn pass(&self, ms: i64) {
        self.sleep_until(Millis(self.ms() + ms)).await;
    }

    /// Something is done by another thread, until the value is dropped.
    pub(super) fn elsewhere(&self) -> Elsewhere<'_> {
        self.elsewhere.fetch_add(1, Ordering::SeqCst);
        Elsewhere(self)
    }

    /// Jumps to the next moment, when nobody has anything to do before.
    pub(super) fn jump(&self) {
        if self.elsewhere.load(Ordering::SeqCst) > 0 {
            return;
        }
        let due = {
            let mut sleepers = self.sleepers.lock().expect("nobody panicked");
            let Some((&(next, _), _)) = sleepers.first_key_value() else { return };
            self.now.fetch_max(next, Ordering::SeqCst);
            let later = sleepers.split_off(&(next + 1, 0));
            std::mem::replace(&mut *sleepers, later)
        };
        due.into_values().for_each(Waker::wake);
    }
}

pub(super) struct Elsewhere<'a>(&'a VirtualClock);

impl Drop for Elsewhere<'_> {
    fn drop(&mut self) {
        self.0.elsewhere.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> Millis {
        Millis(self.ms())
    }

    async fn sleep_until(&self, until: Millis) {
        let number = self.numbered.fetch_add(1, Ordering::SeqCst);
        Sleep { clock: self, key: (until.0, number) }.await;
    }
}

struct Sleep<'a> {
    clock: &'a VirtualClock,
    key: (i64, u64),
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.clock.ms() >= self.key.0 {
            return Poll::Ready(());
        }
        let mut sleepers = self.clock.sleepers.lock().expect("nobody panicked");
        sleepers.insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        self.clock.sleepers.lock().expect("nobody panicked").remove(&self.key);
    }
}
