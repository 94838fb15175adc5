//! Pull requests, reviews and the merge call.

use super::bench::{Bench, REPO, branch};
use crate::gate::seen::{PullState, ReviewVerdict};
use crate::github::{Error, MergeOrder, NewPull};
use crate::model::sanitized::{Sanitizer, prose};
use crate::model::{CommitSha, PullNumber};
use crate::pipeline::stage::{MergeAnswer, UpdateAnswer};
use crate::playground::faults::Fault;
use crate::playground::world::{self, RequiredCheck, ReviewState};
use crate::policy::MergeMethod;

pub(super) async fn a_pull_request_is_opened_once(b: Bench) {
    let head = b.push("slipway/1-x", &[("a", "two\n")]);
    b.push("slipway/1-xy", &[("a", "two\n")]);
    let find = async |name: &str| b.hub.pull_of(&b.at, &branch(name)).await.unwrap();
    assert_eq!(find("slipway/1-x").await, None);
    let new = NewPull {
        title: Sanitizer::default().text(&prose(&"t".repeat(1_000))),
        body: Sanitizer::default().text(&prose(&"é".repeat(70_000))),
        head: branch("slipway/1-x"),
        base: branch("main"),
        draft: false,
    };
    let number = b.hub.open_pull(&b.at, &new).await.unwrap();
    assert_eq!(b.hub.open_pull(&b.at, &new).await, Ok(number), "it is there already");
    assert_eq!(find("slipway/1-x").await, Some(number));
    assert_eq!(find("slipway/1-xy").await, None);
    let pull = b.hub.pull(&b.at, number).await.unwrap();
    assert_eq!((pull.number, &pull.state, pull.draft), (number, &PullState::Open, false));
    assert_eq!((&pull.head, pull.head_branch.as_str()), (&head, "slipway/1-x"));
    assert_eq!(pull.base, branch("main"));
    let moved = b.push("slipway/1-x", &[("a", "three\n")]);
    assert_eq!(b.hub.pull(&b.at, number).await.unwrap().head, moved);
    b.world.close(b.mara.id, REPO, number.0).unwrap();
    assert_eq!(b.hub.pull(&b.at, number).await.unwrap().state, PullState::Closed);
    assert_eq!(find("slipway/1-x").await, None, "only an open one counts");
    let nothing = NewPull { head: branch("no/such"), ..new };
    let refused = b.hub.open_pull(&b.at, &nothing).await;
    assert!(matches!(refused, Err(Error::Refused { status: 422, .. })), "{refused:?}");
    let missing = b.hub.pull(&b.at, PullNumber(999)).await;
    assert!(matches!(missing, Err(Error::Gone(_))));
}

pub(super) async fn reviews_count_by_permission(b: Bench) {
    let (number, head) = b.pull("feat/x", &[("a", "two\n")]);
    let give = |who: u64, state: ReviewState| {
        b.world.review(who, REPO, number.0, (state, "words")).unwrap();
    };
    let read = async || {
        let found = b.hub.reviews(&b.at, number).await.unwrap();
        let short = |one: &crate::gate::seen::Review| {
            (one.by.login.clone(), one.verdict, one.counts, one.commit.clone())
        };
        found.iter().map(short).collect::<Vec<_>>()
    };
    assert_eq!(read().await, []);
    give(b.rio.id, ReviewState::ChangesRequested);
    give(b.otto.id, ReviewState::Approved);
    give(b.rio.id, ReviewState::Commented);
    let (rio, otto) = ("rio".to_owned(), "otto".to_owned());
    let by_otto = (otto, ReviewVerdict::Approved, false, head.clone());
    let by_rio = (rio.clone(), ReviewVerdict::ChangesRequested, true, head.clone());
    assert_eq!(read().await, [by_rio, by_otto.clone()]);
    let next = b.push("feat/x", &[("a", "three\n")]);
    give(b.rio.id, ReviewState::Approved);
    let by_rio = (rio, ReviewVerdict::Approved, true, next);
    assert_eq!(read().await, [by_otto.clone(), by_rio], "old approvals name their old commit");
    b.world.set_permission(REPO, b.rio.id, world::Role::Triage).unwrap();
    assert!(read().await.iter().all(|review| !review.2), "permission is asked now");
}

fn order(pull: PullNumber, head: &CommitSha) -> MergeOrder {
    MergeOrder {
        pull,
        head: head.clone(),
        method: MergeMethod::Squash,
        title: "Say goodbye".into(),
        message: "Closes nothing.".into(),
    }
}

pub(super) async fn a_merge_is_refused_for_its_reason(b: Bench) {
    let (number, head) = b.pull("feat/x", &[("a", "two\n")]);
    let order = order(number, &head);
    let send = async |order: &MergeOrder| b.hub.merge(&b.at, order).await.unwrap();
    let test = RequiredCheck { context: "test".to_owned(), integration_id: Some(b.ci) };
    let rules = world::Rules { required_checks: vec![test], ..world::Rules::default() };
    b.world.set_rules(REPO, "main", rules.clone()).unwrap();
    assert!(matches!(send(&order).await, MergeAnswer::ChecksMissing { .. }));
    b.world.set_check(REPO, head.as_str(), "test", Some("failure")).unwrap();
    assert!(matches!(send(&order).await, MergeAnswer::ChecksMissing { .. }));
    b.world.set_check(REPO, head.as_str(), "test", Some("success")).unwrap();
    let rules = world::Rules { approvals: Some(1), ..rules };
    b.world.set_rules(REPO, "main", rules.clone()).unwrap();
    let unapproved = send(&order).await;
    assert!(matches!(&unapproved, MergeAnswer::Refused { text } if text.contains("approving")));
    b.world
        .set_rules(REPO, "main", world::Rules { strict: true, approvals: None, ..rules })
        .unwrap();
    b.push("main", &[("b", "new\n")]);
    assert_eq!(send(&order).await, MergeAnswer::HeadModified, "the head is out of date");
    b.world.set_rules(REPO, "main", world::Rules::default()).unwrap();
    let rebase = MergeOrder { method: MergeMethod::Rebase, ..order.clone() };
    b.world.set_settings(REPO, |settings| settings.allow_rebase_merge = false).unwrap();
    assert!(matches!(send(&rebase).await, MergeAnswer::Refused { .. }));
    let body = serde_json::json!({"message":
        "Base branch was modified. Review and try the merge again."});
    b.fault("pulls/merge", Fault::status(405, false).body(body));
    assert_eq!(send(&order).await, MergeAnswer::BaseModified);
    b.fault("pulls/merge", Fault::status(403, false).header("retry-after", "9"));
    let limited = b.hub.merge(&b.at, &order).await;
    assert!(matches!(limited, Err(Error::Limited { .. })));
    b.clock.advance(9_000);
    b.push("feat/x", &[("a", "three\n")]);
    assert_eq!(send(&order).await, MergeAnswer::HeadModified, "only the named head");
    b.push("main", &[("a", "five\n")]);
    let head = b.hub.pull(&b.at, number).await.unwrap().head;
    assert_eq!(send(&MergeOrder { head, ..order.clone() }).await, MergeAnswer::NotMergeable);
    let nowhere = MergeOrder { pull: PullNumber(999), ..order };
    assert!(matches!(send(&nowhere).await, MergeAnswer::Refused { .. }));
    assert_eq!(b.hub.pull(&b.at, number).await.unwrap().state, PullState::Open);
}

pub(super) async fn a_merge_lands_the_named_head(b: Bench) {
    for (name, method) in [
        ("feat/1", MergeMethod::Merge),
        ("feat/2", MergeMethod::Squash),
        ("feat/3", MergeMethod::Rebase),
    ] {
        let (number, head) = b.pull(name, &[(name, "new\n")]);
        let order = MergeOrder { method, ..order(number, &head) };
        let MergeAnswer::Merged { commit } = b.hub.merge(&b.at, &order).await.unwrap() else {
            panic!("{name} merges");
        };
        let tip = b.world.with(|state| state.repos[&b.repo_id].branches["main"].clone());
        assert_eq!(commit.as_str(), tip);
        let state = b.hub.pull(&b.at, number).await.unwrap().state;
        assert_eq!(state, PullState::Merged { commit });
        let again = b.hub.merge(&b.at, &order).await.unwrap();
        assert!(!matches!(again, MergeAnswer::Merged { .. }), "{again:?}");
    }
}

pub(super) async fn a_lost_merge_is_unknown_and_never_sent_again(b: Bench) {
    for (name, fault, applied) in [
        ("feat/1", Fault::status(500, true), true),
        ("feat/2", Fault::status(502, false), false),
        ("feat/3", Fault::reset(true), true),
        ("feat/4", Fault::reset(false), false),
    ] {
        let (number, head) = b.pull(name, &[(name, "new\n")]);
        let before = b.calls("pulls/merge");
        b.fault("pulls/merge", fault);
        let answer = b.hub.merge(&b.at, &order(number, &head)).await.unwrap();
        assert!(matches!(answer, MergeAnswer::Unknown { .. }), "{name}: {answer:?}");
        assert_eq!(b.calls("pulls/merge"), before + 1, "{name}");
        let state = b.hub.pull(&b.at, number).await.unwrap().state;
        assert_eq!(matches!(state, PullState::Merged { .. }), applied, "{name}: {state:?}");
    }
}

pub(super) async fn the_base_is_merged_into_the_named_head_only(b: Bench) {
    let (number, head) = b.pull("feat/x", &[("b", "two\n")]);
    let ask = async |head: &CommitSha| b.hub.update_branch(&b.at, number, head).await;
    let nothing = ask(&head).await;
    assert!(matches!(nothing, Ok(UpdateAnswer::No { .. })), "it has the base: {nothing:?}");
    let base = b.push("main", &[("c", "three\n")]);
    assert_eq!(ask(&base).await, Ok(UpdateAnswer::Moved), "another head");
    assert_eq!(b.hub.pull(&b.at, number).await.unwrap().head, head);
    b.fault("pulls/update-branch", Fault::status(502, false));
    let lost = ask(&head).await;
    assert!(matches!(lost, Ok(UpdateAnswer::Unknown { .. })), "{lost:?}");
    assert_eq!(b.calls("pulls/update-branch"), 3, "never sent again");
    b.fault("pulls/update-branch", Fault::status(403, false).header("retry-after", "9"));
    assert!(matches!(ask(&head).await, Err(Error::Limited { .. })));
    b.clock.advance(9_000);
    assert_eq!(ask(&head).await, Ok(UpdateAnswer::Coming));
    let made = b.hub.pull(&b.at, number).await.unwrap().head;
    b.world.with(|state| {
        let repo = &state.repos[&b.repo_id];
        let info = repo.forge.commit_info(made.as_str()).unwrap().unwrap();
        assert_eq!(info.parents, [head.as_str(), base.as_str()]);
        assert!(repo.signed.contains(made.as_str()));
    });
    b.push("main", &[("b", "conflict\n")]);
    let clash = ask(&made).await;
    assert!(matches!(clash, Ok(UpdateAnswer::No { .. })), "{clash:?}");
}
