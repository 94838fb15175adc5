//! Processes: started in a group of their own, watched, cut short, and never left behind.
//!
//! Below the boundaries because two of them need it: `sandbox` for strangers' programs, `git`
//! for the one git program. Nothing else may start a process.

mod capture;
mod ear;
mod group;
mod replace;
#[cfg(test)]
mod tests;
mod wipe;

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use capture::Capture;
use ear::Hearing;
pub use ear::{ANSWERS_MAX, Answer, Deaf, Ear};
use group::Group;
pub use replace::{detached, replace};
pub use rustix::process::Signal;
pub use wipe::wipe;

/// How long a process may tidy up each time it is asked to end.
pub const GRACE: Duration = Duration::from_millis(500);
/// How long the kernel may take to end what was killed, and pipes to run dry.
const DEATH: Duration = Duration::from_secs(10);

/// A process to start; its environment is exactly `env`.
#[derive(Debug, Clone)]
pub struct Order {
    /// An absolute path.
    pub program: PathBuf,
    pub args: Vec<OsString>,
    pub env: Vec<(String, OsString)>,
    pub directory: PathBuf,
    pub stdin: Vec<u8>,
    pub wall_max: Duration,
    /// Kept of standard output and of standard error each: half from the beginning, half from
    /// the end.
    pub output_bytes_max: usize,
    /// The program may leave processes behind, which are to be found and ended too.
    pub stranger: bool,
    /// What it is asked by to end, in this order, before it is killed.
    pub asks: &'static [Signal],
}

/// What programs that nothing else is known of are asked by.
pub const ASK: &[Signal] = &[Signal::TERM];

/// How a process ended and what it said.
#[derive(Debug)]
pub struct Outcome {
    pub end: End,
    pub stdout: Capture,
    pub stderr: Capture,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Exited(i32),
    /// By a signal that was not ours.
    Signalled(i32),
    TimedOut,
    Cancelled,
}

/// Runs `order` to its end, to its wall limit or until `cancel`. Dropping the future ends the
/// process too.
pub async fn run(order: &Order, cancel: &CancellationToken) -> io::Result<Outcome> {
    run_heard(order, cancel, &AtomicU64::new(0), &Deaf).await
}

/// Like [`run`], and counts in `heard` the bytes of both outputs as they come, kept or not, and
/// lets `ear` hear standard output.
pub async fn run_heard(
    order: &Order,
    cancel: &CancellationToken,
    heard: &AtomicU64,
    ear: &dyn Ear,
) -> io::Result<Outcome> {
    let nothing = || Capture::new(order.output_bytes_max);
    if cancel.is_cancelled() {
        return Ok(Outcome { end: End::Cancelled, stdout: nothing(), stderr: nothing() });
    }
    let (mut child, mut group) = group::start(order).await?;
    let (out, err) = (Mutex::new(nothing()), Mutex::new(nothing()));
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (hearing, answers) = Hearing::new(ear);
    let talk = async {
        let drains = async {
            let stdout = drain(stdout, &out, heard, Some(hearing));
            tokio::join!(stdout, drain(stderr, &err, heard, None))
        };
        tokio::join!(feed(stdin, &order.stdin, answers), drains);
    };
    tokio::pin!(talk);
    let mut talked = false;
    let end = {
        let watch = watch(&mut child, &group, order, cancel);
        tokio::pin!(watch);
        loop {
            tokio::select! {
                end = &mut watch => break end,
                () = &mut talk, if !talked => talked = true,
            }
        }
    };
    group.end().await;
    if !talked {
        // A survivor that cannot be killed would hold the pipe for ever.
        drop(tokio::time::timeout(DEATH, &mut talk).await);
    }
    Ok(Outcome { end: end?, stdout: taken(&out), stderr: taken(&err) })
}

async fn watch(
    child: &mut Child,
    group: &Group,
    order: &Order,
    cancel: &CancellationToken,
) -> io::Result<End> {
    let cut = tokio::select! {
        status = child.wait() => return Ok(ended(status?)),
        () = tokio::time::sleep(order.wall_max) => End::TimedOut,
        () = cancel.cancelled() => End::Cancelled,
    };
    for ask in order.asks {
        group.signal(*ask);
        if tokio::time::timeout(GRACE, child.wait()).await.is_ok() {
            return Ok(cut);
        }
    }
    group.signal(Signal::KILL);
    let dead = tokio::time::timeout(DEATH, child.wait()).await;
    dead.map_err(|late| io::Error::new(io::ErrorKind::TimedOut, late))??;
    Ok(cut)
}

fn ended(status: ExitStatus) -> End {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exited(code),
        (None, signal) => End::Signalled(signal.unwrap_or(0)),
    }
}

/// A program that does not read its input is no fault.
async fn feed(
    stdin: Option<tokio::process::ChildStdin>,
    text: &[u8],
    answers: Option<mpsc::Receiver<Answer>>,
) {
    let Some(mut stdin) = stdin else { return };
    if stdin.write_all(text).await.is_err() {
        return;
    }
    if let Some(mut answers) = answers {
        while let Some(answer) = answers.recv().await {
            if stdin.write_all(&answer.text).await.is_err() {
                return;
            }
            if answer.close {
                break;
            }
        }
    }
    drop(stdin.shutdown().await);
}

async fn drain(
    pipe: Option<impl AsyncRead + Unpin>,
    into: &Mutex<Capture>,
    heard: &AtomicU64,
    mut hearing: Option<Hearing<'_>>,
) {
    let Some(mut pipe) = pipe else { return };
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
        heard.fetch_add(count as u64, Ordering::Relaxed);
        if let Some(hearing) = &mut hearing {
            hearing.hear(buffer.get(..count).unwrap_or_default());
        }
        let mut into = into.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        into.push(buffer.get(..count).unwrap_or_default());
    }
}

fn taken(capture: &Mutex<Capture>) -> Capture {
    let mut capture = capture.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    std::mem::replace(&mut *capture, Capture::new(0))
}

/// The one place that makes a command: nothing inherited but what is said here.
fn command(order: &Order) -> tokio::process::Command {
    #[expect(clippy::disallowed_methods, reason = "this is where processes start")]
    let mut command = tokio::process::Command::new(&order.program);
    command
        .args(&order.args)
        .env_clear()
        .envs(order.env.iter().map(|(name, value)| (name, value)))
        .current_dir(&order.directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Says once what the tests leave out on this machine. Past the harness's capture: it is told
/// also when every test passes.
#[cfg(test)]
pub(crate) fn say_aloud(left_out: &str) {
    use std::collections::BTreeSet;
    use std::io::Write;
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if SAID.lock().unwrap().insert(left_out.to_owned()) {
        writeln!(io::stderr(), "\nLEFT OUT: {left_out}").unwrap();
    }
}
