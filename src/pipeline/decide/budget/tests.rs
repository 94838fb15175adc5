//! Money in decisions: what stops, what is kept, and who moves it.

use super::*;
use crate::command::{SlashCommand, Source, authorize};
use crate::model::budget::{Scope, Used};
use crate::model::{
    CommentId, CommitSha, InstallationId, IssueNumber, Millis, Permission, Repo, RunId, TreeSha,
    User, UserId,
};
use crate::pipeline::{
    Effect, Event, EventKind, Request, Role, StageKind, State, Timer, Unfinished, decide,
};
use crate::policy::Policy;

fn sha(digit: char) -> CommitSha {
    CommitSha::parse(&digit.to_string().repeat(40)).unwrap()
}

fn person() -> User {
    User { id: UserId(7), login: "ann".to_owned(), bot: false }
}

/// A builder is at work, under entry 1.
fn building() -> State {
    let repo = Repo::parse("o/r").unwrap();
    let mut state = State::open(Request {
        run: RunId::derive(&repo, "comment 1"),
        repo,
        installation: InstallationId(1),
        issue: IssueNumber(3),
        pull: None,
        title: "Add a thing".to_owned(),
        body: "Please.".to_owned(),
        by: person(),
        comment: None,
        base: None,
        agent: None,
        chosen: None,
        words: String::new(),
        dry_run: false,
        stories: false,
        parent: None,
        frozen: None,
        taken_out: None,
        at: Millis(0),
    });
    state.entry = 1;
    let task = Task::Agent { role: Role::Builder, round: 1 };
    let phase = Phase::Doing(task);
    state.progress = Progress::Running { stage: StageKind::Build, since: Millis(1), phase };
    state
}

fn full(scope: Scope, renews: Option<i64>) -> Full {
    let used = Used { spent: 9_000_000, reserved: 0 };
    let renews = renews.map(Millis);
    Full { scope, cap: 10_000_000, kept: 0, used, asked: 2_000_000, renews }
}

fn left() -> Unfinished {
    let tree = TreeSha::parse(&"b".repeat(40)).unwrap();
    Unfinished { head: sha('a'), tree, summary: "Half of it.".to_owned() }
}

/// The next state, and whether anything was answered in words.
fn then(state: &State, kind: EventKind, at: i64) -> (State, Vec<Effect>) {
    let decision = decide(state, &Event { at: Millis(at), kind }, &Policy::default()).unwrap();
    (decision.next, decision.effects)
}

fn ends(state: &State, done: Done, at: i64) -> State {
    let entry = state.entry;
    then(state, EventKind::performed(entry, done), at).0
}

fn stops(state: &State, full: Full, left: Option<Unfinished>) -> State {
    ends(state, Done::BudgetUsed { full, left, cost_micros: 3 }, 10)
}

fn says(state: &State, word: SlashCommand, comment: u64, at: i64) -> (State, String) {
    let source = Source::Comment(CommentId(comment));
    let given = authorize(word, person(), Permission::Admin, source).unwrap();
    let (next, effects) = then(state, EventKind::Commanded(given), at);
    let words = effects.iter().find_map(|effect| match effect {
        Effect::Answer { answer: Answer::Words(words), .. } => Some(words.clone()),
        Effect::Answer { .. }
        | Effect::Perform { .. }
        | Effect::Cancel { .. }
        | Effect::Look
        | Effect::Arm { .. }
        | Effect::Relay { .. }
        | Effect::Release { .. } => None,
    });
    (next, words.unwrap_or_default())
}

fn raise(micros: u64) -> SlashCommand {
    SlashCommand::Budget(Dollars(micros))
}

#[test]
fn what_was_made_is_gone_on_from_and_never_taken_for_the_whole() {
    let parked = stops(&building(), full(Scope::Run, None), Some(left()));
    assert_eq!(parked.park().map(|park| park.why), Some(ParkReason::BudgetSpent));
    assert_eq!((parked.work.head.clone(), parked.counts.cost_micros), (None, 3));
    let (asking, _) = says(&parked, raise(5_000_000), 1, 20);
    assert_eq!(asking.task(), Some(&Task::Afford));
    let again = ends(&asking, Done::Affordable, 30);
    assert_eq!(again.task(), Some(&Task::Agent { role: Role::Builder, round: 1 }));
    assert_eq!(again.budget.left(), Some(&left()));
    // Stopped once more without having made anything new: what was there is still there.
    let twice = stops(&again, full(Scope::Run, None), None);
    assert_eq!(twice.budget.left(), Some(&left()));
    // It finds nothing more to do: then it was done.
    let done = ends(&again, Done::Unchanged { summary: String::new(), cost_micros: 1 }, 40);
    assert_eq!((done.work.head.clone(), done.budget.left()), (Some(sha('a')), None));
    assert_eq!(done.stage(), Some(StageKind::Publish), "and only then it goes on");
    // A refused change is not gone on from.
    let why = "no".to_owned();
    let refused = Done::Rejected { why, cost_micros: 1, violations: Vec::new() };
    assert_eq!(ends(&again, refused, 40).budget.left(), None);
}

#[test]
fn a_raise_is_bounded_counts_once_and_ends_by_itself() {
    let (state, words) = says(&building(), raise(60_000_000), 1, 20);
    assert_eq!((state.budget.raised(Millis(20)), &*words), (60_000_000, ""));
    let (state, _) = says(&state, raise(60_000_000), 1, 21);
    assert_eq!(state.budget.raised(Millis(21)), 60_000_000, "the same comment");
    let (state, words) = says(&state, raise(60_000_000), 2, 22);
    assert_eq!(state.budget.raised(Millis(22)), 60_000_000);
    assert!(words.contains("raised by $60.00 already, and $100.00 is the most"), "{words}");
    let week = 20 + RAISE_MS;
    assert_eq!(state.budget.raised(Millis(week)), 0);
    let (state, words) = says(&state, raise(60_000_000), 3, week);
    assert_eq!((state.budget.raises.len(), &*words), (1, ""), "the old one is forgotten");
}

#[test]
fn a_shared_cap_is_not_raised_by_a_comment() {
    for scope in [Scope::Call, Scope::Day, Scope::Month, Scope::Repository, Scope::User] {
        let parked = stops(&building(), full(scope, None), None);
        assert_eq!(parked.park().map(|park| park.why), Some(ParkReason::CapReached));
        let (next, words) = says(&parked, raise(5_000_000), 1, 20);
        assert!(words.contains("does not raise that") && next == parked, "{words}");
        let (asking, _) = says(&parked, SlashCommand::Retry, 2, 20);
        assert_eq!(asking.task(), Some(&Task::Afford), "{scope:?}");
    }
}

#[test]
fn a_cap_that_renews_is_asked_for_again_a_few_times() {
    let mut state = stops(&building(), full(Scope::Day, Some(1_000)), None);
    let fired = |state: &State, at| {
        let kind = EventKind::TimerFired { timer: Timer::Budget, entry: state.entry };
        decide(state, &Event { at: Millis(at), kind }, &Policy::default())
    };
    assert!(fired(&state, 999).is_err(), "not before it renews");
    for time in 1..=3 {
        let asking = fired(&state, 1_000).unwrap().next;
        assert_eq!(asking.task(), Some(&Task::Afford));
        let refused =
            Done::BudgetUsed { full: full(Scope::Day, Some(1_000)), left: None, cost_micros: 0 };
        let still = ends(&asking, refused, 1_001);
        assert_eq!(still.budget.resumes, time - 1, "to ask is not to go on");
        let again = ends(&asking, Done::Affordable, 1_001);
        state = stops(&again, full(Scope::Day, Some(1_000)), None);
        assert_eq!(state.budget.resumes, time);
    }
    assert_eq!((state.asks_again_at(), fired(&state, 2_000).is_err()), (None, true));
    let (asking, _) = says(&state, SlashCommand::Retry, 9, 2_000);
    assert_eq!((asking.task(), asking.budget.resumes), (Some(&Task::Afford), 0));
}

#[test]
fn whoever_pushes_meanwhile_is_built_on_and_not_what_was_left() {
    let mut state = stops(&building(), full(Scope::Run, None), Some(left()));
    state.work.head = Some(sha('c'));
    let policy = Policy::default();
    let mut run = Run::new(state, &policy, Millis(20));
    crate::pipeline::stage::adopt(&mut run, sha('f'));
    assert_eq!((run.state.budget.left(), run.state.work.head), (None, Some(sha('f'))));
}

#[test]
fn a_timer_nobody_waits_for_does_not_wait_for_the_next_month() {
    let month = 2_000_000_000;
    let parked = stops(&building(), full(Scope::Month, Some(month)), None);
    let armed = |effects: &[Effect]| {
        let of_money = |effect: &&Effect| {
            matches!(effect, Effect::Arm { timer: Timer::Budget, at: Millis(20), .. })
        };
        effects.iter().filter(of_money).count()
    };
    for word in [SlashCommand::Stop, SlashCommand::Retry] {
        let given = authorize(word, person(), Permission::Admin, Source::Operator).unwrap();
        let (next, effects) = then(&parked, EventKind::Commanded(given), 20);
        assert_eq!(armed(&effects), 1);
        let kind = EventKind::TimerFired { timer: Timer::Budget, entry: next.entry };
        let event = Event { at: Millis(21), kind };
        assert!(decide(&next, &event, &Policy::default()).is_err(), "and nobody hears it");
    }
}
