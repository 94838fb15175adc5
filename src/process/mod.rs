//! Processes: started in a group of their own, watched, cut short, and never left behind.
//!
//! Below the boundaries because two of them need it: `sandbox` for strangers' programs, `git`
//! for the one git program. Nothing else may start a process.

mod capture;
mod ear;
mod group;
mod replace;

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::process::Signal;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use capture::Capture;
use ear::Hearing;
pub use ear::{ANSWERS_MAX, Answer, Deaf, Ear};
use group::Group;
pub use replace::{detached, replace};

/// How long a process may tidy up after it was asked to end.
const GRACE: Duration = Duration::from_millis(500);
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
}

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
    group.signal(Signal::TERM);
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        group.signal(Signal::KILL);
        let dead = tokio::time::timeout(DEATH, child.wait()).await;
        dead.map_err(|late| io::Error::new(io::ErrorKind::TimedOut, late))??;
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Order {
        Order {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            env: vec![("PATH".to_owned(), "/usr/bin:/bin".into())],
            directory: std::env::temp_dir(),
            stdin: Vec::new(),
            wall_max: Duration::from_secs(20),
            output_bytes_max: 1_000,
            stranger: true,
        }
    }

    fn alive(pid: &str) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
        stat.is_ok_and(|stat| !stat.contains(") Z "))
    }

    /// What was killed dies when the kernel gets to it, on a busy machine a moment later.
    async fn dies(pid: &str) -> bool {
        for _ in 0..500 {
            if !alive(pid) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }

    /// The text of a file, as soon as there is some.
    async fn written(path: &std::path::Path) -> String {
        loop {
            match std::fs::read_to_string(path) {
                Ok(text) if text.ends_with('\n') => return text,
                Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    #[tokio::test]
    async fn the_exit_code_and_both_outputs_come_back() {
        let order = Order { stdin: b"abc".to_vec(), ..shell("cat; echo no >&2; exit 7") };
        let outcome = run(&order, &CancellationToken::new()).await.unwrap();
        assert_eq!(outcome.end, End::Exited(7));
        assert_eq!((outcome.stdout.text(), outcome.stderr.text()), ("abc".into(), "no\n".into()));
    }

    #[tokio::test]
    async fn a_large_input_nobody_reads_blocks_nothing() {
        let order = Order { stdin: vec![b'x'; 1 << 20], ..shell("exit 0") };
        let outcome = run(&order, &CancellationToken::new()).await.unwrap();
        assert_eq!(outcome.end, End::Exited(0));
    }

    #[tokio::test]
    async fn a_signal_from_elsewhere_is_told_apart_from_an_exit() {
        let outcome = run(&shell("kill -s USR1 $$"), &CancellationToken::new()).await.unwrap();
        assert!(matches!(outcome.end, End::Signalled(_)), "{:?}", outcome.end);
    }

    #[tokio::test]
    async fn too_much_output_keeps_its_beginning_and_its_end() {
        let script = "i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done";
        let outcome = run(&shell(script), &CancellationToken::new()).await.unwrap();
        let text = outcome.stdout.text();
        assert!(text.starts_with("line 0\n") && text.ends_with("line 4999\n"), "{text}");
        assert!(text.contains("bytes left out") && text.len() < 1_100, "{text}");
    }

    #[tokio::test]
    async fn nothing_survives_the_wall_limit_even_if_it_ignores_the_signal() {
        let script = "trap '' TERM; (trap '' TERM; sleep 60) & echo $!; sleep 60 & wait; sleep 60";
        let order = Order { wall_max: Duration::from_secs(2), ..shell(script) };
        let outcome = run(&order, &CancellationToken::new()).await.unwrap();
        assert_eq!(outcome.end, End::TimedOut);
        assert!(dies(&outcome.stdout.text()).await, "a child outlived the limit");
    }

    #[tokio::test]
    async fn nothing_is_left_running_after_a_normal_end() {
        let outcome =
            run(&shell("sleep 60 >&- 2>&- & echo $!"), &CancellationToken::new()).await.unwrap();
        assert_eq!(outcome.end, End::Exited(0));
        assert!(dies(&outcome.stdout.text()).await, "a child outlived its parent");
    }

    #[tokio::test]
    async fn a_process_that_left_the_group_is_found_too() {
        let script = "setsid sh -c 'echo $$; echo > up; exec sleep 60' & \
                      until [ -e up ]; do sleep 0.02; done";
        let directory = tempfile::tempdir().unwrap();
        let order = Order { directory: directory.path().into(), ..shell(script) };
        let outcome = run(&order, &CancellationToken::new()).await.unwrap();
        if cfg!(target_os = "linux") {
            assert!(!outcome.stdout.text().is_empty());
            assert!(dies(&outcome.stdout.text()).await, "a daemon outlived its group");
        }
    }

    #[tokio::test]
    async fn cancelling_asks_first_and_then_ends_it() {
        let cancel = CancellationToken::new();
        let directory = tempfile::tempdir().unwrap();
        let script = "trap 'echo asked; exit 3' TERM; echo up > up; sleep 60 & wait";
        let order = Order { directory: directory.path().into(), ..shell(script) };
        let (outcome, ()) = tokio::join!(run(&order, &cancel), async {
            written(&directory.path().join("up")).await;
            cancel.cancel();
        });
        let outcome = outcome.unwrap();
        assert_eq!(outcome.end, End::Cancelled);
        assert_eq!(outcome.stdout.text(), "asked\n");
        let again = run(&order, &cancel).await.unwrap();
        assert_eq!((again.end, again.stdout.text()), (End::Cancelled, String::new()));
    }

    #[tokio::test]
    async fn dropping_the_future_ends_everything_it_started() {
        let directory = tempfile::tempdir().unwrap();
        let order =
            Order { directory: directory.path().into(), ..shell("sleep 60 & echo $! > pid; wait") };
        let cancel = CancellationToken::new();
        let file = directory.path().join("pid");
        let pid = tokio::select! {
            outcome = run(&order, &cancel) => panic!("it ended: {outcome:?}"),
            pid = written(&file) => pid,
        };
        assert!(dies(&pid).await, "a child outlived the future");
    }

    /// Says `more` until it has heard enough.
    struct Talker(Mutex<Vec<u8>>);

    impl Ear for Talker {
        fn hear(&self, bytes: &[u8]) -> Answer {
            let mut heard = self.0.lock().unwrap();
            heard.extend_from_slice(bytes);
            let close = heard.ends_with(b"more\nmore\n");
            Answer { text: b"more\n".to_vec(), close }
        }

        fn answers(&self) -> bool {
            true
        }
    }

    #[tokio::test]
    async fn a_process_is_heard_while_it_runs_and_may_be_answered() {
        let talker = Talker(Mutex::new(Vec::new()));
        let order = Order { stdin: b"go\n".to_vec(), ..shell("while read a; do echo $a; done") };
        let count = AtomicU64::new(0);
        let outcome = run_heard(&order, &CancellationToken::new(), &count, &talker).await.unwrap();
        assert_eq!(outcome.end, End::Exited(0), "its input was closed");
        let said = outcome.stdout.text();
        assert!(said.starts_with("go\nmore\nmore\n"), "{said}");
        assert_eq!(talker.0.into_inner().unwrap(), said.as_bytes());
    }

    #[tokio::test]
    async fn a_process_that_reads_no_answers_is_not_answered_for_ever() {
        let talker = Talker(Mutex::new(Vec::new()));
        let order = shell("yes | head -c 4000000 >&2; i=0; while [ $i -lt 2 ]; do echo; i=3; done");
        let count = AtomicU64::new(0);
        let outcome = run_heard(&order, &CancellationToken::new(), &count, &talker).await.unwrap();
        assert_eq!(outcome.end, End::Exited(0));
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_an_error() {
        let order = Order { program: "/nonexistent/program".into(), ..shell("") };
        assert!(run(&order, &CancellationToken::new()).await.is_err());
    }
}
