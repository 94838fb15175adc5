//! Golden files: every shape that was ever stored can still be read.
//!
//! A file is named `<what>-<sample>.<shape>.json`. When the shape of a sample changes, run the
//! tests with `SLIPWAY_GOLDEN=write`: the new shape gets a new file beside the old ones, which
//! stay as long as a database may hold them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::JobKind;
use super::contract::{branch, event, events, finished, person, repo, request, sha, worked};
use crate::gate::seen::{
    Check, CheckResult, Line, Merge, Probe, PullState, Review, ReviewVerdict, Rules, Seen,
};
use crate::model::budget::{Full, Near, Raise, Scope, Spending, Used};
use crate::model::{CheckId, CommentId, DeliveryId, Millis, PullNumber, RunId, TreeSha};
use crate::pipeline::critique::{Critic, Critique, Finding};
use crate::pipeline::frozen::{Frozen, Level, Remark, Taint};
use crate::pipeline::question::{Answered, Asked, Reply, Talk};
use crate::pipeline::state::{Approval, Complaint, LaneWait, Updating};
use crate::pipeline::trust::{Diff, DiffFile, Held};
use crate::pipeline::twin::{Signing, Twin};
use crate::pipeline::{
    Answer, Budget, By, Chosen, Done, Event, EventKind, MergeAnswer, Phase, Preview, Progress,
    Role, Settled, Short, StageKind, State, Task, Timer, Told, Unfinished, UpdateAnswer, Wait,
};
use crate::policy::{Policy, Severity};

mod samples;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/store/golden")
}

fn seen() -> Seen {
    let tree = TreeSha::parse(&"b".repeat(40)).unwrap();
    let check = Check {
        name: "test".to_owned(),
        result: CheckResult::Failed,
        stamp: "1 2026-11-21T00:00:00Z".to_owned(),
        id: Some(CheckId(1)),
        app: Some(2),
        url: Some("https://example.org/1".to_owned()),
        signature: Some("it broke".to_owned()),
    };
    let review = Review {
        id: 3,
        by: person(),
        commit: sha('a'),
        verdict: ReviewVerdict::ChangesRequested,
        counts: true,
        text: "Please no.".to_owned(),
    };
    Seen {
        at: Millis(5),
        pull: PullNumber(12),
        pull_state: PullState::Open,
        draft: false,
        api_head: sha('a'),
        git_head: Some(sha('a')),
        base: branch("main"),
        base_tip: sha('c'),
        probe: Some(Probe {
            head: sha('a'),
            base: sha('c'),
            contains_base: true,
            merge: Merge::Clean { tree },
        }),
        checks: vec![check],
        base_checks: Vec::new(),
        rules: Rules { strict: true, ..Rules::default() },
        reviews: vec![review],
        sole_writer: false,
        auto_merge: None,
        line: Line::default(),
        judged: None,
    }
}

fn signed() -> Signing {
    let tree = TreeSha::parse(&"b".repeat(40)).unwrap();
    Signing::Signed(Twin::of((&sha('a'), &tree), (&sha('d'), &tree)).unwrap())
}

fn states() -> Vec<(&'static str, State)> {
    let idle = State::open(request(&repo("a"), 1, "comment 1"));
    let mut running = worked(idle.clone(), 12);
    let wait = Wait { what: "checks".to_owned(), until: None, look_ms: 60_000 };
    running.progress =
        Progress::Running { stage: StageKind::Ci, since: Millis(3), phase: Phase::Waiting(wait) };
    running.seen = Some(Arc::new(seen()));
    running.held_by = Some(person());
    running.counts.reruns.insert("test@a".to_owned(), "1".to_owned());
    running.work.required.insert("test".to_owned());
    let mut doing = running.clone();
    let task = Task::Agent { role: Role::Fixer, round: 2 };
    doing.progress =
        Progress::Running { stage: StageKind::Build, since: Millis(4), phase: Phase::Doing(task) };
    let mut held = doing.clone();
    held.tainted = [Taint::Issue, Taint::Logs].into();
    held.sponsor = Some(person());
    let request = Arc::make_mut(&mut held.request);
    let (by, level) = (person(), Level::Quote);
    request.frozen = Some(Frozen {
        public: true,
        level,
        remarks: vec![Remark { id: CommentId(2), by, level, text: "words".to_owned() }],
        left_out: 1,
        digest: "0".repeat(64),
        policy_at: Some(sha('c')),
    });
    held.work.held = Some(Held { head: sha('a'), at: Millis(6), diff: shown() });
    held.work.released = Some(Approval { by: person(), head: sha('a') });
    let mut merging = running.clone();
    let wait = Wait { what: "the lane".to_owned(), until: None, look_ms: 60_000 };
    merging.progress = Progress::Running {
        stage: StageKind::Merge,
        since: Millis(4),
        phase: Phase::Waiting(wait),
    };
    merging.work.lane_wait = Some(LaneWait { base: branch("main"), since: Millis(4) });
    merging.work.signing = Some(signed());
    merging.work.updating = Some(Updating { head: sha('a'), base: sha('c'), since: Millis(3) });
    let mut poor = doing.clone();
    poor.budget = Budget {
        raises: vec![Raise {
            by: person(),
            micros: 5_000_000,
            until: Millis(9),
            comment: Some(CommentId(2)),
        }],
        spending: Some(spending()),
        short: Some(Box::new(short())),
        resumes: 1,
    };
    let mut all = samples::states(&doing);
    all.extend([
        ("poor", poor),
        ("merging", merging),
        ("idle", idle),
        ("held", held),
        ("finished", finished(running.clone())),
        ("waiting", running),
        ("doing", doing),
    ]);
    all
}

fn short() -> Short {
    let used = Used { spent: 1_700_000, reserved: 100_000 };
    let full = Full {
        scope: Scope::Run,
        cap: 2_000_000,
        kept: 200_000,
        used,
        asked: 150_000,
        renews: Some(Millis(86_400_000)),
    };
    let tree = TreeSha::parse(&"b".repeat(40)).unwrap();
    let left = Some(Unfinished { head: sha('e'), tree, summary: "Half of it.".to_owned() });
    Short { role: Role::Fixer, round: 2, full, left }
}

fn spending() -> Spending {
    let near = Near { scope: Scope::Run, cap: 2_000_000, spent: 1_700_000 };
    Spending { used: 1_800_000, cap: Some(2_000_000), near: Some(near) }
}

fn shown() -> Diff {
    let file = DiffFile { path: "a.rs".to_owned(), added: 1, removed: 2 };
    Diff { files: vec![file], more_files: 3, patch: "a.rs\n+x\n".to_owned(), is_cut: true }
}

fn happened() -> Vec<(&'static str, Event)> {
    let [started, withdrawn, timer] = <[Event; 3]>::try_from(events()).unwrap();
    let performed = |done| Event { kind: EventKind::performed(3, done), ..event(9) };
    let refused_hosts = vec!["api.example.com:443".to_owned()];
    let done = Done::Failed { why: "no model".to_owned() };
    let told = Told { refused_hosts, ..Told::default() };
    let refused = EventKind::Performed { entry: 3, done, told };
    let question = Done::Asked {
        text: "Which one?".to_owned(),
        did: "I looked.".to_owned(),
        left: short().left,
        talk: Some(samples::talk()),
        cost_micros: 7,
    };
    let (full, left) = (short().full, short().left);
    let done = Done::BudgetUsed { full, left, cost_micros: 7 };
    let told = Told { spending: Some(spending()), ..Told::default() };
    let used = EventKind::Performed { entry: 3, done, told };
    let planned = Done::Planned { text: "First this.".to_owned(), cost_micros: 7 };
    let told = Told { preview: Some(samples::previewed()), ..Told::default() };
    let previewed = EventKind::Performed { entry: 3, done: planned, told };
    let verified = Done::Verified {
        head: sha('a'),
        passed: false,
        log: "no".to_owned(),
        signature: Some("no".to_owned()),
    };
    let published = |head, signing| Done::Published { head, pull: PullNumber(12), signing };
    let pushed = Signing::Pushed { why: "it holds a merge".to_owned() };
    let tree = TreeSha::parse(&"b".repeat(40)).unwrap();
    let critiqued = Done::Critiqued { critique: Box::new(samples::critique()), cost_micros: 7 };
    let answered = MergeAnswer::Merged { commit: sha('d') };
    vec![
        ("started", started),
        ("withdrawn", withdrawn),
        ("timer", timer),
        ("observed", Event { kind: EventKind::Observed(Box::new(seen())), ..event(9) }),
        ("verified", performed(verified)),
        ("published", performed(published(sha('a'), None))),
        ("signed", performed(published(sha('d'), Some(signed())))),
        ("pushed", performed(published(sha('a'), Some(pushed)))),
        ("update_asked", performed(Done::UpdateAsked(UpdateAnswer::Coming))),
        ("recognised", performed(Done::Recognised { head: sha('d'), tree })),
        ("shown", performed(Done::Shown { head: sha('a'), diff: shown() })),
        ("critiqued", performed(critiqued)),
        ("lost", performed(Done::Lost { people: vec![person()] })),
        ("merge_answered", performed(Done::MergeAnswered(answered))),
        ("settled", performed(Done::Settled(Settled::NotLanded))),
        ("refused_hosts", Event { kind: refused, ..event(9) }),
        ("budget_used", Event { kind: used, ..event(9) }),
        ("asked", performed(question)),
        ("previewed", Event { kind: previewed, ..event(9) }),
        ("affordable", performed(Done::Affordable)),
        ("failed", performed(Done::Failed { why: "no disk".to_owned() })),
    ]
}

fn jobs() -> Vec<(&'static str, JobKind)> {
    let run = RunId::derive(&repo("a"), "comment 1");
    let installation = crate::model::InstallationId(5);
    let answer = Answer::Words("No.".to_owned());
    let to = CommentId(8);
    let issue = crate::model::IssueNumber(1);
    let task = Task::Verify { head: sha('a') };
    let (head, base) = (sha('a'), sha('c'));
    let ask = Task::AskUpdate { pull: PullNumber(12), head: head.clone(), base: base.clone() };
    let recognise = Task::Recognise { head, base, found: sha('d') };
    vec![
        ("inbox", JobKind::Inbox { delivery: DeliveryId::parse("d1").unwrap() }),
        ("perform", JobKind::Perform { run: run.clone(), entry: 3, task }),
        ("look", JobKind::Look { run: run.clone() }),
        ("timer", JobKind::Timer { run: run.clone(), entry: 3, timer: Timer::Deadline }),
        ("lane", JobKind::Timer { run: run.clone(), entry: 3, timer: Timer::Lane }),
        ("ask_update", JobKind::Perform { run: run.clone(), entry: 3, task: ask }),
        ("recognise", JobKind::Perform { run: run.clone(), entry: 3, task: recognise }),
        ("report", JobKind::Report { run }),
        ("answer", JobKind::Answer { installation, repo: repo("a"), issue, to, answer }),
        ("sweep", JobKind::Sweep { since: Millis(4) }),
        ("poll", JobKind::Poll { since: Millis(4) }),
    ]
}

fn text<T: Serialize>(value: &T) -> String {
    serde_json::to_string_pretty(value).unwrap() + "\n"
}

/// What today's code stores, by what and sample.
fn today() -> BTreeMap<String, String> {
    let mut today = BTreeMap::new();
    let mut add = |what: &str, name: &str, text| {
        today.insert(format!("{what}-{name}"), text);
    };
    for (name, state) in states() {
        add("state", name, text(&state));
    }
    for (name, event) in happened().into_iter().chain(samples::ended()) {
        add("event", name, text(&event));
    }
    for (name, kind) in jobs() {
        add("job", name, text(&kind));
    }
    add("policy", "default", text(&Policy::default()));
    today
}

/// Every golden file, by name.
fn golden() -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let stored = entries.filter(|path| path.extension().is_some_and(|end| end == "json"));
    let named = stored.map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read_to_string(path).unwrap())
    });
    named.collect()
}

#[test]
fn what_is_stored_today_is_golden() {
    #[expect(clippy::disallowed_methods, reason = "a test is told here to write new files")]
    let write = std::env::var("SLIPWAY_GOLDEN").is_ok_and(|how| how == "write");
    let kept = golden();
    for (sample, text) in today() {
        let prefix = format!("{sample}.");
        let shapes: Vec<_> =
            kept.iter().filter(|(name, _)| name.starts_with(&prefix)).map(|kept| kept.1).collect();
        if shapes.contains(&&text) {
            continue;
        }
        assert!(
            write,
            "{sample} has a new shape: is the old one still read? Then SLIPWAY_GOLDEN=write\n{text}"
        );
        let name = format!("{sample}.{}.json", shapes.len() + 1);
        std::fs::write(folder().join(name), text).unwrap();
    }
}

#[test]
fn every_golden_file_is_still_read() {
    let golden = golden();
    assert!(golden.len() >= today().len());
    for (name, text) in golden {
        match name.split('-').next() {
            Some("state") => read::<State>(&name, &text),
            Some("event") => read::<Event>(&name, &text),
            Some("job") => read::<JobKind>(&name, &text),
            Some("policy") => read::<Policy>(&name, &text),
            other => panic!("{name}: what is {other:?}?"),
        }
    }
}

/// Reads a stored text, writes it in today's shape, and reads that to the same value.
fn read<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(name: &str, stored: &str) {
    let old: T = serde_json::from_str(stored).unwrap_or_else(|why| panic!("{name}: {why}"));
    let again: T = serde_json::from_str(&text(&old)).unwrap();
    assert_eq!(old, again, "{name}");
}

#[test]
fn a_sample_goes_through_a_database_unchanged() {
    for (name, state) in states() {
        let text = super::shape::json(&state).unwrap();
        let back: State = super::shape::from_json(&name, &text).unwrap();
        assert_eq!(back, state, "{name}");
    }
    let unknown = super::shape::from_json::<EventKind>(&"r0123456789", "{\"tomorrow\":1}");
    let why = unknown.unwrap_err().to_string();
    assert!(why.contains("r0123456789") && why.contains("tomorrow"), "{why}");
}
