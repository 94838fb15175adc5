//! What carries octocrab's requests: a client that repeats nothing and waits only so long.
//!
//! Octocrab's own client signs every request with its own name, takes no proxy and cannot be
//! built on a machine without certificates, not even to reach a playground on loopback.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, Uri};
use octocrab::{AuthState, OctoBody, Octocrab, OctocrabBuilder};
use reqwest::Client;

use super::Config;
use crate::github::Error;

/// How we introduce ourselves.
const USER_AGENT: &str = concat!("slipway/", env!("CARGO_PKG_VERSION"));
/// Largest body sent, in bytes; GitHub's own limits lie far below.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Addresses followed from one answer: a job's log, a repository that was renamed.
const REDIRECTS_MAX: usize = 5;
/// Idle connections are closed before GitHub closes them.
const IDLE_MAX: Duration = Duration::from_secs(30);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Octocrab over our client, with paths relative to the configured address.
pub(super) fn octocrab(config: &Config) -> Result<Octocrab, Error> {
    let base: Uri = config
        .api_url
        .parse()
        .map_err(|error| Error::Unexpected(format!("the address of the interface: {error}")))?;
    let client = client(config, &base)?;
    let api_url: Arc<str> = config.api_url.as_str().into();
    let service =
        tower::service_fn(move |request| send(client.clone(), Arc::clone(&api_url), request));
    let built =
        OctocrabBuilder::new_empty().with_service(service).with_auth(AuthState::None).build();
    match built {
        Ok(crab) => Ok(crab),
        Err(never) => match never {},
    }
}

fn client(config: &Config, base: &Uri) -> Result<Client, Error> {
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(config.connect_timeout)
        .timeout(config.timeout)
        .pool_idle_timeout(IDLE_MAX)
        .redirect(reqwest::redirect::Policy::limited(REDIRECTS_MAX))
        .retry(reqwest::retry::never());
    let host = base.host().unwrap_or_default().trim_matches(['[', ']']);
    let loopback = host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    if loopback || host == "localhost" {
        builder = builder.no_proxy();
    }
    if base.scheme_str() == Some("http") {
        // Nothing is encrypted, so no certificates are needed; a redirect to https fails.
        builder = builder.tls_certs_only(std::iter::empty());
    }
    builder.build().map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        let hint = "is the package ca-certificates installed?";
        Error::Unexpected(format!("no client for https: {}; {hint}", cause.unwrap_or_default()))
    })
}

async fn send(
    client: Client,
    api_url: Arc<str>,
    request: Request<OctoBody>,
) -> Result<Response<reqwest::Body>, BoxError> {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = super::path::address(&api_url, path).parse()?;
    let bytes = to_bytes(Body::new(body), BODY_BYTES_MAX).await?;
    let request = reqwest::Request::try_from(Request::from_parts(parts, bytes))?;
    Ok(client.execute(request).await?.into())
}
