//! The purse of one agent: every call of a model is reserved before it is made, and settled after.
//!
//! It knows the caps of the operator, the policy and the people who raised them, and leaves the
//! counting to the store, so that no number of processes gets past a cap together.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{Engine, Paid};
use crate::clock::Clock;
use crate::gateway;
use crate::model::Cost;
use crate::model::budget::{Call, Caps, Full, Rules, Scope, Spending, UnknownPrice, room};
use crate::pipeline::State;
use crate::policy::Policy;
use crate::store::{Ask, Error, Payer, Reserving, Store};

/// Calls an agent may still make from the last part of its run's cap, to come to an end.
const WRAP_UP_CALLS_MAX: u64 = 3;

/// What pays for the calls of one task of one run.
pub struct Purse {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    rules: Rules,
    policy: Caps,
    payer: Payer,
    said: Mutex<Said>,
}

/// What this purse has paid and refused.
#[derive(Debug, Default)]
struct Said {
    spent: u64,
    refused: Option<Full>,
    raised: u64,
}

/// The right to make one call, until it is settled.
#[derive(Debug)]
#[must_use = "a call that is not settled is charged at its worst"]
pub struct Reservation {
    /// `None` for a call that nobody can price and the operator lets be made.
    id: Option<u64>,
    worst: u64,
}

/// Why a call is not made.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("{}", .0.words())]
    Full(Full),
    #[error("nobody knows what this call costs; add its price, or set unknown_price to allow")]
    Unpriced,
    #[error("it could not be written down")]
    Store(#[from] Error),
}

impl std::fmt::Debug for Purse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Purse").field("payer", &self.payer).finish_non_exhaustive()
    }
}

impl Engine {
    /// What pays for the agent that is at work in `state`.
    pub(super) fn purse(&self, state: &State, policy: &Policy) -> Purse {
        let request = &state.request;
        let payer = Payer {
            run: request.run.clone(),
            entry: state.entry,
            stage: state.stage().map(|stage| stage.word().to_owned()).unwrap_or_default(),
            repo: request.repo.clone(),
            issue: request.issue,
            user: request.by.id,
            installation: request.installation,
        };
        let raised = state.budget.raised(self.now());
        Purse {
            store: Arc::clone(&self.ports.store),
            clock: Arc::clone(&self.ports.clock),
            rules: self.settings.budget.clone(),
            policy: policy.budget.caps(),
            payer,
            said: Mutex::new(Said { raised, ..Said::default() }),
        }
    }

    /// Tells what a purse paid and refused.
    pub(super) fn paid(&self, purse: &Purse) {
        let said = purse.said();
        self.watcher.paid(Paid::Spent(said.spent));
        if let Some(full) = said.refused {
            self.watcher.paid(Paid::Refused(full.scope));
        }
    }
}

impl Purse {
    /// Reserves what a call costs at worst. With `is_wrap_up` the last part of the run's cap may
    /// be used too.
    pub async fn reserve(&self, worst: Cost, is_wrap_up: bool) -> Result<Reservation, Refused> {
        let Some(worst) = self.priced(worst)? else {
            return Ok(Reservation { id: None, worst: 0 });
        };
        let call = Call { worst, is_wrap_up };
        match self.ask(call).await? {
            Reserving::Reserved(id) => return Ok(Reservation { id: Some(id), worst }),
            // Somebody may have raised it since the agent was started.
            Reserving::Full(full) if full.scope.is_raisable() && self.learns().await? => {}
            Reserving::Full(full) => return Err(self.refuses(full)),
        }
        match self.ask(call).await? {
            Reserving::Reserved(id) => Ok(Reservation { id: Some(id), worst }),
            Reserving::Full(full) => Err(self.refuses(full)),
        }
    }

    /// Says what the call cost; what nobody knows cost its worst.
    pub async fn settle(&self, reservation: Reservation, cost: Cost) -> Result<(), Error> {
        let Some(id) = reservation.id else { return Ok(()) };
        if self.store.settle(id, cost.micros()).await? {
            let cost = cost.micros().unwrap_or(reservation.worst);
            let mut said = self.said();
            said.spent = said.spent.saturating_add(cost);
        }
        Ok(())
    }

    /// Why a call that costs this much at worst could not be made now, without making it.
    pub async fn full(&self, worst: u64) -> Result<Option<Full>, Error> {
        let at = self.clock.now();
        let used = self.store.usage(&self.payer, at).await?;
        Ok(room(&self.caps(), &used, Call { worst, is_wrap_up: false }, at).err())
    }

    /// What its run has spent, for people.
    pub async fn spending(&self) -> Result<Spending, Error> {
        let used = self.store.usage(&self.payer, self.clock.now()).await?;
        Ok(Spending::of(&self.caps(), &used))
    }

    /// Why the first call that was refused was refused.
    pub fn refused(&self) -> Option<Full> {
        self.said().refused
    }

    /// What it has paid, in micros.
    pub fn spent(&self) -> u64 {
        self.said().spent
    }

    /// `None` for a call without a price that may be made all the same.
    fn priced(&self, worst: Cost) -> Result<Option<u64>, Refused> {
        match (worst, self.rules.unknown_price) {
            (Cost::Micros(worst), UnknownPrice::Refuse | UnknownPrice::Allow) => Ok(Some(worst)),
            (Cost::Unknown, UnknownPrice::Allow) => Ok(None),
            (Cost::Unknown, UnknownPrice::Refuse) => Err(Refused::Unpriced),
        }
    }

    async fn ask(&self, call: Call) -> Result<Reserving, Error> {
        let (payer, caps, at) = (self.payer.clone(), self.caps(), self.clock.now());
        self.store.reserve(&Ask { payer, caps, call, at }).await
    }

    /// The operator's caps, lowered by the policy and raised by people, as far as the operator
    /// lets them.
    fn caps(&self) -> Caps {
        let raised = self.said().raised.min(self.rules.raise_micros_max);
        self.rules.caps.clone().lowered_by(&self.policy).raised_by(raised)
    }

    /// Reads how far people raised the run; says whether that is news.
    async fn learns(&self) -> Result<bool, Error> {
        let Some(found) = self.store.load(&self.payer.run).await? else { return Ok(false) };
        let raised = found.state.budget.raised(self.clock.now());
        let mut said = self.said();
        Ok(std::mem::replace(&mut said.raised, raised) != raised)
    }

    fn refuses(&self, full: Full) -> Refused {
        self.said().refused.get_or_insert(full);
        Refused::Full(full)
    }

    fn said(&self) -> std::sync::MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A purse as the gateway pays from it: by numbers.
pub(in crate::worker) struct Counter {
    purse: Arc<Purse>,
    open: Mutex<BTreeMap<u64, Reservation>>,
    count: AtomicU64,
    wrap_ups: AtomicU64,
}

impl Counter {
    pub(in crate::worker) fn new(purse: Arc<Purse>) -> Self {
        let (open, count, wrap_ups) = Default::default();
        Self { purse, open, count, wrap_ups }
    }

    fn wraps_up(&self) -> bool {
        self.wrap_ups.fetch_add(1, Ordering::Relaxed) < WRAP_UP_CALLS_MAX
    }

    fn open(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Reservation>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl gateway::Purse for Counter {
    async fn reserve(
        &self,
        call: &gateway::Call,
    ) -> Result<gateway::Reservation, gateway::Refused> {
        let reserved = match self.purse.reserve(call.worst, false).await {
            // Whoever is in the middle of something may come to an end of it.
            Err(Refused::Full(full)) if full.scope == Scope::Run && self.wraps_up() => {
                self.purse.reserve(call.worst, true).await
            }
            reserved => reserved,
        };
        let reserved = reserved.map_err(|why| match why {
            Refused::Full(_) | Refused::Unpriced => gateway::Refused::Spent(why.to_string()),
            Refused::Store(_) => gateway::Refused::Unavailable(why.to_string()),
        })?;
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        self.open().insert(number, reserved);
        Ok(gateway::Reservation(number))
    }

    async fn settle(&self, reservation: gateway::Reservation, spent: gateway::Spent) {
        let Some(reserved) = self.open().remove(&reservation.0) else { return };
        if let Err(error) = self.purse.settle(reserved, spent.cost).await {
            // It stays reserved at its worst, which is the safe side.
            tracing::warn!(%error, "what a call cost was not written down");
        }
    }
}

#[cfg(test)]
mod tests;
