//! The judge in front of a server: whatever passes through is judged, and at the end nothing
//! must have been found.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;

use super::{gap, judge_answer, judge_request};

/// Largest body that is judged, in bytes.
const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;

type Found = Arc<Mutex<Vec<String>>>;

/// What was found; fails its test when it goes and something was.
pub(crate) struct Verdict(Found);

impl Drop for Verdict {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let found = self.0.lock().unwrap();
        assert!(found.is_empty(), "GitHub describes it otherwise:\n{}", found.join("\n"));
    }
}

/// `router` behind the judge. Gaps that are listed are not told.
pub(crate) fn watched(router: Router) -> (Router, Verdict) {
    let found = Found::default();
    let verdict = Verdict(Arc::clone(&found));
    let layer = from_fn(move |request: Request, next: Next| {
        let found = Arc::clone(&found);
        async move { exchange(request, next, &found).await }
    });
    (router.layer(layer), verdict)
}

async fn exchange(request: Request, next: Next, found: &Found) -> Response {
    let method = request.method().as_str().to_owned();
    let target = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    // Git speaks in streams that must not be held back.
    if target.contains(".git/") {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let sent = to_bytes(body, BODY_BYTES_MAX).await.unwrap_or_default();
    tell(found, judge_request(&method, &target, &sent));
    let response = next.run(Request::from_parts(parts, Body::from(sent))).await;
    let (parts, body) = response.into_parts();
    let Ok(got) = to_bytes(body, BODY_BYTES_MAX).await else {
        let broken = futures_util::stream::iter([Err::<Vec<u8>, _>(std::io::Error::other("cut"))]);
        return Response::from_parts(parts, Body::from_stream(broken));
    };
    tell(found, judge_answer(&method, &target, parts.status.as_u16(), &got));
    Response::from_parts(parts, Body::from(got))
}

fn tell(found: &Found, violations: Vec<String>) {
    let unlisted = violations.into_iter().filter(|one| gap(one).is_none());
    found.lock().unwrap().extend(unlisted);
}
