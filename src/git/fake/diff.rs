//! What differs between the start of a workspace and its files in memory.

use std::collections::{BTreeMap, BTreeSet};

use crate::git::depot::{Blob, Tree, hunks, split_lines};
use crate::git::{CHANGE_LINES_MAX, CHANGES_MAX, ChangeKind, Changes, FileChange};

pub(super) fn changes(
    start: &Tree,
    files: &BTreeMap<String, String>,
    conflicts: &[String],
) -> Changes {
    let paths: BTreeSet<&String> = start.keys().chain(files.keys()).collect();
    let all = paths.into_iter();
    let mut found: Vec<FileChange> =
        all.filter_map(|path| change(path, start.get(path), files.get(path))).collect();
    let truncated = found.len() > CHANGES_MAX;
    found.truncate(CHANGES_MAX);
    Changes { files: found, truncated, markers: markers(files, conflicts) }
}

/// The files in conflict that still show it.
pub(super) fn markers(files: &BTreeMap<String, String>, conflicts: &[String]) -> Vec<String> {
    let marker = |line: &str| {
        ["<<<<<<< ", "||||||| ", ">>>>>>> "].iter().any(|marker| line.starts_with(marker))
    };
    let unresolved = |path: &&String| files.get(*path).is_some_and(|text| text.lines().any(marker));
    conflicts.iter().filter(unresolved).cloned().collect()
}

fn change(path: &str, old: Option<&Blob>, new: Option<&String>) -> Option<FileChange> {
    let before = old.map(Blob::text);
    let kind = match (&before, new) {
        (None, None) => return None,
        (Some(before), Some(after)) if before == after => return None,
        (None, Some(_)) => ChangeKind::Added,
        (Some(_), Some(_)) => ChangeKind::Modified,
        (Some(_), None) => ChangeKind::Deleted,
    };
    let before = before.unwrap_or_default();
    let after = new.cloned().unwrap_or_default();
    let binary = before.contains('\0') || after.contains('\0');
    let (mut removed_lines, mut added_lines) = (Vec::new(), Vec::new());
    if !binary {
        let (left, right) = (split_lines(before.as_bytes()), split_lines(after.as_bytes()));
        for hunk in hunks(&left, &right) {
            removed_lines.extend(lines(left.get(hunk.base)));
            added_lines.extend(lines(right.get(hunk.side)));
        }
    }
    let count = |lines: &[String]| u32::try_from(lines.len()).unwrap_or(u32::MAX);
    let (added, removed) = (count(&added_lines), count(&removed_lines));
    added_lines.truncate(CHANGE_LINES_MAX);
    removed_lines.truncate(CHANGE_LINES_MAX);
    Some(FileChange {
        path: path.to_owned(),
        kind,
        added,
        removed,
        removed_lines,
        added_lines,
        binary,
        special: false,
    })
}

fn lines(stretch: Option<&[&[u8]]>) -> Vec<String> {
    let text = |line: &&[u8]| String::from_utf8_lossy(line).trim_end_matches('\n').to_owned();
    stretch.unwrap_or_default().iter().map(text).collect()
}
