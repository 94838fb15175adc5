//! Attacks on tokens: each is run against the adapter as it ships, which must withstand it, and
//! against the adapter with one defence left out, where it must succeed.

use std::sync::Arc;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::bench::{Bench, REPO};
use super::headers::{Seen, serve};
use crate::clock::FakeClock;
use crate::github::app::keys::Lapse;
use crate::github::app::{App, Config};
use crate::github::{At, Error, GitHub, Purpose};
use crate::model::{CheckId, InstallationId, Repo};

fn at() -> At {
    At { installation: InstallationId(7), repo: Repo::parse(REPO).unwrap() }
}

fn app(url: &str, lapse: Lapse) -> App {
    let b = Bench::in_process();
    let pem = b.world.app_pem(b.app).unwrap();
    let config = Config { lapse, ..Config::new(url, b.app, &pem) };
    App::new(&config, Arc::<FakeClock>::clone(&b.clock)).unwrap()
}

/// A server that makes `answer` of every wish for a token.
async fn minting(answer: Value) -> (String, Seen) {
    serve(move |path| -> Response {
        match path {
            "/app/installations/7/access_tokens" => {
                (StatusCode::CREATED, answer.to_string()).into_response()
            }
            "/installation/token" => StatusCode::NO_CONTENT.into_response(),
            _other => StatusCode::NOT_FOUND.into_response(),
        }
    })
    .await
}

#[tokio::test]
async fn attack_45_a_token_wider_than_wanted_is_given_back_and_never_used() {
    let canary = format!("ghs_{:032x}", fastrand::u128(..));
    let good = json!({"token": canary, "permissions": {"contents": "read", "metadata": "read"},
        "repository_selection": "selected", "repositories": [{"full_name": REPO}]});
    let (push, admin) = (json!({"contents": "write"}), json!({"administration": "read"}));
    let rest = json!({"metadata": "read"});
    let with = |more: &Value| {
        let mut all = rest.clone();
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let both = with(&json!({"contents": "read", "workflows": "write"}));
    for (field, value) in [
        ("permissions", with(&push)),
        ("permissions", with(&admin)),
        ("permissions", both),
        ("permissions", Value::Null),
        ("repository_selection", json!("all")),
        ("repositories", json!([{"full_name": REPO}, {"full_name": "mara/other"}])),
        ("repositories", json!([{"full_name": "mara/other"}])),
    ] {
        let mut answer = good.clone();
        answer[field] = value.clone();
        let (url, seen) = minting(answer).await;
        let refused = app(&url, Lapse::None).remote(&at(), Purpose::Fetch).await;
        assert!(matches!(refused, Err(Error::Unexpected(_))), "{value}: {refused:?}");
        let asked = seen.lock().unwrap().clone();
        let back = asked.iter().find(|(path, _)| path == "/installation/token").unwrap();
        assert!(back.1.iter().any(|line| line.ends_with(&canary)), "the very token");
        // Without the comparison it would be used.
        let taken = app(&url, Lapse::Scope).remote(&at(), Purpose::Fetch).await.unwrap();
        assert_eq!(taken.secret.reveal(), canary, "{value}");
    }
    let (url, _seen) = minting(good).await;
    assert!(app(&url, Lapse::None).remote(&at(), Purpose::Fetch).await.is_ok());
}

#[tokio::test]
async fn attack_46_what_is_asked_for_is_one_repository_whoever_else_is_there() {
    let b = Bench::over_http("").await;
    let hub = b.http.as_ref().unwrap();
    let forge = Arc::new(crate::playground::memory::MemoryForge::default());
    let other = b.world.add_repo(&b.mara, "other", "main", forge).unwrap();
    b.world.with(|state| {
        let installed = state.installations.get_mut(&b.at.installation.0).unwrap();
        installed.repositories.insert(other);
    });
    let purposes = [Purpose::Fetch, Purpose::Push];
    for purpose in purposes {
        let remote = hub.remote(&b.at, purpose).await.unwrap();
        let token = b.world.with(|state| state.tokens[remote.secret.reveal()].clone());
        assert_eq!(token.repositories, Some([b.repo_id].into()), "{purpose:?}");
        let asked = if purpose == Purpose::Push { "write" } else { "read" };
        assert_eq!(token.permissions["contents"].name(), asked);
        assert!(token.permissions.keys().all(|name| name == "contents" || name == "metadata"));
    }
    // A token of one repository is no token of its neighbour.
    let neighbour = At { repo: Repo::parse("mara/other").unwrap(), ..b.at.clone() };
    let [own, theirs] = [&b.at, &neighbour].map(|at| hub.remote(at, Purpose::Fetch));
    let (own, theirs) = (own.await.unwrap(), theirs.await.unwrap());
    assert_ne!(own.secret, theirs.secret);
}

#[tokio::test]
async fn attack_45_an_answer_that_leads_elsewhere_takes_no_token_along() {
    for (lapse, leaks) in [(Lapse::None, false), (Lapse::Elsewhere, true)] {
        let canary = format!("ghs_{:032x}", fastrand::u128(..));
        let (elsewhere, asked_there) = serve(|_| "the log\n".into_response()).await;
        let log = format!("{elsewhere}/blob");
        let permissions = ["actions", "checks", "contents", "issues", "metadata", "pull_requests"];
        let mut read: Value =
            permissions.map(|name| (name.to_owned(), json!("read"))).into_iter().collect();
        read["statuses"] = json!("read");
        let made = json!({"token": canary, "permissions": read,
            "repository_selection": "selected", "repositories": [{"full_name": REPO}]});
        let (url, _asked) = serve(move |path| match path {
            "/app/installations/7/access_tokens" => {
                (StatusCode::CREATED, made.to_string()).into_response()
            }
            "/repos/mara/greet/actions/jobs/3/logs" => {
                (StatusCode::FOUND, [(header::LOCATION, log.clone())]).into_response()
            }
            "/repos/mara/greet/check-runs/3" => r#"{"id": 3, "output": null}"#.into_response(),
            "/repos/mara/greet/check-runs/3/annotations" => "[]".into_response(),
            _other => StatusCode::NOT_FOUND.into_response(),
        })
        .await;
        drop(app(&url, lapse).check_log(&at(), CheckId(3)).await);
        let there = asked_there.lock().unwrap().clone();
        assert!(!there.is_empty(), "the log is fetched");
        let seen = there.iter().flat_map(|(_, lines)| lines).any(|line| line.contains(&canary));
        assert_eq!(seen, leaks, "{lapse:?}");
    }
}
