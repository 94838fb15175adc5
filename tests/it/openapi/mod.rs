//! A judge we did not write: GitHub's own OpenAPI description, asked about every request that
//! the bot sends and every answer that the playground gives.
//!
//! The description comes from npm (`tests/fetch`); without it nothing is judged, and the tests
//! say so. This folder is part of `tests/it` and, by its path, of the library's own tests.

mod body;
mod gaps;
mod route;
mod spec;
#[cfg(test)]
mod trial;
mod watch;

use serde_json::Value;

use self::route::Found;
use self::spec::{Operation, Spec};

pub(crate) use self::gaps::{GAPS, gap};
pub(crate) use self::spec::is_there;
pub(crate) use self::watch::{Verdict, watched};

/// What can be answered to any call, described or not.
const ALWAYS: [u16; 5] = [400, 401, 403, 404, 429];
/// Longest message of one violation, in characters.
const MESSAGE_CHARS_MAX: usize = 400;

/// Every way in which a request and its answer differ from GitHub's description; nothing when
/// the description is not there. `sent` and `got` are the bodies.
pub(crate) fn judge(
    method: &str,
    target: &str,
    sent: &[u8],
    status: u16,
    got: &[u8],
) -> Vec<String> {
    let mut found = judge_request(method, target, sent);
    found.extend(judge_answer(method, target, status, got));
    found
}

/// The part of [`judge`] that is about what was asked.
pub(crate) fn judge_request(method: &str, target: &str, sent: &[u8]) -> Vec<String> {
    let Some(spec) = spec::get() else { return Vec::new() };
    let (path, query) = parts(target);
    if is_outside(path) {
        return Vec::new();
    }
    let Some(found) = spec.find(method, path) else {
        return vec![format!("no such call: {method} {path}")];
    };
    let mut why = in_path(spec, &found);
    why.extend(in_query(spec, found.operation, query));
    why.extend(in_body(spec, found.operation, sent));
    why.iter().map(|why| format!("{}: request: {why}", found.operation.id)).collect()
}

/// The part of [`judge`] that is about what was answered.
pub(crate) fn judge_answer(method: &str, target: &str, status: u16, got: &[u8]) -> Vec<String> {
    let Some(spec) = spec::get() else { return Vec::new() };
    let path = parts(target).0;
    // A server that is down keeps to no description, and "not modified" has no body.
    if is_outside(path) || status >= 500 || status == 304 {
        return Vec::new();
    }
    let Some(found) = spec.find(method, path) else { return Vec::new() };
    let why = answered(spec, found.operation, status, got);
    let id = &found.operation.id;
    why.iter().map(|why| format!("{id}: answer {status}: {why}")).collect()
}

/// Path without the prefix of GitHub Enterprise Server, and query.
fn parts(target: &str) -> (&str, &str) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    (path.strip_prefix("/api/v3").unwrap_or(path), query)
}

/// What the description does not speak of: GraphQL, files served elsewhere, git.
fn is_outside(path: &str) -> bool {
    let git = ["/info/refs", "/git-upload-pack", "/git-receive-pack"];
    path == "/graphql"
        || path == "/api/graphql"
        || path.starts_with("/_logs/")
        || git.iter().any(|end| path.ends_with(end))
}

fn in_path(spec: &Spec, found: &Found<'_>) -> Vec<String> {
    let mut why = Vec::new();
    for (name, text) in &found.values {
        let known = found.operation.parameters.iter().find(|one| one.is("path", name));
        let Some(schema) = known.map(|one| &one.schema) else {
            why.push(format!("{{{name}}} is not described"));
            continue;
        };
        let key = format!("{} path {name}", found.operation.id);
        why.extend(spec.check(&key, schema, &spec::typed(schema, text)));
    }
    why
}

fn in_query(spec: &Spec, operation: &Operation, query: &str) -> Vec<String> {
    let mut why = Vec::new();
    let given: Vec<(String, String)> =
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    for (name, text) in &given {
        let Some(known) = operation.parameters.iter().find(|one| one.is("query", name)) else {
            why.push(format!("unknown parameter {name}"));
            continue;
        };
        let key = format!("{} query {name}", operation.id);
        let found = spec.check(&key, &known.schema, &spec::typed(&known.schema, text));
        why.extend(found.iter().map(|why| format!("parameter {name}: {why}")));
    }
    for needed in operation.parameters.iter().filter(|one| one.place == "query" && one.required) {
        if !given.iter().any(|(name, _)| *name == needed.name) {
            why.push(format!("parameter {} is missing", needed.name));
        }
    }
    why
}

fn in_body(spec: &Spec, operation: &Operation, sent: &[u8]) -> Vec<String> {
    let Some(asked) = &operation.body else {
        let nothing = sent.is_empty() || sent == b"{}" || sent == b"null";
        return if nothing { Vec::new() } else { vec!["a body where there is none".to_owned()] };
    };
    if sent.is_empty() {
        let missing = vec!["the body is missing".to_owned()];
        return if asked.required { missing } else { Vec::new() };
    }
    let Ok(value) = serde_json::from_slice::<Value>(sent) else {
        return vec!["the body is not JSON".to_owned()];
    };
    let mut why = spec.check(&format!("{} body", operation.id), &asked.schema, &value);
    why.extend(body::unknown(spec, &asked.schema, &value));
    why
}

fn answered(spec: &Spec, operation: &Operation, status: u16, got: &[u8]) -> Vec<String> {
    // GitHub explains a refusal also where only its status is described.
    let described = operation.answers.get(&status).filter(|one| status < 400 || one.is_some());
    let known = operation.answers.contains_key(&status) || ALWAYS.contains(&status);
    let schema = match described {
        Some(schema) => schema.as_ref(),
        None if known => spec.schema("basic-error").filter(|_| !got.is_empty()),
        None => return vec!["the status is not described".to_owned()],
    };
    let Some(schema) = schema else {
        return if got.is_empty() {
            Vec::new()
        } else {
            vec!["a body where there is none".to_owned()]
        };
    };
    let Ok(value) = serde_json::from_slice::<Value>(got) else {
        return vec!["the body is not JSON".to_owned()];
    };
    let key =
        if described.is_some() { format!("{} {status}", operation.id) } else { "error".into() };
    spec.check(&key, schema, &value)
}
