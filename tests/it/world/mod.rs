//! A town in one process: the real engine, stepped, over a World, a memory store and fakes.
//! Every test is lived twice: once with GitHub in this process, and once over HTTPS.
//!
//! Time moves only when nothing is due any more. What the web would do with a delivery is done
//! here, and so is what the CI would do; the engine is the one that ships.

mod edits;
mod end;
mod fuse;
mod known;
mod outside;
mod people;
mod plan;
mod questions;
mod reach;
mod slow;
mod trust;
mod wired;
mod wired_sandbox;
mod wired_store;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use futures_util::FutureExt;
use slipway::clock::{Clock, FakeClock};
use slipway::git::depot::Depot;
use slipway::github::signature;
use slipway::model::{DeliveryId, Millis};
use slipway::playground::world::{App, User, World};
use slipway::sandbox::fake::Directories;
use slipway::store::memory::Memory;
use slipway::store::{JobKind, Lease, NewDelivery, Store};
use slipway::worker::{Engine, Ports, Settings, Unwatched};

use crate::ghes::Served;

pub(crate) use edits::{copy, crash, delete, fail, hang, quote, replace, say, union, write};
pub(crate) use fuse::{Fuse, Side};
pub(crate) use outside::{Asked, Repositories, play};
pub(crate) use plan::{GREETING, Plan, plan, run_test};
pub(crate) use reach::Reach;

/// Turns of deliveries, CI and engine within one moment before we call it a live-lock.
const TURNS_MAX: usize = 20_000;
/// Virtual time within which everything a test waits for happens.
const PATIENCE_MS: i64 = 24 * 3_600_000;

/// Everything and everybody of one test.
pub(crate) struct Town {
    pub(crate) world: World,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) store: Arc<Memory>,
    pub(crate) fuse: Arc<Fuse>,
    pub(crate) engine: Engine,
    pub(crate) settings: Settings,
    ports: Ports,
    engines_made: u32,
    pub(crate) repo: String,
    pub(crate) repo_id: u64,
    pub(crate) depot: Depot,
    pub(crate) people: BTreeMap<&'static str, User>,
    pub(crate) bot: App,
    /// What a dead process leaves is freed at once, as a locked file allows; otherwise its
    /// leases run out.
    reclaims: bool,
    /// The issue the sentences are about.
    pub(crate) number: u64,
    pub(crate) directories: Directories,
    pub(crate) asked: Arc<Mutex<Vec<Asked>>>,
    pub(crate) egress: Arc<slipway::egress::fake::Fake>,
    /// One permit for each part that a slow agent says.
    pub(crate) gate: Arc<tokio::sync::Semaphore>,
    poison: Option<plan::Poison>,
    /// Payloads that were rewritten.
    pub(crate) poisoned: AtomicU32,
    /// Crashes that happened.
    pub(crate) crashes: u32,
    /// The endpoint answers every delivery with 500.
    pub(crate) refuses: bool,
    expected: end::Expected,
    pub(crate) reach: Reach,
    /// The server, when there is one.
    served: Option<Served>,
}

/// What a future of the memory store gives: it never waits.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("the memory store never waits")
}

impl Town {
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().0
    }

    /// An engine over the same ports under another owner's name.
    pub(crate) fn another_engine(&mut self) -> Engine {
        self.engines_made += 1;
        let settings =
            Settings { owner: format!("engine-{}", self.engines_made), ..self.settings.clone() };
        Engine::new(self.ports.clone(), settings, Arc::new(Unwatched))
    }

    /// The process dies and another one starts on what it left.
    pub(crate) fn crash(&mut self) {
        self.crashes += 1;
        self.fuse.mend();
        self.engine = self.another_engine();
        if !self.reclaims {
            return;
        }
        let owner = self.engine.settings().owner.clone();
        ready(self.store.reclaim(&owner, self.clock.now())).expect("the memory store reclaims");
    }

    /// The process will die just before or after the `nth` effect from now, counted from 1.
    pub(crate) fn crash_at(&self, nth: u32, side: Side) {
        self.fuse.blow_at(nth, side);
    }

    /// Hands over what is due as the web does: believed only with its signature, then kept.
    pub(crate) fn deliver(&self) -> bool {
        let due = self.world.due_deliveries(self.now());
        let any = !due.is_empty();
        for delivery in due {
            if delivery.app != self.bot.id {
                continue;
            }
            if self.refuses {
                self.world.delivery_answered(delivery.id, 500);
                continue;
            }
            let secrets = [self.bot.webhook_secret.as_bytes()];
            let signed = Some(delivery.signature_sha256.as_str());
            let believed = signature::verify(&secrets, &delivery.body, signed);
            if believed {
                let kept = ready(self.store.record(NewDelivery {
                    id: DeliveryId::parse(&delivery.guid).expect("GitHub's ids are valid"),
                    event: delivery.event.clone(),
                    body: self.taken(&delivery.body),
                    at: self.clock.now(),
                }));
                kept.expect("the memory store keeps it");
            }
            self.world.delivery_answered(delivery.id, if believed { 202 } else { 401 });
        }
        any
    }

    fn taken(&self, body: &[u8]) -> Vec<u8> {
        let Some((poison, with)) = &self.poison else { return body.to_vec() };
        self.poisoned.fetch_add(1, Ordering::SeqCst);
        poison(body, with)
    }

    /// Deliveries, CI and one step of the engine, in this order; `false` when nothing was due.
    pub(crate) async fn turn(&mut self) -> bool {
        let delivered = self.deliver();
        let mut moved = delivered;
        while self.world.ci_step(self.now()).expect("the CI works") {
            moved = true;
            self.deliver();
        }
        self.step().await || moved
    }

    /// One step of the engine; a blown fuse drops it where it is and starts another.
    pub(crate) async fn step(&mut self) -> bool {
        let Some(stepped) = self.live(Box::pin(self.engine.step())).await else {
            self.crash();
            return true;
        };
        stepped.expect("the memory store claims")
    }

    /// Lets `engine` take the task that is due, without doing it; what is due before is done.
    pub(crate) async fn claim_task(&self, engine: &Engine) -> Lease {
        loop {
            let lease = ready(engine.claim(1)).expect("the memory store claims").pop();
            let lease = lease.expect("a task is due");
            if matches!(lease.kind, JobKind::Perform { .. }) {
                return lease;
            }
            self.work(engine, lease).await;
        }
    }

    /// Goes on until nothing is due now.
    pub(crate) async fn settle(&mut self) {
        for _ in 0..TURNS_MAX {
            if !self.turn().await {
                return;
            }
        }
        panic!("it never settles");
    }

    /// When something will be due by itself.
    pub(crate) fn next_due(&self) -> Option<i64> {
        let stored = ready(self.store.next_due()).expect("the memory store knows");
        [self.world.next_due_ms(), stored.map(|due| due.0)].into_iter().flatten().min()
    }

    /// Moves the clock to what is due next; `false` when nothing ever will be.
    pub(crate) fn wait(&self) -> bool {
        let Some(next) = self.next_due() else { return false };
        self.clock.set(Millis(next.max(self.now() + 1)));
        true
    }

    /// Lets things happen until `wanted`; time passes only when nothing is due.
    pub(crate) async fn run_until(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) {
        let end = self.now() + PATIENCE_MS;
        loop {
            self.settle().await;
            if wanted(self) {
                return;
            }
            assert!(self.wait() && self.now() < end, "it never came to this: {what}");
        }
    }

    /// The same, looked at after every single step, so that a moment in between is caught.
    pub(crate) async fn step_until(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) {
        let end = self.now() + PATIENCE_MS;
        while !wanted(self) {
            if !self.turn().await {
                assert!(self.wait() && self.now() < end, "it never came to this: {what}");
            }
        }
    }

    /// Lets this much time pass, and everything happen that is due in it.
    pub(crate) async fn pass_ms(&mut self, ms: i64) {
        let end = self.now() + ms;
        self.settle().await;
        while self.next_due().is_some_and(|next| next <= end) {
            self.wait();
            self.settle().await;
        }
        self.clock.set(Millis(end));
        self.settle().await;
    }

    /// The bot is off for this long; the world goes on, and nobody takes its deliveries.
    pub(crate) fn down_for(&mut self, ms: i64) {
        let end = self.now() + ms;
        self.refuses = true;
        loop {
            self.deliver();
            while self.world.ci_step(self.now()).expect("the CI works") {
                self.deliver();
            }
            match self.world.next_due_ms().filter(|next| *next <= end) {
                Some(next) => self.clock.set(Millis(next.max(self.now() + 1))),
                None => break,
            }
        }
        self.clock.set(Millis(end));
        self.refuses = false;
        self.crash();
        self.crashes -= 1;
    }

    /// Does a leased job to its end.
    pub(crate) async fn work(&self, engine: &Engine, lease: Lease) {
        self.live(Box::pin(engine.work(lease))).await;
    }

    /// The future's value, or nothing when the fuse blew first.
    async fn live<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = Box::pin(work);
        let Some(served) = &self.served else {
            return until_blown(&self.fuse, work.as_mut()).await;
        };
        loop {
            tokio::select! {
                biased;
                done = until_blown(&self.fuse, work.as_mut()) => return done,
                () = reach::pass_time(served, &self.clock) => {}
            }
        }
    }
}

/// The future's value, or nothing when the fuse blew first.
async fn until_blown<T>(
    fuse: &Fuse,
    mut step: std::pin::Pin<&mut impl Future<Output = T>>,
) -> Option<T> {
    std::future::poll_fn(|context| match step.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending if fuse.is_blown() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}
