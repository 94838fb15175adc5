//! The web: takes deliveries in, says how the program is, shows runs. It writes one thing, a
//! delivery; everything else it does is reading.

mod body;
mod guard;
mod health;
mod listen;
mod pages;
mod readiness;
mod streams;
mod webhook;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::Router;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{get, post};
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;

pub use guard::Visitors;
pub use listen::Bounded;
pub use readiness::{Alive, Readiness};

use crate::clock::Clock;
use crate::model::Secret;
use crate::report::page::STYLE_PATH;
use crate::store::{DELIVERY_BYTES_MAX, Store};
use crate::telemetry::Metrics;

/// Bytes of all bodies held at once, so that no sender makes the program large: one of the
/// largest and all the usual ones beside it.
const BODIES_BYTES_MAX: usize = DELIVERY_BYTES_MAX + 7 * 1024 * 1024;
/// A body beyond this is large, in bytes; GitHub's are seldom.
pub const LARGE_BYTES: usize = 64 * 1024;

/// What the web needs from the rest of the program.
#[derive(Clone)]
pub struct Web {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    /// Our App: a delivery for another is not ours.
    pub app_id: u64,
    #[doc(hidden)]
    pub lapse: Lapse,
    /// Webhook secrets that are accepted; two while one is being replaced.
    pub secrets: Vec<Secret>,
    pub limits: Limits,
    pub readiness: Arc<Readiness>,
    pub metrics: Metrics,
    /// Who may see pages and metrics.
    pub visitors: Visitors,
    /// Where issues and pull requests are, such as `https://github.com`.
    pub github_url: String,
}

impl std::fmt::Debug for Web {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Web").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// One defence left out, for a test that shows what it is good for; a program has none.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lapse {
    #[default]
    None,
    /// Whoever sends is believed.
    Signature,
    /// A body may be sent under the name of any event.
    Shape,
}

/// Upper bounds of what strangers may make the web hold or wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of one delivery's body.
    pub body_bytes_max: usize,
    /// Of all bodies held at once.
    pub bodies_bytes_max: usize,
    /// Bodies beyond [`LARGE_BYTES`] being read at once.
    pub large_max: usize,
    /// Deliveries being answered at once.
    pub deliveries_max: usize,
    /// For reading a body.
    pub read_ms_max: u64,
    /// For the store to answer; GitHub gives up on a delivery after ten seconds.
    pub store_ms_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: DELIVERY_BYTES_MAX,
            bodies_bytes_max: BODIES_BYTES_MAX,
            large_max: 16,
            deliveries_max: 512,
            read_ms_max: 10_000,
            store_ms_max: 8_000,
        }
    }
}

impl Limits {
    fn read(&self) -> Duration {
        Duration::from_millis(self.read_ms_max)
    }

    fn store(&self) -> Duration {
        Duration::from_millis(self.store_ms_max)
    }
}

/// What requests share.
struct Shared {
    web: Web,
    /// One permit for each delivery being answered.
    deliveries: Arc<Semaphore>,
    /// One permit for each KiB of body being held.
    bodies: Arc<Semaphore>,
    /// One permit for each large body.
    large: Arc<Semaphore>,
    /// Bodies that were looked into: none that was not proven to be GitHub's.
    parsed: AtomicU64,
}

/// Every route of the program.
pub fn router(web: Web) -> Router {
    serving(shared(web))
}

fn shared(web: Web) -> Arc<Shared> {
    let permits = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
    let deliveries = permits(web.limits.deliveries_max);
    let bodies = permits(body::kib(web.limits.bodies_bytes_max));
    let large = permits(web.limits.large_max);
    Arc::new(Shared { web, deliveries, bodies, large, parsed: AtomicU64::new(0) })
}

fn serving(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/webhook", post(webhook::receive))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/", get(pages::list))
        .route("/runs/{run}", get(pages::run))
        .route("/runs/{run}/streams/{entry}", get(streams::stream))
        .route(STYLE_PATH, get(pages::style))
        .fallback(nowhere)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(map_response(harden))
        .with_state(shared)
}

async fn nowhere(_uri: Uri) -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "there is nothing here\n")
}

/// A bug: logged once here, and the caller only learns that it was not their fault.
fn panicked(_cause: Box<dyn std::any::Any + Send + 'static>) -> Response {
    tracing::error!("a request panicked; this is a bug in slipway");
    guard::plain(StatusCode::INTERNAL_SERVER_ERROR, "this is a bug in slipway\n")
}

/// Nothing here runs scripts, sits in a frame, or is kept by a cache.
async fn harden(mut response: Response) -> Response {
    response.headers_mut().extend(hardening());
    response
}

/// What every answer carries. The strict transport holds only where a proxy speaks TLS for us:
/// browsers ignore it elsewhere.
fn hardening() -> [(HeaderName, HeaderValue); 9] {
    let fixed = |name, value| (HeaderName::from_static(name), HeaderValue::from_static(value));
    [
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        fixed("cross-origin-resource-policy", "same-origin"),
        fixed("cross-origin-opener-policy", "same-origin"),
        fixed("permissions-policy", "camera=(), microphone=(), geolocation=()"),
        (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000")),
        (header::CONTENT_SECURITY_POLICY, pages::content_security_policy()),
    ]
}

#[cfg(test)]
mod tests;
