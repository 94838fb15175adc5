//! Auto-merge: GitHub merges by itself when rules that only it sees are met.

use slipway::pipeline::ParkReason;
use slipway::playground::world::merge::MergeCall;
use slipway::playground::world::{Actor, ReviewState};

use crate::world::{Plan, Town, plan};

/// The policy wants no person and auto-merge; the branch wants an approval and hides that.
fn wish() -> Plan {
    let policy = "merge: auto\nmerge_with: auto-merge\nverify:\n  - fails_if feature.txt BROKEN\n";
    plan().policy(policy).classic()
}

async fn until_asked(t: &mut Town) {
    t.run_until("auto-merge", |t| t.awaited().contains("auto-merge")).await;
}

fn effects(t: &Town, operation: &str) -> usize {
    t.calls(operation).iter().filter(|call| call.effect).count()
}

#[test]
fn github_merges_as_soon_as_its_own_rules_are_met() {
    wish().run(async |t| {
        t.go("Add a feature").await;
        until_asked(t).await;
        assert!(t.state().work.lane.is_none());
        t.review(ReviewState::Approved, "").await;
        t.expect_outcome("merged").await;
        assert_eq!(t.calls("pulls/merge").len(), 0, "no merge call");
        assert_eq!(effects(t, "graphql/EnableAutoMerge"), 1);
        assert!(t.state().work.landed_verified);
        assert!(t.state().work.merged_by.is_none());
    });
}

#[test]
fn where_nothing_is_pending_the_merge_call_is_made_with_the_same_permit() {
    let policy = "merge: auto\nmerge_with: auto-merge\n";
    plan().auto().policy(policy).run(async |t| {
        t.go("Add a feature").await;
        t.expect_outcome("merged").await;
        assert_eq!(effects(t, "graphql/EnableAutoMerge"), 0);
        let sent = t.fuse.sent();
        assert_eq!(sent.len(), 2, "asked, then called");
        assert_eq!(sent[0].order.head, sent[1].order.head);
        assert!(t.state().work.landed_verified);
    });
}

#[test]
fn a_push_turns_it_off_before_the_new_commit_is_verified() {
    wish().run(async |t| {
        t.go("Add a feature").await;
        until_asked(t).await;
        let branch = t.branch();
        t.push("rio", &branch, ("more.txt", "more\n"));
        t.settle().await;
        t.pass_ms(5_000).await;
        assert_eq!(effects(t, "graphql/DisableAutoMerge"), 1);
        until_asked(t).await;
        t.review(ReviewState::Approved, "").await;
        t.expect_outcome("merged").await;
        assert_eq!(effects(t, "graphql/EnableAutoMerge"), 2);
        assert_eq!(t.file("main", "more.txt").as_deref(), Some("more\n"));
        assert!(t.state().work.landed_verified);
        t.allows_writes(40);
    });
}

#[test]
fn a_base_that_moves_turns_it_off_until_the_head_has_it() {
    wish().run(async |t| {
        t.go("Add a feature").await;
        until_asked(t).await;
        t.push("mara", "main", ("other.txt", "other\n"));
        t.pass_ms(10_000).await;
        assert_eq!(effects(t, "graphql/DisableAutoMerge"), 1);
        until_asked(t).await;
        assert_eq!(t.state().counts.update_rounds, 1);
        t.review(ReviewState::Approved, "").await;
        t.expect_outcome("merged").await;
        assert!(t.state().work.landed_verified);
        t.allows_writes(40);
    });
}

#[test]
fn a_stop_turns_it_off_first() {
    wish().run(async |t| {
        let main = t.tip("main");
        t.go("Add a feature").await;
        until_asked(t).await;
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
        assert_eq!(effects(t, "graphql/DisableAutoMerge"), 1);
        t.review(ReviewState::Approved, "").await;
        t.pass_ms(3_600_000).await;
        assert_eq!(t.tip("main"), main, "nothing was merged");
    });
}

#[test]
fn somebody_who_turns_it_off_is_asked_and_not_overruled() {
    wish().run(async |t| {
        t.go("Add a feature").await;
        until_asked(t).await;
        let (mara, repo, number) = (Actor::User(t.id("mara")), t.repo.clone(), t.pull());
        t.world.with(|state| state.disable_auto_merge(&mara, &repo, number)).expect("off");
        t.expect_parked(ParkReason::QueueRefused).await;
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
    });
}

#[test]
fn somebody_elses_wish_is_told_and_left_alone() {
    plan().run(async |t| {
        t.go("Add a feature").await;
        // A draft cannot be merged, by whomever.
        t.run_until("people", |t| t.stage() == "review").await;
        let (mara, repo, number) = (Actor::User(t.id("mara")), t.repo.clone(), t.pull());
        let call = MergeCall::default();
        let on = t.world.with(|state| state.enable_auto_merge(&mara, &repo, number, (&call, None)));
        on.expect("on");
        t.run_until("people", |t| t.stage() == "review").await;
        t.pass_ms(60_000).await;
        let said = t.comments_of_bot().into_iter().find(|said| said.issue == number);
        let said = said.expect("our comment on the pull request").body;
        assert!(said.contains("mara has turned on auto-merge"), "{said}");
        t.approve().await;
        t.expect_outcome("merged").await;
        assert_eq!(t.calls("graphql/DisableAutoMerge").len(), 0);
    });
}
