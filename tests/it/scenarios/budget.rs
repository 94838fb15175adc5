//! Budgets: what does not fit is not spent, and what stopped for want of money goes on.

use slipway::agent::scripted::Script;
use slipway::model::budget::{Scope, Used};
use slipway::model::{InstallationId, IssueNumber, UserId};
use slipway::pipeline::{EventKind, ParkReason};
use slipway::store::{Audited, Payer, Store};

use crate::world::{Plan, Side, Town, plan, ready, say, write};

const HOUR_MS: i64 = 3_600_000;

/// A town whose agent makes two calls of thirty cents in every turn.
fn dear() -> Plan {
    plan().auto().costs(&[300_000, 300_000])
}

/// What is used in a scope by the newest run.
fn used(t: &Town, scope: Scope) -> Used {
    let state = t.state();
    let request = &state.request;
    let payer = Payer {
        run: request.run.clone(),
        entry: 0,
        stage: "build".to_owned(),
        repo: request.repo.clone(),
        issue: IssueNumber(t.number),
        user: UserId(request.by.id.0),
        installation: InstallationId(request.installation.0),
    };
    let usage = ready(t.store.usage(&payer, slipway::model::Millis(t.now())));
    usage.expect("the store answers").get(&scope).copied().unwrap_or_default()
}

#[test]
fn a_run_that_used_up_its_budget_waits_and_goes_on_when_it_may_spend_more() {
    dear().cap(Scope::Run, 1_000_000).run(async |t| {
        t.go("Add a feature").await;
        let text = t.expect_parked(ParkReason::BudgetSpent).await;
        assert!(text.contains("may spend $1.00, the last $0.10 of it for a wrap-up"), "{text}");
        assert!(text.contains("has used $0.90") && text.contains("is kept as"), "{text}");
        assert_eq!(t.agents_asked(), ["planner 1", "builder 1"]);
        assert!(t.last_words().contains("`/budget +5`"), "{}", t.last_words());
        assert!(t.last_words().contains("cost $0.90 of $1.00"), "{}", t.last_words());
        assert_eq!(t.pulls(), 0, "what is unfinished is not shown as if it were done");
        t.pass_ms(48 * HOUR_MS).await;
        assert!(t.parked().is_some(), "time gives no money");
        let by_rio = t.says("rio", t.number, "/budget +5");
        t.settle().await;
        assert_eq!(t.reactions(by_rio), ["eyes", "confused"]);
        assert!(t.parked().is_some(), "who may write may not spend more");
        t.comment("/budget +5").await;
        t.expect_outcome("merged").await;
        assert_eq!(t.agents_asked(), ["planner 1", "builder 1", "builder 1"]);
        assert!(t.asked()[2].prompt.contains("had to stop before it was done"));
        assert_eq!(t.file("main", "feature.txt").as_deref(), Some("a feature\n"));
        assert_eq!(used(t, Scope::Run), Used { spent: 1_500_000, reserved: 0 });
        let audit = ready(t.store.audits(&Audited::Everything, 100)).expect("the store answers");
        let raised = |verdict: &str| verdict.contains("the run may spend $5.00 more until");
        assert!(audit.iter().any(|row| raised(&row.audit.verdict)), "{audit:?}");
        t.allows_writes(40);
    });
}

#[test]
fn a_cap_that_renews_moves_a_run_without_a_person() {
    dear().cap(Scope::Day, 700_000).run(async |t| {
        t.go("Add a feature").await;
        let text = t.expect_parked(ParkReason::CapReached).await;
        assert!(text.contains("everything here together on this day may spend $0.70"), "{text}");
        assert!(t.last_words().contains("At 2025-06-17 00:00 UTC Slipway asks by itself"));
        t.comment("/budget +5").await;
        let told = |body: &str| body.contains("`/budget` does not raise that");
        assert!(t.comments_of_bot().iter().any(|said| told(&said.body)), "it says so");
        t.run_until("tomorrow", |t| t.parked().is_none()).await;
        t.expect_outcome("merged").await;
        assert_eq!(t.agents_asked(), ["planner 1", "builder 1", "builder 1"]);
        assert!(used(t, Scope::Day).total() <= 700_000);
        t.allows_writes(40);
    });
}

#[test]
fn a_run_that_goes_on_by_itself_does_so_a_few_times_and_then_asks() {
    dear().cap(Scope::Day, 500_000).run(async |t| {
        t.go("Add a feature").await;
        t.expect_parked(ParkReason::CapReached).await;
        t.pass_ms(7 * 24 * HOUR_MS).await;
        assert_eq!(t.agents_asked(), ["planner 1"; 4], "the first time, and three by itself");
        assert!(t.last_words().contains("There is no time limit"), "{}", t.last_words());
        assert_eq!(used(t, Scope::Run).spent, 1_200_000);
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
        t.allows_writes(60);
    });
}

#[test]
fn two_runs_that_race_for_one_cap_do_not_get_past_it() {
    let policy = "merge: auto\nrequester_may_approve: true\nstages:\n  plan: false\n";
    let agent = |n: u32| {
        let builder = vec![vec![write(&format!("file{n}.txt"), "text\n"), say("Done.")]];
        Script { builder, calls: vec![600_000], ..Script::default() }
    };
    let town = plan().auto().policy(policy).agent("a1", agent(1)).agent("a2", agent(2));
    town.cap(Scope::Day, 1_000_000).run(async |t| {
        let first = t.issue("One");
        let second = t.issue("Two");
        t.says("mara", first, "/go --agent a1");
        t.says("mara", second, "/go --agent a2");
        t.number = first;
        t.run_until("one that merged", |t| t.outcome().is_some()).await;
        t.number = second;
        t.expect_parked(ParkReason::CapReached).await;
        assert_eq!(used(t, Scope::Day), Used { spent: 600_000, reserved: 0 });
        t.run_until("tomorrow", |t| t.parked().is_none()).await;
        t.expect_outcome("merged").await;
        t.allows_writes(60);
    });
}

#[test]
fn the_operator_has_the_last_word_on_how_far_a_run_is_raised() {
    dear().cap(Scope::Run, 500_000).run(async |t| {
        t.go("Add a feature").await;
        t.expect_parked(ParkReason::BudgetSpent).await;
        t.comment("/budget +20").await;
        t.run_until("an answer", |t| t.parked().is_none() || t.outcome().is_some()).await;
        t.expect_outcome("merged").await;
        t.go("Another").await;
        t.expect_parked(ParkReason::BudgetSpent).await;
        t.comment("/budget +30").await;
        let told = |body: &str| body.contains("raised by at most $25.00 at a time");
        assert!(t.comments_of_bot().iter().any(|said| told(&said.body)));
        assert!(t.state().budget.raises.is_empty());
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
        t.allows_writes(60);
    });
}

#[test]
fn a_repository_lowers_what_the_operator_allows() {
    let policy = "merge: auto\nrequester_may_approve: true\nbudget:\n  issue: 0.50\n";
    dear().policy(policy).run(async |t| {
        t.go("Add a feature").await;
        let text = t.expect_parked(ParkReason::BudgetSpent).await;
        assert!(text.contains("this issue may spend $0.50 and has used $0.30"), "{text}");
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
    });
}

#[test]
fn an_agent_that_costs_nothing_by_the_call_knows_no_budget() {
    plan().auto().cap(Scope::Run, 1).cap(Scope::Day, 1).run(async |t| {
        t.go("Add a feature").await;
        t.expect_outcome("merged").await;
        assert_eq!(used(t, Scope::Day), Used::default());
    });
}

#[test]
fn people_are_warned_before_the_budget_is_used_up() {
    dear().cap(Scope::Run, 1_450_000).run(async |t| {
        t.go("Add a feature").await;
        t.expect_outcome("merged").await;
        let warned = t.timeline().iter().any(|entry| match &entry.event.kind {
            EventKind::Performed { told, .. } => {
                told.spending.is_some_and(|spending| spending.near.is_some())
            }
            EventKind::Started
            | EventKind::Commanded(_)
            | EventKind::Withdrawn { .. }
            | EventKind::Observed(_)
            | EventKind::TimerFired { .. } => false,
        });
        assert!(warned, "four fifths were spent");
    });
}

#[test]
fn wherever_it_crashes_nothing_is_given_back_and_no_cap_is_exceeded() {
    for nth in [5, 6, 7, 8, 9, 10, 11, 12] {
        dear().cap(Scope::Run, 3_000_000).run(async |t| {
            t.crash_at(nth, Side::After);
            t.go("Add a feature").await;
            t.expect_outcome("merged").await;
            let used = used(t, Scope::Run);
            assert_eq!((t.crashes, used.reserved), (1, 0), "effect {nth}");
            // What was paid for is counted, also where it had to be paid for again.
            assert!((1_200_000..=2_700_000).contains(&used.spent), "effect {nth}: {used:?}");
        });
    }
}
