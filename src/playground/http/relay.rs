//! A relay of the smee kind: what is posted to a channel is streamed to whoever listens there.
//!
//! Like smee it reads bodies and writes them anew. A channel whose name begins with `garbled`
//! writes them in another way than GitHub does, so that signatures fit no more.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::Value;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_util::sync::CancellationToken;

/// Largest body passed on, in bytes.
const BODY_MAX: usize = 25 * 1024 * 1024;
/// Channels kept, and messages waiting for a slow listener.
const CHANNELS_MAX: usize = 100;
const WAITING_MAX: usize = 1_000;
/// Between two signs of life.
const PING: Duration = Duration::from_secs(5);

type Channel = broadcast::Sender<String>;

struct Relay {
    channels: Mutex<BTreeMap<String, Channel>>,
    cancel: CancellationToken,
}

/// The relay's two routes.
pub(super) fn router(cancel: CancellationToken) -> Router {
    let relay = Arc::new(Relay { channels: Mutex::default(), cancel });
    Router::new().route("/relay/{channel}", get(listen).post(pass)).with_state(relay)
}

impl Relay {
    fn channel(&self, name: &str) -> Option<Channel> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if !channels.contains_key(name) && channels.len() >= CHANNELS_MAX {
            return None;
        }
        let channel = channels.entry(name.to_owned());
        Some(channel.or_insert_with(|| broadcast::channel(WAITING_MAX).0).clone())
    }
}

async fn listen(State(relay): State<Arc<Relay>>, Path(name): Path<String>) -> Response {
    let Some(channel) = relay.channel(&name) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let begin = Some("event: ready\ndata: {}\n\n".to_owned());
    let stream = futures_util::stream::unfold(
        (channel.subscribe(), relay.cancel.clone(), begin),
        |(mut news, cancel, begin)| async move {
            let text = match begin {
                Some(begin) => begin,
                None => next(&mut news, &cancel).await?,
            };
            Some((Ok::<_, Infallible>(Bytes::from(text)), (news, cancel, None)))
        },
    );
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(stream)).into_response()
}

async fn next(
    news: &mut broadcast::Receiver<String>,
    cancel: &CancellationToken,
) -> Option<String> {
    loop {
        let heard = tokio::select! {
            () = cancel.cancelled() => return None,
            heard = news.recv() => heard,
            () = tokio::time::sleep(PING) => return Some("event: ping\ndata: {}\n\n".to_owned()),
        };
        match heard {
            Ok(data) => return Some(format!("data: {data}\n\n")),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return None,
        }
    }
}

async fn pass(
    State(relay): State<Arc<Relay>>,
    Path(name): Path<String>,
    request: Request,
) -> StatusCode {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE;
    };
    let Some(channel) = relay.channel(&name) else { return StatusCode::SERVICE_UNAVAILABLE };
    let data = data(&parts.headers, &body, name.starts_with("garbled"));
    // Nobody listens: the relay keeps nothing.
    let _unheard = channel.send(data).is_err();
    StatusCode::OK
}

/// Headers and body as one line of JSON.
fn data(headers: &HeaderMap, body: &[u8], garbled: bool) -> String {
    let mut fields = serde_json::Map::new();
    for (name, value) in headers {
        fields.insert(name.as_str().to_owned(), value.to_str().unwrap_or_default().into());
    }
    let text = String::from_utf8_lossy(body);
    let read = serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text.into_owned()));
    fields.insert("body".to_owned(), read);
    let line = Value::Object(fields).to_string();
    // A slash may be escaped in JSON, and stands in texts only.
    if garbled { line.replace('/', "\\/") } else { line }
}
