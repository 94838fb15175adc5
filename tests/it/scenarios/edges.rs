//! Edges: lanes that stay closed, ways to merge, drafts, long waits, engines side by side.

use slipway::model::BranchName;
use slipway::pipeline::{Outcome, ParkReason};
use slipway::playground::faults::Fault;
use slipway::playground::world::pulls::NewPull;
use slipway::playground::world::{Actor, Method};
use slipway::store::Store;

use crate::world::{Side, plan, ready, run_test};

#[test]
fn a_merge_nobody_can_tell_the_end_of_closes_the_lane_until_somebody_looked() {
    plan().auto().run(async |t| {
        t.fuse.beside(("merge", 1, Side::After), |world| {
            let read = |call: &&slipway::playground::world::Call| {
                call.operation == "pulls/get" && call.actor == "slipway"
            };
            let done = world.journal().iter().filter(read).count();
            let done = u32::try_from(done).expect("a small number");
            world.faults(|faults| {
                for nth in done + 1..done + 2_000 {
                    faults.on("pulls/get", nth, Fault::status(502, false));
                }
            });
        });
        t.faults(|f| f.on("pulls/merge", 1, Fault::timeout(false)));
        t.go("Add a feature").await;
        t.expect_parked(ParkReason::MergeUnknown).await;
        assert_eq!(t.calls("pulls/merge").len(), 1, "nothing is sent into the dark");
        t.comment("/stop").await;
        t.expect_parked(ParkReason::MergeUnknown).await;
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
        let lanes = ready(t.store.lanes()).expect("the store answers");
        assert!(lanes[0].alarm.as_deref().is_some_and(|why| why.contains("Nobody knows")));
        // Another run may do everything but merge, until the operator opens the lane.
        t.faults(slipway::playground::faults::FaultPlan::calm);
        let pull = t.pull();
        t.world.close(t.id("mara"), &t.repo, pull).expect("closed");
        t.go("Another").await;
        t.run_until("the lane", |t| t.stage() == "merge").await;
        let writes = t.writes().len();
        t.pass_ms(3_600_000).await;
        let writes = t.writes().len() - writes;
        assert!(writes <= 40, "{writes} writes in an hour of waiting");
        assert_eq!((t.stage(), t.calls("pulls/merge").len()), ("merge", 1));
        let main = BranchName::parse("main").expect("a branch");
        let opened = ready(t.store.clear_lane(&t.repo_name(), &main));
        assert!(opened.expect("the store answers"));
        t.expect_outcome("merged").await;
        t.allows_writes(200);
    });
}

#[test]
fn the_way_to_merge_is_one_that_the_repository_allows() {
    for method in Method::ALL {
        plan().auto().run(async |t| {
            let set = t.world.set_settings(&t.repo, |settings| {
                settings.allow_merge_commit = method == Method::Merge;
                settings.allow_squash_merge = method == Method::Squash;
                settings.allow_rebase_merge = method == Method::Rebase;
            });
            set.expect("settings");
            t.go("Add a feature").await;
            t.expect_outcome("merged").await;
            assert!(t.state().work.landed_verified, "{method:?}");
            let tip = t.tip("main").and_then(|tip| t.depot.get(&tip)).expect("a commit");
            let parents = if method == Method::Merge { 2 } else { 1 };
            assert_eq!(tip.parents.len(), parents, "{method:?}");
        });
    }
}

#[test]
fn a_loose_policy_merges_over_a_moved_base_and_still_knows_the_tree() {
    plan().auto().policy("merge: auto\nfreshness: loose\n").run(async |t| {
        t.go("Add a feature").await;
        t.run_until("CI", |t| t.awaited().starts_with("CI (")).await;
        t.push("mara", "main", ("other.txt", "other\n"));
        t.expect_outcome("merged").await;
        assert_eq!(t.state().counts.update_rounds, 0);
        assert!(t.state().work.landed_verified);
        assert_eq!(t.file("main", "other.txt").as_deref(), Some("other\n"));
    });
}

#[test]
fn a_draft_is_not_merged_until_it_is_ready() {
    plan().auto().run(async |t| {
        t.push("mara", "idea", ("idea.txt", "an idea\n"));
        let new = NewPull {
            title: "An idea".to_owned(),
            body: String::new(),
            head: "idea".to_owned(),
            base: "main".to_owned(),
            draft: true,
        };
        t.number = t.world.open_pull(t.id("mara"), &t.repo, &new).expect("opened").pull.number;
        t.comment("/go").await;
        t.run_until("the draft", |t| t.awaited().contains("the pull request is a draft")).await;
        t.pass_ms(3_600_000).await;
        assert_eq!(t.calls("pulls/merge").len(), 0);
        let (mara, repo, number) = (Actor::User(t.id("mara")), t.repo.clone(), t.number);
        t.world.with(|state| state.set_ready(&mara, &repo, number, true)).expect("ready");
        t.expect_outcome("merged").await;
    });
}

#[test]
fn a_run_that_waits_for_people_for_a_week_writes_nothing_and_is_still_there() {
    run_test(async |t| {
        t.go("Add a feature").await;
        t.run_until("people", |t| t.stage() == "review").await;
        t.pass_ms(60_000).await;
        let (writes, entries) = (t.writes().len(), t.timeline().len());
        t.pass_ms(7 * 24 * 3_600_000).await;
        assert_eq!(t.writes().len(), writes);
        assert_eq!(t.stage(), "review");
        // Ten minutes apart at most; each leaves a line for the timer and one for the look.
        assert!(t.timeline().len() - entries <= 2 * 7 * 24 * 6 + 10);
        t.leaves_runs(1);
    });
}

#[test]
fn a_landed_tree_that_was_not_predicted_closes_the_lane() {
    plan().auto().run(async |t| {
        // GitHub merges, and somebody else's push is in the same moment taken for the merge.
        let depot = t.depot.clone();
        let at_ms = t.now();
        t.fuse.beside(("merge", 1, Side::Before), move |world| {
            let (repo, rio) = world.with(|state| {
                let repo = state.repos.values().next().expect("a repository");
                let rio = state.users.values().find(|user| user.login == "rio");
                (repo.id, rio.expect("Rio").clone())
            });
            let name = "refs/heads/main";
            let tip = depot.read_ref(name).expect("main");
            let files = [("surprise.txt".to_owned(), Some(b"!\n".to_vec()))];
            let author = slipway::git::depot::Person::new("rio", "rio@example.test");
            let made = depot.commit_files(Some(&tip), &files, "Surprise", (&author, at_ms));
            let expected = slipway::git::depot::Expected::At(&tip);
            depot.update_ref(name, expected, Some(&made.expect("a commit"))).expect("moved");
            world.with(|state| state.refresh_refs(repo, &rio)).expect("noticed");
        });
        t.go("Add a feature").await;
        let outcome = t.expect_outcome("handed-over").await;
        let Outcome::HandedOver { why } = outcome else { panic!("handed over") };
        assert!(why.contains("not what was predicted") && why.contains("slipway unlock"), "{why}");
        assert!(t.last_words().contains("not what was predicted"));
        assert_eq!(t.calls("pulls/merge").len(), 1);
        t.leaves_an_alarm();
    });
}

#[test]
fn two_engines_side_by_side_do_everything_once() {
    run_test(async |t| {
        let other = t.another_engine();
        let number = t.issue("Add a feature");
        t.says("mara", number, "/go");
        let mut approved = false;
        for _ in 0..500 {
            t.deliver();
            while t.world.ci_step(t.now()).expect("the CI works") {}
            let (one, two) = (ready(t.engine.claim(1)), ready(other.claim(1)));
            let one = one.expect("the store claims").pop();
            let two = two.expect("the store claims").pop();
            let idle = one.is_none() && two.is_none();
            // The one that claimed last is done first.
            if let Some(lease) = two {
                t.work(&other, lease).await;
            }
            if let Some(lease) = one {
                t.work(&t.engine, lease).await;
            }
            if t.stage() == "review" && !approved {
                approved = true;
                t.review(slipway::playground::world::ReviewState::Approved, "").await;
            }
            if idle && !t.wait() {
                break;
            }
        }
        t.expect_outcome("merged").await;
        assert_eq!((t.pulls(), t.calls("pulls/merge").len()), (1, 1));
        assert_eq!(t.comments_of_bot().len(), 2);
        assert_eq!(t.agents_asked(), ["planner 1", "builder 1"]);
    });
}
