//! The one place where the playground starts git: hardened, with a time limit and an output cap.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::forge::{ForgeError, ForgeResult};

/// How long one git call may take.
const TIME_MAX: Duration = Duration::from_mins(1);
/// How many bytes of output one git call may give.
const OUTPUT_MAX: u64 = 64 * 1024 * 1024;

/// What a finished git call gave.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) code: Option<i32>,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

impl Output {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end().to_owned()
    }
}

/// One call of git in a repository.
#[derive(Debug)]
pub(super) struct Git<'a> {
    pub(super) dir: &'a Path,
    pub(super) env: Vec<(&'a str, String)>,
    pub(super) input: Vec<u8>,
}

impl<'a> Git<'a> {
    pub(super) fn at(dir: &'a Path) -> Self {
        Self { dir, env: Vec::new(), input: Vec::new() }
    }

    pub(super) fn env(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    pub(super) fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// Runs git; any exit status other than 0 is an error.
    pub(super) fn run(self, arguments: &[&str]) -> ForgeResult<Output> {
        let output = self.answer(arguments)?;
        if output.code == Some(0) {
            return Ok(output);
        }
        let what = arguments.first().copied().unwrap_or_default();
        let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(ForgeError::Failed(format!("git {what}: {why}")))
    }

    /// Runs git and gives its answer whatever the exit status.
    pub(super) fn answer(self, arguments: &[&str]) -> ForgeResult<Output> {
        let mut command = base_command(git_program()?);
        command.arg("--git-dir").arg(self.dir).args(arguments).current_dir(self.dir);
        command.envs(self.env.iter().map(|(name, value)| (*name, value.as_str())));
        finish(command, Input::Bytes(self.input))
    }
}

/// Runs git in a directory that somebody else owns, wherever its repository is.
pub(super) fn git_in(dir: &Path, arguments: &[&str]) -> ForgeResult<Output> {
    let mut command = base_command(git_program()?);
    command.arg("-C").arg(dir).args(arguments);
    finish(command, Input::Bytes(Vec::new()))
}

/// A git command without the surrounding environment and without anybody's configuration.
#[expect(clippy::disallowed_methods, reason = "the playground's own git, not the agent's")]
pub(super) fn base_command(program: &OsStr) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(environment());
    command.args(["-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0"]);
    command
}

/// The whole environment of the playground's git processes.
pub(super) fn environment() -> Vec<(&'static str, &'static str)> {
    vec![
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("LC_ALL", "C"),
        ("TZ", "UTC"),
        ("PATH", SEARCH_PATH),
    ]
}

/// Where programs are looked for; the caller's own `PATH` is not trusted.
pub(super) const SEARCH_PATH: &str = "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin";

/// The absolute path of git, looked up once.
pub(super) fn git_program() -> ForgeResult<&'static OsStr> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        SEARCH_PATH.split(':').map(|dir| Path::new(dir).join("git")).find(|path| path.is_file())
    });
    let found = found.as_deref().map(Path::as_os_str);
    found.ok_or_else(|| ForgeError::Failed(format!("git is not in {SEARCH_PATH}")))
}

/// A call of `git http-backend`, which speaks CGI.
#[derive(Debug)]
pub(super) struct Backend<'a> {
    pub(super) dir: &'a Path,
    pub(super) path: &'a str,
    pub(super) method: &'a str,
    pub(super) query: &'a str,
    pub(super) content_type: &'a str,
    pub(super) content_encoding: Option<&'a str>,
    pub(super) protocol: Option<&'a str>,
    pub(super) user: &'a str,
}

impl Backend<'_> {
    pub(super) fn command(&self) -> ForgeResult<Command> {
        let failed = || ForgeError::Failed("the repository has no name".to_owned());
        let root = self.dir.parent().ok_or_else(failed)?;
        let name = self.dir.file_name().ok_or_else(failed)?.to_string_lossy().into_owned();
        let mut command = base_command(git_program()?);
        command.arg("http-backend").current_dir(root);
        command.env("GIT_PROJECT_ROOT", root).env("GIT_HTTP_EXPORT_ALL", "1");
        command.env("PATH_INFO", format!("/{name}/{}", self.path));
        command.env("REQUEST_METHOD", self.method).env("QUERY_STRING", self.query);
        command.env("CONTENT_TYPE", self.content_type).env("REMOTE_ADDR", "127.0.0.1");
        command.env("REMOTE_USER", if self.user.is_empty() { "anonymous" } else { self.user });
        if let Some(encoding) = self.content_encoding {
            command.env("HTTP_CONTENT_ENCODING", encoding);
        }
        if let Some(protocol) = self.protocol {
            command.env("GIT_PROTOCOL", protocol);
        }
        Ok(command)
    }
}

/// Runs a command on a file's content and gives what it printed.
pub(super) fn run_with_file(command: Command, input: File) -> ForgeResult<Vec<u8>> {
    Ok(finish(command, Input::File(input))?.stdout)
}

enum Input {
    Bytes(Vec<u8>),
    File(File),
}

fn finish(mut command: Command, input: Input) -> ForgeResult<Output> {
    let failed = |what: &str| ForgeError::Failed(what.to_owned());
    let input = match input {
        Input::Bytes(bytes) => {
            command.stdin(Stdio::piped());
            bytes
        }
        Input::File(file) => {
            command.stdin(Stdio::from(file));
            Vec::new()
        }
    };
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| failed(&format!("starting git: {error}")))?;
    let stdin = child.stdin.take();
    let writer = thread::spawn(move || {
        // A git that stops reading early is judged by its exit status.
        stdin.map(|mut pipe| pipe.write_all(&input).is_ok())
    });
    let (send, receive) = mpsc::channel();
    let errors = child.stderr.take().map(|pipe| collect(pipe, None));
    let output = child.stdout.take().map(|pipe| collect(pipe, Some(send)));
    let in_time = receive.recv_timeout(TIME_MAX).is_ok();
    if !in_time {
        drop(child.kill());
    }
    let status = child.wait().map_err(|error| failed(&format!("waiting for git: {error}")))?;
    drop(writer.join());
    let joined = |handle: Option<thread::JoinHandle<Vec<u8>>>| {
        handle.and_then(|handle| handle.join().ok()).unwrap_or_default()
    };
    let (stdout, stderr) = (joined(output), joined(errors));
    if !in_time {
        return Err(failed("git took too long"));
    }
    Ok(Output { code: status.code(), stdout, stderr })
}

fn collect(
    pipe: impl Read + Send + 'static,
    done: Option<mpsc::Sender<()>>,
) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = pipe.take(OUTPUT_MAX).read_to_end(&mut bytes);
        if let Some(done) = done {
            done.send(()).ok();
        }
        read.map(|_| bytes).unwrap_or_default()
    })
}
