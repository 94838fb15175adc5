//! Programs in a process group of their own, with a cleared environment and limits.
//!
//! This keeps accidents in and nothing else: the program can read what Slipway's user can
//! read and reach the network. For strangers' code use `bubblewrap`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::home;
use super::lend::lend;
use super::{
    Ear, Error, FILE_BYTES_MAX, HomeFile, Invocation, OPEN_FILES_MAX, Protection, Sandbox, Tools,
    Transcript,
};
use crate::process::{Order, Outcome, run_heard};

/// The adapter.
#[derive(Debug, Clone, Default)]
pub struct Process {
    pub tools: Tools,
}

#[async_trait]
impl Sandbox for Process {
    async fn run_heard(
        &self,
        invocation: &Invocation,
        cancel: &CancellationToken,
        ear: &dyn Ear,
    ) -> Result<Transcript, Error> {
        let program = self.tools.find(&invocation.program)?;
        let private = Private::new()?;
        let home = invocation.home.kept.clone().unwrap_or_else(|| private.home());
        housed(&home, &invocation.home.files).await?;
        let (invocation, _lent) = &lend(invocation).await?;
        let order = Order {
            program: PathBuf::from("/bin/sh"),
            args: limited(&program, invocation.args.iter().map(OsString::from)),
            env: environment(invocation, &self.tools, &home, &private.tmp())?,
            directory: invocation.directory.clone(),
            ..order(invocation)
        };
        let heard = AtomicU64::new(0);
        let outcome = run_heard(&order, cancel, &heard, ear)
            .await
            .map_err(|error| Error(error.to_string()))?;
        private.remove().await;
        Ok(transcript(&outcome))
    }

    fn protection(&self) -> Protection {
        Protection::none("process group with limits, no protection of files or network")
    }
}

/// Makes a home, and lays files into it.
pub(super) async fn housed(home: &Path, files: &[HomeFile]) -> Result<(), Error> {
    let (home, files) = (home.to_owned(), files.to_vec());
    let work = move || {
        std::fs::create_dir_all(&home)?;
        home::lay(&home, &files, None)
    };
    let done = tokio::task::spawn_blocking(work).await.map_err(|fault| Error(fault.to_string()))?;
    done.map_err(|why| Error(why.to_string()))
}

/// The parts of an order every sandbox shares.
pub(super) fn order(invocation: &Invocation) -> Order {
    Order {
        program: PathBuf::new(),
        args: Vec::new(),
        env: Vec::new(),
        directory: PathBuf::from("/"),
        stdin: invocation.stdin.clone().into_bytes(),
        wall_max: Duration::from_millis(invocation.limits.wall_ms_max),
        output_bytes_max: invocation.limits.output_bytes_max,
        stranger: true,
        asks: invocation.signal.asks(),
    }
}

/// Arguments for `sh` that set the limits and become `program`, so that its exit code is its
/// own.
pub(super) fn limited(program: &Path, args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let blocks = FILE_BYTES_MAX / 512;
    let script = format!(
        "ulimit -c 0; ulimit -f {blocks} 2>/dev/null || :; \
         ulimit -n {OPEN_FILES_MAX} 2>/dev/null || :; exec \"$0\" \"$@\""
    );
    [OsString::from("-c"), script.into(), program.into()].into_iter().chain(args).collect()
}

/// The whole environment of a program. It is inherited, never put on a command line, which
/// every user of the host could read.
pub(super) fn environment(
    invocation: &Invocation,
    tools: &Tools,
    home: &Path,
    tmp: &Path,
) -> Result<Vec<(String, OsString)>, Error> {
    let plain = |name: &str| {
        let word = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        word && !name.is_empty() && !name.starts_with("LD_")
    };
    if let Some((name, _)) = invocation.env.iter().find(|(name, _)| !plain(name)) {
        return Err(Error(format!("the variable {name:?} may not be set")));
    }
    let given = invocation.env.iter().map(|(name, value)| (name.clone(), value.into()));
    let own = [
        ("PATH", tools.search().into()),
        ("HOME", home.into()),
        ("TMPDIR", tmp.into()),
        ("LANG", "C.UTF-8".into()),
    ];
    Ok(given.chain(own.map(|(name, value)| (name.to_owned(), value))).collect())
}

pub(super) fn transcript(outcome: &Outcome) -> Transcript {
    Transcript {
        end: outcome.end.into(),
        stdout: outcome.stdout.text(),
        stderr: outcome.stderr.text(),
    }
}

/// A home and a place for temporary files that live as long as one invocation.
pub(super) struct Private(tempfile::TempDir);

impl Private {
    pub(super) fn new() -> Result<Self, Error> {
        let make = || {
            let directory = tempfile::Builder::new().prefix("slipway-home-").tempdir()?;
            std::fs::create_dir(directory.path().join("home"))?;
            std::fs::create_dir(directory.path().join("tmp"))?;
            Ok(Self(directory))
        };
        make().map_err(|error: std::io::Error| Error(error.to_string()))
    }

    pub(super) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    pub(super) fn tmp(&self) -> PathBuf {
        self.root().join("tmp")
    }

    /// Removes everything off the async threads: a build may have left a million files.
    pub(super) async fn remove(self) {
        drop(tokio::task::spawn_blocking(move || self.0.close()).await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{End, trial};

    #[tokio::test]
    async fn it_keeps_the_contract() {
        trial::contract(&Process::default()).await;
    }

    #[tokio::test]
    async fn home_and_temporary_files_are_gone_afterwards() {
        let trial = trial::Trial::new();
        let order = trial.shell("touch $HOME/x $TMPDIR/y; echo $HOME $TMPDIR");
        let done = Process::default().run(&order, &CancellationToken::new()).await.unwrap();
        assert_eq!(done.end, End::Exited(0), "{done:?}");
        for path in done.stdout.split_whitespace() {
            assert!(path.starts_with('/') && !Path::new(path).exists(), "{path}");
        }
    }

    #[tokio::test]
    async fn variables_that_steer_the_loader_are_refused() {
        let trial = trial::Trial::new();
        for name in ["LD_PRELOAD", "", "A=B", "A B"] {
            let mut order = trial.shell("true");
            order.env.push((name.to_owned(), "x".to_owned()));
            let refused = Process::default().run(&order, &CancellationToken::new()).await;
            assert!(refused.is_err(), "{name:?}");
        }
    }
}
