//! The ground moves: the base under the head, by conflicts, by repairs, by others.

use slipway::pipeline::ParkReason;

use crate::world::{plan, say, union};

#[test]
fn a_conflicting_push_to_the_base_is_resolved_before_ci_ends() {
    let resolver = vec![vec![union("feature.txt"), say("Kept both.")]];
    plan().auto().resolver(resolver).run(async |t| {
        t.go("Add a feature").await;
        t.run_until("CI", |t| t.awaited().starts_with("CI (")).await;
        let (old, began) = (t.pull_request().head_sha, t.now());
        t.push("mara", "main", ("feature.txt", "another feature\n"));
        t.step_until("the resolver", |t| t.agents_asked().contains(&"resolver 1".to_owned())).await;
        assert!(t.now() - began < 10_000, "before CI ended");
        t.expect_outcome("merged").await;
        let sent = t.fuse.sent();
        assert_eq!(sent.len(), 1);
        assert_ne!(sent[0].order.head.as_str(), old, "evidence of the old head is void");
        let both = t.file("main", "feature.txt").expect("the file");
        assert!(both.contains("a feature") && both.contains("another feature"), "{both}");
        assert_eq!(t.state().counts.resolve_rounds, 1);
    });
}

#[test]
fn a_base_that_moved_without_conflict_is_merged_into_the_head_without_an_agent() {
    plan().auto().run(async |t| {
        t.go("Add a feature").await;
        t.run_until("CI", |t| t.awaited().starts_with("CI (")).await;
        t.push("mara", "main", ("other.txt", "other\n"));
        t.expect_outcome("merged").await;
        assert_eq!(t.agents_asked(), ["planner 1", "builder 1"]);
        assert_eq!(t.state().counts.update_rounds, 1);
        assert_eq!(t.file("main", "other.txt").as_deref(), Some("other\n"));
        assert_eq!(t.file("main", "feature.txt").as_deref(), Some("a feature\n"));
    });
}

#[test]
fn a_change_that_only_breaks_together_with_the_moved_base_never_lands_red() {
    // The base takes away what the change needs: clean as text, wrong as a whole.
    let job = r#"{"name": "test", "duration_ms": 30000, "needs_file": "README.md"}"#;
    plan().auto().ci(job).run(async |t| {
        t.go("Add a feature").await;
        t.run_until("CI", |t| t.awaited().starts_with("CI (")).await;
        let push = slipway::playground::world::people::FilePush {
            branch: "main",
            onto: None,
            files: &vec![("README.md".to_owned(), None)],
            message: "Take it away",
        };
        // The same check is red on the base then, so the run waits for the base.
        t.world.push_files(t.id("mara"), &t.repo, &push).expect("a push");
        t.run_until("the base to be waited for", |t| t.awaited().contains("base branch")).await;
        assert_eq!(t.calls("pulls/merge").len(), 0, "nothing lands red");
        t.push("mara", "main", ("README.md", "# back\n"));
        t.allows_writes(40);
        t.expect_outcome("merged").await;
        assert_eq!(t.agents_asked(), ["planner 1", "builder 1"], "no fixer was paid");
    });
}

#[test]
fn a_red_base_is_waited_for_and_no_fixer_is_paid() {
    let job = r#"{"name": "test", "duration_ms": 30000,
        "fails_if": {"file": "greet.txt", "contains": "BUG"}}"#;
    plan().auto().ci(job).run(async |t| {
        t.push("mara", "main", ("greet.txt", "a BUG\n"));
        t.pass_ms(60_000).await;
        t.go("Add a feature").await;
        t.run_until("the base to be waited for", |t| t.awaited().contains("base branch")).await;
        t.pass_ms(1_800_000).await;
        assert_eq!(t.agents_asked(), ["planner 1", "builder 1"]);
        assert_eq!(t.calls("pulls/merge").len(), 0);
        t.push("mara", "main", ("greet.txt", "hello\n"));
        t.expect_outcome("merged").await;
        assert_eq!(t.agents_asked(), ["planner 1", "builder 1"], "no fixer was paid");
        assert_eq!(t.state().counts.update_rounds, 1);
        assert_eq!(t.file("main", "greet.txt").as_deref(), Some("hello\n"));
    });
}

#[test]
fn a_resolver_that_leaves_the_markers_is_refused_and_a_person_is_asked() {
    plan().auto().resolver(vec![vec![say("It looks fine.")]]).run(async |t| {
        t.go("Add a feature").await;
        t.run_until("CI", |t| t.stage() == "ci").await;
        t.push("mara", "main", ("feature.txt", "another feature\n"));
        let text = t.expect_parked(ParkReason::ConflictStuck).await;
        assert!(text.contains("markers"), "{text}");
        assert_eq!(t.state().counts.resolve_rounds, 3);
        assert_eq!(t.calls("pulls/merge").len(), 0);
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
    });
}
