//! The purse a line pays from: money is set aside before a call and settled after it.
//!
//! The gateway does not know where the money is kept. It promises one thing: of everything that
//! was set aside, [`Purse::settle`] is called once, also when a call fails, is broken off, or the
//! line is closed. Only when the process dies in between it is not; then the money stays set aside,
//! which is the safe side, and whoever keeps the purse frees or counts it at the next start.

use async_trait::async_trait;

use crate::model::{Cost, Tokens};

/// Where money comes from.
#[async_trait]
pub trait Purse: Send + Sync {
    /// Sets `call.worst` aside, at once and as a whole, or refuses. Asked for calls that cost
    /// nothing as well, so that a purse that was closed ends every call.
    async fn reserve(&self, call: &Call) -> Result<Reservation, Refused>;

    /// Gives back what was set aside and takes what was spent instead.
    async fn settle(&self, reservation: Reservation, spent: Spent);
}

/// A call that is about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The name of the order.
    pub order: String,
    pub provider: String,
    pub model: String,
    /// What it may cost at most; not known where the price is not.
    pub worst: Cost,
}

/// Money that was set aside, by the number its purse gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reservation(pub u64);

/// What a call came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    pub tokens: Tokens,
    pub cost: Cost,
    /// The house told the figures to the end. Otherwise `cost` is the worst case.
    pub certain: bool,
}

/// Why nothing was set aside, in words for whoever reads the program's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It would be more than is left.
    Spent(String),
    /// The purse cannot be asked now.
    Unavailable(String),
}
