//! The transition table: phase and event to the next phase and its effects, as a snapshot.

use std::collections::{BTreeMap, BTreeSet};

use slipway::pipeline::{Effect, State};

use super::alphabet::{phase_name, task_name};
use super::graph;

/// The lenses the table is made of.
const LENSES: &[&str] = &[
    "building",
    "dry run",
    "checks",
    "conflicts",
    "updating",
    "no checks",
    "merging",
    "holding",
    "rebasing",
    "approval",
    "never",
];

/// What timers, news and commands do in every phase that they do not change.
const ASKS: &[&str] =
    &["same {}", "same {answer}", "same {arm, look}", "same {look}", "same {arm}"];

fn effect_word(effect: &Effect) -> &'static str {
    match effect {
        Effect::Perform { .. } => "perform",
        Effect::Cancel { .. } => "cancel",
        Effect::Look => "look",
        Effect::Arm { .. } => "arm",
        Effect::Answer { .. } => "answer",
        Effect::Relay { .. } => "relay",
        Effect::Release { alarm: None, .. } => "release",
        Effect::Release { alarm: Some(_), .. } => "alarm",
    }
}

fn short(state: &State) -> String {
    state.task().map_or_else(|| phase_name(state), |task| format!("does {}", task_name(task)))
}

/// One line for each phase and what follows, with the events that lead there; several next
/// phases are told apart by what was counted, seen or decided before.
#[test]
fn the_transition_table() {
    let mut rows: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for lens in LENSES {
        let graph = graph(lens);
        for (from, edges) in graph.edges.iter().enumerate() {
            let before = short(&graph.nodes[from].state);
            for edge in edges {
                let after = short(&graph.nodes[edge.to].state);
                let words: BTreeSet<&str> = edge.effects.iter().map(effect_word).collect();
                let words: Vec<&str> = words.into_iter().collect();
                let after = if after == before { "same".to_owned() } else { after };
                let next = format!("{after} {{{}}}", words.join(", "));
                if ASKS.contains(&next.as_str()) {
                    continue;
                }
                let event = edge.coarse.trim_start_matches("lane and ").to_owned();
                rows.entry((before.clone(), event)).or_default().insert(next);
            }
        }
    }
    let mut alike: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for ((before, event), next) in rows {
        let next = next.into_iter().collect::<Vec<_>>().join(" | ");
        alike.entry((before, next)).or_default().push(event);
    }
    let lines: Vec<String> = alike
        .into_iter()
        .map(|((before, next), events)| format!("{before} + {} -> {next}", events.join(" / ")))
        .collect();
    assert!(lines.len() < 450, "{} lines are too many to read", lines.len());
    insta::assert_snapshot!("transitions", lines.join("\n"));
}
