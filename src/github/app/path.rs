//! Paths of requests, made of texts that cannot leave their segment.

use std::fmt::Write;

use crate::github::At;

/// The path that stands for GraphQL in our requests, whose address depends on the server.
pub(super) const GRAPHQL: &str = "/graphql";

/// `text` as one segment of a path or one value of a query.
pub(super) fn part(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_~".contains(&byte) {
            out.push(char::from(byte));
        } else if byte == b'.' && text != "." && text != ".." {
            out.push('.');
        } else {
            // Writing to a string cannot fail.
            let _written = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// `text` as a path of several segments.
pub(super) fn parts(text: &str) -> String {
    text.split('/').filter(|one| !one.is_empty()).map(part).collect::<Vec<_>>().join("/")
}

/// The path of something in a repository; `rest` begins with a slash or is empty.
pub(super) fn repo(at: &At, rest: &str) -> String {
    format!("/repos/{}/{}{rest}", part(at.repo.owner()), part(at.repo.name()))
}

/// Where git finds repositories when the interface is at `api_url`.
pub(super) fn git_url(api_url: &str) -> String {
    let api_url = api_url.trim_end_matches('/');
    let bare = api_url.strip_suffix("/api/v3").unwrap_or(api_url);
    bare.replacen("://api.github.com", "://github.com", 1)
}

/// The full address of a path of ours. An Enterprise Server's GraphQL is beside REST, not
/// below it.
pub(super) fn address(api_url: &str, path: &str) -> String {
    match api_url.strip_suffix("/api/v3").filter(|_| path == GRAPHQL) {
        Some(host) => format!("{host}/api{GRAPHQL}"),
        None => format!("{api_url}{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_never_leaves_its_segment() {
        assert_eq!(part("feat/a b?c#d%2e"), "feat%2Fa%20b%3Fc%23d%252e");
        assert_eq!(part(".."), "%2E%2E");
        assert_eq!(part("dependabot[bot]"), "dependabot%5Bbot%5D");
        assert_eq!(parts("/.github//slipway.yml"), ".github/slipway.yml");
        assert_eq!(parts("a/../b"), "a/%2E%2E/b");
    }

    #[test]
    fn git_is_found_beside_the_interface() {
        for (api, git) in [
            ("https://api.github.com", "https://github.com"),
            ("https://git.example.com/api/v3", "https://git.example.com"),
            ("http://127.0.0.1:4711/", "http://127.0.0.1:4711"),
        ] {
            assert_eq!(git_url(api), git);
        }
    }

    #[test]
    fn graphql_is_beside_rest_on_an_enterprise_server() {
        for (api, graphql) in [
            ("https://api.github.com", "https://api.github.com/graphql"),
            ("https://git.example.com/api/v3", "https://git.example.com/api/graphql"),
            ("http://127.0.0.1:4711", "http://127.0.0.1:4711/graphql"),
        ] {
            assert_eq!(address(api, GRAPHQL), graphql);
            assert_eq!(address(api, "/app?x=1"), format!("{api}/app?x=1"));
        }
    }
}
