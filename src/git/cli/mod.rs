//! Git by the git program, hardened: mirrors, workspaces, merges and pushes on this host's disk.
//!
//! Layout below one directory: `mirrors/OWNER/NAME.git`; per workspace `workspaces/RUN-NAME/`
//! with `files` (all that an agent sees, with a repository of its own) and `pack` (what the
//! packing needs), and `records/RUN-NAME/` with what we know of it and the quarantine, which
//! nothing in a sandbox ever sees. [`Cli::sweep`] removes what is old.
//!
//! Git on this host works in repositories of ours and never in anything an agent could write:
//! the work leaves the sandbox as one bundle (`packing`, `import`).

mod call;
mod changes;
mod defence;
mod import;
mod layout;
mod mirror;
mod notes;
mod packing;
mod patch;
mod pinned;
mod plain;
mod remote;
mod sight;
mod sweep;
mod texts;
mod untrusted;
mod verb;
mod workspace;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use self::call::Program;
use super::{
    Changes, Committed, Error, Git, Import, Message, Packing, Plain, Push, PushAnswer, Sight,
    Sought, Texts, Workspace, WorkspaceOrder,
};
use crate::gate::seen::Probe;
use crate::github::Remote;
use crate::model::{BranchName, CommitSha, Repo, TreeSha};

/// The adapter.
#[derive(Debug)]
pub struct Cli {
    program: Program,
    directory: PathBuf,
    /// One fetch at a time for each repository.
    locks: Mutex<BTreeMap<Repo, Arc<tokio::sync::Mutex<()>>>>,
}

impl Cli {
    /// Opens the directory, which is this process's alone, and finds git. Remotes are reached
    /// by HTTP.
    pub async fn open(directory: &Path) -> Result<Self, Error> {
        Self::with_remotes(directory, false).await
    }

    /// Believes the certificate authorities in this file instead of the system's.
    #[must_use]
    pub fn trusting(mut self, ca_file: &Path) -> Self {
        self.program.trust(ca_file);
        self
    }

    /// Finds git and touches nothing; the error is that of [`Cli::open`].
    pub async fn version() -> Result<String, Error> {
        Ok(Program::find(false).await?.version().to_owned())
    }

    /// `said`, as [`Cli::version`] says it, is older than what the world has mended since:
    /// whoever packs this git has to have brought the corrections to it.
    pub fn is_old(said: &str) -> bool {
        let mended = [(2, 47, 3), (2, 48, 2), (2, 49, 1), (2, 50, 1)];
        let own = call::numbers(said);
        let same = |mended: &&call::Version| (mended.0, mended.1) == (own.0, own.1);
        own < mended.iter().find(same).copied().unwrap_or((2, 47, 3))
    }

    /// Also takes remotes that are paths, for tests.
    #[cfg(test)]
    pub(crate) async fn open_with_local_remotes(directory: &Path) -> Result<Self, Error> {
        Self::with_remotes(directory, true).await
    }

    async fn with_remotes(directory: &Path, local: bool) -> Result<Self, Error> {
        let failed = |error: std::io::Error| Error::Local(error.to_string());
        std::fs::create_dir_all(directory).map_err(failed)?;
        let directory = directory.canonicalize().map_err(failed)?;
        let program = Program::find(local).await?;
        let cli = Self { program, directory, locks: Mutex::default() };
        cli.unlock();
        Ok(cli)
    }

    fn lock_of(&self, repo: &Repo) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(locks.entry(repo.clone()).or_default())
    }
}

#[async_trait]
impl Git for Cli {
    async fn fetch(
        &self,
        remote: &Remote,
        branches: &[BranchName],
    ) -> Result<BTreeMap<BranchName, CommitSha>, Error> {
        self.fetch_branches(remote, branches).await
    }

    async fn probe(&self, repo: &Repo, base: &CommitSha, head: &CommitSha) -> Result<Probe, Error> {
        self.probe_merge(repo, base, head).await
    }

    async fn workspace(&self, order: &WorkspaceOrder) -> Result<Workspace, Error> {
        self.make_workspace(order).await
    }

    async fn packing(&self, workspace: &Workspace) -> Result<Packing, Error> {
        self.pack(workspace)
    }

    async fn import(&self, workspace: &Workspace) -> Result<Import, Error> {
        self.import_bundle(workspace).await
    }

    async fn result(&self, workspace: &Workspace) -> Result<Option<Vec<u8>>, Error> {
        self.read_result(workspace)
    }

    async fn question(&self, workspace: &Workspace) -> Result<Option<Vec<u8>>, Error> {
        self.read_question(workspace)
    }

    async fn changes(&self, workspace: &Workspace) -> Result<Changes, Error> {
        self.read_changes(workspace).await
    }

    async fn between(
        &self,
        repo: &Repo,
        base: &CommitSha,
        head: &CommitSha,
    ) -> Result<Changes, Error> {
        self.changes_between(repo, base, head).await
    }

    async fn plant(&self, workspace: &Workspace, path: &str, text: &str) -> Result<(), Error> {
        self.plant_file(workspace, path, text)
    }

    async fn commit(
        &self,
        workspace: &Workspace,
        message: &Message,
    ) -> Result<Option<Committed>, Error> {
        self.commit_workspace(workspace, message).await
    }

    async fn merge(
        &self,
        repo: &Repo,
        head: &CommitSha,
        base: &CommitSha,
        message: &Message,
    ) -> Result<Option<Committed>, Error> {
        self.merge_commit(repo, (head, base), message).await
    }

    async fn discard(&self, workspace: Workspace) -> Result<(), Error> {
        self.remove_workspace(&workspace.key).await
    }

    async fn push(&self, remote: &Remote, push: &Push) -> Result<PushAnswer, Error> {
        self.push_branch(remote, push).await
    }

    async fn tree_of(&self, repo: &Repo, commit: &CommitSha) -> Result<TreeSha, Error> {
        self.tree(repo, commit).await
    }

    async fn parents_of(&self, repo: &Repo, commit: &CommitSha) -> Result<Vec<CommitSha>, Error> {
        self.parents(repo, commit).await
    }

    async fn plain(&self, repo: &Repo, from: &CommitSha, head: &CommitSha) -> Result<Plain, Error> {
        self.read_plain(repo, from, head).await
    }

    async fn files_among(
        &self,
        repo: &Repo,
        commit: &CommitSha,
        paths: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, Error> {
        self.list_files(repo, commit, paths).await
    }

    async fn texts(
        &self,
        repo: &Repo,
        commit: &CommitSha,
        sought: &Sought,
    ) -> Result<Texts, Error> {
        self.read_texts(repo, commit, sought).await
    }

    async fn sight(
        &self,
        repo: &Repo,
        commit: &CommitSha,
        wanted: &BTreeSet<String>,
    ) -> Result<Sight, Error> {
        self.see(repo, commit, wanted).await
    }

    async fn contains(
        &self,
        repo: &Repo,
        tip: &CommitSha,
        commit: &CommitSha,
    ) -> Result<bool, Error> {
        self.is_ancestor(repo, commit, tip).await
    }
}

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod ground;
#[cfg(test)]
mod measure;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod told_tests;
