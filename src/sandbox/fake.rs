//! A sandbox without processes: a function plays every program on files in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{Ear, End, Error, Invocation, Protection, Purpose, Sandbox, Transcript};

/// The files of one workspace, by path.
pub type FakeDirectory = BTreeMap<String, String>;
/// The files of every workspace, by its key; shared with whoever checks out and commits.
pub type Directories = Arc<Mutex<BTreeMap<String, FakeDirectory>>>;
/// What happens instead of a program.
pub type Play = Arc<dyn Fn(&Invocation, &mut FakeDirectory) -> Transcript + Send + Sync>;

/// What a packing leaves in a workspace; the fake of `git` looks for it.
pub const PACKED: &str = ".git/slipway/packed";

/// The fake.
#[derive(Clone)]
pub struct Fake {
    directories: Directories,
    play: Play,
    level: u8,
}

impl Fake {
    pub fn new(directories: Directories, play: Play) -> Self {
        Self { directories, play, level: 0 }
    }

    /// It says that it protects as far as `level`, for agents that want that.
    #[must_use]
    pub fn protecting(self, level: u8) -> Self {
        Self { level, ..self }
    }
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fake").finish_non_exhaustive()
    }
}

#[async_trait]
impl Sandbox for Fake {
    async fn run_heard(
        &self,
        invocation: &Invocation,
        cancel: &CancellationToken,
        ear: &dyn Ear,
    ) -> Result<Transcript, Error> {
        if cancel.is_cancelled() {
            let (stdout, stderr) = (String::new(), String::new());
            return Ok(Transcript { end: End::Cancelled, stdout, stderr });
        }
        let mut directories = self.directories.lock().unwrap_or_else(PoisonError::into_inner);
        let directory = directories
            .get_mut(&invocation.workspace)
            .ok_or_else(|| Error(format!("there is no workspace {:?}", invocation.workspace)))?;
        if invocation.purpose == Purpose::Pack {
            // Nothing is packed in memory; that it would have been is noted.
            directory.insert(PACKED.to_owned(), String::new());
            let (stdout, stderr) = (String::new(), String::new());
            return Ok(Transcript { end: End::Exited(0), stdout, stderr });
        }
        let played = (self.play)(invocation, directory);
        // Nobody is there to read an answer.
        let _unread = ear.hear(played.stdout.as_bytes());
        Ok(played)
    }

    fn protection(&self) -> Protection {
        Protection { level: self.level, ..Protection::none("fake, no process is started") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::trial::Trial;

    #[tokio::test]
    async fn a_function_plays_the_program_on_the_files_of_the_workspace() {
        let directories = Directories::default();
        let play: Play = Arc::new(|invocation, files| {
            files.insert("said".to_owned(), invocation.args.join(" "));
            Transcript { end: End::Exited(0), stdout: "ok".to_owned(), stderr: String::new() }
        });
        let fake = Fake::new(Arc::clone(&directories), play);
        let order = Trial::new().shell("true");
        let cancel = CancellationToken::new();
        assert!(fake.run(&order, &cancel).await.is_err(), "a workspace nobody made");
        directories.lock().unwrap().insert(order.workspace.clone(), FakeDirectory::new());
        assert!(fake.run(&order, &cancel).await.unwrap().succeeded());
        assert_eq!(directories.lock().unwrap()[&order.workspace]["said"], "-c true");
        let packing = Invocation { purpose: Purpose::Pack, ..order.clone() };
        assert!(fake.run(&packing, &cancel).await.unwrap().succeeded());
        assert!(directories.lock().unwrap()[&order.workspace].contains_key(PACKED));
        cancel.cancel();
        assert_eq!(fake.run(&order, &cancel).await.unwrap().end, End::Cancelled);
    }
}
