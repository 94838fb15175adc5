//! Genuine bodies that come again, under another id or event name: nothing is done twice.

use axum::body::Body;
use axum::http::Request;
use slipway::github::signature;
use slipway::model::Secret;
use slipway::playground::world::{Actor, ReviewState};
use slipway::web::{Limits, Readiness, Visitors, Web, router};
use tower::ServiceExt;

use super::lost::effects;
use crate::world::{Town, plan};

/// The real web over the town's store, with its secret.
async fn post(t: &Town, body: &[u8], guid: &str, event: &str) {
    let secret = &t.bot.webhook_secret;
    let web = Web {
        app_id: t.bot.id,
        lapse: slipway::web::Lapse::default(),
        store: std::sync::Arc::clone(&t.store) as _,
        clock: std::sync::Arc::clone(&t.clock) as _,
        secrets: vec![Secret::new(secret.clone())],
        limits: Limits::default(),
        readiness: std::sync::Arc::new(Readiness::default()),
        metrics: slipway::telemetry::Metrics::new(),
        visitors: Visitors::Nobody,
        github_url: "https://github.test".to_owned(),
    };
    let request = Request::post("/webhook")
        .header("x-github-delivery", guid)
        .header("content-type", "application/json")
        .header("x-github-event", event)
        .header("x-hub-signature-256", signature::sign(secret.as_bytes(), body))
        .body(Body::from(body.to_vec()));
    let answer = router(web).oneshot(request.expect("a request")).await;
    // A body is taken for its own event only.
    let status = answer.expect("an answer").status().as_u16();
    assert_eq!(status, 202, "{guid} as {event}: {status}");
}

/// The bodies of all deliveries so far whose event and action are these.
fn bodies(t: &Town, event: &str, action: &str) -> Vec<Vec<u8>> {
    t.world.mailbox(|mailbox| {
        let named = mailbox.log().filter(|one| {
            one.delivery.event == event && one.delivery.action.as_deref() == Some(action)
        });
        named.map(|one| one.delivery.body.to_vec()).collect()
    })
}

#[test]
fn a_signed_body_under_another_guid_or_event_never_acts_twice() {
    plan().run(async |t| {
        let asked = t.go("Add a feature").await;
        let go = bodies(t, "issue_comment", "created").pop().expect("a delivery");
        t.run_until("people", |t| t.stage() == "review").await;
        let extra = t.comment("/hold").await;
        let hold = bodies(t, "issue_comment", "created").remove(0);
        t.comment("/unhold").await;
        let mara = Actor::User(t.id("mara"));
        let gone = t.world.with(|state| state.delete_comment(&mara, &t.repo, extra));
        gone.expect("deleted");
        t.settle().await;
        let deleted = bodies(t, "issue_comment", "deleted").pop().expect("a delivery");
        // The last words about the hold are written.
        t.pass_ms(60_000).await;
        let before = (effects(t), t.state().held_by);
        for (round, event) in slipway::github::payload::EVENTS.iter().enumerate() {
            for (name, body) in [("go", &go), ("hold", &hold), ("deleted", &deleted)] {
                let guid = format!("forged-{name}-{round}");
                post(t, body, &guid, event).await;
            }
        }
        t.pass_ms(600_000).await;
        assert_eq!((effects(t), t.state().held_by), before);
        assert_eq!(t.stage(), "review", "still alive, and not held");
        assert_eq!(t.reactions(asked), ["eyes"]);
        t.review(ReviewState::Approved, "").await;
        t.expect_outcome("merged").await;
        let main = t.tip("main");
        post(t, &go, "forged-late", "issue_comment").await;
        t.pass_ms(600_000).await;
        assert_eq!((t.pulls(), t.tip("main")), (1, main));
    });
}

#[test]
fn old_labels_and_closings_that_come_again_move_nothing() {
    plan().run(async |t| {
        let number = t.issue("Add a feature");
        let (mara, repo) = (t.id("mara"), t.repo.clone());
        t.world.label(mara, &repo, number, "go").expect("a label");
        t.run_until("people", |t| t.stage() == "review").await;
        let first = t.run_id();
        t.pass_ms(5_000).await;
        t.world.unlabel(mara, &repo, number, "go").expect("no label");
        t.expect_outcome("stopped").await;
        t.pass_ms(5_000).await;
        let [labeled, unlabeled] =
            ["labeled", "unlabeled"].map(|action| bodies(t, "issues", action).remove(0));
        post(t, &labeled, "again-1", "issues").await;
        t.pass_ms(60_000).await;
        assert_eq!(t.run_id(), first, "its label is gone");
        t.world.label(mara, &repo, number, "go").expect("a label");
        t.run_until("a second run", |t| t.run_id() != first && t.stage() == "review").await;
        let second = t.run_id();
        post(t, &unlabeled, "again-2", "issues").await;
        let closed = String::from_utf8(unlabeled).expect("text").replace("unlabeled", "closed");
        post(t, closed.as_bytes(), "again-3", "issues").await;
        t.pass_ms(60_000).await;
        assert_eq!((t.stage(), t.run_id()), ("review", second.clone()));
        t.approve().await;
        t.expect_outcome("merged").await;
        t.world.reopen(mara, &repo, number).expect("open");
        t.pass_ms(5_000).await;
        let newest = bodies(t, "issues", "labeled").remove(0);
        post(t, &newest, "again-4", "issues").await;
        t.pass_ms(60_000).await;
        assert_eq!(t.run_id(), second, "its run ended since");
        t.allows_writes(60);
    });
}

#[test]
fn a_stop_that_is_older_than_the_run_it_meets_stops_nothing() {
    plan().run(async |t| {
        let number = t.issue("Add a feature");
        t.mailbox(|mailbox| {
            mailbox.next_fates(&[slipway::playground::mailbox::Fate::Delay(60_000)]);
        });
        let stop = t.says("mara", number, "/stop");
        t.comment("/go").await;
        t.run_until("people", |t| t.stage() == "review").await;
        t.pass_ms(120_000).await;
        assert_eq!((t.stage(), t.reactions(stop)), ("review", vec!["eyes".to_owned()]));
        assert!(t.comments_of_bot().iter().any(|said| said.body.contains("heard late")));
        t.approve().await;
        t.expect_outcome("merged").await;
    });
}
