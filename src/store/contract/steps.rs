//! Sentences about opening runs and moving them: versions, fences, lanes, all or nothing.

use std::sync::Arc;

use super::*;
use crate::pipeline::Ignored;
use crate::store::{Beat, Error, IgnoredEvent, STATE_BYTES_MAX};

pub(crate) async fn a_run_is_opened_once(store: &Subject) {
    let repo = repo("a");
    store.put(vec![job("cause", 0), job("cause 2", 1)]).await.unwrap();
    let leases = claimed(store.as_ref(), 5).await;
    let first = Opening {
        lease: Some(leases[0].clone()),
        jobs: vec![job("next", 7)],
        ..opening(&repo, 1, "comment 1")
    };
    let run = first.state.request.run.clone();
    assert_eq!(store.open(first.clone()).await.unwrap(), Opened::New);
    let snapshot = store.load(&run).await.unwrap().unwrap();
    assert_eq!((snapshot.state, snapshot.version), (first.state.clone(), 1));
    assert_eq!(snapshot.policy, first.policy);

    let fenced = store.open(first.clone()).await;
    assert!(matches!(fenced, Err(Error::Fenced)), "{fenced:?}");
    let lease = Some(leases[1].clone());
    let same = Opening { lease: lease.clone(), ..first };
    assert_eq!(store.open(same).await.unwrap(), Opened::Exists(run.clone()));
    let other = Opening { lease, ..opening(&repo, 1, "comment 2") };
    assert_eq!(store.open(other).await.unwrap(), Opened::Exists(run));
    assert_eq!(keys(&claimed(store.as_ref(), 8).await), ["next"]);
    assert_eq!(store.heartbeat(&leases[1], Millis(9)).await.unwrap(), Beat::Kept, "not consumed");
}

pub(crate) async fn a_finished_run_makes_room_for_another(store: &Subject) {
    let repo = repo("a");
    let (run, state) = opened(store.as_ref(), &repo, 1).await;
    store.commit(step(&run, 1, finished(state))).await.unwrap();
    let again = opening(&repo, 1, "comment 1");
    assert_eq!(store.open(again).await.unwrap(), Opened::Exists(run), "a name serves once");
    assert_eq!(store.open(opening(&repo, 1, "comment 2")).await.unwrap(), Opened::New);
    assert_eq!(store.open(opening(&repo, 2, "comment 3")).await.unwrap(), Opened::New);
}

pub(crate) async fn a_commit_moves_the_run(store: &Subject) {
    let (run, state) = opened(store.as_ref(), &repo("a"), 1).await;
    store.put(vec![job("a", 0)]).await.unwrap();
    let lease = only(store.as_ref(), 0).await;
    let next = worked(state, 12);
    let jobs = vec![job("b", 3)];
    let moved = Transition { lease: Some(lease), jobs, ..step(&run, 1, next.clone()) };
    store.commit(moved).await.unwrap();
    let snapshot = store.load(&run).await.unwrap().unwrap();
    assert_eq!((snapshot.state, snapshot.version), (next, 2));
    assert_eq!(keys(&claimed(store.as_ref(), 5_000).await), ["b"]);
}

pub(crate) async fn a_commit_from_an_old_version_conflicts(store: &Subject) {
    let (run, state) = opened(store.as_ref(), &repo("a"), 1).await;
    store.commit(step(&run, 1, state.clone())).await.unwrap();
    for version in [0, 1, 3] {
        let old = store.commit(step(&run, version, worked(state.clone(), 3))).await;
        assert!(matches!(old, Err(Error::Conflict)), "{old:?}");
    }
    let unknown = RunId::derive(&repo("a"), "nothing");
    let old = store.commit(step(&unknown, 0, state.clone())).await;
    assert!(matches!(old, Err(Error::Conflict)), "{old:?}");
    assert_eq!(store.load(&run).await.unwrap().unwrap().state, state);
    assert_eq!(store.load(&unknown).await.unwrap(), None);
}

pub(crate) async fn a_commit_without_its_lease_is_fenced(store: &Subject) {
    let (run, state) = opened(store.as_ref(), &repo("a"), 1).await;
    store.put(vec![job("a", 0)]).await.unwrap();
    let old = only(store.as_ref(), 0).await;
    let new = only(store.as_ref(), 2_000).await;
    let late = Transition { lease: Some(old), ..step(&run, 1, worked(state.clone(), 3)) };
    let fenced = store.commit(late.clone()).await;
    assert!(matches!(fenced, Err(Error::Fenced)), "{fenced:?}");
    let both = store.commit(Transition { from_version: 9, ..late }).await;
    assert!(matches!(both, Err(Error::Conflict)), "the conflict comes first: {both:?}");
    assert_eq!(store.load(&run).await.unwrap().unwrap().state, state);
    let good = Transition { lease: Some(new), ..step(&run, 1, state) };
    store.commit(good).await.unwrap();
}

pub(crate) async fn a_refused_commit_leaves_nothing_behind(store: &Subject) {
    let (run, state) = opened(store.as_ref(), &repo("a"), 1).await;
    let (other, other_state) = opened(store.as_ref(), &repo("a"), 2).await;
    let main = branch("main");
    let taken = Transition { take_lane: Some(main.clone()), ..step(&other, 1, other_state) };
    store.commit(taken).await.unwrap();
    store.put(vec![perform("p", &run, 1), job("a", 10)]).await.unwrap();
    let lease = store.claim(&claim(10, 2)).await.unwrap().remove(1);
    let refused = Transition {
        lease: Some(lease.clone()),
        jobs: vec![job("new", 0)],
        cancel_entry: Some(9),
        take_lane: Some(main),
        ..step(&run, 1, worked(state.clone(), 3))
    };
    let busy = store.commit(refused.clone()).await;
    assert!(matches!(busy, Err(Error::LaneBusy(_))), "{busy:?}");
    let conflict = store.commit(Transition { from_version: 5, ..refused }).await;
    assert!(matches!(conflict, Err(Error::Conflict)), "{conflict:?}");

    let snapshot = store.load(&run).await.unwrap().unwrap();
    assert_eq!((snapshot.state, snapshot.version), (state, 1));
    assert_eq!(store.timeline(&run).await.unwrap().len(), 1);
    assert_eq!(store.heartbeat(&lease, Millis(2_000)).await.unwrap(), Beat::Kept);
    let left = claimed(store.as_ref(), 5_000).await;
    assert_eq!(keys(&left), ["p", "a"], "neither new nor cancelled");
}

/// Refusals and successes that are written together, as a group commit does.
pub(crate) async fn a_refusal_does_not_touch_the_others(store: &Subject) {
    let repo = repo("a");
    let mut runs = Vec::new();
    for issue in 1..=20 {
        runs.push(opened(store.as_ref(), &repo, issue).await);
    }
    let mut steps = tokio::task::JoinSet::new();
    for (n, (run, state)) in (0_u64..).zip(runs.clone()) {
        let store = Arc::clone(store);
        steps.spawn(async move {
            let jobs = vec![job(&format!("of {n}"), 0)];
            let from_version = if n % 3 == 0 { 7 } else { 1 };
            let lane = (n % 3 == 1).then(|| branch("main"));
            let moved = Transition { jobs, take_lane: lane, ..step(&run, from_version, state) };
            (n, store.commit(moved).await)
        });
    }
    let mut lanes = 0;
    for (n, answer) in steps.join_all().await {
        match (n % 3, answer) {
            (0, Err(Error::Conflict)) | (1, Err(Error::LaneBusy(_))) | (2, Ok(())) => {}
            (1, Ok(())) => lanes += 1,
            (_, wrong) => panic!("{n}: {wrong:?}"),
        }
    }
    assert_eq!(lanes, 1);
    assert_eq!(claimed(store.as_ref(), 10).await.len(), 6 + 1);
}

pub(crate) async fn concurrent_commits_move_a_run_one_after_the_other(store: &Subject) {
    let (run, _) = opened(store.as_ref(), &repo("a"), 1).await;
    let mut movers = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let (store, run) = (Arc::clone(store), run.clone());
        movers.spawn(async move {
            let mut moved = 0;
            while moved < 10 {
                let snapshot = store.load(&run).await.unwrap().unwrap();
                let mut next = snapshot.state;
                next.counts.agent_calls += 1;
                match store.commit(step(&run, snapshot.version, next)).await {
                    Ok(()) => moved += 1,
                    Err(Error::Conflict) => {}
                    Err(wrong) => panic!("{wrong:?}"),
                }
            }
        });
    }
    movers.join_all().await;
    let snapshot = store.load(&run).await.unwrap().unwrap();
    assert_eq!((snapshot.state.counts.agent_calls, snapshot.version), (60, 61));
    let numbers: Vec<_> =
        store.timeline(&run).await.unwrap().iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, (1..=61).collect::<Vec<_>>());
}

pub(crate) async fn cancelling_drops_what_waits_and_marks_what_runs(store: &Subject) {
    let (run, state) = opened(store.as_ref(), &repo("a"), 1).await;
    let (other, _) = opened(store.as_ref(), &repo("a"), 2).await;
    let later = |key: &str, entry| NewJob { due: Millis(100), ..perform(key, &run, entry) };
    store.put(vec![perform("running", &run, 1)]).await.unwrap();
    let running = only(store.as_ref(), 0).await;
    store.put(vec![later("old", 2), later("new", 3), job("light", 100)]).await.unwrap();
    store.put(vec![NewJob { due: Millis(100), ..perform("other", &other, 1) }]).await.unwrap();
    store.commit(Transition { cancel_entry: Some(2), ..step(&run, 1, state) }).await.unwrap();
    assert_eq!(store.heartbeat(&running, Millis(500)).await.unwrap(), Beat::Cancelled);
    let mut left = claimed(store.as_ref(), 200).await;
    left.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(keys(&left), ["light", "new", "other"]);
    for lease in &left {
        store.finish(lease, Vec::new()).await.unwrap();
    }
    store.put_back(&running, Millis(300), "stopped").await.unwrap();
    assert!(claimed(store.as_ref(), 9_000).await.is_empty(), "a cancelled job is dropped");
}

pub(crate) async fn a_lane_belongs_to_one_run(store: &Subject) {
    let repo = repo("a");
    let (first, state) = opened(store.as_ref(), &repo, 1).await;
    let (second, second_state) = opened(store.as_ref(), &repo, 2).await;
    let main = branch("main");
    let take = |run: &RunId, version, state: &State, base: &BranchName| Transition {
        take_lane: Some(base.clone()),
        ..step(run, version, state.clone())
    };
    store.commit(take(&first, 1, &state, &main)).await.unwrap();
    store.commit(take(&first, 2, &state, &main)).await.unwrap();
    let busy = store.commit(take(&second, 1, &second_state, &main)).await;
    let Err(Error::LaneBusy(by)) = busy else { panic!("{busy:?}") };
    assert!(by.contains(first.as_str()), "{by}");
    store.commit(take(&second, 1, &second_state, &branch("next"))).await.unwrap();
    assert_eq!(store.lanes().await.unwrap().len(), 2);

    let release = |run: &RunId, version, state: &State| Transition {
        release_lane: Some((main.clone(), None)),
        ..step(run, version, state.clone())
    };
    store.commit(release(&second, 2, &second_state)).await.unwrap();
    assert_eq!(store.lanes().await.unwrap().len(), 2, "only its holder gives it back");
    store.commit(release(&first, 3, &state)).await.unwrap();
    store.commit(take(&second, 3, &second_state, &main)).await.unwrap();
}

pub(crate) async fn an_alarm_closes_a_lane_until_it_is_cleared(store: &Subject) {
    let repo = repo("a");
    let (run, state) = opened(store.as_ref(), &repo, 1).await;
    let main = branch("main");
    let take = |version| Transition {
        take_lane: Some(main.clone()),
        ..step(&run, version, state.clone())
    };
    store.commit(take(1)).await.unwrap();
    assert!(!store.clear_lane(&repo, &main).await.unwrap(), "taken, not closed");
    let alarm = Transition {
        release_lane: Some((main.clone(), Some("the trees differ".to_owned()))),
        ..step(&run, 2, state.clone())
    };
    store.commit(alarm).await.unwrap();
    let busy = store.commit(take(3)).await;
    let Err(Error::LaneBusy(why)) = busy else { panic!("{busy:?}") };
    assert!(why.contains("the trees differ"), "{why}");
    assert_eq!(store.lanes().await.unwrap()[0].alarm.as_deref(), Some("the trees differ"));
    let again =
        Transition { release_lane: Some((main.clone(), None)), ..step(&run, 3, state.clone()) };
    store.commit(again).await.unwrap();
    assert!(store.clear_lane(&repo, &main).await.unwrap(), "giving back does not silence it");
    assert!(!store.clear_lane(&repo, &main).await.unwrap());
    store.commit(take(4)).await.unwrap();
}

pub(crate) async fn the_timeline_has_no_gaps_and_keeps_what_was_ignored(store: &Subject) {
    let (run, state) = opened(store.as_ref(), &repo("a"), 1).await;
    let sent = events();
    for (n, event) in (0_u64..).zip(sent.clone()) {
        store.put(vec![job("a", 0)]).await.unwrap();
        let lease = only(store.as_ref(), 0).await;
        let why = Ignored::Stale;
        let ignored = IgnoredEvent { run: run.clone(), lease, event: event.clone(), why };
        store.ignore(ignored.clone()).await.unwrap();
        let twice = store.ignore(ignored).await;
        assert!(matches!(twice, Err(Error::Fenced)), "{twice:?}");
        store.commit(Transition { event, ..step(&run, n + 1, state.clone()) }).await.unwrap();
    }
    store.commit(step(&run, 4, finished(state))).await.unwrap();
    let timeline = store.timeline(&run).await.unwrap();
    let numbers: Vec<_> = timeline.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8]);
    let versions: Vec<_> = timeline.iter().map(|entry| entry.version).collect();
    let moves = [Some(1), None, Some(2), None, Some(3), None, Some(4), Some(5)];
    assert_eq!(versions, moves);
    for entry in &timeline {
        let ignored = entry.version.is_none().then_some(Ignored::Stale);
        assert_eq!(entry.ignored, ignored);
    }
    assert_eq!(timeline[2].event, sent[0]);
    assert_eq!(timeline[5].event, sent[2]);
    assert_eq!((timeline[6].after.as_str(), timeline[7].after.as_str()), ("idle", "stopped"));
    let unknown = RunId::derive(&repo("a"), "nothing");
    assert!(store.timeline(&unknown).await.unwrap().is_empty());
}

pub(crate) async fn a_state_beyond_the_limit_is_refused(store: &Subject) {
    let (run, state) = opened(store.as_ref(), &repo("a"), 1).await;
    let mut large = state.clone();
    large.work.plan = Some("p".repeat(STATE_BYTES_MAX));
    let refused = store.commit(step(&run, 1, large)).await;
    assert!(matches!(refused, Err(Error::TooLarge { .. })), "{refused:?}");
    store.commit(step(&run, 1, state)).await.unwrap();
}
