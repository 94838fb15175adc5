//! What we note about a workspace, in a directory that nothing in a sandbox ever sees.

use std::io::ErrorKind;

use super::Cli;
use super::workspace::failed;
use crate::git::{Error, Workspace};

impl Cli {
    /// Notes `text` under `name` for the workspace `key`.
    pub(super) fn note(&self, key: &str, name: &str, text: &[u8]) -> Result<(), Error> {
        std::fs::write(self.record_path(key)?.join(name), text).map_err(failed)
    }

    /// Takes a note back, if there is one.
    pub(super) fn forget(&self, key: &str, name: &str) -> Result<(), Error> {
        match std::fs::remove_file(self.record_path(key)?.join(name)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// What was noted; `None` when nothing was.
    pub(super) fn noted(
        &self,
        workspace: &Workspace,
        name: &str,
    ) -> Result<Option<Vec<u8>>, Error> {
        self.noted_under(&workspace.key, name)
    }

    pub(super) fn noted_under(&self, key: &str, name: &str) -> Result<Option<Vec<u8>>, Error> {
        match std::fs::read(self.record_path(key)?.join(name)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// What must have been noted, as text.
    pub(super) fn noted_text(&self, workspace: &Workspace, name: &str) -> Result<String, Error> {
        let text = self.noted(workspace, name)?;
        let missing = || Error::Local(format!("the workspace has no note of its {name}"));
        text.map(|text| String::from_utf8_lossy(&text).into_owned()).ok_or_else(missing)
    }
}
