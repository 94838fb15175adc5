//! Rules and rights change under a run: permissions, required checks, the base, the guard.

use slipway::pipeline::ParkReason;
use slipway::playground::world::issues::IssueEdit;
use slipway::playground::world::{Actor, Level, ReviewState, Rules};

use crate::world::{Town, plan, run_test, say, write};

/// What the App may do with the contents of the repository from now on.
fn grant_contents(t: &Town, level: Level) {
    let found = t.world.with(|state| {
        let one = state.installations.values().find(|one| one.app == t.bot.id);
        one.map(|one| (one.id, one.permissions.clone()))
    });
    let (id, mut permissions) = found.expect("an installation");
    permissions.insert("contents".to_owned(), level);
    t.world.change_permissions(id, permissions).expect("permissions");
}

#[test]
fn without_the_permission_to_push_a_person_is_asked_and_it_goes_on_when_it_is_back() {
    plan().auto().run(async |t| {
        grant_contents(t, Level::Read);
        t.go("Add a feature").await;
        let text = t.expect_parked(ParkReason::WorldFailed).await;
        assert!(!text.is_empty());
        assert_eq!(t.pulls(), 0);
        grant_contents(t, Level::Write);
        t.comment("/retry").await;
        t.expect_outcome("merged").await;
        assert_eq!(t.agents_asked(), ["planner 1", "builder 1"], "the work was kept");
    });
}

#[test]
fn a_required_check_that_is_no_longer_required_is_asked_about() {
    plan().auto().run(async |t| {
        t.go("Add a feature").await;
        t.run_until("CI", |t| t.awaited().starts_with("CI (")).await;
        t.world.set_rules(&t.repo, "main", Rules::default()).expect("rules");
        let text = t.expect_parked(ParkReason::RulesChanged).await;
        assert!(text.contains("test is no longer required"), "{text}");
        t.pass_ms(3_600_000).await;
        assert_eq!(t.calls("pulls/merge").len(), 0);
        t.comment("/retry").await;
        // Nothing guards the branch any more, so the policy alone does not decide.
        t.approve().await;
        t.expect_outcome("merged").await;
    });
}

#[test]
fn two_commands_to_start_in_one_moment_start_one_run() {
    run_test(async |t| {
        let number = t.issue("Add a feature");
        let said = [t.says("mara", number, "/go"), t.says("rio", number, "/go")];
        t.settle().await;
        t.approve().await;
        t.expect_outcome("merged").await;
        assert_eq!(t.pulls(), 1);
        for comment in said {
            assert_eq!(t.reactions(comment), ["eyes"]);
        }
        let answers = t.comments_of_bot().iter().filter(|c| c.body.contains("on its way")).count();
        assert_eq!(answers, 1);
    });
}

#[test]
fn a_builder_that_touches_what_decides_is_refused() {
    let builder = vec![vec![write(".github/workflows/ci.yml", "on: never\n"), say("Done.")]];
    plan().builder(builder).run(async |t| {
        t.go("Add a feature").await;
        let text = t.expect_parked(ParkReason::AgentStuck).await;
        assert!(text.contains("is protected"), "{text}");
        assert_eq!(t.calls("git/push").len(), 0);
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
    });
}

#[test]
fn a_pull_request_that_is_pointed_at_another_base_goes_there() {
    run_test(async |t| {
        t.push("mara", "release", ("release.txt", "1\n"));
        let main = t.tip("main");
        t.go("Add a feature").await;
        t.run_until("people", |t| t.stage() == "review").await;
        let (mara, repo, number) = (Actor::User(t.id("mara")), t.repo.clone(), t.pull());
        let edit = IssueEdit::default();
        let edit = (&edit, Some("release"));
        t.world.with(|state| state.edit_pull(&mara, &repo, number, edit)).expect("an edit");
        t.pass_ms(60_000).await;
        t.run_until("people or a question", |t| t.stage() == "review" || t.parked().is_some())
            .await;
        if t.parked().is_some() {
            // The checks that main asks for are asked for no more.
            t.expect_parked(ParkReason::RulesChanged).await;
            t.comment("/retry").await;
            t.run_until("people", |t| t.stage() == "review").await;
        }
        let old = t.pull_request().head_sha;
        t.review(ReviewState::Approved, "").await;
        // The new base is merged into the head, and that commit was approved by nobody.
        t.run_until("the new head", |t| t.stage() == "review" && t.pull_request().head_sha != old)
            .await;
        t.review(ReviewState::Approved, "").await;
        t.expect_outcome("merged").await;
        assert_eq!(t.file("release", "feature.txt").as_deref(), Some("a feature\n"));
        assert_eq!(t.tip("main"), main, "the first base is untouched");
        assert!(t.state().work.landed_verified);
        t.allows_writes(40);
    });
}
