//! The playground as an Enterprise Server: over HTTPS, below `/api/v3` and `/api/graphql` only.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header, request::Parts};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use slipway::playground::http::{self, Face};
use slipway::playground::world::World;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// Largest body that is looked at, in bytes.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long a caller may take to agree on a secret.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Where the playground keeps logs; its own address, behind a redirect.
const LOGS: &str = "/_logs/";

/// One request and its answer, whole.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) method: String,
    pub(crate) path_and_query: String,
    pub(crate) request: Bytes,
    pub(crate) status: u16,
    pub(crate) response: Bytes,
}

/// What was seen of everybody who called.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// Requests that were answered, and those that are being answered.
    pub(crate) answered: u64,
    pub(crate) open: u64,
    /// Callers that did not agree on a secret: they do not believe the certificate.
    pub(crate) turned_away: u64,
    /// What is wrong with a request or an answer.
    pub(crate) findings: Vec<String>,
}

impl Log {
    /// Requests that are being answered, and those that were.
    pub(crate) fn traffic(&self) -> (u64, u64) {
        (self.open, self.answered)
    }
}

/// The server at work; it ends with this value.
pub(crate) struct Served {
    /// Such as `https://127.0.0.1:4711`.
    pub(crate) url: String,
    log: Arc<Mutex<Log>>,
    _stop: DropGuard,
}

impl Served {
    /// Serves a World on a free loopback port. Needs a running tokio runtime.
    pub(crate) fn start(world: &World, tls: Arc<ServerConfig>) -> Self {
        let tcp = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        tcp.set_nonblocking(true).expect("a socket");
        let tcp = TcpListener::from_std(tcp).expect("a runtime");
        let url = format!("https://{}", tcp.local_addr().expect("an address"));
        world.set_base_url(&url);
        let log = Arc::new(Mutex::new(Log::default()));
        let stop = CancellationToken::new();
        // A call that is to hang is cut off at once: its caller must not wait in real time.
        let impatient = CancellationToken::new();
        impatient.cancel();
        let face = Face { world: world.clone(), cancel: impatient, pages: None };
        let router = watched(http::router(face), Arc::clone(&log));
        let listener = Secure { tcp, tls: TlsAcceptor::from(tls), log: Arc::clone(&log) };
        let stopped = stop.clone().cancelled_owned();
        TaskTracker::new().spawn(async move {
            tokio::select! {
                served = axum::serve(listener, router) => served.expect("it serves"),
                () = stopped => {}
            }
        });
        Self { url, log, _stop: stop.drop_guard() }
    }

    pub(crate) fn api_url(&self) -> String {
        format!("{}/api/v3", self.url)
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// TLS over TCP.
struct Secure {
    tcp: TcpListener,
    tls: TlsAcceptor,
    log: Arc<Mutex<Log>>,
}

impl Listener for Secure {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, from)) = self.tcp.accept().await else {
                tokio::task::yield_now().await;
                continue;
            };
            stream.set_nodelay(true).ok();
            let agreed = tokio::time::timeout(HANDSHAKE_MAX, self.tls.accept(stream)).await;
            match agreed {
                Ok(Ok(stream)) => return (stream, from),
                Ok(Err(_)) | Err(_) => {
                    self.log.lock().unwrap_or_else(PoisonError::into_inner).turned_away += 1;
                }
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

/// Lets every exchange be looked at. Git's is passed on as it is: it may be large, and it is
/// no part of the interface.
fn watched(router: Router, log: Arc<Mutex<Log>>) -> Router {
    router.layer(from_fn_with_state(log, watch))
}

async fn watch(State(log): State<Arc<Mutex<Log>>>, request: Request, next: Next) -> Response {
    let note = |change: &dyn Fn(&mut Log)| {
        change(&mut log.lock().unwrap_or_else(PoisonError::into_inner));
    };
    note(&|log| log.open += 1);
    let (answer, findings) = exchange(request, next).await;
    note(&|log| {
        log.open -= 1;
        log.answered += 1;
        log.findings.extend(findings.iter().cloned());
    });
    answer
}

async fn exchange(request: Request, next: Next) -> (Response, Vec<String>) {
    let path = request.uri().path().to_owned();
    if path.starts_with(LOGS) || path.contains(".git/") {
        return (next.run(request).await, Vec::new());
    }
    if !path.starts_with("/api/v3/") && path != "/api/graphql" {
        let finding = format!("{} {path}: an Enterprise Server has no such path", request.method());
        return (StatusCode::NOT_FOUND.into_response(), vec![finding]);
    }
    let (head, body) = request.into_parts();
    let asked = to_bytes(body, BODY_BYTES_MAX).await.expect("a request");
    let mut findings = manners(&head);
    let seen = (head.method.to_string(), head.uri.to_string());
    let response = next.run(Request::from_parts(head, Body::from(asked.clone()))).await;
    let (head, body) = response.into_parts();
    let told = match to_bytes(body, BODY_BYTES_MAX).await {
        Ok(told) => told,
        // A connection that breaks stays broken.
        Err(error) => {
            let broken = futures_util::stream::iter([Err::<Bytes, _>(error)]);
            return (Response::from_parts(head, Body::from_stream(broken)), findings);
        }
    };
    let exchange = Exchange {
        method: seen.0,
        path_and_query: seen.1,
        request: asked,
        status: head.status.as_u16(),
        response: told.clone(),
    };
    findings.extend(judge(&exchange));
    let described = crate::openapi::judge(
        &exchange.method,
        &exchange.path_and_query,
        &exchange.request,
        exchange.status,
        &exchange.response,
    );
    let unlisted = described.into_iter().filter(|one| crate::openapi::gap(one).is_none());
    findings.extend(unlisted);
    (Response::from_parts(head, Body::from(told)), findings)
}

/// What every request of ours must carry.
fn manners(head: &Parts) -> Vec<String> {
    let has = |name: header::HeaderName, wanted: &str| {
        let found = head.headers.get(&name).and_then(|value| value.to_str().ok());
        let good = found.is_some_and(|found| found.starts_with(wanted));
        let said = || format!("{} {}: {name} is {found:?}", head.method, head.uri);
        (!good).then(said)
    };
    let wanted = [
        (header::ACCEPT, "application/vnd.github"),
        (header::AUTHORIZATION, "Bearer "),
        (header::USER_AGENT, "slipway/"),
    ];
    wanted.into_iter().filter_map(|(name, wanted)| has(name, wanted)).collect()
}

/// What is wrong with an exchange, in words; every exchange with the interface comes here.
fn judge(exchange: &Exchange) -> Vec<String> {
    let place = || format!("{} {}", exchange.method, exchange.path_and_query);
    let is_json = |bytes: &Bytes| serde_json::from_slice::<serde_json::Value>(bytes).is_ok();
    let mut findings = Vec::new();
    if !exchange.request.is_empty() && !is_json(&exchange.request) {
        findings.push(format!("{}: the request is no JSON", place()));
    }
    let (status, answer) = (exchange.status, &exchange.response);
    let empty = matches!(status, 204 | 205 | 302 | 304);
    if (status < 400 && empty != answer.is_empty()) || (!answer.is_empty() && !is_json(answer)) {
        findings.push(format!("{}: {status} with {} bytes", place(), answer.len()));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(request: &'static str, status: u16, response: &'static str) -> usize {
        let exchange = Exchange {
            method: "POST".to_owned(),
            path_and_query: "/api/v3/repos/mara/greet/issues?page=1".to_owned(),
            request: Bytes::from_static(request.as_bytes()),
            status,
            response: Bytes::from_static(response.as_bytes()),
        };
        let findings = judge(&exchange);
        assert!(findings.iter().all(|one| one.starts_with("POST /api/v3/")), "{findings:?}");
        findings.len()
    }

    #[test]
    fn what_is_no_json_or_comes_with_the_wrong_body_is_found() {
        assert_eq!(judged("{}", 201, "{}"), 0);
        assert_eq!(judged("", 204, ""), 0);
        assert_eq!(judged("", 304, ""), 0);
        assert_eq!(judged("", 404, ""), 0);
        assert_eq!(judged("title=x", 201, "{}"), 1);
        assert_eq!(judged("", 200, ""), 1);
        assert_eq!(judged("", 204, "{}"), 1);
        assert_eq!(judged("{", 502, "<html>"), 2);
    }

    #[test]
    fn a_request_without_manners_is_found() {
        let request = Request::get("/api/v3/app").header("accept", "*/*").body(()).unwrap();
        let findings = manners(&request.into_parts().0);
        assert_eq!(findings.len(), 3, "{findings:?}");
        let request = Request::get("/api/v3/app")
            .header("accept", "application/vnd.github+json")
            .header("authorization", "Bearer x")
            .header("user-agent", "slipway/0");
        assert!(manners(&request.body(()).unwrap().into_parts().0).is_empty());
    }
}
