//! The one way git is called: absolute path, no shell, nothing inherited, every door closed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::git::Error;
use crate::model::text;
use crate::process::{Capture, End, Order, run};

/// Seconds a call may last that talks to nobody.
const LOCAL_SECONDS_MAX: u64 = 120;
/// Seconds a fetch or a push may last.
pub(super) const REMOTE_SECONDS_MAX: u64 = 900;
/// Bytes kept of an answer; half of it from the beginning.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// Bytes of git's own words in an error.
const WORDS_BYTES_MAX: usize = 1_000;
/// Oldest git with `merge-tree --write-tree`.
const VERSION_MIN: (u32, u32) = (2, 38);
/// Git's empty tree: attributes are read from here, that is, from nowhere.
const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// Settings that win over every file. Each closes a way to run somebody's program, to reach
/// somewhere else, or to store what cannot be checked out everywhere.
const SETTINGS: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.sshCommand=/bin/false",
    "core.gitProxy=/bin/false",
    "core.askPass=/bin/false",
    "core.pager=cat",
    "core.editor=/bin/false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "core.protectNTFS=true",
    "core.protectHFS=true",
    "core.autocrlf=false",
    "core.safecrlf=false",
    "core.quotePath=false",
    "credential.helper=",
    "credential.interactive=false",
    "http.followRedirects=false",
    "http.sslVerify=true",
    "http.proxy=",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
    "transfer.fsckObjects=true",
    "transfer.credentialsInUrl=die",
    "transfer.bundleURI=false",
    "fetch.fsckObjects=true",
    "fetch.fsck.zeroPaddedFilemode=ignore",
    "fetch.fsck.missingSpaceBeforeDate=ignore",
    "fetch.fsck.badTimezone=ignore",
    "fetch.recurseSubmodules=false",
    "submodule.recurse=false",
    "protocol.version=2",
    "safe.bareRepository=explicit",
    "commit.gpgSign=false",
    "push.gpgSign=false",
    "gpg.program=/bin/false",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.addEmbeddedRepo=false",
    "merge.renames=true",
    "merge.conflictStyle=diff3",
    "diff.renameLimit=1000",
    "pack.threads=2",
];
const ENVIRONMENT: &[(&str, &str)] = &[
    ("PATH", "/usr/bin:/bin"),
    ("LC_ALL", "C"),
    ("TZ", "UTC"),
    ("HOME", "/nonexistent"),
    ("XDG_CONFIG_HOME", "/nonexistent"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_ATTR_SOURCE", EMPTY_TREE),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_ASKPASS", "/bin/false"),
    ("SSH_ASKPASS", "/bin/false"),
    ("GIT_SSH_COMMAND", "/bin/false"),
    ("GIT_EDITOR", "/bin/false"),
    ("GIT_SEQUENCE_EDITOR", "/bin/false"),
    ("GIT_PAGER", "cat"),
    ("GIT_PROTOCOL_FROM_USER", "0"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_LITERAL_PATHSPECS", "1"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_CEILING_DIRECTORIES", "/"),
    ("GIT_LFS_SKIP_SMUDGE", "1"),
];

/// The git program of this host.
#[derive(Debug, Clone)]
pub(super) struct Program {
    path: PathBuf,
    version: String,
    /// Transports that may be used, as `GIT_ALLOW_PROTOCOL`.
    protocols: &'static str,
    /// Certificate authorities to believe instead of the system's.
    ca_file: Option<PathBuf>,
}

impl Program {
    /// Finds git once, in the system's own directories, and refuses one that is too old.
    pub(super) async fn find(protocols: &'static str) -> Result<Self, Error> {
        let places = ["/usr/local/bin/git", "/usr/bin/git", "/bin/git", "/opt/homebrew/bin/git"];
        let path = places.iter().map(PathBuf::from).find(|path| path.is_file());
        let path = path.ok_or_else(|| Error::Local("git is not installed".to_owned()))?;
        let program = Self { path, version: String::new(), protocols, ca_file: None };
        let said = program.call(Path::new("/nonexistent")).args(["version"]).run().await?;
        let said = said.text()?;
        let mut numbers = said.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok());
        let version: (u32, u32) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        if version < VERSION_MIN {
            return Err(Error::Local(format!("{} is too old, 2.38 is needed", said.trim())));
        }
        Ok(Self { version: said.trim().to_owned(), ..program })
    }

    /// What git calls itself, such as `git version 2.47.3`.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    pub(super) fn trust(&mut self, ca_file: &Path) {
        self.ca_file = Some(ca_file.to_owned());
    }

    /// Whether `file` remotes are allowed.
    pub(super) fn local_remotes(&self) -> bool {
        self.protocols.split(':').any(|name| name == "file")
    }

    /// A call on the repository at `git_dir`, which must be ours alone.
    pub(super) fn call(&self, git_dir: &Path) -> Call {
        let settings = SETTINGS.iter().flat_map(|setting| ["-c", *setting]);
        let fixed = ENVIRONMENT.iter().map(|(name, value)| ((*name).to_owned(), value.into()));
        let own = [
            ("GIT_DIR".to_owned(), git_dir.into()),
            ("GIT_ALLOW_PROTOCOL".to_owned(), self.protocols.into()),
        ];
        let ca_file = self.ca_file.as_ref().map(|file| ("GIT_SSL_CAINFO".to_owned(), file.into()));
        Call(Order {
            program: self.path.clone(),
            args: ["--no-pager"].into_iter().chain(settings).map(OsString::from).collect(),
            env: fixed.chain(own).chain(ca_file).collect(),
            directory: PathBuf::from("/"),
            stdin: Vec::new(),
            wall_max: Duration::from_secs(LOCAL_SECONDS_MAX),
            output_bytes_max: ANSWER_BYTES_MAX,
            stranger: false,
        })
    }
}

/// One call, being put together.
#[derive(Debug)]
pub(super) struct Call(Order);

impl Call {
    pub(super) fn args<S: Into<OsString>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.0.args.extend(args.into_iter().map(Into::into));
        self
    }

    pub(super) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.0.env.push((name.to_owned(), value.into()));
        self
    }

    pub(super) fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.0.stdin = text.into();
        self
    }

    pub(super) fn seconds_max(mut self, seconds: u64) -> Self {
        self.0.wall_max = Duration::from_secs(seconds);
        self
    }

    pub(super) fn bytes_max(mut self, bytes: usize) -> Self {
        self.0.output_bytes_max = bytes.saturating_mul(2);
        self
    }

    /// What it writes is on the disk when it ends. Before the verb: this is a setting.
    pub(super) fn durable(self) -> Self {
        self.args(["-c", "core.fsync=committed", "-c", "core.fsyncMethod=batch"])
    }

    /// Works on the files of a workspace.
    pub(super) fn files(mut self, directory: &Path) -> Self {
        directory.clone_into(&mut self.0.directory);
        self.env("GIT_WORK_TREE", directory)
    }

    /// Runs it; any exit code is an answer.
    pub(super) async fn answer(self) -> Result<Answer, Error> {
        let outcome = run(&self.0, &CancellationToken::new()).await;
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
