//! What GitHub offers that helps the person: drafts, credit, notes at their line, re-runs.

use slipway::pipeline::ParkReason;
use slipway::playground::faults::Fault;
use slipway::playground::world::{Actor, Run};

use crate::world::{Side, Town, plan, run_test, say, write};

/// The message of a branch's newest commit.
fn message(t: &Town, branch: &str) -> String {
    let tip = t.tip(branch).expect("a branch");
    t.depot.get(&tip).expect("a commit").message.clone()
}

/// A town whose CI stays red, where nobody repairs anything.
fn red() -> crate::world::Plan {
    let builder = vec![vec![write("feature.txt", "fine\na BUG\n"), say("Built.")]];
    let policy = "merge: auto\nlimits:\n  fix_rounds_max: 0\n";
    plan().auto().policy(policy).builder(builder)
}

fn our_check(t: &Town) -> Run {
    t.check_runs_of_bot().last().expect("a check run").clone()
}

/// `path:line: message` of every annotation on our newest check run.
fn notes(t: &Town) -> Vec<String> {
    let text = |one: &serde_json::Value, name: &str| one[name].as_str().unwrap_or("?").to_owned();
    let all = our_check(t).output.annotations;
    let line =
        |one| format!("{}:{}: {}", text(one, "path"), one["start_line"], text(one, "message"));
    all.iter().map(line).collect()
}

#[test]
fn whoever_asked_is_credited_in_the_commit_and_in_the_squash() {
    run_test(async |t| {
        t.go("Add a feature").await;
        t.run_until("a pull request", |t| t.stage() == "review").await;
        let mara = t.id("mara");
        let trailer = format!("Co-authored-by: mara <{mara}+mara@users.noreply.github.test>");
        let said = message(t, &t.branch());
        assert_eq!(said.matches(&trailer).count(), 1, "{said}");
        let last = said.trim_end().rsplit("\n\n").next().expect("a paragraph");
        assert!(last.contains("Slipway-run: ") && last.contains(&trailer), "one block: {said}");
        t.approve().await;
        t.expect_outcome("merged").await;
        let landed = message(t, "main");
        assert_eq!(landed.matches(&trailer).count(), 1, "{landed}");
    });
}

#[test]
fn a_pull_request_is_a_draft_until_everything_is_green() {
    run_test(async |t| {
        t.go("Add a feature").await;
        t.run_until("CI", |t| t.awaited().starts_with("CI (")).await;
        assert!(t.pull_request().draft && t.state().work.drafted);
        t.run_until("people", |t| t.stage() == "review" && t.awaited().contains("review")).await;
        assert!(!t.pull_request().draft && !t.state().work.drafted);
        assert_eq!(t.calls("graphql/MarkReady").len(), 1);
        // From now on a draft is a person's, and holds.
        let (mara, repo, number) = (Actor::User(t.id("mara")), t.repo.clone(), t.pull());
        t.world.with(|state| state.set_ready(&mara, &repo, number, false)).expect("a draft");
        t.approve().await;
        t.run_until("the draft", |t| t.awaited().contains("the pull request is a draft")).await;
        t.pass_ms(3_600_000).await;
        assert_eq!(t.calls("graphql/MarkReady").len(), 1, "it is theirs to make ready");
        t.world.with(|state| state.set_ready(&mara, &repo, number, true)).expect("ready");
        t.expect_outcome("merged").await;
    });
}

#[test]
fn a_draft_made_ready_by_a_person_is_left_as_it_is() {
    plan().auto().run(async |t| {
        t.go("Add a feature").await;
        t.run_until("CI", |t| t.awaited().starts_with("CI (")).await;
        let (mara, repo, number) = (Actor::User(t.id("mara")), t.repo.clone(), t.pull());
        t.world.with(|state| state.set_ready(&mara, &repo, number, true)).expect("ready");
        t.expect_outcome("merged").await;
        assert_eq!(t.calls("graphql/MarkReady").len(), 0);
    });
}

#[test]
fn without_drafts_the_pull_request_is_opened_ready() {
    for (policy, drafts, opened) in
        [("merge: auto\n", false, 2), ("merge: auto\ndraft: never\n", true, 1)]
    {
        plan().auto().policy(policy).run(async |t| {
            t.world.set_settings(&t.repo, |all| all.has_drafts = drafts).expect("settings");
            t.go("Add a feature").await;
            t.expect_outcome("merged").await;
            assert_eq!(t.calls("pulls/create").len(), opened);
            assert_eq!((t.pulls(), t.calls("graphql/MarkReady").len()), (1, 0));
        });
    }
}

#[test]
fn a_crash_or_a_lost_answer_beside_making_it_ready_changes_nothing() {
    for side in [Side::Before, Side::After] {
        plan().auto().run(async |t| {
            t.fuse.blow_beside("mark_ready", 1, side);
            t.go("Add a feature").await;
            t.expect_outcome("merged").await;
            assert_eq!(t.crashes, 1);
            assert_eq!(t.calls("graphql/MarkReady").len(), 1);
        });
    }
    plan().auto().run(async |t| {
        t.faults(|faults| faults.on("graphql/MarkReady", 1, Fault::status(502, true)));
        t.go("Add a feature").await;
        t.expect_outcome("merged").await;
        assert_eq!(t.calls("graphql/MarkReady").len(), 1, "it took effect and was read");
    });
}

#[test]
fn workflows_that_leave_drafts_alone_are_met_with_a_ready_pull_request() {
    let job = r#"{"name": "test", "never_starts": true}"#;
    plan().auto().ci(job).run(async |t| {
        t.go("Add a feature").await;
        t.run_until("it to be ready", |t| {
            t.try_state().is_some_and(|s| s.work.pull.is_some()) && !t.pull_request().draft
        })
        .await;
        assert_eq!(t.stage(), "ci");
        let head = t.state().work.head.expect("a head");
        t.world.set_check(&t.repo, head.as_str(), "test", Some("success")).expect("a check");
        t.expect_outcome("merged").await;
    });
}

#[test]
fn what_ci_says_stands_at_its_line_once() {
    red().run(async |t| {
        t.go("Add a feature").await;
        t.expect_parked(ParkReason::FixesSpent).await;
        t.settle().await;
        let wanted = ["feature.txt:2: \"BUG\" is not wanted here"];
        assert_eq!(notes(t), wanted);
        assert_eq!(our_check(t).output.annotations[0]["title"], "test");
        // Shown anew, the run adds nothing: GitHub would keep both.
        t.pass_ms(3_600_000).await;
        t.comment("/hold").await;
        t.pass_ms(60_000).await;
        assert_eq!(notes(t), wanted);
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
        assert_eq!(notes(t), wanted);
    });
}

#[test]
fn notes_survive_a_crash_without_a_second_copy() {
    for side in [Side::Before, Side::After] {
        red().run(async |t| {
            t.fuse.blow_beside("annotate", 1, side);
            t.go("Add a feature").await;
            t.expect_parked(ParkReason::FixesSpent).await;
            t.pass_ms(120_000).await;
            assert_eq!((t.crashes, notes(t).len()), (1, 1));
            t.comment("/stop").await;
            t.expect_outcome("stopped").await;
        });
    }
}

#[test]
fn a_rerun_on_github_means_retry_where_one_may() {
    red().run(async |t| {
        t.go("Add a feature").await;
        t.expect_parked(ParkReason::FixesSpent).await;
        t.settle().await;
        let check = our_check(t);
        assert_eq!(check.conclusion.as_deref(), Some("action_required"));
        let asked = |who: u64, t: &Town| {
            let (actor, repo) = (Actor::User(who), t.repo.clone());
            t.world.with(|state| state.rerequest_run(&actor, &repo, check.id)).expect("asked");
        };
        // Mara takes Rio's permission away the moment he asks: the check is only shown again.
        asked(t.id("rio"), t);
        let (repo, rio) = (t.repo.clone(), t.id("rio"));
        let read = slipway::playground::world::Role::Read;
        t.world.set_permission(&repo, rio, read).expect("a permission");
        assert_eq!(our_check(t).conclusion, None, "GitHub forgot how it ended");
        t.settle().await;
        assert_eq!(our_check(t).conclusion.as_deref(), Some("action_required"));
        assert_eq!(t.state().work.retried_at, None);
        asked(t.id("mara"), t);
        t.settle().await;
        assert!(t.state().work.retried_at.is_some(), "it is tried again");
        t.expect_parked(ParkReason::FixesSpent).await;
        t.allows_writes(80);
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
    });
}

#[test]
fn a_run_that_was_stopped_starts_anew_from_its_button() {
    red().run(async |t| {
        t.go("Add a feature").await;
        t.expect_parked(ParkReason::FixesSpent).await;
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
        let first = t.run_id();
        t.allows_writes(80);
        t.press("retry").await;
        assert_ne!(t.run_id(), first, "the same request once more");
        assert_eq!(t.state().request.by.login, "mara");
        t.expect_parked(ParkReason::FixesSpent).await;
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
    });
}
