//! The senders: signed deliveries over connections kept open, paced or as fast as answers come.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use slipway::github::signature;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::task::TaskTracker;

use super::{now, u32_of};

const BODY_BYTES: usize = 27_000;
const CONNECTIONS: usize = 64;
const PACED_PER_SECOND: usize = 1_000;
const PACED_SECONDS: usize = 10;
const THROUGHPUT_SECONDS: u64 = 5;
/// Longest head of an answer.
const HEAD_BYTES_MAX: usize = 10_000;

/// What one sender found.
type Found = io::Result<Vec<Duration>>;

/// Senders on their own connections.
pub(super) struct Load {
    pub(super) address: SocketAddr,
    pub(super) genuine: Genuine,
    pub(super) tasks: TaskTracker,
}

impl Load {
    /// Sends at a fixed rate and measures from the moment each was due, so that a server that
    /// stalls is not spared the deliveries it kept waiting.
    pub(super) async fn paced(&self) -> io::Result<String> {
        let each = PACED_PER_SECOND * PACED_SECONDS / CONNECTIONS;
        let gap = Duration::from_secs(1) * u32_of(CONNECTIONS) / u32_of(PACED_PER_SECOND);
        let start = now() + Duration::from_millis(100);
        let senders = (0..CONNECTIONS).map(|sender| {
            let offset = gap * u32_of(sender) / u32_of(CONNECTIONS);
            let (address, genuine) = (self.address, self.genuine.clone());
            self.tasks.spawn(async move {
                let mut tcp = connect(address).await?;
                let mut took = Vec::with_capacity(each);
                for turn in 0..each {
                    let due = start + offset + gap * u32_of(turn);
                    let request = genuine.request();
                    tokio::time::sleep_until(due.into()).await;
                    send(&mut tcp, &request).await?;
                    took.push(due.elapsed());
                }
                Found::Ok(took)
            })
        });
        let mut took = gather(senders).await?;
        took.sort();
        Ok(format!(
            "intake paced      {PACED_PER_SECOND}/s {:>6} deliveries  p50 {:>8.3?}  p99 {:>8.3?}  \
             max {:>8.3?}",
            took.len(),
            quantile(&took, 50),
            quantile(&took, 99),
            quantile(&took, 100)
        ))
    }

    /// Sends as fast as answers come.
    pub(super) async fn throughput(&self) -> io::Result<String> {
        let end = now() + Duration::from_secs(THROUGHPUT_SECONDS);
        let senders = (0..CONNECTIONS).map(|_| {
            let (address, genuine) = (self.address, self.genuine.clone());
            self.tasks.spawn(async move {
                let mut tcp = connect(address).await?;
                let mut took = Vec::new();
                while now() < end {
                    let request = genuine.request();
                    let sent = now();
                    send(&mut tcp, &request).await?;
                    took.push(sent.elapsed());
                }
                Found::Ok(took)
            })
        });
        let mut took = gather(senders).await?;
        took.sort();
        Ok(format!(
            "intake throughput {:>6}/s over {CONNECTIONS} connections  p50 {:>8.3?}  p99 {:>8.3?}",
            took.len() as u64 / THROUGHPUT_SECONDS,
            quantile(&took, 50),
            quantile(&took, 99)
        ))
    }
}

async fn gather(
    senders: impl Iterator<Item = tokio::task::JoinHandle<Found>>,
) -> io::Result<Vec<Duration>> {
    let senders: Vec<_> = senders.collect();
    let mut took = Vec::new();
    for sender in senders {
        took.extend(sender.await.map_err(io::Error::other)??);
    }
    Ok(took)
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let tcp = TcpStream::connect(address).await?;
    tcp.set_nodelay(true)?;
    Ok(tcp)
}

/// A signed body of the usual size, half words and half numbers, as payloads are.
#[derive(Clone)]
pub(super) struct Genuine {
    path: Arc<str>,
    body: Arc<str>,
    signature: Arc<str>,
}

impl Genuine {
    /// For a receiver at `path` that knows `secret`.
    pub(super) fn new(path: &str, secret: &[u8]) -> Self {
        let mut body = "{\"action\":\"created\",\"issue\":{},\"comment\":{},\"urls\":[0".to_owned();
        while body.len() < BODY_BYTES {
            body += ",\"https://api.example.com/repos/octo/hello/issues/";
            body += &fastrand::u64(..).to_string();
            body.push('"');
        }
        body += "]}";
        let signature = signature::sign(secret, body.as_bytes());
        Self { path: path.into(), body: body.into(), signature: signature.into() }
    }

    /// A delivery nobody sent before, as bytes on the wire.
    fn request(&self) -> Vec<u8> {
        let Self { path, body, signature } = self;
        let (id, length) = (fastrand::u128(..), body.len());
        format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             X-GitHub-Event: issue_comment\r\nX-GitHub-Delivery: {id:032x}\r\n\
             X-Hub-Signature-256: {signature}\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

/// Sends one request and reads its answer to the end; anything but 2xx is an error.
async fn send(tcp: &mut TcpStream, request: &[u8]) -> io::Result<()> {
    tcp.write_all(request).await?;
    let mut answer = Vec::with_capacity(1_024);
    loop {
        if tcp.read_buf(&mut answer).await? == 0 || answer.len() > HEAD_BYTES_MAX {
            let text = String::from_utf8_lossy(&answer).into_owned();
            return Err(io::Error::other(format!("no whole answer: {text}")));
        }
        let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let (head, body) = answer.split_at(head + 4);
        let head = String::from_utf8_lossy(head).to_ascii_lowercase();
        if !head.starts_with("http/1.1 2") {
            return Err(io::Error::other(format!("not accepted: {head}")));
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length = length.and_then(|length| length.trim().parse().ok());
        let whole = match length {
            Some(length) => body.len() >= length,
            None => body.ends_with(b"0\r\n\r\n"),
        };
        if whole {
            return Ok(());
        }
    }
}

fn quantile(sorted: &[Duration], percent: usize) -> Duration {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default()
}
