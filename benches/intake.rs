//! From a webhook's last byte to its durable 2xx: a listening server on loopback, SQLite, and
//! bodies of 27 KB as GitHub sends them. Prints figures; nothing here passes or fails by time.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use slipway::clock::SystemClock;
use slipway::github::signature;
use slipway::model::Secret;
use slipway::store::{Durable, Store, sqlite};
use slipway::telemetry::Metrics;
use slipway::web::{Bounded, Limits, Readiness, Visitors, Web, router};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const BODY_BYTES: usize = 27_000;
const CONNECTIONS: usize = 64;
const PACED_PER_SECOND: usize = 1_000;
const PACED_SECONDS: usize = 10;
const THROUGHPUT_SECONDS: u64 = 5;

/// What one sender found.
type Found = io::Result<Vec<Duration>>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let asked = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    if asked.is_some_and(|filter| !"intake".contains(filter.as_str())) {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure())
}

async fn measure() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let tasks = TaskTracker::new();
    let store = Arc::new(sqlite::open(&directory.path().join("bench.db"), &tasks).await?);
    let secret = Secret::new(format!("{:032x}", fastrand::u128(..)));
    let web = Web {
        store: Arc::<Durable>::clone(&store),
        clock: Arc::new(SystemClock),
        secrets: vec![secret.clone()],
        limits: Limits::default(),
        readiness: Arc::new(Readiness::default()),
        metrics: Metrics::new(),
        visitors: Visitors::Nobody,
        github_url: "https://github.com".to_owned(),
    };
    let tcp = TcpListener::bind("127.0.0.1:0").await?;
    let address = tcp.local_addr()?;
    let stop = CancellationToken::new();
    let stopped = stop.clone().cancelled_owned();
    let listener = Bounded::new(tcp, 1_024, 60_000);
    tasks.spawn(
        async move { axum::serve(listener, router(web)).with_graceful_shutdown(stopped).await },
    );
    let load = Load { address, genuine: Genuine::new(&secret), tasks: tasks.clone() };
    say(&load.paced().await?)?;
    say(&load.throughput().await?)?;
    stop.cancel();
    store.close().await;
    tasks.close();
    tasks.wait().await;
    Ok(())
}

fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

/// Senders on their own connections.
struct Load {
    address: SocketAddr,
    genuine: Genuine,
    tasks: TaskTracker,
}

impl Load {
    /// Sends at a fixed rate and measures from the moment each was due, so that a server that
    /// stalls is not spared the deliveries it kept waiting.
    async fn paced(&self) -> io::Result<String> {
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
    async fn throughput(&self) -> io::Result<String> {
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
struct Genuine {
    body: Arc<str>,
    signature: Arc<str>,
}

impl Genuine {
    fn new(secret: &Secret) -> Self {
        let mut body = "{\"action\":\"created\",\"urls\":[0".to_owned();
        while body.len() < BODY_BYTES {
            body += ",\"https://api.example.com/repos/octo/hello/issues/";
            body += &fastrand::u64(..).to_string();
            body.push('"');
        }
        body += "]}";
        let signature = signature::sign(secret.reveal().as_bytes(), body.as_bytes());
        Self { body: body.into(), signature: signature.into() }
    }

    /// A delivery nobody sent before, as bytes on the wire.
    fn request(&self) -> Vec<u8> {
        let Self { body, signature } = self;
        let (id, length) = (fastrand::u128(..), body.len());
        format!(
            "POST /webhook HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             X-GitHub-Event: issue_comment\r\nX-GitHub-Delivery: {id:032x}\r\n\
             X-Hub-Signature-256: {signature}\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

/// Sends one request and reads its answer to the end, which is known by our own short text.
async fn send(tcp: &mut TcpStream, request: &[u8]) -> io::Result<()> {
    tcp.write_all(request).await?;
    let mut answer = Vec::with_capacity(1_024);
    while !answer.ends_with(b"\r\n\r\naccepted\n") {
        if tcp.read_buf(&mut answer).await? == 0 || answer.len() > 10_000 {
            let text = String::from_utf8_lossy(&answer).into_owned();
            return Err(io::Error::other(format!("not accepted: {text}")));
        }
    }
    Ok(())
}

fn quantile(sorted: &[Duration], percent: usize) -> Duration {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default()
}

fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
    Instant::now()
}

fn u32_of(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
