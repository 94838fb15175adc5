//! The judge itself on trial: it knows right from wrong, or its silence says nothing.

use serde_json::{Value, json};

use super::{GAPS, gap, is_there, judge, judge_answer, judge_request};

const RUNS: &str = "/repos/mara/greet/check-runs";
const SHA: &str = "1111111111111111111111111111111111111111";

fn asked(method: &str, target: &str, body: &Value) -> Vec<String> {
    judge_request(method, target, body.to_string().as_bytes())
}

/// A check run as GitHub takes it.
fn run() -> Value {
    let annotation = json!({"path": "a", "start_line": 1, "end_line": 1,
        "annotation_level": "failure", "message": "m", "title": "t"});
    let action = json!({"label": "l".repeat(20), "description": "d".repeat(40),
        "identifier": "i".repeat(20)});
    json!({"name": "slipway", "head_sha": SHA, "status": "completed", "conclusion": "failure",
        "external_id": "r1", "completed_at": "2026-01-01T00:00:00Z",
        "output": {"title": "t", "summary": "é".repeat(65_535), "text": "x".repeat(65_535),
            "annotations": vec![annotation; 50]},
        "actions": vec![action; 3]})
}

#[test]
fn what_github_takes_passes() {
    assert_eq!(asked("POST", RUNS, &run()), Vec::<String>::new());
    for (method, target) in [
        ("GET", "/repos/mara/greet/issues?state=all&sort=updated&per_page=100&page=2"),
        ("GET", "/api/v3/repos/mara/greet/commits/feat/x/y/check-runs?app_id=3&filter=latest"),
        ("GET", "/repos/mara/greet/commits/feat%2Fx/status"),
        ("GET", "/repos/mara/greet/contents/.github/slipway.yml?ref=main"),
        ("GET", "/repos/mara/greet/git/ref/heads/feat/x"),
        ("GET", "/repos/mara/greet/compare/a/b...c/d"),
        ("GET", "/repositories/7/pulls/8/reviews?per_page=100&page=2"),
        ("DELETE", "/repos/mara/greet/issues/5/labels/a/b"),
        ("POST", "/graphql"),
        ("POST", "/api/graphql"),
        ("GET", "/mara/greet.git/info/refs?service=git-upload-pack"),
    ] {
        assert_eq!(judge_request(method, target, b""), Vec::<String>::new(), "{target}");
    }
}

#[test]
fn a_broken_request_is_caught() {
    if !is_there() {
        return;
    }
    let change = |pointer: &str, value: Value| {
        let mut run = run();
        *run.pointer_mut(pointer).unwrap() = value;
        run
    };
    let with = |name: &str, value: Value| {
        let mut run = run();
        run[name] = value;
        run
    };
    let many = |pointer: &str, count: usize| {
        let one = run().pointer(pointer).unwrap()[0].clone();
        change(pointer, vec![one; count].into())
    };
    for (what, body) in [
        ("51 annotations", many("/output/annotations", 51)),
        ("4 buttons", many("/actions", 4)),
        ("65,536 characters of summary", change("/output/summary", "é".repeat(65_536).into())),
        ("65,536 characters of text", change("/output/text", "é".repeat(65_536).into())),
        ("a label of 21", change("/actions/0/label", "l".repeat(21).into())),
        ("a description of 41", change("/actions/1/description", "d".repeat(41).into())),
        ("an identifier of 21", change("/actions/2/identifier", "i".repeat(21).into())),
        ("a number for a name", change("/name", json!(7))),
        ("a line as text", change("/output/annotations/9/start_line", json!("1"))),
        ("an unheard-of level", change("/output/annotations/9/annotation_level", json!("error"))),
        ("an unheard-of conclusion", change("/conclusion", json!("good"))),
        ("a time that is none", change("/completed_at", json!("yesterday"))),
        ("an unknown property", with("externalId", json!("x"))),
        ("an unknown property inside", change("/output", json!({"titel": "", "summary": ""}))),
        ("null for a list", change("/actions", Value::Null)),
    ] {
        assert_ne!(asked("POST", RUNS, &body), Vec::<String>::new(), "{what} passed");
    }
    let mut nameless = run();
    nameless.as_object_mut().unwrap().remove("name");
    assert_ne!(asked("POST", RUNS, &nameless), Vec::<String>::new());
    for (method, target, body) in [
        ("GET", "/repos/mara/greet/issuse", ""),
        ("POST", "/repos/mara/greet/issues/comments/5", r#"{"body":"x"}"#),
        ("GET", "/repos/mara/greet/issues/five", ""),
        ("GET", "/repos/mara/greet/issues?stat=all", ""),
        ("GET", "/repos/mara/greet/issues?state=al", ""),
        ("GET", "/repos/mara/greet/issues?per_page=many", ""),
        ("GET", "/repos/mara/greet/issues?since=today", ""),
        ("POST", "/repos/mara/greet/issues/5/comments", ""),
        ("POST", "/repos/mara/greet/issues/5/comments", "{"),
        ("POST", "/repos/mara/greet/issues/comments/5/reactions", r#"{"content":"eye"}"#),
        ("POST", "/repos/mara/greet/check-runs/5/rerequest", r#"{"now":true}"#),
        ("PUT", "/repos/mara/greet/pulls/5/merge", r#"{"sha":5}"#),
    ] {
        let found = judge_request(method, target, body.as_bytes());
        assert_ne!(found, Vec::<String>::new(), "{method} {target} {body}");
    }
}

#[test]
fn a_broken_answer_is_caught() {
    if !is_there() {
        return;
    }
    let permission = "/repos/mara/greet/collaborators/mara/permission";
    let told = |status: u16, body: &Value| {
        judge_answer("GET", permission, status, body.to_string().as_bytes())
    };
    let good = json!({"permission": "admin", "role_name": "admin", "user": null});
    assert_eq!(told(200, &good), Vec::<String>::new());
    assert_eq!(told(404, &json!({"message": "Not Found"})), Vec::<String>::new());
    assert_eq!(told(502, &Value::Null), Vec::<String>::new());
    for (status, body) in [
        (200, json!({"permission": "admin", "role_name": "admin"})),
        (200, json!({"permission": 1, "role_name": "admin", "user": null})),
        (200, json!({"permission": "admin", "role_name": "admin", "user": {"login": "mara"}})),
        (200, json!([])),
        (201, good),
        (418, json!({})),
        (404, json!({"message": 7})),
    ] {
        assert_ne!(told(status, &body), Vec::<String>::new(), "{status} {body}");
    }
    assert_ne!(judge("GET", permission, b"", 200, b"<html>"), Vec::<String>::new());
    let merged = "/repos/mara/greet/pulls/5/merge";
    assert_eq!(judge("GET", merged, b"", 204, b""), Vec::<String>::new());
    assert_ne!(judge("GET", merged, b"", 204, b"{}"), Vec::<String>::new());
}

#[test]
fn gaps_say_why_and_are_found_by_their_beginning() {
    for (at, one) in GAPS.iter().enumerate() {
        assert!(one.why.len() > 20, "{}: say why", one.begins);
        let told = format!("{} {}", one.begins, one.about);
        assert_eq!(gap(&told), Some(at), "{told} stands twice");
    }
    assert_eq!(gap("pulls/get: request: /x"), None);
}
