//! Webhook deliveries on their way: queue, log, and the plans that drop, double and delay them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Deliveries kept in the log; the oldest are forgotten first.
const LOG_MAX: usize = 10_000;
/// The status of a delivery on its way.
const PENDING: &str = "pending";

/// What happens to one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Deliver,
    Drop,
    Double,
    /// Arrives this many milliseconds later than the others.
    Delay(i64),
}

#[derive(Clone, Debug, Default)]
enum Plan {
    #[default]
    Faithful,
    DropAll,
    /// The App has no webhook: nothing is sent, and nothing logged.
    Inactive,
    TripleReverse,
    Chaos(fastrand::Rng),
}

/// A signed webhook request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub id: u64,
    /// The same for every attempt.
    pub guid: String,
    pub event: String,
    pub action: Option<String>,
    pub body: Arc<[u8]>,
    /// The value of `X-Hub-Signature-256`.
    pub signature_sha256: String,
    pub app: u64,
    pub installation: Option<u64>,
    pub repository: Option<u64>,
}

/// A delivery and what became of it.
#[derive(Clone, Debug)]
pub struct Logged {
    pub delivery: Delivery,
    pub emitted_ms: i64,
    pub redelivery: bool,
    /// The receiver's answer, 0 while there is none.
    pub status_code: u16,
    pub status: String,
}

impl Logged {
    /// The receiver's answer came, or did not come in time.
    pub fn is_answered(&self) -> bool {
        self.status != PENDING
    }

    /// What GitHub's filter calls a failure.
    pub fn is_failed(&self) -> bool {
        (400..600).contains(&self.status_code)
    }
}

/// Deliveries waiting and deliveries remembered.
#[derive(Clone, Debug, Default)]
pub struct Mailbox {
    plan: Plan,
    explicit: VecDeque<Fate>,
    by_event: BTreeMap<(String, u32), Fate>,
    seen: BTreeMap<String, u32>,
    queue: Vec<(i64, u64, u64)>,
    log: BTreeMap<u64, Logged>,
    sequence: u64,
}

impl Mailbox {
    /// Every delivery arrives once, in order.
    pub fn faithful(&mut self) {
        self.plan = Plan::Faithful;
        self.explicit.clear();
        self.by_event.clear();
    }

    /// Nothing arrives from now on.
    pub fn drop_all(&mut self) {
        self.plan = Plan::DropAll;
    }

    /// The App's webhook is switched off from now on: the log stays as it is.
    pub fn inactive(&mut self) {
        self.plan = Plan::Inactive;
    }

    /// The log is empty from now on.
    pub fn forget(&mut self) {
        self.log.clear();
        self.queue.clear();
    }

    /// Everything due arrives three times, newest first.
    pub fn triple_reverse(&mut self) {
        self.plan = Plan::TripleReverse;
    }

    /// Deliveries are lost, doubled and delayed by seeded chance.
    pub fn chaos(&mut self, seed: u64) {
        self.plan = Plan::Chaos(fastrand::Rng::with_seed(seed));
    }

    /// The fates of the next deliveries, whatever the plan says.
    pub fn next_fates(&mut self, fates: &[Fate]) {
        self.explicit.extend(fates);
    }

    /// The fate of the `nth` delivery (from 1) of an event such as `check_run.completed`.
    pub fn on(&mut self, event: &str, nth: u32, fate: Fate) {
        self.by_event.insert((event.to_owned(), nth), fate);
    }

    /// How many deliveries wait.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// When the next waiting delivery is due.
    pub fn next_due_ms(&self) -> Option<i64> {
        self.queue.iter().map(|(due, ..)| *due).min()
    }

    /// The log, newest first.
    pub fn log(&self) -> impl Iterator<Item = &Logged> {
        self.log.values().rev()
    }

    pub fn logged(&self, id: u64) -> Option<&Logged> {
        self.log.get(&id)
    }

    fn fate(&mut self, event: &str) -> Fate {
        let nth = self.seen.entry(event.to_owned()).or_default();
        *nth += 1;
        if let Some(fate) = self.by_event.remove(&(event.to_owned(), *nth)) {
            return fate;
        }
        if let Some(fate) = self.explicit.pop_front() {
            return fate;
        }
        match &mut self.plan {
            Plan::Faithful | Plan::TripleReverse => Fate::Deliver,
            Plan::DropAll | Plan::Inactive => Fate::Drop,
            Plan::Chaos(rng) => match rng.u32(0..100) {
                0..12 => Fate::Drop,
                12..24 => Fate::Double,
                24..44 => Fate::Delay(rng.i64(1..4_000)),
                _ => Fate::Deliver,
            },
        }
    }

    /// Takes a delivery; its plan is drawn here.
    pub(super) fn post(&mut self, delivery: Delivery, now_ms: i64) {
        if !matches!(self.plan, Plan::Inactive) {
            self.send(delivery, now_ms, false);
        }
    }

    fn send(&mut self, delivery: Delivery, now_ms: i64, redelivery: bool) {
        let name = match &delivery.action {
            Some(action) => format!("{}.{action}", delivery.event),
            None => delivery.event.clone(),
        };
        let id = delivery.id;
        let (times, delay_ms) = match self.fate(&name) {
            Fate::Deliver => (1, 0),
            Fate::Drop => (0, 0),
            Fate::Double => (2, 0),
            Fate::Delay(by_ms) => (1, by_ms),
        };
        self.remember(delivery, now_ms, times == 0, redelivery);
        for _ in 0..times {
            self.enqueue(id, now_ms + delay_ms);
        }
    }

    fn remember(&mut self, delivery: Delivery, emitted_ms: i64, lost: bool, redelivery: bool) {
        let (status_code, status) = if lost { (504, "timed out") } else { (0, PENDING) };
        let status = status.to_owned();
        let logged = Logged { delivery, emitted_ms, redelivery, status_code, status };
        self.log.insert(logged.delivery.id, logged);
        if self.log.len() > LOG_MAX {
            self.log.pop_first();
        }
    }

    fn enqueue(&mut self, id: u64, due_ms: i64) {
        self.sequence += 1;
        self.queue.push((due_ms, self.sequence, id));
    }

    /// Sends a logged delivery once more under a new id and the same GUID; it may get lost like
    /// any other.
    pub(super) fn redeliver(&mut self, id: u64, new_id: u64, now_ms: i64) -> bool {
        let Some(old) = self.log.get(&id) else {
            return false;
        };
        let delivery = Delivery { id: new_id, ..old.delivery.clone() };
        self.send(delivery, now_ms, true);
        true
    }

    /// Takes out what is due, in the order of arrival.
    pub(super) fn take_due(&mut self, now_ms: i64) -> Vec<Delivery> {
        let (mut due, later): (Vec<_>, Vec<_>) =
            self.queue.drain(..).partition(|(due, ..)| *due <= now_ms);
        self.queue = later;
        due.sort_unstable();
        let found = due.iter().filter_map(|(.., id)| self.log.get(id));
        let found: Vec<Delivery> = found.map(|logged| logged.delivery.clone()).collect();
        if matches!(self.plan, Plan::TripleReverse) {
            return found.into_iter().rev().flat_map(|one| vec![one; 3]).collect();
        }
        found
    }

    /// Records what the receiver answered; 0 when it did not, which GitHub writes as 502.
    pub(super) fn answered(&mut self, id: u64, status_code: u16) {
        if let Some(logged) = self.log.get_mut(&id) {
            logged.status = match status_code {
                0 => "failed to connect to host".to_owned(),
                200..300 => "OK".to_owned(),
                other => format!("Invalid HTTP Response: {other}"),
            };
            logged.status_code = if status_code == 0 { 502 } else { status_code };
        }
    }
}
