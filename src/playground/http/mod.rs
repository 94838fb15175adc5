//! The World over HTTP: REST under GitHub's own paths, GraphQL, and git.

mod app;
mod checks;
mod commits;
mod conversation;
mod git;
mod graphql;
mod issues;
mod limit;
mod manifests;
mod pulls;
mod queue;
mod receive;
mod relay;
mod repos;
mod request;
mod stories;

use std::io;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request as HttpRequest, State as Shared};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

pub use request::{Content, Reply, Request};

use super::error::{ApiError, ApiResult, Failure};
use super::world::{Actor, World};
use request::{Ctx, decode, page, parse_query};

/// The largest REST request body, in bytes.
const BODY_MAX: usize = 10 * 1024 * 1024;
/// What an Enterprise Server of our age calls itself, for callers of `/api/v3`.
const ENTERPRISE_VERSION: &str = "3.19.0";
/// How long a call that is to time out is held open.
const HANG_MAX: Duration = Duration::from_mins(2);

/// What the HTTP face shares: the World, and when to let hanging calls go.
#[derive(Clone, Debug)]
pub struct Face {
    pub world: World,
    pub cancel: CancellationToken,
    /// What answers where neither git nor the API does.
    pub pages: Option<Router>,
}

/// A router that answers everything: git, the API, a relay, and `pages` on all other paths.
pub fn router(face: Face) -> Router {
    let relay = relay::router(face.cancel.clone());
    Router::new().fallback(serve).with_state(face).merge(relay)
}

const API: [&str; 11] = [
    "_logs",
    "api",
    "app",
    "app-manifests",
    "graphql",
    "installation",
    "meta",
    "rate_limit",
    "repos",
    "user",
    "users",
];

/// Whether a path belongs to the API; all others but git's are people's.
pub fn is_api(path: &str) -> bool {
    let first = path.split('/').find(|part| !part.is_empty()).unwrap_or_default();
    API.contains(&first)
}

async fn serve(Shared(face): Shared<Face>, request: HttpRequest) -> Response {
    if let Some(call) = git::recognise(request.uri().path()) {
        return git::serve(&face, call, request).await;
    }
    if let Some(pages) = face.pages.as_ref().filter(|_| !is_api(request.uri().path())) {
        return match pages.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_MAX).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "too large");
    };
    let text = |name: HeaderName| {
        let value = parts.headers.get(name).and_then(|value| value.to_str().ok());
        value.map(str::to_owned)
    };
    let request = Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        authorization: text(header::AUTHORIZATION),
        accept: text(header::ACCEPT),
        if_none_match: text(header::IF_NONE_MATCH),
        body: body.to_vec(),
    };
    let slot = match limit::enter(&face.world, &request) {
        Ok(slot) => slot,
        Err(error) => return face.fail(error).await,
    };
    let mut response = face.ask(request).await;
    put_headers(response.headers_mut(), &[("date".to_owned(), http_date(face.world.now_ms()))]);
    limit::keep(response, slot)
}

/// A moment as headers write it.
fn http_date(ms: i64) -> String {
    let moment = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

impl Face {
    async fn ask(&self, request: Request) -> Response {
        let world = self.world.clone();
        let answered = tokio::task::spawn_blocking(move || answer(&world, &request)).await;
        match answered {
            Ok(Ok(reply)) => respond(reply),
            Ok(Err(error)) => self.fail(error).await,
            Err(error) => {
                tracing::error!(%error, "a playground route panicked");
                plain(StatusCode::INTERNAL_SERVER_ERROR, "Server Error")
            }
        }
    }

    /// Gives a failure the form it is to have: an answer, silence, or a broken connection.
    async fn fail(&self, error: ApiError) -> Response {
        match error.failure {
            Failure::Answer => {
                let mut reply = Reply::status(error.status, error.to_json());
                reply.headers.clone_from(&error.headers);
                respond(reply)
            }
            Failure::Timeout => {
                let hang = tokio::time::sleep(HANG_MAX);
                tokio::select! {
                    () = hang => broken(),
                    () = self.cancel.cancelled() => broken(),
                }
            }
            Failure::Reset => broken(),
        }
    }
}

/// A response whose body breaks off, which closes the connection.
fn broken() -> Response {
    let error = io::Error::new(io::ErrorKind::ConnectionReset, "reset by the fault plan");
    let stream = futures_util::stream::iter([Err::<Bytes, io::Error>(error)]);
    Response::new(Body::from_stream(stream))
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}

fn respond(reply: Reply) -> Response {
    let (kind, bytes) = match reply.content {
        Content::Nothing => (None, Vec::new()),
        Content::Json(value) => {
            (Some("application/json; charset=utf-8"), value.to_string().into_bytes())
        }
        Content::List(_, entries) => {
            let bytes = Value::Array(entries).to_string().into_bytes();
            (Some("application/json; charset=utf-8"), bytes)
        }
        Content::Bytes(kind, bytes) => (Some(kind), bytes),
    };
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if let Some(kind) = kind {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    put_headers(headers, &reply.headers);
    response
}

fn put_headers(headers: &mut HeaderMap, list: &[(String, String)]) {
    for (name, value) in list {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
}

/// Answers a REST or GraphQL request; needs no HTTP around it.
pub fn answer(world: &World, request: &Request) -> ApiResult<Reply> {
    let actor = world.authenticate(request.authorization.as_deref())?;
    let trimmed = request.path.strip_prefix("/api/v3").unwrap_or(&request.path);
    let query = parse_query(&request.query);
    let parts: Vec<String> =
        trimmed.split('/').filter(|part| !part.is_empty()).map(decode).collect();
    let body = if request.body.is_empty() {
        Value::Null
    } else {
        let parsed = serde_json::from_slice(&request.body).ok();
        parsed.ok_or_else(|| ApiError::new(400, "Problems parsing JSON"))?
    };
    let ctx = Ctx {
        world,
        actor,
        method: &request.method,
        path: format!("/{}", parts.join("/")),
        query,
        body,
        accept: request.accept.clone().unwrap_or_default(),
    };
    // A ref such as `heads%2Fmain` comes as one part and means the same as two.
    let parts: Vec<&str> = match parts.first().map(String::as_str) {
        Some("repos") => ctx.path.split('/').filter(|part| !part.is_empty()).collect(),
        Some(_) | None => parts.iter().map(String::as_str).collect(),
    };
    let reply = dispatch(&ctx, &parts)?;
    let url = format!("{}{}", world.base_url(), request.path);
    let mut reply = tag(page(reply, &ctx.query, &url), request);
    if reply.status == 304 {
        world.unchanged(&ctx.actor, &ctx.path);
    }
    reply.headers.extend(rate_headers(world, &ctx.actor));
    if trimmed.len() < request.path.len() {
        let version = ("x-github-enterprise-version".to_owned(), ENTERPRISE_VERSION.to_owned());
        reply.headers.push(version);
    }
    Ok(reply)
}

fn dispatch(ctx: &Ctx<'_>, parts: &[&str]) -> ApiResult<Reply> {
    let found = match parts {
        ["graphql"] | ["api", "graphql"] if ctx.method == "POST" => {
            return graphql::answer(ctx);
        }
        ["_logs", secret] => return checks::log(ctx, secret),
        ["repos", owner, name, rest @ ..] => {
            let repo = format!("{owner}/{name}");
            app::route(ctx, parts)
                .or_else(|| stories::route(ctx, &repo, rest))
                .or_else(|| issues::route(ctx, &repo, rest))
                .or_else(|| pulls::route(ctx, &repo, rest))
                .or_else(|| checks::route(ctx, &repo, rest))
                .or_else(|| repos::route(ctx, &repo, rest))
        }
        _ => manifests::route(ctx, parts).or_else(|| app::route(ctx, parts)),
    };
    found.unwrap_or_else(|| {
        tracing::debug!(method = ctx.method, path = %ctx.path, "no such route in the playground");
        Err(ApiError::not_found())
    })
}

/// Adds an `ETag` to a read, and makes it 304 when the caller has it already.
fn tag(mut reply: Reply, request: &Request) -> Reply {
    let Content::Json(value) = &reply.content else {
        return reply;
    };
    if request.method != "GET" || reply.status != 200 {
        return reply;
    }
    let mut digest = hex::encode(Sha256::digest(value.to_string().as_bytes()));
    digest.truncate(32);
    let etag = format!("W/\"{digest}\"");
    let known = request.if_none_match.as_ref().is_some_and(|tags| tags.contains(&digest));
    reply.headers.push(("etag".to_owned(), etag));
    if known {
        reply.status = 304;
        reply.content = Content::Nothing;
    }
    reply
}

fn rate_headers(world: &World, actor: &Actor) -> Vec<(String, String)> {
    let (limit, used, reset) = world.with(|state| state.rate(actor));
    let pairs = [
        ("x-ratelimit-limit", limit.to_string()),
        ("x-ratelimit-used", used.to_string()),
        ("x-ratelimit-remaining", (limit - used).to_string()),
        ("x-ratelimit-reset", reset.to_string()),
        ("x-ratelimit-resource", "core".to_owned()),
        ("x-github-media-type", "github.v3; format=json".to_owned()),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}
