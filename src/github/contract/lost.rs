//! What webhooks lost is found again: what changed about issues, and GitHub's log of deliveries.

use super::bench::{Bench, REPO, user};
use crate::clock::Clock;
use crate::github::delivery::{Logged, Which};
use crate::github::{Changed, Error, Touched};
use crate::model::{IssueNumber, Millis};
use crate::playground::mailbox::Mailbox;

pub(super) async fn a_sweep_finds_what_changed_about_issues(b: Bench) {
    let open = || b.world.open_issue(b.otto.id, REPO, "An issue", "").unwrap().number;
    let (early, labelled, closed) = (open(), open(), open());
    let (pull, _) = b.pull("feat/x", &[("a", "two\n")]);
    b.clock.advance(2_000);
    let since = b.clock.now();
    b.world.label(b.rio.id, REPO, labelled, "go").unwrap();
    b.clock.advance(2_000);
    b.world.label(b.rio.id, REPO, labelled, "bug").unwrap();
    b.world.unlabel(b.mara.id, REPO, labelled, "bug").unwrap();
    b.world.close(b.mara.id, REPO, closed).unwrap();
    b.clock.advance(2_000);
    b.world.comment(b.otto.id, REPO, pull.0, "Nice.").unwrap();
    let touched = |number: u64, is_pull: bool, open: bool, labels: &[&str]| Touched {
        number: IssueNumber(number),
        is_pull,
        open,
        labels: labels.iter().map(|&name| name.to_owned()).collect(),
    };
    let expected = [
        touched(labelled, false, true, &["go"]),
        touched(closed, false, false, &[]),
        touched(pull.0, true, true, &[]),
    ];
    assert_eq!(b.hub.issues_since(&b.at, since).await.unwrap(), expected);
    assert!(b.hub.issues_since(&b.at, Millis(0)).await.unwrap().len() > 3, "{early} too");
    let history = b.hub.history(&b.at, IssueNumber(labelled)).await.unwrap();
    let told: Vec<_> = history.iter().map(|one| (one.what.clone(), one.by.clone())).collect();
    let (mara, rio) = (Some(user(&b.mara)), Some(user(&b.rio)));
    let expected = [
        (Changed::Labeled("go".to_owned()), rio.clone()),
        (Changed::Labeled("bug".to_owned()), rio),
        (Changed::Unlabeled("bug".to_owned()), mara.clone()),
    ];
    assert_eq!(told, expected);
    assert_eq!(history[0].at, since, "in whole seconds");
    let history = b.hub.history(&b.at, IssueNumber(closed)).await.unwrap();
    assert_eq!(history.iter().map(|one| &one.what).collect::<Vec<_>>(), [&Changed::Closed]);
    assert_eq!(history[0].by, mara);
    let nowhere = b.hub.history(&b.at, IssueNumber(999)).await;
    assert!(matches!(nowhere, Err(Error::Gone(_))));
}

async fn failed(b: &Bench) -> Vec<Logged> {
    b.hub.deliveries_since(Millis(0), Which::Failed).await.unwrap().entries
}

/// Takes what is due and answers it with `status`.
fn receive(b: &Bench, status: u16) -> Vec<String> {
    let due = b.world.due_deliveries(b.clock.now().0);
    for delivery in &due {
        b.world.delivery_answered(delivery.id, status);
    }
    let ours = due.iter().filter(|delivery| delivery.app == b.app);
    ours.map(|delivery| delivery.guid.clone()).collect()
}

pub(super) async fn the_log_tells_what_failed_and_sends_it_again(b: Bench) {
    receive(&b, 202);
    b.world.open_issue(b.otto.id, REPO, "An issue", "").unwrap();
    let log = b.hub.deliveries_since(Millis(0), Which::All).await.unwrap();
    assert!(log.entries.iter().all(|one| one.event != "issues"), "it is on its way");
    let guids = receive(&b, 500);
    let lost = failed(&b).await;
    assert_eq!(lost.len(), 1);
    assert_eq!((lost[0].guid.as_str(), lost[0].status_code), (guids[0].as_str(), 500));
    assert_eq!((lost[0].event.as_str(), lost[0].action.as_deref()), ("issues", Some("opened")));
    let kept = b.hub.delivery(lost[0].id).await.unwrap().unwrap();
    let body: serde_json::Value = serde_json::from_slice(&kept.body).unwrap();
    assert_eq!((kept.event.as_str(), &body["issue"]["title"]), ("issues", &"An issue".into()));
    b.clock.advance(1_000);
    b.hub.redeliver(lost[0].id).await.unwrap();
    assert_eq!(receive(&b, 0), guids, "the same GUID");
    let lost = failed(&b).await;
    let codes: Vec<u16> = lost.iter().map(|one| one.status_code).collect();
    assert_eq!(codes, [500, 502], "nobody was there");
    assert!(lost[0].id != lost[1].id && lost[0].guid == lost[1].guid);
    b.hub.redeliver(lost[1].id).await.unwrap();
    receive(&b, 202);
    let log = b.hub.deliveries_since(Millis(0), Which::All).await.unwrap();
    assert!(log.entries.last().unwrap().is_received() && !log.silent);
    assert_eq!(b.hub.delivery(1).await, Ok(None));
    assert!(matches!(b.hub.redeliver(1).await, Err(Error::Gone(_))));
    b.clock.advance(3 * 24 * 3_600_000 + 2_000);
    assert_eq!(failed(&b).await, [], "forgotten after three days");
    assert!(matches!(b.hub.redeliver(lost[0].id).await, Err(Error::Gone(_))));
    let log = b.hub.deliveries_since(Millis(0), Which::All).await.unwrap();
    assert!(log.silent && log.entries.is_empty());
}

pub(super) async fn a_long_log_is_read_back_to_the_moment_asked_for(b: Bench) {
    receive(&b, 202);
    b.world.mailbox(Mailbox::drop_all);
    for _ in 0..130 {
        b.world.open_issue(b.otto.id, REPO, "An issue", "").unwrap();
    }
    b.clock.advance(10_000);
    let since = b.clock.now();
    for _ in 0..120 {
        b.world.open_issue(b.otto.id, REPO, "Another", "").unwrap();
    }
    let calls = || b.calls("apps/list-webhook-deliveries");
    let before = calls();
    for which in [Which::All, Which::Failed] {
        let log = b.hub.deliveries_since(since, which).await.unwrap();
        assert_eq!(log.entries.len(), 120);
        assert!(log.entries.windows(2).all(|two| two[0].id < two[1].id), "oldest first");
        assert!(log.entries.iter().all(|one| one.at >= since && one.status_code == 504));
    }
    // In the process there are no pages.
    let pages = if b.http.is_some() { 4 } else { 2 };
    assert_eq!(calls() - before, pages, "no page more than needed");
    assert_eq!(failed(&b).await.len(), 250);
}
