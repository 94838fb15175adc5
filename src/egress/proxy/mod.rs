//! An HTTP proxy of our own behind a unix socket: CONNECT to what the rules name, and nothing
//! else.
//!
//! The order is the defence: the head is read and judged before a name is looked up, so that a
//! refused name asks no resolver; what a name stands for is judged before anything is opened,
//! and connected to is the very address that was judged, so that a second answer of the resolver
//! counts for nothing. After that, bytes go both ways and nobody reads them.

mod net;
mod pump;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use self::net::{Connect, Resolve, Stream, System};
use self::pump::Meter;
use super::defence::{Defence, Defences};
use super::verdict::{Account, Refusal, Verdict};
use super::{Authority, Egress, Error, Order, Way, address, head};
use crate::socket::Socket;

/// The socket's name.
const SOCKET: &str = "way";
/// Addresses of a name that are tried.
const ADDRESSES_MAX: usize = 4;
/// After a failure to accept: usually no file descriptor is left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long whoever was refused may take to hear it.
const FAREWELL_MAX: Duration = Duration::from_secs(1);

/// The adapter.
#[derive(Clone)]
pub struct Proxy {
    resolver: Arc<dyn Resolve>,
    connector: Arc<dyn Connect>,
    defences: Defences,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxy").field("defences", &self.defences).finish_non_exhaustive()
    }
}

impl Default for Proxy {
    fn default() -> Self {
        Self::new()
    }
}

impl Proxy {
    /// With the resolver and the network of this machine.
    pub fn new() -> Self {
        let system = Arc::new(System);
        let connector = Arc::<System>::clone(&system);
        Self { resolver: system, connector, defences: Defences::ALL }
    }
}

#[async_trait]
impl Egress for Proxy {
    async fn open(&self, order: &Order) -> Result<Box<dyn Way>, Error> {
        let failed = |error: io::Error| Error(format!("no socket: {error}"));
        let (socket, listener) = Socket::bind(SOCKET).map_err(failed)?;
        let stop = CancellationToken::new();
        let desk = Arc::new(Desk {
            proxy: self.clone(),
            order: order.clone(),
            meter: Meter::new(order.caps.bytes_max),
            account: Mutex::default(),
            seats: Arc::new(Semaphore::new(order.caps.connections_max)),
            stop: stop.clone(),
        });
        let tasks = TaskTracker::new();
        tasks.spawn(accept(listener, Arc::clone(&desk), tasks.clone()));
        Ok(Box::new(Open { socket, desk, tasks, stop: stop.drop_guard() }))
    }
}

/// An open way.
struct Open {
    socket: Socket,
    desk: Arc<Desk>,
    tasks: TaskTracker,
    stop: DropGuard,
}

#[async_trait]
impl Way for Open {
    fn socket(&self) -> &Path {
        self.socket.path()
    }

    async fn close(self: Box<Self>) -> Account {
        let Self { socket, desk, tasks, stop } = *self;
        drop(stop);
        tasks.close();
        tasks.wait().await;
        drop(socket);
        let mut account = desk.account().clone();
        (account.bytes_out, account.bytes_in) = desk.meter.moved();
        account
    }
}

/// What all connections of one way share.
struct Desk {
    proxy: Proxy,
    order: Order,
    meter: Meter,
    account: Mutex<Account>,
    seats: Arc<Semaphore>,
    stop: CancellationToken,
}

impl Desk {
    fn account(&self) -> std::sync::MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self, why: Refusal, said: &[u8]) -> (u16, String) {
        let answer = why.answer();
        self.account().note(&Verdict::Refused { why, said: said.to_vec() });
        answer
    }
}

async fn accept(listener: UnixListener, desk: Arc<Desk>, tasks: TaskTracker) {
    loop {
        let accepted = tokio::select! {
            () = desk.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _nobody)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let Ok(seat) = Arc::clone(&desk.seats).try_acquire_owned() else {
            // Not waited for: whoever floods has to take what fits into the socket.
            let (status, sentence) = desk.refused(Refusal::TooMany, b"");
            drop(stream.try_write(&refusal(status, &sentence)));
            continue;
        };
        let desk = Arc::clone(&desk);
        tasks.spawn(async move {
            tokio::select! {
                () = desk.stop.cancelled() => {}
                () = serve(&desk, stream) => {}
            }
            drop(seat);
        });
    }
}

/// One connection from its head to its end.
async fn serve(desk: &Desk, mut inside: UnixStream) {
    let mut said = Vec::new();
    let step_max = desk.order.caps.step_max;
    let read = timeout(step_max, read_head(&mut inside, &mut said, desk.proxy.defences));
    let outside = match read.await {
        Ok(Some(length)) => reach(desk, said.get(..length).unwrap_or_default()).await,
        // It closed before it asked for anything.
        Ok(None) if said.is_empty() => return,
        Ok(None) if said.len() > head::HEAD_BYTES_MAX => Err(Refusal::TooLong),
        Ok(None) => Err(Refusal::Malformed),
        Err(_late) => Err(Refusal::TooSlow),
    };
    match outside {
        Ok((asked, address, outside)) => {
            desk.account().note(&Verdict::Opened { asked, address });
            let begun = end_of_head(&said).and_then(|end| said.get(end..)).unwrap_or_default();
            let idle_max = desk.order.caps.idle_max;
            if pump::pump(inside, outside, begun, &desk.meter, idle_max).await.is_spent() {
                desk.refused(Refusal::Spent, b"");
            }
        }
        Err(why) => {
            let (status, sentence) = desk.refused(why, &said);
            farewell(inside, &refusal(status, &sentence)).await;
        }
    }
}

/// Reads until the head is complete and says how long it is; `None` when it never will be.
async fn read_head(
    inside: &mut UnixStream,
    said: &mut Vec<u8>,
    defences: Defences,
) -> Option<usize> {
    let mut buffer = [0; 2 * 1024];
    loop {
        if let Some(end) = end_of_head(said) {
            return Some(end);
        }
        if defences.has(Defence::Length) && said.len() > head::HEAD_BYTES_MAX {
            return None;
        }
        match inside.read(&mut buffer).await {
            Ok(count @ 1..) => said.extend_from_slice(buffer.get(..count)?),
            Ok(0) | Err(_) => return None,
        }
    }
}

fn end_of_head(said: &[u8]) -> Option<usize> {
    let at = said.windows(head::END.len()).position(|window| window == head::END)?;
    Some(at + head::END.len())
}

/// Judges, looks up, judges again, and connects.
async fn reach(desk: &Desk, said: &[u8]) -> Result<(Authority, IpAddr, Box<dyn Stream>), Refusal> {
    let Proxy { resolver, connector, defences } = &desk.proxy;
    let asked = head::judge_with(said, &desk.order.rules, *defences)?;
    if desk.meter.is_spent() {
        return Err(Refusal::Spent);
    }
    let step_max = desk.order.caps.step_max;
    let look = || async {
        let found = timeout(step_max, resolver.resolve(asked.host())).await;
        let found = found.ok().and_then(Result::ok).filter(|found| !found.is_empty());
        found.ok_or_else(|| Refusal::Unknown(asked.clone()))
    };
    let mut found = look().await?;
    let inside = found.iter().find(|found| !address::is_public(**found));
    if let (Some(inside), true) = (inside, defences.has(Defence::Public)) {
        return Err(Refusal::NotPublic(asked.clone(), *inside));
    }
    if !defences.has(Defence::Once) {
        found = look().await?;
    }
    for address in found.into_iter().take(ADDRESSES_MAX) {
        let connected = connector.connect(SocketAddr::new(address, asked.port()));
        if let Ok(Ok(outside)) = timeout(step_max, connected).await {
            return Ok((asked, address, outside));
        }
    }
    Err(Refusal::Unreachable(asked))
}

fn refusal(status: u16, sentence: &str) -> Vec<u8> {
    let phrase = match status {
        400 => "Bad Request",
        403 => "Forbidden",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        431 => "Request Header Fields Too Large",
        502 => "Bad Gateway",
        _busy => "Service Unavailable",
    };
    let body = format!("slipway: {sentence}\n");
    format!(
        "HTTP/1.1 {status} {phrase}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Says why, and lets it be heard: what is left unread when a socket closes resets it.
async fn farewell(mut inside: UnixStream, answer: &[u8]) {
    let said = async {
        inside.write_all(answer).await?;
        inside.shutdown().await?;
        let mut rest = (&mut inside).take(64 * 1024);
        tokio::io::copy(&mut rest, &mut tokio::io::sink()).await
    };
    drop(timeout(FAREWELL_MAX, said).await);
}
