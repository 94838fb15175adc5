//! The web as its callers see it: what is refused, what is kept, what is shown.

mod attacks;
mod kept;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::Request as Http;
use axum::response::Response;
use tower::ServiceExt;

use self::kept::{Kept, Mood};
use super::*;
use crate::clock::FakeClock;
use crate::github::signature;
use crate::model::{InstallationId, IssueNumber, Millis, Repo, RunId, User, UserId};
use crate::pipeline::state::Request;
use crate::pipeline::{Event, EventKind, State};
use crate::policy::Policy;
use crate::store::memory::Memory;
use crate::store::{Opened, Opening};

const BODY: &str = "{\"action\":\"created\",\"issue\":{},\"comment\":{}}";

/// A web on a store, with everything a test may want to look at.
struct Site {
    store: Arc<Kept>,
    readiness: Arc<Readiness>,
    metrics: Metrics,
    web: Web,
    secret: Secret,
}

fn site(mood: Mood) -> Site {
    let store = Arc::new(Kept { mood, ..Kept::default() });
    let readiness = Arc::new(Readiness::default());
    let metrics = Metrics::new();
    let [old, new] = [(); 2].map(|()| Secret::new(format!("{:032x}", fastrand::u128(..))));
    let web = Web {
        app_id: 7,
        lapse: Lapse::default(),
        store: Arc::<Kept>::clone(&store),
        clock: Arc::new(FakeClock::at(Millis(1_000))),
        secrets: vec![new.clone(), old],
        limits: Limits { read_ms_max: 300, store_ms_max: 300, ..Limits::default() },
        readiness: Arc::clone(&readiness),
        metrics: metrics.clone(),
        visitors: Visitors::Local,
        github_url: "https://github.com".to_owned(),
    };
    Site { store, readiness, metrics, web, secret: new }
}

impl Site {
    async fn ask(&self, request: Http<Body>) -> Response {
        router(self.web.clone()).oneshot(request).await.unwrap()
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let request = Http::get(path).header("host", "localhost").body(Body::empty());
        read(self.ask(request.unwrap()).await).await
    }

    async fn deliver(&self, delivery: Delivery) -> u16 {
        self.ask(delivery.request()).await.status().as_u16()
    }

    /// The same place once more, with a store of its own.
    fn again(&self) -> Self {
        let fresh = site(Mood::Well);
        let web = Web { secrets: self.web.secrets.clone(), ..fresh.web };
        Self { web, secret: self.secret.clone(), ..fresh }
    }

    /// A delivery as GitHub sends it.
    fn genuine(&self, body: &[u8]) -> Delivery {
        let signature = signature::sign(self.secret.reveal().as_bytes(), body);
        Delivery {
            signature: Some(signature),
            id: Some("72d3162e-cc78-11e3-81ab-4c9367dc0958".to_owned()),
            event: Some("issue_comment".to_owned()),
            body: Bytes::copy_from_slice(body).into(),
        }
    }

    fn kept(&self) -> usize {
        self.store.deliveries.lock().unwrap().len()
    }

    fn counted(&self, answer: &str) -> bool {
        let line = format!("slipway_deliveries_total{{answer=\"{answer}\"}} 1");
        self.metrics.render(None).lines().any(|written| written == line)
    }
}

struct Delivery {
    signature: Option<String>,
    id: Option<String>,
    event: Option<String>,
    body: Body,
}

impl Delivery {
    fn request(self) -> Http<Body> {
        let mut request = Http::post("/webhook").header("content-type", "application/json");
        for (name, value) in [
            ("x-hub-signature-256", self.signature),
            ("x-github-delivery", self.id),
            ("x-github-event", self.event),
        ] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        request.body(self.body).unwrap()
    }
}

async fn read(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn a_genuine_delivery_is_kept_as_it_came_and_a_repeat_changes_nothing() {
    let site = site(Mood::Well);
    assert_eq!(site.deliver(site.genuine(BODY.as_bytes())).await, 202);
    assert_eq!(site.deliver(site.genuine(b"{\"other\":1,\"issue\":{},\"comment\":{}}")).await, 202);
    let kept = site.store.deliveries.lock().unwrap().clone();
    let delivery = kept.values().next().unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(delivery.body, BODY.as_bytes());
    assert_eq!((delivery.event.as_str(), delivery.at), ("issue_comment", Millis(1_000)));
    assert!(site.counted("recorded") && site.counted("repeat"));
}

#[tokio::test]
async fn both_secrets_count_while_one_is_replaced() {
    let mut site = site(Mood::Well);
    site.secret = site.web.secrets[1].clone();
    assert_eq!(site.deliver(site.genuine(BODY.as_bytes())).await, 202);
    site.web.secrets.pop();
    assert_eq!(site.deliver(site.genuine(BODY.as_bytes())).await, 401);
}

#[tokio::test]
async fn without_a_genuine_signature_nothing_reaches_the_store() {
    let site = site(Mood::Well);
    let genuine = site.genuine(BODY.as_bytes()).signature.unwrap();
    let other = signature::sign(b"another secret", BODY.as_bytes());
    let sha1 = format!("sha1={}", &genuine["sha256=".len()..][..40]);
    let cut = genuine[..genuine.len() - 2].to_owned();
    let bare = genuine["sha256=".len()..].to_owned();
    for forged in [None, Some(other), Some(sha1), Some(cut), Some(bare), Some(String::new())] {
        let delivery = Delivery { signature: forged.clone(), ..site.genuine(BODY.as_bytes()) };
        assert_eq!(site.deliver(delivery).await, 401, "{forged:?}");
    }
    let changed = Delivery { body: Body::from("{}"), ..site.genuine(BODY.as_bytes()) };
    assert_eq!(site.deliver(changed).await, 401);
    assert_eq!(site.kept(), 0);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_whether_announced_or_not() {
    let mut site = site(Mood::Well);
    site.web.limits.body_bytes_max = 1_000;
    let around = "{\"issue\":{},\"comment\":{},\"a\":\"\"}".len();
    let filling = "x".repeat(1_000 - around);
    let fits = format!("{{\"issue\":{{}},\"comment\":{{}},\"a\":\"{filling}\"}}");
    assert_eq!(fits.len(), 1_000);
    assert_eq!(site.deliver(site.genuine(fits.as_bytes())).await, 202);
    let large = vec![b' '; 1_001];
    assert_eq!(site.deliver(site.genuine(&large)).await, 413);
    let chunks = large.chunks(100).map(|c| Ok::<_, std::io::Error>(c.to_vec()));
    let stream = Body::from_stream(futures_util::stream::iter(chunks.collect::<Vec<_>>()));
    let unannounced = Delivery { body: stream, ..site.genuine(&large) };
    assert_eq!(site.deliver(unannounced).await, 413);
    let mut announced = site.genuine(b"{}").request();
    announced.headers_mut().insert("content-length", HeaderValue::from_static("26214401"));
    assert_eq!(site.ask(announced).await.status(), 413);
    assert_eq!(site.kept(), 1);
}

#[tokio::test]
async fn what_is_signed_but_malformed_is_refused() {
    let site = site(Mood::Well);
    for body in ["", "{", "[]", "payload=%7B%7D", "{\"a\":\"\u{1}\"}"] {
        assert_eq!(site.deliver(site.genuine(body.as_bytes())).await, 400, "{body:?}");
    }
    for id in [None, Some(String::new()), Some("x".repeat(101)), Some("a b".to_owned())] {
        let delivery = Delivery { id: id.clone(), ..site.genuine(BODY.as_bytes()) };
        assert_eq!(site.deliver(delivery).await, 400, "{id:?}");
    }
    let nameless = Delivery { event: None, ..site.genuine(BODY.as_bytes()) };
    assert_eq!(site.deliver(nameless).await, 400);
    assert_eq!(site.kept(), 0);
}

#[tokio::test]
async fn an_event_nobody_reads_is_acknowledged_and_not_kept() {
    let site = site(Mood::Well);
    let ping = Delivery { event: Some("ping".to_owned()), ..site.genuine(BODY.as_bytes()) };
    assert_eq!(site.deliver(ping).await, 202);
    assert_eq!(site.kept(), 0);
    assert!(site.counted("unread"));
}

#[tokio::test]
async fn what_is_not_durable_is_never_acknowledged() {
    for (mood, status) in
        [(Mood::Busy, 503), (Mood::Broken, 503), (Mood::Silent, 503), (Mood::Panics, 500)]
    {
        let site = site(mood);
        let response = site.ask(site.genuine(BODY.as_bytes()).request()).await;
        assert_eq!(response.status().as_u16(), status, "{mood:?}");
        let retry = response.headers().get("retry-after").is_some();
        assert_eq!(retry, status == 503, "{mood:?}");
        assert_eq!(site.kept(), 0);
    }
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up() {
    let site = site(Mood::Well);
    let first = futures_util::stream::iter([Ok::<_, std::io::Error>(b"{".to_vec())]);
    let stuck = futures_util::StreamExt::chain(first, futures_util::stream::pending());
    let slow = Delivery { body: Body::from_stream(stuck), ..site.genuine(BODY.as_bytes()) };
    assert_eq!(site.deliver(slow).await, 408);
    assert!(site.counted("slow"));
}

#[tokio::test]
async fn limits_answer_busy_and_free_themselves() {
    let mut site = site(Mood::Well);
    site.web.limits.bodies_bytes_max = 1_024;
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(2_000));
    assert_eq!(site.deliver(site.genuine(large.as_bytes())).await, 503);
    let app = router(site.web.clone());
    for id in ["a", "b"] {
        let delivery = Delivery { id: Some(id.to_owned()), ..site.genuine(BODY.as_bytes()) };
        assert_eq!(app.clone().oneshot(delivery.request()).await.unwrap().status(), 202);
    }
    site.web.limits.deliveries_max = 0;
    assert_eq!(site.deliver(site.genuine(BODY.as_bytes())).await, 503);
    assert_eq!(site.kept(), 2);
}

#[tokio::test]
async fn readiness_tells_every_reason() {
    let site = site(Mood::Well);
    assert_eq!(site.get("/healthz").await, (200, "alive\n".to_owned()));
    let (status, text) = site.get("/readyz").await;
    assert_eq!((status, text.contains("have not started")), (503, true), "{text}");
    site.readiness.expect(2);
    let [one, two] = [site.readiness.worker(), site.readiness.worker()];
    let ready = (200, "{\"ready\":true,\"reasons\":[]}".to_owned());
    assert_eq!(site.get("/readyz").await, ready);
    drop(two);
    let (status, text) = site.get("/readyz").await;
    assert_eq!((status, text.contains("1 of 2 workers are alive")), (503, true), "{text}");
    site.readiness.drain();
    assert!(site.get("/readyz").await.1.contains("shutting down"));
    drop(one);
    for (mood, reason) in [(Mood::Broken, "cannot be read"), (Mood::Silent, "does not answer")] {
        let site = self::site(mood);
        let (status, text) = site.get("/readyz").await;
        assert_eq!((status, text.contains(reason)), (503, true), "{text}");
        assert!(!text.contains("disk"), "details are not for strangers");
        assert_eq!(site.get("/healthz").await.0, 200);
    }
}

#[tokio::test]
async fn metrics_show_counts_and_the_queue_to_those_who_may_see_them() {
    let mut site = site(Mood::Well);
    assert_eq!(site.deliver(site.genuine(BODY.as_bytes())).await, 202);
    let (status, text) = site.get("/metrics").await;
    assert_eq!(status, 200);
    assert!(text.contains("slipway_runs_live 3") && site.counted("recorded"), "{text}");
    site.web.visitors = Visitors::Nobody;
    for path in ["/metrics", "/", "/runs/r0123456789"] {
        assert_eq!(site.get(path).await.0, 403, "{path}");
    }
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_make_it_harmless() {
    let site = site(Mood::Well);
    let mut all = std::collections::BTreeSet::new();
    for path in ["/", "/healthz", "/nowhere", "/runs/r0123456789"] {
        let request = Http::get(path).header("host", "localhost").body(Body::empty());
        let response = site.ask(request.unwrap()).await;
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        let lines = hardening().map(|(name, _)| format!("{name}: {}", header(name.as_str())));
        all.insert(lines.join("\n"));
    }
    assert_eq!(all.len(), 1);
    insta::assert_snapshot!(all.first().unwrap(), @"
    x-content-type-options: nosniff
    referrer-policy: no-referrer
    x-frame-options: DENY
    cache-control: no-store
    cross-origin-resource-policy: same-origin
    cross-origin-opener-policy: same-origin
    permissions-policy: camera=(), microphone=(), geolocation=()
    strict-transport-security: max-age=31536000
    content-security-policy: default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'
    ");
}

#[tokio::test]
async fn pages_show_runs_with_the_style_sheet_they_ask_for() {
    let (memory, run) = with_a_run().await;
    let mut site = site(Mood::Well);
    site.web.store = memory;
    let (status, list) = site.get("/").await;
    assert_eq!((status, list.contains(&format!("href=\"/runs/{run}\""))), (200, true), "{list}");
    let (status, page) = site.get(&format!("/runs/{run}")).await;
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("href=\"https://github.com/octo/hello/issues/7\""), "{page}");
    assert!(page.contains("the run was opened") && page.contains("&lt;b&gt;"), "{page}");
    assert!(page.contains("href=\"/slipway.css\""), "{page}");
    let (status, css) = site.get("/slipway.css").await;
    assert_eq!((status, css.contains('{')), (200, true));
}

/// A store in memory that holds one run.
async fn with_a_run() -> (Arc<Memory>, RunId) {
    let memory = Arc::new(Memory::default());
    let repo = Repo::parse("octo/hello").unwrap();
    let run = RunId::derive(&repo, "comment 1");
    let request = Request {
        run: run.clone(),
        repo,
        installation: InstallationId(1),
        issue: IssueNumber(7),
        pull: None,
        title: "A <b> title".to_owned(),
        body: String::new(),
        by: User { id: UserId(1), login: "ann".to_owned(), bot: false },
        comment: None,
        base: None,
        agent: None,
        chosen: None,
        words: String::new(),
        dry_run: false,
        stories: false,
        parent: None,
        taken_out: None,
        frozen: None,
        at: Millis(1_000),
    };
    let opening = Opening {
        lease: None,
        event: Event { at: Millis(1_000), kind: EventKind::Started },
        state: State::open(request),
        policy: Policy::default(),
        jobs: Vec::new(),
    };
    assert_eq!(memory.open(opening).await.unwrap(), Opened::New);
    (memory, run)
}

#[tokio::test]
async fn pages_answer_for_what_exists_and_nothing_else() {
    let site = site(Mood::Well);
    assert_eq!(site.get("/").await.0, 200);
    for missing in ["/runs/r0123456789", "/runs/..%2f..", "/runs/%00", "/other"] {
        assert_eq!(site.get(missing).await.0, 404, "{missing}");
    }
    let posted = Http::post("/").header("host", "localhost").body(Body::empty());
    assert_eq!(site.ask(posted.unwrap()).await.status(), 405);
    assert_eq!(self::site(Mood::Broken).get("/").await.0, 503);
}
