//! Races: two engines over one store, and `/stop` on both sides of the merge call.

use slipway::pipeline::{Outcome, Task};

use crate::world::{Side, Town, plan};

fn is_merging(t: &Town) -> bool {
    matches!(t.task(), Some(Task::Merge(_)))
}

fn is_ready(t: &Town) -> bool {
    matches!(t.task(), Some(Task::Ready { .. }))
}

#[test]
fn of_two_engines_that_race_for_the_last_look_only_one_merges() {
    plan().auto().run(async |t| {
        t.go("Add a feature").await;
        t.step_until("the last look", is_ready).await;
        let first = t.another_engine();
        let lease = t.claim_task(&first).await;
        // The first engine is slow: its lease runs out, and the second one does the job.
        t.clock.advance(t.settings.limits.lease_ms + 1);
        t.step_until("the merge", |t| !is_ready(t)).await;
        t.work(&first, lease).await;
        t.expect_outcome("merged").await;
        assert_eq!(t.calls("pulls/merge").len(), 1);
    });
}

#[test]
fn an_engine_that_lost_its_lease_sends_no_merge_call() {
    plan().auto().run(async |t| {
        t.go("Add a feature").await;
        t.step_until("the merge", is_merging).await;
        let first = t.another_engine();
        let lease = t.claim_task(&first).await;
        t.clock.advance(t.settings.limits.lease_ms + 1);
        // The second engine cannot know whether the first one sent the call: it reads.
        t.step_until("the reads", |t| matches!(t.task(), Some(Task::Settle { .. }))).await;
        t.work(&first, lease).await;
        assert_eq!(t.calls("pulls/merge").len(), 0, "the first engine lost its lease");
        t.expect_outcome("merged").await;
        assert_eq!(t.calls("pulls/merge").len(), 1);
        assert_eq!(t.state().counts.lost_calls, 1);
    });
}

#[test]
fn a_stop_just_before_the_merge_call_lands_nothing() {
    plan().auto().run(async |t| {
        t.go("Add a feature").await;
        t.step_until("the merge", is_merging).await;
        let other = t.another_engine();
        let lease = t.claim_task(&other).await;
        t.comment("/stop").await;
        assert!(t.state().stop_by.is_some());
        t.work(&other, lease).await;
        t.expect_outcome("stopped").await;
        assert_eq!(t.calls("pulls/merge").len(), 0);
        assert_eq!(t.file("main", "feature.txt"), None);
    });
}

#[test]
fn a_stop_just_after_the_merge_call_is_told_what_landed() {
    plan().auto().run(async |t| {
        let (mara, repo) = (t.id("mara"), t.repo.clone());
        t.fuse.beside(("merge", 1, Side::After), move |world| {
            world.comment(mara, &repo, 1, "/stop").expect("a comment");
        });
        t.go("Add a feature").await;
        let outcome = t.expect_outcome("merged").await;
        t.settle().await;
        let Outcome::Merged { commit, verified, .. } = outcome else { panic!("merged") };
        assert!(verified);
        let told = t.last_words();
        let late = told.contains("Too late") && told.contains(commit.short());
        assert!(late, "{told}");
        assert_eq!(t.calls("pulls/merge").len(), 1);
    });
}

#[test]
fn a_stop_while_the_answer_is_unknown_never_leaves_it_unknown() {
    use slipway::playground::faults::Fault;
    for (applied, word) in [(true, "merged"), (false, "stopped")] {
        plan().auto().run(async |t| {
            let (mara, repo) = (t.id("mara"), t.repo.clone());
            t.fuse.beside(("merge", 1, Side::After), move |world| {
                world.comment(mara, &repo, 1, "/stop").expect("a comment");
            });
            t.faults(|f| f.on("pulls/merge", 1, Fault::timeout(applied)));
            t.go("Add a feature").await;
            t.expect_outcome(word).await;
            assert_eq!(t.calls("pulls/merge").len(), 1);
            assert_eq!(t.file("main", "feature.txt").is_some(), applied);
        });
    }
}

#[test]
fn a_stop_reaches_a_running_agent_and_its_result_is_dropped() {
    plan().run(async |t| {
        t.issue("Add a feature");
        t.says("mara", t.number, "/go");
        t.step_until("the agent", |t| matches!(t.task(), Some(Task::Agent { .. }))).await;
        let other = t.another_engine();
        let lease = t.claim_task(&other).await;
        t.comment("/stop").await;
        t.work(&other, lease).await;
        t.expect_outcome("stopped").await;
        assert_eq!((t.pulls(), t.calls("git/push").len()), (0, 0));
    });
}
