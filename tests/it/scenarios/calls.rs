//! Merge calls and other calls that go wrong: lost answers, refusals, limits.

use serde_json::json;
use slipway::model::Millis;
use slipway::pipeline::ParkReason;
use slipway::playground::faults::Fault;
use slipway::playground::world::ReviewState;

use crate::world::{Side, plan, run_test};

#[test]
fn a_merge_call_whose_answer_is_lost_is_made_once_when_it_took_effect() {
    for fault in [Fault::status(500, true), Fault::timeout(true), Fault::reset(true)] {
        plan().auto().run(async |t| {
            t.faults(|f| f.on("pulls/merge", 1, fault.clone()));
            t.go("Add a feature").await;
            t.expect_outcome("merged").await;
            assert_eq!(t.calls("pulls/merge").len(), 1);
            assert!(t.state().counts.settle_reads >= 1);
            assert!(t.state().work.landed_verified);
            assert!(t.state().work.merged_by.is_none(), "it was ours");
        });
    }
}

#[test]
fn a_lost_merge_call_without_effect_is_read_twice_and_then_made_once_more() {
    for fault in [Fault::status(500, false), Fault::timeout(false), Fault::reset(false)] {
        plan().auto().run(async |t| {
            t.faults(|f| f.on("pulls/merge", 1, fault.clone()));
            t.go("Add a feature").await;
            t.expect_outcome("merged").await;
            let calls = t.calls("pulls/merge");
            assert_eq!(calls.iter().map(|c| c.effect).collect::<Vec<_>>(), [false, true]);
            let gap = calls[1].at_ms - calls[0].at_ms;
            assert!(gap >= t.settings.limits.settle_gap_ms, "{gap} ms between the calls");
            let between = |c: &slipway::playground::world::Call| {
                c.at_ms >= calls[0].at_ms && c.n > calls[0].n && c.n < calls[1].n
            };
            let reads = t.calls("pulls/get").into_iter().filter(between).count();
            assert!(reads >= 2, "{reads} reads");
            let git_or_write = |c: &&slipway::playground::world::Call| {
                between(c) && c.method != "GET" && c.operation == "pulls/merge"
            };
            assert_eq!(t.calls("pulls/merge").iter().filter(git_or_write).count(), 0);
            assert_eq!(t.state().counts.lost_calls, 1);
        });
    }
}

#[test]
fn three_lost_merge_calls_without_effect_end_with_a_question() {
    plan().auto().run(async |t| {
        t.faults(|f| (1..=9).for_each(|nth| f.on("pulls/merge", nth, Fault::timeout(false))));
        t.go("Add a feature").await;
        t.expect_parked(ParkReason::MergeUnknown).await;
        assert_eq!(t.calls("pulls/merge").len(), 3);
        t.pass_ms(3_600_000).await;
        assert_eq!(t.calls("pulls/merge").len(), 3, "no loop");
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
    });
}

#[test]
fn a_push_between_green_and_the_merge_call_voids_the_evidence() {
    run_test(async |t| {
        let (mara, repo) = (t.id("mara"), t.repo.clone());
        t.fuse.beside(("merge", 1, Side::Before), move |world| {
            let branch = world.with(|state| {
                let repo = state.repos.values().next().expect("a repository");
                repo.pulls.values().next().expect("a pull request").head_ref.clone()
            });
            let files = vec![("feature.txt".to_owned(), Some(b"by hand\n".to_vec()))];
            let push = slipway::playground::world::people::FilePush {
                branch: &branch,
                onto: None,
                files: &files,
                message: "By hand",
            };
            world.push_files(mara, &repo, &push).expect("a push");
        });
        t.go("Add a feature").await;
        t.approve().await;
        t.run_until("the push to be seen", |t| t.state().work.foreign).await;
        let calls = t.calls("pulls/merge");
        assert_eq!(calls.iter().map(|c| (c.status, c.effect)).collect::<Vec<_>>(), [(409, false)]);
        assert_eq!(t.file("main", "feature.txt"), None, "nothing unreviewed lands");
        let head = t.tip(&t.branch()).expect("the branch");
        t.run_until("people", |t| t.stage() == "review").await;
        let verified = t.state().work.verified.map(|sha| sha.to_string());
        assert_eq!(verified.as_ref(), Some(&head), "verified anew");
        t.pass_ms(3_600_000).await;
        assert_eq!(t.calls("pulls/merge").len(), 1, "the old approval is void");
        t.review(ReviewState::Approved, "").await;
        t.expect_outcome("merged").await;
        assert_eq!(t.fuse.sent()[1].order.head.as_str(), head);
        assert_eq!(t.file("main", "feature.txt").as_deref(), Some("by hand\n"));
    });
}

#[test]
fn while_github_shows_an_old_head_nothing_is_merged_and_then_the_new_one_is() {
    plan().auto().run(async |t| {
        t.go("Add a feature").await;
        t.run_until("CI", |t| t.stage() == "ci").await;
        let (branch, old) = (t.branch(), t.pull_request().head_sha);
        let name = format!("refs/heads/{branch}");
        let files = [("more.txt".to_owned(), Some(b"more\n".to_vec()))];
        let author = slipway::git::depot::Person::new("mara", "mara@example.test");
        let new = t.depot.commit_files(Some(&old), &files, "More", (&author, t.now()));
        let new = new.expect("a commit");
        let expected = slipway::git::depot::Expected::At(&old);
        t.depot.update_ref(&name, expected, Some(&new)).expect("the ref moves");
        t.run_until("the lag", |t| t.awaited().contains("GitHub still shows")).await;
        t.pass_ms(600_000).await;
        assert_eq!(t.pull_request().head_sha, old, "the interface lags");
        assert_eq!(t.calls("pulls/merge").len(), 0);
        let mara = t.people["mara"].clone();
        let repo = t.repo_id;
        t.world.with(|state| state.refresh_refs(repo, &mara)).expect("it catches up");
        t.expect_outcome("merged").await;
        let sent = t.fuse.sent();
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0].order.head.as_str(), new);
        assert_eq!(t.file("main", "more.txt").as_deref(), Some("more\n"));
    });
}

#[test]
fn a_recorded_head_that_lags_for_hours_ends_with_a_question_and_no_loop() {
    plan().auto().run(async |t| {
        let words = "Head branch was modified. Review and try the merge again.";
        let stale = Fault::status(409, false).body(json!({"message": words}));
        t.faults(|f| (1..=50).for_each(|nth| f.on("pulls/merge", nth, stale.clone())));
        t.go("Add a feature").await;
        let text = t.expect_parked(ParkReason::HeadLag).await;
        assert!(text.contains("GitHub refused the merge"), "{text}");
        let calls = t.calls("pulls/merge").len();
        assert!(calls <= 6, "{calls} calls");
        t.pass_ms(6 * 3_600_000).await;
        assert_eq!(t.calls("pulls/merge").len(), calls, "no loop");
        let shown = t.comments_of_bot().last().expect("a comment").body.clone();
        assert!(shown.contains("/retry") && shown.contains("/stop"), "{shown}");
        t.allows_writes(60);
        t.faults(slipway::playground::faults::FaultPlan::calm);
        t.comment("/retry").await;
        t.expect_outcome("merged").await;
    });
}

#[test]
fn a_secondary_limit_is_waited_out_and_nothing_is_lost() {
    let limit = || {
        let words = "You have exceeded a secondary rate limit.";
        Fault::status(403, false).header("retry-after", "300").body(json!({"message": words}))
    };
    for operation in
        ["pulls/create", "pulls/merge", "issues/create-comment", "checks/create", "pulls/get"]
    {
        plan().auto().run(async |t| {
            t.faults(|f| f.on(operation, 1, limit()));
            t.go("Add a feature").await;
            let began = t.now();
            t.expect_outcome("merged").await;
            let merged = t.now();
            t.pass_ms(600_000).await;
            assert!(t.calls(operation).len() > 1, "{operation} was tried again");
            let calls = t.calls(operation);
            let gap = calls[1].at_ms - calls[0].at_ms;
            let own = calls[0].path == calls[1].path;
            assert!(!own || gap >= 300_000, "{operation} again after {gap} ms");
            assert!(Millis(merged).since(Millis(began)) < 900_000, "{operation}");
            assert_eq!(t.pulls(), 1);
        });
    }
}

#[test]
fn the_last_word_on_a_run_is_shown_however_long_github_takes_no_comments() {
    plan().auto().run(async |t| {
        t.faults(|f| {
            (1..=14).for_each(|nth| f.on("issues/update-comment", nth, Fault::status(502, false)));
        });
        t.go("Add a feature").await;
        t.expect_outcome("merged").await;
        t.pass_ms(7_200_000).await;
        assert!(t.comments_of_bot().iter().all(|said| said.body.contains("**Merged:")));
        t.allows_writes(40);
    });
}

#[test]
fn the_first_reaction_is_tried_again_when_github_fails() {
    run_test(async |t| {
        t.faults(|f| f.on("reactions/create-for-issue-comment", 1, Fault::status(502, false)));
        let asked = t.go("Add a feature").await;
        t.approve().await;
        t.expect_outcome("merged").await;
        assert_eq!(t.reactions(asked), ["eyes"]);
    });
}

#[test]
fn a_pull_request_that_was_opened_with_a_lost_answer_is_found_and_not_opened_again() {
    plan().auto().run(async |t| {
        t.faults(|f| f.on("pulls/create", 1, Fault::timeout(true)));
        t.go("Add a feature").await;
        t.expect_outcome("merged").await;
        assert_eq!(t.pulls(), 1);
        assert_eq!(t.calls("pulls/create").len(), 1);
    });
}
