//! The pacer: every request asks it, so that GitHub never has to refuse one.
//!
//! Each installation has its own [`model::Pace`]; making its tokens has another, and what the App
//! asks as itself a third. Those that may not go yet wait here for some seconds at most, the most
//! urgent first; beyond that they get [`Error::Limited`] with their turn, and come back.

mod limits;
mod load;
mod model;
#[cfg(test)]
mod tests;
mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

pub use self::limits::Limits;
pub use self::load::Priority;
use self::load::{Load, weigh};
use self::model::{Pace, Told, Verdict};
use super::wire::{Answer, Request};
use crate::clock::Clock;
use crate::github::Error;
use crate::github::answer::{LIMIT_WAIT_MAX, Refusal};
use crate::model::{InstallationId, Millis};

/// Installations remembered; those that rest are forgotten first.
const LANES_MAX: usize = 10_000;
/// Somebody who waits looks again after this time although nobody called, in milliseconds.
const LOOK_AGAIN_MS: i64 = 1_000;

/// What shares its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Account {
    /// What the App asks as itself.
    App,
    /// Making tokens of an installation.
    Tokens(InstallationId),
    Installation(InstallationId),
}

impl Account {
    /// Whom a request of the App itself is counted for.
    pub(super) fn of_app(path: &str) -> Self {
        let of = path.strip_prefix("/app/installations/");
        let id = of.and_then(|rest| rest.strip_suffix("/access_tokens")?.parse().ok());
        id.map_or(Self::App, |id| Self::Tokens(InstallationId(id)))
    }
}

/// How often requests had to wait, and were sent back, by priority.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Paced {
    pub waits: [u64; Priority::ALL.len()],
    pub sent_back: [u64; Priority::ALL.len()],
}

/// Lets requests go when they may.
pub(super) struct Pacer {
    clock: Arc<dyn Clock>,
    limits: Limits,
    lanes: Mutex<Lanes>,
    /// Places taken in all lines together.
    waiting: AtomicU32,
}

#[derive(Default)]
struct Lanes {
    of: BTreeMap<Account, Lane>,
    last_ticket: u64,
    counts: Paced,
}

struct Lane {
    pace: Pace,
    /// In the order in which they go: by priority, then by arrival.
    waiting: BTreeMap<(Priority, u64), Waiter>,
    /// May go, and have not noticed yet.
    called: BTreeSet<u64>,
}

struct Waiter {
    load: Load,
    /// When to look again.
    until: Millis,
    bell: Arc<Notify>,
}

impl Lane {
    /// Lets go whoever may, in order. A write that waits keeps the writes behind it waiting;
    /// reads do not wait for it.
    fn pump(&mut self, now: Millis) {
        let (mut spaced_waits, mut full) = (false, false);
        let mut go = Vec::new();
        for (key, waiter) in &mut self.waiting {
            waiter.until = now.plus(LOOK_AGAIN_MS);
            if full || (spaced_waits && waiter.load.is_spaced()) {
                continue;
            }
            match self.pace.ask(now, waiter.load) {
                Verdict::Go => {
                    self.pace.begin(now, waiter.load);
                    go.push(*key);
                }
                Verdict::WaitUntil(at) => {
                    waiter.until = at.min(waiter.until);
                    spaced_waits |= waiter.load.is_spaced();
                }
                Verdict::WaitForRoom => full = true,
            }
        }
        for key in go {
            if let Some(waiter) = self.waiting.remove(&key) {
                self.called.insert(key.1);
                waiter.bell.notify_one();
            }
        }
    }

    /// Writes that would go before `load`.
    fn ahead(&self, load: Load) -> usize {
        let before = self.waiting.iter().filter(|(key, _)| key.0 <= load.priority);
        before.filter(|(_, waiter)| waiter.load.is_spaced()).count()
    }

    /// Whether `load` must wait too long or among too many; then, when its turn is.
    fn turned_away(&mut self, now: Millis, load: Load, crowded: bool) -> Option<Millis> {
        let priority = load.priority;
        let expected = self.pace.expected(now, load, self.ahead(load));
        let waiting = self.waiting.keys().filter(|key| key.0 == priority).count();
        let too_long = expected.since(now) > priority.wait_ms_max();
        let waits = expected > now || self.pace.ask(now, load) != Verdict::Go;
        let too_many = waits && (crowded || waiting >= priority.waiting_max());
        (too_long || too_many).then(|| self.pace.turn(now, load, expected))
    }
}

impl Pacer {
    pub(super) fn new(limits: Limits, clock: Arc<dyn Clock>) -> Self {
        Self { clock, limits, lanes: Mutex::default(), waiting: AtomicU32::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn counts(&self) -> Paced {
        self.lock().counts
    }

    /// Waits until `request` may go; it is under way until the slot is dropped.
    ///
    /// # Errors
    /// [`Error::Limited`] when that would take too long, or too many wait already.
    pub(super) async fn enter(
        &self,
        account: Account,
        request: &Request,
    ) -> Result<Slot<'_>, Error> {
        let load = weigh(request);
        let began = self.clock.now();
        let Some(place) = self.line_up(account, load, began)? else {
            return Ok(Slot { pacer: self, account });
        };
        let end = began.plus(load.priority.wait_ms_max());
        loop {
            let now = self.clock.now();
            let until = {
                let mut lanes = self.lock();
                let Some(lane) = lanes.of.get_mut(&account) else { break };
                lane.pump(now);
                if lane.called.remove(&place.key.1) {
                    return Ok(Slot { pacer: self, account });
                }
                lane.waiting.get(&place.key).map_or(now, |waiter| waiter.until)
            };
            if now >= end {
                break;
            }
            tokio::select! {
                () = place.bell.notified() => {}
                () = self.clock.sleep_until(until.min(end)) => {}
            }
        }
        let mut lanes = self.lock();
        let Lanes { of, counts, .. } = &mut *lanes;
        let now = self.clock.now();
        let turn = of.get_mut(&account).map(|lane| {
            let expected = lane.pace.expected(now, load, lane.ahead(load));
            lane.pace.turn(now, load, expected)
        });
        let turn = turn.unwrap_or(now);
        Err(sent_back(counts, load, now, turn))
    }

    /// A place in the line, or none when the request may go at once.
    fn line_up(
        &self,
        account: Account,
        load: Load,
        now: Millis,
    ) -> Result<Option<Place<'_>>, Error> {
        let crowded = self.is_crowded(load.priority);
        let mut lanes = self.lock();
        lanes.forget_idle(account, now);
        lanes.last_ticket += 1;
        let ticket = lanes.last_ticket;
        let Lanes { of, counts, .. } = &mut *lanes;
        let lane = of.entry(account).or_insert_with(|| Lane {
            pace: Pace::new(self.limits),
            waiting: BTreeMap::new(),
            called: BTreeSet::new(),
        });
        if let Some(turn) = lane.turned_away(now, load, crowded) {
            return Err(sent_back(counts, load, now, turn));
        }
        let (key, bell) = ((load.priority, ticket), Arc::new(Notify::new()));
        let waiter = Waiter { load, until: now, bell: Arc::clone(&bell) };
        lane.waiting.insert(key, waiter);
        lane.pump(now);
        if lane.called.remove(&ticket) {
            return Ok(None);
        }
        count(&mut counts.waits, load.priority);
        drop(lanes);
        self.waiting.fetch_add(1, Ordering::SeqCst);
        Ok(Some(Place { pacer: self, account, key, bell }))
    }

    /// So many wait in all lines together that the rest of the workers is needed.
    fn is_crowded(&self, priority: Priority) -> bool {
        let waiting = u64::from(self.waiting.load(Ordering::SeqCst));
        waiting * 100 >= u64::from(self.limits.waiting_max) * u64::from(priority.share())
    }

    /// Fails while GitHub is to be left alone by an installation.
    pub(super) fn not_held(&self, account: Account) -> Result<(), Error> {
        let now = self.clock.now();
        let lanes = self.lock();
        let held = lanes.of.get(&account).and_then(|lane| lane.pace.left_alone(now));
        held.map_or(Ok(()), |after| Err(Error::Limited { after }))
    }

    /// A limit that was told in the words of an answer, not by its status.
    pub(super) fn hold(&self, account: Account, wait: Duration) {
        let now = self.clock.now();
        if let Some(lane) = self.lock().of.get_mut(&account) {
            lane.pace.refused(now, Some(wait));
        }
    }

    fn heard(&self, account: Account, answer: &Answer) {
        let now = self.clock.now();
        let refusal = answer.refusal();
        let limit = if answer.is_success() { None } else { refusal.limit(now) };
        let mut lanes = self.lock();
        let Some(lane) = lanes.of.get_mut(&account) else { return };
        match limit {
            None => lane.pace.heard(told(answer, &refusal)),
            Some(wait) => {
                lane.pace.refused(now, Some(wait).filter(|_| says_how_long(&refusal)));
            }
        }
    }
}

impl Lanes {
    fn forget_idle(&mut self, account: Account, now: Millis) {
        if self.of.len() >= LANES_MAX && !self.of.contains_key(&account) {
            self.of.retain(|_, lane| {
                !(lane.pace.is_idle(now) && lane.waiting.is_empty() && lane.called.is_empty())
            });
        }
    }
}

fn count(counts: &mut [u64], priority: Priority) {
    if let Some(count) = counts.get_mut(priority.index()) {
        *count += 1;
    }
}

fn sent_back(counts: &mut Paced, load: Load, now: Millis, turn: Millis) -> Error {
    count(&mut counts.sent_back, load.priority);
    let ms = u64::try_from(turn.since(now)).unwrap_or(0);
    Error::Limited { after: Duration::from_millis(ms).min(LIMIT_WAIT_MAX) }
}

fn says_how_long(refusal: &Refusal) -> bool {
    let spent = refusal.limit_remaining == Some(0) && refusal.limit_reset_s.is_some();
    refusal.retry_after_s.is_some() || spent
}

/// The primary limit as the answer tells it; other resources have limits of their own.
fn told(answer: &Answer, refusal: &Refusal) -> Option<Told> {
    if answer.header("x-ratelimit-resource").is_some_and(|resource| resource != "core") {
        return None;
    }
    let limit = answer.header("x-ratelimit-limit")?.trim().parse().ok()?;
    let left = u32::try_from(refusal.limit_remaining?).unwrap_or(u32::MAX);
    let reset = Millis(refusal.limit_reset_s?.saturating_mul(1_000));
    Some(Told { limit, left, reset })
}

/// A request under way.
pub(super) struct Slot<'a> {
    pacer: &'a Pacer,
    account: Account,
}

impl Slot<'_> {
    /// Learns from the answer: what is left of the primary limit, or that this was a limit.
    pub(super) fn heard(&self, answer: &Answer) {
        self.pacer.heard(self.account, answer);
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let now = self.pacer.clock.now();
        if let Some(lane) = self.pacer.lock().of.get_mut(&self.account) {
            lane.pace.end();
            lane.pump(now);
        }
    }
}

/// A place in the line, given up when dropped.
struct Place<'a> {
    pacer: &'a Pacer,
    account: Account,
    key: (Priority, u64),
    bell: Arc<Notify>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.pacer.waiting.fetch_sub(1, Ordering::SeqCst);
        let now = self.pacer.clock.now();
        if let Some(lane) = self.pacer.lock().of.get_mut(&self.account) {
            lane.waiting.remove(&self.key);
            // Called, but nobody is there any more.
            if lane.called.remove(&self.key.1) {
                lane.pace.end();
            }
            lane.pump(now);
        }
    }
}
