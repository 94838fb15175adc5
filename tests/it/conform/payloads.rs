//! Every recorded webhook is accepted, those we act on are understood, and no change of shape
//! turns a genuine delivery into a refusal.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use slipway::clock::FakeClock;
use slipway::github::payload::{self, EVENTS, Happening};
use slipway::github::signature;
use slipway::model::{Millis, Secret};
use slipway::store::memory::Memory;
use slipway::telemetry::Metrics;
use slipway::web::{Limits, Readiness, Visitors, Web, router};
use tower::ServiceExt;

use super::recorded::{Recorded, all};

/// Our own App's id; no recording is of it.
const APP: u64 = 7;

/// Keys we read, wherever they stand.
const READ: [&str; 41] = [
    "action",
    "after",
    "app",
    "base",
    "before",
    "body",
    "check_run",
    "check_suite",
    "comment",
    "created_at",
    "external_id",
    "full_name",
    "base_ref",
    "head",
    "head_ref",
    "head_sha",
    "id",
    "identifier",
    "installation",
    "issue",
    "label",
    "login",
    "merge_group",
    "merged",
    "name",
    "number",
    "performed_via_github_app",
    "pull_request",
    "pull_requests",
    "ref",
    "repo",
    "repository",
    "requested_action",
    "sender",
    "sha",
    "title",
    "type",
    "user",
    "workflow_job",
    "workflow_run",
    "merge_group",
];

/// The web as it ships, on a store in memory.
struct Site {
    router: Router,
    secret: String,
    sent: u32,
}

impl Site {
    fn new() -> Self {
        let secret = format!("{:x}", fastrand::u128(..));
        let web = Web {
            app_id: APP,
            lapse: slipway::web::Lapse::default(),
            store: Arc::new(Memory::default()),
            clock: Arc::new(FakeClock::at(Millis(1_000))),
            secrets: vec![Secret::new(secret.clone())],
            limits: Limits::default(),
            readiness: Arc::new(Readiness::default()),
            metrics: Metrics::new(),
            visitors: Visitors::Local,
            github_url: "https://github.com".to_owned(),
        };
        Self { router: router(web), secret, sent: 0 }
    }

    async fn deliver(&mut self, event: &str, body: &Value) -> u16 {
        self.sent += 1;
        let body = body.to_string().into_bytes();
        let request = Request::post("/webhook")
            .header("x-github-event", event)
            .header("x-github-delivery", format!("delivery-{}", self.sent))
            .header("content-type", "application/json")
            .header("x-hub-signature-256", signature::sign(self.secret.as_bytes(), &body))
            .body(Body::from(body));
        self.router.clone().oneshot(request.unwrap()).await.unwrap().status().as_u16()
    }
}

fn read(event: &str, body: &Value) -> Happening {
    payload::read(event, body.to_string().as_bytes(), APP).unwrap()
}

/// The kind of a happening, by the word its `Debug` begins with.
fn kind(happening: &Happening) -> String {
    let text = format!("{happening:?}");
    text.chars().take_while(char::is_ascii_alphanumeric).collect()
}

#[tokio::test]
async fn all_recorded_webhooks_are_accepted() {
    let mut site = Site::new();
    for one in all() {
        let status = site.deliver(&one.event, &one.body).await;
        assert_eq!(status, 202, "{}", one.name());
    }
    assert!(all().is_empty() || site.sent == 329, "{} of 329", site.sent);
}

#[test]
fn what_we_act_on_is_understood() {
    if all().is_empty() {
        return;
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for one in all().iter().filter(|one| EVENTS.contains(&one.event.as_str())) {
        let happening = read(&one.event, &one.of_an_app());
        *counts.entry(format!("{} {}", one.name(), kind(&happening))).or_default() += 1;
    }
    let told: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    insta::assert_snapshot!(told.join("\n"));
}

/// `body` with `value` at `pointer`, where there is such a place.
fn with(body: &Value, pointer: &str, value: &Value) -> Option<Value> {
    let mut changed = body.clone();
    *changed.pointer_mut(pointer)? = value.clone();
    Some(changed)
}

#[tokio::test]
async fn no_change_of_shape_is_refused() {
    let mut site = Site::new();
    let odd = [Value::Null, json!(7), json!("x"), json!([[]]), json!({"id": {}})];
    for one in all() {
        let body = one.of_an_app();
        let mut changed = vec![json!({}), json!({"action": "unheard_of"})];
        for pointer in [
            "/comment/user",
            "/sender",
            "/pull_request/head/repo",
            "/pull_request/user",
            "/issue/user",
            "/check_run/app",
            "/check_suite/head_commit",
            "/action",
        ] {
            changed.extend(with(&body, pointer, &Value::Null));
        }
        changed.extend(with(&body, "/action", &json!("unheard_of")));
        let keys: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
        for (at, key) in keys.iter().enumerate() {
            let mut without = body.clone();
            without.as_object_mut().unwrap().remove(key);
            changed.push(without);
            changed.extend(with(&body, &format!("/{key}"), &odd[at % odd.len()]));
        }
        let mut more = body.clone();
        more["of_tomorrow"] = json!({"nested": [1, 2, {"deep": null}]});
        changed.push(more);
        for body in changed {
            let status = site.deliver(&one.event, &body).await;
            assert_eq!(status, 202, "{}: {body}", one.name());
            read(&one.event, &body);
        }
        let status = site.deliver("event_of_tomorrow", &body).await;
        assert_eq!(status, 202, "{}", one.name());
    }
}

/// Spoils everything below `value` that we do not read.
fn spoil(value: &mut Value, with: &Value) {
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields.iter_mut() {
                if READ.contains(&key.as_str()) {
                    spoil(inner, with);
                } else {
                    *inner = with.clone();
                }
            }
            fields.insert("of_tomorrow".to_owned(), with.clone());
        }
        Value::Array(entries) => entries.iter_mut().for_each(|inner| spoil(inner, with)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn fields_we_do_not_read_may_be_anything() {
    for one in all().iter().filter(|one| EVENTS.contains(&one.event.as_str())) {
        let body = one.of_an_app();
        let whole = read(&one.event, &body);
        for odd in [Value::Null, json!(-1.5), json!("x"), json!([]), json!({"id": "x"})] {
            let mut spoilt = body.clone();
            spoil(&mut spoilt, &odd);
            assert_eq!(read(&one.event, &spoilt), whole, "{} with {odd}", one.name());
        }
    }
}

#[test]
fn ghosts_and_deleted_forks_are_read_as_such() {
    let find = |name: &'static str| all().iter().filter(move |one: &&Recorded| one.name() == name);
    for one in find("issue_comment.created") {
        let body = one.of_an_app();
        assert!(matches!(read(&one.event, &body), Happening::Comment { .. }));
        let ghost = with(&body, "/comment/user", &Value::Null).unwrap();
        assert!(matches!(read(&one.event, &ghost), Happening::Nothing { .. }));
        let unsent = with(&body, "/sender", &Value::Null).unwrap();
        assert!(matches!(read(&one.event, &unsent), Happening::Nothing { .. }), "who sent it?");
    }
    for one in find("pull_request.synchronize").chain(find("pull_request.closed")) {
        let body = one.of_an_app();
        let orphan = with(&body, "/pull_request/head/repo", &Value::Null).unwrap();
        let orphan = read(&one.event, &orphan);
        assert!(matches!(orphan, Happening::Pull { branch: None, .. }), "{orphan:?}");
    }
}
