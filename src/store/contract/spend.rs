//! Sentences about money: calls that are reserved, settled, and charged when nobody settles.

use super::*;
use crate::model::budget::{CALL_MICROS_MAX, Call, Caps, Full, Scope, Used};
use crate::pipeline::Done;
use crate::store::{Ask, Payer, Reserving};

/// The 16th of June 2025, 09:00 UTC.
const MORNING: Millis = Millis(1_750_064_400_000);

fn payer(of: &Repo, issue: u64, entry: u32) -> Payer {
    Payer {
        run: RunId::derive(of, &format!("comment {issue}")),
        entry,
        stage: "build".to_owned(),
        repo: of.clone(),
        issue: IssueNumber(issue),
        user: UserId(7),
        installation: InstallationId(5),
    }
}

fn ask(payer: &Payer, caps: &Caps, worst: u64) -> Ask {
    let call = Call { worst, is_wrap_up: false };
    Ask { payer: payer.clone(), caps: caps.clone(), call, at: MORNING }
}

async fn reserved(store: &Subject, ask: &Ask) -> u64 {
    match store.reserve(ask).await.unwrap() {
        Reserving::Reserved(id) => id,
        Reserving::Full(full) => panic!("{full:?}"),
    }
}

async fn refused(store: &Subject, ask: &Ask) -> Full {
    match store.reserve(ask).await.unwrap() {
        Reserving::Reserved(id) => panic!("reserved as {id}"),
        Reserving::Full(full) => full,
    }
}

/// Spent and reserved in a scope.
async fn used(store: &Subject, payer: &Payer, scope: Scope) -> (u64, u64) {
    let usage = store.usage(payer, MORNING).await.unwrap();
    let Used { spent, reserved } = usage.get(&scope).copied().unwrap_or_default();
    (spent, reserved)
}

pub(crate) async fn a_call_counts_at_its_worst_until_it_is_settled(store: &Subject) {
    let (payer, caps) = (payer(&repo("a"), 1, 1), Caps::default().with(Scope::Issue, 100));
    let first = reserved(store, &ask(&payer, &caps, 60)).await;
    let full = refused(store, &ask(&payer, &caps, 41)).await;
    assert_eq!((full.scope, full.cap, full.used.total(), full.asked), (Scope::Issue, 100, 60, 41));
    for scope in Scope::ALL.into_iter().filter(|scope| *scope != Scope::Call) {
        assert_eq!(used(store, &payer, scope).await, (0, 60), "{scope:?}");
    }
    assert!(store.settle(first, Some(10)).await.unwrap());
    for scope in Scope::ALL.into_iter().filter(|scope| *scope != Scope::Call) {
        assert_eq!(used(store, &payer, scope).await, (10, 0), "{scope:?}");
    }
    reserved(store, &ask(&payer, &caps, 90)).await;
    assert_eq!(used(store, &payer, Scope::Issue).await, (10, 90));
}

pub(crate) async fn a_call_is_settled_once_and_costs_its_worst_when_nobody_knows(store: &Subject) {
    let (payer, caps) = (payer(&repo("a"), 1, 1), Caps::default());
    let [known, unknown] = [
        reserved(store, &ask(&payer, &caps, 60)).await,
        reserved(store, &ask(&payer, &caps, 30)).await,
    ];
    assert!(store.settle(known, Some(20)).await.unwrap());
    assert!(!store.settle(known, Some(60)).await.unwrap(), "the first word counts");
    assert!(store.settle(unknown, None).await.unwrap());
    assert!(!store.settle(unknown, Some(0)).await.unwrap(), "it is not given back later");
    assert!(!store.settle(unknown + 1, Some(0)).await.unwrap(), "there is no such call");
    assert_eq!(used(store, &payer, Scope::Run).await, (50, 0));
    let dearer = reserved(store, &ask(&payer, &caps, 10)).await;
    assert!(store.settle(dearer, Some(25)).await.unwrap());
    assert_eq!(used(store, &payer, Scope::Run).await, (75, 0), "the truth, also where it is more");
    let odd = reserved(store, &ask(&payer, &caps, u64::MAX)).await;
    assert_eq!(used(store, &payer, Scope::Run).await, (75, CALL_MICROS_MAX));
    assert!(store.settle(odd, Some(0)).await.unwrap());
}

/// The claim "a budget cannot be exceeded", against the store alone.
pub(crate) async fn fifty_that_race_for_one_cap_never_exceed_it(store: &Subject) {
    let caps = Caps::default().with(Scope::Day, 1_000);
    let asks = (0..50_u64).map(|n| {
        let payer = payer(&repo(if n % 2 == 0 { "a" } else { "b" }), n, 1);
        let (store, ask) = (std::sync::Arc::clone(store), ask(&payer, &caps, 70));
        async move { store.reserve(&ask).await.unwrap() }
    });
    let answers = futures_util::future::join_all(asks).await;
    let won = answers.iter().filter(|one| matches!(one, Reserving::Reserved(_))).count();
    let won = u64::try_from(won).unwrap();
    assert_eq!(won, 1_000 / 70);
    assert_eq!(used(store, &payer(&repo("a"), 1, 1), Scope::Day).await, (0, won * 70));
}

pub(crate) async fn scopes_are_kept_apart_and_windows_renew(store: &Subject) {
    let caps = Caps::default().with(Scope::Run, 100).with(Scope::Repository, 150);
    let caps = caps.with(Scope::Day, 250);
    let [one, two, other] =
        [payer(&repo("a"), 1, 1), payer(&repo("a"), 2, 1), payer(&repo("b"), 3, 1)];
    reserved(store, &ask(&one, &caps, 90)).await;
    let stage = Payer { stage: "plan".to_owned(), ..one.clone() };
    assert_eq!(refused(store, &ask(&stage, &caps, 11)).await.scope, Scope::Run);
    assert_eq!(used(store, &stage, Scope::Stage).await, (0, 0));
    let full = refused(store, &ask(&two, &caps, 61)).await;
    assert_eq!(full.scope, Scope::Repository);
    assert_eq!(full.renews, Millis::from_rfc3339("2025-07-01T00:00:00Z"));
    reserved(store, &ask(&two, &caps, 60)).await;
    let full = refused(store, &ask(&other, &caps, 101)).await;
    let tomorrow = Millis::from_rfc3339("2025-06-17T00:00:00Z").unwrap();
    assert_eq!((full.scope, full.renews), (Scope::Day, Some(tomorrow)));
    let later = |payer: &Payer, worst, at| Ask { at, ..ask(payer, &caps, worst) };
    reserved(store, &later(&other, 90, tomorrow)).await;
    assert_eq!(refused(store, &later(&two, 1, tomorrow)).await.scope, Scope::Repository);
    reserved(store, &later(&two, 20, full.renews.unwrap().plus(20 * 86_400_000))).await;
}

/// A step of the run in which the task that ran under `entry` ended.
fn ending(run: &RunId, from: u64, state: &State, entry: u32) -> Transition {
    let done = Done::AgentFailed { why: "it died".to_owned(), cost_micros: 0 };
    let mut next = state.clone();
    next.entry = entry + 1;
    let kind = EventKind::performed(entry, done);
    Transition { event: Event { at: Millis(2_000), kind }, ..step(run, from, next) }
}

pub(crate) async fn what_nobody_settled_is_charged_when_its_task_ends(store: &Subject) {
    let of = repo("a");
    let (run, state) = opened(store.as_ref(), &of, 1).await;
    let (dead, alive, caps) = (payer(&of, 1, 3), payer(&of, 1, 4), Caps::default());
    let lost = reserved(store, &ask(&dead, &caps, 50)).await;
    let kept = reserved(store, &ask(&alive, &caps, 5)).await;
    store.commit(step(&run, 1, state.clone())).await.unwrap();
    assert_eq!(used(store, &dead, Scope::Run).await, (0, 55), "nothing ended");
    store.commit(ending(&run, 2, &state, 3)).await.unwrap();
    assert_eq!(used(store, &dead, Scope::Run).await, (50, 5));
    assert!(!store.settle(lost, Some(1)).await.unwrap(), "a late word gives nothing back");
    store.commit(step(&run, 3, finished(state.clone()))).await.unwrap();
    assert_eq!(used(store, &dead, Scope::Run).await, (50, 5), "of an entry that is to come");
    let over = State { entry: 4, ..finished(state) };
    store.commit(step(&run, 4, over)).await.unwrap();
    assert_eq!(used(store, &dead, Scope::Run).await, (55, 0));
    assert!(!store.settle(kept, Some(1)).await.unwrap());
}

pub(crate) async fn old_calls_are_forgotten_and_young_sums_stay(store: &Subject) {
    let (payer, caps) = (payer(&repo("a"), 1, 1), Caps::default());
    let old = reserved(store, &ask(&payer, &caps, 10)).await;
    assert!(store.settle(old, Some(10)).await.unwrap());
    let at = MORNING.plus(400 * 86_400_000);
    let young = reserved(store, &Ask { at, ..ask(&payer, &caps, 5) }).await;
    assert_eq!(store.forget_spend(at).await.unwrap(), 1);
    assert_eq!(used(store, &payer, Scope::Day).await, (0, 0), "its day is forgotten");
    assert_eq!(used(store, &payer, Scope::Issue).await, (10, 5), "the issue is still worked on");
    assert!(store.settle(young, Some(5)).await.unwrap());
    assert_eq!(store.forget_spend(at).await.unwrap(), 0);
}
