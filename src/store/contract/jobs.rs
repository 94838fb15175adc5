//! Sentences about deliveries, jobs and leases.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::store::{Beat, DELIVERY_BYTES_MAX, Error, Recorded};

pub(crate) async fn a_repeated_delivery_changes_nothing(store: &Subject) {
    assert_eq!(store.record(delivery("d1", 5)).await.unwrap(), Recorded::New);
    assert_eq!(store.record(delivery("d1", 9)).await.unwrap(), Recorded::Repeat);
    let lease = only(store.as_ref(), 10).await;
    assert_eq!(lease.key, JobKey::inbox(&DeliveryId::parse("d1").unwrap()));
    store.finish(&lease, Vec::new()).await.unwrap();
    assert_eq!(store.record(delivery("d1", 9)).await.unwrap(), Recorded::Repeat);
    assert!(claimed(store.as_ref(), 10).await.is_empty());
}

/// Every third comes twice at the same moment, and one was there before.
pub(crate) async fn deliveries_that_come_at_once_are_kept_once_each(store: &Subject) {
    const COUNT: usize = 75;
    store.record(delivery("d7", 5)).await.unwrap();
    let names = (0..COUNT).flat_map(|n| std::iter::repeat_n(n, if n % 3 == 0 { 2 } else { 1 }));
    let names: Vec<String> = names.map(|n| format!("d{n}")).collect();
    let records = names.iter().map(|name| store.record(delivery(name, 5)));
    let recorded = futures_util::future::join_all(records).await;
    let new = recorded.into_iter().filter(|one| one.as_ref().unwrap() == &Recorded::New).count();
    assert_eq!(new, COUNT - 1, "each was new to exactly one sender");
    let leases = claimed(store.as_ref(), 10).await;
    let mut inbox: Vec<String> = leases
        .iter()
        .filter_map(|lease| {
            let JobKind::Inbox { delivery } = &lease.kind else { return None };
            Some(delivery.to_string())
        })
        .collect();
    inbox.sort();
    let mut all: Vec<String> = (0..COUNT).map(|n| format!("d{n}")).collect();
    all.sort();
    assert_eq!(inbox, all, "each has its job, once");
    for name in all {
        let sent = delivery(&name, 5);
        assert_eq!(store.delivery(&sent.id).await.unwrap(), Some(sent));
    }
}

pub(crate) async fn a_delivery_goes_before_what_is_due_already(store: &Subject) {
    store.put(vec![job("a look", 1_000)]).await.unwrap();
    store.record(delivery("d1", 2_000)).await.unwrap();
    let first = store.claim(&claim(2_000, 1)).await.unwrap();
    assert_eq!(first[0].key, JobKey::inbox(&DeliveryId::parse("d1").unwrap()));
    assert_eq!(only(store.as_ref(), 2_000).await.key.0, "a look");
}

pub(crate) async fn a_delivery_comes_back_as_it_came(store: &Subject) {
    let sent = NewDelivery { body: vec![b'x'; 300_000], ..delivery("d1", 5) };
    store.record(sent.clone()).await.unwrap();
    assert_eq!(store.delivery(&sent.id).await.unwrap(), Some(sent));
    let unknown = DeliveryId::parse("d2").unwrap();
    assert_eq!(store.delivery(&unknown).await.unwrap(), None);
}

pub(crate) async fn a_body_of_any_bytes_survives(store: &Subject) {
    for (id, body) in [("none", Vec::new()), ("zeros", vec![0; 9]), ("all", (0..=255).collect())] {
        let sent = NewDelivery { body, ..delivery(id, 5) };
        store.record(sent.clone()).await.unwrap();
        assert_eq!(store.delivery(&sent.id).await.unwrap(), Some(sent));
    }
}

pub(crate) async fn a_body_beyond_the_limit_is_refused(store: &Subject) {
    let body = vec![0; DELIVERY_BYTES_MAX + 1];
    let refused = store.record(NewDelivery { body, ..delivery("d1", 5) }).await;
    assert!(matches!(refused, Err(Error::TooLarge { .. })), "{refused:?}");
    assert!(claimed(store.as_ref(), 10).await.is_empty());
}

pub(crate) async fn old_deliveries_are_forgotten_once_they_wait_no_more(store: &Subject) {
    for (id, at) in [("done", 1), ("waits", 2), ("young", 3)] {
        store.record(delivery(id, at)).await.unwrap();
    }
    let oldest = store.claim(&claim(1, 1)).await.unwrap();
    store.finish(&oldest[0], Vec::new()).await.unwrap();
    assert_eq!(store.prune(Millis(3)).await.unwrap(), 1);
    assert_eq!(store.prune(Millis(3)).await.unwrap(), 0);
    for (id, kept) in [("done", false), ("waits", true), ("young", true)] {
        let id = DeliveryId::parse(id).unwrap();
        assert_eq!(store.delivery(&id).await.unwrap().is_some(), kept, "{id}");
    }
}

pub(crate) async fn a_leased_job_is_nobody_elses(store: &Subject) {
    store.put(vec![job("a", 0)]).await.unwrap();
    let lease = only(store.as_ref(), 10).await;
    assert_eq!((lease.until, lease.attempts, lease.late_ms), (Millis(1_010), 0, 10));
    assert!(claimed(store.as_ref(), 1_009).await.is_empty());
    let again = only(store.as_ref(), 1_010).await;
    assert_eq!((again.key, again.attempts), (lease.key, 1));
}

pub(crate) async fn a_lease_that_ran_out_is_fenced_once_taken_again(store: &Subject) {
    store.put(vec![job("a", 0)]).await.unwrap();
    let old = only(store.as_ref(), 0).await;
    let new = only(store.as_ref(), 5_000).await;
    let fenced = store.finish(&old, vec![job("b", 0)]).await;
    assert!(matches!(fenced, Err(Error::Fenced)), "{fenced:?}");
    let fenced = store.put_back(&old, Millis(0), "late").await;
    assert!(matches!(fenced, Err(Error::Fenced)), "{fenced:?}");
    store.finish(&new, Vec::new()).await.unwrap();
    let twice = store.finish(&new, Vec::new()).await;
    assert!(matches!(twice, Err(Error::Fenced)), "{twice:?}");
    assert!(claimed(store.as_ref(), 9_000).await.is_empty(), "b came from a lost lease");

    store.put(vec![job("a", 0)]).await.unwrap();
    let reborn = only(store.as_ref(), 9_000).await;
    let fenced = store.finish(&old, Vec::new()).await;
    assert!(matches!(fenced, Err(Error::Fenced)), "a lease never fits a later job of its key");
    store.finish(&reborn, Vec::new()).await.unwrap();
}

pub(crate) async fn a_heartbeat_keeps_a_lease_and_tells_when_it_is_lost(store: &Subject) {
    store.put(vec![job("a", 0)]).await.unwrap();
    let old = only(store.as_ref(), 0).await;
    assert_eq!(store.heartbeat(&old, Millis(3_000)).await.unwrap(), Beat::Kept);
    assert!(claimed(store.as_ref(), 2_999).await.is_empty());
    let new = only(store.as_ref(), 3_000).await;
    assert_eq!(store.heartbeat(&old, Millis(9_000)).await.unwrap(), Beat::Lost);
    store.finish(&new, Vec::new()).await.unwrap();
    assert_eq!(store.heartbeat(&new, Millis(9_000)).await.unwrap(), Beat::Lost);
}

pub(crate) async fn a_finished_job_is_gone_and_its_jobs_are_there(store: &Subject) {
    store.put(vec![job("a", 0)]).await.unwrap();
    let lease = only(store.as_ref(), 0).await;
    store.finish(&lease, vec![job("b", 5), job("c", 7)]).await.unwrap();
    assert_eq!(keys(&claimed(store.as_ref(), 9).await), ["b", "c"]);
}

pub(crate) async fn keep_leaves_the_old_job(store: &Subject) {
    store.put(vec![job("a", 50)]).await.unwrap();
    store.put(vec![job("a", 10)]).await.unwrap();
    assert!(claimed(store.as_ref(), 49).await.is_empty());
    let lease = only(store.as_ref(), 50).await;
    store.put(vec![job("a", 10)]).await.unwrap();
    store.finish(&lease, Vec::new()).await.unwrap();
    assert!(claimed(store.as_ref(), 99).await.is_empty());
}

fn repeat(key: &str, due: i64, on_repeat: OnRepeat) -> NewJob {
    NewJob { on_repeat, ..job(key, due) }
}

pub(crate) async fn sooner_moves_the_old_job_forward_only(store: &Subject) {
    store.put(vec![job("a", 50)]).await.unwrap();
    store.put(vec![repeat("a", 20, OnRepeat::Sooner)]).await.unwrap();
    store.put(vec![repeat("a", 90, OnRepeat::Sooner)]).await.unwrap();
    assert!(claimed(store.as_ref(), 19).await.is_empty());
    assert_eq!(only(store.as_ref(), 20).await.late_ms, 0);
}

pub(crate) async fn sooner_runs_once_more_after_the_present_lease(store: &Subject) {
    store.put(vec![job("a", 0)]).await.unwrap();
    let first = only(store.as_ref(), 0).await;
    store.put(vec![repeat("a", 30, OnRepeat::Sooner)]).await.unwrap();
    store.put(vec![repeat("a", 20, OnRepeat::Sooner)]).await.unwrap();
    store.put(vec![repeat("a", 40, OnRepeat::Sooner)]).await.unwrap();
    assert!(claimed(store.as_ref(), 50).await.is_empty(), "it is leased");
    store.finish(&first, Vec::new()).await.unwrap();
    assert!(claimed(store.as_ref(), 19).await.is_empty());
    let second = only(store.as_ref(), 20).await;
    let fenced = store.finish(&first, Vec::new()).await;
    assert!(matches!(fenced, Err(Error::Fenced)), "{fenced:?}");
    store.finish(&second, Vec::new()).await.unwrap();
    assert!(claimed(store.as_ref(), 9_999).await.is_empty(), "once more, not for ever");

    store.put(vec![job("a", 0)]).await.unwrap();
    let third = only(store.as_ref(), 0).await;
    store.put(vec![repeat("a", 30, OnRepeat::Sooner)]).await.unwrap();
    store.put_back(&third, Millis(700), "later").await.unwrap();
    assert_eq!(only(store.as_ref(), 30).await.attempts, 1, "the earlier of both moments");
}

pub(crate) async fn replace_takes_the_place(store: &Subject) {
    store.put(vec![job("a", 0)]).await.unwrap();
    let lease = only(store.as_ref(), 0).await;
    store.put_back(&lease, Millis(10), "no").await.unwrap();
    let run = RunId::derive(&repo("r"), "c");
    let kind = JobKind::Look { run: run.clone() };
    let new = NewJob { kind: kind.clone(), ..repeat("a", 80, OnRepeat::Replace) };
    store.put(vec![new]).await.unwrap();
    assert!(claimed(store.as_ref(), 79).await.is_empty());
    let lease = only(store.as_ref(), 80).await;
    assert_eq!((lease.kind, lease.attempts), (kind, 0));
}

pub(crate) async fn replace_of_a_leased_job_runs_after_it(store: &Subject) {
    store.put(vec![job("a", 0)]).await.unwrap();
    let lease = only(store.as_ref(), 0).await;
    store.put(vec![repeat("a", 80, OnRepeat::Replace)]).await.unwrap();
    assert_eq!(store.heartbeat(&lease, Millis(70)).await.unwrap(), Beat::Kept);
    store.finish(&lease, Vec::new()).await.unwrap();
    assert!(claimed(store.as_ref(), 79).await.is_empty());
    only(store.as_ref(), 80).await;
}

pub(crate) async fn jobs_are_claimed_oldest_first_and_none_before_its_time(store: &Subject) {
    let jobs = [("c", 30), ("a", 10), ("late", 99), ("b", 20)];
    store.put(jobs.iter().map(|(key, due)| job(key, *due)).collect()).await.unwrap();
    assert_eq!(keys(&store.claim(&claim(50, 2)).await.unwrap()), ["a", "b"]);
    assert_eq!(keys(&claimed(store.as_ref(), 50).await), ["c"]);
    assert!(store.claim(&claim(500, 0)).await.unwrap().is_empty());
}

pub(crate) async fn heavy_jobs_keep_within_every_limit(store: &Subject) {
    let (a, b) = (repo("a"), repo("b"));
    let jobs = vec![
        heavy("a1", 1, &a, Some("codex")),
        heavy("a2", 2, &a, Some("codex")),
        heavy("a3", 3, &a, None),
        heavy("b1", 4, &b, Some("codex")),
        heavy("b2", 5, &b, Some("gemini")),
        job("light", 6),
    ];
    store.put(jobs).await.unwrap();
    let limited = |heavy_max, heavy_per_repo_max, codex| Claim {
        heavy_max,
        heavy_per_repo_max,
        heavy_per_agent_max: vec![("codex".to_owned(), codex)],
        ..claim(10, 100)
    };
    let first = store.claim(&limited(0, 9, 9)).await.unwrap();
    assert_eq!(keys(&first), ["light"]);
    let first = store.claim(&limited(9, 1, 1)).await.unwrap();
    assert_eq!(keys(&first), ["a1", "b2"], "one for a repository, one for codex");
    let second = store.claim(&limited(3, 2, 1)).await.unwrap();
    assert_eq!(keys(&second), ["a3"], "three in all, codex still has one");
    assert!(store.claim(&limited(3, 9, 9)).await.unwrap().is_empty());
    store.finish(&first[0], Vec::new()).await.unwrap();
    let third = store.claim(&limited(9, 9, 1)).await.unwrap();
    assert_eq!(keys(&third), ["a2"]);
    let later = Claim { now: Millis(5_000), ..limited(9, 9, 9) };
    let all = store.claim(&later).await.unwrap();
    assert_eq!(all.len(), 5, "leases that ran out do not count: {all:?}");
}

pub(crate) async fn a_blocked_repository_does_not_block_another(store: &Subject) {
    let (a, b) = (repo("a"), repo("b"));
    let mut jobs: Vec<_> =
        (0..300).map(|n| heavy(&format!("a{n}"), n, &a, Some("codex"))).collect();
    jobs.push(heavy("b", 900, &b, Some("codex")));
    store.put(jobs).await.unwrap();
    let one_each = Claim { heavy_per_repo_max: 1, ..claim(1_000, 10) };
    assert_eq!(keys(&store.claim(&one_each).await.unwrap()), ["a0", "b"]);
}

pub(crate) async fn putting_back_counts_attempts(store: &Subject) {
    store.put(vec![job("a", 0)]).await.unwrap();
    for attempts in 0..3 {
        let lease = only(store.as_ref(), attempts * 10).await;
        assert_eq!(i64::from(lease.attempts), attempts);
        store.put_back(&lease, Millis(attempts * 10 + 10), "not yet").await.unwrap();
        assert!(claimed(store.as_ref(), attempts * 10 + 9).await.is_empty());
    }
}

pub(crate) async fn the_next_moment_is_known(store: &Subject) {
    assert_eq!(store.next_due().await.unwrap(), None);
    store.put(vec![job("a", 40), job("b", 70)]).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(Millis(40)));
    let lease = only(store.as_ref(), 40).await;
    assert_eq!(store.next_due().await.unwrap(), Some(Millis(70)));
    store.claim(&claim(80, 1)).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(Millis(1_040)), "the first lease's end");
    store.finish(&lease, Vec::new()).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(Millis(1_080)));
}

pub(crate) async fn concurrent_claimers_take_each_job_once(store: &Subject) {
    let (a, b) = (repo("a"), repo("b"));
    let mut jobs: Vec<_> = (0..180).map(|n| job(&format!("light {n}"), n)).collect();
    jobs.extend((0..10).map(|n| heavy(&format!("a {n}"), n, &a, None)));
    jobs.extend((0..10).map(|n| heavy(&format!("b {n}"), n, &b, Some("codex"))));
    store.put(jobs).await.unwrap();
    let mut claimers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = Arc::clone(store);
        claimers.spawn(async move {
            let mut taken = Vec::new();
            loop {
                let leases = store.claim(&claim(500, 3)).await.unwrap();
                if leases.is_empty() {
                    return taken;
                }
                for lease in leases {
                    store.finish(&lease, Vec::new()).await.unwrap();
                    taken.push(lease.key);
                }
            }
        });
    }
    let mut times = BTreeMap::new();
    for key in claimers.join_all().await.into_iter().flatten() {
        *times.entry(key).or_insert(0) += 1;
    }
    assert_eq!(times.len(), 200);
    assert!(times.values().all(|times| *times == 1), "{times:?}");
}

pub(crate) async fn a_key_beyond_the_limit_is_refused(store: &Subject) {
    let long = "k".repeat(JobKey::BYTES_MAX + 1);
    let refused = store.put(vec![job("a", 0), job(&long, 0)]).await;
    assert!(matches!(refused, Err(Error::TooLarge { .. })), "{refused:?}");
    assert!(claimed(store.as_ref(), 9).await.is_empty(), "neither was put");
}
