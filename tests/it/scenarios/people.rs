//! People beside the bot: reviews, closing, merging, pushing, deleting.

use slipway::playground::world::pulls::NewPull;
use slipway::playground::world::{Actor, ReviewState};

use crate::world::{plan, replace, run_test, say};

#[test]
fn a_review_that_asks_for_changes_is_addressed_and_asked_about_again() {
    let fixer = vec![vec![replace("feature.txt", "a feature", "a better one"), say("Better.")]];
    plan().fixer(fixer).run(async |t| {
        t.go("Add a feature").await;
        t.run_until("people", |t| t.stage() == "review").await;
        let old = t.pull_request().head_sha;
        t.review(ReviewState::ChangesRequested, "Make it better, please.").await;
        t.run_until("the new head", |t| t.stage() == "review" && t.pull_request().head_sha != old)
            .await;
        assert!(t.asked()[2].prompt.contains("Make it better, please."));
        assert_eq!(t.calls("pulls/merge").len(), 0);
        t.review(ReviewState::Approved, "").await;
        t.expect_outcome("merged").await;
        assert_eq!(t.file("main", "feature.txt").as_deref(), Some("a better one\n"));
        assert_eq!(t.state().counts.review_rounds, 1);
        t.allows_writes(30);
    });
}

#[test]
fn a_review_by_somebody_who_may_not_write_decides_nothing() {
    run_test(async |t| {
        t.go("Add a feature").await;
        t.run_until("people", |t| t.stage() == "review").await;
        for verdict in [ReviewState::Approved, ReviewState::ChangesRequested] {
            let reviewed = t.world.review(t.id("otto"), &t.repo, t.pull(), (verdict, "Mine."));
            reviewed.expect("anybody may review");
            t.pass_ms(700_000).await;
            assert_eq!((t.stage(), t.agents_asked().len()), ("review", 2));
        }
        t.review(ReviewState::Approved, "").await;
        t.expect_outcome("merged").await;
    });
}

#[test]
fn a_pull_request_that_a_person_closes_ends_the_run() {
    run_test(async |t| {
        t.go("Add a feature").await;
        t.run_until("people", |t| t.stage() == "review").await;
        t.world.close(t.id("rio"), &t.repo, t.pull()).expect("closed");
        t.expect_outcome("stopped").await;
        assert!(t.issue_now().open);
        assert_eq!(t.calls("pulls/merge").len(), 0);
    });
}

#[test]
fn a_pull_request_that_a_person_merges_ends_the_run_as_merged_by_a_person() {
    run_test(async |t| {
        t.go("Add a feature").await;
        t.approve_by_mara().await;
        let landed = t.merge_by_hand();
        let outcome = t.expect_outcome("merged").await;
        let told = format!("{outcome:?}");
        assert!(told.contains("a person") && told.contains(&landed), "{told}");
        assert!(!t.issue_now().open, "the issue is closed all the same");
        assert_eq!(t.calls("pulls/merge").len(), 0);
    });
}

#[test]
fn a_closed_issue_ends_the_run_before_and_after_there_is_a_pull_request() {
    for stage in ["build", "review"] {
        run_test(async |t| {
            t.issue("Add a feature");
            t.says("mara", t.number, "/go");
            t.step_until("the stage", |t| t.stage() == stage).await;
            t.world.close(t.id("mara"), &t.repo, t.number).expect("closed");
            t.expect_outcome("stopped").await;
            assert_eq!(t.calls("pulls/merge").len(), 0);
        });
    }
}

#[test]
fn a_deleted_head_branch_ends_the_run() {
    run_test(async |t| {
        t.go("Add a feature").await;
        t.run_until("people", |t| t.stage() == "review").await;
        let (mara, repo, branch) = (Actor::User(t.id("mara")), t.repo.clone(), t.branch());
        t.world.with(|state| state.delete_branch(&mara, &repo, &branch)).expect("deleted");
        t.expect_outcome("stopped").await;
    });
}

#[test]
fn somebody_elses_push_is_verified_and_built_upon() {
    run_test(async |t| {
        t.go("Add a feature").await;
        t.run_until("people", |t| t.stage() == "review").await;
        let branch = t.branch();
        let head = t.push("rio", &branch, ("more.txt", "more\n"));
        t.run_until("the new head", |t| {
            let verified = t.state().work.verified.is_some_and(|sha| sha.as_str() == head);
            verified && t.stage() == "review"
        })
        .await;
        // The pusher's own commit needs somebody's approval.
        let reviewed = t.world.review(t.id("mara"), &t.repo, t.pull(), (ReviewState::Approved, ""));
        reviewed.expect("a review");
        t.expect_outcome("merged").await;
        assert_eq!(t.file("main", "more.txt").as_deref(), Some("more\n"));
        assert_eq!(t.tip(&branch).as_deref(), Some(head.as_str()), "theirs to delete");
    });
}

#[test]
fn somebody_elses_push_that_breaks_is_fixed_without_force() {
    let fixer = vec![vec![replace("feature.txt", "BUG", "feature"), say("Fixed.")]];
    plan().fixer(fixer).run(async |t| {
        t.go("Add a feature").await;
        t.run_until("people", |t| t.stage() == "review").await;
        let branch = t.branch();
        let theirs = t.push("rio", &branch, ("feature.txt", "a BUG\n"));
        t.run_until("the fix", |t| t.agents_asked().len() == 3 && t.stage() == "review").await;
        let tip = t.tip(&branch).expect("the branch");
        assert!(t.depot.is_ancestor(&theirs, &tip), "their commit is kept");
        t.review(ReviewState::Approved, "").await;
        t.expect_outcome("merged").await;
        t.allows_writes(30);
    });
}

#[test]
fn go_on_a_pull_request_of_somebody_else_brings_it_home() {
    run_test(async |t| {
        t.push("mara", "idea", ("idea.txt", "an idea\n"));
        let new = NewPull {
            title: "An idea".to_owned(),
            body: String::new(),
            head: "idea".to_owned(),
            base: "main".to_owned(),
            draft: false,
        };
        let opened = t.world.open_pull(t.id("mara"), &t.repo, &new).expect("a pull request");
        t.number = opened.pull.number;
        t.comment("/go").await;
        t.approve().await;
        t.expect_outcome("merged").await;
        assert_eq!(t.pulls(), 1);
        assert_eq!(t.comments_of_bot().len(), 1, "one sticky comment, on the pull request");
        assert_eq!(t.file("main", "idea.txt").as_deref(), Some("an idea\n"));
        assert!(t.tip("idea").is_some(), "their branch is theirs to delete");
    });
}

#[test]
fn a_comment_of_ours_that_a_person_deletes_is_written_again() {
    run_test(async |t| {
        t.go("Add a feature").await;
        t.run_until("people", |t| t.stage() == "review").await;
        t.pass_ms(30_000).await;
        let pull = t.pull();
        let ours = t.comments_of_bot().into_iter().find(|said| said.issue == pull);
        let (mara, id) = (Actor::User(t.id("mara")), ours.expect("a comment").id);
        let repo = t.repo.clone();
        t.world.with(|state| state.delete_comment(&mara, &repo, id)).expect("deleted");
        t.approve().await;
        t.expect_outcome("merged").await;
        let again = t.comments_of_bot().into_iter().filter(|said| said.issue == pull).count();
        assert_eq!(again, 1);
    });
}
