//! The walk: breadth first through every state, tracking what the world around the run knows.

use std::collections::BTreeMap;

use slipway::model::BranchName;
use slipway::pipeline::{
    Decision, Done, Effect, EventKind, Ignored, MergeAnswer, Phase, Progress, Settled, State, Task,
    Timer, decide,
};

use super::alphabet::{Letter, letters, phase_name};
use super::laws::LAWS;
use super::lens::Lens;
use super::normal::{ENTRY, normal};
use super::world::request;

/// What is owed before another merge call may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owed {
    Nothing,
    /// The call is out.
    Answer,
    /// The answer was lost; so many reads in a row said "not landed".
    Reads(u8),
}

/// The world's side of a run: what it was asked to do and still does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outside {
    /// The entry whose task runs, relative to the state's entry by normalising.
    pub task: Option<u32>,
    pub look_armed: bool,
    pub lane: Option<BranchName>,
    pub owed: Owed,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub state: State,
    pub outside: Outside,
}

/// One move: an event in a state, and what followed.
pub(crate) struct Move<'a> {
    pub lens: &'a Lens,
    pub before: &'a Node,
    pub letter: &'a Letter,
    pub result: &'a Result<Decision, Ignored>,
    /// The world after the effects, before the state is normalised; as before when ignored.
    pub after: &'a Outside,
    /// What applying the event a second time gives.
    pub again: &'a Result<Decision, Ignored>,
}

/// A move in the graph, for the laws about paths.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    pub to: usize,
    pub name: String,
    pub coarse: String,
    pub people: bool,
    pub effects: Vec<Effect>,
}

pub(crate) struct Graph {
    pub nodes: Vec<Node>,
    pub edges: Vec<Vec<Edge>>,
    pub parents: Vec<Option<(usize, String)>>,
    pub moves: usize,
}

impl Graph {
    /// The shortest way to a node, one line each move.
    pub(crate) fn trace(&self, mut node: usize) -> String {
        let mut lines = vec![format!("    => {}", phase_name(&self.nodes[node].state))];
        while let Some((from, letter)) = &self.parents[node] {
            lines.push(format!("    {} + {letter}", phase_name(&self.nodes[*from].state)));
            node = *from;
        }
        lines.reverse();
        lines.join("\n")
    }
}

/// Walks everything `lens` can reach, with every law asserted on every move.
pub(crate) fn walk(lens: &Lens) -> Graph {
    let outside = Outside { task: None, look_armed: false, lane: None, owed: Owed::Nothing };
    let first = Node { state: State::open(request(lens.dry_run, lens.tainted)), outside };
    let mut graph =
        Graph { nodes: vec![first], edges: vec![Vec::new()], parents: vec![None], moves: 0 };
    let mut known: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    known.insert(key(&graph.nodes[0]), vec![0]);
    let mut next = 0;
    while next < graph.nodes.len() {
        for letter in letters(&graph.nodes[next].state, lens) {
            graph.moves += 1;
            step(&mut graph, &mut known, lens, next, &letter);
        }
        next += 1;
        let count = graph.nodes.len();
        if count > lens.states_max {
            let mut phases: BTreeMap<String, usize> = BTreeMap::new();
            for node in &graph.nodes {
                *phases.entry(phase_name(&node.state)).or_default() += 1;
            }
            panic!("{}: {count} states are too many: {phases:#?}", lens.name);
        }
    }
    graph
}

fn step(
    graph: &mut Graph,
    known: &mut BTreeMap<String, Vec<usize>>,
    lens: &Lens,
    from: usize,
    letter: &Letter,
) {
    let before = &graph.nodes[from].clone();
    let result = decide(&before.state, &letter.event, &lens.policy);
    let after = outside(before, letter, &result);
    let again = match &result {
        Ok(decision) => decide(&decision.next, &letter.event, &lens.policy),
        Err(why) => Err(*why),
    };
    let moved = Move { lens, before, letter, result: &result, after: &after, again: &again };
    for (law, holds) in LAWS {
        if let Err(why) = holds(&moved) {
            let trace = graph.trace(from);
            let then = result.as_ref().map(|next| (phase_name(&next.next), &next.effects));
            let name = lens.name;
            panic!(
                "{name}: the law \"{law}\" is broken: {why}\n{trace}\n    + {} => {then:#?}",
                letter.name
            );
        }
    }
    let Ok(decision) = result else { return };
    let mut after = after;
    after.task = after.task.map(|task| ENTRY.saturating_sub(decision.next.entry - task));
    let state = normal(decision.next, letter.event.at, lens.recalled());
    let node =
        if state.finished().is_some() { over(state) } else { Node { state, outside: after } };
    let bucket = known.entry(key(&node)).or_default();
    let to = bucket.iter().copied().find(|to| graph.nodes[*to] == node).unwrap_or_else(|| {
        bucket.push(graph.nodes.len());
        graph.nodes.push(node);
        graph.edges.push(Vec::new());
        graph.parents.push(Some((from, letter.name.clone())));
        graph.nodes.len() - 1
    });
    graph.edges[from].push(Edge {
        to,
        name: letter.name.clone(),
        coarse: letter.coarse.clone(),
        people: letter.people,
        effects: decision.effects,
    });
}

/// Nothing outside matters to a finished run.
fn over(state: State) -> Node {
    let outside = Outside { task: None, look_armed: false, lane: None, owed: Owed::Nothing };
    Node { state, outside }
}

/// Narrows the search for an equal node; equality decides.
fn key(node: &Node) -> String {
    let State { progress, counts, work, .. } = &node.state;
    let seen = node.state.seen.as_deref().map(|seen| {
        let check = seen.checks.first().map(|check| (check.result, check.stamp.as_str()));
        let review = seen.reviews.first().map(|review| (review.id, review.verdict));
        (check, review, seen.draft, seen.rules.required.len())
    });
    let spent = [
        counts.fix_rounds,
        counts.resolve_rounds,
        counts.update_rounds,
        counts.review_rounds,
        counts.settle_reads,
        counts.merge_refusals,
        counts.lost_calls,
    ];
    let word = match progress {
        Progress::Running { phase: Phase::Waiting(wait), .. } => wait.what.as_str(),
        Progress::Running { phase: Phase::Parked(park), .. } => park.text.as_str(),
        Progress::Running { .. } | Progress::Idle | Progress::Finished { .. } => "",
    };
    let words = (work.published_at, work.approved.is_some(), node.state.withdrawn);
    format!("{} {word} {seen:?} {spent:?} {words:?}", phase_name(&node.state))
}

/// What the world does about a move: it performs effects and forgets what is over.
fn outside(before: &Node, letter: &Letter, result: &Result<Decision, Ignored>) -> Outside {
    let mut now = before.outside.clone();
    let Ok(decision) = result else { return now };
    if let EventKind::Performed { entry, done, .. } = &letter.event.kind {
        if now.task == Some(*entry) {
            now.task = None;
        }
        now.owed = owed(now.owed, done);
        if let (Done::Ready(_), Some(Task::Ready { base })) = (done, before.state.task()) {
            now.lane = Some(base.clone());
        }
    }
    if let EventKind::Observed(seen) = &letter.event.kind
        && seen.pull_state != slipway::gate::seen::PullState::Open
    {
        now.owed = Owed::Nothing;
    }
    if decision.next.entry != before.state.entry {
        now.look_armed = false;
    }
    for effect in &decision.effects {
        match effect {
            Effect::Perform { entry, task } => {
                now.task = Some(*entry);
                match (task, &letter.event.kind) {
                    (Task::Merge(_), _) => now.owed = Owed::Answer,
                    // Reading begins anew: only reads of one sitting agree with each other.
                    (Task::Settle { .. }, EventKind::Commanded(_)) => now.owed = Owed::Reads(0),
                    (_, _) => {}
                }
            }
            Effect::Cancel { entry } => now.task = now.task.filter(|task| task > entry),
            Effect::Arm { timer: Timer::Look, entry, .. } => {
                now.look_armed = *entry == decision.next.entry;
            }
            Effect::Release { base, .. } => now.lane = now.lane.filter(|lane| lane != base),
            Effect::Arm { timer: Timer::Deadline | Timer::Lane | Timer::Budget, .. }
            | Effect::Look
            | Effect::Answer { .. }
            | Effect::Relay { .. } => {}
        }
    }
    now
}

fn owed(owed: Owed, done: &Done) -> Owed {
    match (owed, done) {
        (Owed::Answer, Done::MergeAnswered(MergeAnswer::Unknown { .. })) => Owed::Reads(0),
        (Owed::Reads(0), Done::Settled(Settled::NotLanded)) => Owed::Reads(1),
        (Owed::Answer, Done::MergeAnswered(_) | Done::Lost { .. })
        | (Owed::Reads(_), Done::Settled(Settled::Landed { .. } | Settled::NotLanded))
        | (Owed::Nothing, _) => Owed::Nothing,
        (Owed::Answer | Owed::Reads(_), _) => Owed::Reads(0),
    }
}
