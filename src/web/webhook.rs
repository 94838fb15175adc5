//! `POST /webhook`: proves that GitHub sent it, keeps it durably, and only then says so.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::body::{self, Held, Unread};
use super::{Lapse, Shared, guard};
use crate::github::payload::{EVENTS, Fit, fit};
use crate::github::signature;
use crate::model::DeliveryId;
use crate::store::{self, NewDelivery, Recorded};
use crate::telemetry::Intake;

const DELIVERY: &str = "x-github-delivery";
const EVENT: &str = "x-github-event";
const TARGET: &str = "x-github-hook-installation-target-id";
/// Seconds after which a sender may try again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// An answer: what is counted, what the sender is told.
struct Answer {
    intake: Intake,
    status: StatusCode,
    text: &'static str,
}

impl Answer {
    fn new(intake: Intake, status: StatusCode, text: &'static str) -> Self {
        Self { intake, status, text }
    }

    fn accepted(intake: Intake, text: &'static str) -> Self {
        Self::new(intake, StatusCode::ACCEPTED, text)
    }

    fn broken(text: &'static str) -> Self {
        Self::new(Intake::Broken, StatusCode::BAD_REQUEST, text)
    }

    fn busy() -> Self {
        Self::new(Intake::Busy, StatusCode::SERVICE_UNAVAILABLE, "busy: deliver it again\n")
    }

    fn failed() -> Self {
        let text = "it could not be kept: deliver it again\n";
        Self::new(Intake::Failed, StatusCode::SERVICE_UNAVAILABLE, text)
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = guard::plain(self.status, self.text);
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        response
    }
}

pub(super) async fn receive(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    let answer = answer(&shared, request).await;
    shared.web.metrics.delivery(answer.intake);
    answer.into_response()
}

async fn answer(shared: &Shared, request: Request<Body>) -> Answer {
    let Ok(_turn) = shared.deliveries.try_acquire() else { return Answer::busy() };
    let (parts, body) = request.into_parts();
    if !is_json(&parts.headers) {
        let text = "only application/json is read; choose it in the webhook's settings\n";
        return Answer::new(Intake::Broken, StatusCode::UNSUPPORTED_MEDIA_TYPE, text);
    }
    let declared = text(&parts.headers, header::CONTENT_LENGTH.as_str())
        .and_then(|length| length.parse::<u64>().ok());
    let held = match body::read(body, declared, &shared.web.limits, (&shared.bodies, &shared.large))
        .await
    {
        Ok(held) => held,
        Err(why) => return unread(why),
    };
    match delivery(shared, &parts.headers, held) {
        Ok(delivery) => record(shared, delivery).await,
        Err(refusal) => refusal,
    }
}

/// What GitHub sends when the webhook is set up so.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = text(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

/// Whether GitHub names our App, where it names one.
fn is_for(app_id: u64, headers: &HeaderMap) -> bool {
    headers.get(TARGET).is_none_or(|id| id.to_str().is_ok_and(|id| id == app_id.to_string()))
}

fn unread(why: Unread) -> Answer {
    match why {
        Unread::TooLarge => {
            let text = "the body is larger than 25 MB\n";
            Answer::new(Intake::TooLarge, StatusCode::PAYLOAD_TOO_LARGE, text)
        }
        Unread::TooSlow => {
            let text = "the body did not come in time\n";
            Answer::new(Intake::Slow, StatusCode::REQUEST_TIMEOUT, text)
        }
        Unread::NoRoom => Answer::busy(),
        Unread::Broken => Answer::broken("the body ended early\n"),
    }
}

/// Nothing is said or done about a body before its signature is proven.
fn delivery(shared: &Shared, headers: &HeaderMap, held: Held) -> Result<NewDelivery, Answer> {
    let body = held.bytes;
    let secrets: Vec<&[u8]> =
        shared.web.secrets.iter().map(|secret| secret.reveal().as_bytes()).collect();
    let proven = signature::verify(&secrets, &body, text(headers, signature::HEADER));
    if !proven && shared.web.lapse != Lapse::Signature {
        let text = "the signature is missing or wrong\n";
        return Err(Answer::new(Intake::Forged, StatusCode::UNAUTHORIZED, text));
    }
    let Some(id) = text(headers, DELIVERY).and_then(|id| DeliveryId::parse(id).ok()) else {
        return Err(Answer::broken("X-GitHub-Delivery is missing or too long\n"));
    };
    let Some(event) = text(headers, EVENT) else {
        return Err(Answer::broken("X-GitHub-Event is missing\n"));
    };
    if !is_for(shared.web.app_id, headers) {
        let text = "it is for another App; is the webhook set up in its settings?\n";
        return Err(Answer::new(Intake::Crossed, StatusCode::BAD_REQUEST, text));
    }
    shared.parsed.fetch_add(1, Ordering::Relaxed);
    match fit(event, &body) {
        Fit::NoObject => return Err(Answer::broken("the body is not a JSON object\n")),
        Fit::Crossed if shared.web.lapse != Lapse::Shape => {
            // GitHub may change a shape; what it sends is never refused for that.
            return Err(Answer::accepted(Intake::Crossed, "it is not of this event: not read\n"));
        }
        Fit::Crossed | Fit::Fits => {}
    }
    if !EVENTS.contains(&event) {
        return Err(Answer::accepted(Intake::Unread, "this event is not read\n"));
    }
    Ok(NewDelivery { id, event: event.to_owned(), body, at: shared.web.clock.now() })
}

/// The answer comes after the store's, never before.
async fn record(shared: &Shared, delivery: NewDelivery) -> Answer {
    let id = delivery.id.clone();
    let recording = shared.web.store.record(delivery);
    match timeout(shared.web.limits.store(), recording).await {
        Ok(Ok(Recorded::New)) => Answer::accepted(Intake::Recorded, "accepted\n"),
        Ok(Ok(Recorded::Repeat)) => Answer::accepted(Intake::Repeat, "known already\n"),
        Ok(Ok(Recorded::Replay)) => Answer::accepted(Intake::Replay, "known already\n"),
        Ok(Err(store::Error::Busy(why))) => {
            tracing::warn!(delivery = %id, why, "the store is busy");
            Answer::busy()
        }
        Ok(Err(error)) => {
            tracing::error!(delivery = %id, error = %Causes(&error), "a delivery was not kept");
            Answer::failed()
        }
        Err(_elapsed) => {
            tracing::error!(delivery = %id, "the store did not answer in time");
            Answer::failed()
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// An error with what caused it, on one line.
struct Causes<'a>(&'a (dyn std::error::Error + 'static));

impl std::fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_asks_for_what_is_read() {
        let manifest = include_str!("../../app-manifest/manifest.json");
        let manifest: serde_json::Value = serde_json::from_str(manifest).unwrap();
        let asked = manifest["default_events"].as_array().unwrap();
        let asked: Vec<&str> = asked.iter().map(|event| event.as_str().unwrap()).collect();
        // GitHub sends events about installations unasked, and refuses a manifest that asks.
        let wanted = EVENTS.iter().copied().filter(|event| !event.starts_with("installation"));
        assert_eq!(asked, wanted.collect::<Vec<_>>());
    }
}
