//! Commands: who may, what is understood, and that each is answered once.

use slipway::agent::scripted::Script;
use slipway::pipeline::ParkReason;

use crate::world::{plan, run_test, say, write};

#[test]
fn a_label_starts_a_run_and_taking_it_away_stops_it() {
    run_test(async |t| {
        let number = t.issue("Add a feature");
        t.world.label(t.id("otto"), &t.repo, number, "go").ok();
        t.world.label(t.id("mara"), &t.repo, number, "bug").expect("a label");
        t.settle().await;
        assert!(t.try_state().is_none(), "another label");
        t.world.label(t.id("mara"), &t.repo, number, "go").expect("a label");
        t.run_until("people", |t| t.stage() == "review").await;
        t.world.unlabel(t.id("mara"), &t.repo, number, "go").expect("no label");
        t.expect_outcome("stopped").await;
        assert_eq!(t.calls("pulls/merge").len(), 0);
    });
}

#[test]
fn a_comment_that_is_edited_into_a_command_is_none() {
    plan().sweeps().run(async |t| {
        t.issue("Add a feature");
        let said = t.comment("Nice idea.").await;
        t.pass_ms(5_000).await;
        t.world.edit_comment(t.id("mara"), &t.repo, said, "/go").expect("an edit");
        t.pass_ms(900_000).await;
        assert!(t.try_state().is_none());
        assert!(t.reactions(said).is_empty());
    });
}

#[test]
fn an_outsider_is_refused_with_a_sentence() {
    run_test(async |t| {
        let number = t.issue("Add a feature");
        let said = t.says("otto", number, "/go");
        t.settle().await;
        assert!(t.try_state().is_none());
        assert_eq!(t.reactions(said), ["eyes", "confused"]);
        assert!(t.last_words().contains("write"), "{}", t.last_words());
        assert_eq!(t.comments_of_bot().len(), 1);
        assert!(t.agents_asked().is_empty());
    });
}

#[test]
fn an_outsider_cannot_stop_or_approve_a_run_of_others() {
    run_test(async |t| {
        t.go("Add a feature").await;
        t.run_until("people", |t| t.stage() == "review").await;
        for words in ["/approve", "/stop", "/merge"] {
            let said = t.says("otto", t.pull(), words);
            t.settle().await;
            assert_eq!(t.reactions(said), ["eyes", "confused"], "{words}");
        }
        t.pass_ms(3_600_000).await;
        assert_eq!((t.stage(), t.calls("pulls/merge").len()), ("review", 0));
        t.approve().await;
        t.expect_outcome("merged").await;
    });
}

#[test]
fn a_typo_is_answered_with_what_was_probably_meant() {
    run_test(async |t| {
        t.issue("Add a feature");
        let said = t.comment("/og").await;
        assert_eq!(t.reactions(said), ["eyes", "confused"]);
        assert!(t.last_words().contains("did you mean `/go`?"), "{}", t.last_words());
        assert!(t.try_state().is_none());
        let other = t.comment("/lgtm").await;
        assert!(t.reactions(other).is_empty(), "not meant for us");
    });
}

#[test]
fn a_second_go_is_answered_and_starts_nothing() {
    run_test(async |t| {
        t.go("Add a feature").await;
        let run = t.run_id();
        let said = t.comment("/go").await;
        assert_eq!(t.reactions(said), ["eyes"]);
        assert!(t.last_words().contains("on its way"), "{}", t.last_words());
        assert_eq!(t.run_id(), run);
        t.approve().await;
        t.expect_outcome("merged").await;
        assert_eq!(t.pulls(), 1);
    });
}

#[test]
fn status_and_help_are_answered_before_during_and_after_a_run() {
    run_test(async |t| {
        t.issue("Add a feature");
        t.comment("/status").await;
        assert!(t.last_words().contains("no run here yet"), "{}", t.last_words());
        t.comment("/help").await;
        for word in ["/go", "/stop", "/approve", "/hold", "/merge"] {
            assert!(t.last_words().contains(word), "{}", t.last_words());
        }
        t.comment("/stop").await;
        assert!(t.last_words().contains("Nothing is running here"), "{}", t.last_words());
        t.comment("/go").await;
        t.run_until("people", |t| t.stage() == "review").await;
        t.comment("/status").await;
        assert!(t.last_words().contains("review"), "{}", t.last_words());
        t.approve().await;
        t.expect_outcome("merged").await;
        t.comment("/status").await;
        assert!(t.last_words().to_lowercase().contains("merged"), "{}", t.last_words());
        t.allows_writes(40);
    });
}

#[test]
fn a_hold_merges_nothing_until_it_is_taken_back() {
    run_test(async |t| {
        t.go("Add a feature").await;
        let held = t.comment("/hold").await;
        assert_eq!(t.reactions(held), ["eyes", "+1"]);
        t.approve().await;
        t.pass_ms(3_600_000).await;
        assert_eq!((t.stage(), t.calls("pulls/merge").len()), ("merge", 0));
        t.comment("/unhold").await;
        t.expect_outcome("merged").await;
    });
}

#[test]
fn in_on_command_mode_only_the_merge_command_merges() {
    plan().policy("merge: on-command\n").run(async |t| {
        t.go("Add a feature").await;
        t.approve().await;
        t.pass_ms(3_600_000).await;
        assert_eq!((t.stage(), t.calls("pulls/merge").len()), ("review", 0));
        let ordered = t.says("rio", t.pull(), "/merge");
        t.expect_outcome("merged").await;
        assert_eq!(t.reactions(ordered), ["eyes", "+1"]);
    });
}

#[test]
fn with_merge_never_the_green_head_is_handed_over() {
    plan().policy("merge: never\n").run(async |t| {
        t.go("Add a feature").await;
        let outcome = t.expect_outcome("handed-over").await;
        assert!(format!("{outcome:?}").contains("leaves merging to you"));
        assert_eq!(t.calls("pulls/merge").len(), 0);
        assert!(t.issue_now().open && t.tip(&t.branch()).is_some());
    });
}

#[test]
fn a_dry_run_shows_its_plan_and_changes_nothing() {
    run_test(async |t| {
        t.issue("Add a feature");
        t.comment("/go --dry-run").await;
        t.expect_outcome("handed-over").await;
        assert_eq!((t.pulls(), t.calls("git/push").len()), (0, 0));
        assert_eq!(t.agents_asked(), ["planner 1"]);
        assert!(t.last_words().contains("Write `feature.txt`"), "{}", t.last_words());
    });
}

#[test]
fn the_base_that_is_named_is_worked_on() {
    run_test(async |t| {
        t.push("mara", "release", ("release.txt", "1\n"));
        let main = t.tip("main");
        t.issue("Add a feature");
        t.comment("/go --base release").await;
        t.run_until("people or a question", |t| t.stage() == "review" || t.parked().is_some())
            .await;
        // Nothing is required on that branch, so what is green has to settle first.
        t.approve().await;
        t.expect_outcome("merged").await;
        assert_eq!(t.file("release", "feature.txt").as_deref(), Some("a feature\n"));
        assert_eq!(t.tip("main"), main, "the default branch is untouched");
    });
}

#[test]
fn a_base_that_is_not_there_ends_the_run_with_what_to_do() {
    run_test(async |t| {
        t.issue("Add a feature");
        t.comment("/go --base nowhere").await;
        t.expect_outcome("failed").await;
        let said = t.last_words();
        assert!(said.contains("nowhere") && said.contains("--base"), "{said}");
        assert!(t.agents_asked().is_empty());
    });
}

#[test]
fn a_policy_that_cannot_be_read_is_refused_with_its_line_and_column() {
    plan().policy("merge: on-approval\nmerg: auto\n").run(async |t| {
        let said = t.go("Add a feature").await;
        assert!(t.try_state().is_none());
        assert_eq!(t.reactions(said), ["eyes", "confused"]);
        let words = t.last_words();
        assert!(words.contains(".github/slipway.yml, line 2, column 1"), "{words}");
        assert!(words.contains("say `/go` again"), "{words}");
    });
}

#[test]
fn the_agent_that_is_named_does_the_work_and_an_unknown_one_is_refused() {
    let other = Script {
        builder: vec![vec![write("other.txt", "by another\n"), say("Done.")]],
        ..Script::default()
    };
    plan().auto().agent("other", other).run(async |t| {
        t.issue("Add a feature");
        let said = t.comment("/go --agent nobody").await;
        assert_eq!(t.reactions(said), ["eyes", "confused"]);
        assert!(t.last_words().contains("Available: `scripted`, `other`"), "{}", t.last_words());
        t.comment("/go --agent other").await;
        t.expect_outcome("merged").await;
        assert_eq!(t.file("main", "other.txt").as_deref(), Some("by another\n"));
    });
}

#[test]
fn buttons_on_the_check_run_are_commands() {
    for (button, end) in [("approve", "merged"), ("stop", "stopped")] {
        plan().auto().no_ci().run(async |t| {
            t.go("Add a feature").await;
            t.expect_parked(ParkReason::NoChecks).await;
            let run = t.check_runs_of_bot().pop().expect("a check run");
            let offered: Vec<&str> = run.actions.iter().map(|a| a.identifier.as_str()).collect();
            assert_eq!(offered, ["approve", "retry", "stop"]);
            assert_eq!(run.conclusion.as_deref(), Some("action_required"));
            let refused = t.world.press_button(t.id("otto"), &t.repo, run.id, button);
            assert_eq!(refused.expect_err("no button for an outsider").status, 403);
            t.press(button).await;
            t.expect_outcome(end).await;
        });
    }
}

#[test]
fn a_stopped_run_can_be_asked_for_again() {
    run_test(async |t| {
        t.go("Add a feature").await;
        t.run_until("people", |t| t.stage() == "review").await;
        let stopped = t.comment("/stop").await;
        t.expect_outcome("stopped").await;
        assert_eq!(t.reactions(stopped), ["eyes", "+1"]);
        let first = t.run_id();
        t.comment("/retry").await;
        assert_ne!(t.run_id(), first);
        t.approve().await;
        t.expect_outcome("merged").await;
    });
}
