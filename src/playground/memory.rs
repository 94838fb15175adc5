//! The World's repository without a process: a [`Depot`] behind the [`Forge`] trait.

use std::collections::BTreeMap;
use std::path::Path;

use super::forge::{
    CommitDraft, CommitInfo, Entry, Expected, FileChange, Files, Forge, ForgeError, ForgeResult,
    Merged, is_script,
};
use crate::git::depot::{self, Blob, Change, Depot, DepotError, NewCommit, Tree};

/// A repository in memory; clones of the depot see the same repository.
#[derive(Clone, Debug, Default)]
pub struct MemoryForge {
    depot: Depot,
}

impl MemoryForge {
    pub fn new(depot: Depot) -> Self {
        Self { depot }
    }

    pub fn depot(&self) -> &Depot {
        &self.depot
    }
}

impl From<DepotError> for ForgeError {
    fn from(error: DepotError) -> Self {
        match error {
            DepotError::Missing(id) => Self::Missing(id),
            DepotError::Moved { name, .. } => Self::Moved(name),
        }
    }
}

impl Forge for MemoryForge {
    fn refs(&self) -> ForgeResult<BTreeMap<String, String>> {
        Ok(self.depot.refs())
    }

    fn read_ref(&self, name: &str) -> ForgeResult<Option<String>> {
        Ok(self.depot.read_ref(name))
    }

    fn update_ref(&self, name: &str, expected: Expected<'_>, new: Option<&str>) -> ForgeResult<()> {
        Ok(self.depot.update_ref(name, expected, new)?)
    }

    fn merge_tree(&self, base: Option<&str>, ours: &str, theirs: &str) -> ForgeResult<Merged> {
        let merge = self.depot.merge_tree(base, ours, theirs)?;
        Ok(if merge.is_clean() {
            Merged::Clean { tree: merge.tree_id }
        } else {
            Merged::Conflict { paths: merge.conflicts }
        })
    }

    fn commit_tree(&self, draft: &CommitDraft<'_>) -> ForgeResult<String> {
        Ok(self.depot.commit(&NewCommit {
            tree_id: draft.tree.to_owned(),
            parents: draft.parents.iter().map(|id| (*id).to_owned()).collect(),
            message: draft.message.to_owned(),
            author: draft.author.clone(),
            at_ms: draft.at_ms,
        })?)
    }

    fn write_files(&self, parent: Option<&str>, files: &Files) -> ForgeResult<String> {
        let mut tree = match parent {
            Some(id) => (*self.depot.tree(id)?).clone(),
            None => Tree::new(),
        };
        for (path, content) in files {
            match content {
                Some(bytes) => tree.insert(path.clone(), Blob::new(bytes)),
                None => tree.remove(path),
            };
        }
        Ok(self.depot.write_tree(tree))
    }

    fn write_plain(&self, parent: &str, files: &Files) -> ForgeResult<String> {
        self.write_files(Some(parent), files)
    }

    fn is_ancestor(&self, ancestor: &str, tip: &str) -> ForgeResult<bool> {
        Ok(self.depot.is_ancestor(ancestor, tip))
    }

    fn merge_base(&self, a: &str, b: &str) -> ForgeResult<Option<String>> {
        Ok(self.depot.merge_base(a, b))
    }

    fn read_file(&self, commit: &str, path: &str) -> ForgeResult<Option<Vec<u8>>> {
        Ok(self.depot.read(commit, path)?.map(|blob| blob.bytes.to_vec()))
    }

    fn list_tree(&self, commit: &str) -> ForgeResult<Vec<Entry>> {
        let tree = self.depot.tree(commit)?;
        let entry = |(path, blob): (&String, &Blob)| Entry {
            path: path.clone(),
            blob: blob.id.clone(),
            executable: is_script(path),
        };
        Ok(tree.iter().map(entry).collect())
    }

    fn diff(&self, from: &str, to: &str) -> ForgeResult<Vec<FileChange>> {
        Ok(self.depot.diff(from, to)?.iter().map(file_change).collect())
    }

    fn commits_between(
        &self,
        not: Option<&str>,
        tip: &str,
        max: usize,
    ) -> ForgeResult<Vec<CommitInfo>> {
        let log = self.depot.log(tip, not, max);
        Ok(log.iter().rev().map(|commit| info(commit)).collect())
    }

    fn commit_info(&self, id: &str) -> ForgeResult<Option<CommitInfo>> {
        Ok(self.depot.get(id).map(|commit| info(&commit)))
    }

    fn git_dir(&self) -> Option<&Path> {
        None
    }
}

fn info(commit: &depot::Commit) -> CommitInfo {
    CommitInfo {
        id: commit.id.clone(),
        tree: commit.tree_id.clone(),
        parents: commit.parents.clone(),
        message: commit.message.clone(),
        author: commit.author.clone(),
        at_ms: commit.at_ms,
    }
}

fn file_change(change: &Change) -> FileChange {
    let old = change.old.as_ref().map(|blob| &*blob.bytes).unwrap_or_default();
    let new = change.new.as_ref().map(|blob| &*blob.bytes).unwrap_or_default();
    let (old, new) = (depot::split_lines(old), depot::split_lines(new));
    let (mut additions, mut deletions, mut patch) = (0, 0, String::new());
    for hunk in depot::hunks(&old, &new) {
        additions += hunk.side.len() as u64;
        deletions += hunk.base.len() as u64;
        let header = format!(
            "@@ -{},{} +{},{} @@\n",
            hunk.base.start + usize::from(!hunk.base.is_empty()),
            hunk.base.len(),
            hunk.side.start + usize::from(!hunk.side.is_empty()),
            hunk.side.len()
        );
        patch.push_str(&header);
        put(&mut patch, '-', old.get(hunk.base).unwrap_or_default());
        put(&mut patch, '+', new.get(hunk.side).unwrap_or_default());
    }
    FileChange { path: change.path.clone(), kind: change.kind, additions, deletions, patch }
}

fn put(patch: &mut String, sign: char, lines: &[&[u8]]) {
    for line in lines {
        patch.push(sign);
        patch.push_str(&String::from_utf8_lossy(line));
        if !patch.ends_with('\n') {
            patch.push('\n');
        }
    }
}
