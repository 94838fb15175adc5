//! What differs between a workspace and its start, read from git's plumbing.

use std::collections::BTreeMap;

use super::Cli;
use super::staging::markers_left;
use crate::git::{
    CHANGE_LINES_MAX, CHANGES_MAX, ChangeKind, Changes, Error, FileChange, Workspace,
};
use crate::model::{CommitSha, Repo, text};

/// Characters of one listed line.
const LINE_CHARS_MAX: usize = 500;
/// Bytes of the patch that are looked at.
const PATCH_BYTES_MAX: usize = 4 << 20;

impl Cli {
    pub(super) async fn read_changes(&self, workspace: &Workspace) -> Result<Changes, Error> {
        let markers = markers_left(workspace);
        let held = self.stage(workspace).await?;
        if !held.is_empty() {
            return Ok(cut(Changes { files: held, truncated: false, markers }));
        }
        let start = self.start_of(workspace)?;
        let diff = ["diff-index", "--cached", "--no-renames", "--no-ext-diff", "--no-textconv"];
        let diff = || {
            let call = self.within(workspace)?.args(diff);
            Ok::<_, Error>(call.args(["--ignore-submodules=none"]))
        };
        let listed = diff()?
            .args(["--raw", "--numstat", "-z", "--abbrev=40", start.as_str()])
            .run()
            .await?
            .bytes()?;
        let mut entries = listed_files(&listed);
        let patch = diff()?
            .args(["--patch", "--unified=0", "--no-color", "--no-prefix", start.as_str()])
            .bytes_max(PATCH_BYTES_MAX)
            .run()
            .await?;
        add_lines(&mut entries, &String::from_utf8_lossy(patch.stdout.beginning()));
        let files = entries.into_iter().map(|entry| entry.file).collect();
        Ok(cut(Changes { files, truncated: false, markers }))
    }
}

impl Cli {
    pub(super) async fn read_difference(
        &self,
        repo: &Repo,
        from: &CommitSha,
        to: &CommitSha,
    ) -> Result<Changes, Error> {
        let diff = ["diff-tree", "-r", "--no-renames", "--no-ext-diff", "--no-textconv"];
        let diff = || self.on(repo).args(diff).args(["--ignore-submodules=none"]);
        let range = [from.as_str(), to.as_str()];
        let listed = diff().args(["--raw", "--numstat", "-z", "--abbrev=40"]).args(range);
        let listed = listed.answer().await?;
        if listed.code != 0 {
            return Err(self.why(repo, &[from, to], &listed).await);
        }
        let mut entries = listed_files(&listed.bytes()?);
        let patch = diff()
            .args(["--patch", "--unified=0", "--no-color", "--no-prefix"])
            .args(range)
            .bytes_max(PATCH_BYTES_MAX)
            .run()
            .await?;
        add_lines(&mut entries, &String::from_utf8_lossy(patch.stdout.beginning()));
        let files = entries.into_iter().map(|entry| entry.file).collect();
        Ok(cut(Changes { files, truncated: false, markers: Vec::new() }))
    }
}

fn cut(mut changes: Changes) -> Changes {
    changes.truncated = changes.files.len() > CHANGES_MAX;
    changes.files.truncate(CHANGES_MAX);
    changes
}

struct Entry {
    file: FileChange,
    /// A change of type is shown in a patch as a deletion and an addition.
    sections: usize,
}

/// Reads `--raw --numstat -z`: all raw records, then all counts.
fn listed_files(listed: &[u8]) -> Vec<Entry> {
    let (mut entries, mut counts) = (Vec::new(), BTreeMap::new());
    let mut tokens = listed.split(|byte| *byte == 0);
    while let Some(token) = tokens.next() {
        if let Some(raw) = token.strip_prefix(b":") {
            let path = tokens.next().unwrap_or_default();
            entries.push(entry(&String::from_utf8_lossy(raw), path));
            continue;
        }
        let token = String::from_utf8_lossy(token);
        let mut parts = token.splitn(3, '\t');
        if let (Some(added), Some(removed), Some(path)) = (parts.next(), parts.next(), parts.next())
        {
            let count = (added.parse().ok(), removed.parse().ok());
            counts.insert(path.to_owned(), count);
        }
    }
    for entry in &mut entries {
        match counts.get(&entry.file.path) {
            Some((Some(added), Some(removed))) => {
                (entry.file.added, entry.file.removed) = (*added, *removed);
            }
            Some(_) => entry.file.binary = true,
            None => {}
        }
    }
    entries
}

/// One raw record, such as `100644 100644 <sha> <sha> M`.
fn entry(raw: &str, path: &[u8]) -> Entry {
    let mut fields = raw.split(' ');
    let plain = |mode: Option<&str>| matches!(mode, Some("000000" | "100644" | "100755"));
    let (old, new) = (plain(fields.next()), plain(fields.next()));
    let status = fields.nth(2).unwrap_or_default();
    let kind = match status {
        "A" => ChangeKind::Added,
        "D" => ChangeKind::Deleted,
        _ => ChangeKind::Modified,
    };
    let file = FileChange {
        path: String::from_utf8_lossy(path).into_owned(),
        kind,
        added: 0,
        removed: 0,
        removed_lines: Vec::new(),
        added_lines: Vec::new(),
        binary: false,
        special: !old || !new || std::str::from_utf8(path).is_err(),
    };
    Entry { file, sections: if status == "T" { 2 } else { 1 } }
}

/// Gives each entry its lines. Sections come in the order of the entries, and within one only
/// content begins with `+` or `-` after the first `@@`, so no content can pass for a header.
fn add_lines(entries: &mut [Entry], patch: &str) {
    let mut owners = entries.iter_mut().map(|entry| (entry.sections, &mut entry.file));
    let (mut current, mut left, mut content): (Option<&mut FileChange>, usize, bool) =
        (None, 0, false);
    for line in patch.split('\n') {
        if line.starts_with("diff --git ") {
            content = false;
            if left == 0 {
                let next = owners.next();
                left = next.as_ref().map_or(0, |(sections, _)| *sections);
                current = next.map(|(_, file)| file);
            }
            left = left.saturating_sub(1);
        } else if line.starts_with("@@ ") {
            content = true;
        } else if let (true, Some(file)) = (content, current.as_deref_mut()) {
            let (lines, rest) = match (line.strip_prefix('+'), line.strip_prefix('-')) {
                (Some(rest), _) => (&mut file.added_lines, rest),
                (None, Some(rest)) => (&mut file.removed_lines, rest),
                (None, None) => continue,
            };
            if lines.len() < CHANGE_LINES_MAX {
                lines.push(text::cut(rest, LINE_CHARS_MAX));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_that_looks_like_a_patch_stays_content() {
        let sha = "0".repeat(40);
        let listed = format!(
            ":100644 100644 {sha} {sha} M\0a\tb\0:100644 120000 {sha} {sha} T\0l\0\
             :100644 000000 {sha} {sha} D\0z\0\
             2\t1\ta\tb\0-\t-\tl\00\t1\tz\0"
        );
        let mut entries = listed_files(listed.as_bytes());
        let patch = "diff --git a b\n--- a\n+++ b\n@@ -1 +1,2 @@\n--- old\n+++ new\n\
                     +diff --git x y\n\
                     diff --git l l\ndeleted file\n--- l\n+++ /dev/null\n@@ -1 +0,0 @@\n-text\n\
                     diff --git l l\nnew file\n--- /dev/null\n+++ l\n@@ -0,0 +1 @@\n+target\n\
                     diff --git z z\n@@ -1 +0,0 @@\n-last\n";
        add_lines(&mut entries, patch);
        let files: Vec<FileChange> = entries.into_iter().map(|entry| entry.file).collect();
        assert_eq!(files[0].path, "a\tb");
        assert_eq!((files[0].added, files[0].removed, files[0].binary), (2, 1, false));
        assert_eq!(files[0].removed_lines, ["-- old"]);
        assert_eq!(files[0].added_lines, ["++ new", "diff --git x y"]);
        assert!(files[1].special && files[1].binary && !files[0].special);
        assert_eq!(
            (&files[1].removed_lines[..], &files[1].added_lines[..]),
            (&["text".to_owned()][..], &["target".to_owned()][..])
        );
        assert_eq!((files[2].kind, &files[2].removed_lines[0][..]), (ChangeKind::Deleted, "last"));
    }
}
