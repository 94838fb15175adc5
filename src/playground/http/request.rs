//! A REST request as the routes see it, and the reply they give.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::playground::error::{ApiError, ApiResult};
use crate::playground::world::{Actor, Op, State, World};

/// Entries on a page by default and at most.
const PAGE_DEFAULT: usize = 30;
const PAGE_MAX: usize = 100;

/// What came in over HTTP, or is made up by a test.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    /// Percent-encoded, as sent.
    pub path: String,
    pub query: String,
    pub authorization: Option<String>,
    pub accept: Option<String>,
    pub if_none_match: Option<String>,
    pub body: Vec<u8>,
}

/// What a route answers with.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    Nothing,
    Json(Value),
    /// A list to be cut into pages, under a key when the call wraps its list.
    List(Option<&'static str>, Vec<Value>),
    Bytes(&'static str, Vec<u8>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub content: Content,
}

impl Reply {
    pub fn json(value: Value) -> Self {
        Self::status(200, value)
    }

    pub fn status(status: u16, value: Value) -> Self {
        Self { status, headers: Vec::new(), content: Content::Json(value) }
    }

    pub fn created(value: Value) -> Self {
        Self::status(201, value)
    }

    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), content: Content::Nothing }
    }

    pub fn list(entries: Vec<Value>) -> Self {
        Self { status: 200, headers: Vec::new(), content: Content::List(None, entries) }
    }

    pub fn wrapped(key: &'static str, entries: Vec<Value>) -> Self {
        Self { status: 200, headers: Vec::new(), content: Content::List(Some(key), entries) }
    }

    pub fn bytes(kind: &'static str, bytes: Vec<u8>) -> Self {
        Self { status: 200, headers: Vec::new(), content: Content::Bytes(kind, bytes) }
    }

    pub fn redirect(url: String) -> Self {
        let headers = vec![("location".to_owned(), url)];
        Self { status: 302, headers, content: Content::Nothing }
    }
}

/// What a route function gives: nothing when the path is not its own.
pub(super) type Routed = Option<ApiResult<Reply>>;

/// One request on its way through the routes.
#[derive(Debug)]
pub(super) struct Ctx<'a> {
    pub(super) world: &'a World,
    pub(super) actor: Actor,
    pub(super) method: &'a str,
    /// Decoded, without the prefix of GitHub Enterprise Server.
    pub(super) path: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) body: Value,
    pub(super) accept: String,
}

impl Ctx<'_> {
    /// Passes the gate for a call.
    pub(super) fn call<T>(
        &self,
        id: &'static str,
        run: impl FnOnce(&mut State) -> ApiResult<T>,
    ) -> ApiResult<T> {
        let method = match self.method {
            "GET" | "HEAD" => "GET",
            "PUT" => "PUT",
            "PATCH" => "PATCH",
            "DELETE" => "DELETE",
            _ => "POST",
        };
        self.world.call(&self.actor, Op { id, method, path: self.path.clone() }, run)
    }

    /// Passes the gate for a call that answers with JSON.
    #[expect(clippy::unnecessary_wraps, reason = "routes are tried one after the other")]
    pub(super) fn json(
        &self,
        id: &'static str,
        run: impl FnOnce(&mut State) -> ApiResult<Value>,
    ) -> Routed {
        Some(self.call(id, run).map(Reply::json))
    }

    #[expect(clippy::unnecessary_wraps, reason = "routes are tried one after the other")]
    pub(super) fn created(
        &self,
        id: &'static str,
        run: impl FnOnce(&mut State) -> ApiResult<Value>,
    ) -> Routed {
        Some(self.call(id, run).map(Reply::created))
    }

    #[expect(clippy::unnecessary_wraps, reason = "routes are tried one after the other")]
    pub(super) fn list(
        &self,
        id: &'static str,
        run: impl FnOnce(&mut State) -> ApiResult<Vec<Value>>,
    ) -> Routed {
        Some(self.call(id, run).map(Reply::list))
    }

    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.body.get(field)?.as_str()
    }

    pub(super) fn owned(&self, field: &str) -> Option<String> {
        self.text(field).map(str::to_owned)
    }

    pub(super) fn need(&self, field: &str) -> ApiResult<&str> {
        let missing = || {
            let why = format!("Invalid request.\n\n\"{field}\" wasn't supplied.");
            ApiError::new(422, why)
        };
        self.text(field).ok_or_else(missing)
    }

    pub(super) fn flag(&self, field: &str) -> bool {
        self.body.get(field).and_then(Value::as_bool).unwrap_or(false)
    }

    pub(super) fn texts(&self, field: &str) -> Vec<String> {
        let list = self.body.get(field).unwrap_or(&self.body).as_array();
        let list = list.map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// The `since` parameter in milliseconds; the beginning of time without one.
    pub(super) fn since_ms(&self) -> i64 {
        let given = self.param("since").and_then(|text| text.parse::<jiff::Timestamp>().ok());
        given.map_or(i64::MIN, jiff::Timestamp::as_millisecond)
    }
}

/// Name and value pairs of a query string.
pub(super) fn parse_query(query: &str) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// Percent-decodes one part of a path.
pub(super) fn decode(part: &str) -> String {
    let escaped = part.replace('+', "%2B");
    let pairs = url::form_urlencoded::parse(escaped.as_bytes()).into_owned();
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(&name);
        if !value.is_empty() {
            text.push('=');
            text.push_str(&value);
        }
    }
    text
}

/// Cuts a list into the page that was asked for, with GitHub's `Link` header.
pub(super) fn page(reply: Reply, query: &BTreeMap<String, String>, url: &str) -> Reply {
    let Reply { status, mut headers, content } = reply;
    let Content::List(key, entries) = content else {
        return Reply { status, headers, content };
    };
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<usize>().ok());
    let size = number("per_page").unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX);
    let at = number("page").unwrap_or(1).max(1);
    let total = entries.len();
    let last = total.div_ceil(size).max(1);
    let mut links = Vec::new();
    let mut link = |target: usize, name: &str| {
        let mut pairs = query.clone();
        pairs.insert("page".into(), target.to_string());
        let text = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs.iter())
            .finish();
        links.push(format!("<{url}?{text}>; rel=\"{name}\""));
    };
    if at > 1 {
        link(at - 1, "prev");
        link(1, "first");
    }
    if at < last {
        link(at + 1, "next");
        link(last, "last");
    }
    if !links.is_empty() {
        headers.push(("link".to_owned(), links.join(", ")));
    }
    let entries: Vec<Value> = entries.into_iter().skip((at - 1) * size).take(size).collect();
    let value = match key {
        None => Value::Array(entries),
        Some(key) => json!({"total_count": total, key: entries}),
    };
    Reply { status, headers, content: Content::Json(value) }
}
