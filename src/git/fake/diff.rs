//! What differs between two trees in memory, where every file is a plain one.

use std::collections::{BTreeMap, BTreeSet};

use crate::gate::push::{Content, Line};
use crate::git::depot::{Blob, Tree, hunks, split_lines};
use crate::git::{CHANGES_MAX, ChangeKind, Changes, FileChange, Near};
use crate::model::CommitSha;

pub(super) fn changes(from: &CommitSha, old: &Tree, new: &Tree) -> Changes {
    let paths: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let all = paths.into_iter();
    let mut files: Vec<FileChange> =
        all.filter_map(|path| change(path, old.get(path), new.get(path))).collect();
    let truncated = files.len() > CHANGES_MAX;
    files.truncate(CHANGES_MAX);
    let lines = |file: &FileChange| {
        let added: usize = file.added_lines.iter().map(|line| line.text.len() + 2).sum();
        let removed: usize = file.removed_lines.iter().map(|line| line.len() + 2).sum();
        (added + removed) as u64
    };
    let patch_bytes = files.iter().map(lines).sum();
    let added = files.iter().any(|file| file.kind == ChangeKind::Added);
    let near = if added { near(new) } else { Vec::new() };
    let from = Some(from.clone());
    Changes { files, truncated, markers: Vec::new(), near, patch_bytes, from }
}

/// Every place of the tree.
fn near(tree: &Tree) -> Vec<Near> {
    let places = tree.keys().flat_map(|path| {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        ends.filter_map(|end| path.get(..end))
    });
    let places: BTreeSet<&str> = places.collect();
    places.into_iter().map(|path| Near { path: path.to_owned(), link: false }).collect()
}

/// The files in conflict that still show it.
pub(super) fn markers(files: &BTreeMap<String, String>, conflicts: &[String]) -> Vec<String> {
    let marker = |line: &str| {
        ["<<<<<<< ", "||||||| ", ">>>>>>> "].iter().any(|marker| line.starts_with(marker))
    };
    let unresolved = |path: &&String| files.get(*path).is_some_and(|text| text.lines().any(marker));
    conflicts.iter().filter(unresolved).cloned().collect()
}

fn change(path: &str, old: Option<&Blob>, new: Option<&Blob>) -> Option<FileChange> {
    let kind = match (old, new) {
        (None, None) => return None,
        (Some(before), Some(after)) if before.bytes == after.bytes => return None,
        (None, Some(_)) => ChangeKind::Added,
        (Some(_), Some(_)) => ChangeKind::Modified,
        (Some(_), None) => ChangeKind::Deleted,
    };
    let bytes = |blob: Option<&Blob>| blob.map_or_else(Vec::new, |blob| blob.bytes.to_vec());
    let (before, after) = (bytes(old), bytes(new));
    let mut file = FileChange {
        content: new.map_or(Content::Nothing, |blob| Content::of(&blob.bytes)),
        bytes: after.len() as u64,
        ..FileChange::new(path.to_owned(), kind)
    };
    if before.contains(&0) || after.contains(&0) {
        return Some(file);
    }
    let (left, right) = (split_lines(&before), split_lines(&after));
    for hunk in hunks(&left, &right) {
        let first = u32::try_from(hunk.side.start).unwrap_or(u32::MAX).saturating_add(1);
        file.removed_lines.extend(lines(left.get(hunk.base)));
        let added = lines(right.get(hunk.side));
        let numbered = (first..).zip(added).map(|(number, text)| Line { number, text });
        file.added_lines.extend(numbered);
    }
    file.added = u32::try_from(file.added_lines.len()).unwrap_or(u32::MAX);
    file.removed = u32::try_from(file.removed_lines.len()).unwrap_or(u32::MAX);
    Some(file)
}

fn lines(stretch: Option<&[&[u8]]>) -> Vec<String> {
    let text = |line: &&[u8]| String::from_utf8_lossy(line).trim_end_matches('\n').to_owned();
    stretch.unwrap_or_default().iter().map(text).collect()
}
