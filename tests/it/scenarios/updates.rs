//! A base that moved, merged into the branch by GitHub, where the policy asks for it.

use slipway::git::depot::{Expected, NewCommit, Person};
use slipway::playground::faults::Fault;
use slipway::playground::world::people::FilePush;

use crate::world::{Plan, Side, Town, plan};

const UPDATE: &str = "pulls/update-branch";

fn asking() -> Plan {
    let policy = "merge: auto\nupdate_with: github\nverify:\n  - fails_if feature.txt BROKEN\n";
    plan().auto().policy(policy)
}

/// CI runs, and the base moves without a conflict.
async fn until_behind(t: &mut Town) -> String {
    t.go("Add a feature").await;
    t.run_until("CI", |t| t.awaited().starts_with("CI (")).await;
    let head = t.pull_request().head_sha;
    t.push("mara", "main", ("other.txt", "other\n"));
    head
}

async fn until_asked(t: &mut Town) -> String {
    let head = until_behind(t).await;
    t.run_until("GitHub", |t| t.awaited().contains("GitHub to merge the base")).await;
    head
}

fn merged_head(t: &Town) -> String {
    let sent = t.fuse.sent();
    assert_eq!(sent.len(), 1);
    sent[0].order.head.to_string()
}

fn has_both(t: &Town) {
    assert_eq!(t.file("main", "other.txt").as_deref(), Some("other\n"));
    assert_eq!(t.calls(UPDATE).len(), 1, "never asked twice");
    let verified = t.state().work.verified.map(|sha| sha.to_string());
    assert_eq!(verified, Some(merged_head(t)), "verified anew");
}

fn signed(t: &Town, commit: &str) -> bool {
    t.world.with(|state| state.repos[&t.repo_id].signed.contains(commit))
}

/// A commit on the branch that nobody of ours made, with these parents and one file more.
fn put(t: &mut Town, parents: &[&str], (path, text): (&str, &str)) -> String {
    let [head, base] = parents else { panic!("two parents") };
    let merge = t.depot.merge_tree(None, head, base).expect("a merge");
    let mut tree = merge.tree;
    tree.insert(path.to_owned(), slipway::git::depot::Blob::new(text.as_bytes()));
    let tree_id = t.depot.write_tree(tree);
    let made = t.depot.commit(&NewCommit {
        tree_id,
        parents: parents.iter().map(|&id| id.to_owned()).collect(),
        message: "Merge branch main".to_owned(),
        author: Person::new("mara", "mara@example.test"),
        at_ms: t.now(),
    });
    let made = made.expect("a commit");
    let name = format!("refs/heads/{}", t.branch());
    t.depot.update_ref(&name, Expected::At(head), Some(&made)).expect("the ref moves");
    let (mara, repo) = (t.people["mara"].clone(), t.repo_id);
    t.world.with(|state| state.refresh_refs(repo, &mara)).expect("it is seen");
    made
}

#[test]
fn github_merges_the_base_and_its_commit_is_known_as_ours() {
    asking().run(async |t| {
        let head = until_behind(t).await;
        t.expect_outcome("merged").await;
        has_both(t);
        assert!(!t.state().work.foreign);
        assert_eq!(t.state().counts.update_rounds, 1);
        let merged = merged_head(t);
        assert_eq!(t.depot.get(&merged).expect("a commit").parents[0], head);
        assert!(signed(t, &merged));
        assert_eq!(t.calls("git/push").len(), 2, "our commit, and the branch's end");
    });
}

#[test]
fn a_lost_answer_is_read_and_the_request_not_repeated() {
    for fault in [Fault::status(500, true), Fault::timeout(true), Fault::reset(true)] {
        asking().run(async |t| {
            t.faults(|f| f.on(UPDATE, 1, fault.clone()));
            until_behind(t).await;
            t.expect_outcome("merged").await;
            has_both(t);
            assert!(signed(t, &merged_head(t)) && !t.state().work.foreign);
        });
    }
}

#[test]
fn after_five_minutes_in_vain_it_is_merged_here() {
    // Neither an answer nor an effect; and a promise that is not kept.
    for fault in [Fault::status(502, false), Fault::status(202, false)] {
        asking().run(async |t| {
            t.faults(|f| f.on(UPDATE, 1, fault.clone()));
            until_asked(t).await;
            let began = t.now();
            t.expect_outcome("merged").await;
            assert!(t.now() - began >= 290_000, "{} ms", t.now() - began);
            has_both(t);
            assert!(!signed(t, &merged_head(t)));
        });
    }
}

#[test]
fn a_merge_that_comes_late_is_still_known_as_ours() {
    asking().run(async |t| {
        t.faults(|f| f.on(UPDATE, 1, Fault::status(202, false)));
        until_asked(t).await;
        t.pass_ms(120_000).await;
        let (rio, repo, number) = (t.id("rio"), t.repo.clone(), t.pull());
        let actor = slipway::playground::world::Actor::User(rio);
        let made = t.world.with(|state| state.update_pull_branch(&actor, &repo, number, None));
        made.expect("an update");
        t.expect_outcome("merged").await;
        has_both(t);
        assert!(!t.state().work.foreign);
    });
}

#[test]
fn a_push_that_comes_first_is_seen_and_verified_as_somebodys() {
    asking().run(async |t| {
        let (mara, repo) = (t.id("mara"), t.repo.clone());
        t.fuse.beside(("ask_update", 1, Side::Before), move |world| {
            let branch = world.with(|state| {
                let repo = state.repos.values().next().expect("a repository");
                repo.pulls.values().next().expect("a pull request").head_ref.clone()
            });
            let files = vec![("more.txt".to_owned(), Some(b"more\n".to_vec()))];
            let push = FilePush { branch: &branch, onto: None, files: &files, message: "More" };
            world.push_files(mara, &repo, &push).expect("a push");
        });
        until_behind(t).await;
        t.expect_outcome("merged").await;
        assert!(t.state().work.foreign);
        assert_eq!(t.file("main", "more.txt").as_deref(), Some("more\n"));
        assert_eq!(t.file("main", "other.txt").as_deref(), Some("other\n"));
        t.allows_writes(40);
    });
}

#[test]
fn a_merge_with_something_more_in_it_is_somebodys() {
    asking().run(async |t| {
        t.faults(|f| f.on(UPDATE, 1, Fault::status(202, false)));
        let head = until_asked(t).await;
        let base = t.tip("main").expect("the base");
        let made = put(t, &[&head, &base], ("extra.txt", "x\n"));
        t.run_until("it to be seen", |t| {
            t.state().work.head.is_some_and(|sha| sha.as_str() == made)
        })
        .await;
        assert!(t.state().work.foreign, "it is not exactly the merge");
        t.expect_outcome("merged").await;
        t.allows_writes(40);
    });
}

#[test]
fn a_merge_of_something_else_than_the_base_is_somebodys() {
    asking().run(async |t| {
        t.faults(|f| f.on(UPDATE, 1, Fault::status(202, false)));
        let head = until_asked(t).await;
        let other = t.push("mara", "elsewhere", ("elsewhere.txt", "e\n"));
        let made = put(t, &[&head, &other], ("elsewhere.txt", "e\n"));
        t.run_until("it to be seen", |t| {
            t.state().work.head.is_some_and(|sha| sha.as_str() == made)
        })
        .await;
        assert!(t.state().work.foreign);
        t.expect_outcome("merged").await;
        t.allows_writes(40);
    });
}
