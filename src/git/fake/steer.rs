//! The base's configuration in a workspace in memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::workspaces::Notes;
use crate::gate::push::steers;
use crate::git::depot::Tree;

/// Puts everything that steers as it is in `trusted`, but for what is in conflict.
pub(super) fn steer(notes: &mut Notes, trusted: &Tree, conflicts: &[String]) {
    let mut start = (*notes.start).clone();
    let paths: BTreeSet<&String> = notes.start.keys().chain(trusted.keys()).collect();
    for path in paths {
        let (own, theirs) = (notes.start.get(path), trusted.get(path));
        if !steers(path) || conflicts.contains(path) || own == theirs {
            continue;
        }
        notes.replaced.insert(path.clone(), own.cloned());
        match theirs {
            Some(blob) => drop(start.insert(path.clone(), blob.clone())),
            None => drop(start.remove(path)),
        }
    }
    notes.start = Arc::new(start);
}
