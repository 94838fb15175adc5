//! The courier: posts due webhook deliveries to the Apps' addresses and records the answers.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::TICK;
use super::mailbox::Delivery;
use super::world::World;

/// GitHub gives a receiver ten seconds.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// Posts deliveries as they come due, until cancelled.
pub async fn run(world: World, cancel: CancellationToken) {
    // Receivers are on loopback and speak plain HTTP: no certificates are needed.
    let client = reqwest::Client::builder().no_proxy().tls_certs_only(std::iter::empty());
    let client = client.timeout(ANSWER_TIME_MAX).build();
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, "the courier has no HTTP client");
            return;
        }
    };
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            () = deliver_due(&world, &client) => {}
        }
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

/// Posts what is due now, one after the other.
pub async fn deliver_due(world: &World, client: &reqwest::Client) {
    for delivery in world.due_deliveries(world.now_ms()) {
        let target = world.with(|state| state.apps.get(&delivery.app)?.webhook_url.clone());
        let status = match target {
            Some(url) => post(client, &url, &delivery).await,
            None => 0,
        };
        world.delivery_answered(delivery.id, status);
    }
}

/// The receiver's status, 0 when it gave none in time.
async fn post(client: &reqwest::Client, url: &str, delivery: &Delivery) -> u16 {
    let answer = client
        .post(url)
        .header("content-type", "application/json")
        .header("user-agent", "GitHub-Hookshot/playground")
        .header("x-github-event", &delivery.event)
        .header("x-github-delivery", &delivery.guid)
        .header("x-github-hook-id", delivery.app)
        .header("x-github-hook-installation-target-type", "integration")
        .header("x-github-hook-installation-target-id", delivery.app)
        .header("x-hub-signature-256", &delivery.signature_sha256)
        .body(delivery.body.to_vec())
        .send()
        .await;
    match answer {
        Ok(answer) => answer.status().as_u16(),
        Err(error) => {
            tracing::debug!(%error, guid = %delivery.guid, "a delivery was not answered");
            0
        }
    }
}
