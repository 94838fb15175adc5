//! What carries octocrab's requests: a client that repeats nothing, waits only so long, and
//! reaches only the hosts it may.
//!
//! Octocrab's own client signs every request with its own name, takes no proxy and cannot be
//! built on a machine without certificates, not even to reach a playground on loopback.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::uri::PathAndQuery;
use axum::http::{Method, Request, Response, header};
use octocrab::{AuthState, OctoBody, Octocrab, OctocrabBuilder};
use reqwest::{Certificate, Client, ClientBuilder};
use url::Url;

use super::Config;
use super::hosts::{Foreign, Hosts};
use super::keys::Lapse;
use crate::github::Error;

/// How we introduce ourselves.
const USER_AGENT: &str = concat!("slipway/", env!("CARGO_PKG_VERSION"));
/// Largest body sent, in bytes; GitHub's own limits lie far below.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Addresses followed from one answer: a job's log, a repository that was renamed.
const REDIRECTS_MAX: usize = 5;
/// Idle connections are closed before GitHub closes them.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// Longest silence before or in the middle of an answer; GitHub itself gives up after ten
/// seconds.
const SILENCE_MAX: Duration = Duration::from_secs(20);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A client and where it may go.
#[derive(Debug)]
struct Link {
    client: Client,
    api_url: String,
    base: Url,
    hosts: Hosts,
    lapse: Lapse,
}

/// Octocrab over our client, with paths relative to the configured address.
pub(super) fn octocrab(config: &Config) -> Result<Octocrab, Error> {
    let base = Url::parse(&config.api_url)
        .map_err(|error| Error::Unexpected(format!("the address of the interface: {error}")))?;
    let hosts = Hosts::of(config);
    let client = client(config, &base, hosts.clone())?;
    let link = Arc::new(Link {
        client,
        api_url: config.api_url.clone(),
        base,
        hosts,
        lapse: config.lapse,
    });
    let service = tower::service_fn(move |request| send(Arc::clone(&link), request));
    let built =
        OctocrabBuilder::new_empty().with_service(service).with_auth(AuthState::None).build();
    match built {
        Ok(crab) => Ok(crab),
        Err(never) => match never {},
    }
}

fn client(config: &Config, base: &Url, hosts: Hosts) -> Result<Client, Error> {
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(config.connect_timeout)
        .read_timeout(SILENCE_MAX.min(config.timeout))
        .timeout(config.timeout)
        .pool_idle_timeout(IDLE_MAX)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .dns_resolver(hosts);
    let host = base.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let loopback = host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    if loopback || host == "localhost" {
        builder = builder.no_proxy();
    }
    builder = trusting(builder, config, base)?;
    builder.build().map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        let hint = "is the package ca-certificates installed?";
        Error::Unexpected(format!("no client for https: {}; {hint}", cause.unwrap_or_default()))
    })
}

fn trusting(builder: ClientBuilder, config: &Config, base: &Url) -> Result<ClientBuilder, Error> {
    let mut roots = Vec::new();
    for pem in &config.extra_roots {
        let read = Certificate::from_pem_bundle(pem.as_bytes()).map_err(|error| error.to_string());
        let found = read.and_then(|found| {
            if found.is_empty() { Err("it holds none".to_owned()) } else { Ok(found) }
        });
        roots.extend(found.map_err(|why| {
            Error::Unexpected(format!("the certificates to trust (`ca_file`): {why}"))
        })?);
    }
    if base.scheme() == "http" {
        // Nothing is encrypted, so the system's certificates are not needed.
        return Ok(builder.tls_certs_only(roots));
    }
    Ok(if roots.is_empty() { builder } else { builder.tls_certs_merge(roots) })
}

/// Sends and follows where the answer leads, as far as that is allowed.
async fn send(
    link: Arc<Link>,
    request: Request<OctoBody>,
) -> Result<Response<reqwest::Body>, BoxError> {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let mut url = Url::parse(&super::path::address(&link.api_url, path))?;
    let bytes: Bytes = to_bytes(Body::new(body), BODY_BYTES_MAX).await?;
    for _step in 0..=REDIRECTS_MAX {
        let mut request = reqwest::Request::new(parts.method.clone(), url.clone());
        request.headers_mut().clone_from(&parts.headers);
        if !bytes.is_empty() {
            *request.body_mut() = Some(bytes.clone().into());
        }
        let response = link.client.execute(request).await?;
        let leads = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
        let status = response.status().as_u16();
        let Some(next) = leads.and_then(|to| follow(&link, &parts.method, (status, &url), to))
        else {
            return Ok(response.into());
        };
        url = next?;
        if url.origin() != link.base.origin() && link.lapse != Lapse::Elsewhere {
            // Our credentials are for GitHub alone.
            parts.headers.remove(header::AUTHORIZATION);
            parts.headers.remove(header::IF_NONE_MATCH);
        }
    }
    Err("too many redirects".into())
}

/// Where an answer with `status` at `from` leads; `None` when it is an answer by itself. A write
/// goes on only unchanged and only on GitHub itself.
fn follow(
    link: &Link,
    method: &Method,
    (status, from): (u16, &Url),
    to: &str,
) -> Option<Result<Url, Foreign>> {
    let next = from.join(to).ok()?;
    let goes = match status {
        307 | 308 => *method == Method::GET || next.origin() == link.base.origin(),
        301..=303 => *method == Method::GET,
        _other => false,
    };
    goes.then(|| link.hosts.check(&link.base, &next).map(|()| next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_not_turned_into_reads_nor_carried_elsewhere() {
        let mut config = Config::new("http://127.0.0.1:1/api/v3", 1, "");
        config.hosts = vec!["store.example.com".to_owned()];
        let base = Url::parse(&config.api_url).unwrap();
        let hosts = Hosts::of(&config);
        let client = client(&config, &base, hosts.clone()).unwrap();
        let link =
            Link { client, api_url: config.api_url, base: base.clone(), hosts, lapse: Lapse::None };
        let here = "http://127.0.0.1:1/x";
        let there = "https://store.example.com/x";
        for (method, status, to, goes) in [
            (Method::GET, 301, here, true),
            (Method::GET, 302, there, true),
            (Method::GET, 307, "/relative", true),
            (Method::GET, 304, here, false),
            (Method::GET, 200, here, false),
            (Method::POST, 301, here, false),
            (Method::PATCH, 303, here, false),
            (Method::POST, 307, here, true),
            (Method::PUT, 308, here, true),
            (Method::PUT, 307, there, false),
            (Method::PUT, 307, "http://127.0.0.1:2/x", false),
        ] {
            let next = follow(&link, &method, (status, &base), to);
            assert_eq!(next.is_some(), goes, "{method} {status} {to}");
        }
        let foreign = follow(&link, &Method::GET, (302, &base), "https://evil.example/").unwrap();
        assert_eq!(foreign, Err(Foreign::Host("evil.example".to_owned())));
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        for text in ["", "not a certificate"] {
            let mut config = Config::new("https://ghe.example.com/api/v3", 1, "");
            config.extra_roots = vec![text.to_owned()];
            let error = octocrab(&config).err().unwrap();
            assert!(error.to_string().contains("`ca_file`"), "{error}");
        }
    }
}
