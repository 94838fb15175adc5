//! The clients that reach providers: they follow nothing, repeat nothing, and leave this machine
//! only by the operator's proxy, if there is one.

use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder};
use url::{Host, Url};

use super::super::Error;

/// Until a provider has taken a connection.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// Idle connections are closed before providers close them.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// One client for this machine, one for all others.
#[derive(Debug, Clone)]
pub struct Clients {
    near: Client,
    /// Without certificates of the system there is none, and what is near works still.
    far: Result<Client, Error>,
}

impl Clients {
    /// `roots` are trusted beside the system's, in PEM.
    pub fn new(roots: &[String]) -> Result<Self, Error> {
        let mut read = Vec::new();
        for pem in roots {
            let bundle = Certificate::from_pem_bundle(pem.as_bytes());
            read.extend(bundle.map_err(|e| Error(format!("certificates to trust: {e}")))?);
        }
        let near = plain().no_proxy().tls_certs_only(read.clone()).build();
        let near = near.map_err(|error| Error(format!("no client: {error}")))?;
        let far = if read.is_empty() { plain() } else { plain().tls_certs_merge(read) };
        let far = far.build().map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let hint = "is the package ca-certificates installed?";
            Error(format!("no client for https: {}; {hint}", cause.unwrap_or_default()))
        });
        Ok(Self { near, far })
    }

    /// The one that asks vaults: as far ones do, or near ones where there is no far one.
    pub fn vaults(&self) -> Client {
        self.far.clone().unwrap_or_else(|_none| self.near.clone())
    }

    /// The one for an address.
    pub fn reach(&self, url: &Url) -> Result<Client, Error> {
        let here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        };
        if here { Ok(self.near.clone()) } else { self.far.clone() }
    }
}

fn plain() -> ClientBuilder {
    Client::builder()
        .connect_timeout(CONNECT_MAX)
        .pool_idle_timeout(IDLE_MAX)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
}
