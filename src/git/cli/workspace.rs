//! Workspaces: a checkout in one directory, everything git knows about it in another.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::Cli;
use super::call::Call;
use super::mirror::{Merged, commit_tree, merge_tree, merged, tree};
use super::staging::markers_left;
use crate::git::{Committed, Error, Message, Workspace, WorkspaceOrder};
use crate::model::{CommitSha, Repo, TreeSha};

/// Largest pack taken over from a workspace, in bytes.
const PACK_BYTES_MAX: usize = 64 << 20;
/// Names of the two sides in conflict markers.
const HEAD: &str = "head";
const BASE: &str = "base";

impl Cli {
    pub(super) fn workspaces(&self) -> PathBuf {
        self.directory.join("workspaces")
    }

    fn workspace_path(&self, key: &str) -> Result<PathBuf, Error> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if key.is_empty() || key.len() > 100 || !key.bytes().all(plain) {
            return Err(Error::Local(format!("{key:?} does not name a workspace")));
        }
        Ok(self.workspaces().join(key))
    }

    /// A call on the index and the files of `workspace`.
    pub(super) fn within(&self, workspace: &Workspace) -> Result<Call, Error> {
        let place = self.workspace_path(&workspace.key)?;
        Ok(self.program.call(&place.join("git")).files(&place.join("files")))
    }

    pub(super) fn start_of(&self, workspace: &Workspace) -> Result<TreeSha, Error> {
        let path = self.workspace_path(&workspace.key)?.join("start");
        let text = std::fs::read_to_string(path).map_err(failed)?;
        tree(&text)
    }

    pub(super) async fn make_workspace(&self, order: &WorkspaceOrder) -> Result<Workspace, Error> {
        let key = format!("{}-{}", order.run, order.name);
        let place = self.workspace_path(&key)?;
        self.remove_workspace(&key).await?;
        let wanted: Vec<&CommitSha> = [&order.at].into_iter().chain(&order.merge).collect();
        if let Some(missing) = self.lacks(&order.repo, &wanted).await?.first() {
            return Err(Error::Missing(missing.to_string()));
        }
        let (files, git) = (place.join("files"), place.join("git"));
        std::fs::create_dir_all(&files).map_err(failed)?;
        self.make_bare(&git).await?;
        self.borrow(&order.repo, &git)?;
        let merged = self.starting_tree(order, &git).await?;
        let checkout = ["read-tree", "--reset", "-u", merged.tree.as_str()];
        self.program.call(&git).files(&files).args(checkout).run().await?;
        std::fs::write(place.join("start"), merged.tree.as_str()).map_err(failed)?;
        Ok(Workspace {
            repo: order.repo.clone(),
            key,
            path: files,
            at: order.at.clone(),
            merging: order.merge.clone(),
            conflicts: merged.conflicts,
        })
    }

    /// Puts a file where an agent may find it and git does not look.
    pub(super) fn plant_file(
        &self,
        workspace: &Workspace,
        path: &str,
        text: &str,
    ) -> Result<(), Error> {
        if path.is_empty() || path.contains(['/', '\\', '*', '?', '[', '!', '#', ' ']) {
            return Err(Error::Local(format!("{path:?} cannot be planted")));
        }
        let place = self.workspace_path(&workspace.key)?;
        let excluded = place.join("git/info/exclude");
        std::fs::write(excluded, format!("/{path}\n")).map_err(failed)?;
        let new = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(place.join("files").join(path));
        match new {
            Ok(mut file) => file.write_all(text.as_bytes()).map_err(failed),
            // The repository has such a file of its own.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    /// Lets `git` read the mirror's objects; it writes only its own.
    fn borrow(&self, repo: &Repo, git: &Path) -> Result<(), Error> {
        let objects = self.mirror_path(repo).join("objects");
        let info = git.join("objects/info");
        std::fs::create_dir_all(&info).map_err(failed)?;
        std::fs::write(info.join("alternates"), format!("{}\n", objects.display())).map_err(failed)
    }

    async fn starting_tree(&self, order: &WorkspaceOrder, git: &Path) -> Result<Merged, Error> {
        let call = || self.program.call(git);
        let Some(base) = &order.merge else {
            let tree = self.tree(&order.repo, &order.at).await?;
            return Ok(Merged { tree, conflicts: Vec::new() });
        };
        // Git writes into the markers what it is called with, so the sides get names.
        let names =
            format!("create refs/heads/{HEAD} {}\ncreate refs/heads/{BASE} {base}\n", order.at);
        call().args(["update-ref", "--stdin"]).stdin(names).run().await?;
        let answer = merge_tree(call(), HEAD, BASE).await?;
        merged(&answer)?.ok_or_else(|| Error::Local(answer.complaint()))
    }

    pub(super) async fn commit_workspace(
        &self,
        workspace: &Workspace,
        message: &Message,
    ) -> Result<Option<Committed>, Error> {
        let start = self.start_of(workspace)?;
        let held = self.stage(workspace).await?;
        if let Some(entry) = held.first() {
            return Err(Error::Local(format!("{} cannot be committed", entry.path)));
        }
        if let Some(path) = markers_left(workspace).first() {
            return Err(Error::Local(format!("{path} still has conflict markers")));
        }
        let tree = tree(&self.within(workspace)?.args(["write-tree"]).run().await?.text()?)?;
        if workspace.merging.is_none() && tree == start {
            return Ok(None);
        }
        let parents: Vec<&CommitSha> =
            [&workspace.at].into_iter().chain(&workspace.merging).collect();
        let commit = commit_tree(self.within(workspace)?, &tree, &parents, message).await?;
        self.take_over(workspace, &commit, &parents).await?;
        self.keep(&workspace.repo, &commit).await?;
        Ok(Some(Committed { commit, tree }))
    }

    /// Brings `commit` and what is new in it into the mirror, checking every object: names
    /// such as `.git` or `..` that a tree could hold end here.
    async fn take_over(
        &self,
        workspace: &Workspace,
        commit: &CommitSha,
        known: &[&CommitSha],
    ) -> Result<(), Error> {
        let mut wanted = format!("{commit}\n");
        wanted.extend(known.iter().map(|parent| format!("^{parent}\n")));
        let pack = self
            .within(workspace)?
            .args(["pack-objects", "--revs", "--stdout", "--quiet"])
            .stdin(wanted)
            .bytes_max(PACK_BYTES_MAX)
            .run()
            .await?
            .bytes()?;
        let unpack = ["unpack-objects", "-q", "--strict"];
        self.on(&workspace.repo).durable().args(unpack).stdin(pack).run().await.map(drop)
    }

    pub(super) async fn remove_workspace(&self, key: &str) -> Result<(), Error> {
        let place = self.workspace_path(key)?;
        let removed = tokio::task::spawn_blocking(move || match std::fs::remove_dir_all(&place) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(error)),
            Err(_) | Ok(()) => Ok(()),
        });
        removed.await.map_err(|error| Error::Local(error.to_string()))?
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
pub(super) fn failed(error: std::io::Error) -> Error {
    Error::Local(error.to_string())
}
