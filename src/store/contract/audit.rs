//! Sentences about the audit, and about bodies that come again.

use super::*;
use crate::model::{Act, Audit};
use crate::store::{Audited, Error, OWN_EVENT, Recorded};

pub(crate) fn line(run: Option<&RunId>, of: &Repo, at: i64) -> Audit {
    Audit {
        at: Millis(at),
        act: Act::Push,
        who: "mona (7)".to_owned(),
        run: run.cloned(),
        repo: Some(of.clone()),
        head: Some(sha('a')),
        tree: None,
        digest: Some("d".repeat(64)),
        verdict: "“quoted” 🚢".to_owned(),
    }
}

async fn moments(store: &Subject, which: &Audited) -> Vec<i64> {
    let rows = store.audits(which, 100).await.unwrap();
    assert!(rows.windows(2).all(|two| two[0].number > two[1].number));
    rows.into_iter().map(|row| row.audit.at.0).collect()
}

pub(crate) async fn attack_09_a_body_that_was_here_is_known_under_any_name(store: &Subject) {
    let first = delivery("d1", 5);
    assert_eq!(store.record(first.clone()).await.unwrap(), Recorded::New);
    let named = |id: &str, event: &str| NewDelivery {
        id: DeliveryId::parse(id).unwrap(),
        event: event.to_owned(),
        ..first.clone()
    };
    for (id, event) in [("d2", "issue_comment"), ("d3", "issues"), ("d4", "push")] {
        assert_eq!(store.record(named(id, event)).await.unwrap(), Recorded::Replay, "{id}");
        assert_eq!(store.delivery(&named(id, event).id).await.unwrap(), None);
    }
    // GitHub sends again under the same GUID.
    assert_eq!(store.record(named("d1", "issue_comment")).await.unwrap(), Recorded::Repeat);
    assert_eq!(claimed(store.as_ref(), 10).await.len(), 1, "one body, one job");
    // What is not known by its body comes as often as somebody likes.
    for id in ["d5", "d6"] {
        let own = named(id, &format!("{OWN_EVENT}.comment"));
        assert_eq!(store.record(own).await.unwrap(), Recorded::New, "{id}");
    }
}

/// In one transaction, which is where a batch could get it wrong.
pub(crate) async fn attack_09_of_equal_bodies_that_come_at_once_one_is_kept(store: &Subject) {
    let names: Vec<String> = (0..40).map(|n| format!("d{n}")).collect();
    let records = names
        .iter()
        .map(|name| store.record(NewDelivery { body: b"{}".to_vec(), ..delivery(name, 5) }));
    let recorded = futures_util::future::join_all(records).await;
    let new = recorded.iter().filter(|one| matches!(one, Ok(Recorded::New))).count();
    let replays = recorded.iter().filter(|one| matches!(one, Ok(Recorded::Replay))).count();
    assert_eq!((new, replays), (1, 39));
    assert_eq!(claimed(store.as_ref(), 10).await.len(), 1);
}

pub(crate) async fn a_line_is_written_with_its_step_or_not_at_all(store: &Subject) {
    let (run, state) = opened(store.as_ref(), &repo("a"), 1).await;
    let of = repo("a");
    let with = |from, at| Transition {
        audits: vec![line(Some(&run), &of, at)],
        ..step(&run, from, state.clone())
    };
    store.commit(with(1, 10)).await.unwrap();
    let late = store.commit(with(1, 20)).await;
    assert!(matches!(late, Err(Error::Conflict)), "{late:?}");
    assert_eq!(moments(store, &Audited::Everything).await, [10]);
    store.put(vec![job("a", 0)]).await.unwrap();
    let lease = only(store.as_ref(), 5).await;
    store.finish_audited(&lease, Vec::new(), vec![line(None, &of, 30)]).await.unwrap();
    let gone = store.finish_audited(&lease, Vec::new(), vec![line(None, &of, 40)]).await;
    assert!(matches!(gone, Err(Error::Fenced)), "{gone:?}");
    assert_eq!(moments(store, &Audited::Everything).await, [30, 10]);
}

pub(crate) async fn the_audit_is_read_by_run_and_by_repository(store: &Subject) {
    let [one, other] = [repo("a"), repo("b")];
    let run = RunId::derive(&one, "comment 1");
    let lines = vec![line(Some(&run), &one, 1), line(None, &one, 2), line(None, &other, 3)];
    store.audit(lines.clone()).await.unwrap();
    let rows = store.audits(&Audited::Everything, 100).await.unwrap();
    let back: Vec<Audit> = rows.into_iter().rev().map(|row| row.audit).collect();
    assert_eq!(back, lines, "as they were written");
    assert_eq!(moments(store, &Audited::Run(run)).await, [1]);
    assert_eq!(moments(store, &Audited::Repo(one)).await, [2, 1]);
    assert_eq!(store.audits(&Audited::Everything, 1).await.unwrap().len(), 1);
    assert_eq!(store.forget_audits(Millis(3)).await.unwrap(), 2);
    assert_eq!(moments(store, &Audited::Everything).await, [3]);
}
