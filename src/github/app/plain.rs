//! Requests without credentials: a sign of life, and the code of a manifest for its App.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request as HttpRequest, header};
use serde::Deserialize;

use super::{Config, path, transport, wire};
use crate::github::Error;
use crate::github::answer::Refusal;
use crate::model::{Millis, Secret};

/// Largest answer read, in bytes; an App with its key has about 6 KB.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// Longest code of a manifest that is passed on, in characters; GitHub's have 40.
const CODE_CHARS_MAX: usize = 200;

/// An answer, whatever its status.
pub(super) struct Plain {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Plain {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Sends once, within the configured time.
pub(super) async fn send(config: &Config, method: Method, path: &str) -> Result<Plain, Error> {
    let lost = |why: String| Error::Unavailable(why);
    let crab = transport::octocrab(config)?;
    let builder = HttpRequest::builder()
        .method(method)
        .uri(path)
        .header(header::ACCEPT, "application/vnd.github+json");
    let exchange = async {
        let request =
            crab.build_request(builder, None::<&()>).map_err(|e| lost(wire::innermost(&e).1))?;
        let response =
            crab.execute(request).await.map_err(|error| lost(wire::innermost(&error).1))?;
        let (parts, body) = response.into_parts();
        let body = to_bytes(Body::new(body), ANSWER_BYTES_MAX).await;
        let body = body.map_err(|_error| lost("the answer was cut off or is too large".into()))?;
        let status = parts.status.as_u16();
        Ok(Plain { status, headers: parts.headers, body: body.to_vec() })
    };
    let answered = tokio::time::timeout(config.timeout, exchange).await;
    answered.unwrap_or_else(|_elapsed| Err(lost("time-out".to_owned())))
}

/// The App that a manifest became. The client's secret is not kept: nobody signs in with it.
#[derive(Debug, Clone)]
pub struct Registered {
    pub id: u64,
    pub slug: String,
    pub owner: String,
    pub html_url: String,
    /// PEM.
    pub private_key: Secret,
    /// GitHub leaves it out of an App without a webhook.
    pub webhook_secret: Option<Secret>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RegisteredAnswer {
    id: Option<u64>,
    slug: Option<String>,
    owner: Option<super::shape::Account>,
    html_url: Option<String>,
    pem: Option<Secret>,
    webhook_secret: Option<Secret>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Complaint {
    message: Option<String>,
}

/// Exchanges the code that GitHub gave a browser for the App; works once, within an hour.
///
/// # Errors
/// [`Error::Gone`] when the code is unknown, used or too old. Sent once only: a code whose
/// answer is lost is used up.
pub async fn register(config: &Config, code: &str, now: Millis) -> Result<Registered, Error> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if code.is_empty() || code.len() > CODE_CHARS_MAX || !code.chars().all(plain) {
        return Err(Error::Gone("that is no code of GitHub's".to_owned()));
    }
    let path = format!("/app-manifests/{}/conversions", path::part(code));
    let answer = send(config, Method::POST, &path).await?;
    if !(200..300).contains(&answer.status) {
        let complaint: Complaint = serde_json::from_slice(&answer.body).unwrap_or_default();
        return Err(Refusal::new(answer.status, complaint.message.unwrap_or_default()).error(now));
    }
    let missing = |what: &str| Error::Unexpected(format!("the answer has no usable {what}"));
    // The parser's own message may quote the key.
    let found: RegisteredAnswer =
        serde_json::from_slice(&answer.body).map_err(|_error| missing("shape"))?;
    let pem = found.pem.filter(|pem| pem.reveal().contains("PRIVATE KEY-----"));
    Ok(Registered {
        id: found.id.ok_or_else(|| missing("number"))?,
        slug: found.slug.ok_or_else(|| missing("name"))?,
        owner: found.owner.and_then(|owner| owner.login).unwrap_or_default(),
        html_url: found.html_url.unwrap_or_default(),
        private_key: pem.ok_or_else(|| missing("private key"))?,
        webhook_secret: found.webhook_secret.filter(|one| !one.is_empty()),
    })
}
