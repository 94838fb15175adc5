//! Reads: what an agent could have written is read in one place, without following anything.

use super::source::{Finding, Source};

/// Where workspaces are dealt with.
const WATCHED: [&str; 3] = ["src/git/", "src/worker/perform/", "src/agent/result.rs"];
/// The one way to read what strangers left, and what reads our own notes.
const ALLOWED: [&str; 2] = ["src/git/cli/untrusted.rs", "src/git/cli/notes.rs"];
/// Whole files of tests.
const TESTS: [&str; 3] = ["/attacks/", "/ground.rs", "/tests.rs"];
/// Ways to open a file that follow whatever lies there.
const FOLLOWING: [&str; 4] = ["fs::read(", "read_to_string(", "File::open(", "OpenOptions::"];

pub(super) fn check(source: &Source) -> Vec<Finding> {
    let path = source.path.as_str();
    let watched = WATCHED.iter().any(|watched| path.starts_with(watched));
    if !watched || ALLOWED.contains(&path) || TESTS.iter().any(|test| path.contains(test)) {
        return Vec::new();
    }
    let shipped = source.text.lines().enumerate().take_while(|(_, line)| *line != "#[cfg(test)]");
    let found = shipped.filter(|(_, line)| FOLLOWING.iter().any(|call| line.contains(call)));
    let advice = "an agent could have put a link there: read it through `untrusted`";
    found.map(|(at, _)| source.finding("untrusted-read", at + 1, advice.to_owned())).collect()
}
