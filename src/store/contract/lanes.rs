//! Sentences about runs that wait for a merge lane, and who wakes them.

use super::*;
use crate::pipeline::state::LaneWait;
use crate::pipeline::{Phase, StageKind, Wait};

/// Milliseconds until the lane timer goes off by itself.
const PAUSE_MS: i64 = 60_000;

/// The step of a run that was refused the lane of `main` and waits for it since then.
fn waiting(run: &RunId, from_version: u64, mut state: State, since: i64) -> Transition {
    let wait = Wait { what: "the lane".to_owned(), until: None, look_ms: PAUSE_MS };
    state.progress = Progress::Running {
        stage: StageKind::Merge,
        since: Millis(since),
        phase: Phase::Waiting(wait),
    };
    state.work.lane_wait = Some(LaneWait { base: branch("main"), since: Millis(since) });
    let timer = NewJob {
        key: JobKey::lane(run),
        kind: JobKind::Timer { run: run.clone(), entry: state.entry, timer: Timer::Lane },
        due: Millis(2_000 + PAUSE_MS),
        on_repeat: OnRepeat::Replace,
        heavy: None,
    };
    Transition { jobs: vec![timer], ..step(run, from_version, state) }
}

fn taking(run: &RunId, from_version: u64, state: &State) -> Transition {
    Transition { take_lane: Some(branch("main")), ..step(run, from_version, state.clone()) }
}

fn releasing(run: &RunId, from_version: u64, state: &State, alarm: Option<&str>) -> Transition {
    let release = (branch("main"), alarm.map(str::to_owned));
    Transition { release_lane: Some(release), ..step(run, from_version, state.clone()) }
}

/// A run that holds the lane, and three that wait: the second longest, the first in another
/// repository, the third shortest.
async fn a_queue(store: &Subject) -> [(RunId, State); 4] {
    let repo = repo("a");
    let holder = opened(store.as_ref(), &repo, 1).await;
    store.commit(taking(&holder.0, 1, &holder.1)).await.unwrap();
    let late = opened(store.as_ref(), &repo, 2).await;
    store.commit(waiting(&late.0, 1, late.1.clone(), 1_900)).await.unwrap();
    let early = opened(store.as_ref(), &repo, 3).await;
    store.commit(waiting(&early.0, 1, early.1.clone(), 1_500)).await.unwrap();
    let elsewhere = opened(store.as_ref(), &super::repo("b"), 4).await;
    let other = opened(store.as_ref(), &super::repo("b"), 5).await;
    store.commit(taking(&other.0, 1, &other.1)).await.unwrap();
    store.commit(waiting(&elsewhere.0, 1, elsewhere.1.clone(), 1_000)).await.unwrap();
    assert!(claimed(store.as_ref(), 2_000).await.is_empty(), "while it is held, all wait");
    [holder, late, early, elsewhere]
}

pub(crate) async fn a_lane_given_back_wakes_who_waited_longest(store: &Subject) {
    let [holder, late, early, elsewhere] = a_queue(store).await;
    store.commit(releasing(&holder.0, 2, &holder.1, None)).await.unwrap();
    let lease = only(store.as_ref(), 2_000).await;
    assert_eq!(lease.key, JobKey::lane(&early.0), "nobody else");
    // It takes the lane and gives it back in the same step: the next one is woken.
    let pass = Transition {
        lease: Some(lease),
        release_lane: Some((branch("main"), None)),
        ..taking(&early.0, 2, &early.1)
    };
    store.commit(pass).await.unwrap();
    assert_eq!(only(store.as_ref(), 2_000).await.key, JobKey::lane(&late.0));
    store.commit(releasing(&early.0, 3, &early.1, None)).await.unwrap();
    let rest = claimed(store.as_ref(), 2_000 + PAUSE_MS).await;
    assert!(rest.iter().any(|lease| lease.key == JobKey::lane(&elsewhere.0)), "its timer stays");
}

pub(crate) async fn a_lane_that_is_free_already_is_not_waited_for(store: &Subject) {
    let repo = repo("a");
    let holder = opened(store.as_ref(), &repo, 1).await;
    store.commit(taking(&holder.0, 1, &holder.1)).await.unwrap();
    let (run, state) = opened(store.as_ref(), &repo, 2).await;
    let refused = store.commit(taking(&run, 1, &state)).await;
    assert!(matches!(refused, Err(crate::store::Error::LaneBusy(_))), "{refused:?}");
    store.commit(releasing(&holder.0, 2, &holder.1, None)).await.unwrap();
    store.commit(waiting(&run, 1, state, 1_900)).await.unwrap();
    assert_eq!(only(store.as_ref(), 2_000).await.key, JobKey::lane(&run));
}

pub(crate) async fn a_lane_that_is_opened_again_wakes_who_waits(store: &Subject) {
    let [holder, _, early, _] = a_queue(store).await;
    store.commit(releasing(&holder.0, 2, &holder.1, Some("the trees differ"))).await.unwrap();
    assert!(claimed(store.as_ref(), 2_000).await.is_empty(), "an alarm wakes nobody");
    assert!(store.clear_lane(&repo("a"), &branch("main")).await.unwrap());
    assert_eq!(only(store.as_ref(), 2_000).await.key, JobKey::lane(&early.0));
}
