//! Commits that GitHub makes and signs in the place of ours, where the policy asks for it.

use slipway::pipeline::twin::Signing;
use slipway::playground::faults::Fault;
use slipway::playground::world::people::FilePush;

use crate::world::{Plan, Side, Town, plan, replace, say, write};

const COMMIT: &str = "graphql/CommitOnBranch";

fn signing() -> Plan {
    let policy =
        "merge: auto\ncommits: signed-by-github\nverify:\n  - fails_if feature.txt BROKEN\n";
    plan().auto().policy(policy)
}

fn signed(t: &Town, commit: &str) -> bool {
    t.world.with(|state| state.repos[&t.repo_id].signed.contains(commit))
}

fn merged_head(t: &Town) -> String {
    let sent = t.fuse.sent();
    assert_eq!(sent.len(), 1);
    sent[0].order.head.to_string()
}

/// The head that was merged is GitHub's, verified by its tree, and nothing was pushed over it.
fn is_signed(t: &Town) {
    let head = merged_head(t);
    let work = t.state().work;
    assert!(signed(t, &head));
    assert!(matches!(work.signing, Some(Signing::Signed(_))), "{:?}", work.signing);
    assert_eq!(work.verified.map(|sha| sha.to_string()), Some(head));
    assert_eq!(t.calls(COMMIT).len(), 1);
}

/// The head was pushed, and the run says why.
fn is_pushed(t: &Town, said: &str) {
    assert!(!signed(t, &merged_head(t)));
    let signing = t.state().work.signing;
    let told = matches!(&signing, Some(Signing::Pushed { why }) if why.contains(said));
    assert!(told, "{signing:?}");
}

#[test]
fn the_head_that_is_merged_is_made_and_signed_by_github() {
    signing().run(async |t| {
        t.go("Add a feature").await;
        t.run_until("CI", |t| t.awaited().starts_with("CI (")).await;
        t.pass_ms(5_000).await;
        let told = t.comments_of_bot().last().expect("a comment").body.clone();
        assert!(told.contains("GitHub made and signed"), "{told}");
        t.expect_outcome("merged").await;
        is_signed(t);
        assert!(!t.state().work.foreign);
        assert_eq!(t.file("main", "feature.txt").as_deref(), Some("a feature\n"));
    });
}

#[test]
fn a_repair_is_signed_on_top_of_what_was_signed() {
    let builder = vec![vec![write("feature.txt", "a BUG\n"), say("Built.")]];
    let fixer = vec![vec![replace("feature.txt", "BUG", "feature"), say("Fixed.")]];
    signing().builder(builder).fixer(fixer).run(async |t| {
        t.go("Add a feature").await;
        t.run_until("people", |t| t.stage() == "review").await;
        t.approve().await;
        t.expect_outcome("merged").await;
        assert!(signed(t, &merged_head(t)));
        assert_eq!(t.calls(COMMIT).len(), 2);
    });
}

#[test]
fn what_was_repaired_before_it_was_published_becomes_one_signed_commit() {
    let builder = vec![vec![write("feature.txt", "BROKEN\n"), say("Built.")]];
    let fixer = vec![vec![replace("feature.txt", "BROKEN", "a feature"), say("Fixed.")]];
    signing().builder(builder).fixer(fixer).run(async |t| {
        t.go("Add a feature").await;
        t.run_until("people", |t| t.stage() == "review").await;
        t.approve().await;
        t.expect_outcome("merged").await;
        is_signed(t);
        let main = t.state().work.onto.expect("a base");
        let head = t.depot.get(&merged_head(t)).expect("a commit");
        assert_eq!(head.parents, [main.to_string()]);
    });
}

#[test]
fn a_merge_of_the_base_is_pushed_and_the_run_says_so() {
    signing().run(async |t| {
        t.go("Add a feature").await;
        t.run_until("CI", |t| t.awaited().starts_with("CI (")).await;
        t.push("mara", "main", ("other.txt", "other\n"));
        t.expect_outcome("merged").await;
        is_pushed(t, "merge");
        assert_eq!(t.calls(COMMIT).len(), 1);
    });
}

#[test]
fn somebody_who_pushes_first_is_neither_overwritten_nor_believed() {
    signing().run(async |t| {
        let (mara, repo) = (t.id("mara"), t.repo.clone());
        t.fuse.beside(("sign", 1, Side::Before), move |world| {
            let branches = world.with(|state| {
                let repo = state.repos.values().next().expect("a repository");
                repo.branches.keys().cloned().collect::<Vec<_>>()
            });
            let branch = branches.iter().find(|name| *name != "main").expect("our branch");
            let files = vec![("feature.txt".to_owned(), Some(b"by hand\n".to_vec()))];
            let push = FilePush { branch, onto: None, files: &files, message: "By hand" };
            world.push_files(mara, &repo, &push).expect("a push");
        });
        t.go("Add a feature").await;
        t.expect_outcome("merged").await;
        assert!(t.state().work.foreign);
        let head = merged_head(t);
        assert!(!signed(t, &head));
        assert_eq!(t.state().work.verified.map(|sha| sha.to_string()), Some(head));
        assert_eq!(t.file("main", "feature.txt").as_deref(), Some("by hand\n"));
    });
}

#[test]
fn a_lost_answer_is_read_from_the_branch_and_the_request_never_repeated() {
    for fault in [Fault::status(500, true), Fault::timeout(true), Fault::reset(true)] {
        signing().run(async |t| {
            t.faults(|f| f.on(COMMIT, 1, fault.clone()));
            t.go("Add a feature").await;
            t.expect_outcome("merged").await;
            is_signed(t);
        });
    }
    for fault in [Fault::status(502, false), Fault::timeout(false), Fault::reset(false)] {
        signing().run(async |t| {
            t.faults(|f| f.on(COMMIT, 1, fault.clone()));
            t.go("Add a feature").await;
            t.expect_outcome("merged").await;
            is_pushed(t, "answer is missing");
            assert_eq!(t.calls(COMMIT).len(), 1);
        });
    }
}

#[test]
fn a_request_that_is_refused_is_followed_by_a_push() {
    let words = serde_json::json!({"message": "Repository rule violations found"});
    signing().run(async |t| {
        t.faults(|f| f.on(COMMIT, 1, Fault::status(422, false).body(words.clone())));
        t.go("Add a feature").await;
        t.expect_outcome("merged").await;
        is_pushed(t, "refused");
    });
}

#[test]
fn wherever_it_dies_while_asking_one_commit_comes_of_it() {
    for side in [Side::Before, Side::After] {
        signing().run(async |t| {
            t.fuse.blow_beside("sign", 1, side);
            t.go("Add a feature").await;
            t.expect_outcome("merged").await;
            assert_eq!(t.crashes, 1);
            match side {
                Side::Before => is_pushed(t, "interrupted"),
                Side::After => is_signed(t),
            }
            assert_eq!(t.pulls(), 1);
        });
    }
}

#[test]
fn what_github_made_of_another_tree_is_replaced_by_what_was_verified() {
    signing().run(async |t| {
        // GitHub makes a commit with a file nobody asked for, and answers as if all were well.
        t.faults(|f| f.smudge("extra.txt", b"x\n"));
        t.go("Add a feature").await;
        t.expect_outcome("merged").await;
        is_pushed(t, "was not what was verified");
        assert_eq!(t.file("main", "extra.txt"), None, "nothing unverified lands");
    });
}
