//! Bytes both ways until both sides have ended, one fails, nothing moves, or they are used up.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::net::Stream;

const OPENED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";
const BUFFER_BYTES: usize = 16 * 1024;

/// Counts the bytes of all connections of one way.
pub(super) struct Meter {
    bytes_max: u64,
    out: AtomicU64,
    back: AtomicU64,
}

impl Meter {
    pub(super) fn new(bytes_max: u64) -> Self {
        Self { bytes_max, out: AtomicU64::new(0), back: AtomicU64::new(0) }
    }

    /// Bytes sent out, and bytes that came in.
    pub(super) fn moved(&self) -> (u64, u64) {
        (self.out.load(Ordering::Relaxed), self.back.load(Ordering::Relaxed))
    }

    pub(super) fn is_spent(&self) -> bool {
        let (out, back) = self.moved();
        out.saturating_add(back) >= self.bytes_max
    }
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Both sides had said all, or one of them broke off.
    Over,
    Idle,
    Spent,
}

impl End {
    pub(super) fn is_spent(self) -> bool {
        self == Self::Spent
    }
}

/// Says that the way is open and lets the bytes flow; `begun` came right behind the head.
pub(super) async fn pump(
    inside: UnixStream,
    outside: Box<dyn Stream>,
    begun: &[u8],
    meter: &Meter,
    idle_max: Duration,
) -> End {
    let (mut from_inside, mut to_inside) = inside.into_split();
    let (mut from_outside, mut to_outside) = tokio::io::split(outside);
    let moved = Notify::new();
    let quiet = async { while timeout(idle_max, moved.notified()).await.is_ok() {} };
    let flows = async {
        to_inside.write_all(OPENED).await?;
        let mut from_inside = begun.chain(&mut from_inside);
        tokio::try_join!(
            flow(&mut from_inside, &mut to_outside, (&meter.out, meter), &moved),
            flow(&mut from_outside, &mut to_inside, (&meter.back, meter), &moved),
        )
    };
    tokio::select! {
        () = quiet => End::Idle,
        result = flows => match result {
            Err(error) if error.kind() == io::ErrorKind::QuotaExceeded => End::Spent,
            Ok(_) | Err(_) => End::Over,
        },
    }
}

/// One direction; its end is passed on, so that the other one may go on.
async fn flow(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    (count, meter): (&AtomicU64, &Meter),
    moved: &Notify,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        count.fetch_add(length as u64, Ordering::Relaxed);
        to.write_all(buffer.get(..length).unwrap_or_default()).await?;
        moved.notify_one();
        if meter.is_spent() {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
    }
}
