//! Sentences about finding runs, what was published, gauges, news and restarts.

use std::time::Duration;

use super::*;
use crate::store::{Gauges, Published, Recorded};

pub(crate) async fn runs_are_found_by_issue_and_by_pull_request(store: &Subject) {
    let (a, b) = (repo("a"), repo("b"));
    let (run, state) = opened(store.as_ref(), &a, 1).await;
    let by = |repo: Repo, number| async move {
        let number = IssueNumber(number);
        let live = store.live_run(&repo, number).await.unwrap();
        (live, store.latest_run(&repo, number).await.unwrap())
    };
    assert_eq!(by(a.clone(), 1).await, (Some(run.clone()), Some(run.clone())));
    assert_eq!(by(a.clone(), 2).await, (None, None));
    assert_eq!(by(b.clone(), 1).await, (None, None));
    let next = worked(state, 12);
    store.commit(step(&run, 1, next.clone())).await.unwrap();
    assert_eq!(by(a.clone(), 12).await, (Some(run.clone()), Some(run.clone())));
    assert_eq!(by(b, 12).await, (None, None));
    store.commit(step(&run, 2, finished(next))).await.unwrap();
    assert_eq!(by(a.clone(), 1).await, (None, Some(run.clone())));
    assert_eq!(by(a.clone(), 12).await, (None, Some(run.clone())));

    let mut second = opening(&a, 1, "again");
    let mut request = request(&a, 1, "again");
    request.at = Millis(77_000);
    second.state = State::open(request);
    let newer = second.state.request.run.clone();
    assert_eq!(store.open(second).await.unwrap(), Opened::New);
    assert_eq!(by(a.clone(), 1).await, (Some(newer.clone()), Some(newer)));
    assert_eq!(by(a, 12).await, (None, Some(run)));
}

pub(crate) async fn listings_show_what_the_state_says(store: &Subject) {
    let (a, b) = (repo("a"), repo("b"));
    let (first, state) = opened(store.as_ref(), &a, 1).await;
    let (second, _) = opened(store.as_ref(), &b, 2).await;
    let (third, third_state) = opened(store.as_ref(), &a, 3).await;
    store.commit(step(&first, 1, worked(state, 12))).await.unwrap();
    store.commit(step(&third, 1, finished(third_state))).await.unwrap();

    let all = store.runs(10).await.unwrap();
    let order: Vec<_> = all.iter().map(|row| row.run.clone()).collect();
    assert_eq!(order, [third.clone(), second.clone(), first.clone()]);
    assert_eq!(store.runs(1).await.unwrap().len(), 1);
    let row = &all[2];
    assert_eq!((&row.repo, row.issue, row.live), (&a, IssueNumber(1), true));
    assert_eq!(row.pull, Some(PullNumber(12)));
    assert_eq!(row.branch, Some(branch("slipway/1-x")));
    assert_eq!((row.base.clone(), row.head.clone()), (Some(branch("main")), Some(sha('a'))));
    assert_eq!((row.opened, row.moved), (Millis(1_001), Millis(2_000)));
    assert_eq!(row.title, "Issue 1 — “quoted” 🚢");
    assert_eq!((row.at_stage.as_str(), all[0].at_stage.as_str()), ("idle", "stopped"));
    assert_eq!((all[1].pull, all[1].branch.clone(), all[0].live), (None, None, false));

    let live = |rows: Vec<crate::store::RunRow>| -> Vec<_> {
        rows.into_iter().map(|row| row.run).collect()
    };
    assert_eq!(live(store.live_runs(None).await.unwrap()), [first.clone(), second.clone()]);
    assert_eq!(live(store.live_runs(Some(&a)).await.unwrap()), [first]);
    assert_eq!(live(store.live_runs(Some(&b)).await.unwrap()), [second]);
}

pub(crate) async fn publishing_replaces_the_same_surface(store: &Subject) {
    let (run, _) = opened(store.as_ref(), &repo("a"), 1).await;
    let (other, _) = opened(store.as_ref(), &repo("a"), 2).await;
    let published = |surface: &str, remote| Published {
        surface: surface.to_owned(),
        remote,
        hash: format!("hash {remote}"),
        at: Millis(4),
    };
    for (surface, remote) in [("issue", 1), ("pull", 2), ("issue", u64::from(u32::MAX) * 9)] {
        store.publish(&run, published(surface, remote)).await.unwrap();
    }
    let mut kept = store.published(&run).await.unwrap();
    kept.sort_by(|a, b| a.surface.cmp(&b.surface));
    let expected = [published("issue", u64::from(u32::MAX) * 9), published("pull", 2)];
    assert_eq!(kept, expected);
    assert!(store.published(&other).await.unwrap().is_empty());
}

pub(crate) async fn reclaim_frees_the_leases_of_others(store: &Subject) {
    store.put(vec![job("a", 0), job("b", 1)]).await.unwrap();
    let mine = store.claim(&claim(5, 1)).await.unwrap();
    let theirs = Claim { owner: "them".to_owned(), ..claim(5, 1) };
    let theirs = store.claim(&theirs).await.unwrap();
    let freed = store.reclaim("me", Millis(9)).await.unwrap();
    let left = claimed(store.as_ref(), 9).await;
    if freed == 0 {
        assert!(left.is_empty(), "a store that cannot prove it leaves leases alone");
        return;
    }
    assert_eq!((freed, keys(&left)), (1, vec!["b"]));
    assert_eq!(left[0].attempts, 1);
    assert!(store.finish(&theirs[0], Vec::new()).await.is_err());
    store.finish(&mine[0], Vec::new()).await.unwrap();
}

pub(crate) async fn gauges_count(store: &Subject) {
    let (run, state) = opened(store.as_ref(), &repo("a"), 1).await;
    opened(store.as_ref(), &repo("a"), 2).await;
    store.commit(step(&run, 1, finished(state))).await.unwrap();
    store.record(delivery("d1", 3)).await.unwrap();
    store.put(vec![job("a", 0), job("b", 1), job("c", 900)]).await.unwrap();
    store.claim(&claim(5, 1)).await.unwrap();
    let expected =
        Gauges { jobs_due: 2, jobs_leased: 1, jobs_later: 1, runs_live: 1, deliveries: 1 };
    assert_eq!(store.gauges(Millis(6)).await.unwrap(), expected);
}

pub(crate) async fn changes_are_announced(store: &Subject) {
    let soon = Duration::from_secs(2);
    store.put(vec![job("a", 0)]).await.unwrap();
    tokio::time::timeout(soon, store.changed()).await.expect("it happened before");
    // A shared database may tell a process of its own write once more.
    let mut echoes = 0;
    while tokio::time::timeout(Duration::from_millis(100), store.changed()).await.is_ok() {
        echoes += 1;
        assert!(echoes <= 2, "nothing happened since");
    }
    let (told, written) =
        tokio::join!(tokio::time::timeout(soon, store.changed()), store.record(delivery("d1", 0)),);
    told.expect("a delivery is news");
    written.unwrap();
}

/// What a store that lasts is filled with before it is closed.
pub(crate) async fn fill(store: &dyn Store) {
    let (run, state) = opened(store, &repo("a"), 1).await;
    store.put(vec![job("leased", 0)]).await.unwrap();
    only(store, 0).await;
    store.record(delivery("d1", 5)).await.unwrap();
    let taken = Transition {
        take_lane: Some(branch("main")),
        jobs: vec![job("next", 50)],
        ..step(&run, 1, worked(state, 12))
    };
    store.commit(taken).await.unwrap();
    let published =
        Published { surface: "issue".to_owned(), remote: 3, hash: "h".to_owned(), at: Millis(1) };
    store.publish(&run, published).await.unwrap();
}

/// What it holds when opened again by a process that is the only one, or by one that is not.
pub(crate) async fn reopening_keeps_everything(store: &dyn Store, alone: bool) {
    let run = opening(&repo("a"), 1, "comment 1").state.request.run.clone();
    let snapshot = store.load(&run).await.unwrap().unwrap();
    assert_eq!((snapshot.version, snapshot.state.work.pull), (2, Some(PullNumber(12))));
    assert_eq!(store.timeline(&run).await.unwrap().len(), 2);
    assert_eq!(store.lanes().await.unwrap().len(), 1);
    assert_eq!(store.published(&run).await.unwrap().len(), 1);
    assert_eq!(store.record(delivery("d1", 5)).await.unwrap(), Recorded::Repeat);
    assert_eq!(keys(&claimed(store, 10).await), ["inbox:d1"]);
    assert_eq!(store.reclaim("me again", Millis(20)).await.unwrap(), if alone { 2 } else { 0 });
    let left = claimed(store, if alone { 60 } else { 5_000 }).await;
    assert_eq!(left.len(), 3, "{left:?}");
}
