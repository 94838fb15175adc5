//! Where GitHub is: github.com or a GitHub Enterprise Server.

use url::{Host, Url};

use super::ConfigError;

/// Addresses without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitHubUrls {
    /// Pages and git: `https://github.com`.
    pub web: String,
    /// REST: `https://api.github.com`, or `https://host/api/v3`.
    pub api: String,
}

impl Default for GitHubUrls {
    fn default() -> Self {
        Self { web: "https://github.com".to_owned(), api: "https://api.github.com".to_owned() }
    }
}

impl GitHubUrls {
    /// Reads the address an operator gave at `place`.
    pub(super) fn parse(place: &str, text: &str) -> Result<Self, ConfigError> {
        let refuse = |why: &str| {
            let next = "write for example https://github.example.com";
            ConfigError::new(place, why, next)
        };
        let url = Url::parse(text).map_err(|error| refuse(&error.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("it contains a user or a password"));
        }
        if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
            return Err(refuse("tokens are sent there, so it must begin with https://"));
        }
        let path = url.path().trim_end_matches('/');
        if !matches!(path, "" | "/api/v3") || url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("it has a path"));
        }
        if matches!(url.host_str(), Some("github.com" | "api.github.com" | "www.github.com")) {
            return Ok(Self::default());
        }
        let web = url.origin().ascii_serialization();
        Ok(Self { api: format!("{web}/api/v3"), web })
    }
}

/// Whether the host is this machine, where nobody listens in between.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<GitHubUrls, ConfigError> {
        GitHubUrls::parse("github_url", text)
    }

    #[test]
    fn an_enterprise_server_has_its_interface_below_its_pages() {
        for text in ["https://ghe.example.com", "https://ghe.example.com/api/v3/"] {
            let urls = parse(text).unwrap();
            assert_eq!(urls.web, "https://ghe.example.com");
            assert_eq!(urls.api, "https://ghe.example.com/api/v3");
        }
        assert_eq!(parse("http://127.0.0.1:4000").unwrap().api, "http://127.0.0.1:4000/api/v3");
        assert_eq!(parse("https://github.com/").unwrap(), GitHubUrls::default());
        assert_eq!(parse("https://api.github.com").unwrap(), GitHubUrls::default());
    }

    #[test]
    fn tokens_are_never_sent_in_the_clear_or_with_a_password_in_the_address() {
        for bad in
            ["http://ghe.example.com", "https://u:p@h.example", "https://h.example/x", "ghe", ""]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
