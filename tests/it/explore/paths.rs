//! The laws of paths: nothing is a dead end, and no loop spends anything without a person.

use slipway::pipeline::{Effect, Progress, Role, Task};

use super::alphabet::{phase_name, task_name};
use super::critique;
use super::walk::{Edge, Graph};

/// Most agent calls on any path on which no person does anything, with every limit at 1: the
/// planner, two builders, one fixer, one resolver and one more fixer for a reviewer, and one that
/// goes on by itself when a cap renews: the counter of that jumps ahead to its limit.
const AGENT_CALLS_MAX: usize = 7;

/// Asserts every law of paths.
pub(crate) fn hold(name: &str, graph: &Graph) {
    every_state_can_end(name, graph);
    stopped_runs_end_by_themselves(name, graph);
    let components = components(graph);
    no_loop_spends(name, graph, &components);
    let calls = most_agent_calls(graph, &components);
    let critics = if name.starts_with("critique") { critique::CALLS_MAX } else { 0 };
    assert!(
        calls <= AGENT_CALLS_MAX + critics,
        "{name}: I10: {calls} agent calls without a person"
    );
}

fn is_over(graph: &Graph, node: usize) -> bool {
    matches!(graph.nodes[node].state.progress, Progress::Finished { .. })
}

/// Which nodes lead to an end over the edges that count.
fn leads_to_end(graph: &Graph, counts: impl Fn(&Edge) -> bool) -> Vec<bool> {
    let mut back: Vec<Vec<usize>> = vec![Vec::new(); graph.nodes.len()];
    for (from, edges) in graph.edges.iter().enumerate() {
        for edge in edges.iter().filter(|edge| counts(edge)) {
            back[edge.to].push(from);
        }
    }
    let mut leads = vec![false; graph.nodes.len()];
    let mut todo: Vec<usize> =
        (0..graph.nodes.len()).filter(|node| is_over(graph, *node)).collect();
    while let Some(node) = todo.pop() {
        if !std::mem::replace(&mut leads[node], true) {
            todo.extend(&back[node]);
        }
    }
    leads
}

fn every_state_can_end(name: &str, graph: &Graph) {
    let leads = leads_to_end(graph, |_| true);
    if let Some(node) = leads.iter().position(|leads| !leads) {
        panic!("{name}: I13: a dead end:\n{}", graph.trace(node));
    }
}

/// After a stop, tasks and looks alone lead to the end.
fn stopped_runs_end_by_themselves(name: &str, graph: &Graph) {
    let leads = leads_to_end(graph, |edge| !edge.name.starts_with('/'));
    let stuck = graph
        .nodes
        .iter()
        .zip(&leads)
        .position(|(node, leads)| node.state.stop_by.is_some() && !leads);
    if let Some(node) = stuck {
        panic!("{name}: I17: stopped, and waits for more:\n{}", graph.trace(node));
    }
}

/// What an edge spends: anything that costs money, pushes or merges.
fn spends(edge: &Edge) -> Option<&Task> {
    edge.effects.iter().find_map(|effect| match effect {
        Effect::Perform { task, .. } => match task {
            Task::Accept { .. }
            | Task::Agent { .. }
            | Task::Verify { .. }
            | Task::Show { .. }
            | Task::Publish { .. }
            | Task::Update { .. }
            | Task::AskUpdate { .. }
            | Task::Recognise { .. }
            | Task::Rerun { .. }
            | Task::Undraft { .. }
            | Task::Stories { .. }
            | Task::Merge(_)
            | Task::Settle { .. }
            | Task::Enlist { .. }
            | Task::Leave { .. }
            | Task::Compare { .. }
            | Task::Land { .. }
            | Task::Close { .. } => Some(task),
            // Asking for the lane costs a look, asking for money nothing; both waits may last.
            Task::Ready { .. } | Task::Afford => None,
        },
        Effect::Cancel { .. }
        | Effect::Look
        | Effect::Arm { .. }
        | Effect::Answer { .. }
        | Effect::Relay { .. }
        | Effect::Release { .. } => None,
    })
}

fn calls_agent(edge: &Edge) -> bool {
    match spends(edge) {
        Some(Task::Agent { role, .. }) => match role {
            Role::Planner | Role::Builder | Role::Fixer | Role::Resolver | Role::Critic => true,
        },
        Some(_) | None => false,
    }
}

/// I10: with nobody doing anything, every loop consists of looks and waiting only.
fn no_loop_spends(name: &str, graph: &Graph, components: &[usize]) {
    for (from, edges) in graph.edges.iter().enumerate() {
        for edge in edges.iter().filter(|edge| !edge.people) {
            let Some(task) = spends(edge) else { continue };
            assert!(
                components[from] != components[edge.to],
                "{name}: I10: {} for ever, by {} in {}:\n{}",
                task_name(task),
                edge.name,
                phase_name(&graph.nodes[from].state),
                graph.trace(from)
            );
        }
    }
}

/// Strongly connected components over edges without people, numbered so that every edge leads
/// to the same or a lower number (Tarjan's algorithm, with its own stack).
fn components(graph: &Graph) -> Vec<usize> {
    let count = graph.nodes.len();
    let ahead: Vec<Vec<usize>> = graph
        .edges
        .iter()
        .map(|edges| edges.iter().filter(|edge| !edge.people).map(|edge| edge.to).collect())
        .collect();
    let (mut index, mut low) = (vec![usize::MAX; count], vec![0; count]);
    let mut component = vec![usize::MAX; count];
    let (mut stack, mut next, mut found) = (Vec::new(), 0, 0);
    for root in 0..count {
        let mut calls = if index[root] == usize::MAX { vec![(root, 0)] } else { Vec::new() };
        while let Some((node, at)) = calls.pop() {
            if at == 0 {
                index[node] = next;
                low[node] = next;
                next += 1;
                stack.push(node);
            }
            if let Some(&to) = ahead[node].get(at) {
                calls.push((node, at + 1));
                if index[to] == usize::MAX {
                    calls.push((to, 0));
                } else if component[to] == usize::MAX {
                    low[node] = low[node].min(index[to]);
                }
                continue;
            }
            if low[node] == index[node] {
                while let Some(member) = stack.pop() {
                    component[member] = found;
                    if member == node {
                        break;
                    }
                }
                found += 1;
            }
            if let Some((parent, _)) = calls.last() {
                low[*parent] = low[*parent].min(low[node]);
            }
        }
    }
    component
}

/// The longest path by agent calls, from the components that lead nowhere upwards.
fn most_agent_calls(graph: &Graph, components: &[usize]) -> usize {
    let count = components.iter().max().map_or(0, |last| last + 1);
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (node, component) in components.iter().enumerate() {
        members[*component].push(node);
    }
    let mut most = vec![0; count];
    for component in 0..count {
        most[component] = members[component]
            .iter()
            .flat_map(|node| &graph.edges[*node])
            .filter(|edge| !edge.people)
            .map(|edge| {
                let rest =
                    if components[edge.to] == component { 0 } else { most[components[edge.to]] };
                rest + usize::from(calls_agent(edge))
            })
            .max()
            .unwrap_or(0);
    }
    most.into_iter().max().unwrap_or(0)
}
