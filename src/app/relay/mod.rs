//! Deliveries through a relay of the smee kind: an event stream that we open, so that nothing
//! has to reach us.
//!
//! Whoever knows the relay's address can write there, and a relay writes bodies anew. So a
//! delivery is believed when its signature fits the bytes that came; otherwise it is a hint to
//! read GitHub's own log.

mod message;
mod stream;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use reqwest::{Client, Response, Url, header, redirect};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use self::message::Relayed;
use self::stream::{Event, Parser};
use crate::clock::Clock;
use crate::github::payload::{self, Fit, Interest};
use crate::github::signature;
use crate::model::{Millis, Secret};
use crate::store::{DELIVERY_BYTES_MAX, NewDelivery, Recorded, Store};
use crate::telemetry::{Intake, Metrics};
use crate::worker::hint_job;

/// Largest event read: a delivery with its headers, in bytes.
const EVENT_BYTES_MAX: usize = DELIVERY_BYTES_MAX + 64 * 1024;
/// A relay says something at least every thirty seconds; one that is silent is gone.
const SILENCE_MAX: Duration = Duration::from_secs(90);
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// Between two connections, in milliseconds; doubles from the first to the second.
const PAUSE_MS: u64 = 1_000;
const PAUSE_MS_MAX: u64 = 60_000;
/// GitHub's log knows a delivery a moment after it was sent, in milliseconds.
const HINT_AFTER_MS: i64 = 1_000;
/// Hints cause readings of the log at most this often, in milliseconds.
const HINT_GAP_MS: i64 = 5_000;

/// What listens to the relay.
pub(super) struct Relay {
    pub(super) url: String,
    pub(super) secrets: Vec<Secret>,
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Metrics,
}

/// What is known from one connection to the next.
#[derive(Debug, Default)]
struct Memory {
    last_id: Option<String>,
    retry_ms: Option<u64>,
    /// When the last hint is, or was, due.
    hinted: Option<Millis>,
    /// Connections in a row that brought nothing.
    failures: u32,
}

impl Relay {
    /// Listens until `stop`, and connects again whenever it ends.
    ///
    /// # Errors
    /// When no connection can ever be made.
    pub(super) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let client = client(&self.url)?;
        let mut memory = Memory::default();
        loop {
            let ended = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                ended = self.listen(&client, &mut memory) => ended,
            };
            let pause = pause(&memory);
            memory.failures = memory.failures.saturating_add(1);
            match ended {
                Ok(()) => tracing::info!(?pause, "the relay closed the connection"),
                Err(error) => tracing::warn!(error = %format!("{error:#}"), ?pause, "the relay"),
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = sleep(pause) => {}
            }
        }
    }

    /// One connection from its beginning to its end.
    async fn listen(&self, client: &Client, memory: &mut Memory) -> anyhow::Result<()> {
        let mut response = self.connect(client, memory.last_id.as_deref()).await?;
        tracing::info!("listening to the relay");
        // What was sent while nobody listened is in GitHub's log.
        self.hint(memory).await?;
        let mut parser = Parser::new(EVENT_BYTES_MAX, memory.last_id.take());
        loop {
            let chunk = timeout(SILENCE_MAX, response.chunk()).await;
            let chunk = chunk.context("it has been silent for too long")?;
            let Some(chunk) = chunk.map_err(reqwest::Error::without_url)? else { return Ok(()) };
            for event in parser.feed(&chunk)? {
                memory.failures = 0;
                self.take(memory, &event).await?;
            }
            memory.last_id.clone_from(&parser.last_id);
            memory.retry_ms = parser.retry_ms.or(memory.retry_ms);
        }
    }

    async fn connect(&self, client: &Client, last_id: Option<&str>) -> anyhow::Result<Response> {
        let mut request = client.get(&self.url).header(header::ACCEPT, "text/event-stream");
        if let Some(id) = last_id {
            request = request.header("last-event-id", id);
        }
        let response = timeout(SILENCE_MAX, request.send()).await.context("no answer in time")?;
        // The address is as good as a password for the channel.
        let response = response.map_err(reqwest::Error::without_url)?;
        anyhow::ensure!(response.status().is_success(), "it answers {}", response.status());
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let is_stream = kind.is_some_and(|kind| kind.starts_with("text/event-stream"));
        anyhow::ensure!(is_stream, "it is no event stream; is relay_url the channel's address?");
        Ok(response)
    }

    async fn take(&self, memory: &mut Memory, event: &Event) -> anyhow::Result<()> {
        if event.kind != "message" {
            return Ok(());
        }
        let Some(relayed) = message::read(&event.data) else {
            tracing::debug!("the relay sent something that is no delivery");
            return Ok(());
        };
        if !payload::EVENTS.contains(&relayed.event.as_str()) {
            self.metrics.delivery(Intake::Unread);
            return Ok(());
        }
        let secrets: Vec<&[u8]> = self.secrets.iter().map(|one| one.reveal().as_bytes()).collect();
        let genuine = signature::verify(&secrets, &relayed.body, relayed.signature.as_deref())
            && payload::fit(&relayed.event, &relayed.body) == Fit::Fits;
        if genuine {
            return self.record(relayed).await;
        }
        tracing::debug!(guid = %relayed.guid, "a relayed delivery is a hint only");
        let known = self.store.delivery(&relayed.guid).await?.is_some();
        // The action is in a body that is not believed: any of this event may matter.
        let matters = payload::interest(&relayed.event, None) != Interest::Nothing
            || matches!(relayed.event.as_str(), "issues" | "issue_comment");
        if matters && !known {
            self.hint(memory).await?;
        }
        Ok(())
    }

    async fn record(&self, relayed: Relayed) -> anyhow::Result<()> {
        let Relayed { guid: id, event, body, signature: _ } = relayed;
        let at = self.clock.now();
        let recorded = self.store.record(NewDelivery { id, event, body, at }).await;
        self.metrics.delivery(match recorded {
            Ok(Recorded::New) => Intake::Recorded,
            Ok(Recorded::Repeat) => Intake::Repeat,
            Ok(Recorded::Replay) => Intake::Replay,
            Err(_) => Intake::Failed,
        });
        // A new connection begins with a hint: what could not be kept is in GitHub's log.
        recorded.map(drop).context("a delivery was not kept")
    }

    /// Has GitHub's log read soon; many hints are one reading.
    async fn hint(&self, memory: &mut Memory) -> anyhow::Result<()> {
        let now = self.clock.now();
        if memory.hinted.is_some_and(|due| due > now) {
            return Ok(());
        }
        let earliest = memory.hinted.map_or(now, |due| due.plus(HINT_GAP_MS));
        let due = earliest.max(now.plus(HINT_AFTER_MS));
        self.store.put(vec![hint_job(now, due)]).await?;
        memory.hinted = Some(due);
        Ok(())
    }
}

/// How long to wait before the next connection.
fn pause(memory: &Memory) -> Duration {
    let first = memory.retry_ms.unwrap_or(PAUSE_MS).clamp(PAUSE_MS, PAUSE_MS_MAX);
    let doubled = first.saturating_mul(1 << memory.failures.min(16));
    Duration::from_millis(doubled.min(PAUSE_MS_MAX))
}

/// A client that goes where it was told and nowhere else.
fn client(url: &str) -> anyhow::Result<Client> {
    let url: Url = url.parse().context("relay_url")?;
    let mut builder = Client::builder()
        .user_agent(concat!("slipway/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_MAX)
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never());
    if url.scheme() == "http" {
        // Only this machine is reached without encryption.
        builder = builder.no_proxy().tls_certs_only(std::iter::empty());
    }
    builder.build().context("no client for https; is the package ca-certificates installed?")
}
