//! Who waits for whom, with a clock that moves when told to.

use std::sync::Arc;

use axum::http::Method;
use futures_util::FutureExt;
use futures_util::future::join_all;
use serde_json::json;

use super::*;
use crate::clock::FakeClock;

const AT: Account = Account::Installation(InstallationId(1));

struct Desk {
    clock: Arc<FakeClock>,
    pacer: Pacer,
}

fn desk(limits: Limits) -> Desk {
    let clock = Arc::new(FakeClock::at(Millis(1_800_000_000_000)));
    let pacer = Pacer::new(limits, Arc::<FakeClock>::clone(&clock));
    Desk { clock, pacer }
}

fn write(kind: &'static str) -> Request {
    Request::write(Method::POST, kind, "/x".to_owned(), json!({}))
}

fn read() -> Request {
    Request::get("pull", "/x".to_owned())
}

fn sent_back(entered: Option<Result<Slot<'_>, Error>>) -> i64 {
    match entered {
        Some(Err(Error::Limited { after })) => i64::try_from(after.as_millis()).unwrap(),
        Some(Ok(_)) => panic!("it went"),
        Some(Err(other)) => panic!("{other:?}"),
        None => panic!("it waits"),
    }
}

#[test]
fn the_more_urgent_goes_first_and_then_the_earlier() {
    let d = desk(Limits::cloud());
    drop(d.pacer.enter(AT, &write("merge")).now_or_never().unwrap().unwrap());
    let order = Mutex::new(Vec::new());
    let kinds = ["edit_comment", "merge", "close_issue", "comment"];
    let requests = kinds.map(write);
    let go = requests.iter().map(|request| {
        let (d, order) = (&d, &order);
        async move {
            let slot = d.pacer.enter(AT, request).await;
            order.lock().unwrap().push((request.kind, slot.is_ok()));
        }
    });
    let mut all = Box::pin(join_all(go));
    for _ in 0..8 {
        if all.as_mut().now_or_never().is_some() {
            break;
        }
        d.clock.advance(1_100);
    }
    drop(all);
    let order = order.into_inner().unwrap();
    let names: Vec<_> = order.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(names[..1], ["comment"], "{order:?}");
    assert!(order.contains(&("merge", true)) && order.contains(&("close_issue", true)));
    let place = |kind| names.iter().position(|name| *name == kind);
    assert!(place("merge") < place("close_issue"), "{order:?}");
    assert!(order.contains(&("edit_comment", false)), "it comes back later: {order:?}");
    assert_eq!(d.pacer.counts().waits, [1, 0, 1, 1, 1]);
    assert_eq!(d.pacer.counts().sent_back, [0, 0, 0, 0, 1]);
}

#[test]
fn a_read_and_a_reaction_do_not_wait_for_a_write() {
    let d = desk(Limits::cloud());
    let first = d.pacer.enter(AT, &write("merge")).now_or_never().unwrap().unwrap();
    let merge = write("merge");
    let mut second = Box::pin(d.pacer.enter(AT, &merge));
    assert!(second.as_mut().now_or_never().is_none());
    for request in [read(), write("reaction")] {
        assert!(d.pacer.enter(AT, &request).now_or_never().unwrap().is_ok(), "{}", request.kind);
    }
    let other = Account::Installation(InstallationId(2));
    assert!(d.pacer.enter(other, &write("merge")).now_or_never().unwrap().is_ok());
    drop(first);
}

#[test]
fn those_who_would_wait_long_are_sent_back_with_a_turn_each() {
    let d = desk(Limits::cloud());
    drop(d.pacer.enter(AT, &write("merge")).now_or_never().unwrap().unwrap());
    let edit = write("edit_comment");
    let mut waits = Box::pin(d.pacer.enter(AT, &edit));
    assert!(waits.as_mut().now_or_never().is_none(), "one may wait");
    let turns: Vec<i64> = (0..3)
        .map(|_| sent_back(d.pacer.enter(AT, &write("edit_comment")).now_or_never()))
        .collect();
    assert_eq!(turns, [2_200, 3_300, 4_400]);
    assert_eq!(d.pacer.counts().sent_back[Priority::Cosmetic.index()], 3);
    drop(waits);
    d.clock.advance(1_100);
    assert!(d.pacer.enter(AT, &write("edit_comment")).now_or_never().unwrap().is_ok());
}

#[test]
fn only_some_of_the_workers_wait_whatever_the_installation() {
    let d = desk(Limits::cloud().with_workers(4));
    let accounts = [1, 2, 3].map(|id| Account::Installation(InstallationId(id)));
    let edit = write("merge");
    for account in accounts {
        drop(d.pacer.enter(account, &edit).now_or_never().unwrap().unwrap());
    }
    let mut waiting: Vec<_> =
        accounts[..2].iter().map(|account| Box::pin(d.pacer.enter(*account, &edit))).collect();
    assert!(waiting.iter_mut().all(|one| one.as_mut().now_or_never().is_none()));
    assert_eq!(sent_back(d.pacer.enter(accounts[2], &edit).now_or_never()), 1_100);
    assert!(d.pacer.enter(accounts[2], &read()).now_or_never().unwrap().is_ok());
    drop(waiting);
    assert!(d.pacer.enter(accounts[2], &edit).now_or_never().is_none(), "there is room again");
}

#[test]
fn whoever_gives_up_leaves_the_line() {
    let d = desk(Limits { at_once_max: 1, ..Limits::cloud() });
    let slot = d.pacer.enter(AT, &read()).now_or_never().unwrap().unwrap();
    let (one, two) = (read(), read());
    let mut first = Box::pin(d.pacer.enter(AT, &one));
    let mut second = Box::pin(d.pacer.enter(AT, &two));
    assert!(first.as_mut().now_or_never().is_none());
    assert!(second.as_mut().now_or_never().is_none());
    drop(slot);
    // The first was called and does not take it: the second is next.
    drop(first);
    let second = second.as_mut().now_or_never().expect("called").expect("it goes");
    drop(second);
    assert!(d.pacer.enter(AT, &read()).now_or_never().unwrap().is_ok(), "nothing is lost");
}

#[test]
fn tokens_and_the_app_have_lines_of_their_own() {
    let tokens = Account::of_app("/app/installations/7/access_tokens");
    assert_eq!(tokens, Account::Tokens(InstallationId(7)));
    for path in ["/app", "/app/installations?per_page=100", "/app/hook/deliveries"] {
        assert_eq!(Account::of_app(path), Account::App, "{path}");
    }
}
