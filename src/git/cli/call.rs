//! The one way git is called: absolute path, no shell, nothing inherited, every door closed.

use std::ffi::OsString;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::defence::{Defence, Defences};
use super::pinned::{ENVIRONMENT, SETTINGS};
use super::verb::Verb;
use crate::git::Error;
use crate::model::text;
use crate::process::{ASK, Capture, End, Order, run};

/// Seconds a call may last that talks to nobody.
const LOCAL_SECONDS_MAX: u64 = 120;
/// Seconds a fetch or a push may last.
pub(super) const REMOTE_SECONDS_MAX: u64 = 900;
/// Bytes kept of an answer; half of it from the beginning.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// Bytes of git's own words in an error.
const WORDS_BYTES_MAX: usize = 1_000;
/// Oldest git that is used: before it, attributes of a hostile tree overflowed the heap.
const VERSION_MIN: Version = (2, 39, 1);

/// Major, minor, patch.
pub(super) type Version = (u32, u32, u32);

/// The git program of this host.
#[derive(Debug, Clone)]
pub(super) struct Program {
    path: PathBuf,
    version: String,
    /// Remotes that are paths are taken, for tests.
    local_remotes: bool,
    /// Certificate authorities to believe instead of the system's.
    ca_file: Option<PathBuf>,
    pub(super) defences: Defences,
}

impl Program {
    /// Finds git once, in the system's own directories, and refuses one that is too old.
    pub(super) async fn find(local_remotes: bool) -> Result<Self, Error> {
        let places = ["/usr/local/bin/git", "/usr/bin/git", "/bin/git", "/opt/homebrew/bin/git"];
        let path = places.iter().map(PathBuf::from).find(|path| path.is_file());
        let path = path.ok_or_else(|| Error::Local("git is not installed".to_owned()))?;
        let (version, ca_file, defences) = Default::default();
        let program = Self { path, version, local_remotes, ca_file, defences };
        let said = program.call(Path::new("/nonexistent"), Verb::Version).run().await?;
        let said = said.text()?.trim().to_owned();
        if numbers(&said) < VERSION_MIN {
            return Err(Error::Local(format!("{said} is too old, 2.39.1 is needed")));
        }
        Ok(Self { version: said, ..program })
    }

    /// What git calls itself, such as `git version 2.47.3`.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn trust(&mut self, ca_file: &Path) {
        self.ca_file = Some(ca_file.to_owned());
    }

    pub(super) fn local_remotes(&self) -> bool {
        self.local_remotes
    }

    /// A call on the repository at `git_dir`, which must be ours alone.
    pub(super) fn call(&self, git_dir: &Path, verb: Verb) -> Call {
        let pinned = self.defences.has(Defence::Settings);
        let fixed = ENVIRONMENT.iter().filter(|_| pinned);
        let fixed = fixed.map(|(name, value)| ((*name).to_owned(), OsString::from(value)));
        let ca_file = self.ca_file.as_ref().map(|file| ("GIT_SSL_CAINFO".to_owned(), file.into()));
        let mut call = Call {
            order: Order {
                program: self.path.clone(),
                args: Vec::new(),
                env: fixed.chain(ca_file).collect(),
                directory: PathBuf::from("/"),
                stdin: Vec::new(),
                wall_max: Duration::from_secs(LOCAL_SECONDS_MAX),
                output_bytes_max: ANSWER_BYTES_MAX,
                stranger: false,
                asks: ASK,
            },
            verb,
            settings: if pinned { SETTINGS.to_vec() } else { Vec::new() },
            flags: Vec::new(),
            operands: Vec::new(),
            defences: self.defences.clone(),
        };
        if pinned {
            // Nothing is reached unless the call says how.
            call = call.transport("");
        }
        call.env("GIT_DIR", git_dir)
    }
}

/// The numbers in `git version 2.47.3`, which some builds write more behind.
pub(super) fn numbers(said: &str) -> Version {
    let mut numbers = said.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok());
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), next())
}

/// One call, being put together.
///
/// Flags are ours, written in the source; what comes from outside can only be the value joined
/// to one of them or an operand, and operands always stand behind `--end-of-options`.
#[derive(Debug)]
pub(super) struct Call {
    order: Order,
    verb: Verb,
    settings: Vec<&'static str>,
    flags: Vec<OsString>,
    operands: Vec<OsString>,
    defences: Defences,
}

impl Call {
    pub(super) fn flags(mut self, flags: &[&'static str]) -> Self {
        self.flags.extend(flags.iter().map(OsString::from));
        self
    }

    /// A flag and its value in one argument, such as `--force-with-lease=`.
    pub(super) fn joined(mut self, flag: &'static str, value: impl Display) -> Self {
        self.flags.push(format!("{flag}{value}").into());
        self
    }

    pub(super) fn on<S: Into<OsString>>(mut self, operands: impl IntoIterator<Item = S>) -> Self {
        self.operands.extend(operands.into_iter().map(Into::into));
        self
    }

    /// Settings for this call, over the pinned ones.
    pub(super) fn settings(mut self, settings: &[&'static str]) -> Self {
        self.settings.extend(settings);
        self
    }

    pub(super) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.order.env.retain(|(known, _)| known != name);
        self.order.env.push((name.to_owned(), value.into()));
        self
    }

    /// The one way by which it may reach a repository.
    pub(super) fn transport(self, name: &str) -> Self {
        self.env("GIT_ALLOW_PROTOCOL", name)
    }

    pub(super) fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.order.stdin = text.into();
        self
    }

    pub(super) fn seconds_max(mut self, seconds: u64) -> Self {
        self.order.wall_max = Duration::from_secs(seconds);
        self
    }

    pub(super) fn bytes_max(mut self, bytes: usize) -> Self {
        self.order.output_bytes_max = bytes.saturating_mul(2);
        self
    }

    /// What it writes is on the disk when it ends.
    pub(super) fn durable(self) -> Self {
        self.settings(&["core.fsync=committed", "core.fsyncMethod=batch"])
    }

    /// What it writes is thrown away sooner or later: no waiting for the disk.
    pub(super) fn passing(self) -> Self {
        self.settings(&["core.fsync=none"])
    }

    /// Writes `directory`, which nobody else has ever written.
    pub(super) fn files(mut self, directory: &Path) -> Self {
        directory.clone_into(&mut self.order.directory);
        self.env("GIT_WORK_TREE", directory).settings(&["core.symlinks=true"])
    }

    /// The order as it is handed to `process`.
    pub(super) fn order(self) -> Order {
        let mut order = self.order;
        let global = ["--no-pager", "--no-optional-locks", "--literal-pathspecs"];
        order.args.extend(global.map(OsString::from));
        for setting in self.settings {
            order.args.extend(["-c", setting].map(OsString::from));
        }
        if !self.verb.word().is_empty() {
            order.args.push(self.verb.word().into());
        }
        order.args.extend(self.flags);
        if !self.operands.is_empty() && self.defences.has(Defence::EndOfOptions) {
            order.args.push("--end-of-options".into());
        }
        order.args.extend(self.operands);
        order
    }

    /// Runs it; any exit code is an answer.
    pub(super) async fn answer(self) -> Result<Answer, Error> {
        let outcome = run(&self.order(), &CancellationToken::new()).await;
        let outcome = outcome.map_err(|error| Error::Local(error.to_string()))?;
        let words = outcome.stderr.text();
        match outcome.end {
            End::Exited(code) => Ok(Answer { code, stdout: outcome.stdout, words }),
            End::Signalled(signal) => Err(Error::Local(format!("signal {signal} ended it"))),
            End::TimedOut | End::Cancelled => Err(Error::Local("it took too long".to_owned())),
        }
    }

    /// Runs it; anything but exit code 0 is an error.
    pub(super) async fn run(self) -> Result<Answer, Error> {
        let answer = self.answer().await?;
        if answer.code == 0 { Ok(answer) } else { Err(Error::Local(answer.complaint())) }
    }
}

/// What git said.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) code: i32,
    pub(super) stdout: Capture,
    /// Standard error.
    pub(super) words: String,
}

impl Answer {
    /// All of standard output.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, Error> {
        self.stdout.whole().ok_or_else(|| Error::Local("the answer is too large".to_owned()))
    }

    pub(super) fn text(&self) -> Result<String, Error> {
        Ok(String::from_utf8_lossy(&self.bytes()?).into_owned())
    }

    /// Git's words about a failure, cut.
    pub(super) fn complaint(&self) -> String {
        let words = text::tail(self.words.trim(), WORDS_BYTES_MAX);
        format!("exit code {}: {words}", self.code)
    }
}
