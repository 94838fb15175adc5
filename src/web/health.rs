//! `/healthz`, `/readyz` and `/metrics`: how the program is, for machines.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::{self, HeaderMap};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::time::timeout;

use super::Shared;
use crate::store::Gauges;

const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The answer of `/readyz`.
#[derive(Debug, Serialize)]
struct Ready {
    ready: bool,
    reasons: Vec<String>,
}

/// The process answers; nothing more.
pub(super) async fn alive() -> &'static str {
    "alive\n"
}

/// Whether deliveries will be kept and worked on.
pub(super) async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    let mut reasons = shared.web.readiness.reasons();
    if let Err(reason) = gauges(&shared).await {
        reasons.push(reason.to_owned());
    }
    let ready = reasons.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Ready { ready, reasons })).into_response()
}

/// Counters and gauges in the text format Prometheus reads.
pub(super) async fn metrics(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = shared.web.visitors.refuse(&uri, &headers) {
        return refusal;
    }
    let text = shared.web.metrics.render(gauges(&shared).await.ok().as_ref());
    ([(header::CONTENT_TYPE, METRICS_TYPE)], text).into_response()
}

/// Asks the database. Details go to the log: the answer is open to everybody.
async fn gauges(shared: &Shared) -> Result<Gauges, &'static str> {
    let asking = shared.web.store.gauges(shared.web.clock.now());
    match timeout(shared.web.limits.store(), asking).await {
        Ok(Ok(gauges)) => Ok(gauges),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the database cannot be read");
            Err("the database cannot be read")
        }
        Err(_elapsed) => Err("the database does not answer"),
    }
}
