//! Where strangers' programs run: agents and the repository's own commands.
//!
//! Adapters: `process` (own process group, cleared environment, limits; protects against
//! accidents only), `bubblewrap` (a boundary: namespaces, a user of its own, a filter of system
//! calls, control groups, no network) and `container` (engines that others run). Fake: `fake`, a
//! function instead of a program.

pub mod bubblewrap;
mod cgroup;
pub mod container;
#[doc(hidden)]
pub mod defence;
pub mod fake;
mod home;
pub mod homes;
mod lend;
mod limits;
mod owner;
pub mod process;
mod protection;
mod signal;
mod tree;
#[cfg(test)]
mod trial;
mod watch;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

pub use crate::process::{Answer, Deaf, Ear};
pub use home::HomeFile;
pub use homes::Homes;
pub use limits::{Limit, Limits};
pub use protection::{LEVEL_MIN, Missing, Protection};
pub use signal::Signal;

/// Runs programs on a workspace.
#[async_trait]
pub trait Sandbox: Send + Sync {
    /// Runs to the end, to a limit or until `cancel`; always with nothing left running. The
    /// exit code is what the program itself ended with, never that of a wrapper.
    async fn run(
        &self,
        invocation: &Invocation,
        cancel: &CancellationToken,
    ) -> Result<Transcript, Error> {
        self.run_heard(invocation, cancel, &Deaf).await
    }

    /// The same, and `ear` hears standard output as it comes.
    async fn run_heard(
        &self,
        invocation: &Invocation,
        cancel: &CancellationToken,
        ear: &dyn Ear,
    ) -> Result<Transcript, Error>;

    /// Where a program finds the workspace that lies in `directory`.
    fn seen(&self, directory: &Path) -> PathBuf {
        directory.to_owned()
    }

    /// It can cover paths of a workspace ([`Invocation::masks`]).
    fn can_mask(&self) -> bool {
        false
    }

    /// What protects the host: recorded with every run, shown by `doctor`.
    fn protection(&self) -> Protection;

    /// The same in a line.
    fn describe(&self) -> String {
        self.protection().to_string()
    }
}

/// What a process is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It is an agent.
    Agent,
    /// It is one of the repository's own commands, or a look of ours.
    Check,
    /// It is our own packing of what an agent left.
    Pack,
}

/// A process to start. Nothing of the host's environment is passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    pub purpose: Purpose,
    /// An absolute path, or a name looked up in the sandbox's own `PATH`.
    pub program: String,
    pub args: Vec<String>,
    /// Beside `PATH`, `HOME`, `LANG` and `TMPDIR`, which the sandbox sets.
    pub env: Vec<(String, String)>,
    pub stdin: String,
    /// The workspace: the working directory, and the only thing that may be written.
    pub directory: PathBuf,
    /// The workspace's key, for fakes.
    pub workspace: String,
    /// Ways out that are lent to it, and the only ones.
    pub doors: Vec<Door>,
    /// Directories it may read at the very same path, beside the operator's tools.
    pub read_only: Vec<PathBuf>,
    /// Paths below the workspace that are covered by empty placeholders nobody can write to,
    /// whether something is there or not: what would configure the program, and is not to.
    pub masks: Vec<String>,
    pub home: Home,
    pub limits: Limits,
    /// What it is asked by first, when it is to end before it wants to.
    pub signal: Signal,
}

/// What a program finds in its home, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Home {
    /// Laid there before it starts.
    pub files: Vec<HomeFile>,
    /// A directory of the host that is its home and stays; without one it is new, and gone
    /// afterwards.
    pub kept: Option<PathBuf>,
}

/// A unix socket of the host, lent to the program as `127.0.0.1:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    pub port: u16,
    pub socket: PathBuf,
}

/// What the operator lends to every program.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tools {
    /// Directories searched for programs before the system's own.
    pub path: Vec<PathBuf>,
    /// Directories outside the system's own that programs may read.
    pub read_only: Vec<PathBuf>,
}

/// The home of a program as it sees it, where the sandbox has a file system of its own.
pub const HOME: &str = "/home/agent";
/// Where programs are looked for after [`Tools::path`].
pub const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Largest single file a program may write, in bytes.
pub const FILE_BYTES_MAX: u64 = 1 << 30;
/// Files a program may hold open.
pub const OPEN_FILES_MAX: u32 = 4_096;

impl Tools {
    /// The `PATH` of every program.
    pub fn search(&self) -> String {
        let own = self.path.iter().map(|directory| directory.to_string_lossy().into_owned());
        own.chain([SYSTEM_PATH.to_owned()]).collect::<Vec<_>>().join(":")
    }

    /// The file that `program` names: itself when absolute, otherwise the first in the `PATH`.
    pub fn find(&self, program: &str) -> Result<PathBuf, Error> {
        let lost = || Error(format!("there is no program {program:?} in {}", self.search()));
        if program.starts_with('/') {
            return Path::new(program).is_file().then(|| PathBuf::from(program)).ok_or_else(lost);
        }
        if program.is_empty() || program.contains('/') {
            return Err(lost());
        }
        let search = self.search();
        let mut found = search.split(':').map(|directory| PathBuf::from(directory).join(program));
        found.find(|path| path.is_file()).ok_or_else(lost)
    }
}

/// What a process said and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    pub end: End,
    pub stdout: String,
    pub stderr: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Exited(i32),
    /// By a signal that was not ours.
    Signalled(i32),
    TimedOut,
    Cancelled,
    /// It went over one of its limits and was ended.
    Limit(Limit),
}

impl From<crate::process::End> for End {
    fn from(end: crate::process::End) -> Self {
        match end {
            crate::process::End::Exited(code) => Self::Exited(code),
            crate::process::End::Signalled(signal) => Self::Signalled(signal),
            crate::process::End::TimedOut => Self::TimedOut,
            crate::process::End::Cancelled => Self::Cancelled,
        }
    }
}

impl Transcript {
    pub fn succeeded(&self) -> bool {
        self.end == End::Exited(0)
    }
}

/// The process could not be started or watched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("sandbox: {0}")]
pub struct Error(pub String);
