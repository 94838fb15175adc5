//! The side of the program: connections, requests within their limits, and what is refused.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::http::{Request, Response, StatusCode};
use futures_util::StreamExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::super::judge::{self, Head};
use super::super::wire::Asks;
use super::Desk;
use super::call::{Asked, Job};
use super::upstream;
use crate::gateway::Refusal;

/// After a failure to accept: usually no file descriptor is left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// The smallest limit for heads that hyper takes, in bytes.
const HEAD_BYTES_LEAST: usize = 8 * 1024;
/// How much of a body that is too long is still taken in, as a multiple of what it may be: whoever
/// is refused in the middle of his sentence does not hear why.
const EXCESS_MAX: usize = 4;

pub(super) async fn accept(listener: UnixListener, desk: Arc<Desk>) {
    loop {
        let accepted = tokio::select! {
            () = desk.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _nobody)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let Ok(seat) = Arc::clone(&desk.seats).try_acquire_owned() else {
            // Not waited for, and nothing read: the connection ends.
            desk.tally().refuse(&Refusal::TooMany);
            continue;
        };
        let (own, tasks) = (Arc::clone(&desk), desk.tasks.clone());
        tasks.spawn(async move {
            let stop = own.stop.clone();
            tokio::select! {
                () = stop.cancelled() => {}
                () = talk(own, stream) => {}
            }
            drop(seat);
        });
    }
}

/// One connection with all its requests.
async fn talk(desk: Arc<Desk>, stream: UnixStream) {
    let caps = desk.order.caps;
    let service = service_fn(move |request| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, Infallible>(answer(&desk, request).await) }
    });
    let talked = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(caps.idle_max)
        .max_buf_size(caps.head_bytes_max.max(HEAD_BYTES_LEAST))
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = talked {
        tracing::debug!(%error, "a connection to the gateway ended");
    }
}

async fn answer(desk: &Arc<Desk>, request: Request<Incoming>) -> Response<Body> {
    desk.tally().requests += 1;
    desk.moved();
    match pass(desk, request).await {
        Ok(response) => response,
        Err(why) => {
            tracing::debug!(line = desk.order.name, why = why.words(), "not passed on");
            desk.tally().refuse(&why);
            refused(desk, &why)
        }
    }
}

fn refused(desk: &Desk, why: &Refusal) -> Response<Body> {
    let body = why.body(desk.order.provider.wire).to_string();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(why.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    if *why == Refusal::TooMany {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    } else {
        // Some programs would ask for the same again, ten times.
        response.headers_mut().insert("x-should-retry", HeaderValue::from_static("false"));
    }
    response
}

async fn pass(desk: &Arc<Desk>, request: Request<Incoming>) -> Result<Response<Body>, Refusal> {
    let (parts, incoming) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default();
    let (order, defences) = (&desk.order, desk.relay.defences);
    let head = Head {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query,
        shown: upstream::shown(order.provider.wire, &parts.headers, query),
    };
    let door = judge::door(order, &desk.token, head, defences);
    // Read in any case, so that whoever is refused can hear it.
    let body = read(desk, incoming).await;
    let (route, body) = (door?, body?);
    desk.admit()?;
    let ask = match route.asks {
        Asks::Model | Asks::About => Some(judge::body(order, &route, &body, defences)?),
        Asks::List => None,
    };
    let calls = Arc::clone(&desk.calls);
    let seat = calls.try_acquire_owned().map_err(|_full| Refusal::TooMany)?;
    let headers = upstream::out(&parts.headers);
    let job = Job { desk: Arc::clone(desk), asked: Asked { route, ask, headers }, seat };
    let (tell, told) = oneshot::channel();
    desk.tasks.spawn(job.run(tell));
    // It says nothing when the line was closed, or its time was over.
    let ended = |_| if desk.stop.is_cancelled() { Refusal::Closed } else { Refusal::Silent };
    told.await.unwrap_or_else(|nothing| Err(ended(nothing)))
}

/// The body within its limits of size and time.
async fn read(desk: &Desk, incoming: Incoming) -> Result<Vec<u8>, Refusal> {
    let max = desk.order.caps.request_bytes_max;
    let reading = async {
        let mut body: Vec<u8> = Vec::new();
        let mut length = 0_usize;
        let mut parts = Body::new(incoming).into_data_stream();
        while let Some(part) = parts.next().await {
            let broken = Refusal::Malformed("its body broke off");
            let part: Bytes = part.map_err(|_broken| broken)?;
            length = length.saturating_add(part.len());
            if length <= max {
                body.extend_from_slice(&part);
            } else if length > max.saturating_mul(EXCESS_MAX) {
                break;
            }
        }
        if length > max { Err(Refusal::TooLong(max)) } else { Ok(body) }
    };
    timeout(desk.order.caps.body_max, reading).await.unwrap_or(Err(Refusal::TooSlow))
}
