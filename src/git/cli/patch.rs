//! What git's plumbing lists of two trees, and what its patch says: bytes in, entries out.

use crate::gate::push::{Line, Mode};
use crate::git::{ChangeKind, FileChange};

/// An entry that differs, and the object that is new.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) file: FileChange,
    pub(super) blob: String,
    /// A change of type is shown in a patch as a deletion and an addition.
    sections: usize,
}

/// Reads `--raw -z`; what was cut at the end is left out.
pub(super) fn entries(listed: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut tokens = listed.split(|byte| *byte == 0);
    while let Some(token) = tokens.next() {
        let (Some(raw), Some(path)) = (token.strip_prefix(b":"), tokens.next()) else { break };
        entries.push(entry(&String::from_utf8_lossy(raw), path));
    }
    entries
}

/// One raw record, such as `100644 100644 <sha> <sha> M`.
fn entry(raw: &str, path: &[u8]) -> Entry {
    let mut fields = raw.split(' ');
    let mut field = || fields.next().unwrap_or_default();
    let (before, after, _old, new, status) = (field(), field(), field(), field(), field());
    let kind = match status {
        "A" => ChangeKind::Added,
        "D" => ChangeKind::Deleted,
        _ => ChangeKind::Modified,
    };
    let file = FileChange {
        named: std::str::from_utf8(path).is_ok(),
        before: Mode::of(before),
        after: Mode::of(after),
        ..FileChange::new(String::from_utf8_lossy(path).into_owned(), kind)
    };
    Entry { file, blob: new.to_owned(), sections: if status == "T" { 2 } else { 1 } }
}

/// Gives each entry its lines. Sections come in the order of the entries, and within one only
/// content begins with `+` or `-` after the first `@@`, so no content can pass for a header.
pub(super) fn add_lines(entries: &mut [Entry], patch: &str) {
    let mut owners = entries.iter_mut().map(|entry| (entry.sections, &mut entry.file));
    let (mut current, mut left, mut number): (Option<&mut FileChange>, usize, Option<u32>) =
        (None, 0, None);
    for line in patch.split('\n') {
        if line.starts_with("diff --git ") {
            number = None;
            if left == 0 {
                let next = owners.next();
                left = next.as_ref().map_or(0, |(sections, _)| *sections);
                current = next.map(|(_, file)| file);
            }
            left = left.saturating_sub(1);
        } else if line.starts_with("@@ ") {
            number = Some(first_line(line));
        } else if let (Some(next), Some(file)) = (number.as_mut(), current.as_deref_mut()) {
            if let Some(text) = line.strip_prefix('+') {
                file.added = file.added.saturating_add(1);
                file.added_lines.push(Line { number: *next, text: text.to_owned() });
                *next = next.saturating_add(1);
            } else if let Some(text) = line.strip_prefix('-') {
                file.removed = file.removed.saturating_add(1);
                file.removed_lines.push(text.to_owned());
            }
        }
    }
}

/// Where the new lines of a hunk begin: `@@ -1,2 +3,4 @@`.
fn first_line(header: &str) -> u32 {
    let new = header.split(' ').nth(2).unwrap_or_default().trim_start_matches('+');
    new.split(',').next().and_then(|number| number.parse().ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_that_looks_like_a_patch_stays_content() {
        let sha = "0".repeat(40);
        let listed = format!(
            ":100644 100755 {sha} {sha} M\0a\tb\0:100644 120000 {sha} {sha} T\0l\0\
             :100644 000000 {sha} {sha} D\0z\0:160000 0000"
        );
        let mut found = entries(listed.as_bytes());
        let patch = "diff --git a b\n--- a\n+++ b\n@@ -1 +7,2 @@\n--- old\n+++ new\n\
                     +diff --git x y\n\
                     diff --git l l\ndeleted file\n--- l\n+++ /dev/null\n@@ -1 +0,0 @@\n-text\n\
                     diff --git l l\nnew file\n--- /dev/null\n+++ l\n@@ -0,0 +1 @@\n+target\n\
                     diff --git z z\n@@ -1 +0,0 @@\n-last\n";
        add_lines(&mut found, patch);
        let files: Vec<FileChange> = found.into_iter().map(|entry| entry.file).collect();
        assert_eq!((files.len(), files[0].path.as_str()), (3, "a\tb"));
        assert_eq!((files[0].added, files[0].removed), (2, 1));
        assert_eq!((files[0].before, files[0].after), (Mode::Plain, Mode::Runnable));
        assert_eq!(files[0].removed_lines, ["-- old"]);
        let line = |number, text: &str| Line { number, text: text.to_owned() };
        assert_eq!(files[0].added_lines, [line(7, "++ new"), line(8, "diff --git x y")]);
        assert_eq!((files[1].before, files[1].after), (Mode::Plain, Mode::Link));
        assert_eq!(files[1].removed_lines, ["text"]);
        assert_eq!(files[1].added_lines, [line(1, "target")]);
        assert_eq!((files[2].kind, &files[2].removed_lines[0][..]), (ChangeKind::Deleted, "last"));
    }
}
