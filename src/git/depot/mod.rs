//! An in-memory git repository: commits, refs, merge bases and three-way merges, with no process.
//!
//! A [`Depot`] is shared by cheap clones. Identifiers are 40 hexadecimal digits of content, so
//! the same history gives the same identifiers on every run. Where two commits have several best
//! merge bases the one of the greatest depth is taken (git would merge the bases first).

mod lines;
mod merge;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

pub use lines::{Hunk, Text, hunks, merge_text, split_lines};
pub use merge::{Change, ChangeKind, Merge, diff_trees};

/// The content of one file with its identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    pub id: String,
    pub bytes: Arc<[u8]>,
}

impl Blob {
    pub fn new(bytes: &[u8]) -> Self {
        Self { id: digest(&[b"blob", bytes]), bytes: Arc::from(bytes) }
    }

    /// The content as text; bytes that are no UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Path to content, every file of a commit.
pub type Tree = BTreeMap<String, Blob>;

/// A person as git names one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub name: String,
    pub email: String,
}

impl Person {
    pub fn new(name: &str, email: &str) -> Self {
        Self { name: name.to_owned(), email: email.to_owned() }
    }
}

/// A commit with its tree at hand.
#[derive(Clone, Debug)]
pub struct Commit {
    pub id: String,
    pub tree_id: String,
    pub tree: Arc<Tree>,
    pub parents: Vec<String>,
    pub message: String,
    pub author: Person,
    /// Milliseconds since the epoch, as given by the committer.
    pub at_ms: i64,
    /// One more than the deepest parent.
    pub depth: u64,
}

impl Commit {
    /// The values of the message's `Co-authored-by:` trailers.
    pub fn co_authors(&self) -> Vec<String> {
        let trailer = "co-authored-by:";
        self.message
            .lines()
            .filter(|line| line.to_ascii_lowercase().starts_with(trailer))
            .filter_map(|line| line.get(trailer.len()..))
            .map(|value| value.trim().to_owned())
            .collect()
    }
}

/// What a new commit is made of; the tree must be known to the depot.
#[derive(Clone, Debug)]
pub struct NewCommit {
    pub tree_id: String,
    pub parents: Vec<String>,
    pub message: String,
    pub author: Person,
    pub at_ms: i64,
}

/// What a ref must hold for an update to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected<'a> {
    Anything,
    Missing,
    At(&'a str),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DepotError {
    #[error("no such object: {0}")]
    Missing(String),
    #[error("ref {name} is at {found:?}, not where it was expected")]
    Moved { name: String, found: Option<String> },
}

#[derive(Debug, Default)]
struct Inner {
    trees: BTreeMap<String, Arc<Tree>>,
    commits: BTreeMap<String, Arc<Commit>>,
    refs: BTreeMap<String, String>,
}

/// An in-memory git repository, shared by its clones.
#[derive(Clone, Debug, Default)]
pub struct Depot {
    inner: Arc<Mutex<Inner>>,
}

impl Depot {
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores a tree and gives its identifier.
    pub fn write_tree(&self, tree: Tree) -> String {
        let id = tree_id(&tree);
        self.lock().trees.entry(id.clone()).or_insert_with(|| Arc::new(tree));
        id
    }

    /// The files of a commit or of a tree identifier.
    pub fn tree(&self, id: &str) -> Result<Arc<Tree>, DepotError> {
        let inner = self.lock();
        let found = inner.commits.get(id).map(|commit| Arc::clone(&commit.tree));
        found
            .or_else(|| inner.trees.get(id).cloned())
            .ok_or_else(|| DepotError::Missing(id.to_owned()))
    }

    /// Stores a commit; making the same commit twice gives the same identifier.
    pub fn commit(&self, new: &NewCommit) -> Result<String, DepotError> {
        let mut inner = self.lock();
        let missing = |id: &str| DepotError::Missing(id.to_owned());
        let tree = inner.trees.get(&new.tree_id).cloned().ok_or_else(|| missing(&new.tree_id))?;
        let mut depth = 0;
        for parent in &new.parents {
            depth = depth.max(inner.commits.get(parent).ok_or_else(|| missing(parent))?.depth);
        }
        let time = new.at_ms.to_string();
        let id = digest(&[
            b"commit",
            new.tree_id.as_bytes(),
            new.parents.join(" ").as_bytes(),
            new.message.as_bytes(),
            new.author.name.as_bytes(),
            new.author.email.as_bytes(),
            time.as_bytes(),
        ]);
        let commit = Commit {
            id: id.clone(),
            tree_id: new.tree_id.clone(),
            tree,
            parents: new.parents.clone(),
            message: new.message.clone(),
            author: new.author.clone(),
            at_ms: new.at_ms,
            depth: depth + 1,
        };
        inner.commits.entry(id.clone()).or_insert_with(|| Arc::new(commit));
        Ok(id)
    }

    /// Commits `files` (content, or `None` to delete) on top of a parent.
    pub fn commit_files(
        &self,
        parent: Option<&str>,
        files: &[(String, Option<Vec<u8>>)],
        message: &str,
        by: (&Person, i64),
    ) -> Result<String, DepotError> {
        let mut tree = match parent {
            Some(id) => (*self.tree(id)?).clone(),
            None => Tree::new(),
        };
        for (path, content) in files {
            match content {
                Some(bytes) => tree.insert(path.clone(), Blob::new(bytes)),
                None => tree.remove(path),
            };
        }
        let tree_id = self.write_tree(tree);
        self.commit(&NewCommit {
            tree_id,
            parents: parent.map(str::to_owned).into_iter().collect(),
            message: message.to_owned(),
            author: by.0.clone(),
            at_ms: by.1,
        })
    }

    pub fn get(&self, id: &str) -> Option<Arc<Commit>> {
        self.lock().commits.get(id).cloned()
    }

    /// A file's content at a commit or tree.
    pub fn read(&self, id: &str, path: &str) -> Result<Option<Blob>, DepotError> {
        Ok(self.tree(id)?.get(path).cloned())
    }

    pub fn refs(&self) -> BTreeMap<String, String> {
        self.lock().refs.clone()
    }

    pub fn read_ref(&self, name: &str) -> Option<String> {
        self.lock().refs.get(name).cloned()
    }

    /// Compare-and-swap of one ref; `None` as the new value deletes it.
    pub fn update_ref(
        &self,
        name: &str,
        expected: Expected<'_>,
        new: Option<&str>,
    ) -> Result<(), DepotError> {
        let mut inner = self.lock();
        let found = inner.refs.get(name).cloned();
        let as_expected = match expected {
            Expected::Anything => true,
            Expected::Missing => found.is_none(),
            Expected::At(id) => found.as_deref() == Some(id),
        };
        if !as_expected {
            return Err(DepotError::Moved { name: name.to_owned(), found });
        }
        match new {
            Some(id) if inner.commits.contains_key(id) => {
                inner.refs.insert(name.to_owned(), id.to_owned());
            }
            Some(id) => return Err(DepotError::Missing(id.to_owned())),
            None => {
                inner.refs.remove(name);
            }
        }
        Ok(())
    }

    /// Whether `ancestor` is reachable from `tip`; a commit is its own ancestor.
    pub fn is_ancestor(&self, ancestor: &str, tip: &str) -> bool {
        let inner = self.lock();
        let Some(floor) = inner.commits.get(ancestor).map(|commit| commit.depth) else {
            return false;
        };
        inner.reachable(tip, floor).contains(ancestor)
    }

    pub fn merge_base(&self, a: &str, b: &str) -> Option<String> {
        let inner = self.lock();
        let left = inner.reachable(a, 0);
        let right = inner.reachable(b, 0);
        left.intersection(&right)
            .filter_map(|id| inner.commits.get(id))
            .max_by_key(|commit| (commit.depth, &commit.id))
            .map(|commit| commit.id.clone())
    }

    /// Merges `theirs` into `ours`; the base is found when none is given.
    pub fn merge_tree(
        &self,
        base: Option<&str>,
        ours: &str,
        theirs: &str,
    ) -> Result<Merge, DepotError> {
        let base = base.map(str::to_owned).or_else(|| self.merge_base(ours, theirs));
        let base = match base {
            Some(id) => self.tree(&id)?,
            None => Arc::default(),
        };
        let merge = merge::merge_trees(&base, &*self.tree(ours)?, &*self.tree(theirs)?);
        self.write_tree(merge.tree.clone());
        Ok(merge)
    }

    pub fn diff(&self, from: &str, to: &str) -> Result<Vec<Change>, DepotError> {
        Ok(diff_trees(&*self.tree(from)?, &*self.tree(to)?))
    }

    /// Commits reachable from `tip` and not from `not`, deepest first, at most `max`.
    pub fn log(&self, tip: &str, not: Option<&str>, max: usize) -> Vec<Arc<Commit>> {
        let inner = self.lock();
        let hidden = not.map(|id| inner.reachable(id, 0)).unwrap_or_default();
        let mut found: Vec<Arc<Commit>> = inner
            .reachable(tip, 0)
            .difference(&hidden)
            .filter_map(|id| inner.commits.get(id).cloned())
            .collect();
        found.sort_by(|a, b| (b.depth, &b.id).cmp(&(a.depth, &a.id)));
        found.truncate(max);
        found
    }
}

impl Inner {
    /// Everything reachable from `tip` that is at least `floor` deep.
    fn reachable(&self, tip: &str, floor: u64) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut open = vec![tip.to_owned()];
        while let Some(id) = open.pop() {
            let Some(commit) = self.commits.get(&id).filter(|commit| commit.depth >= floor) else {
                continue;
            };
            if seen.insert(id) {
                open.extend(commit.parents.iter().cloned());
            }
        }
        seen
    }
}

/// The identifier a tree of this content has.
pub fn tree_id(tree: &Tree) -> String {
    let mut hash = Sha256::new();
    hash.update(b"tree");
    for (path, blob) in tree {
        hash.update(path.as_bytes());
        hash.update([0]);
        hash.update(blob.id.as_bytes());
    }
    shorten(&hash.finalize())
}

fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    shorten(&hash.finalize())
}

fn shorten(digest: &[u8]) -> String {
    let mut id = hex::encode(digest);
    id.truncate(40);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(list: &[(&str, &str)]) -> Vec<(String, Option<Vec<u8>>)> {
        list.iter().map(|(p, c)| ((*p).to_owned(), Some(c.as_bytes().to_vec()))).collect()
    }

    #[test]
    fn merges_distant_edits_and_refuses_touching_ones() {
        let depot = Depot::new();
        let me = Person::new("me", "me@example.org");
        let commit = |parent: Option<&str>, text: &str, at| {
            depot.commit_files(parent, &files(&[("f", text)]), "m", (&me, at)).unwrap()
        };
        let root = commit(None, "1\n2\n3\n4\n5\n", 1);
        let top = commit(Some(&root), "one\n2\n3\n4\n5\n", 2);
        let low = commit(Some(&root), "1\n2\n3\n4\nfive\n", 3);
        let second = commit(Some(&root), "1\ntwo\n3\n4\n5\n", 4);
        let merged = depot.merge_tree(None, &top, &low).unwrap();
        assert!(merged.is_clean());
        assert_eq!(merged.tree["f"].text(), "one\n2\n3\n4\nfive\n");
        let clash = depot.merge_tree(None, &top, &second).unwrap();
        assert_eq!(clash.conflicts, ["f"], "neighbouring lines clash, as in git");
        assert!(clash.tree["f"].text().contains("<<<<<<< "));
        assert_eq!(depot.merge_base(&top, &low), Some(root.clone()));
        assert!(depot.is_ancestor(&root, &top) && !depot.is_ancestor(&top, &root));
        assert_eq!(depot.log(&top, Some(&low), 9).len(), 1);
    }

    #[test]
    fn a_ref_moves_only_from_where_it_was_expected() {
        let depot = Depot::new();
        let me = Person::new("me", "me@example.org");
        let a = depot.commit_files(None, &files(&[("f", "a")]), "a", (&me, 1)).unwrap();
        let b = depot.commit_files(Some(&a), &files(&[("f", "b")]), "b", (&me, 2)).unwrap();
        depot.update_ref("refs/heads/main", Expected::Missing, Some(&a)).unwrap();
        let stale = depot.update_ref("refs/heads/main", Expected::At(&b), Some(&b));
        assert!(matches!(stale, Err(DepotError::Moved { .. })));
        depot.update_ref("refs/heads/main", Expected::At(&a), Some(&b)).unwrap();
        assert_eq!(depot.read_ref("refs/heads/main"), Some(b));
    }
}
