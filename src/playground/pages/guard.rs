//! What every page's answer carries, and which forms are obeyed: those of these very pages.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::super::world::World;
use super::apps;

const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Refuses forms from elsewhere and adds the security headers.
pub(super) async fn guard(
    State(world): State<World>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    // A manifest comes from somebody's setup page; what takes it only shows a page.
    let asks = reads || apps::only_asks(request.uri().path());
    let obeyed = asks || from_here(request.headers(), &world.base_url());
    let mut response = if obeyed {
        next.run(request).await
    } else {
        let why = "This form was not sent by a page of this playground, so nothing was done.\n";
        (StatusCode::FORBIDDEN, why).into_response()
    };
    let headers = response.headers_mut();
    let mut put = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    put(CONTENT_SECURITY_POLICY, POLICY);
    put(X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(X_FRAME_OPTIONS, "DENY");
    // With `no-referrer` browsers would send the forms' own origin as `null`.
    put(REFERRER_POLICY, "same-origin");
    put(CACHE_CONTROL, "no-store");
    response
}

/// Whether a form was sent by a page of this very origin, as the browser tells.
///
/// The host must also be a name of ours: a stranger's name that was made to point to this
/// machine is "the same origin" for a browser.
fn from_here(headers: &HeaderMap, base_url: &str) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(host) = text(&HOST).filter(|host| is_ours(host, base_url)) else {
        return false;
    };
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if site.is_some_and(|site| site != b"same-origin") {
        return false;
    }
    match text(&ORIGIN).map(|origin| origin.split_once("://")) {
        Some(Some((_, authority))) => authority.eq_ignore_ascii_case(host),
        Some(None) => false,
        None => site.is_some(),
    }
}

fn is_ours(host: &str, base_url: &str) -> bool {
    let base = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
    let authority = base.split('/').next().unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    host.eq_ignore_ascii_case(authority) || ["localhost", "127.0.0.1", "[::1]"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        from_here(&headers, "http://play.example:8080")
    }

    #[test]
    fn only_forms_of_this_origin_under_a_name_of_ours_are_obeyed() {
        let local = ("host", "127.0.0.1:9000");
        assert!(judged(&[local, ("sec-fetch-site", "same-origin")]));
        assert!(judged(&[local, ("origin", "http://127.0.0.1:9000")]));
        assert!(judged(&[("host", "play.example:8080"), ("sec-fetch-site", "same-origin")]));

        assert!(!judged(&[local]), "nothing tells where it came from");
        assert!(!judged(&[local, ("sec-fetch-site", "cross-site")]));
        assert!(!judged(&[local, ("sec-fetch-site", "same-site")]));
        assert!(!judged(&[local, ("sec-fetch-site", "none")]));
        assert!(!judged(&[local, ("origin", "http://evil.example")]));
        assert!(!judged(&[local, ("origin", "null"), ("sec-fetch-site", "same-origin")]));
        assert!(!judged(&[local, ("origin", "http://127.0.0.1:9001")]), "another port");
        let rebound = [("host", "evil.example:80"), ("origin", "http://evil.example:80")];
        assert!(!judged(&rebound), "a stranger's name that points here");
    }
}
