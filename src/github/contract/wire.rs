//! What only the adapter over HTTP can get wrong: tokens, counts and secrets in its output.

use std::sync::Arc;

use futures_util::future::join_all;

use super::bench::{Bench, REPO};
use crate::clock::FakeClock;
use crate::github::app::{App, Config};
use crate::github::{Error, GitHub};
use crate::model::IssueNumber;

const MINT: &str = "apps/create-installation-access-token";

fn issue(b: &Bench) -> IssueNumber {
    IssueNumber(b.world.open_issue(b.mara.id, REPO, "An issue", "").unwrap().number)
}

#[tokio::test]
async fn many_callers_make_one_token() {
    let b = Bench::over_http("").await;
    let number = issue(&b);
    let all = join_all((0..8).map(|_| b.hub.issue(&b.at, number))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(b.calls(MINT), 1);
    b.hub.comment(&b.at, number, &"x".into()).await.unwrap();
    assert_eq!(b.calls(MINT), 2, "writing needs a token of its own");
}

#[tokio::test]
async fn tokens_are_renewed_before_they_die_and_once_when_they_did() {
    let b = Bench::over_http("").await;
    let number = issue(&b);
    b.hub.issue(&b.at, number).await.unwrap();
    b.clock.advance(54 * 60_000);
    b.hub.issue(&b.at, number).await.unwrap();
    assert_eq!(b.calls(MINT), 1, "it lives for some minutes more");
    b.clock.advance(2 * 60_000);
    b.hub.issue(&b.at, number).await.unwrap();
    assert_eq!(b.calls(MINT), 2, "it would die soon");
    b.world.with(|state| state.tokens.clear());
    b.hub.comment(&b.at, number, &"once".into()).await.unwrap();
    b.world.with(|state| state.tokens.clear());
    b.hub.comment(&b.at, number, &"twice".into()).await.unwrap();
    assert_eq!(b.calls(MINT), 4, "a revoked token is replaced once");
    assert_eq!(b.world.with(|state| state.repos[&b.repo_id].comments.len()), 2);
    b.world.with(|state| {
        state.tokens.clear();
        state.installations.clear();
    });
    assert!(matches!(b.hub.issue(&b.at, number).await, Err(Error::Gone(_))));
}

#[tokio::test]
async fn a_token_for_reading_cannot_write() {
    let b = Bench::over_http("").await;
    let number = issue(&b);
    b.hub.issue(&b.at, number).await.unwrap();
    let levels = b.world.with(|state| {
        let tokens = state.tokens.values();
        tokens.flat_map(|token| token.permissions.values().copied()).collect::<Vec<_>>()
    });
    assert!(!levels.is_empty());
    assert!(levels.iter().all(|level| *level == crate::playground::world::Level::Read));
}

#[tokio::test]
async fn requests_are_counted_by_kind() {
    let b = Bench::over_http("").await;
    let number = issue(&b);
    b.hub.issue(&b.at, number).await.unwrap();
    b.hub.issue(&b.at, number).await.unwrap();
    b.hub.comment(&b.at, number, &"x".into()).await.unwrap();
    let counts = b.http.as_ref().unwrap().counts();
    assert_eq!(counts.reads.get("issue"), Some(&2));
    assert_eq!(counts.writes.get("comment"), Some(&1));
    assert_eq!(counts.writes.get("token"), Some(&2));
}

#[tokio::test]
async fn the_wrong_key_and_a_dead_address_are_told_apart() {
    let b = Bench::over_http("").await;
    let number = issue(&b);
    let other = b.world.add_app(&crate::playground::world::setup::NewApp::bot("x", b.mara.id));
    let pem = b.world.app_pem(other.unwrap().id).unwrap();
    let clock: Arc<dyn crate::clock::Clock> = Arc::<FakeClock>::clone(&b.clock);
    let config = Config::new(&b.world.base_url(), b.app, &pem);
    assert!(!format!("{config:?}").contains("PRIVATE"));
    let stranger = App::new(&config, Arc::clone(&clock)).unwrap();
    let refused = stranger.issue(&b.at, number).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    let closed = {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.local_addr().unwrap()
    };
    let config = Config::new(&format!("http://{closed}"), b.app, &pem);
    let alone = App::new(&config, Arc::clone(&clock)).unwrap();
    let lost = alone.issue(&b.at, number).await;
    assert!(matches!(lost, Err(Error::Unavailable(_))), "{lost:?}");
    assert!(App::new(&Config::new("http://127.0.0.1", 1, "no key"), clock).is_err());
}

#[tokio::test]
async fn a_hung_server_is_not_waited_for() {
    let b = Bench::over_http("").await;
    let number = issue(&b);
    let pem = b.world.app_pem(b.app).unwrap();
    let mut config = Config::new(&b.world.base_url(), b.app, &pem);
    config.timeout = std::time::Duration::from_millis(300);
    let app = App::new(&config, Arc::<FakeClock>::clone(&b.clock)).unwrap();
    app.issue(&b.at, number).await.unwrap();
    app.comment(&b.at, number, &"warm".into()).await.unwrap();
    b.fault("issues/create-comment", crate::playground::faults::Fault::timeout(true));
    let lost = app.comment(&b.at, number, &"marker".into()).await;
    assert!(matches!(lost, Err(Error::Unavailable(_))), "{lost:?}");
    assert!(app.comment_with(&b.at, number, "marker").await.unwrap().is_some());
}
