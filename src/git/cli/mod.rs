//! Git by the git program, hardened: mirrors, workspaces, merges and pushes on this host's disk.
//!
//! Layout below one directory: `mirrors/OWNER/NAME.git`, and per workspace
//! `workspaces/RUN-NAME/` with `files` (all that an agent sees), `git` (index and new objects,
//! never inside `files`) and `start`. A workspace may grow as its sandbox lets it; what is
//! taken over from it has limits. [`Cli::sweep`] removes what is old.

mod call;
mod changes;
mod mirror;
mod patch;
mod plain;
mod remote;
mod staging;
mod sweep;
mod workspace;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use self::call::Program;
use super::{
    Changes, Committed, Error, Git, Message, Plain, Push, PushAnswer, Workspace, WorkspaceOrder,
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
        Self::with_protocols(directory, "https:http").await
    }

    /// Believes the certificate authorities in this file instead of the system's.
    #[must_use]
    pub fn trusting(mut self, ca_file: &Path) -> Self {
        self.program.trust(ca_file);
        self
    }

    /// Finds git and touches nothing; the error is that of [`Cli::open`].
    pub async fn version() -> Result<String, Error> {
        Ok(Program::find("https").await?.version().to_owned())
    }

    /// Also takes remotes that are paths, for tests.
    #[cfg(test)]
    pub(crate) async fn open_with_local_remotes(directory: &Path) -> Result<Self, Error> {
        Self::with_protocols(directory, "https:http:file").await
    }

    async fn with_protocols(directory: &Path, protocols: &'static str) -> Result<Self, Error> {
        let failed = |error: std::io::Error| Error::Local(error.to_string());
        std::fs::create_dir_all(directory).map_err(failed)?;
        let directory = directory.canonicalize().map_err(failed)?;
        let program = Program::find(protocols).await?;
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
mod tests;
#[cfg(test)]
mod told_tests;
