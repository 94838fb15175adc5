//! Workspaces in memory: maps shared with the fake sandbox, and notes about them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use super::{Fake, diff, missing, steer};
use crate::git::depot::{Blob, Tree};
use crate::git::{Committed, Error, Import, Message, QUESTION_PATH, Workspace, WorkspaceOrder};
use crate::model::CommitSha;

/// What the fake of `sandbox` leaves in a workspace that it packed.
pub(super) const PACKED: &str = ".git/slipway/packed";

/// What is known of a workspace.
#[derive(Default, Clone)]
pub(super) struct Notes {
    pub(super) start: Arc<Tree>,
    /// What stood where the workspace has the base's configuration.
    pub(super) replaced: BTreeMap<String, Option<Blob>>,
    /// Files that were planted.
    pub(super) planted: BTreeSet<String>,
    /// The files as imported.
    pub(super) taken: Option<BTreeMap<String, String>>,
}

impl Fake {
    /// The files of a workspace that git looks at.
    pub(super) fn files(&self, key: &str) -> Result<BTreeMap<String, String>, Error> {
        let directories = self.directories.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = || Error::Local(format!("there is no workspace {key:?}"));
        let mut files = directories.get(key).cloned().ok_or_else(gone)?;
        let planted = self.notes(key)?.planted;
        files.retain(|path, _| !planted.contains(path));
        Ok(files)
    }

    /// The question in a workspace, where that name is kept out.
    pub(super) fn question_of(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let is_free = self.notes(key)?.planted.contains(QUESTION_PATH);
        let directories = self.directories.lock().unwrap_or_else(PoisonError::into_inner);
        let text = directories.get(key).and_then(|files| files.get(QUESTION_PATH));
        Ok(text.filter(|_| is_free).map(|text| text.clone().into_bytes()))
    }

    pub(super) fn notes(&self, key: &str) -> Result<Notes, Error> {
        let gone = || Error::Local(format!("there is no workspace {key:?}"));
        self.lock().notes.get(key).cloned().ok_or_else(gone)
    }

    /// The notes and the files as imported.
    pub(super) fn taken(&self, key: &str) -> Result<(Notes, BTreeMap<String, String>), Error> {
        let notes = self.notes(key)?;
        let taken = notes.taken.clone();
        let missing = || Error::Local("the workspace was not imported".to_owned());
        Ok((notes, taken.ok_or_else(missing)?))
    }

    /// The files as a tree; what nobody touched keeps its bytes.
    pub(super) fn tree_now(start: &Tree, files: &BTreeMap<String, String>) -> Tree {
        let kept = |path: &str, text: &str| start.get(path).filter(|blob| blob.text() == text);
        let blob = |path: &str, text: &str| match kept(path, text) {
            Some(blob) => blob.clone(),
            None => Blob::new(text.as_bytes()),
        };
        files.iter().map(|(path, text)| (path.clone(), blob(path, text))).collect()
    }

    pub(super) fn make_workspace(&self, order: &WorkspaceOrder) -> Result<Workspace, Error> {
        let mirror = self.mirror(&order.repo);
        let (start, conflicts) = match &order.merge {
            None => (mirror.depot.tree(mirror.need(&order.at)?).map_err(missing)?, Vec::new()),
            Some(base) => {
                let merged = mirror.merge(&order.at, base)?;
                (Arc::new(merged.tree), merged.conflicts)
            }
        };
        let mut notes = Notes { start, ..Notes::default() };
        if let Some(trusted) = &order.steering {
            let trusted = mirror.depot.tree(mirror.need(trusted)?).map_err(missing)?;
            steer::steer(&mut notes, &trusted, &conflicts);
        }
        let key = format!("{}-{}", order.run, order.name);
        if !notes.start.contains_key(QUESTION_PATH) {
            notes.planted.insert(QUESTION_PATH.to_owned());
        }
        let start = &notes.start;
        let files = start.iter().map(|(path, blob)| (path.clone(), blob.text())).collect();
        self.lock().notes.insert(key.clone(), notes);
        let mut directories = self.directories.lock().unwrap_or_else(PoisonError::into_inner);
        directories.insert(key.clone(), files);
        Ok(Workspace {
            repo: order.repo.clone(),
            path: PathBuf::from("/workspaces").join(&key),
            key,
            at: order.at.clone(),
            merging: order.merge.clone(),
            conflicts,
            borrowed: Vec::new(),
            absent: Vec::new(),
        })
    }

    pub(super) fn take(&self, workspace: &Workspace) -> Result<Import, Error> {
        let mut files = self.files(&workspace.key)?;
        if files.remove(PACKED).is_none() {
            return Ok(Import::Refused { why: "there is no bundle of it".to_owned() });
        }
        // A repository's own directory is never part of what it holds.
        files.retain(|path, _| !path.starts_with(".git/"));
        let mut inner = self.lock();
        let notes = inner.notes.entry(workspace.key.clone()).or_default();
        notes.taken = Some(files);
        Ok(Import::Taken)
    }

    pub(super) fn plant_file(
        &self,
        workspace: &Workspace,
        path: &str,
        text: &str,
    ) -> Result<(), Error> {
        let mut directories = self.directories.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = || Error::Local(format!("there is no workspace {:?}", workspace.key));
        let files = directories.get_mut(&workspace.key).ok_or_else(gone)?;
        if !files.contains_key(path) {
            files.insert(path.to_owned(), text.to_owned());
            let mut inner = self.lock();
            let notes = inner.notes.entry(workspace.key.clone()).or_default();
            notes.planted.insert(path.to_owned());
        }
        Ok(())
    }

    pub(super) fn commit_workspace(
        &self,
        workspace: &Workspace,
        message: &Message,
    ) -> Result<Option<Committed>, Error> {
        let (notes, files) = self.taken(&workspace.key)?;
        let start = &notes.start;
        if let Some(path) = diff::markers(&files, &workspace.conflicts).first() {
            return Err(Error::Local(format!("{path} still has conflict markers")));
        }
        let mut tree = Self::tree_now(start, &files);
        if workspace.merging.is_none() && tree == **start {
            return Ok(None);
        }
        let untouched = |path: &String, tree: &Tree| tree.get(path) == start.get(path);
        for (path, before) in &notes.replaced {
            match before {
                Some(blob) if untouched(path, &tree) => {
                    drop(tree.insert(path.clone(), blob.clone()));
                }
                None if untouched(path, &tree) => drop(tree.remove(path)),
                Some(_) | None => {}
            }
        }
        let tree_id = self.mirror(&workspace.repo).depot.write_tree(tree);
        let parents: Vec<&CommitSha> =
            [&workspace.at].into_iter().chain(&workspace.merging).collect();
        self.commit_tree(&workspace.repo, &tree_id, &parents, message).map(Some)
    }
}
