//! An HTTP server of our own behind a unix socket, which passes calls of models on.
//!
//! Judged first, paid second, sent third: token and path by the head, model and bounds by the
//! body; then money is set aside; then the call goes to the one address of the provider, with the
//! key in place of the token. Every call is a task of its own, so that it is settled whatever
//! becomes of whoever asked.

mod call;
mod client;
mod mask;
mod patience;
mod serve;
#[cfg(test)]
pub(super) mod tests;
mod upstream;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use aws_lc_rs::rand;
use tokio::sync::Semaphore;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

pub use self::client::Clients;
pub use self::patience::Patience;
use super::defence::Defences;
use super::keys::Ring;
use super::prices::Prices;
use super::{Error, Gateway, Line, Order, Refusal, Tally};
use crate::clock::Clock;
use crate::model::Secret;
use crate::socket::Socket;

/// The socket's name.
const SOCKET: &str = "model";
/// Bytes of a token before they are written as text.
const TOKEN_BYTES: usize = 32;

/// The adapter.
#[derive(Clone)]
pub struct Relay {
    prices: Arc<Prices>,
    ring: Arc<Ring>,
    clients: Clients,
    clock: Arc<dyn Clock>,
    defences: Defences,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay").field("defences", &self.defences).finish_non_exhaustive()
    }
}

impl Relay {
    pub fn new(
        prices: Arc<Prices>,
        ring: Arc<Ring>,
        clients: Clients,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { prices, ring, clients, clock, defences: Defences::ALL }
    }
}

#[async_trait]
impl Gateway for Relay {
    async fn open(&self, order: &Order) -> Result<Box<dyn Line>, Error> {
        let failed = |error: io::Error| Error(format!("no socket: {error}"));
        let client = self.clients.reach(&order.provider.url)?;
        let (socket, listener) = Socket::bind(SOCKET).map_err(failed)?;
        let stop = CancellationToken::new();
        let desk = Arc::new(Desk {
            relay: self.clone(),
            client,
            token: token()?,
            tally: Mutex::new(Tally::new(self.clock.now())),
            seats: Arc::new(Semaphore::new(order.caps.connections_max)),
            calls: Arc::new(Semaphore::new(order.caps.calls_max)),
            tasks: TaskTracker::new(),
            stop: stop.clone(),
            order: order.clone(),
        });
        desk.tasks.spawn(serve::accept(listener, Arc::clone(&desk)));
        Ok(Box::new(Open { socket, desk, stop: stop.drop_guard() }))
    }
}

fn token() -> Result<Secret, Error> {
    let mut bytes = [0; TOKEN_BYTES];
    rand::fill(&mut bytes)
        .map_err(|_why| Error("the system gives no random numbers".to_owned()))?;
    Ok(Secret::new(format!("slipway-{}", hex::encode(bytes))))
}

/// An open line.
struct Open {
    socket: Socket,
    desk: Arc<Desk>,
    stop: DropGuard,
}

#[async_trait]
impl Line for Open {
    fn socket(&self) -> &Path {
        self.socket.path()
    }

    fn token(&self) -> &Secret {
        &self.desk.token
    }

    fn tally(&self) -> Tally {
        *self.desk.tally()
    }

    async fn close(self: Box<Self>) -> Tally {
        let Self { socket, desk, stop } = *self;
        drop(stop);
        desk.tasks.close();
        desk.tasks.wait().await;
        drop(socket);
        *desk.tally()
    }
}

/// What all calls of one line share.
struct Desk {
    relay: Relay,
    client: reqwest::Client,
    order: Order,
    token: Secret,
    tally: Mutex<Tally>,
    seats: Arc<Semaphore>,
    calls: Arc<Semaphore>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Desk {
    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something came or went.
    fn moved(&self) {
        let now = self.relay.clock.now();
        self.tally().moved_at = now;
    }

    /// Whether one more request may be made at all.
    fn admit(&self) -> Result<(), Refusal> {
        let caps = &self.order.caps;
        let tally = *self.tally();
        if self.stop.is_cancelled() {
            return Err(Refusal::Closed);
        }
        if tally.requests > caps.requests_max {
            return Err(Refusal::Requests(caps.requests_max));
        }
        if tally.failures >= caps.failures_max {
            return Err(Refusal::Failing(tally.failures));
        }
        Ok(())
    }
}
