//! Who we are for GitHub and what we are given: clocks that differ, two keys, tokens of every
//! kind, and none of it where it could be read.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::bench::{Bench, REPO};
use super::headers::serve;
use crate::clock::{Clock, FakeClock};
use crate::github::app::{App, Config};
use crate::github::{At, Error, GitHub, Purpose};
use crate::model::{CheckId, InstallationId, IssueNumber, Repo, Secret, Vault};
use crate::playground::faults::Fault;
use crate::playground::world::setup::NewApp;

const MINT: &str = "apps/create-installation-access-token";

fn at() -> At {
    At { installation: InstallationId(7), repo: Repo::parse(REPO).unwrap() }
}

fn app(b: &Bench, url: &str, change: impl FnOnce(&mut Config)) -> App {
    let pem = b.world.app_pem(b.app).unwrap();
    let mut config = Config::new(url, b.app, &pem);
    change(&mut config);
    App::new(&config, Arc::<FakeClock>::clone(&b.clock)).unwrap()
}

fn issue(b: &Bench) -> IssueNumber {
    IssueNumber(b.world.open_issue(b.mara.id, REPO, "An issue", "").unwrap().number)
}

/// A server that makes this token and answers everything else with nothing.
async fn minting(answer: Value) -> String {
    let (url, _seen) = serve(move |path| -> Response {
        if path.ends_with("/access_tokens") {
            (StatusCode::CREATED, answer.to_string()).into_response()
        } else {
            StatusCode::NOT_FOUND.into_response()
        }
    })
    .await;
    url
}

fn token(text: &str) -> Value {
    json!({"token": text, "permissions": {"contents": "read", "metadata": "read"},
        "repository_selection": "selected", "repositories": [{"full_name": REPO}]})
}

#[tokio::test]
async fn a_clock_that_goes_wrong_is_corrected_by_githubs() {
    let b = Bench::over_http("").await;
    let number = issue(&b);
    for skew_ms in [-3 * 3_600_000, 3 * 3_600_000] {
        let wrong = crate::model::Millis(b.clock.now().0 + skew_ms);
        let pem = b.world.app_pem(b.app).unwrap();
        let config = Config::new(&b.world.base_url(), b.app, &pem);
        let app = App::new(&config, Arc::new(FakeClock::at(wrong))).unwrap();
        let before = b.calls(MINT);
        app.issue(&b.at, number).await.unwrap();
        app.issue(&b.at, number).await.unwrap();
        assert_eq!(b.calls(MINT) - before, 1, "its life is judged by GitHub's time");
        app.comment(&b.at, number, &"x".into()).await.unwrap();
        assert_eq!(app.counts().writes["token"], 3, "the time is learned once");
    }
}

#[tokio::test]
async fn the_other_key_is_tried_once_and_remembered() {
    let b = Bench::over_http("").await;
    let number = issue(&b);
    let other = b.world.add_app(&NewApp::bot("other", b.mara.id)).unwrap().id;
    let unknown = {
        // A key of nobody: the World never learns of this App.
        let elsewhere = Bench::in_process();
        elsewhere.world.app_pem(elsewhere.app).unwrap()
    };
    let (good, url) = (b.world.app_pem(b.app).unwrap(), b.world.base_url());
    let with = |first: &str, second: &str| {
        app(&b, &url, |config| {
            config.private_key = Secret::new(first);
            config.private_key_old = Some(Secret::new(second));
        })
    };
    let rotating = with(&unknown, &good);
    rotating.issue(&b.at, number).await.unwrap();
    rotating.comment(&b.at, number, &"x".into()).await.unwrap();
    assert_eq!(rotating.counts().writes["token"], 3, "the wrong key was used once");
    let neither = with(&unknown, &b.world.app_pem(other).unwrap());
    let refused = neither.issue(&b.at, number).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    assert_eq!(neither.counts().writes["token"], 2);
}

#[tokio::test]
async fn both_forms_of_a_key_are_read() {
    let b = Bench::over_http("").await;
    let number = issue(&b);
    let pem = b.world.app_pem(b.app).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let base64 = base64::engine::general_purpose::STANDARD;
    let der = base64::Engine::decode(&base64, body).unwrap();
    // Inside of PKCS#8 stands PKCS#1, behind a version, the algorithm and two lengths.
    let inner = base64::Engine::encode(&base64, &der[26..]);
    let kind = "RSA PRIVATE KEY";
    let lines: Vec<&str> =
        inner.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let old = format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"));
    let app = app(&b, &b.world.base_url(), |config| config.private_key = Secret::new(old));
    app.issue(&b.at, number).await.unwrap();
}

#[tokio::test]
async fn tokens_of_2026_are_taken_and_monsters_refused() {
    let b = Bench::in_process();
    let text = |chars: usize| -> String { (0..chars).map(|_| fastrand::alphanumeric()).collect() };
    let long = format!("ghs_{}_{}.{}.{}", b.app, text(160), text(180), text(170));
    for good in [long.clone(), text(40), text(4096)] {
        let app = app(&b, &minting(token(&good)).await, |_| {});
        assert_eq!(app.remote(&at(), Purpose::Fetch).await.unwrap().secret.reveal(), good);
    }
    for bad in [text(4097), String::new(), format!("{} {}", text(20), text(20)), "a\nb".to_owned()]
    {
        let app = app(&b, &minting(token(&bad)).await, |_| {});
        let refused = app.remote(&at(), Purpose::Fetch).await.unwrap_err();
        assert!(matches!(refused, Error::Unexpected(_)), "{refused}");
        assert!(bad.is_empty() || !refused.to_string().contains(&bad));
    }
}

#[tokio::test]
async fn a_token_wider_than_asked_is_not_used() {
    let b = Bench::in_process();
    for (field, value) in [
        ("permissions", json!({"contents": "write", "metadata": "read"})),
        ("permissions", json!({"contents": "read", "metadata": "read", "issues": "read"})),
        ("repository_selection", json!("all")),
        ("repositories", json!([{"full_name": REPO}, {"full_name": "mara/other"}])),
    ] {
        let mut answer = token("ghs_x");
        answer[field] = value.clone();
        let app = app(&b, &minting(answer).await, |_| {});
        let refused = app.remote(&at(), Purpose::Fetch).await.unwrap_err();
        assert!(refused.to_string().contains("wider than asked"), "{value}: {refused}");
    }
    let mut answer = token("ghs_x");
    answer["permissions"] = json!({"metadata": "read"});
    let app = app(&b, &minting(answer).await, |_| {});
    let refused = app.remote(&at(), Purpose::Fetch).await.unwrap_err();
    assert!(refused.to_string().contains("must accept the App's permissions"), "{refused}");
}

#[tokio::test]
async fn ten_first_calls_for_a_purpose_make_one_token() {
    let b = Bench::over_http("").await;
    let hub = b.http.as_ref().unwrap();
    let all = join_all((0..10).map(|_| hub.remote(&b.at, Purpose::Push))).await;
    let first = all[0].as_ref().unwrap();
    assert!(all.iter().all(|one| one.as_ref().unwrap() == first));
    assert_eq!(b.calls(MINT), 1);
}

#[tokio::test]
async fn a_read_is_sent_three_times_and_a_write_once() {
    let b = Bench::over_http("").await;
    let number = issue(&b);
    for (faults, good) in [(2_u32, true), (3, false)] {
        let next = u32::try_from(b.calls("issues/get")).unwrap() + 1;
        for nth in next..next + faults {
            b.world.faults(|plan| plan.on("issues/get", nth, Fault::status(502, false)));
        }
        assert_eq!(b.hub.issue(&b.at, number).await.is_ok(), good);
    }
    b.fault("issues/create-comment", Fault::status(502, true));
    let lost = b.hub.comment(&b.at, number, &"once".into()).await;
    assert!(matches!(lost, Err(Error::Unavailable(_))), "{lost:?}");
    assert_eq!(b.calls("issues/create-comment"), 1);
}

#[tokio::test]
async fn another_host_is_not_visited() {
    let b = Bench::in_process();
    for (to, named) in
        [("http://evil.example/x", "evil.example"), ("http://169.254.169.254/x", "169.254.169.254")]
    {
        let (url, asked) = serve(move |path| match path {
            "/app/installations/7/access_tokens" => {
                let mut answer = token("ghs_x");
                let read = ["actions", "checks", "issues", "pull_requests", "statuses"];
                for name in read {
                    answer["permissions"][name] = json!("read");
                }
                (StatusCode::CREATED, answer.to_string()).into_response()
            }
            _other => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        })
        .await;
        let app = app(&b, &url, |config| config.timeout = Duration::from_secs(5));
        let refused = app.issue(&at(), IssueNumber(1)).await.unwrap_err();
        assert!(refused.to_string().contains(named), "{refused}");
        assert!(refused.to_string().contains("add it to `hosts`"), "{refused}");
        assert!(matches!(refused, Error::Unexpected(_)), "and is not tried again: {refused}");
        assert_eq!(asked.lock().unwrap().len(), 2);
        assert!(app.check_log(&at(), CheckId(3)).await.is_err());
    }
}

#[tokio::test]
async fn what_did_not_change_costs_no_limit() {
    let b = Bench::over_http("").await;
    let number = issue(&b);
    let used = || {
        let actor = b.world.as_installation(b.at.installation.0).unwrap();
        b.world.with(|state| state.rate(&actor).1)
    };
    let first = b.hub.issue(&b.at, number).await.unwrap();
    let spent = used();
    assert_eq!(b.hub.issue(&b.at, number).await.unwrap(), first);
    assert_eq!(used(), spent, "asked again, nothing is spent");
    let counts = b.http.as_ref().unwrap().counts();
    assert_eq!((counts.reads["issue"], counts.unchanged["issue"]), (2, 1));
    let last = b.world.journal().pop().unwrap();
    assert_eq!((last.operation, last.status), ("issues/get", 304));
    b.hub.close_issue(&b.at, number).await.unwrap();
    assert!(!b.hub.issue(&b.at, number).await.unwrap().open, "a change is seen");
    assert_eq!(b.http.as_ref().unwrap().counts().unchanged["issue"], 1);
}

#[tokio::test]
async fn a_list_grows_by_a_page_although_its_first_page_is_the_same() {
    let b = Bench::over_http("").await;
    let number = issue(&b);
    for count in 0..100 {
        b.world.comment(b.rio.id, REPO, number.0, &format!("comment {count}")).unwrap();
    }
    assert_eq!(b.hub.comment_with(&b.at, number, "marker").await.unwrap(), None);
    let ours = b.hub.comment(&b.at, number, &"marker".into()).await.unwrap();
    assert_eq!(b.hub.comment_with(&b.at, number, "marker").await.unwrap(), Some(ours));
}

#[tokio::test]
async fn two_installations_never_share_an_answer() {
    let b = Bench::in_process();
    let (url, asked) = serve(|path| {
        if path.ends_with("/access_tokens") {
            let mut answer = token("ghs_x");
            for name in ["actions", "checks", "issues", "pull_requests", "statuses"] {
                answer["permissions"][name] = json!("read");
            }
            return (StatusCode::CREATED, answer.to_string()).into_response();
        }
        let issue = json!({"number": 1, "title": "x", "state": "open"}).to_string();
        ([(header::ETAG, "\"same\"")], issue).into_response()
    })
    .await;
    let app = app(&b, &url, |_| {});
    for installation in [7, 8, 7] {
        let at = At { installation: InstallationId(installation), ..at() };
        app.issue(&at, IssueNumber(1)).await.unwrap();
    }
    let asked = asked.lock().unwrap().clone();
    let reads = asked.iter().filter(|(path, _)| path.ends_with("/issues/1"));
    let marks: Vec<bool> = reads
        .map(|(_, headers)| headers.iter().any(|line| line == "if-none-match: \"same\""))
        .collect();
    assert_eq!(marks, [false, false, true]);
}

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_is_shown_and_every_one_is_registered() {
    let log = Log::default();
    let sink = log.clone();
    let lines = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || sink.clone());
    let guard = tracing::subscriber::set_default(lines.finish());
    let b = Bench::over_http("").await;
    let vault = Vault::default();
    let app = app(&b, &b.world.base_url(), |config| config.vault = vault.clone());
    let number = issue(&b);
    app.issue(&b.at, number).await.unwrap();
    let remote = app.remote(&b.at, Purpose::Push).await.unwrap();
    b.world.with(|state| state.installations.clear());
    let refused = app.comment(&b.at, number, &"x".into()).await.unwrap_err();
    drop(guard);
    let shown = format!("{app:?} {remote:?} {refused:?} {refused}");
    let written = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    let tokens: Vec<String> = b.world.with(|state| state.tokens.keys().cloned().collect());
    assert_eq!(tokens.len(), 2);
    for token in &tokens {
        assert!(!shown.contains(token) && !written.contains(token), "{written}");
        assert_eq!(vault.hide(token, "*").as_deref(), Some("*"));
    }
    let key = b.world.app_pem(b.app).unwrap();
    let line = key.lines().nth(1).unwrap();
    assert!(!shown.contains(line) && !written.contains(line));
    assert!(!written.contains("Bearer ey"), "{written}");
}
