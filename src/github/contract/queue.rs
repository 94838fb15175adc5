//! Merges that GitHub makes later: the merge queue and auto-merge.

use super::bench::{Bench, REPO, branch};
use crate::gate::seen::{EntryState, PullState};
use crate::github::MergeOrder;
use crate::model::{CommitSha, PullNumber};
use crate::pipeline::stage::MergeAnswer;
use crate::pipeline::standing::{Enlisted, Way};
use crate::playground::faults::Fault;
use crate::playground::world::{self, Method, QueueRule};
use crate::policy::MergeMethod;

fn order(pull: PullNumber, head: &CommitSha) -> MergeOrder {
    MergeOrder {
        pull,
        head: head.clone(),
        method: MergeMethod::Squash,
        title: "A title".into(),
        message: "A message".into(),
    }
}

fn with_queue(b: &Bench) {
    let queue = Some(QueueRule { method: Method::Squash, minutes: 30, ci: true });
    let rules = world::Rules { queue, ..world::Rules::default() };
    b.world.set_rules(REPO, "main", rules).unwrap();
}

pub(super) async fn a_queue_takes_the_named_head_and_tells_its_place(b: Bench) {
    with_queue(&b);
    let rules = b.hub.rules(&b.at, &branch("main")).await.unwrap();
    assert!(rules.queue);
    assert_eq!((rules.queue_method, rules.queue_minutes), (Some(MergeMethod::Squash), 30));
    let (number, head) = b.pull("feat/x", &[("b", "two\n")]);
    let refused = b.hub.merge(&b.at, &order(number, &head)).await.unwrap();
    assert!(matches!(refused, MergeAnswer::Refused { text } if text.contains("merge queue")));
    let other = CommitSha::parse(&"e".repeat(40)).unwrap();
    let wrong = b.hub.enlist(&b.at, Way::Queue, &order(number, &other)).await;
    assert_eq!(wrong, Ok(Enlisted::No(MergeAnswer::HeadModified)));
    assert!(b.hub.line(&b.at, number).await.unwrap().is_empty());
    let asked = b.hub.enlist(&b.at, Way::Queue, &order(number, &head)).await;
    assert_eq!(asked, Ok(Enlisted::Stands));
    // No check is required here, so the queue lands it at once.
    let pull = b.hub.pull(&b.at, number).await.unwrap();
    assert!(matches!(pull.state, PullState::Merged { .. }), "{:?}", pull.state);
    assert_eq!(b.hub.leave(&b.at, Way::Queue, number).await, Ok(false), "nothing is left");
}

pub(super) async fn a_queue_lets_go_and_says_why(b: Bench) {
    with_queue(&b);
    let test = world::RequiredCheck { context: "never".to_owned(), integration_id: None };
    let (number, head) = b.pull("feat/x", &[("b", "two\n")]);
    b.world.set_check(REPO, head.as_str(), "never", Some("success")).unwrap();
    b.world.with(|state| {
        let repo = state.repos.get_mut(&b.repo_id).unwrap();
        repo.rules.get_mut("main").unwrap().required_checks.push(test);
    });
    let asked = b.hub.enlist(&b.at, Way::Queue, &order(number, &head)).await;
    assert_eq!(asked, Ok(Enlisted::Stands));
    let line = b.hub.line(&b.at, number).await.unwrap();
    let entry = line.entry.unwrap();
    assert_eq!((entry.state, entry.position), (EntryState::AwaitingChecks, 1));
    assert!(entry.group.is_some());
    assert_eq!(b.hub.leave(&b.at, Way::Queue, number).await, Ok(true));
    assert_eq!(b.hub.leave(&b.at, Way::Queue, number).await, Ok(false), "once is enough");
    let line = b.hub.line(&b.at, number).await.unwrap();
    assert_eq!((line.entry, line.removed.as_deref()), (None, Some("MANUAL")));
}

pub(super) async fn auto_merge_wants_something_to_wait_for(b: Bench) {
    let (number, head) = b.pull("feat/x", &[("b", "two\n")]);
    let clean = b.hub.enlist(&b.at, Way::Auto, &order(number, &head)).await;
    assert_eq!(clean, Ok(Enlisted::Clean));
    let rules = world::Rules { approvals: Some(1), ..world::Rules::default() };
    b.world.set_rules(REPO, "main", rules).unwrap();
    let asked = b.hub.enlist(&b.at, Way::Auto, &order(number, &head)).await;
    assert_eq!(asked, Ok(Enlisted::Stands));
    let by = b.hub.pull(&b.at, number).await.unwrap().auto_merge;
    assert_eq!(by.as_deref(), Some("slipway[bot]"));
    assert_eq!(b.hub.leave(&b.at, Way::Auto, number).await, Ok(true));
    assert_eq!(b.hub.pull(&b.at, number).await.unwrap().auto_merge, None);
    assert_eq!(b.hub.leave(&b.at, Way::Auto, number).await, Ok(false));
    assert_eq!(b.hub.pull(&b.at, number).await.unwrap().state, PullState::Open);
}

pub(super) async fn a_lost_order_is_unknown_and_never_sent_again(b: Bench) {
    with_queue(&b);
    let (number, head) = b.pull("feat/x", &[("b", "two\n")]);
    b.world.faults(|faults| faults.on("graphql/Enqueue", 1, Fault::status(502, false)));
    let lost = b.hub.enlist(&b.at, Way::Queue, &order(number, &head)).await;
    assert!(matches!(lost, Ok(Enlisted::Unknown { .. })), "{lost:?}");
    assert_eq!(b.calls("graphql/Enqueue"), 1);
}
