//! The purse: what it asks the store for, what it learns, and what it says afterwards.

use super::*;
use crate::clock::FakeClock;
use crate::gateway::Purse as _;
use crate::model::Tokens;
use crate::model::budget::Raise;
use crate::model::{CommentId, InstallationId, IssueNumber, Millis, RunId, User, UserId};
use crate::store::contract;
use crate::store::memory::Memory;

const NOW: Millis = Millis(1_750_064_400_000);

/// A purse over an empty store with these caps; every run of `o/a` has it in common.
fn purse(store: &Arc<Memory>, rules: Rules) -> Purse {
    let repo = contract::repo("a");
    Purse {
        store: Arc::<Memory>::clone(store),
        clock: Arc::new(FakeClock::at(NOW)),
        rules,
        policy: Caps::default(),
        payer: Payer {
            run: RunId::derive(&repo, "comment 1"),
            entry: 1,
            stage: "build".to_owned(),
            repo,
            issue: IssueNumber(1),
            user: UserId(7),
            installation: InstallationId(5),
        },
        said: Mutex::default(),
    }
}

fn rules(scope: Scope, micros: u64) -> Rules {
    Rules { caps: Caps::default().with(scope, micros), ..Rules::default() }
}

#[tokio::test]
async fn a_call_is_reserved_at_its_worst_and_settled_at_what_it_cost() {
    let store = Arc::new(Memory::default());
    let purse = purse(&store, rules(Scope::Run, 100));
    let first = purse.reserve(Cost::Micros(60), false).await.unwrap();
    assert!(purse.full(31).await.unwrap().is_some() && purse.full(30).await.unwrap().is_none());
    purse.settle(first, Cost::Micros(20)).await.unwrap();
    let unknown = purse.reserve(Cost::Micros(50), false).await.unwrap();
    purse.settle(unknown, Cost::Unknown).await.unwrap();
    assert_eq!((purse.spent(), purse.refused()), (70, None), "unknown is its worst");
    let refused = purse.reserve(Cost::Micros(21), false).await.unwrap_err();
    assert!(matches!(refused, Refused::Full(full) if full.scope == Scope::Run), "{refused}");
    assert_eq!(purse.refused().map(|full| full.asked), Some(21));
    let wrap_up = purse.reserve(Cost::Micros(30), true).await.unwrap();
    purse.settle(wrap_up, Cost::Micros(0)).await.unwrap();
    assert_eq!(purse.spending().await.unwrap().used, 70);
}

#[tokio::test]
async fn a_price_that_nobody_knows_is_refused_or_counts_as_nothing() {
    let store = Arc::new(Memory::default());
    let refused = purse(&store, Rules::default()).reserve(Cost::Unknown, false).await;
    assert!(matches!(refused, Err(Refused::Unpriced)), "{refused:?}");
    let rules = Rules { unknown_price: UnknownPrice::Allow, ..rules(Scope::Run, 1) };
    let purse = purse(&store, rules);
    let allowed = purse.reserve(Cost::Unknown, false).await.unwrap();
    purse.settle(allowed, Cost::Unknown).await.unwrap();
    assert_eq!((purse.spent(), purse.spending().await.unwrap().used), (0, 0));
}

#[tokio::test]
async fn a_raise_reaches_an_agent_that_is_at_work_as_far_as_the_operator_lets_it() {
    let store = Arc::new(Memory::default());
    let (run, mut state) = contract::opened(store.as_ref(), &contract::repo("a"), 1).await;
    let rules = Rules { raise_micros_max: 500, ..rules(Scope::Issue, 100) };
    let purse = purse(&store, rules);
    assert_eq!(purse.payer.run, run);
    assert!(purse.reserve(Cost::Micros(101), false).await.is_err());
    let by = User { id: UserId(1), login: "ann".to_owned(), bot: false };
    let (until, comment) = (NOW.plus(1_000), Some(CommentId(1)));
    state.budget.raises.push(Raise { by, micros: 9_000, until, comment });
    store.commit(contract::step(&run, 1, state)).await.unwrap();
    let raised = purse.reserve(Cost::Micros(600), false).await.unwrap();
    assert!(purse.reserve(Cost::Micros(1), false).await.is_err(), "not the whole raise");
    purse.settle(raised, Cost::Micros(600)).await.unwrap();
}

#[tokio::test]
async fn a_policy_lowers_and_never_lifts() {
    let store = Arc::new(Memory::default());
    for (policy, worst) in [(40, 40), (400, 90)] {
        let mut purse = purse(&store, rules(Scope::Issue, 90));
        purse.policy = Caps::default().with(Scope::Issue, policy);
        assert!(purse.full(worst).await.unwrap().is_none());
        assert!(purse.full(worst + 1).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn an_agent_at_its_cap_may_make_a_few_calls_from_the_last_part_and_no_more() {
    let store = Arc::new(Memory::default());
    let purse = Arc::new(purse(&store, rules(Scope::Run, 1_000)));
    let counter = Counter::new(Arc::clone(&purse));
    let call = |micros| gateway::Call {
        order: "a run".to_owned(),
        provider: "house".to_owned(),
        model: "m".to_owned(),
        worst: Cost::Micros(micros),
    };
    let spent = |micros| gateway::Spent {
        tokens: Tokens::default(),
        cost: Cost::Micros(micros),
        certain: true,
    };
    let most = counter.reserve(&call(900)).await.unwrap();
    counter.settle(most, spent(900)).await;
    for _ in 0..WRAP_UP_CALLS_MAX {
        let last = counter.reserve(&call(10)).await.unwrap();
        counter.settle(last, spent(10)).await;
    }
    let refused = counter.reserve(&call(10)).await;
    assert!(matches!(refused, Err(gateway::Refused::Spent(_))), "{refused:?}");
    assert_eq!(purse.spent(), 900 + 10 * WRAP_UP_CALLS_MAX);
    assert!(purse.refused().is_some(), "the run knows that it is at its cap");
}
