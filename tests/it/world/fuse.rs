//! The fuse: counts the engine's effects, stops it dead at one of them, and lets others act.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};

use slipway::github::MergeOrder;
use slipway::playground::world::World;

/// Just before an effect, or just after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Before,
    After,
}

/// Something that somebody does at a moment of the engine's.
type Hook = Box<dyn FnOnce(&World) + Send>;

/// A merge call as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) order: MergeOrder,
    /// Every check of the CI on the named head had ended well at that moment.
    pub(crate) green: bool,
}

/// Where the fuse blows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    /// At the effect of this number, whatever it is.
    Effect(usize, Side),
    /// At the `nth` effect of a name.
    Named(&'static str, u32, Side),
}

/// Between the engine and its ports.
pub(crate) struct Fuse {
    world: World,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    effects: Vec<&'static str>,
    blow: Option<Blow>,
    blown: bool,
    counts: BTreeMap<&'static str, u32>,
    hooks: Vec<(&'static str, u32, Side, Hook)>,
    sent: Vec<Sent>,
}

impl Fuse {
    pub(crate) fn new(world: World) -> Self {
        Self { world, inner: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Blows at the `nth` effect from now, counted from 1.
    pub(crate) fn blow_at(&self, nth: u32, side: Side) {
        let mut inner = self.lock();
        let done = inner.effects.len();
        let number = done + usize::try_from(nth).expect("a small number");
        inner.blow = Some(Blow::Effect(number, side));
    }

    /// Blows beside the `nth` effect of this name, counted from the beginning.
    pub(crate) fn blow_beside(&self, name: &'static str, nth: u32, side: Side) {
        self.lock().blow = Some(Blow::Named(name, nth, side));
    }

    pub(crate) fn is_blown(&self) -> bool {
        self.lock().blown
    }

    pub(crate) fn mend(&self) {
        let mut inner = self.lock();
        inner.blown = false;
        inner.blow = None;
    }

    /// The names of all effects so far.
    pub(crate) fn effects(&self) -> Vec<&'static str> {
        self.lock().effects.clone()
    }

    /// Lets `hook` happen beside the `nth` effect of this name, counted from the beginning.
    pub(crate) fn beside(
        &self,
        (name, nth, side): (&'static str, u32, Side),
        hook: impl FnOnce(&World) + Send + 'static,
    ) {
        self.lock().hooks.push((name, nth, side, Box::new(hook)));
    }

    /// Notes a merge call that is about to be sent.
    pub(super) fn sends(&self, order: &MergeOrder) {
        let head = order.head.as_str();
        let green = self.world.with(|state| {
            let bots = state.apps.values().filter(|app| app.slug == "slipway");
            let own: Vec<u64> = bots.map(|app| app.id).collect();
            let mut newest = BTreeMap::new();
            for run in state.repos.values().flat_map(|repo| repo.runs.values()) {
                if run.head_sha == head && !own.contains(&run.app) {
                    newest.insert((run.app, run.name.clone()), run.conclusion.clone());
                }
            }
            let good = |conclusion: &Option<String>| {
                matches!(conclusion.as_deref(), Some("success" | "neutral" | "skipped"))
            };
            newest.values().all(good)
        });
        self.lock().sent.push(Sent { order: order.clone(), green });
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.lock().sent.clone()
    }

    /// Does an effect between its two moments.
    pub(super) async fn around<T>(&self, name: &'static str, work: impl Future<Output = T>) -> T {
        let (number, nth) = {
            let mut inner = self.lock();
            inner.effects.push(name);
            let nth = inner.counts.entry(name).or_default();
            *nth += 1;
            let nth = *nth;
            (inner.effects.len(), nth)
        };
        self.pass(name, (number, nth), Side::Before).await;
        let done = work.await;
        self.pass(name, (number, nth), Side::After).await;
        done
    }

    async fn pass(&self, name: &'static str, (number, nth): (usize, u32), side: Side) {
        let due: Vec<Hook> = {
            let mut inner = self.lock();
            let all = std::mem::take(&mut inner.hooks);
            let (due, later): (Vec<_>, Vec<_>) =
                all.into_iter().partition(|(n, k, s, _)| (*n, *k, *s) == (name, nth, side));
            inner.hooks = later;
            due.into_iter().map(|(.., hook)| hook).collect()
        };
        for hook in due {
            hook(&self.world);
        }
        let blows = {
            let mut inner = self.lock();
            let here = [Blow::Effect(number, side), Blow::Named(name, nth, side)];
            inner.blown = inner.blow.is_some_and(|blow| here.contains(&blow));
            inner.blown
        };
        if blows {
            std::future::pending::<()>().await;
        }
    }
}
