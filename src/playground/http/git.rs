//! Git over smart HTTP through `git http-backend`, with token authentication.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::process::{Command, Stdio};

use axum::body::{Body, Bytes};
use axum::extract::Request as HttpRequest;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::StreamExt;
use tokio::io::AsyncReadExt;

use super::receive::{commands, refusal, report};
use super::{Face, plain};
use crate::playground::error::{ApiError, ApiResult};
use crate::playground::process::{Backend, run_with_file};
use crate::playground::world::{Actor, Level, Op, State, World};

/// The largest request, which is a push with its pack, in bytes.
const REQUEST_MAX: u64 = 512 * 1024 * 1024;
/// The largest answer, which is a clone's pack, in bytes.
const ANSWER_MAX: u64 = 2 * 1024 * 1024 * 1024;
/// The largest head of a CGI answer, in bytes.
const HEAD_MAX: usize = 16 * 1024;
/// How much of a push is read to find its commands, in bytes.
const COMMANDS_BYTES_MAX: u64 = 256 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    Refs,
    Upload,
    Receive,
}

/// A git request: the repository and what is wanted of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GitCall {
    repo: String,
    service: Service,
}

/// Tells git's paths from all others.
pub(super) fn recognise(path: &str) -> Option<GitCall> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let (owner, name, service) = match parts.as_slice() {
        [owner, name, "info", "refs"] => (owner, name, Service::Refs),
        [owner, name, "git-upload-pack"] => (owner, name, Service::Upload),
        [owner, name, "git-receive-pack"] => (owner, name, Service::Receive),
        _ => return None,
    };
    let name = name.strip_suffix(".git").unwrap_or(name);
    Some(GitCall { repo: format!("{owner}/{name}"), service })
}

/// What is to be done after the gate.
enum Next {
    /// A whole CGI answer.
    Answer(Vec<u8>),
    /// A push refused in git's own words.
    Refused(Vec<u8>),
    /// A process whose answer is long.
    Stream(Command),
}

pub(super) async fn serve(face: &Face, call: GitCall, request: HttpRequest) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(input) = spool(body).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "too large");
    };
    let world = face.world.clone();
    let prepared = tokio::task::spawn_blocking(move || prepare(&world, &call, &parts, input));
    match prepared.await {
        Ok(Ok(Next::Answer(bytes))) => cgi_answer(&bytes),
        Ok(Ok(Next::Refused(bytes))) => {
            let mut response = Response::new(Body::from(bytes));
            let kind = HeaderValue::from_static("application/x-git-receive-pack-result");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        }
        Ok(Ok(Next::Stream(command))) => stream(command).await,
        Ok(Err(error)) if error.status == 401 => {
            let mut response = plain(StatusCode::UNAUTHORIZED, "Authentication required\n");
            let realm = HeaderValue::from_static("Basic realm=\"GitHub\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
            response
        }
        Ok(Err(error)) => face.fail(error).await,
        Err(error) => {
            tracing::error!(%error, "a git call panicked");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "Server Error")
        }
    }
}

/// Puts a request body into a file without a name.
async fn spool(body: Body) -> std::io::Result<File> {
    let mut file = tempfile::tempfile()?;
    let mut size = 0;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(std::io::Error::other)?;
        size += chunk.len() as u64;
        if size > REQUEST_MAX {
            return Err(std::io::Error::other("the request is too large"));
        }
        file.write_all(&chunk)?;
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

fn prepare(world: &World, call: &GitCall, parts: &Parts, mut input: File) -> ApiResult<Next> {
    let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let actor = world.authenticate(text("authorization"))?;
    let query = parts.uri.query().unwrap_or_default();
    let pushes = call.service == Service::Receive || query == "service=git-receive-pack";
    let need = ("contents", if pushes { Level::Write } else { Level::Read });
    let enter = |state: &mut State| {
        let entered = state.enter(&actor, &call.repo, &[need]);
        // An unknown caller is asked who it is before it is told that nothing is there.
        entered.map_err(|error| match actor {
            Actor::Anonymous => ApiError::new(401, "Requires authentication"),
            Actor::User(_) | Actor::App(_) | Actor::Bot { .. } => error,
        })
    };
    let backend = |state: &State, id: u64| -> ApiResult<Command> {
        let forge = state.forge(id)?;
        let dir = forge.git_dir().ok_or_else(ApiError::not_found)?;
        let path = match call.service {
            Service::Refs => "info/refs",
            Service::Upload => "git-upload-pack",
            Service::Receive => "git-receive-pack",
        };
        let backend = Backend {
            dir,
            path,
            method: parts.method.as_str(),
            query,
            content_type: text("content-type").unwrap_or_default(),
            content_encoding: text("content-encoding"),
            protocol: text("git-protocol"),
            user: &state.actor_name(&actor),
        };
        Ok(backend.command()?)
    };
    let path = parts.uri.path();
    match call.service {
        Service::Refs => world.call(&actor, Op::read("git/refs", path), |state| {
            let id = enter(state)?;
            Ok(Next::Answer(run_with_file(backend(state, id)?, input)?))
        }),
        Service::Upload => world.call(&actor, Op::read("git/fetch", path), |state| {
            let id = enter(state)?;
            let mut command = backend(state, id)?;
            command.stdin(Stdio::from(input));
            Ok(Next::Stream(command))
        }),
        Service::Receive => {
            let (wanted, banded) = push_commands(&mut input)?;
            let answered = world.call(&actor, Op::write("git/push", path), |state| {
                let id = enter(state)?;
                if let Some(why) = refusal(state, &actor, id, &wanted) {
                    return Err(ApiError::new(PUSH_REFUSED, why));
                }
                let answer = run_with_file(backend(state, id)?, input)?;
                let user = state.user_of(&actor)?;
                state.refresh_refs(id, &user)?;
                Ok(Next::Answer(answer))
            });
            match answered {
                Err(error) if error.status == PUSH_REFUSED && !wanted.is_empty() => {
                    Ok(Next::Refused(report(&wanted, &error.message, banded)))
                }
                other => other,
            }
        }
    }
}

/// The status of a push that git itself is to report as refused.
const PUSH_REFUSED: u16 = 422;

/// Reads the commands at the head of a push and rewinds it.
fn push_commands(input: &mut File) -> ApiResult<(Vec<super::receive::Command>, bool)> {
    let failed = |error: std::io::Error| ApiError::new(500, error.to_string());
    let mut head = Vec::new();
    Read::by_ref(input).take(COMMANDS_BYTES_MAX).read_to_end(&mut head).map_err(failed)?;
    input.seek(SeekFrom::Start(0)).map_err(failed)?;
    Ok(commands(&head))
}

/// Splits a CGI answer at the end of its head.
fn split_head(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, rest) = bytes.split_at_checked(at)?;
    Some((head, rest.get(4..).unwrap_or_default()))
}

fn with_head(head: &[u8], body: Body) -> Response {
    let mut response = Response::new(body);
    for line in String::from_utf8_lossy(head).lines() {
        let Some((name, value)) = line.split_once(": ") else { continue };
        if name.eq_ignore_ascii_case("status") {
            let code = value.split(' ').next().and_then(|code| code.parse::<u16>().ok());
            let code = code.and_then(|code| StatusCode::from_u16(code).ok());
            *response.status_mut() = code.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            continue;
        }
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn cgi_answer(bytes: &[u8]) -> Response {
    match split_head(bytes) {
        Some((head, body)) => with_head(head, Body::from(body.to_vec())),
        None => plain(StatusCode::INTERNAL_SERVER_ERROR, "git gave no answer"),
    }
}

async fn stream(command: Command) -> Response {
    let failed = || plain(StatusCode::INTERNAL_SERVER_ERROR, "git gave no answer");
    let mut command = tokio::process::Command::from(command);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let Ok(mut child) = command.spawn() else {
        return failed();
    };
    let Some(mut stdout) = child.stdout.take() else {
        return failed();
    };
    let mut start = Vec::new();
    while split_head(&start).is_none() {
        let mut chunk = [0; 8192];
        match stdout.read(&mut chunk).await {
            Ok(count) if count > 0 && start.len() < HEAD_MAX => {
                start.extend_from_slice(chunk.get(..count).unwrap_or_default());
            }
            Ok(_) | Err(_) => return failed(),
        }
    }
    let Some((head, first)) = split_head(&start) else {
        return failed();
    };
    let first = Bytes::copy_from_slice(first);
    let rest = (child, stdout, 0_u64);
    let rest = futures_util::stream::unfold(rest, |(child, mut stdout, sent)| async move {
        let mut chunk = vec![0; 64 * 1024];
        let read = stdout.read(&mut chunk).await;
        let count = read.as_ref().copied().unwrap_or_default();
        if sent + count as u64 > ANSWER_MAX {
            let error = std::io::Error::other("the answer is too large");
            return Some((Err(error), (child, stdout, sent)));
        }
        chunk.truncate(count);
        match read {
            Ok(0) => None,
            Ok(_) => Some((Ok(Bytes::from(chunk)), (child, stdout, sent + count as u64))),
            Err(error) => Some((Err(error), (child, stdout, sent))),
        }
    });
    let body = futures_util::stream::iter([Ok(first)]).chain(rest);
    with_head(head, Body::from_stream(body))
}
