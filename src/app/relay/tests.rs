//! The relay's client against the playground's relay: what is believed, and what is a hint.

use serde_json::{Value, json};
use tokio_util::sync::DropGuard;

use super::*;
use crate::clock::SystemClock;
use crate::model::DeliveryId;
use crate::playground::http;
use crate::playground::world::World;
use crate::store::memory::Memory as MemoryStore;

/// A relay, somebody who listens to one of its channels, and what was heard.
struct Stage {
    store: Arc<MemoryStore>,
    address: String,
    secret: String,
    _stop: DropGuard,
}

async fn stage(channel: &str) -> Stage {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}/relay/{channel}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let world = World::new(Arc::new(|| SystemClock.now().0), 1);
    let router = http::router(http::Face { world, cancel: stop.clone(), pages: None });
    let tasks = tokio_util::task::TaskTracker::new();
    let stopped = stop.clone().cancelled_owned();
    tasks.spawn(async move {
        axum::serve(listener, router).with_graceful_shutdown(stopped).await.unwrap();
    });
    let secret = format!("{:x}", fastrand::u128(..));
    let store = Arc::new(MemoryStore::default());
    let relay = Relay {
        url: address.clone(),
        secrets: vec![Secret::new(secret.clone())],
        store: Arc::<MemoryStore>::clone(&store),
        clock: Arc::new(SystemClock),
        metrics: Metrics::new(),
    };
    tasks.spawn(relay.run(stop.clone()));
    let stage = Stage { store, address, secret, _stop: stop.drop_guard() };
    // The first hint says that it listens.
    until(async || stage.store.next_due().await.unwrap().is_some()).await;
    stage
}

async fn until(happened: impl AsyncFn() -> bool) {
    for _ in 0..1_000 {
        if happened().await {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("it never happened");
}

impl Stage {
    async fn post(&self, guid: &str, body: &Value, secret: &str) -> u16 {
        let text = body.to_string();
        let request = Client::builder().no_proxy().build().unwrap();
        let sent = request
            .post(&self.address)
            .header("X-GitHub-Event", "issue_comment")
            .header("X-GitHub-Delivery", guid)
            .header("X-Hub-Signature-256", signature::sign(secret.as_bytes(), text.as_bytes()))
            .body(text);
        sent.send().await.unwrap().status().as_u16()
    }

    async fn has(&self, guid: &str) -> bool {
        let id = DeliveryId::parse(guid).unwrap();
        self.store.delivery(&id).await.unwrap().is_some()
    }
}

fn body() -> Value {
    json!({"action": "created", "issue": {}, "comment": {"body": "/go https://example.com"}})
}

#[tokio::test]
async fn a_delivery_whose_signature_fits_is_kept_as_it_came() {
    let stage = stage("plain").await;
    assert_eq!(stage.post("forged", &body(), "another secret").await, 200);
    assert_eq!(stage.post("genuine", &body(), &stage.secret).await, 200);
    until(async || stage.has("genuine").await).await;
    let id = DeliveryId::parse("genuine").unwrap();
    let kept = stage.store.delivery(&id).await.unwrap().unwrap();
    assert_eq!(kept.event, "issue_comment");
    assert_eq!(kept.body, body().to_string().into_bytes());
    assert!(!stage.has("forged").await, "it came before and was not believed");
}

#[tokio::test]
async fn a_body_that_was_written_anew_is_a_hint_to_read_the_log() {
    let stage = stage("garbled").await;
    let first = stage.store.next_due().await.unwrap().unwrap();
    // The first hint is read, so that the next one shows.
    until(async || SystemClock.now() > first).await;
    assert_eq!(stage.claimed().await, ["poll"]);
    assert_eq!(stage.post("genuine", &body(), &stage.secret).await, 200);
    until(async || stage.store.next_due().await.unwrap().is_some_and(|due| due > first)).await;
    let due = stage.store.next_due().await.unwrap().unwrap();
    assert!(due.since(first) >= HINT_GAP_MS - 1, "hints are {} ms apart", due.since(first));
    assert!(!stage.has("genuine").await);
}

impl Stage {
    /// Takes and ends everything that is due.
    async fn claimed(&self) -> Vec<&'static str> {
        let claim = crate::store::Claim {
            owner: "test".to_owned(),
            now: SystemClock.now(),
            lease_ms: 1_000,
            jobs_max: 10,
            heavy_max: 1,
            heavy_per_repo_max: 1,
            heavy_per_agent_max: Vec::new(),
        };
        let leases = self.store.claim(&claim).await.unwrap();
        let mut words = Vec::new();
        for lease in leases {
            words.push(lease.kind.word());
            self.store.finish(&lease, Vec::new()).await.unwrap();
        }
        words
    }
}

#[tokio::test]
async fn an_address_that_is_no_stream_is_said_to_be_none() {
    let stage = stage("plain").await;
    let base = stage.address.split("/relay").next().unwrap();
    let relay = Relay {
        url: format!("{base}/app"),
        secrets: Vec::new(),
        store: Arc::<MemoryStore>::clone(&stage.store),
        clock: Arc::new(SystemClock),
        metrics: Metrics::new(),
    };
    let client = client(&relay.url).unwrap();
    let refused = relay.connect(&client, None).await.unwrap_err().to_string();
    assert!(refused.contains("401") || refused.contains("event stream"), "{refused}");
}

#[test]
fn pauses_double_and_are_bounded() {
    let after = |failures, retry_ms| pause(&Memory { retry_ms, failures, ..Memory::default() });
    assert_eq!(after(0, None), Duration::from_secs(1));
    assert_eq!(after(3, None), Duration::from_secs(8));
    assert_eq!(after(99, None), Duration::from_mins(1));
    assert_eq!(after(0, Some(5_000)), Duration::from_secs(5));
    assert_eq!(after(0, Some(0)), Duration::from_secs(1));
    assert_eq!(after(0, Some(u64::MAX)), Duration::from_mins(1));
}
