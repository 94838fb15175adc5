//! Exploration: every reachable state of the core, with its laws on every move and every path.

#![cfg(test)]

mod alphabet;
mod answers;
mod critique;
mod laws;
mod lens;
mod normal;
mod order;
mod paths;
mod table;
mod timers;
mod trust;
mod walk;
mod world;

use std::sync::OnceLock;

use lens::lenses;
use walk::{Graph, walk};

/// Walks are shared between tests; each is walked once.
static GRAPHS: [OnceLock<Graph>; 20] = [const { OnceLock::new() }; 20];

fn graph(name: &str) -> &'static Graph {
    let lenses = lenses();
    let found = lenses.iter().zip(&GRAPHS).find(|(lens, _)| lens.name == name);
    let (lens, graph) = found.unwrap_or_else(|| panic!("no lens {name}"));
    graph.get_or_init(|| walk(lens))
}

/// Every law of moves, while walking, then every law of paths.
fn explore(name: &str) {
    paths::hold(name, graph(name));
}

macro_rules! walks {
    ($($test:ident = $name:literal,)+) => {
        $(#[test]
        fn $test() {
            explore($name);
        })+
    };
}

walks! {
    building = "building",
    a_dry_run = "dry run",
    asking = "asking",
    checks = "checks",
    no_checks = "no checks",
    conflicts = "conflicts",
    updating = "updating",
    merging = "merging",
    queueing = "queueing",
    holding = "holding",
    rebasing = "rebasing",
    loose = "loose",
    on_approval = "approval",
    on_command = "command",
    never = "never",
    delicate_changes = "delicate",
    delicate_changes_where_nobody_is_asked = "delicate, nobody asked",
    critics = "critique",
    critics_where_nobody_is_asked = "critique, going on",
    delicate_changes_by_command = "delicate, by command",
}
