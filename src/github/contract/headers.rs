//! What leaves our machine: the headers GitHub asks for, and no credentials for strangers.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio_util::task::TaskTracker;

use super::bench::Bench;
use crate::clock::{Clock, FakeClock};
use crate::github::GitHub;
use crate::github::app::{App, Config};
use crate::model::CheckId;

/// Requests that arrived, as path and headers.
pub(super) type Seen = Arc<Mutex<Vec<(String, Vec<String>)>>>;

const MINTED: &str = r#"{"token": "ghs_x", "permissions": {"actions": "read", "checks": "read",
    "contents": "read", "issues": "read", "metadata": "read", "pull_requests": "read",
    "statuses": "read"}}"#;

/// A server on loopback that answers through `answer` and notes what it is asked.
pub(super) async fn serve(
    answer: impl Fn(&str) -> Response + Clone + Send + Sync + 'static,
) -> (String, Seen) {
    let seen = Seen::default();
    let noted = Arc::clone(&seen);
    let router = Router::new().fallback(move |request: Request<Body>| async move {
        let path = request.uri().path().to_owned();
        let line = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
            format!("{name}: {}", value.to_str().unwrap_or_default())
        };
        let headers = request.headers().iter().map(line).collect();
        noted.lock().unwrap().push((path.clone(), headers));
        answer(&path)
    });
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    TaskTracker::new().spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, seen)
}

#[tokio::test]
async fn a_log_elsewhere_is_fetched_without_our_token() {
    let (elsewhere, asked_there) = serve(|_| "the log\n".into_response()).await;
    let log = format!("{elsewhere}/blob");
    let (url, asked) = serve(move |path| match path {
        "/app/installations/7/access_tokens" => (StatusCode::CREATED, MINTED).into_response(),
        "/repos/mara/greet/actions/jobs/3/logs" => {
            (StatusCode::FOUND, [(header::LOCATION, log.clone())]).into_response()
        }
        "/repos/mara/greet/check-runs/3" => r#"{"id": 3, "output": null}"#.into_response(),
        "/repos/mara/greet/check-runs/3/annotations" => "[]".into_response(),
        _other => StatusCode::NOT_FOUND.into_response(),
    })
    .await;
    let b = Bench::in_process();
    let pem = b.world.app_pem(b.app).unwrap();
    let clock: Arc<dyn Clock> = Arc::<FakeClock>::clone(&b.clock);
    let app = App::new(&Config::new(&url, b.app, &pem), clock).unwrap();
    let at = crate::github::At {
        installation: crate::model::InstallationId(7),
        repo: crate::model::Repo::parse("mara/greet").unwrap(),
    };
    assert_eq!(app.check_log(&at, CheckId(3)).await.unwrap(), "the log");
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 4);
    for (path, headers) in &asked {
        let has = |start: &str| headers.iter().filter(|line| line.starts_with(start)).count() == 1;
        let minting = path.ends_with("access_tokens");
        let bearer =
            if minting { "authorization: Bearer ey" } else { "authorization: Bearer ghs_x" };
        for line in [
            bearer,
            "accept: application/vnd.github+json",
            "user-agent: slipway/",
            "x-github-api-version: 2022-11-28",
        ] {
            assert!(has(line), "{path}: {line}: {headers:?}");
        }
    }
    let there = asked_there.lock().unwrap().clone();
    assert_eq!(there.len(), 1);
    assert!(!there[0].1.iter().any(|line| line.contains("ghs_x")), "{there:?}");
}
