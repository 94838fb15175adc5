//! An agent that works is seen while it works, and what it said is kept for some days.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use slipway::clock::Clock;
use slipway::pipeline::Task;
use slipway::store::{Beside, LiveRow};
use slipway::telemetry::Metrics;
use slipway::web::{self, Readiness, Visitors, Web};
use tower::ServiceExt;

use crate::world::{Plan, Town, plan, ready};

const HOUR_MS: i64 = 3_600_000;
const STARTS: &str = r#"{"type":"step_start","sessionID":"ses_1","part":{}}"#;
const EDITS: &str = concat!(
    r#"{"type":"tool_use","sessionID":"ses_1","part":{"tool":"write","state":{"#,
    r#""status":"completed","input":{"filePath":"feature.txt"}}}}"#,
);
const LISTS: &str = concat!(
    r#"{"type":"tool_use","sessionID":"ses_1","part":{"tool":"todowrite","state":{"#,
    r#""status":"completed","input":{"todos":[{"content":"a","status":"completed"},{"#,
    r#""content":"b","status":"pending"}]}}}}"#,
);
const USES: &str = concat!(
    r#"{"type":"step_finish","sessionID":"ses_1","part":{"reason":"tool-calls","tokens":{"#,
    r#""input":90000,"output":34000},"cost":0.43}}"#,
);
const ENDS: &str = concat!(
    r#"{"type":"step_finish","sessionID":"ses_1","part":{"reason":"stop","tokens":{"#,
    r#""input":1,"output":1},"cost":0}}"#,
);

type Work<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

fn slow(parts: &[&str]) -> Plan {
    let policy = "merge: auto\nrequester_may_approve: true\nstages:\n  plan: false\n";
    plan().auto().policy(policy).slow(parts, "warning: old")
}

/// What the web answers for a path.
async fn get(t: &Town, path: &str) -> (u16, String) {
    let web = Web {
        store: Arc::<slipway::store::memory::Memory>::clone(&t.store),
        clock: Arc::<slipway::clock::FakeClock>::clone(&t.clock),
        app_id: t.bot.id,
        lapse: web::Lapse::None,
        secrets: Vec::new(),
        limits: web::Limits::default(),
        readiness: Arc::new(Readiness::default()),
        metrics: Metrics::new(),
        visitors: Visitors::Local,
        github_url: "https://github.test".to_owned(),
    };
    let request = Request::get(path).header("host", "localhost").body(Body::empty());
    let answer = web::router(web).oneshot(request.expect("a request")).await;
    let (parts, body) = answer.expect("an answer").into_parts();
    if path.contains("/streams/") && parts.status == 200 {
        assert_eq!(parts.headers["content-type"], "text/plain; charset=utf-8");
        assert_eq!(parts.headers["x-content-type-options"], "nosniff");
    }
    let bytes = to_bytes(body, usize::MAX).await.expect("a body");
    (parts.status.as_u16(), String::from_utf8_lossy(&bytes).into_owned())
}

fn shown(t: &Town) -> Option<LiveRow> {
    ready(t.store.live(&t.run_id()?)).expect("the store answers")
}

/// Goes on with the work until `wanted`.
async fn on(work: &mut Work<'_>, what: &str, wanted: impl Fn() -> bool) {
    for _ in 0..5_000 {
        if wanted() {
            return;
        }
        tokio::select! {
            biased;
            () = &mut *work => panic!("it ended before {what}"),
            () = tokio::time::sleep(std::time::Duration::from_millis(1)) => {}
        }
    }
    panic!("it never came to {what}");
}

/// Up to the moment when the agent is to begin.
async fn begin(t: &mut Town) {
    t.issue("Add a feature");
    t.says("mara", t.number, "/go");
    let builds = |t: &Town| matches!(t.task(), Some(Task::Agent { .. }));
    t.step_until("an agent's turn", builds).await;
}

#[test]
fn an_agent_is_seen_in_comment_and_page_while_it_works_and_not_afterwards() {
    slow(&[STARTS, EDITS, LISTS, USES, ENDS]).run(async |t| {
        begin(t).await;
        let engine = t.another_engine();
        let lease = t.claim_task(&engine).await;
        let mut work: Work<'_> = Box::pin(engine.work(lease));
        t.gate.add_permits(4);
        let (gate, clock) = (Arc::clone(&t.gate), Arc::clone(&t.clock));
        on(&mut work, "four parts", || gate.available_permits() == 0).await;
        t.settle().await;
        assert_eq!(shown(t), None, "not at once");
        clock.advance(2_000);
        on(&mut work, "something to see", || shown(t).is_some()).await;
        let first = shown(t).expect("a row").at;
        assert!(!t.last_words().contains("at work"), "a comment waits a little");
        for _ in 0..7 {
            clock.advance(2_000);
            let until = clock.now();
            on(&mut work, "the next look", || clock.next_wake().is_some_and(|at| at > until)).await;
        }
        assert_eq!(shown(t).map(|row| row.at), Some(first), "nothing new is not written again");
        t.settle().await;
        let said = t.last_words();
        let line = "slow is at work: 1 of 2 steps done · 1 file · 2 tool calls · 124k tokens · \
                    $0.43";
        assert!(said.contains(line), "{said}");
        let run = t.run_id().expect("a run");
        let (status, page) = get(t, &format!("/runs/{run}")).await;
        assert_eq!(status, 200);
        for told in ["Working now", "<code>feature.txt</code>", "124k tokens", "edit feature.txt"] {
            assert!(page.contains(told), "{told}: {page}");
        }
        t.gate.add_permits(1_000);
        work.await;
        assert_eq!(shown(t), None, "gone with the step that ended the task");
        t.expect_outcome("merged").await;
        assert!(t.comments_of_bot().iter().all(|said| !said.body.contains("at work")));
        let (_, page) = get(t, &format!("/runs/{run}")).await;
        assert!(!page.contains("Working now"), "{page}");
        let told = "slow worked 16 s: 2 tool calls, 1 file, 124k tokens, $0.43";
        assert!(page.contains(told), "{page}");
    });
}

#[test]
fn what_an_agent_said_is_kept_without_secrets_and_forgotten_in_time() {
    let token = format!("ghs_{:032x}", fastrand::u128(..));
    let said = format!(
        concat!(
            r#"{{"type":"tool_use","sessionID":"ses_1","part":{{"tool":"bash","state":{{"#,
            r#""status":"completed","input":{{"command":"echo {}"}}}}}}}}"#,
        ),
        token
    );
    let parts = [STARTS, &said, EDITS, ENDS];
    slow(&parts).sweeps().keeps_streams(HOUR_MS).run(async |t| {
        t.gate.add_permits(1_000);
        t.go("Add a feature").await;
        t.expect_outcome("merged").await;
        let run = t.run_id().expect("a run");
        let kept = ready(t.store.streams(&run)).expect("the store answers");
        assert_eq!(kept.len(), 1, "{kept:?}");
        let place = format!("/runs/{run}/streams/{}", kept[0].entry);
        let (_, page) = get(t, &format!("/runs/{run}")).await;
        assert!(page.contains(&place) && !page.contains(&token), "{page}");
        let (status, text) = get(t, &place).await;
        assert_eq!(status, 200);
        assert!(text.starts_with("--- slow, until ") && text.contains(STARTS), "{text}");
        assert!(
            text.contains(r#""command":"echo [hidden]""#) && text.ends_with("warning: old\n"),
            "{text}"
        );
        assert!(!text.contains(&token));
        for nothing in ["/runs/r0000000000/streams/1", &format!("/runs/{run}/streams/x")] {
            assert_eq!(get(t, nothing).await.0, 404, "{nothing}");
        }
        t.pass_ms(2 * HOUR_MS).await;
        assert!(ready(t.store.streams(&run)).expect("the store answers").is_empty());
        assert_eq!(get(t, &place).await.0, 404);
        t.allows_writes(30);
    });
}

#[test]
fn an_agent_that_is_stopped_leaves_what_it_said() {
    slow(&[STARTS, EDITS, ENDS]).run(async |t| {
        begin(t).await;
        let engine = t.another_engine();
        let lease = t.claim_task(&engine).await;
        let mut work: Work<'_> = Box::pin(engine.work(lease));
        t.gate.add_permits(2);
        let (gate, clock) = (Arc::clone(&t.gate), Arc::clone(&t.clock));
        on(&mut work, "two parts", || gate.available_permits() == 0).await;
        clock.advance(2_000);
        on(&mut work, "something to see", || shown(t).is_some()).await;
        t.comment("/stop").await;
        assert_eq!(shown(t), None, "the step that ends it takes it away");
        // The engine at work hears of it with its next heartbeat.
        clock.advance(10_000);
        work.await;
        t.expect_outcome("stopped").await;
        let run = t.run_id().expect("a run");
        let kept = ready(t.store.streams(&run)).expect("the store answers");
        let (_, text) = get(t, &format!("/runs/{run}/streams/{}", kept[0].entry)).await;
        assert!(text.contains(EDITS) && !text.contains(ENDS), "{text}");
    });
}

#[test]
fn nothing_is_kept_where_the_operator_wants_nothing_kept() {
    slow(&[STARTS, EDITS, ENDS]).keeps_streams(0).run(async |t| {
        t.gate.add_permits(1_000);
        t.go("Add a feature").await;
        t.expect_outcome("merged").await;
        let run = t.run_id().expect("a run");
        assert!(ready(t.store.streams(&run)).expect("the store answers").is_empty());
    });
}
