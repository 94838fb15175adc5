//! Who may see pages and metrics.

use std::net::{Ipv4Addr, Ipv6Addr};

use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::uri::Authority;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::model::Secret;

/// Longest `Authorization` header looked at, in bytes.
const HEADER_BYTES_MAX: usize = 4_096;

/// Who may see pages and metrics. Nobody may change anything.
#[derive(Debug, Clone)]
pub enum Visitors {
    /// Whoever asks for this machine by a loopback name. A proxy or a page on the internet
    /// that points a name of its own here asks for another name, and is refused.
    Local,
    /// Whoever knows the token: as bearer token, or as password with any user name.
    Token(Secret),
    Nobody,
}

impl Visitors {
    /// The answer to somebody who may not see it.
    pub(super) fn refuse(&self, uri: &Uri, headers: &HeaderMap) -> Option<Response> {
        match self {
            Self::Local if asks_for_loopback(uri, headers) => None,
            Self::Local | Self::Nobody => Some(plain(
                StatusCode::FORBIDDEN,
                "pages are shown on loopback only; set dashboard_token to open them\n",
            )),
            Self::Token(token) if knows(token, headers) => None,
            Self::Token(_) => {
                let mut response = plain(StatusCode::UNAUTHORIZED, "give the dashboard token\n");
                let realm = HeaderValue::from_static("Basic realm=\"slipway\", charset=\"UTF-8\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
                Some(response)
            }
        }
    }
}

/// A short answer in plain text.
pub(super) fn plain(status: StatusCode, text: &'static str) -> Response {
    (status, text).into_response()
}

fn asks_for_loopback(uri: &Uri, headers: &HeaderMap) -> bool {
    let named = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let Some(authority) = named.or_else(|| uri.authority().map(Authority::as_str)) else {
        return false;
    };
    let end = authority.find(':').unwrap_or(authority.len());
    let (is_loopback, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, port) = rest.split_once(']').unwrap_or_default();
        (host.parse().is_ok_and(|ip: Ipv6Addr| ip.is_loopback()), port)
    } else {
        let (host, port) = authority.split_at(end);
        let loopback = host.parse().is_ok_and(|ip: Ipv4Addr| ip.is_loopback());
        (loopback || host.eq_ignore_ascii_case("localhost"), port)
    };
    let port = port.strip_prefix(':').map_or(port.is_empty(), |digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    port && is_loopback
}

fn knows(token: &Secret, headers: &HeaderMap) -> bool {
    let given = headers.get(header::AUTHORIZATION).filter(|v| v.len() <= HEADER_BYTES_MAX);
    let Some(given) = given.and_then(|value| value.to_str().ok()) else { return false };
    let Some((scheme, value)) = given.split_once(' ') else { return false };
    if scheme.eq_ignore_ascii_case("bearer") {
        return same(token, value.trim());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return false;
    }
    let decoded = STANDARD.decode(value.trim()).ok().and_then(|b| String::from_utf8(b).ok());
    decoded.is_some_and(|pair| pair.split_once(':').is_some_and(|(_, word)| same(token, word)))
}

/// Digests are compared, so that the time taken says nothing about the token.
fn same(token: &Secret, given: &str) -> bool {
    !token.is_empty() && Sha256::digest(token.reveal()) == Sha256::digest(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    fn status(visitors: &Visitors, headers: &HeaderMap) -> u16 {
        let refused = visitors.refuse(&Uri::from_static("/"), headers);
        refused.map_or(200, |response| response.status().as_u16())
    }

    #[test]
    fn local_pages_answer_to_loopback_names_only() {
        for good in ["localhost", "LOCALHOST:80", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080"] {
            assert_eq!(status(&Visitors::Local, &headers(header::HOST, good)), 200, "{good}");
        }
        for bad in ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", "", "localhost.x"] {
            assert_eq!(status(&Visitors::Local, &headers(header::HOST, bad)), 403, "{bad}");
        }
        assert_eq!(status(&Visitors::Local, &HeaderMap::new()), 403);
    }

    #[test]
    fn attack_53_a_name_pointed_here_from_outside_opens_nothing() {
        let mut opened = Vec::new();
        let parts = [
            "localhost",
            "127.0.0.1",
            "[::1]",
            "evil.example",
            ".",
            "@",
            ":",
            "80",
            ":80",
            "/",
            "%00",
            "x",
            "-",
            "[",
            "]",
            " ",
            "0",
            "169.254.169.254",
            "[::ffff:10.0.0.1]",
            "#",
            "?",
            ",",
        ];
        for _ in 0..20_000 {
            let host: String =
                (0..fastrand::usize(1..4)).map(|_| *fastrand::choice(&parts).unwrap()).collect();
            let Ok(value) = HeaderValue::from_str(&host) else { continue };
            let headers = HeaderMap::from_iter([(header::HOST, value)]);
            if status(&Visitors::Local, &headers) == 200 {
                opened.push(host);
            }
        }
        let name = |host: &str| host.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
        let known = ["localhost", "127.0.0.1", "[::1]", "localhost:", "127.0.0.1:", "[::1]:"];
        let loopback =
            |host: &str| known.contains(&name(host).as_str()) || host.starts_with("127.0.0.");
        assert!(opened.iter().all(|host| loopback(host)), "{opened:?}");
        assert!(!opened.is_empty());
        // Without the check, as for whoever knows the token, any name is answered.
        let word = format!("{:x}", fastrand::u128(..));
        let mut any = headers(header::HOST, "evil.example");
        let bearer = HeaderValue::from_str(&format!("Bearer {word}")).unwrap();
        any.insert(header::AUTHORIZATION, bearer);
        assert_eq!(status(&Visitors::Token(Secret::new(word)), &any), 200);
        assert_eq!(status(&Visitors::Local, &any), 403);
    }

    #[test]
    fn a_token_opens_and_nothing_else_does() {
        let word = format!("{:x}", fastrand::u128(..));
        let visitors = Visitors::Token(Secret::new(word.clone()));
        let basic = |text: String| format!("Basic {}", STANDARD.encode(text));
        for good in [format!("Bearer {word}"), basic(format!("anyone:{word}"))] {
            assert_eq!(status(&visitors, &headers(header::AUTHORIZATION, &good)), 200, "{good}");
        }
        for bad in [basic(word.clone()), word, "Bearer ".to_owned(), "Basic !".to_owned()] {
            assert_eq!(status(&visitors, &headers(header::AUTHORIZATION, &bad)), 401, "{bad}");
        }
        assert_eq!(status(&visitors, &HeaderMap::new()), 401);
        assert_eq!(status(&Visitors::Nobody, &headers(header::HOST, "localhost")), 403);
        let empty = Visitors::Token(Secret::new(""));
        assert_eq!(status(&empty, &headers(header::AUTHORIZATION, "Bearer ")), 401);
    }
}
