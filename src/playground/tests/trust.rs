//! Claims, tokens, scopes, limits and who may do what.

use octocrab::jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::{REPO, START_MS, Stage};
use crate::playground::http::{Content, Reply, Request, answer};
use crate::playground::world::{Actor, Op};

fn claim(stage: &Stage, iat: i64, exp: i64) -> String {
    let pem = stage.world.app_pem(stage.bot.id).unwrap();
    let key = EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
    let now = START_MS / 1000;
    let claims = json!({"iat": now + iat, "exp": now + exp, "iss": stage.bot.id.to_string()});
    format!("Bearer {}", encode(&Header::new(Algorithm::RS256), &claims, &key).unwrap())
}

fn ask(stage: &Stage, method: &str, path: &str, token: &str, body: &Value) -> (u16, Reply) {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        authorization: Some(token.to_owned()),
        body,
        ..Request::default()
    };
    match answer(&stage.world, &request) {
        Ok(reply) => (reply.status, reply),
        Err(error) => (error.status, Reply::json(error.to_json())),
    }
}

fn value(reply: &Reply) -> Value {
    match &reply.content {
        Content::Json(value) => value.clone(),
        Content::Nothing | Content::List(..) | Content::Bytes(..) => Value::Null,
    }
}

#[test]
fn a_claim_buys_a_token_that_is_scoped_and_expires() {
    let stage = Stage::new();
    let good = claim(&stage, -60, 540);
    assert_eq!(ask(&stage, "GET", "/app", &good, &Value::Null).0, 200);
    for bad in [claim(&stage, -60, 3_600), claim(&stage, 120, 540), claim(&stage, -700, -1)] {
        assert_eq!(ask(&stage, "GET", "/app", &bad, &Value::Null).0, 401);
    }
    let path = format!("/app/installations/{}/access_tokens", stage.installation);
    let more = json!({"permissions": {"administration": "write"}});
    assert_eq!(ask(&stage, "POST", &path, &good, &more).0, 422);
    let scope = json!({"repositories": ["greet"], "permissions": {"issues": "write"}});
    let (status, reply) = ask(&stage, "POST", &path, &good, &scope);
    let secret = value(&reply)["token"].as_str().unwrap().to_owned();
    assert_eq!((status, secret.matches('.').count()), (201, 2));
    assert!(secret.starts_with("ghs_") && secret.len() > 500);
    let token = format!("token {secret}");
    let issues = "/repos/mara/greet/issues";
    let (status, reply) = ask(&stage, "POST", issues, &token, &json!({"title": "Hi"}));
    assert_eq!(status, 201);
    let made = value(&reply);
    assert_eq!(made["performed_via_github_app"]["id"], stage.bot.id);
    assert_eq!(made["user"]["login"], "slipway[bot]");
    let run = json!({"name": "slipway", "head_sha": "0"});
    let (status, reply) = ask(&stage, "POST", "/repos/mara/greet/check-runs", &token, &run);
    assert_eq!(status, 403);
    assert_eq!(value(&reply)["message"], "Resource not accessible by integration");
    assert_eq!(ask(&stage, "GET", "/repos/mara/other", &token, &Value::Null).0, 404);
    stage.world.change_permissions(stage.installation, std::collections::BTreeMap::new()).unwrap();
    let wish = json!({"title": "Hi"});
    assert_eq!(ask(&stage, "POST", issues, &token, &wish).0, 403, "taken back");
    stage.advance(3_600_000);
    assert_eq!(ask(&stage, "GET", issues, &token, &Value::Null).0, 401);
}

#[test]
fn lists_come_in_pages_and_unchanged_answers_as_304() {
    let stage = Stage::new();
    for n in 0..5 {
        stage.world.open_issue(stage.mara.id, REPO, &format!("issue {n}"), "").unwrap();
    }
    let token = format!("Bearer {}", stage.world.human_token(stage.rio.id));
    let path = "/repos/mara/greet/issues?per_page=2&page=2";
    let (_, reply) = ask(&stage, "GET", path, &token, &Value::Null);
    assert_eq!(value(&reply).as_array().unwrap().len(), 2);
    let header = |name: &str| {
        let found = reply.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, text)| text.clone()).unwrap_or_default()
    };
    assert!(header("link").contains("page=3&per_page=2>; rel=\"next\""));
    assert!(header("link").contains("rel=\"prev\""));
    let again = Request {
        method: "GET".into(),
        path: "/api/v3/repos/mara/greet/issues".into(),
        query: "per_page=2&page=2".into(),
        authorization: Some(token),
        if_none_match: Some(header("etag")),
        ..Request::default()
    };
    assert_eq!(answer(&stage.world, &again).unwrap().status, 304);
}

#[test]
fn people_do_what_their_role_allows_and_long_bodies_are_refused() {
    let stage = Stage::new();
    let otto = stage.world.add_user("otto");
    let issue = stage.world.open_issue(otto.id, REPO, "A wish", "").unwrap().number;
    assert_eq!(stage.world.label(otto.id, REPO, issue, "go").unwrap_err().status, 403);
    let labelled = stage.world.label(stage.rio.id, REPO, issue, "go").unwrap();
    assert_eq!(labelled.labels["go"].by.login, "rio");
    let long = "x".repeat(65_537);
    assert_eq!(stage.world.comment(otto.id, REPO, issue, &long).unwrap_err().status, 422);
    let token = format!("Bearer {}", stage.world.human_token(stage.mara.id));
    let path = |login: &str| format!("/repos/mara/greet/collaborators/{login}/permission");
    let (_, reply) = ask(&stage, "GET", &path("otto"), &token, &Value::Null);
    assert_eq!(value(&reply)["permission"], "read");
    let (_, reply) = ask(&stage, "GET", &path("rio"), &token, &Value::Null);
    assert_eq!(value(&reply)["role_name"], "write");
    assert_eq!(value(&reply)["user"]["id"], stage.rio.id);
    stage.world.set_settings(REPO, |settings| settings.private = true).unwrap();
    let outsider = Actor::User(otto.id);
    let seen = stage
        .world
        .call(&outsider, Op::read("repos/get", ""), |state| state.enter(&outsider, REPO, &[]));
    assert_eq!(seen.unwrap_err().status, 404);
}
