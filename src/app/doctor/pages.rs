//! Check: who can see the pages is who is meant to.

use super::Case;
use super::report::Line;

const NAME: &str = "pages";
/// Shorter tokens can be guessed, in bytes.
const TOKEN_BYTES_GOOD: usize = 20;

pub(super) fn check(case: &Case) -> Vec<Line> {
    let settings = &case.settings;
    let (url, token) = (settings.public_url.as_deref(), settings.dashboard_token.as_ref());
    if token.is_some_and(|token| token.len() < TOKEN_BYTES_GOOD) {
        let next = "make a longer dashboard_token: openssl rand -hex 32";
        return vec![Line::warn(NAME, "the dashboard token can be guessed", next)];
    }
    let plain = |url: &str| url.starts_with("http://") && !loopback(url);
    if let (Some(url), true) = (url, url.is_some_and(plain) && token.is_some()) {
        let next = "put a proxy with TLS in front, and https:// into public_url";
        return vec![Line::warn(NAME, format!("the token goes to {url} in the clear"), next)];
    }
    vec![match (url, token) {
        (Some(url), Some(_)) => Line::ok(NAME, format!("{url}, for whoever has the token")),
        (None, Some(_)) => Line::ok(NAME, "for whoever has the token; comments do not link there"),
        (Some(url), None) if !loopback(url) => {
            let next = "set dashboard_token, or take public_url away if only webhooks come in";
            let finding = format!("comments link to {url}, where nobody is let in");
            Line::warn(NAME, finding, next)
        }
        (_, None) if settings.listens_on_loopback() => {
            Line::ok(NAME, format!("http://{}/, on this machine alone", settings.listen))
        }
        (_, None) => Line::ok(NAME, "closed: it does not listen on loopback and has no token"),
    }]
}

fn loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    ["127.", "localhost", "[::1]"].iter().any(|name| rest.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_told_from_others() {
        assert!(loopback("http://127.0.0.1:80") && loopback("http://[::1]/"));
        assert!(!loopback("http://s.example.com") && !loopback("https://10.0.0.1"));
    }
}
