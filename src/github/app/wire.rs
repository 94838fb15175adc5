//! One request out, one answer in: time limits, size limits and counts, no decisions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request as HttpRequest, header};
use futures_util::StreamExt;
use octocrab::Octocrab;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Config;
use super::cache::Kept;
use super::carrier::Carrier;
use super::hosts::Foreign;
use crate::github::Error;
use crate::github::answer::Refusal;
use crate::model::{Millis, Secret};

/// Largest answer read, in bytes.
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// The form we ask every answer in.
pub(super) const ACCEPT: &str = "application/vnd.github+json";

/// Requests sent, by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    pub reads: BTreeMap<&'static str, u64>,
    pub writes: BTreeMap<&'static str, u64>,
    /// Reads, counted above as well, that found nothing changed: they cost no limit.
    pub unchanged: BTreeMap<&'static str, u64>,
}

/// A request as we mean it.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// What it is counted as.
    pub(super) kind: &'static str,
    pub(super) method: Method,
    /// Path and query.
    pub(super) path: String,
    pub(super) body: Option<Value>,
    /// When longer than this many bytes, only the end of the answer is kept.
    pub(super) tail: Option<usize>,
    /// It changes nothing.
    pub(super) read: bool,
    /// It may be sent again when its answer is lost.
    pub(super) repeat: bool,
}

impl Request {
    pub(super) fn get(kind: &'static str, path: String) -> Self {
        Self { kind, method: Method::GET, path, body: None, tail: None, read: true, repeat: true }
    }

    pub(super) fn write(method: Method, kind: &'static str, path: String, body: Value) -> Self {
        Self { kind, method, path, body: Some(body), tail: None, read: false, repeat: false }
    }
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// A further page was known when this answer was kept.
    more: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Complaint {
    message: Option<String>,
    errors: Option<Value>,
}

impl Answer {
    /// An answer of success that somebody else got for us.
    pub(super) fn told(link: Option<&str>, body: Vec<u8>) -> Self {
        let mut headers = HeaderMap::new();
        if let Some(link) = link.and_then(|link| link.parse().ok()) {
            headers.insert(header::LINK, link);
        }
        Self { status: 200, headers, body, more: false }
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| Error::Unexpected(error.to_string()))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The addresses of other pages.
    pub(super) fn link(&self) -> Option<&str> {
        self.header("link")
    }

    /// Whether there is a further page; `None` when the answer does not say.
    pub(super) fn has_next(&self) -> Option<bool> {
        let said = self.header("link").map(|link| link.contains("rel=\"next\""));
        said.or_else(|| self.more.then_some(true))
    }

    pub(super) fn etag(&self) -> Option<&str> {
        self.header("etag")
    }

    /// GitHub's clock when it answered.
    pub(super) fn date(&self) -> Option<Millis> {
        moment(self.header("date")?)
    }

    /// "Not modified" becomes what it was. That there was no further page is forgotten: one may
    /// have begun since without changing this one.
    pub(super) fn stay(&mut self, kept: &Kept) {
        self.status = 200;
        self.body = kept.body.to_vec();
        self.more = kept.more;
    }

    pub(super) fn refusal(&self) -> Refusal {
        let complaint: Complaint = serde_json::from_slice(&self.body).unwrap_or_default();
        let mut message = complaint.message.unwrap_or_default();
        if let Some(Value::Array(errors)) = complaint.errors {
            for error in errors.iter().take(5) {
                let text = error.get("message").unwrap_or(error).as_str();
                message.push_str(&text.map(|text| format!("; {text}")).unwrap_or_default());
            }
        }
        let number = |name: &str| self.header(name).and_then(|value| value.trim().parse().ok());
        Refusal {
            status: self.status,
            message,
            retry_after_s: number("retry-after"),
            limit_remaining: number("x-ratelimit-remaining"),
            limit_reset_s: number("x-ratelimit-reset").and_then(|s| i64::try_from(s).ok()),
        }
    }
}

/// The connection.
pub(super) struct Wire {
    crab: Octocrab,
    timeout: Duration,
    counts: Mutex<Counts>,
}

impl Wire {
    pub(super) fn new(config: &Config) -> Result<Self, Error> {
        let crab = super::transport::octocrab(config)?;
        let counts = Mutex::new(Counts::default());
        Ok(Self { crab, timeout: config.timeout, counts })
    }

    /// Over another carrier than our own client.
    pub(super) fn over(config: &Config, carrier: Arc<dyn Carrier>) -> Result<Self, Error> {
        let crab = super::carrier::octocrab(config, carrier)?;
        let counts = Mutex::new(Counts::default());
        Ok(Self { crab, timeout: config.timeout, counts })
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn count(&self, request: &Request) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let side = if request.read { &mut counts.reads } else { &mut counts.writes };
        *side.entry(request.kind).or_default() += 1;
    }

    /// Sends once; `etag` marks what we have already. `Unavailable` says that nobody knows what
    /// became of it.
    pub(super) async fn send(
        &self,
        secret: &Secret,
        request: &Request,
        etag: Option<&str>,
    ) -> Result<Answer, Error> {
        self.count(request);
        let exchange = self.exchange(secret, request, etag);
        let answer = match tokio::time::timeout(self.timeout, exchange).await {
            Ok(answer) => answer?,
            Err(_elapsed) => {
                return Err(Error::Unavailable(format!("{}: time-out", request.kind)));
            }
        };
        if answer.status == 304 {
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            *counts.unchanged.entry(request.kind).or_default() += 1;
        }
        Ok(answer)
    }

    async fn exchange(
        &self,
        secret: &Secret,
        request: &Request,
        etag: Option<&str>,
    ) -> Result<Answer, Error> {
        let lost = |error: octocrab::Error| failure(request.kind, &error);
        let crab = self.crab.user_access_token(secret.reveal().to_owned()).map_err(lost)?;
        let mut builder = HttpRequest::builder()
            .method(request.method.clone())
            .uri(&request.path)
            .header(header::ACCEPT, ACCEPT);
        if let Some(etag) = etag {
            builder = builder.header(header::IF_NONE_MATCH, etag);
        }
        let built = crab.build_request(builder, request.body.as_ref()).map_err(lost)?;
        let response = crab.execute(built).await.map_err(lost)?;
        let (parts, body) = response.into_parts();
        let (status, headers) = (parts.status.as_u16(), parts.headers);
        let mut answer = Answer { status, headers, body: Vec::new(), more: false };
        let mut chunks = Body::new(body).into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk =
                chunk.map_err(|_error| Error::Unavailable(format!("{}: cut off", request.kind)))?;
            answer.body.extend_from_slice(&chunk);
            match request.tail {
                // Twice the wanted end at most, so that bytes are seldom moved.
                Some(tail) if answer.body.len() > tail.saturating_mul(2) => {
                    let from = answer.body.len().saturating_sub(tail);
                    answer.body.drain(..from);
                }
                None if answer.body.len() > ANSWER_BYTES_MAX => {
                    return Err(Error::Unexpected("the answer is too large".to_owned()));
                }
                Some(_) | None => {}
            }
        }
        Ok(answer)
    }
}

/// What the innermost cause means, without octocrab's backtraces. Causes name sockets and
/// addresses, never a header.
fn failure(kind: &str, error: &octocrab::Error) -> Error {
    let (cause, text) = innermost(error);
    if cause.is::<Foreign>() {
        // Some callers do without an answer; the operator shall know why.
        tracing::warn!(kind, "{text}");
        return Error::Unexpected(format!("{kind}: {text}"));
    }
    let next = super::advice::advice(&text).map(|next| format!("; {next}"));
    Error::Unavailable(format!("{kind}: {text}{}", next.unwrap_or_default()))
}

/// The innermost cause, without octocrab's backtraces, and its first line.
pub(super) fn innermost(error: &octocrab::Error) -> (&(dyn std::error::Error + 'static), String) {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    (cause, cause.to_string().lines().next().unwrap_or_default().to_owned())
}

/// A moment as headers write it.
pub(super) fn moment(text: &str) -> Option<Millis> {
    let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Millis(zoned.timestamp().as_millisecond()))
}
