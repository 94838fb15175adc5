//! The merge queue: GitHub merges later and by itself, and what lands is still what was permitted.

use slipway::pipeline::{ParkReason, Task};
use slipway::playground::faults::Fault;
use slipway::playground::world::people::FilePush;
use slipway::playground::world::pulls::NewPull;
use slipway::playground::world::{Actor, Method, QueueRule};

use crate::world::{GREETING, Side, Town, plan, replace, say};

/// Until the pull request stands in the queue and its group is being tested.
async fn until_tested(t: &mut Town) {
    t.run_until("the queue", |t| t.awaited().contains("its checks run")).await;
}

fn effects(t: &Town, operation: &str) -> usize {
    t.calls(operation).iter().filter(|call| call.effect).count()
}

/// What must hold of every change that a queue landed.
fn landed_well(t: &Town) {
    assert_eq!(t.calls("pulls/merge").len(), 0, "no merge call");
    assert!(t.state().work.landed_verified, "what landed was compared");
    assert!(t.state().work.merged_by.is_none(), "it was ours");
    assert!(!t.issue_now().open);
    assert_eq!(t.file("main", "feature.txt").as_deref(), Some("a feature\n"));
}

#[test]
fn a_branch_with_a_queue_is_merged_through_it_in_its_own_way() {
    for method in Method::ALL {
        plan().queue(method).run(async |t| {
            t.go("Add a feature").await;
            t.approve().await;
            until_tested(t).await;
            assert!(t.state().work.lane.is_none(), "a queue serialises itself");
            t.expect_outcome("merged").await;
            assert_eq!(effects(t, "graphql/Enqueue"), 1);
            landed_well(t);
        });
    }
}

#[test]
fn the_base_may_move_while_it_stands_in_the_queue() {
    plan().auto().queue(Method::Squash).run(async |t| {
        t.go("Add a feature").await;
        until_tested(t).await;
        t.push("mara", "main", ("other.txt", "other\n"));
        t.expect_outcome("merged").await;
        assert_eq!(effects(t, "graphql/Enqueue"), 1, "the queue makes its group anew");
        assert_eq!(t.state().counts.update_rounds, 0, "and the head stays what it was");
        assert_eq!(t.file("main", "other.txt").as_deref(), Some("other\n"));
        landed_well(t);
    });
}

/// CI that fails when both halves of a greeting are changed, and the half that others change.
fn together() -> (String, String) {
    let theirs = GREETING.replace("hello", "HEY");
    let both = theirs.replace("bye", "BYE");
    let job = serde_json::json!({"name": "test", "duration_ms": 30_000,
        "fails_if": {"file": "greet.txt", "contains": both}});
    (job.to_string(), theirs)
}

#[test]
fn what_fails_only_in_the_queue_is_brought_up_to_date_repaired_and_asked_for_again() {
    let (job, theirs) = together();
    let builder = vec![vec![replace("greet.txt", "bye", "BYE"), say("Louder.")]];
    let fixer = vec![vec![replace("greet.txt", "BYE", "Bye"), say("Not that loud.")]];
    plan().auto().ci(&job).builder(builder).fixer(fixer).queue(Method::Merge).run(async |t| {
        t.go("Say bye louder").await;
        until_tested(t).await;
        t.push("mara", "main", ("greet.txt", &theirs));
        // The fixer reads what CI printed: from then on a person agrees.
        t.approve().await;
        t.expect_outcome("merged").await;
        assert_eq!(effects(t, "graphql/Enqueue"), 2);
        assert_eq!((t.state().counts.update_rounds, t.state().counts.fix_rounds), (1, 1));
        let landed = t.file("main", "greet.txt").expect("the greeting");
        assert!(landed.contains("HEY") && landed.contains("Bye"), "{landed}");
        assert!(t.state().work.landed_verified);
        t.allows_writes(40);
    });
}

#[test]
fn a_push_to_the_branch_while_it_is_queued_is_taken_out_verified_and_queued_again() {
    plan().auto().queue(Method::Squash).run(async |t| {
        t.go("Add a feature").await;
        until_tested(t).await;
        let branch = t.branch();
        t.push("rio", &branch, ("more.txt", "more\n"));
        t.expect_outcome("merged").await;
        assert_eq!(effects(t, "graphql/Enqueue"), 2);
        assert_eq!(t.file("main", "more.txt").as_deref(), Some("more\n"));
        let heads: Vec<_> = t.fuse.sent().iter().map(|sent| sent.order.head.clone()).collect();
        assert_ne!(heads[0], heads[1], "each was asked for under its own permit");
        landed_well(t);
        t.allows_writes(40);
    });
}

#[test]
fn a_stop_takes_it_out_of_the_queue_before_anything_else() {
    plan().auto().queue(Method::Merge).run(async |t| {
        let main = t.tip("main");
        t.go("Add a feature").await;
        until_tested(t).await;
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
        assert_eq!(effects(t, "graphql/Dequeue"), 1);
        t.pass_ms(3_600_000).await;
        assert_eq!(t.tip("main"), main, "nothing was merged");
    });
}

#[test]
fn a_stop_that_github_does_not_answer_is_tried_again_until_it_is_sure() {
    plan().auto().queue(Method::Merge).run(async |t| {
        let main = t.tip("main");
        t.faults(|f| {
            f.on("graphql/Dequeue", 1, Fault::timeout(false));
            f.on("graphql/Dequeue", 2, Fault::reset(true));
        });
        t.go("Add a feature").await;
        until_tested(t).await;
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
        assert_eq!(t.tip("main"), main);
    });
}

#[test]
fn a_hold_takes_it_out_and_unhold_puts_it_back() {
    plan().auto().queue(Method::Squash).run(async |t| {
        t.go("Add a feature").await;
        until_tested(t).await;
        t.comment("/hold").await;
        t.pass_ms(600_000).await;
        assert_eq!(effects(t, "graphql/Dequeue"), 1);
        assert_eq!(t.outcome(), None);
        t.comment("/unhold").await;
        t.expect_outcome("merged").await;
        assert_eq!(effects(t, "graphql/Enqueue"), 2);
        landed_well(t);
        t.allows_writes(40);
    });
}

#[test]
fn a_crash_beside_the_request_never_makes_it_twice() {
    for (side, asked) in [(Side::Before, 1), (Side::After, 1)] {
        plan().auto().queue(Method::Squash).run(async |t| {
            t.fuse.blow_beside("enlist", 1, side);
            t.go("Add a feature").await;
            t.expect_outcome("merged").await;
            assert_eq!(t.crashes, 1);
            assert_eq!(effects(t, "graphql/Enqueue"), asked, "{side:?}");
            landed_well(t);
        });
    }
}

#[test]
fn a_request_whose_answer_is_lost_is_read_and_not_repeated_when_it_took_effect() {
    for (applies, calls) in [(true, 1), (false, 2)] {
        plan().auto().queue(Method::Squash).run(async |t| {
            t.faults(|f| f.on("graphql/Enqueue", 1, Fault::timeout(applies)));
            t.go("Add a feature").await;
            t.expect_outcome("merged").await;
            assert_eq!(t.calls("graphql/Enqueue").len(), calls, "took effect: {applies}");
            landed_well(t);
        });
    }
}

#[test]
fn with_every_webhook_lost_the_queue_is_looked_at() {
    plan().auto().queue(Method::Squash).requires_ours().run(async |t| {
        t.go("Add a feature").await;
        t.mailbox(slipway::playground::mailbox::Mailbox::drop_all);
        t.expect_outcome("merged").await;
        landed_well(t);
    });
}

#[test]
fn our_own_check_is_answered_on_the_head_and_on_what_the_queue_tests() {
    for method in Method::ALL {
        plan().auto().queue(method).requires_ours().run(async |t| {
            t.go("Add a feature").await;
            t.expect_outcome("merged").await;
            landed_well(t);
            let landed = t.tip("main");
            let runs = t.check_runs_of_bot();
            let on_group = runs.iter().find(|run| Some(&run.head_sha) == landed.as_ref());
            let on_group = on_group.expect("our check on the group's commit");
            assert_eq!(on_group.conclusion.as_deref(), Some("success"), "{method:?}");
        });
    }
}

#[test]
fn our_own_check_lets_the_pull_requests_of_others_pass() {
    plan().queue(Method::Squash).requires_ours().run(async |t| {
        t.go("Add a feature").await;
        t.run_until("people", |t| t.stage() == "review").await;
        let files = vec![("theirs.txt".to_owned(), Some(b"theirs\n".to_vec()))];
        let push = FilePush { branch: "theirs", onto: None, files: &files, message: "Theirs" };
        t.world.push_files(t.id("rio"), &t.repo, &push).expect("a push");
        let new = NewPull {
            title: "Theirs".to_owned(),
            body: String::new(),
            head: "theirs".to_owned(),
            base: "main".to_owned(),
            draft: false,
        };
        let opened = t.world.open_pull(t.id("rio"), &t.repo, &new).expect("a pull request");
        let (number, head) = (opened.pull.number, opened.pull.head_sha.clone());
        t.world.review(t.id("mara"), &t.repo, number, (approved(), "")).expect("a review");
        t.pass_ms(120_000).await;
        t.world.set_check(&t.repo, &head, "slipway", Some("success")).expect("a check");
        let (mara, repo) = (Actor::User(t.id("mara")), t.repo.clone());
        let queued = t.world.with(|state| state.enqueue(&mara, &repo, number, None));
        queued.expect("it enters");
        t.pass_ms(120_000).await;
        assert_eq!(t.file("main", "theirs.txt").as_deref(), Some("theirs\n"));
        let neutral = t.check_runs_of_bot();
        assert!(neutral.iter().any(|run| run.conclusion.as_deref() == Some("neutral")));
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
    });
}

fn approved() -> slipway::playground::world::ReviewState {
    slipway::playground::world::ReviewState::Approved
}

#[test]
fn a_queue_whose_ci_never_answers_is_told_to_a_person_and_not_tried_for_ever() {
    let rule = QueueRule { method: Method::Squash, minutes: 30, ci: false };
    plan().auto().queue_rule(rule).run(async |t| {
        t.go("Add a feature").await;
        let text = t.expect_parked(ParkReason::QueueRefused).await;
        assert!(text.contains("merge_group"), "{text}");
        assert_eq!(effects(t, "graphql/Enqueue"), 1);
        t.comment("/stop").await;
        t.expect_outcome("stopped").await;
    });
}

#[test]
fn somebody_who_takes_it_out_is_asked_and_not_overruled() {
    plan().auto().queue(Method::Squash).run(async |t| {
        t.go("Add a feature").await;
        until_tested(t).await;
        let (mara, repo, number) = (Actor::User(t.id("mara")), t.repo.clone(), t.pull());
        t.world.with(|state| state.dequeue(&mara, &repo, number)).expect("it leaves");
        t.expect_parked(ParkReason::QueueRefused).await;
        t.comment("/retry").await;
        t.expect_outcome("merged").await;
        landed_well(t);
        t.allows_writes(40);
    });
}

#[test]
fn what_the_queue_landed_otherwise_than_permitted_closes_the_branch_with_an_alarm() {
    plan().auto().queue(Method::Squash).run(async |t| {
        t.go("Add a feature").await;
        until_tested(t).await;
        // A queue that goes wrong, as GitHub's once did: it lands something else.
        let wrong = t.push("mara", "wrong", ("alien.txt", "alien\n"));
        t.world.set_check(&t.repo, &wrong, "test", Some("success")).expect("a check");
        let repo_id = t.repo_id;
        t.world.with(|state| {
            let repo = state.repos.get_mut(&repo_id).expect("the repository");
            repo.queue[0].group.as_mut().expect("a group").head = wrong;
        });
        t.expect_outcome("handed-over").await;
        assert!(t.last_words().contains("not what was predicted"), "{}", t.last_words());
        t.leaves_an_alarm();
    });
}

#[test]
fn while_it_is_being_asked_a_stop_waits_for_the_answer() {
    plan().auto().queue(Method::Squash).run(async |t| {
        t.go("Add a feature").await;
        t.step_until("the request", |t| matches!(t.task(), Some(Task::Enlist { .. }))).await;
        let number = t.number;
        t.says("mara", number, "/stop");
        t.expect_outcome("stopped").await;
        assert_eq!(effects(t, "graphql/Enqueue"), effects(t, "graphql/Dequeue"));
    });
}
