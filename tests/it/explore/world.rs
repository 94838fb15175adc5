//! The abstract world: a handful of commits, one policy per lens, and what a look can find.

use slipway::command::{Authorized, SlashCommand, Source, authorize};
use slipway::gate::push::{Judged, Rule, Violation};
use slipway::gate::seen::{
    Check, CheckResult, Entry, EntryState, Line, Merge, Probe, PullState, Review, ReviewVerdict,
    Rules, Seen,
};
use slipway::model::{
    BranchName, CheckId, CommentId, CommitSha, InstallationId, IssueNumber, Millis, Permission,
    PullNumber, Repo, RunId, TreeSha, User, UserId,
};
use slipway::pipeline::{Frozen, Level, Request, State};

/// The moment every walked state is moved back to.
pub(crate) const NOW: Millis = Millis(1_800_000_000_000);
/// The comment every command comes from.
pub(crate) const COMMENT: CommentId = CommentId(77);
pub(crate) const PULL: PullNumber = PullNumber(9);
/// `head` is the run's commit; `old` what was published before; the others are new to it.
pub(crate) const HEAD: char = 'a';
pub(crate) const OLD: char = '0';
pub(crate) const FOREIGN: char = 'f';
pub(crate) const NEW: char = 'c';
pub(crate) const OTHER: char = 'e';
pub(crate) const BASE: char = 'b';
pub(crate) const LANDED: char = 'd';

pub(crate) fn commit(name: char) -> CommitSha {
    CommitSha::parse(&name.to_string().repeat(40)).unwrap()
}

pub(crate) fn tree(name: char) -> TreeSha {
    TreeSha::parse(&name.to_string().repeat(40)).unwrap()
}

pub(crate) fn branch(name: &str) -> BranchName {
    BranchName::parse(name).unwrap()
}

pub(crate) fn person() -> User {
    User { id: UserId(5), login: "ada".to_owned(), bot: false }
}

pub(crate) fn request(dry_run: bool, tainted: bool) -> Request {
    let repo = Repo::parse("o/r").unwrap();
    Request {
        run: RunId::derive(&repo, "comment 1"),
        repo,
        installation: InstallationId(1),
        issue: IssueNumber(3),
        pull: None,
        title: "Add a thing".to_owned(),
        body: "Please.".to_owned(),
        by: person(),
        comment: Some(COMMENT),
        base: None,
        agent: None,
        chosen: None,
        words: String::new(),
        dry_run,
        stories: false,
        parent: None,
        taken_out: None,
        frozen: tainted.then(|| Frozen {
            public: true,
            level: Level::Quote,
            remarks: Vec::new(),
            left_out: 0,
            digest: "0".repeat(64),
            policy_at: None,
        }),
        at: NOW,
    }
}

pub(crate) fn command(command: SlashCommand) -> Authorized {
    let given = authorize(command, person(), Permission::Admin, Source::Comment(COMMENT));
    given.unwrap_or_else(|refusal| panic!("an administrator may: {}", refusal.text))
}

/// What a look finds, as a difference from "everything is well".
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub name: &'static str,
    pub apply: fn(&mut Seen),
}

/// Everything is well with the head of `state`.
pub(crate) fn well(state: &State, at: Millis) -> Seen {
    let head = state.work.head.clone().unwrap_or_else(|| commit(HEAD));
    let base = branch("main");
    let clean = Merge::Clean { tree: tree('7') };
    let judged = Judged { head: head.clone(), delicate: Vec::new() };
    Seen {
        at,
        pull: PULL,
        pull_state: PullState::Open,
        draft: false,
        api_head: head.clone(),
        git_head: Some(head.clone()),
        base,
        base_tip: commit(BASE),
        probe: Some(Probe { head, base: commit(BASE), contains_base: true, merge: clean }),
        checks: vec![check("t", CheckResult::Passed, "1")],
        base_checks: Vec::new(),
        rules: Rules { required: ["t".to_owned()].into(), protected: true, ..Rules::default() },
        reviews: Vec::new(),
        sole_writer: false,
        auto_merge: None,
        line: Line::default(),
        judged: Some(judged),
    }
}

pub(crate) fn check(name: &str, result: CheckResult, stamp: &str) -> Check {
    Check {
        name: name.to_owned(),
        result,
        stamp: stamp.to_owned(),
        id: Some(CheckId(4)),
        app: Some(2),
        url: None,
        signature: (result == CheckResult::Failed).then(|| "assertion".to_owned()),
    }
}

fn red(seen: &mut Seen, stamp: &str) {
    seen.checks = vec![check("t", CheckResult::Failed, stamp)];
}

fn reviewed(seen: &mut Seen, id: u64, verdict: ReviewVerdict, at: Option<char>) {
    let commit = at.map_or_else(|| seen.api_head.clone(), commit);
    let by = User { id: UserId(6), login: "grace".to_owned(), bot: false };
    let text = "Please rename it.".to_owned();
    seen.reviews = vec![Review { id, by, commit, verdict, counts: true, text }];
}

fn delicate(seen: &mut Seen) {
    let (path, why) = ("Cargo.toml".to_owned(), "`Cargo.toml` names dependencies".to_owned());
    if let Some(judged) = &mut seen.judged {
        judged.delicate = vec![Violation { rule: Rule::Delicate, path, line: None, why }];
    }
}

fn conflicting(seen: &mut Seen) {
    if let Some(probe) = &mut seen.probe {
        probe.contains_base = false;
        probe.merge = Merge::Conflict { paths: vec!["a.rs".to_owned()] };
    }
}

fn behind(seen: &mut Seen) {
    if let Some(probe) = &mut seen.probe {
        probe.contains_base = false;
    }
}

fn queued(seen: &mut Seen, stands: bool, removed: Option<&str>) {
    seen.rules.queue = true;
    let entry = Entry { state: EntryState::AwaitingChecks, position: 1, group: None };
    seen.line = Line {
        entry: stands.then_some(entry),
        removed: removed.map(str::to_owned),
        failed: Vec::new(),
    };
}

macro_rules! looks {
    ($($word:ident = $name:literal: $apply:expr;)+) => {
        $(pub(crate) const $word: Look = Look { name: $name, apply: $apply };)+
    };
}

looks! {
    WELL = "well": |_| {};
    FOREIGN_HEAD = "pushed to by somebody": |s| s.git_head = Some(commit(FOREIGN));
    LAG = "GitHub lags": |s| s.api_head = commit(OLD);
    PUSHED_LAST = "what was pushed last": |s| {
        (s.api_head, s.git_head) = (commit(OLD), Some(commit(OLD)));
    };
    GONE = "branch gone": |s| { s.git_head = None; s.probe = None; };
    UNPROBED = "merge not tried": |s| s.probe = None;
    BEHIND = "behind": behind;
    CONFLICT = "conflict": conflicting;
    NO_CHECKS = "no checks": |s| { s.checks.clear(); s.rules.required.clear(); };
    GREEN_NO_RULE = "green, no rule": |s| s.rules.required.clear();
    SKIPPED = "skipped": |s| s.checks = vec![check("t", CheckResult::Skipped, "1")];
    PENDING = "pending": |s| s.checks = vec![check("t", CheckResult::Pending, "1")];
    MISSING = "required, not started": |s| s.checks.clear();
    RED = "red": |s| red(s, "1");
    RED_AGAIN = "red again": |s| red(s, "2");
    RED_STATUS = "red status": |s| { red(s, "1"); s.checks[0].id = None; };
    RED_BASE = "red as the base": |s| { red(s, "1"); s.base_checks.clone_from(&s.checks); };
    RED_NO_RULE = "red, no rule": |s| { red(s, "2"); s.rules.required.clear(); };
    RED_CONFLICT = "red and conflict": |s| { red(s, "2"); conflicting(s); };
    ABORTED = "cut short": |s| s.checks = vec![check("t", CheckResult::Aborted, "1")];
    ABORTED_AGAIN = "cut short again": |s| s.checks = vec![check("t", CheckResult::Aborted, "2")];
    NEEDS_PERSON = "check needs person": |s| {
        s.checks = vec![check("t", CheckResult::NeedsPerson, "1")];
    };
    APPROVED = "approved": |s| reviewed(s, 1, ReviewVerdict::Approved, None);
    APPROVED_OTHER = "approved, other commit": |s| {
        reviewed(s, 1, ReviewVerdict::Approved, Some(OTHER));
    };
    APPROVED_BEHIND = "approved, behind": |s| {
        behind(s);
        reviewed(s, 1, ReviewVerdict::Approved, None);
    };
    CHANGES = "changes wanted": |s| reviewed(s, 2, ReviewVerdict::ChangesRequested, None);
    DELICATE = "delicate": delicate;
    DELICATE_APPROVED = "delicate, approved": |s| {
        delicate(s);
        reviewed(s, 1, ReviewVerdict::Approved, None);
    };
    DRAFT = "draft": |s| s.draft = true;
    QUEUE = "queue": |s| s.rules.queue = true;
    IN_QUEUE = "queue, in it": |s| queued(s, true, None);
    SENT_BACK = "queue, sent back": |s| queued(s, false, Some("CI_FAILURE"));
    SENT_BACK_BEHIND = "queue, sent back, behind": |s| {
        queued(s, false, Some("CI_FAILURE"));
        behind(s);
    };
    TAKEN_OUT = "queue, taken out by somebody": |s| queued(s, false, Some("MANUAL"));
    TWO_NEEDED = "two approvals needed": |s| s.rules.approvals = 2;
    RETARGETED = "other base": |s| s.base = branch("next");
    LANDED_LOOK = "merged": |s| s.pull_state = PullState::Merged { commit: commit(LANDED) };
    CLOSED = "closed": |s| s.pull_state = PullState::Closed;
}
