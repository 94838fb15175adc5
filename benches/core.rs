//! The core's pace: decisions per second while a whole happy life is replayed.

use slipway::command::{SlashCommand, Source, authorize};
use slipway::gate::push::Judged;
use slipway::gate::seen::{
    Check, CheckResult, Line, Merge, Probe, PullState, Review, ReviewVerdict, Rules, Seen,
};
use slipway::model::{
    BranchName, CheckId, CommentId, CommitSha, InstallationId, IssueNumber, Millis, Permission,
    PullNumber, Repo, RunId, TreeSha, User, UserId,
};
use slipway::pipeline::{Done, Event, EventKind, MergeAnswer, Request, State, Task, Timer, decide};
use slipway::policy::Policy;

fn main() {
    divan::main();
}

const START: Millis = Millis(1_800_000_000_000);

fn commit(name: char) -> CommitSha {
    CommitSha::parse(&name.to_string().repeat(40)).unwrap_or_else(|_| unreachable_name())
}

fn tree(name: char) -> TreeSha {
    TreeSha::parse(&name.to_string().repeat(40)).unwrap_or_else(|_| unreachable_name())
}

fn main_branch() -> BranchName {
    BranchName::parse("main").unwrap_or_else(|_| unreachable_name())
}

#[expect(clippy::panic, reason = "the names in this file are constants")]
fn unreachable_name<T>() -> T {
    panic!("a constant name is refused")
}

fn person() -> User {
    User { id: UserId(5), login: "ada".to_owned(), bot: false }
}

fn opened() -> State {
    let repo = Repo::parse("octo/hello").unwrap_or_else(|_| unreachable_name());
    State::open(Request {
        run: RunId::derive(&repo, "comment 1"),
        repo,
        installation: InstallationId(1),
        issue: IssueNumber(3),
        pull: None,
        title: "Add a thing that is wanted by many".to_owned(),
        body: "Please add it. ".repeat(40),
        by: person(),
        comment: Some(CommentId(1)),
        base: None,
        agent: None,
        chosen: None,
        words: String::new(),
        dry_run: false,
        stories: false,
        parent: None,
        taken_out: None,
        frozen: None,
        at: START,
    })
}

fn policy() -> Policy {
    Policy { verify: vec!["make test".to_owned()], ..Policy::default() }
}

/// A look with eight checks, of which `passed` have passed.
fn look(at: Millis, head: char, passed: usize, approved: bool) -> Seen {
    let names = ["build", "test", "lint", "docs", "audit", "macos", "windows", "coverage"];
    let checks = names.iter().enumerate().map(|(index, name)| Check {
        name: (*name).to_owned(),
        result: if index < passed { CheckResult::Passed } else { CheckResult::Pending },
        stamp: format!("{index}"),
        id: Some(CheckId(4)),
        app: Some(2),
        url: Some(format!("https://ci.example/{name}")),
        signature: None,
    });
    let review = Review {
        id: 1,
        by: person(),
        commit: commit(head),
        verdict: ReviewVerdict::Approved,
        counts: true,
        text: "Fine.".to_owned(),
    };
    let judged = Judged { head: commit(head), delicate: Vec::new() };
    Seen {
        at,
        pull: PullNumber(9),
        pull_state: PullState::Open,
        draft: false,
        api_head: commit(head),
        git_head: Some(commit(head)),
        base: main_branch(),
        base_tip: commit('b'),
        probe: Some(Probe {
            head: commit(head),
            base: commit('b'),
            contains_base: true,
            merge: Merge::Clean { tree: tree('7') },
        }),
        checks: checks.collect(),
        base_checks: Vec::new(),
        rules: Rules { required: ["test".to_owned()].into(), ..Rules::default() },
        reviews: if approved { vec![review] } else { Vec::new() },
        sole_writer: false,
        auto_merge: None,
        line: Line::default(),
        judged: Some(judged),
    }
}

fn performed_late(entry: u32, done: Done) -> EventKind {
    EventKind::performed(entry, done)
}

/// The result of the task that is out.
fn performed(state: &State, approved: bool, at: Millis) -> Option<Done> {
    let done = match state.task()? {
        Task::Accept { .. } => Done::Accepted {
            base: main_branch(),
            tip: commit('b'),
            method: slipway::policy::MergeMethod::Squash,
            adopted: None,
            sandbox: None,
        },
        Task::Agent { .. } if state.work.plan.is_none() => {
            Done::Planned { text: "First this, then that. ".repeat(20), cost_micros: 9 }
        }
        Task::Agent { .. } | Task::Update { .. } => Done::Changed {
            head: commit('a'),
            tree: tree('1'),
            summary: "Added the thing. ".repeat(20),
            cost_micros: 9,
        },
        Task::Verify { head } => {
            Done::Verified { head: head.clone(), passed: true, log: String::new(), signature: None }
        }
        Task::Publish { head, .. } => {
            Done::Published { head: head.clone(), pull: PullNumber(9), signing: None }
        }
        Task::Rerun { .. } => Done::Reran,
        Task::Undraft { .. } => Done::Undrafted,
        Task::Ready { .. } => Done::Ready(Box::new(look(at, 'a', 8, approved))),
        Task::Merge(_) | Task::Settle { .. } => {
            Done::MergeAnswered(MergeAnswer::Merged { commit: commit('d') })
        }
        Task::Land { commit, predicted } => {
            Done::Landed { tree: predicted.clone(), commit: commit.clone() }
        }
        Task::Close { .. } | Task::Stories { .. } => Done::Closed,
        // No branch here has a merge queue, nothing is held, and GitHub is asked for no update.
        Task::Enlist { .. }
        | Task::Leave { .. }
        | Task::Compare { .. }
        | Task::Show { .. }
        | Task::Afford
        | Task::AskUpdate { .. }
        | Task::Recognise { .. } => return None,
    };
    Some(done)
}

/// A life as it comes: results, looks while CI runs, the same look again, timers, late results,
/// a `/status`, an approval, the merge. Each event with the state it meets.
fn life() -> Vec<(State, Event)> {
    let policy = policy();
    let mut state = opened();
    let mut life = Vec::new();
    let mut at = START;
    let status =
        authorize(SlashCommand::Status, person(), Permission::Admin, Source::Comment(CommentId(2)));
    let status = status.unwrap_or_else(|_| unreachable_name());
    let mut kinds = vec![EventKind::Started];
    for turn in 0..200 {
        for kind in std::mem::take(&mut kinds) {
            at = at.plus(1_000);
            let event = Event { at, kind };
            let decided = decide(&state, &event, &policy);
            life.push((state.clone(), event));
            if let Ok(decision) = decided {
                state = decision.next;
            }
        }
        if state.finished().is_some() {
            break;
        }
        let entry = state.entry;
        let late = EventKind::TimerFired { timer: Timer::Look, entry: entry.wrapping_sub(1) };
        if let Some(done) = performed(&state, turn > 12, at) {
            kinds = vec![late, performed_late(entry, done)];
        } else {
            let seen = look(at.plus(900), 'a', turn.min(8), turn > 12);
            let again = Seen { at: at.plus(1_900), ..seen.clone() };
            let timer = EventKind::TimerFired { timer: Timer::Look, entry };
            kinds = vec![
                EventKind::Observed(Box::new(seen)),
                EventKind::Observed(Box::new(again)),
                timer,
                EventKind::Commanded(status.clone()),
            ];
        }
    }
    life
}

/// Every decision of a life; the items are decisions.
#[divan::bench]
fn decisions_of_a_life(bencher: divan::Bencher<'_, '_>) {
    let policy = policy();
    let life = life();
    let ended = life.last().and_then(|(state, event)| decide(state, event, &policy).ok());
    let merged = ended.is_some_and(|decision| decision.next.finished().is_some());
    assert!(merged, "the life does not end");
    bencher.counter(divan::counter::ItemsCount::new(life.len())).bench(|| {
        for (state, event) in &life {
            let decided = decide(divan::black_box(state), divan::black_box(event), &policy);
            let _decided = divan::black_box(decided);
        }
    });
}
