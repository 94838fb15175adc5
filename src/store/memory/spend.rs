//! The money of the in-memory store: reservations, and sums that move with them.

use std::collections::BTreeMap;

use crate::model::budget::{CALL_MICROS_MAX, Scope, Usage, Used, room};
use crate::model::{Millis, RunId};
use crate::store::spend::{Ask, Payer, Reserving};

#[derive(Debug)]
struct Reservation {
    payer: Payer,
    at: Millis,
    /// What it may cost while it is open.
    worst: u64,
    is_open: bool,
}

#[derive(Debug, Default)]
struct Sum {
    used: Used,
    moved: Millis,
}

/// Every call of a model, and what they come to.
#[derive(Debug, Default)]
pub(super) struct Till {
    rows: BTreeMap<u64, Reservation>,
    sums: BTreeMap<(Scope, String, Millis), Sum>,
    last: u64,
}

impl Till {
    pub(super) fn reserve(&mut self, ask: &Ask) -> Reserving {
        let (payer, at, worst) = (ask.payer.clone(), ask.at, ask.micros());
        if let Err(full) = room(&ask.caps, &self.usage(&payer, at), ask.call, at) {
            return Reserving::Full(full);
        }
        for place in payer.places(at) {
            let sum = self.sums.entry(place).or_default();
            sum.used.reserved = sum.used.reserved.saturating_add(worst);
            sum.moved = at;
        }
        self.last += 1;
        self.rows.insert(self.last, Reservation { payer, at, worst, is_open: true });
        Reserving::Reserved(self.last)
    }

    pub(super) fn settle(&mut self, id: u64, micros: Option<u64>) -> bool {
        let Some(row) = self.rows.get_mut(&id).filter(|row| row.is_open) else { return false };
        row.is_open = false;
        let cost = micros.map_or(row.worst, |micros| micros.min(CALL_MICROS_MAX));
        for place in row.payer.places(row.at) {
            if let Some(sum) = self.sums.get_mut(&place) {
                sum.used.reserved = sum.used.reserved.saturating_sub(row.worst);
                sum.used.spent = sum.used.spent.saturating_add(cost);
            }
        }
        true
    }

    /// Charges what nobody settled of the tasks of `run` below `entry`.
    pub(super) fn charge(&mut self, run: &RunId, entry: u32) {
        let theirs =
            |row: &Reservation| row.is_open && row.payer.run == *run && row.payer.entry < entry;
        let open: Vec<u64> =
            self.rows.iter().filter(|(_, row)| theirs(row)).map(|(id, _)| *id).collect();
        for id in open {
            self.settle(id, None);
        }
    }

    pub(super) fn usage(&self, payer: &Payer, at: Millis) -> Usage {
        let places = payer.places(at).into_iter();
        places.filter_map(|place| Some((place.0, self.sums.get(&place)?.used))).collect()
    }

    pub(super) fn forget(&mut self, before: Millis) -> u64 {
        let count = self.rows.len();
        self.rows.retain(|_, row| row.at >= before);
        self.sums.retain(|_, sum| sum.moved >= before);
        (count - self.rows.len()) as u64
    }
}
