//! What the model gateway adds to a call: streamed answers of a scripted model over loopback,
//! asked directly and through a line. Prints figures; nothing here passes or fails by time.

#[path = "../tests/it/model/mod.rs"]
#[expect(dead_code, reason = "a benchmark needs no faults")]
mod model;

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use slipway::clock::SystemClock;
use slipway::gateway::fake::Jar;
use slipway::gateway::keys::Ring;
use slipway::gateway::provider::{KeySource, Pricing};
use slipway::gateway::relay::{Clients, Relay};
use slipway::gateway::{Caps, Gateway, Order, Prices, Provider, Unpriced, Wire};
use slipway::model::Secret;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio_util::task::TaskTracker;

use model::{Model, Script};

/// Words of an answer, each an event of its own.
const WORDS: usize = 200;
/// Bytes of a request, about what an agent sends after a few turns.
const REQUEST_BYTES: usize = 100 * 1024;
/// Calls, one after the other, whose latencies are compared.
const CALLS: usize = 400;
/// Connections at once for the throughput, and calls of each.
const LANES: usize = 8;
const CALLS_OF_LANE: usize = 100;
/// Between two events where a model is played that thinks, and calls of each of its lanes.
const THINKING: Duration = Duration::from_millis(5);
const CALLS_OF_THINKING: usize = 5;

type Failed = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failed> {
    let filters = std::env::args().skip(1).filter(|word| !word.starts_with('-'));
    if filters.into_iter().any(|filter| !"gateway".contains(&filter)) {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure())
}

async fn measure() -> Result<(), Failed> {
    let mut script = Script::saying(&"word ".repeat(WORDS));
    let fast = Model::start(script.clone()).await?;
    script.pause = THINKING;
    let thinking = Model::start(script).await?;
    let clients = Clients::new(&[])?;
    for (name, model, calls) in
        [("at once", &fast, CALLS_OF_LANE), ("5 ms an event", &thinking, CALLS_OF_THINKING)]
    {
        let url = model.url("");
        let order = order(&url)?;
        let key = Secret::new(format!("key-{:032x}", fastrand::u128(..)));
        let ring = Ring::new(
            Arc::new(move |_: &str| Some(key.clone())),
            clients.reach(&order.provider.url)?,
            Arc::new(SystemClock),
        );
        let prices = Arc::new(Prices::ours()?);
        let relay = Relay::new(prices, Arc::new(ring), clients.clone(), Arc::new(SystemClock));
        let line = relay.open(&order).await?;
        let direct = Way::Direct(url.trim_start_matches("http://").to_owned());
        let through = Way::Through(line.socket().to_owned());
        let request = Arc::new(request(line.token()));
        if calls == CALLS_OF_LANE {
            latencies(&direct, &through, &request).await?;
        }
        let mut rates = Vec::new();
        for way in [&direct, &through, &direct, &through, &direct, &through] {
            rates.push(throughput(way, &request, calls).await?);
        }
        let of = |from: usize| rates.iter().skip(from).step_by(2).copied().fold(0.0, f64::max);
        let (plain, passed) = (of(0), of(1));
        say(&format!(
            "gateway, {LANES} at once, {name}: direct {plain:.0}/s, through {passed:.0}/s \
             ({:+.1} %)",
            (passed / plain - 1.0) * 100.0
        ))?;
        let tally = line.close().await;
        say(&format!("  {} calls, {} uncertain", tally.turns, tally.uncertain))?;
    }
    Ok(())
}

/// One call after the other, each way in turn, so that both meet the same machine.
async fn latencies(direct: &Way, through: &Way, request: &Arc<Vec<u8>>) -> Result<(), Failed> {
    let (mut plain, mut passed) = (direct.connect().await?, through.connect().await?);
    let (mut direct, mut through) = (Vec::new(), Vec::new());
    for _call in 0..CALLS {
        direct.push(one(&mut plain, request).await?);
        through.push(one(&mut passed, request).await?);
    }
    for (at, name) in [(50, "p50"), (99, "p99")] {
        let (plain, passed) = (percentile(&mut direct, at), percentile(&mut through, at));
        say(&format!(
            "gateway, a streamed call of {WORDS} events and {REQUEST_BYTES} bytes, {name}: direct \
             {:.2} ms, through {:.2} ms, {:.2} ms more",
            plain * 1e3,
            passed * 1e3,
            (passed - plain) * 1e3
        ))?;
    }
    Ok(())
}

async fn throughput(way: &Way, request: &Arc<Vec<u8>>, calls: usize) -> Result<f64, Failed> {
    let tasks = TaskTracker::new();
    let begun = now();
    let lanes: Vec<_> = (0..LANES)
        .map(|_| {
            let (way, request) = (way.clone(), Arc::clone(request));
            tasks.spawn(async move {
                let mut stream = way.connect().await?;
                for _call in 0..calls {
                    one(&mut stream, &request).await?;
                }
                Ok::<_, Failed>(())
            })
        })
        .collect();
    for lane in lanes {
        lane.await??;
    }
    let all = f64::from(u32::try_from(LANES * calls)?);
    Ok(all / begun.elapsed().as_secs_f64())
}

/// How the model is reached.
#[derive(Clone)]
enum Way {
    Direct(String),
    Through(std::path::PathBuf),
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Way {
    async fn connect(&self) -> Result<Box<dyn Stream>, Failed> {
        match self {
            Self::Direct(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream))
            }
            Self::Through(socket) => Ok(Box::new(UnixStream::connect(Path::new(socket)).await?)),
        }
    }
}

/// Sends, and reads to the last chunk; how long it took.
async fn one(stream: &mut Box<dyn Stream>, request: &[u8]) -> Result<f64, Failed> {
    let begun = now();
    stream.write_all(request).await?;
    let mut heard = Vec::with_capacity(64 * 1024);
    while !heard.ends_with(b"\r\n0\r\n\r\n") {
        if stream.read_buf(&mut heard).await? == 0 {
            return Err("the answer broke off".into());
        }
    }
    if !heard.starts_with(b"HTTP/1.1 200") {
        return Err(String::from_utf8_lossy(&heard).into_owned().into());
    }
    Ok(begun.elapsed().as_secs_f64())
}

fn request(token: &Secret) -> Vec<u8> {
    let padding = "x".repeat(REQUEST_BYTES);
    let body = format!(
        r#"{{"model":"m","stream":true,"max_tokens":100,"messages":[{{"content":"{padding}"}}]}}"#
    );
    let (token, length) = (token.reveal(), body.len());
    format!(
        "POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: {token}\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn order(url: &str) -> Result<Order, Failed> {
    let provider = Provider {
        name: "bench".to_owned(),
        wire: Wire::Messages,
        url: url.parse()?,
        key: KeySource::Environment("KEY".to_owned()),
        pricing: Pricing::Listed { house: None, own: BTreeMap::new() },
    };
    let caps = Caps { requests_max: u64::MAX, ..Caps::default() };
    Ok(Order {
        name: "bench".to_owned(),
        provider,
        models: vec!["m".to_owned()],
        purse: Arc::new(Jar::holding(u64::MAX)),
        unpriced: Unpriced::Allow,
        caps,
    })
}

fn percentile(times: &mut [f64], at: usize) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() * at / 100).copied().unwrap_or_default()
}

fn say(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}

fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
    Instant::now()
}
