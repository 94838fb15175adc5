//! A model that does what a script says, at an address of its own: five wires, streamed or not,
//! tools, and everything that goes wrong with providers.
//!
//! Which turn of the script comes is told by the request alone: as many as there are answers of
//! tools in it. So a request that is repeated, or one that a program makes beside its task, does
//! not upset the order.

mod http;
mod script;
#[cfg(test)]
mod tests;
mod voice;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

pub(crate) use http::Request;
pub(crate) use script::{Fault, Script, Tool, Turn};
pub(crate) use voice::Wire;

/// A model that listens until it is dropped.
pub(crate) struct Model {
    address: SocketAddr,
    desk: Arc<Desk>,
    _stop: DropGuard,
}

struct Desk {
    script: Script,
    heard: Mutex<Vec<Request>>,
    calls: AtomicUsize,
    gone: AtomicUsize,
}

impl Model {
    /// Listens on a free port of loopback.
    pub(crate) async fn start(script: Script) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let desk = Arc::new(Desk {
            script,
            heard: Mutex::default(),
            calls: AtomicUsize::new(0),
            gone: AtomicUsize::new(0),
        });
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        tasks.clone().spawn(accept(listener, Arc::clone(&desk), (stop.clone(), tasks)));
        Ok(Self { address, desk, _stop: stop.drop_guard() })
    }

    /// Its address with `path` behind it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Every request, in the order they came.
    pub(crate) fn heard(&self) -> Vec<Request> {
        self.desk.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers that were broken off by whoever asked.
    pub(crate) fn gone(&self) -> usize {
        self.desk.gone.load(Ordering::SeqCst)
    }
}

async fn accept(
    listener: TcpListener,
    desk: Arc<Desk>,
    (stop, tasks): (CancellationToken, TaskTracker),
) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else { continue };
        let (desk, stop) = (Arc::clone(&desk), stop.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = talk(&desk, stream) => {}
            }
        });
    }
}

async fn talk(desk: &Desk, mut stream: TcpStream) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let mut unread = Vec::new();
    while let Ok(Some(request)) = http::read(&mut stream, &mut unread).await {
        let call = desk.hear(&request);
        match answer(desk, &mut stream, (&request, call)).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(_gone) => {
                desk.gone.fetch_add(1, Ordering::SeqCst);
                return;
            }
        }
    }
}

impl Desk {
    /// Which call of the model it is, where it is one.
    fn hear(&self, request: &Request) -> Option<usize> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let calls = request.method == "POST" && Wire::of(&request.path).is_some();
        calls.then(|| self.calls.fetch_add(1, Ordering::SeqCst))
    }
}

/// Whether the connection goes on; an error is that the other side has gone.
async fn answer(
    desk: &Desk,
    stream: &mut TcpStream,
    (request, call): (&Request, Option<usize>),
) -> io::Result<bool> {
    let Some((call, wire)) = call.zip(Wire::of(&request.path)) else {
        let (status, body) = aside(&request.path);
        stream.write_all(&http::whole(status, &[], body.as_bytes())).await?;
        return Ok(true);
    };
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let spoken = voice::speak(wire, (&request.path, &body), &desk.script);
    let fault = desk.script.fault(call);
    match fault {
        Fault::None | Fault::Cut | Fault::Close | Fault::Stall | Fault::Error(_) => {
            pieces(stream, (wire, &spoken), (fault, desk.script.pause)).await
        }
        Fault::Status(status, retry_after, words) => {
            let headers: &[(&str, &str)] = match retry_after {
                Some(after) => &[("Retry-After", after)],
                None => &[],
            };
            let body = voice::error(wire, *status, words);
            stream.write_all(&http::whole(*status, headers, body.as_bytes())).await?;
            Ok(true)
        }
        Fault::Redirect(to) => {
            stream.write_all(&http::whole(307, &[("Location", to)], b"")).await?;
            Ok(true)
        }
        Fault::Echo(status) => {
            let body = request.headers.join("\n");
            stream.write_all(&http::whole(*status, &[("X-Request-Id", &body)], b"")).await?;
            Ok(true)
        }
        Fault::EchoBody(status) => {
            let body = request.headers.join("\n");
            stream.write_all(&http::whole(*status, &[], body.as_bytes())).await?;
            Ok(true)
        }
        Fault::Huge(bytes) => {
            stream.write_all(http::head(200, "application/json").as_bytes()).await?;
            let block = vec![b' '; 64 * 1024];
            for _block in 0..bytes.div_ceil(block.len()) {
                stream.write_all(&http::chunk(&block)).await?;
            }
            stream.write_all(http::LAST).await?;
            Ok(true)
        }
        Fault::WrongLength => {
            let mut whole = http::whole(200, &[], spoken.whole.as_bytes());
            whole.truncate(whole.len() - spoken.whole.len() / 2);
            stream.write_all(&whole).await?;
            Ok(false)
        }
        Fault::Silent => until_gone(stream).await,
    }
}

/// Answers to what is no call of a model.
fn aside(path: &str) -> (u16, String) {
    let path = path.split('?').next().unwrap_or_default();
    match path {
        _ if path.ends_with("/count_tokens") => (200, r#"{"input_tokens":7}"#.to_owned()),
        _ if path.ends_with("/models") => (200, r#"{"data":[],"models":[]}"#.to_owned()),
        "/api/tags" => (200, r#"{"models":[]}"#.to_owned()),
        "/api/version" => (200, r#"{"version":"0.0.0"}"#.to_owned()),
        _other => (404, "{}".to_owned()),
    }
}

async fn pieces(
    stream: &mut TcpStream,
    (wire, spoken): (Wire, &voice::Spoken),
    (fault, pause): (&Fault, Duration),
) -> io::Result<bool> {
    let Some(pieces) = &spoken.pieces else {
        stream.write_all(&http::whole(200, &[], spoken.whole.as_bytes())).await?;
        return Ok(true);
    };
    stream.write_all(http::head(200, spoken.kind).as_bytes()).await?;
    let half = pieces.len() / 2;
    for (at, piece) in pieces.iter().enumerate() {
        if !pause.is_zero() && at > 0 {
            tokio::time::sleep(pause).await;
        }
        let broken = at == half;
        if matches!(fault, Fault::Cut) {
            for byte in piece.as_bytes() {
                stream.write_all(&http::chunk(&[*byte])).await?;
            }
        } else if let (Fault::Error(kind), true) = (fault, broken) {
            let error = voice::fault(wire, kind);
            stream.write_all(&http::chunk(error.as_bytes())).await?;
            break;
        } else if matches!(fault, Fault::Close) && broken {
            let part = piece.as_bytes().get(..piece.len() / 2).unwrap_or_default();
            stream.write_all(&http::chunk(part)).await?;
            return Ok(false);
        } else if matches!(fault, Fault::Stall) && broken {
            return until_gone(stream).await;
        } else {
            stream.write_all(&http::chunk(piece.as_bytes())).await?;
        }
    }
    stream.write_all(http::LAST).await?;
    Ok(true)
}

/// Says nothing until the other side has gone.
async fn until_gone(stream: &mut TcpStream) -> io::Result<bool> {
    let mut byte = [0];
    match stream.read(&mut byte).await {
        Ok(0) | Err(_) => Err(io::ErrorKind::BrokenPipe.into()),
        Ok(_more) => Ok(false),
    }
}
