//! The hosts we may open connections to, asked before every redirect and every name is looked up.

use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Url;

use super::{API_URL, Config, path};

/// Where github.com keeps the logs of workflow jobs.
const LOG_HOSTS: [&str; 2] = ["*.actions.githubusercontent.com", "*.blob.core.windows.net"];

/// Why an address is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Foreign {
    #[error(
        "{0:?} is none of the hosts this program may reach; if it is GitHub's or your proxy, add \
         it to `hosts` in the configuration"
    )]
    Host(String),
    #[error("the answer leads to {0:?} without encryption, which is not followed")]
    Plain(String),
}

/// Names in small letters; `*.name` stands for everything below it.
#[derive(Debug, Clone)]
pub(super) struct Hosts(Arc<[String]>);

impl Hosts {
    /// The API's host, git's host, what the operator lists, and, for github.com, its stores.
    pub(super) fn of(config: &Config) -> Self {
        let derived = path::git_url(&config.api_url);
        let web = config.git_url.as_deref().unwrap_or(&derived);
        let own = [config.api_url.as_str(), web].into_iter().filter_map(|url| {
            Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned))
        });
        let stores = if config.api_url == API_URL { LOG_HOSTS.as_slice() } else { &[] };
        let listed = config.hosts.iter().map(String::as_str).chain(stores.iter().copied());
        Self(own.chain(listed.map(str::to_owned)).map(|name| plain(&name)).collect())
    }

    pub(super) fn allows(&self, host: &str) -> bool {
        let host = plain(host);
        self.0.iter().any(|name| match name.strip_prefix('*') {
            Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
            None => host == *name,
        })
    }

    /// Whether an answer of `base` may lead to `next`.
    pub(super) fn check(&self, base: &Url, next: &Url) -> Result<(), Foreign> {
        let host = next.host_str().unwrap_or_default();
        if !self.allows(host) {
            return Err(Foreign::Host(host.to_owned()));
        }
        if next.scheme() != "https" && next.scheme() != base.scheme() {
            return Err(Foreign::Plain(host.to_owned()));
        }
        Ok(())
    }
}

fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

impl Resolve for Hosts {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.allows(name.as_str());
        Box::pin(async move {
            let host = name.as_str();
            if !allowed {
                return Err(Foreign::Host(host.to_owned()).into());
            }
            // The port is filled in by who connects.
            let found: Vec<_> = tokio::net::lookup_host((host, 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(api_url: &str, listed: &[&str]) -> Hosts {
        let mut config = Config::new(api_url, 1, "");
        config.hosts = listed.iter().map(|name| (*name).to_owned()).collect();
        Hosts::of(&config)
    }

    #[test]
    fn only_configured_hosts_are_reached() {
        let own = hosts("https://ghe.example.com/api/v3", &["*.store.example.com", "Proxy.Local"]);
        for (host, allowed) in [
            ("ghe.example.com", true),
            ("GHE.example.com.", true),
            ("a.store.example.com", true),
            ("a.b.store.example.com", true),
            ("store.example.com", false),
            ("evilstore.example.com", false),
            ("proxy.local", true),
            ("xghe.example.com", false),
            ("ghe.example.com.evil.example", false),
            ("x.blob.core.windows.net", false),
            ("127.0.0.1", false),
            ("", false),
        ] {
            assert_eq!(own.allows(host), allowed, "{host}");
        }
        let public = hosts(API_URL, &[]);
        for host in ["api.github.com", "github.com", "x.blob.core.windows.net"] {
            assert!(public.allows(host), "{host}");
        }
        assert!(!public.allows("raw.githubusercontent.com"));
    }

    #[test]
    fn encryption_is_never_given_up_on_the_way() {
        let own = hosts("https://ghe.example.com/api/v3", &[]);
        let url = |text: &str| Url::parse(text).unwrap();
        let base = url("https://ghe.example.com/api/v3");
        assert_eq!(own.check(&base, &url("https://ghe.example.com/x")), Ok(()));
        let plain = own.check(&base, &url("http://ghe.example.com/x"));
        assert_eq!(plain, Err(Foreign::Plain("ghe.example.com".to_owned())));
        let foreign = own.check(&base, &url("https://evil.example/x")).unwrap_err();
        assert!(foreign.to_string().contains("\"evil.example\""), "{foreign}");
    }

    #[tokio::test]
    async fn an_unknown_name_is_not_even_looked_up() {
        let own = hosts("http://localhost:1", &[]);
        let name = |text: &str| text.parse::<Name>().unwrap();
        let refused = own.resolve(name("evil.example")).await.err().unwrap();
        assert!(refused.downcast_ref::<Foreign>().is_some(), "{refused}");
        assert!(own.resolve(name("localhost")).await.unwrap().next().is_some());
    }
}
