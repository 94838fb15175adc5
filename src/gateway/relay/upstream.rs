//! What is sent to a provider, and which headers go either way: lists of what may pass.

use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER,
    USER_AGENT,
};
use axum::http::{HeaderMap, Method};
use url::Url;

use super::super::wire::{Asks, Route};
use super::super::{Provider, Wire};
use super::mask::Mask;
use crate::model::Secret;

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const X_GOOG_API_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");

/// What of a program's headers a provider hears.
const OUT: [HeaderName; 6] = [
    ACCEPT,
    USER_AGENT,
    HeaderName::from_static("anthropic-beta"),
    HeaderName::from_static("anthropic-version"),
    HeaderName::from_static("openai-beta"),
    HeaderName::from_static("x-goog-api-client"),
];
/// What of a provider's headers a program hears.
const BACK: [HeaderName; 4] = [
    CONTENT_TYPE,
    RETRY_AFTER,
    HeaderName::from_static("request-id"),
    HeaderName::from_static("x-request-id"),
];

/// The key a program shows, from where its wire has it, or from where others have theirs.
pub(super) fn shown<'a>(wire: Wire, headers: &'a HeaderMap, query: &'a str) -> Option<&'a str> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = || {
        let value = text(&AUTHORIZATION)?;
        let (kind, key) = value.split_once(' ')?;
        kind.eq_ignore_ascii_case("bearer").then_some(key)
    };
    match wire {
        Wire::Messages => text(&X_API_KEY).or_else(bearer),
        Wire::Gemini => text(&X_GOOG_API_KEY)
            .or_else(|| query.split('&').find_map(|pair| pair.strip_prefix("key=")))
            .or_else(bearer),
        Wire::Responses | Wire::Chat | Wire::Ollama => bearer().or_else(|| text(&X_API_KEY)),
    }
}

/// The headers that go on from a request, without a key.
pub(super) fn out(headers: &HeaderMap) -> HeaderMap {
    let mut sent = only(headers, &OUT);
    // What comes back is read here, so it must not be packed.
    sent.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    sent
}

/// The headers that go back from an answer; one that holds the key does not.
pub(super) fn back(headers: &HeaderMap, mask: &Mask) -> HeaderMap {
    let mut told = only(headers, &BACK);
    let hidden: Vec<HeaderName> = told
        .iter()
        .filter(|(_, value)| mask.is_in(value.as_bytes()))
        .map(|(name, _)| name.clone())
        .collect();
    for name in hidden {
        told.remove(name);
    }
    told
}

fn only(headers: &HeaderMap, names: &[HeaderName]) -> HeaderMap {
    let kept = names.iter().filter_map(|name| Some((name.clone(), headers.get(name)?.clone())));
    kept.collect()
}

/// The request to the provider; `None` if key and address do not make one.
pub(super) fn request(
    provider: &Provider,
    route: &Route,
    (headers, body): (&HeaderMap, &[u8]),
    key: Option<&Secret>,
) -> Option<reqwest::Request> {
    let base = provider.url.as_str().trim_end_matches('/');
    let url = Url::parse(&format!("{base}{}", route.path)).ok()?;
    let method = match route.asks {
        Asks::List => Method::GET,
        Asks::Model | Asks::About => Method::POST,
    };
    let mut request = reqwest::Request::new(method, url);
    request.headers_mut().clone_from(headers);
    if route.asks != Asks::List {
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
        *request.body_mut() = Some(body.to_vec().into());
    }
    if let Some(key) = key {
        let (name, text) = match provider.wire {
            Wire::Messages => (X_API_KEY, key.clone()),
            Wire::Gemini => (X_GOOG_API_KEY, key.clone()),
            Wire::Responses | Wire::Chat | Wire::Ollama => {
                (AUTHORIZATION, Secret::new(format!("Bearer {}", key.reveal())))
            }
        };
        let mut value = HeaderValue::from_str(text.reveal()).ok()?;
        value.set_sensitive(true);
        request.headers_mut().insert(name, value);
    }
    Some(request)
}
