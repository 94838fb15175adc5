//! Payloads that grow from a small corpus of our own: known shapes with anything anywhere.

use std::sync::OnceLock;

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// Deepest nesting that is planted.
const DEPTH_MAX: usize = 200;

const CORPUS: [(&str, &str); 9] = [
    ("check_run", include_str!("corpus/check_run.json")),
    ("check_suite", include_str!("corpus/check_suite.json")),
    ("installation", include_str!("corpus/installation.json")),
    ("issue_comment", include_str!("corpus/issue_comment.json")),
    ("issues", include_str!("corpus/issues.json")),
    ("pull_request", include_str!("corpus/pull_request.json")),
    ("pull_request_review", include_str!("corpus/pull_request_review.json")),
    ("push", include_str!("corpus/push.json")),
    ("status", include_str!("corpus/status.json")),
];

/// What the corpus was before anything happened to it.
pub(super) fn corpus() -> &'static [(&'static str, Value)] {
    static READ: OnceLock<Vec<(&str, Value)>> = OnceLock::new();
    READ.get_or_init(|| {
        let read =
            |(event, text): &(&'static str, &str)| (*event, serde_json::from_str(text).unwrap());
        CORPUS.iter().map(read).collect()
    })
}

/// An event's name and bytes that may be its body.
pub(super) fn delivery(rng: &mut Rng) -> (&'static str, Vec<u8>) {
    let (event, body) = rng.choice(corpus()).unwrap();
    let mut body = body.clone();
    for _ in 0..rng.usize(0..5) {
        change(rng, &mut body, 0);
    }
    let mut bytes = body.to_string().into_bytes();
    if rng.u8(..) < 50 {
        maim(rng, &mut bytes);
    }
    let event = if rng.u8(..) < 30 { rng.choice(corpus()).unwrap().0 } else { event };
    (event, bytes)
}

/// Walks down at random and changes something.
fn change(rng: &mut Rng, value: &mut Value, depth: usize) {
    if rng.u8(..) < 60 && depth > 0 {
        *value = odd(rng);
        return;
    }
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let at = rng.usize(0..fields.len());
            let key = fields.keys().nth(at).cloned().unwrap();
            match rng.u8(0..10) {
                0 => drop(fields.remove(&key)),
                1 => drop(fields.insert(name(rng), odd(rng))),
                2 => {
                    let moved = fields.remove(&key).unwrap();
                    fields.insert(name(rng), moved);
                }
                _ => change(rng, fields.get_mut(&key).unwrap(), depth + 1),
            }
        }
        Value::Array(entries) if !entries.is_empty() => {
            let at = rng.usize(0..entries.len());
            if rng.u8(..) < 40 {
                let copies = rng.usize(1..60);
                entries.extend(vec![entries[at].clone(); copies]);
            } else {
                change(rng, &mut entries[at], depth + 1);
            }
        }
        Value::Array(_)
        | Value::Object(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_) => {
            *value = odd(rng);
        }
    }
}

fn name(rng: &mut Rng) -> String {
    let known = ["id", "login", "user", "number", "sha", "ref", "head", "app", "action", "repo"];
    match rng.u8(0..4) {
        0 => (0..rng.usize(0..8)).map(|_| rng.char(..)).collect(),
        _ => (*rng.choice(known).unwrap()).to_owned(),
    }
}

fn odd(rng: &mut Rng) -> Value {
    let texts = [
        "",
        "..",
        "-x",
        "a/b",
        "octo/hello",
        "refs/heads/",
        "refs/heads/-x",
        "refs/heads/a b",
        "refs/heads/x.lock",
        "0000000000000000000000000000000000000000",
        "1111111111111111111111111111111111111111",
        "x[bot]",
        "created",
        "requested_action",
        "rerequested",
        "2026-01-01T00:00:00Z",
        "9999-99-99T99:99:99Z",
        "\u{0}",
        "\u{202e}\u{feff}",
    ];
    match rng.u8(0..12) {
        0 => Value::Null,
        1 => rng.bool().into(),
        2 => rng.u64(..).into(),
        3 => rng.i64(..).into(),
        4 => json!(rng.f64() * 1e300),
        5 => json!([]),
        6 => Value::Object(Map::new()),
        7 => nested(rng.usize(0..DEPTH_MAX)),
        8 => (0..rng.usize(0..40)).map(|_| rng.char(..)).collect::<String>().into(),
        9 => rng.choice(corpus()).unwrap().1.clone(),
        _ => (*rng.choice(texts).unwrap()).into(),
    }
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(
        Value::Null,
        |inner, at| {
            if at % 2 == 0 { json!([inner]) } else { json!({"id": inner}) }
        },
    )
}

/// Bytes that need not be JSON any more.
fn maim(rng: &mut Rng, bytes: &mut Vec<u8>) {
    for _ in 0..rng.usize(1..4) {
        let at = rng.usize(0..=bytes.len());
        match rng.u8(0..5) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, rng.u8(..)),
            2 if at < bytes.len() => bytes[at] = rng.u8(..),
            3 if at < bytes.len() => drop(bytes.remove(at)),
            _ => bytes.extend_from_within(at..),
        }
    }
}
