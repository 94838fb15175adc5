//! Runs in the situations the tests of reports look at, built by hand.

use std::sync::Arc;

use super::{Context, Links};
use crate::gate;
use crate::gate::push::Judged;
use crate::gate::seen::{
    Check, CheckResult, Line, Merge, Probe, PullState, Review, ReviewVerdict, Rules, Seen,
};
use crate::model::{
    BranchName, CommentId, CommitSha, InstallationId, IssueNumber, Millis, PullNumber, Repo, RunId,
    TreeSha, User, UserId,
};
use crate::pipeline::state::{Complaint, Request, Until, Wait};
use crate::pipeline::{Outcome, Park, ParkReason, Phase, Progress, Role, StageKind, State, Task};
use crate::policy::Policy;
use crate::policy::wrapped::wrapped;

/// 2026-11-21 14:05 UTC.
pub(super) const T: Millis = Millis(1_795_269_900_000);

pub(super) fn links() -> Links {
    Links {
        run_page: Some("https://slipway.example/runs/x".to_owned()),
        repo_url: "https://github.com/octo/hello".to_owned(),
    }
}

pub(super) fn sha(digit: char) -> CommitSha {
    CommitSha::parse(&String::from(digit).repeat(40)).unwrap()
}

pub(super) fn tree(digit: char) -> TreeSha {
    TreeSha::parse(&String::from(digit).repeat(40)).unwrap()
}

pub(super) fn main_branch() -> BranchName {
    BranchName::parse("main").unwrap()
}

pub(super) fn user(login: &str) -> User {
    let id = if login == "ann" { 7 } else { 8 };
    User { id: UserId(id), login: login.to_owned(), bot: false }
}

pub(super) fn request() -> Request {
    let repo = Repo::parse("octo/hello").unwrap();
    Request {
        run: RunId::derive(&repo, "comment 5"),
        repo,
        installation: InstallationId(1),
        issue: IssueNumber(12),
        pull: None,
        title: "The adder subtracts [skip ci]".to_owned(),
        body: "2 + 2 is 0".to_owned(),
        by: user("ann"),
        comment: Some(CommentId(5)),
        base: None,
        agent: None,
        chosen: None,
        words: String::new(),
        dry_run: false,
        stories: false,
        parent: None,
        taken_out: None,
        frozen: None,
        at: T,
    }
}

pub(super) fn queued() -> State {
    State::open(request())
}

pub(super) fn running(kind: StageKind, phase: Phase) -> State {
    let mut state = queued();
    state.progress = Progress::Running { stage: kind, since: T.plus(60_000), phase };
    state.work.base = Some(main_branch());
    state.work.onto = Some(sha('0'));
    state
}

pub(super) fn wait(what: &str, until: Option<(i64, &str)>) -> Phase {
    let until =
        until.map(|(minutes, then)| Until { at: T.plus(minutes * 60_000), then: then.to_owned() });
    Phase::Waiting(Wait { what: what.to_owned(), until, look_ms: 60_000 })
}

pub(super) fn building() -> State {
    let task = Task::Agent { role: Role::Builder, round: 1 };
    let mut state = running(StageKind::Build, Phase::Doing(task));
    state.work.plan = Some("1. Look at `add`.\n2. ```fix``` it, @bob.".to_owned());
    state.counts.agent_calls = 2;
    state.counts.cost_micros = 123_456;
    state
}

pub(super) fn verifying() -> State {
    let mut state = running(StageKind::Verify, Phase::Doing(Task::Verify { head: sha('a') }));
    state.work.head = Some(sha('a'));
    state.counts.agent_calls = 2;
    state
}

pub(super) fn published(kind: StageKind, phase: Phase) -> State {
    let mut state = running(kind, phase);
    let work = &mut state.work;
    work.plan = Some("Turn the minus into a plus.".to_owned());
    work.summary = Some("Turned the minus into a plus.\nFixes #99, thanks @bob".to_owned());
    work.head = Some(sha('a'));
    work.verified = Some(sha('a'));
    work.published = Some(sha('a'));
    work.published_at = Some(T);
    work.pull = Some(PullNumber(13));
    work.judged = Some(Judged { head: sha('a'), delicate: Vec::new() });
    state.counts.agent_calls = 2;
    state.seen = Some(Arc::new(seen()));
    state
}

pub(super) fn check(name: &str, result: CheckResult) -> Check {
    Check {
        name: name.to_owned(),
        result,
        stamp: "1".to_owned(),
        id: None,
        app: None,
        url: Some("https://ci.example/1".to_owned()),
        signature: None,
    }
}

pub(super) fn seen() -> Seen {
    let merge = Merge::Clean { tree: tree('d') };
    Seen {
        at: T.plus(30_000),
        pull: PullNumber(13),
        pull_state: PullState::Open,
        draft: false,
        api_head: sha('a'),
        git_head: Some(sha('a')),
        base: main_branch(),
        base_tip: sha('0'),
        probe: Some(Probe { head: sha('a'), base: sha('0'), contains_base: true, merge }),
        checks: vec![check("lint", CheckResult::Passed), check("test", CheckResult::Pending)],
        base_checks: Vec::new(),
        rules: Rules { required: ["test".to_owned()].into(), ..Rules::default() },
        reviews: Vec::new(),
        sole_writer: false,
        auto_merge: None,
        line: Line::default(),
        judged: None,
    }
}

pub(super) fn waiting_for_ci() -> State {
    published(StageKind::Ci, wait("CI (test)", Some((65, "it asks you what to do"))))
}

pub(super) fn fixing() -> State {
    let task = Task::Agent { role: Role::Fixer, round: 1 };
    let mut state = published(StageKind::Ci, Phase::Doing(task));
    let failed = vec![check("test @all|x", CheckResult::Failed)];
    state.work.complaint = Some(Complaint::Checks { failed });
    state.counts.fix_rounds = 1;
    state.counts.flaky = ["browser".to_owned()].into();
    state
}

pub(super) fn approved() -> State {
    let mut state = waiting_for_ci();
    let mut seen = seen();
    seen.checks = vec![check("test", CheckResult::Passed)];
    seen.reviews = vec![Review {
        id: 1,
        by: user("bob"),
        commit: sha('a'),
        verdict: ReviewVerdict::Approved,
        counts: true,
        text: String::new(),
    }];
    state.seen = Some(Arc::new(seen));
    state
}

pub(super) fn awaiting_review() -> State {
    let mut state = approved();
    let mut seen = state.seen.as_deref().cloned().unwrap();
    seen.reviews.clear();
    state.seen = Some(Arc::new(seen));
    let phase = wait("an approving review of this commit", None);
    state.progress = Progress::Running { stage: StageKind::Review, since: T.plus(120_000), phase };
    state
}

pub(super) fn parked(why: ParkReason, text: &str) -> State {
    published(StageKind::Ci, Phase::Parked(Park { why, text: text.to_owned() }))
}

pub(super) fn finished(outcome: Outcome) -> State {
    let mut state = published(StageKind::Close, wait("", None));
    state.progress = Progress::Finished { outcome, at: T.plus(600_000) };
    state
}

pub(super) fn merged() -> State {
    let mut state = finished(Outcome::Merged { commit: sha('e'), verified: true, by: None });
    state.work.landed = Some(sha('e'));
    state
}

/// What `f` says of `state`.
pub(super) fn with<T>(state: &State, policy: &Policy, f: impl FnOnce(&Context<'_>) -> T) -> T {
    let links = links();
    f(&Context::new(state, policy, &links))
}

/// `text` for a snapshot: lines of bearable length.
pub(super) fn shown(text: &str) -> String {
    let text = text.replace("https://github.com/octo/hello", "HELLO");
    let text = text.replace(sha('a').as_str(), "A").replace(sha('e').as_str(), "E");
    let text = text.replace('\u{200b}', "(zero width)");
    wrapped(&text, 84)
}

/// A run about to call the merge, with a permit the gates gave.
pub(super) fn merging() -> State {
    let mut state = approved();
    let policy = Policy::default();
    let facts = state.facts(&policy, T.plus(1_000_000)).unwrap();
    let permit = gate::permit(&facts, policy.method).unwrap();
    state.progress = Progress::Running {
        stage: StageKind::Merge,
        since: T,
        phase: Phase::Doing(Task::Merge(permit)),
    };
    state
}
