//! The model gateway: the only road from one run to a model. It holds the key, the list of models,
//! the budget and the figures; the run has a socket and a token that dies with it.
//!
//! Adapter: `relay`, an HTTP server behind a unix socket that passes calls on. Fake: `fake`, which
//! judges by the same rules and answers itself. What is asked is read by `wire` and `ask` and
//! judged by `judge`; what is answered is read by `usage` and priced by `prices`: pure. Questions
//! of our own are asked by `direct`, through a line like everybody's.

pub mod ask;
pub mod defence;
pub mod direct;
pub mod fake;
pub mod judge;
pub mod keys;
pub mod prices;
pub mod provider;
pub mod purse;
pub mod refusal;
pub mod relay;
pub mod tally;
#[cfg(test)]
mod trial;
pub mod usage;
pub mod wire;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::model::Secret;
pub use prices::Prices;
pub use provider::Provider;
pub use purse::{Call, Purse, Refused, Reservation, Spent};
pub use refusal::Refusal;
pub use tally::Tally;
pub use usage::Finish;
pub use wire::Wire;

/// The port on which a program in a sandbox finds its model.
pub const PORT: u16 = 3_129;

/// Opens lines to models.
#[async_trait]
pub trait Gateway: Send + Sync {
    /// Opens one for one run of a program. No model is reached that `order` does not name.
    async fn open(&self, order: &Order) -> Result<Box<dyn Line>, Error>;
}

/// A line while it is open. Dropping it closes it too: what is being asked is ended and settled,
/// without a tally.
#[async_trait]
pub trait Line: Send + Sync {
    /// The unix socket to lend; it lies alone in a directory that lives as long as the line.
    fn socket(&self) -> &Path;

    /// What the program shows in place of a key; made for this line alone.
    fn token(&self) -> &Secret;

    /// What happened until now.
    fn tally(&self) -> Tally;

    /// Ends every call, settles it, and says what happened.
    async fn close(self: Box<Self>) -> Tally;
}

/// What a line is for.
#[derive(Clone)]
pub struct Order {
    /// For logs: the run and what it does.
    pub name: String,
    pub provider: Provider,
    /// The models that may be asked, by exactly these names.
    pub models: Vec<String>,
    pub purse: Arc<dyn Purse>,
    pub unpriced: Unpriced,
    pub caps: Caps,
}

impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, provider, models, purse: _, unpriced, caps } = self;
        f.debug_struct("Order")
            .field("name", name)
            .field("provider", provider)
            .field("models", models)
            .field("unpriced", unpriced)
            .field("caps", caps)
            .finish_non_exhaustive()
    }
}

/// What becomes of a call whose price nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unpriced {
    Refuse,
    /// The purse is asked with [`crate::model::Cost::Unknown`], and may still refuse.
    Allow,
}

/// What one line may cost beside money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Connections open at once.
    pub connections_max: usize,
    /// Calls on their way at once.
    pub calls_max: usize,
    /// Requests of the whole line.
    pub requests_max: u64,
    /// Calls that failed one after the other; then nothing is asked any more.
    pub failures_max: u32,
    /// The head of a request, in bytes; not less than 8 KiB.
    pub head_bytes_max: usize,
    pub request_bytes_max: usize,
    /// One answer, in bytes.
    pub answer_bytes_max: u64,
    /// Until the head of a request has come, the rest between two requests included.
    pub idle_max: Duration,
    /// Until the body of a request has come.
    pub body_max: Duration,
    /// Until an answer begins; a model may think before it says a word.
    pub first_max: Duration,
    /// Between two parts of an answer.
    pub stall_max: Duration,
    /// One call from its begin to its end, waits included.
    pub call_max: Duration,
    pub patience: relay::Patience,
}

impl Default for Caps {
    /// Agents ask a few things at once, hundreds of times, and send what they have read.
    fn default() -> Self {
        Self {
            connections_max: 64,
            calls_max: 8,
            requests_max: 2_000,
            failures_max: 12,
            head_bytes_max: 32 * 1024,
            request_bytes_max: 16 * 1024 * 1024,
            answer_bytes_max: 64 * 1024 * 1024,
            idle_max: Duration::from_mins(2),
            body_max: Duration::from_secs(20),
            first_max: Duration::from_mins(10),
            stall_max: Duration::from_mins(3),
            call_max: Duration::from_mins(30),
            patience: relay::Patience::default(),
        }
    }
}

/// A line could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("gateway: {0}")]
pub struct Error(pub String);
