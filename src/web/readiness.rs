//! Whether the program can do its work, as far as it knows itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Shared between the loops of the program and `/readyz`.
#[derive(Debug, Default)]
pub struct Readiness {
    draining: AtomicBool,
    workers_wanted: AtomicUsize,
    workers_alive: AtomicUsize,
}

/// A worker loop that runs; it counts as dead once this is dropped, also by a panic.
#[derive(Debug)]
pub struct Alive(Arc<Readiness>);

impl Readiness {
    /// Expects `workers` loops to be alive.
    pub fn expect(&self, workers: usize) {
        self.workers_wanted.store(workers, Ordering::SeqCst);
    }

    /// Tells that a worker loop runs, for as long as the value is kept.
    #[must_use]
    pub fn worker(self: &Arc<Self>) -> Alive {
        self.workers_alive.fetch_add(1, Ordering::SeqCst);
        Alive(Arc::clone(self))
    }

    /// From now on the program finishes what it has and takes nothing new.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    /// Why the program is not ready; empty when it is.
    pub(super) fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.draining.load(Ordering::SeqCst) {
            reasons.push("shutting down".to_owned());
        }
        let wanted = self.workers_wanted.load(Ordering::SeqCst);
        let alive = self.workers_alive.load(Ordering::SeqCst);
        if wanted == 0 {
            reasons.push("the workers have not started".to_owned());
        } else if alive < wanted {
            reasons.push(format!("{alive} of {wanted} workers are alive"));
        }
        reasons
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.workers_alive.fetch_sub(1, Ordering::SeqCst);
    }
}
