//! Three-way merge and difference of whole trees.

use super::lines::merge_text;
use super::{Blob, Tree, tree_id};

/// A merged tree; the paths in conflict hold markers or, when one side deleted, the kept side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    pub tree_id: String,
    pub tree: Tree,
    pub conflicts: Vec<String>,
}

impl Merge {
    pub fn is_clean(&self) -> bool {
        self.conflicts.is_empty()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    Added,
    Modified,
    Removed,
}

/// One file that differs between two trees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub path: String,
    pub kind: ChangeKind,
    pub old: Option<Blob>,
    pub new: Option<Blob>,
}

/// The files that differ, in path order.
pub fn diff_trees(from: &Tree, to: &Tree) -> Vec<Change> {
    let mut changes = Vec::new();
    for path in paths(&[from, to]) {
        let (old, new) = (from.get(path), to.get(path));
        let kind = match (old, new) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Removed,
            (Some(a), Some(b)) if a.id == b.id => continue,
            (Some(_), Some(_)) => ChangeKind::Modified,
        };
        changes.push(Change { path: path.clone(), kind, old: old.cloned(), new: new.cloned() });
    }
    changes
}

fn paths<'a>(trees: &[&'a Tree]) -> Vec<&'a String> {
    let mut all: Vec<&String> = trees.iter().flat_map(|tree| tree.keys()).collect();
    all.sort();
    all.dedup();
    all
}

pub(super) fn merge_trees(base: &Tree, ours: &Tree, theirs: &Tree) -> Merge {
    let (mut tree, mut conflicts) = (Tree::new(), Vec::new());
    for path in paths(&[base, ours, theirs]) {
        let (content, clean) = merge_file(base.get(path), ours.get(path), theirs.get(path));
        if let Some(blob) = content {
            tree.insert(path.clone(), blob);
        }
        if !clean {
            conflicts.push(path.clone());
        }
    }
    Merge { tree_id: tree_id(&tree), tree, conflicts }
}

fn merge_file(
    base: Option<&Blob>,
    ours: Option<&Blob>,
    theirs: Option<&Blob>,
) -> (Option<Blob>, bool) {
    if ours == theirs || theirs == base {
        return (ours.cloned(), true);
    }
    if ours == base {
        return (theirs.cloned(), true);
    }
    let (Some(left), Some(right)) = (ours, theirs) else {
        return (ours.or(theirs).cloned(), false);
    };
    let is_binary = |blob: &Blob| blob.bytes.contains(&0);
    if is_binary(left) || is_binary(right) {
        return (ours.cloned(), false);
    }
    let origin = base.map(|blob| &*blob.bytes).unwrap_or_default();
    let merged = merge_text(origin, &left.bytes, &right.bytes);
    (Some(Blob::new(&merged.bytes)), merged.conflicts == 0)
}
