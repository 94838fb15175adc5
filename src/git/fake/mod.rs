//! Git without a process: the same contract on in-memory repositories.
//!
//! The remote's [`Depot`] doubles as the mirror; what was never fetched or made here counts as
//! missing all the same. Workspaces are maps shared with the fake sandbox.

mod diff;
mod plain;
mod steer;
mod workspaces;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use self::workspaces::Notes;
use super::depot::{Depot, DepotError, Expected, Merge as Merged, NewCommit, Person};
use super::{
    Changes, Committed, Error, Git, Import, Message, PATHS_MAX, Packing, Plain, Push, PushAnswer,
    RESULT_PATH, Sight, Sought, Texts, Workspace, WorkspaceOrder, sight,
};
use crate::gate::seen::{Merge, Probe};
use crate::github::Remote;
use crate::model::{BranchName, CommitSha, Repo, TreeSha};

/// The files of every workspace, by its key; shared with whoever edits them.
pub type Directories = Arc<Mutex<BTreeMap<String, BTreeMap<String, String>>>>;

/// The other end: whoever holds the repositories that are fetched from and pushed to.
pub trait Remotes: Send + Sync {
    /// The repository behind `remote`, as it is now.
    fn depot(&self, remote: &Remote) -> Result<Depot, Error>;

    /// Receives a push. A forge that has rules or tells others overrides this.
    fn push(&self, remote: &Remote, push: &Push) -> Result<PushAnswer, Error> {
        push_to(&self.depot(remote)?, push)
    }
}

/// Moves a branch of `depot` under the lease, as git does.
pub fn push_to(depot: &Depot, push: &Push) -> Result<PushAnswer, Error> {
    let name = push.branch.reference();
    let new = push.new.as_ref().map(CommitSha::as_str);
    if depot.read_ref(&name).as_deref() == new {
        return Ok(PushAnswer::Pushed);
    }
    let expected = push.expect.as_ref().map_or(Expected::Missing, |at| Expected::At(at.as_str()));
    match depot.update_ref(&name, expected, new) {
        Ok(()) => Ok(PushAnswer::Pushed),
        Err(DepotError::Moved { found, .. }) => {
            let actual = found.as_deref().map(commit_sha).transpose()?;
            Ok(PushAnswer::Stale { actual })
        }
        Err(DepotError::Missing(id)) => Err(Error::Missing(id)),
    }
}

/// The fake. Clones share everything, as two processes share a disk.
#[derive(Clone)]
pub struct Fake {
    remotes: Arc<dyn Remotes>,
    directories: Directories,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    mirrors: BTreeMap<Repo, Mirror>,
    notes: BTreeMap<String, Notes>,
}

#[derive(Default, Clone)]
struct Mirror {
    depot: Depot,
    /// Tips of what was fetched and made; they and their ancestors are here.
    tips: BTreeSet<String>,
}

impl Mirror {
    fn need<'a>(&self, commit: &'a CommitSha) -> Result<&'a str, Error> {
        let id = commit.as_str();
        let here =
            self.tips.contains(id) || self.tips.iter().any(|tip| self.depot.is_ancestor(id, tip));
        if here { Ok(id) } else { Err(Error::Missing(id.to_owned())) }
    }

    fn tree_of(&self, commit: &CommitSha) -> Result<TreeSha, Error> {
        let found = self.depot.get(self.need(commit)?);
        let found = found.ok_or_else(|| Error::Missing(commit.to_string()))?;
        tree_sha(&found.tree_id)
    }

    fn merge(&self, ours: &CommitSha, theirs: &CommitSha) -> Result<Merged, Error> {
        let (ours, theirs) = (self.need(ours)?, self.need(theirs)?);
        self.depot.merge_tree(None, ours, theirs).map_err(missing)
    }
}

impl Fake {
    pub fn new(remotes: Arc<dyn Remotes>, directories: Directories) -> Self {
        Self { remotes, directories, inner: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mirror(&self, repo: &Repo) -> Mirror {
        self.lock().mirrors.get(repo).cloned().unwrap_or_default()
    }

    /// Commits `tree` and keeps it.
    fn commit_tree(
        &self,
        repo: &Repo,
        tree_id: &str,
        parents: &[&CommitSha],
        message: &Message,
    ) -> Result<Committed, Error> {
        let (name, email) = Message::AUTHOR;
        let new = NewCommit {
            tree_id: tree_id.to_owned(),
            parents: parents.iter().map(ToString::to_string).collect(),
            message: message.full(),
            author: Person::new(name, email),
            at_ms: message.at_seconds.max(0).saturating_mul(1_000),
        };
        let mut inner = self.lock();
        let mirror = inner.mirrors.entry(repo.clone()).or_default();
        let id = mirror.depot.commit(&new).map_err(missing)?;
        mirror.tips.insert(id.clone());
        Ok(Committed { commit: commit_sha(&id)?, tree: tree_sha(tree_id)? })
    }
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fake").finish_non_exhaustive()
    }
}

#[async_trait]
impl Git for Fake {
    async fn fetch(
        &self,
        remote: &Remote,
        branches: &[BranchName],
    ) -> Result<BTreeMap<BranchName, CommitSha>, Error> {
        let depot = self.remotes.depot(remote)?;
        let mut found = BTreeMap::new();
        for branch in branches {
            if let Some(id) = depot.read_ref(&branch.reference()) {
                found.insert(branch.clone(), commit_sha(&id)?);
            }
        }
        let mut inner = self.lock();
        let mirror = inner.mirrors.entry(remote.repo.clone()).or_default();
        mirror.depot = depot;
        mirror.tips.extend(found.values().map(ToString::to_string));
        Ok(found)
    }

    async fn probe(&self, repo: &Repo, base: &CommitSha, head: &CommitSha) -> Result<Probe, Error> {
        let mirror = self.mirror(repo);
        let contains_base = mirror.depot.is_ancestor(mirror.need(base)?, mirror.need(head)?);
        let merge = if contains_base {
            Merge::Clean { tree: mirror.tree_of(head)? }
        } else {
            let merged = mirror.merge(base, head)?;
            if merged.is_clean() {
                Merge::Clean { tree: tree_sha(&merged.tree_id)? }
            } else {
                Merge::Conflict { paths: merged.conflicts }
            }
        };
        Ok(Probe { head: head.clone(), base: base.clone(), contains_base, merge })
    }

    async fn workspace(&self, order: &WorkspaceOrder) -> Result<Workspace, Error> {
        self.make_workspace(order)
    }

    async fn packing(&self, workspace: &Workspace) -> Result<Packing, Error> {
        self.notes(&workspace.key)?;
        Ok(Packing {
            program: "packing".to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            directory: workspace.path.clone(),
            read_only: Vec::new(),
        })
    }

    async fn import(&self, workspace: &Workspace) -> Result<Import, Error> {
        self.take(workspace)
    }

    async fn result(&self, workspace: &Workspace) -> Result<Option<Vec<u8>>, Error> {
        let files = self.files(&workspace.key)?;
        Ok(files.get(RESULT_PATH).map(|text| text.clone().into_bytes()))
    }

    async fn question(&self, workspace: &Workspace) -> Result<Option<Vec<u8>>, Error> {
        self.question_of(&workspace.key)
    }

    async fn changes(&self, workspace: &Workspace) -> Result<Changes, Error> {
        let (notes, files) = self.taken(&workspace.key)?;
        let now = Self::tree_now(&notes.start, &files);
        let markers = diff::markers(&files, &workspace.conflicts);
        Ok(Changes { markers, ..diff::changes(&workspace.at, &notes.start, &now) })
    }

    async fn between(
        &self,
        repo: &Repo,
        base: &CommitSha,
        head: &CommitSha,
    ) -> Result<Changes, Error> {
        let mirror = self.mirror(repo);
        let (base, head) = (mirror.need(base)?, mirror.need(head)?);
        let Some(from) = mirror.depot.merge_base(base, head) else {
            return Ok(Changes::default());
        };
        let tree = |id: &str| mirror.depot.tree(id).map_err(missing);
        Ok(diff::changes(&commit_sha(&from)?, &*tree(&from)?, &*tree(head)?))
    }

    async fn plant(&self, workspace: &Workspace, path: &str, text: &str) -> Result<(), Error> {
        self.plant_file(workspace, path, text)
    }

    async fn commit(
        &self,
        workspace: &Workspace,
        message: &Message,
    ) -> Result<Option<Committed>, Error> {
        self.commit_workspace(workspace, message)
    }

    async fn merge(
        &self,
        repo: &Repo,
        head: &CommitSha,
        base: &CommitSha,
        message: &Message,
    ) -> Result<Option<Committed>, Error> {
        let mirror = self.mirror(repo);
        if mirror.depot.is_ancestor(mirror.need(base)?, mirror.need(head)?) {
            return Ok(Some(Committed { commit: head.clone(), tree: mirror.tree_of(head)? }));
        }
        let merged = mirror.merge(head, base)?;
        if !merged.is_clean() {
            return Ok(None);
        }
        self.commit_tree(repo, &merged.tree_id, &[head, base], message).map(Some)
    }

    async fn discard(&self, workspace: Workspace) -> Result<(), Error> {
        self.lock().notes.remove(&workspace.key);
        let mut directories = self.directories.lock().unwrap_or_else(PoisonError::into_inner);
        directories.remove(&workspace.key);
        Ok(())
    }

    async fn push(&self, remote: &Remote, push: &Push) -> Result<PushAnswer, Error> {
        if let Some(new) = &push.new {
            self.mirror(&remote.repo).need(new)?;
        }
        self.remotes.push(remote, push)
    }

    async fn tree_of(&self, repo: &Repo, commit: &CommitSha) -> Result<TreeSha, Error> {
        self.mirror(repo).tree_of(commit)
    }

    async fn parents_of(&self, repo: &Repo, commit: &CommitSha) -> Result<Vec<CommitSha>, Error> {
        let mirror = self.mirror(repo);
        let found = mirror.depot.get(mirror.need(commit)?);
        let parents = found.map(|found| found.parents.clone()).unwrap_or_default();
        parents.iter().map(|id| commit_sha(id)).collect()
    }

    async fn plain(&self, repo: &Repo, from: &CommitSha, head: &CommitSha) -> Result<Plain, Error> {
        let mirror = self.mirror(repo);
        let (from, head) = (mirror.need(from)?, mirror.need(head)?);
        plain::plain(&mirror.depot, from, head).map_err(missing)
    }

    async fn files_among(
        &self,
        repo: &Repo,
        commit: &CommitSha,
        paths: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, Error> {
        let mirror = self.mirror(repo);
        let id = mirror.need(commit)?;
        let is_file = |path: &&String| matches!(mirror.depot.read(id, path), Ok(Some(_)));
        Ok(paths.iter().take(PATHS_MAX).filter(is_file).cloned().collect())
    }

    async fn texts(
        &self,
        repo: &Repo,
        commit: &CommitSha,
        sought: &Sought,
    ) -> Result<Texts, Error> {
        let mirror = self.mirror(repo);
        let tree = mirror.depot.tree(mirror.need(commit)?).map_err(missing)?;
        let mut texts = Texts::default();
        for (path, blob) in tree.iter().filter(|(path, _)| sought.wants(path)) {
            texts.take(path.clone(), Some(&blob.bytes));
        }
        Ok(texts)
    }

    async fn sight(
        &self,
        repo: &Repo,
        commit: &CommitSha,
        wanted: &BTreeSet<String>,
    ) -> Result<Sight, Error> {
        let mirror = self.mirror(repo);
        let tree = mirror.depot.tree(mirror.need(commit)?).map_err(missing)?;
        let mut sight = Sight::of(tree.keys().cloned().collect(), false);
        for path in sight::some(wanted) {
            if let Some(blob) = tree.get(path) {
                sight.keep(path, &blob.bytes);
            }
        }
        Ok(sight)
    }

    async fn contains(
        &self,
        repo: &Repo,
        tip: &CommitSha,
        commit: &CommitSha,
    ) -> Result<bool, Error> {
        let mirror = self.mirror(repo);
        Ok(mirror.depot.is_ancestor(mirror.need(commit)?, mirror.need(tip)?))
    }
}

fn commit_sha(id: &str) -> Result<CommitSha, Error> {
    CommitSha::parse(id).map_err(|error| Error::Local(error.to_string()))
}

fn tree_sha(id: &str) -> Result<TreeSha, Error> {
    TreeSha::parse(id).map_err(|error| Error::Local(error.to_string()))
}

fn missing(error: DepotError) -> Error {
    match error {
        DepotError::Missing(id) => Error::Missing(id),
        DepotError::Moved { .. } => Error::Local(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
