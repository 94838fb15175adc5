//! The alphabet: every event the abstract world can send to a run in a given state.

use slipway::command::{Go, SlashCommand};
use slipway::gate::seen::Seen;
use slipway::model::{Dollars, Millis, TreeSha};
use slipway::pipeline::standing::Left;
use slipway::pipeline::trust::Diff;
use slipway::pipeline::{
    Done, Event, EventKind, Phase, Progress, Role, Settled, StageKind, State, Task, Timer,
    Withdrawal,
};

use super::lens::Lens;
use super::trust::may_lose;
use super::world::{
    BASE, COMMENT, FOREIGN, LANDED, Look, NEW, NOW, branch, command, commit, person, tree, well,
};
use super::{answers, critique};

/// An event with its name, and what the laws must know of it.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub name: String,
    /// The name for the table: without moments and particulars.
    pub coarse: String,
    pub event: Event,
    /// People (or other pushers) did it: such events may turn a loop for ever.
    pub people: bool,
}

fn letter(name: impl Into<String>, kind: EventKind) -> Letter {
    let name = name.into();
    let event = Event { at: NOW.plus(10), kind };
    Letter { coarse: name.clone(), name, event, people: false }
}

/// Everything that may happen to `state` next.
pub(crate) fn letters(state: &State, lens: &Lens) -> Vec<Letter> {
    let mut all = Vec::new();
    if state.progress == Progress::Idle {
        all.push(letter("start", EventKind::Started));
    }
    ends(state, lens, &mut all);
    looks(state, lens, &mut all);
    timers(state, &mut all);
    commands(lens, &mut all);
    for (name, how) in
        [("label removed", Withdrawal::LabelRemoved), ("issue closed", Withdrawal::IssueClosed)]
    {
        if lens.withdrawals {
            let kind = EventKind::Withdrawn { by: Some(person()), how };
            all.push(Letter { people: true, ..letter(name, kind) });
        }
    }
    all
}

fn commands(lens: &Lens, all: &mut Vec<Letter>) {
    for given in &lens.commands {
        let name = format!("/{}", word(given));
        let kind = EventKind::Commanded(command(given.clone()));
        all.push(Letter { people: true, ..letter(name, kind) });
    }
}

fn word(command: &SlashCommand) -> &'static str {
    match command {
        SlashCommand::Go(_) => "go",
        SlashCommand::Stop => "stop",
        SlashCommand::Retry => "retry",
        SlashCommand::Status => "status",
        SlashCommand::Push => "push",
        SlashCommand::Approve => "approve",
        SlashCommand::Merge => "merge",
        SlashCommand::Hold => "hold",
        SlashCommand::Unhold => "unhold",
        SlashCommand::Budget(_) => "budget",
        SlashCommand::Answer(_) => "answer",
        SlashCommand::Help => "help",
    }
}

pub(crate) fn every_command() -> Vec<SlashCommand> {
    vec![
        SlashCommand::Go(Go::default()),
        SlashCommand::Stop,
        SlashCommand::Retry,
        SlashCommand::Status,
        SlashCommand::Push,
        SlashCommand::Approve,
        SlashCommand::Merge,
        SlashCommand::Hold,
        SlashCommand::Unhold,
        SlashCommand::Budget(Dollars(5_000_000)),
        SlashCommand::Answer("This one.".to_owned()),
        SlashCommand::Help,
    ]
}

fn timers(state: &State, all: &mut Vec<Letter>) {
    // Before there is a pull request no look lets time pass: a hold ends by its own timer.
    if state.stage() == Some(StageKind::Publish) && state.task().is_none() {
        let kind = EventKind::TimerFired { timer: Timer::Deadline, entry: state.entry };
        let late = letter("late deadline", kind);
        let event = Event { at: NOW.plus(18_000_000), ..late.event.clone() };
        all.push(Letter { event, ..late });
    }
    let timers = [
        ("look timer", Timer::Look),
        ("deadline", Timer::Deadline),
        ("lane timer", Timer::Lane),
        ("budget timer", Timer::Budget),
    ];
    for (name, timer) in timers {
        let fired = |entry| EventKind::TimerFired { timer, entry };
        all.push(letter(name, fired(state.entry)));
        all.push(letter(format!("stale {name}"), fired(state.entry.wrapping_sub(1))));
    }
}

fn looks(state: &State, lens: &Lens, all: &mut Vec<Letter>) {
    if state.work.pull.is_none() {
        return;
    }
    let doing = state.task().is_some();
    for look in &lens.looks {
        for &(when, ms) in lens.moments {
            if doing && ms > 10 && lens.moments.len() > 1 {
                continue;
            }
            let at = NOW.plus(ms);
            let seen = found(state, look, at.plus(-1));
            let kind = EventKind::Observed(Box::new(seen));
            all.push(Letter {
                name: format!("look: {}{when}", look.name),
                coarse: format!("look: {}", look.name),
                event: Event { at, kind },
                people: by_people(look),
            });
        }
    }
    let known = state.seen.as_ref().map(|seen| seen.at).or(state.work.published_at);
    let mut late = well(state, known.unwrap_or(NOW).plus(-1));
    all.push(letter("stale look", EventKind::Observed(Box::new(late.clone()))));
    late.at = NOW.plus(9);
    late.pull.0 += 1;
    all.push(letter("stale look elsewhere", EventKind::Observed(Box::new(late))));
}

pub(crate) fn found(state: &State, look: &Look, at: Millis) -> Seen {
    let mut seen = well(state, at);
    (look.apply)(&mut seen);
    seen
}

fn by_people(look: &Look) -> bool {
    ["pushed", "changes", "more changes", "approved", "draft", "merged", "closed", "other base"]
        .iter()
        .any(|word| look.name.starts_with(word))
}

fn performed(entry: u32, done: Done) -> EventKind {
    EventKind::performed(entry, done)
}

/// Every way the task that is out can end, one end it does not know, and the same under an
/// entry that is over.
fn ends(state: &State, lens: &Lens, all: &mut Vec<Letter>) {
    let odd = ("odd end".to_owned(), Done::Closed);
    let mut dones = state.task().map_or_else(Vec::new, |task| of_task(state, task, lens));
    if faulty(state.task(), lens) && !matches!(state.task(), Some(Task::Close { .. }) | None) {
        dones.push(odd.clone());
    }
    for (name, done) in &dones {
        let kind = performed(state.entry, done.clone());
        let people = name.contains("pushed to") || name.contains("changes wanted");
        all.push(Letter { people, ..letter(name.clone(), kind) });
    }
    dones.push(odd);
    for (name, done) in dones {
        let kind = performed(state.entry.wrapping_sub(1), done);
        all.push(letter(format!("stale {name}"), kind));
    }
}

/// Whether this lens lets the task fail for good; merge calls do where all answers are walked.
fn faulty(task: Option<&Task>, lens: &Lens) -> bool {
    match task {
        Some(
            Task::Merge(_)
            | Task::Settle { .. }
            | Task::Enlist { .. }
            | Task::Leave { .. }
            | Task::Compare { .. }
            | Task::Land { .. },
        ) => lens.answers,
        Some(Task::Rerun { .. } | Task::Undraft { .. }) => true,
        Some(_) | None => lens.faults,
    }
}

fn changed(tree: TreeSha) -> Done {
    Done::Changed { head: commit(NEW), tree, summary: "did it".to_owned(), cost_micros: 1 }
}

pub(super) fn text() -> String {
    "why".to_owned()
}

fn of_task(state: &State, task: &Task, lens: &Lens) -> Vec<(String, Done)> {
    let named = |ends: Vec<(&str, Done)>| -> Vec<(String, Done)> {
        ends.into_iter().map(|(name, done)| (name.to_owned(), done)).collect()
    };
    let mut ends = match task {
        Task::Accept { .. } => named(vec![
            (
                "accepted",
                Done::Accepted {
                    base: branch("main"),
                    tip: commit(BASE),
                    method: lens.method,
                    adopted: None,
                    sandbox: None,
                },
            ),
            ("no base", Done::NoBase { why: text() }),
        ]),
        Task::Agent { role, .. } => named(agent(state, *role, lens)),
        Task::Afford => named(answers::afford()),
        Task::Verify { head } => named(verified(head)),
        Task::Show { head } => {
            named(vec![("shown", Done::Shown { head: head.clone(), diff: Diff::default() })])
        }
        Task::Publish { head, .. } => named(published(head, lens)),
        Task::Update { .. } => named(vec![
            ("updated", changed(tree('2'))),
            ("updated to a known tree", changed(tree('1'))),
        ]),
        Task::AskUpdate { .. } => named(answers::update()),
        Task::Recognise { found, .. } => named(answers::recognised(found)),
        Task::Rerun { .. } => named(vec![("reran", Done::Reran)]),
        Task::Undraft { .. } => named(vec![("undrafted", Done::Undrafted)]),
        Task::Ready { .. } => ready(state, lens),
        Task::Merge(_) => named(answers::merge(lens.answers)),
        Task::Settle { .. } => named(vec![
            ("read: landed", Done::Settled(Settled::Landed { commit: commit(LANDED) })),
            ("read: not landed", Done::Settled(Settled::NotLanded)),
            ("read: unclear", Done::Settled(Settled::Unclear)),
        ]),
        Task::Enlist { .. } => named(answers::enlisted(lens.answers)),
        Task::Leave { .. } => named(vec![
            ("let go", Done::Left(Left::Out)),
            ("nothing to take back", Done::Left(Left::Absent)),
            ("merged meanwhile", Done::Left(Left::Merged { commit: commit(LANDED) })),
            ("closed meanwhile", Done::Left(Left::Closed)),
            ("not sure to be out", Done::Left(Left::Unclear)),
        ]),
        Task::Compare { .. } => named(vec![
            (
                "it is the permitted change",
                Done::Compared { tree: tree('8'), expected: Some(tree('8')) },
            ),
            ("it is another change", Done::Compared { tree: tree('9'), expected: None }),
        ]),
        Task::Land { commit, predicted } => named(vec![
            (
                "landed as predicted",
                Done::Landed { tree: predicted.clone(), commit: commit.clone() },
            ),
            ("landed otherwise", Done::Landed { tree: tree('9'), commit: commit.clone() }),
        ]),
        Task::Close { .. } | Task::Stories { .. } => named(vec![("closed", Done::Closed)]),
    };
    if may_lose(task, lens) {
        ends.push(("permission lost".to_owned(), Done::Lost { people: vec![person()] }));
    }
    if faulty(Some(task), lens) {
        ends.push(("failed".to_owned(), Done::Failed { why: text() }));
    }
    ends
}

fn agent(state: &State, role: Role, lens: &Lens) -> Vec<(&'static str, Done)> {
    let mut ends = vec![("agent failed", Done::AgentFailed { why: text(), cost_micros: 1 })];
    if lens.money {
        ends.extend(answers::short(role));
    }
    if lens.asks {
        ends.extend(answers::asked(role));
    }
    if role == Role::Planner {
        ends.push(("planned", Done::Planned { text: "a plan".to_owned(), cost_micros: 1 }));
        ends.push(("planned nothing", Done::Planned { text: " ".to_owned(), cost_micros: 1 }));
        return ends;
    }
    if role == Role::Critic {
        ends.extend(critique::ends(state));
        return ends;
    }
    ends.push(("changed", changed(tree('2'))));
    ends.push(("unchanged", Done::Unchanged { summary: String::new(), cost_micros: 1 }));
    ends.push(("rejected", rejected()));
    ends.push(("leaked", leaked()));
    if role != Role::Builder {
        ends.push(("changed to a known tree", changed(tree('1'))));
    }
    ends
}

fn rejected() -> Done {
    Done::Rejected { why: text(), cost_micros: 1, violations: Vec::new() }
}

fn leaked() -> Done {
    Done::Leaked { why: text(), cost_micros: 1 }
}

fn published(head: &slipway::model::CommitSha, lens: &Lens) -> Vec<(&'static str, Done)> {
    vec![
        ("published", answers::published(head, lens)),
        ("pushed to by somebody", Done::Diverged { remote: Some(commit(FOREIGN)) }),
        ("branch gone", Done::Diverged { remote: None }),
        ("refused", rejected()),
        ("leaked", leaked()),
    ]
}

fn verified(head: &slipway::model::CommitSha) -> Vec<(&'static str, Done)> {
    let verified = |passed, signature: Option<&str>| Done::Verified {
        head: head.clone(),
        passed,
        log: "the end of it".to_owned(),
        signature: signature.map(str::to_owned),
    };
    vec![("verified", verified(true, None)), ("not verified", verified(false, Some("one")))]
}

fn ready(state: &State, lens: &Lens) -> Vec<(String, Done)> {
    let mut ends = Vec::new();
    if lens.answers {
        ends.push(("lane busy".to_owned(), Done::LaneBusy { why: text() }));
    }
    for look in &lens.looks {
        let seen = found(state, look, NOW.plus(9));
        ends.push((format!("lane and look: {}", look.name), Done::Ready(Box::new(seen))));
    }
    ends
}

/// The name of the phase a state is in, for people.
pub(crate) fn phase_name(state: &State) -> String {
    match &state.progress {
        Progress::Idle => "idle".to_owned(),
        Progress::Finished { outcome, .. } => format!("finished {}", outcome.word()),
        Progress::Running { stage, phase, .. } => match phase {
            Phase::Doing(task) => format!("{}: {}", stage.word(), task_name(task)),
            Phase::Waiting(_) => format!("{}: waiting", stage.word()),
            Phase::Parked(park) => format!("{}: parked {:?}", stage.word(), park.why),
        },
    }
}

pub(crate) fn task_name(task: &Task) -> String {
    match task {
        Task::Accept { .. } => "accept".to_owned(),
        Task::Agent { role, .. } => format!("agent {role:?}").to_lowercase(),
        Task::Afford => "ask for money".to_owned(),
        Task::Verify { .. } => "verify".to_owned(),
        Task::Show { .. } => "show".to_owned(),
        Task::Publish { .. } => "publish".to_owned(),
        Task::Update { .. } => "update".to_owned(),
        Task::AskUpdate { .. } => "ask for an update".to_owned(),
        Task::Recognise { .. } => "recognise".to_owned(),
        Task::Rerun { .. } => "rerun".to_owned(),
        Task::Undraft { .. } => "undraft".to_owned(),
        Task::Stories { .. } => "stories".to_owned(),
        Task::Ready { .. } => "ready".to_owned(),
        Task::Merge(_) => "merge call".to_owned(),
        Task::Settle { .. } => "settle".to_owned(),
        Task::Enlist { way, .. } => format!("ask for {}", way.word()),
        Task::Leave { way, .. } => format!("take back {}", way.word()),
        Task::Compare { .. } => "compare what landed".to_owned(),
        Task::Land { .. } => "compare".to_owned(),
        Task::Close { .. } => "close".to_owned(),
    }
}

/// The comment that commands of this alphabet come from.
pub(crate) fn comes_from_comment(letter: &Letter) -> bool {
    match &letter.event.kind {
        EventKind::Commanded(command) => command.comment() == Some(COMMENT),
        EventKind::Started
        | EventKind::Withdrawn { .. }
        | EventKind::Performed { .. }
        | EventKind::Observed(_)
        | EventKind::TimerFired { .. } => false,
    }
}
