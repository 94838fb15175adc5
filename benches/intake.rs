//! From a webhook's last byte to its durable 2xx: a listening server on loopback, SQLite, and
//! bodies of 27 KB as GitHub sends them. Prints figures; nothing here passes or fails by time.
//!
//! `serve SECRET-FILE` only listens, and `load ADDRESS PATH SECRET-FILE` only sends, so that
//! receivers of other makes can be measured with the same senders (`benches/peers/run`).

#[path = "intake/load.rs"]
mod load;

use std::error::Error;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Instant;

use slipway::clock::SystemClock;
use slipway::model::Secret;
use slipway::store::{Durable, Store, sqlite};
use slipway::telemetry::Metrics;
use slipway::web::{Bounded, Limits, Readiness, Visitors, Web, router};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use load::{Genuine, Load};

/// Where we take deliveries in.
const PATH: &str = "/webhook";

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match words.as_slice() {
        ["serve", secret] => runtime.block_on(serve(&read(secret)?)),
        ["load", address, path, secret] => {
            let genuine = Genuine::new(path, read(secret)?.reveal().as_bytes());
            let load = Load { address: address.parse()?, genuine, tasks: TaskTracker::new() };
            runtime.block_on(send(&load))
        }
        [filter, ..] if !"intake".contains(filter) => Ok(()),
        _both => runtime.block_on(measure()),
    }
}

fn read(file: &str) -> io::Result<Secret> {
    Ok(Secret::new(std::fs::read_to_string(file)?.trim().to_owned()))
}

/// Sender and receiver in one process.
async fn measure() -> Result<(), Box<dyn Error>> {
    let secret = Secret::new(format!("{:032x}", fastrand::u128(..)));
    let receiver = Receiver::start(&secret).await?;
    let genuine = Genuine::new(PATH, secret.reveal().as_bytes());
    let load = Load { address: receiver.address, genuine, tasks: TaskTracker::new() };
    send(&load).await?;
    receiver.stop().await;
    Ok(())
}

/// Receives until standard input ends.
async fn serve(secret: &Secret) -> Result<(), Box<dyn Error>> {
    let receiver = Receiver::start(secret).await?;
    say(&format!("listening {}", receiver.address))?;
    let ended = tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new()));
    ended.await??;
    receiver.stop().await;
    Ok(())
}

async fn send(load: &Load) -> Result<(), Box<dyn Error>> {
    say(&load.paced().await?)?;
    say(&load.throughput().await?)?;
    Ok(())
}

/// Our intake as the program has it, with a new database.
struct Receiver {
    address: std::net::SocketAddr,
    store: Arc<Durable>,
    tasks: TaskTracker,
    stop: CancellationToken,
    _directory: tempfile::TempDir,
}

impl Receiver {
    async fn start(secret: &Secret) -> Result<Self, Box<dyn Error>> {
        let directory = tempfile::tempdir()?;
        let tasks = TaskTracker::new();
        let store = Arc::new(sqlite::open(&directory.path().join("bench.db"), &tasks).await?);
        let web = Web {
            app_id: 1,
            lapse: slipway::web::Lapse::default(),
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
        tasks.spawn(async move {
            axum::serve(listener, router(web)).with_graceful_shutdown(stopped).await
        });
        Ok(Self { address, store, tasks, stop, _directory: directory })
    }

    async fn stop(self) {
        self.stop.cancel();
        self.store.close().await;
        self.tasks.close();
        self.tasks.wait().await;
    }
}

fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
    Instant::now()
}

fn u32_of(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
