//! Mergeability, merge answers, rules, closing keywords and what is told of them.

use serde_json::json;

use super::{REPO, Stage};
use crate::playground::error::ApiError;
use crate::playground::faults::Fault;
use crate::playground::mailbox::Fate;
use crate::playground::world::merge::MergeCall;
use crate::playground::world::{
    Method, Op, RequiredCheck, ReviewState, Rules, events::sign, people::FilePush,
};

fn merge(stage: &Stage, number: u64, call: &MergeCall) -> Result<String, ApiError> {
    stage.world.call(&stage.actor, Op::write("pulls/merge", ""), |state| {
        state.merge_pull(&stage.actor, REPO, number, call)
    })
}

#[test]
fn mergeability_is_computed_once_asked_and_again_when_the_base_moves() {
    let stage = Stage::new();
    let number = stage.pull("top", "", &[("a.txt", "one\n2\n3\n4\n5\n")]);
    assert_eq!(stage.ask(number), (None, "unknown"));
    assert_eq!(stage.ask(number), (Some(true), "clean"));
    stage.push("main", &[("a.txt", "1\n2\n3\n4\nfive\n")]);
    assert_eq!(stage.ask(number), (None, "unknown"));
    assert_eq!(stage.ask(number), (Some(true), "clean"), "distant lines do not clash");
    stage.push("main", &[("a.txt", "uno\n2\n3\n4\nfive\n")]);
    stage.ask(number);
    assert_eq!(stage.ask(number), (Some(false), "dirty"));
    let refused = merge(&stage, number, &MergeCall::default()).unwrap_err();
    assert_eq!((refused.status, &*refused.message), (405, "Pull Request is not mergeable"));
    stage.push("top", &[("a.txt", "uno\n2\n3\n4\nfive\n"), ("b.txt", "b\n")]);
    stage.ask(number);
    assert_eq!(stage.ask(number).0, Some(true), "both sides now have the same text");
}

#[test]
fn a_merge_lands_closes_its_issue_and_is_told_in_order() {
    let stage = Stage::new();
    let issue = stage.world.open_issue(stage.mara.id, REPO, "Greet", "please").unwrap();
    let body = format!("Fixes #{}", issue.number);
    let number = stage.pull("work", &body, &[("b.txt", "b\n")]);
    let head = stage.head(number);
    stage.events();
    let wrong = MergeCall { sha: Some("0".repeat(40)), ..MergeCall::default() };
    assert_eq!(merge(&stage, number, &wrong).unwrap_err().status, 409);
    let call = MergeCall { sha: Some(head), method: Method::Squash, ..MergeCall::default() };
    let landed = merge(&stage, number, &call).unwrap();
    let told = stage.names();
    assert_eq!(told[..3], ["pull_request.closed", "issues.closed", "push"]);
    stage.world.with(|state| {
        let id = state.repo_id(REPO).unwrap();
        let repo = state.repo(id).unwrap();
        assert_eq!(repo.branches["main"], landed);
        assert!(!repo.issues[&issue.number].open);
        assert!(repo.pulls[&number].merged);
        let commit = repo.forge.commit_info(&landed).unwrap().unwrap();
        assert_eq!(commit.message, format!("Add work (#{number})"));
        assert_eq!(commit.parents.len(), 1);
        assert_eq!(repo.forge.read_file(&landed, "b.txt").unwrap(), Some(b"b\n".to_vec()));
    });
    assert_eq!(merge(&stage, number, &call).unwrap_err().status, 405, "only once");
}

#[test]
fn rebase_keeps_the_commits_and_a_pushed_merge_marks_the_pull_merged() {
    let stage = Stage::new();
    let number = stage.pull("work", "", &[("b.txt", "b\n")]);
    stage.push("work", &[("c.txt", "c\n")]);
    stage.push("main", &[("d.txt", "d\n")]);
    let call = MergeCall { method: Method::Rebase, ..MergeCall::default() };
    let landed = merge(&stage, number, &call).unwrap();
    stage.world.with(|state| {
        let id = state.repo_id(REPO).unwrap();
        let log = state.repo(id).unwrap().forge.commits_between(None, &landed, 9).unwrap();
        assert_eq!(log.len(), 4);
        assert!(log.iter().all(|one| one.parents.len() < 2));
    });
    let second = stage.pull("again", "", &[("e.txt", "e\n")]);
    let head = stage.head(second);
    let none = Vec::new();
    let push = FilePush { branch: "main", onto: Some(&head), files: &none, message: "land" };
    stage.world.push_files(stage.mara.id, REPO, &push).unwrap();
    stage.world.with(|state| {
        let id = state.repo_id(REPO).unwrap();
        assert!(state.repo(id).unwrap().pulls[&second].merged);
    });
}

#[test]
fn rules_block_until_checks_pass_and_somebody_approves() {
    let stage = Stage::new();
    let test = RequiredCheck { context: "test".to_owned(), integration_id: None };
    let rules = Rules {
        required_checks: vec![test],
        approvals: Some(1),
        dismiss_stale_reviews: true,
        allowed_merge_methods: Some(vec![Method::Squash]),
        ..Rules::default()
    };
    stage.world.set_rules(REPO, "main", rules).unwrap();
    let number = stage.pull("work", "", &[("b.txt", "b\n")]);
    let why = |method| {
        let call = MergeCall { method, ..MergeCall::default() };
        merge(&stage, number, &call).unwrap_err().message
    };
    assert_eq!(why(Method::Merge), "Merge commits are not allowed on this repository.");
    assert_eq!(why(Method::Squash), "Required status check \"test\" is expected.");
    let head = stage.head(number);
    stage.world.set_check(REPO, &head, "test", Some("failure")).unwrap();
    assert_eq!(why(Method::Squash), "Required status check \"test\" is failing.");
    stage.world.set_check(REPO, &head, "test", Some("success")).unwrap();
    assert!(why(Method::Squash).starts_with("At least 1 approving review"));
    assert_eq!(stage.ask(number).1, "blocked");
    stage.world.review(stage.rio.id, REPO, number, (ReviewState::Approved, "")).unwrap();
    assert_eq!(stage.ask(number), (Some(true), "clean"));
    let files = super::files(&[("b.txt", "bb\n")]);
    let push = FilePush { branch: "work", onto: None, files: &files, message: "more" };
    stage.world.push_files(stage.rio.id, REPO, &push).unwrap();
    let head = stage.head(number);
    stage.world.set_check(REPO, &head, "test", Some("success")).unwrap();
    assert!(why(Method::Squash).starts_with("At least 1"), "the push dismissed the approval");
    let main = FilePush { branch: "main", ..push };
    let refused = stage.world.push_files(stage.rio.id, REPO, &main).unwrap_err();
    assert_eq!(refused.message, "Protected branch update failed");
}

#[test]
fn a_fault_may_hide_an_effect_that_was_applied() {
    let stage = Stage::new();
    let number = stage.pull("work", "", &[("b.txt", "b\n")]);
    stage.world.faults(|plan| {
        plan.on("pulls/merge", 1, Fault::status(502, false));
        plan.on("pulls/merge", 2, Fault::status(500, true));
    });
    assert_eq!(merge(&stage, number, &MergeCall::default()).unwrap_err().status, 502);
    let merged = |stage: &Stage| {
        stage.world.with(|state| state.pull(&stage.actor, REPO, number).unwrap().pull.merged)
    };
    assert!(!merged(&stage));
    assert_eq!(merge(&stage, number, &MergeCall::default()).unwrap_err().status, 500);
    assert!(merged(&stage));
    let journal = stage.world.journal();
    let effects: Vec<(u16, bool)> = journal
        .iter()
        .filter(|call| call.operation == "pulls/merge")
        .map(|call| (call.status, call.effect))
        .collect();
    assert_eq!(effects, [(502, false), (500, true)]);
    assert_eq!(stage.world.call_counts()["slipway"].writes, 3);
}

#[test]
fn deliveries_are_signed_and_the_mailbox_loses_doubles_and_reverses() {
    let stage = Stage::new();
    let issue = stage.world.open_issue(stage.mara.id, REPO, "Hello", "").unwrap().number;
    let first = stage.world.due_deliveries(stage.world.now_ms()).remove(0);
    assert_eq!(first.signature_sha256, sign(&stage.bot.webhook_secret, &first.body));
    let say = |text: &str| stage.world.comment(stage.rio.id, REPO, issue, text).unwrap();
    stage.world.mailbox(|mailbox| mailbox.next_fates(&[Fate::Drop, Fate::Double]));
    say("lost");
    say("twice");
    let bodies: Vec<_> = stage.events().into_iter().map(|one| one.1).collect();
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0]["comment"]["body"], "twice");
    assert_eq!(bodies[0]["comment"]["author_association"], "COLLABORATOR");
    assert_eq!(bodies[0]["installation"]["id"], stage.installation);
    assert_eq!(bodies[0]["sender"]["login"], "rio");
    stage.world.mailbox(|mailbox| mailbox.on("issue_comment.created", 3, Fate::Delay(500)));
    say("late");
    assert_eq!(stage.names(), Vec::<String>::new());
    stage.advance(500);
    assert_eq!(stage.names(), ["issue_comment.created"]);
    stage.world.mailbox(super::super::mailbox::Mailbox::triple_reverse);
    say("one");
    say("two");
    let said = stage.events().into_iter().map(|one| one.1["comment"]["body"].clone());
    assert_eq!(json!(said.collect::<Vec<_>>()), json!(["two", "two", "two", "one", "one", "one"]));
}
