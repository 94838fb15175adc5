//! Workspaces: a fresh checkout with a repository of its own, and our notes about it elsewhere.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::Cli;
use super::call::Call;
use super::defence::Defence;
use super::layout::{self, BASE, HEAD};
use super::mirror::{LENT, Merged, lines, merge_tree, merged, tree};
use super::packing;
use super::verb::Verb;
use crate::gate::push::{PLACES, steers};
use crate::git::{Error, QUESTION_PATH, RESULT_PATH, Workspace, WorkspaceOrder};
use crate::model::{CommitSha, Repo, TreeSha};
use crate::process::wipe;

/// Bytes that are read of a result or a question.
const LEFT_BYTES_MAX: u64 = 64 << 10;
/// The note of what was planted.
const PLANTED: &str = "planted";

/// An entry of a tree to be put in place of another: its mode, or `0` for none, its object and
/// its path, as `update-index --index-info` reads them.
pub(super) type Instead = Vec<u8>;

impl Cli {
    pub(super) fn workspaces(&self) -> PathBuf {
        self.directory.join("workspaces")
    }

    /// Our notes about workspaces; nothing that runs in a sandbox is ever lent them.
    pub(super) fn records(&self) -> PathBuf {
        self.directory.join("records")
    }

    pub(super) fn workspace_path(&self, key: &str) -> Result<PathBuf, Error> {
        Ok(self.workspaces().join(checked(key)?))
    }

    pub(super) fn record_path(&self, key: &str) -> Result<PathBuf, Error> {
        Ok(self.records().join(checked(key)?))
    }

    /// The objects of the mirror: what a workspace reads beside its own.
    pub(super) fn objects_of(&self, repo: &Repo) -> PathBuf {
        self.mirror_path(repo).join("objects")
    }

    pub(super) fn start_of(&self, workspace: &Workspace) -> Result<TreeSha, Error> {
        tree(&self.noted_text(workspace, "start")?)
    }

    pub(super) async fn make_workspace(&self, order: &WorkspaceOrder) -> Result<Workspace, Error> {
        let key = format!("{}-{}", order.run, order.name);
        let (place, record) = (self.workspace_path(&key)?, self.record_path(&key)?);
        self.remove_workspace(&key).await?;
        let commits = [&order.at].into_iter().chain(&order.merge).chain(&order.steering);
        let wanted: Vec<&CommitSha> = commits.collect();
        if let Some(missing) = self.lacks(&order.repo, &wanted).await?.first() {
            return Err(Error::Missing(missing.to_string()));
        }
        std::fs::create_dir_all(&record).map_err(failed)?;
        let (files, objects) = (place.join("files"), self.objects_of(&order.repo));
        let git = files.join(".git");
        layout::working(&git, &objects, &order.at, order.merge.as_ref())?;
        let merged = self.starting_tree(order, &git).await?;
        let start = self.steered(order, &merged, &key).await?;
        // Nobody but us has written there yet.
        let checkout = self.program.call(&git, Verb::ReadTree).files(&files).passing();
        let checkout = checkout.settings(&["checkout.workers=0", "index.threads=true"]);
        checkout.flags(&["--reset", "-u"]).on([start.as_str()]).run().await?;
        self.note(&key, "start", start.as_str().as_bytes())?;
        packing::prepare(&place, &objects)?;
        if std::fs::symlink_metadata(files.join(QUESTION_PATH)).is_err() {
            self.keep_out(&key, QUESTION_PATH)?;
        }
        Ok(Workspace {
            repo: order.repo.clone(),
            key,
            absent: absent(&files),
            path: files,
            borrowed: vec![objects],
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
        if path.is_empty() || path.contains(['/', '\\', '*', '?', '[', '!', '#', ' ', '\n']) {
            return Err(Error::Local(format!("{path:?} cannot be planted")));
        }
        let place = self.workspace_path(&workspace.key)?;
        match std::fs::File::create_new(place.join("files").join(path)) {
            Ok(mut file) => file.write_all(text.as_bytes()).map_err(failed)?,
            // The repository has such a file of its own.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(()),
            Err(error) => return Err(failed(error)),
        }
        self.keep_out(&workspace.key, path)
    }

    /// Sees to it that what is under this name never becomes part of what is packed.
    fn keep_out(&self, key: &str, path: &str) -> Result<(), Error> {
        let place = self.workspace_path(key)?;
        let planted = format!("{}{path}\n", self.kept_out(key)?);
        self.note(key, PLANTED, planted.as_bytes())?;
        let excluded = lines(planted.lines().map(|path| format!("/{path}")));
        let lists = ["files/.git/info/exclude", "pack/git/info/exclude"];
        lists
            .iter()
            .try_for_each(|list| std::fs::write(place.join(list), &excluded))
            .map_err(failed)
    }

    /// What is kept out: what was planted, and a question. One name in each line.
    pub(super) fn planted(&self, workspace: &Workspace) -> Result<String, Error> {
        self.kept_out(&workspace.key)
    }

    fn kept_out(&self, key: &str) -> Result<String, Error> {
        let planted = self.noted_under(key, PLANTED)?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&planted).into_owned())
    }

    async fn starting_tree(&self, order: &WorkspaceOrder, git: &Path) -> Result<Merged, Error> {
        if order.merge.is_none() {
            let tree = self.tree(&order.repo, &order.at).await?;
            return Ok(Merged { tree, conflicts: Vec::new() });
        }
        // Git writes into the markers what it is called with, so the sides have names here; what
        // comes of merging two commits of the mirror is kept there.
        let call = self.program.call(git, Verb::MergeTree);
        let objects = self.objects_of(&order.repo);
        let call = call.settings(LENT).env("GIT_OBJECT_DIRECTORY", objects);
        let answer = merge_tree(call, HEAD, BASE).await?;
        merged(&answer)?.ok_or_else(|| Error::Local(answer.complaint()))
    }

    /// The tree that is checked out: the start with everything that steers as it is on
    /// `order.steering`. What was there instead is noted, to be put back. What is in conflict
    /// stays: somebody has to resolve it.
    async fn steered(
        &self,
        order: &WorkspaceOrder,
        merged: &Merged,
        key: &str,
    ) -> Result<TreeSha, Error> {
        let start = &merged.tree;
        let trusted = match &order.steering {
            Some(commit) if self.program.defences.has(Defence::BaseConfiguration) => commit,
            Some(_) | None => return Ok(start.clone()),
        };
        let trusted = self.tree(&order.repo, trusted).await?;
        let listed = self
            .on(&order.repo, Verb::DiffTree)
            .flags(&["-r", "-z", "--raw", "--no-renames", "--abbrev=40"])
            .on([start.as_str(), trusted.as_str()])
            .run()
            .await?
            .bytes()?;
        let (mut back, mut instead) = (Vec::new(), Vec::new());
        for (raw, path) in raw_entries(&listed) {
            let name = String::from_utf8_lossy(path);
            if steers(&name) && !merged.conflicts.iter().any(|known| *known == name) {
                back.push(entry(raw, path, 0));
                instead.push(entry(raw, path, 1));
            }
        }
        if instead.is_empty() {
            return Ok(start.clone());
        }
        self.note(key, "replaced", &back.concat())?;
        let index = self.record_path(key)?.join("index");
        let call = |verb| self.on(&order.repo, verb).env("GIT_INDEX_FILE", &index);
        replaced(call, start, instead).await
    }

    /// What the agent left as its result: the bytes of one small plain file, or nothing.
    pub(super) fn read_result(&self, workspace: &Workspace) -> Result<Option<Vec<u8>>, Error> {
        self.read_left(workspace, RESULT_PATH)
    }

    /// What the agent wrote as its question, where that name is free for it.
    pub(super) fn read_question(&self, workspace: &Workspace) -> Result<Option<Vec<u8>>, Error> {
        if !self.planted(workspace)?.lines().any(|name| name == QUESTION_PATH) {
            return Ok(None);
        }
        self.read_left(workspace, QUESTION_PATH)
    }

    fn read_left(&self, workspace: &Workspace, path: &str) -> Result<Option<Vec<u8>>, Error> {
        let files = self.workspace_path(&workspace.key)?.join("files");
        let defences = &self.program.defences;
        match super::untrusted::read(defences, &files, path, LEFT_BYTES_MAX) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(super::untrusted::Unread::Absent) => Ok(None),
            Err(super::untrusted::Unread::Refused(why)) => {
                tracing::warn!(workspace = workspace.key, path, why, "it is not read");
                Ok(None)
            }
        }
    }

    pub(super) async fn remove_workspace(&self, key: &str) -> Result<(), Error> {
        let places = [self.workspace_path(key)?, self.record_path(key)?];
        let removed = tokio::task::spawn_blocking(move || {
            places.iter().try_for_each(|place| wipe(place)).map_err(failed)
        });
        removed.await.map_err(|error| Error::Local(error.to_string()))?
    }
}

fn checked(key: &str) -> Result<&str, Error> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if key.is_empty() || key.len() > 100 || !key.bytes().all(plain) {
        return Err(Error::Local(format!("{key:?} does not name a workspace")));
    }
    Ok(key)
}

/// The records of `--raw -z`: what is before the path, and the path.
pub(super) fn raw_entries(listed: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut tokens = listed.split(|byte| *byte == 0);
    let mut entries = Vec::new();
    while let Some(raw) = tokens.next().and_then(|token| token.strip_prefix(b":")) {
        entries.push((raw, tokens.next().unwrap_or_default()));
    }
    entries
}

/// One side of a raw record, such as `100644 100644 <sha> <sha> M`, as an entry.
fn entry(raw: &[u8], path: &[u8], side: usize) -> Instead {
    let fields: Vec<&[u8]> = raw.split(|byte| *byte == b' ').collect();
    let field = |at: usize| fields.get(at).copied().unwrap_or_default();
    let mode = if field(side) == b"000000" { b"0" } else { field(side) };
    [mode, b" ", field(side + 2), b"\t", path, b"\0"].concat()
}

/// `tree` with entries replaced. Calls have an index of their own, to which no files belong.
pub(super) async fn replaced(
    call: impl Fn(Verb) -> Call,
    tree_before: &TreeSha,
    mut instead: Vec<Instead>,
) -> Result<TreeSha, Error> {
    // What goes makes room for what comes.
    instead.sort_by_key(|entry| !entry.starts_with(b"0 "));
    call(Verb::ReadTree).on([tree_before.as_str()]).run().await?;
    let update = call(Verb::UpdateIndex).flags(&["-z", "--index-info"]);
    update.stdin(instead.concat()).run().await?;
    tree(&call(Verb::WriteTree).run().await?.text()?)
}

/// The places of [`PLACES`] at which nothing is.
fn absent(files: &Path) -> Vec<String> {
    let there = |place: &str| files.join(place.trim_end_matches('/'));
    let missing = |place: &&&str| std::fs::symlink_metadata(there(place)).is_err();
    PLACES.iter().filter(missing).map(|place| (*place).to_owned()).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
pub(super) fn failed(error: std::io::Error) -> Error {
    Error::Local(error.to_string())
}
