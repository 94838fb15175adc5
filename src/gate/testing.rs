//! Facts for the tables of the gates: everything is well, an hour after publishing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::Facts;
use super::push::Judged;
use super::seen::{Line, Merge, Probe, PullState, Rules, Seen};
use crate::model::{BranchName, CommitSha, Millis, PullNumber, TreeSha, User, UserId};
use crate::policy::Policy;

pub(crate) const NOW: Millis = Millis(1_800_000_000_000);
static REQUESTER: User = User { id: UserId(99), login: String::new(), bot: false };
static NO_APPROVALS: BTreeMap<UserId, CommitSha> = BTreeMap::new();
static UNTOUCHED: LazyLock<Judged> =
    LazyLock::new(|| Judged { head: head(), delicate: Vec::new() });
static NO_RERUNS: BTreeMap<String, String> = BTreeMap::new();
static NOTHING_REQUIRED: BTreeSet<String> = BTreeSet::new();

pub(crate) fn head() -> CommitSha {
    CommitSha::parse(&"a".repeat(40)).unwrap()
}

pub(crate) fn seen() -> Seen {
    let base_tip = CommitSha::parse(&"b".repeat(40)).unwrap();
    let tree = TreeSha::parse(&"7".repeat(40)).unwrap();
    Seen {
        at: NOW,
        pull: PullNumber(9),
        pull_state: PullState::Open,
        draft: false,
        api_head: head(),
        git_head: Some(head()),
        base: BranchName::parse("main").unwrap(),
        base_tip: base_tip.clone(),
        probe: Some(Probe {
            head: head(),
            base: base_tip,
            contains_base: true,
            merge: Merge::Clean { tree },
        }),
        checks: Vec::new(),
        base_checks: Vec::new(),
        rules: Rules { protected: true, ..Rules::default() },
        reviews: Vec::new(),
        sole_writer: false,
        auto_merge: None,
        line: Line::default(),
        judged: None,
    }
}

pub(crate) fn facts<'a>(seen: &'a Seen, policy: &'a Policy) -> Facts<'a> {
    Facts {
        at: NOW,
        policy,
        seen,
        head: &seen.api_head,
        verified: Some(&seen.api_head),
        published_at: Some(Millis(NOW.0 - 3_600_000)),
        required: &NOTHING_REQUIRED,
        without_checks: None,
        approved: None,
        ordered: None,
        approvals: &NO_APPROVALS,
        judged: Some(&UNTOUCHED),
        held_by: None,
        requester: &REQUESTER,
        tainted: None,
        drafted: false,
        reruns: &NO_RERUNS,
    }
}
