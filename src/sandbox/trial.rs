//! The suite both real sandboxes pass.

use std::path::Path;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Answer, Ear, End, Home, HomeFile, Invocation, Limits, Purpose, Sandbox, Signal};

/// A workspace to try programs in.
pub(super) struct Trial(tempfile::TempDir);

impl Trial {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    pub(super) fn shell(&self, script: &str) -> Invocation {
        Invocation {
            purpose: Purpose::Check,
            program: "sh".to_owned(),
            args: vec!["-c".to_owned(), script.to_owned()],
            env: vec![("GIVEN".to_owned(), "given".to_owned())],
            stdin: "prompt".to_owned(),
            directory: self.0.path().to_owned(),
            workspace: "trial".to_owned(),
            doors: Vec::new(),
            read_only: Vec::new(),
            masks: Vec::new(),
            home: Home::default(),
            limits: Limits { wall_ms_max: 20_000, output_bytes_max: 10_000, ..Limits::default() },
            signal: Signal::Term,
        }
    }
}

pub(super) async fn contract(sandbox: &dyn Sandbox) {
    environment_and_code(sandbox).await;
    limits(sandbox).await;
    cancelling(sandbox).await;
    asking(sandbox).await;
    hearing(sandbox).await;
    homes(sandbox).await;
}

async fn environment_and_code(sandbox: &dyn Sandbox) {
    let trial = Trial::new();
    let cancel = CancellationToken::new();
    let script = "cat; echo; echo made > file; echo $GIVEN $LANG; echo loud >&2; \
                  env | cut -d= -f1 | sort | tr '\\n' ' '; exit 7";
    let done = sandbox.run(&trial.shell(script), &cancel).await.unwrap();
    assert_eq!(done.end, End::Exited(7), "{done:?}");
    let lines: Vec<_> = done.stdout.lines().collect();
    assert_eq!(lines[..2], ["prompt", "given C.UTF-8"], "{done:?}");
    let allowed = "GIVEN HOME LANG OLDPWD PATH PWD SHLVL SLIPWAY_PROCESS TMPDIR _";
    for name in lines[2].split_whitespace() {
        assert!(allowed.split(' ').any(|known| known == name), "{name} leaked in");
    }
    assert_eq!((done.stderr.as_str(), trial.read("file").as_str()), ("loud\n", "made\n"));
    let killed = sandbox.run(&trial.shell("kill -s KILL $$"), &cancel).await.unwrap();
    assert_eq!(killed.end, End::Signalled(9), "{killed:?}");
    let mut missing = trial.shell("");
    missing.program = "no-such-program".to_owned();
    assert!(sandbox.run(&missing, &cancel).await.is_err());
}

async fn limits(sandbox: &dyn Sandbox) {
    let trial = Trial::new();
    let cancel = CancellationToken::new();
    let script = "trap '' TERM; echo up; (trap '' TERM; \
                  while :; do date +%s%N > beat; sleep 0.05; done) & sleep 60 & wait; sleep 60";
    let mut order = trial.shell(script);
    order.limits.wall_ms_max = 2_000;
    let done = sandbox.run(&order, &cancel).await.unwrap();
    assert_eq!((done.end, done.stdout.as_str()), (End::TimedOut, "up\n"), "{done:?}");
    let beat = trial.read("beat");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(trial.read("beat"), beat, "something still runs");

    let flood = trial.shell("head -c 300000 /dev/zero | tr '\\0' x; echo; echo end");
    let done = sandbox.run(&flood, &cancel).await.unwrap();
    assert!(done.stdout.len() < 11_000 && done.stdout.ends_with("x\nend\n"));
    assert!(done.stdout.contains("bytes left out"));
    let core = trial.shell("ulimit -c; ulimit -f; ulimit -n");
    let done = sandbox.run(&core, &cancel).await.unwrap();
    assert_eq!(done.stdout.lines().next(), Some("0"), "{done:?}");
    assert_eq!(done.stdout.lines().nth(1), Some("2097152"), "{done:?}");
}

async fn cancelling(sandbox: &dyn Sandbox) {
    let trial = Trial::new();
    let cancel = CancellationToken::new();
    let order = trial.shell("echo up > file; sleep 60");
    let (done, ()) = tokio::join!(sandbox.run(&order, &cancel), async {
        while !Path::new(&order.directory).join("file").exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        cancel.cancel();
    });
    assert_eq!(done.unwrap().end, End::Cancelled);
}

/// Each program is asked by its own signal first, then by the other, and heard until its end.
async fn asking(sandbox: &dyn Sandbox) {
    // Who hears a signal hands it to its children as it was made, even where whoever started the
    // tests ignores it; the program itself always hears this one.
    drop(tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt()).unwrap());
    let script = "trap 'echo INT' INT; trap 'echo TERM; exit 0' TERM; echo up > file; \
                  while :; do sleep 0.05; done";
    for (signal, asked) in [(Signal::Int, "INT\nTERM\n"), (Signal::Term, "TERM\n")] {
        let (trial, cancel) = (Trial::new(), CancellationToken::new());
        let order = Invocation { signal, ..trial.shell(script) };
        let (done, ()) = tokio::join!(sandbox.run(&order, &cancel), async {
            while !Path::new(&order.directory).join("file").exists() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            cancel.cancel();
        });
        let done = done.unwrap();
        assert_eq!((done.end, done.stdout.as_str()), (End::Cancelled, asked), "{done:?}");
    }
    let trial = Trial::new();
    let mut order = trial.shell("trap 'echo late; exit 0' INT; while :; do sleep 0.05; done");
    order.signal = Signal::Int;
    order.limits.wall_ms_max = 1_000;
    let done = sandbox.run(&order, &CancellationToken::new()).await.unwrap();
    assert_eq!((done.end, done.stdout.as_str()), (End::TimedOut, "late\n"), "{done:?}");
}

/// Answers the first line, and then no more.
#[derive(Default)]
struct Once(std::sync::Mutex<String>);

impl Ear for Once {
    fn hear(&self, bytes: &[u8]) -> Answer {
        self.0.lock().unwrap().push_str(std::str::from_utf8(bytes).unwrap());
        Answer { text: b"answer\n".to_vec(), close: true }
    }

    fn answers(&self) -> bool {
        true
    }
}

async fn hearing(sandbox: &dyn Sandbox) {
    let trial = Trial::new();
    let mut order = trial.shell("read a; echo question; read b; echo \"$a $b\"; cat");
    order.stdin = "prompt\n".to_owned();
    let ear = Once::default();
    let done = sandbox.run_heard(&order, &CancellationToken::new(), &ear).await.unwrap();
    assert_eq!((done.end, done.stdout.as_str()), (End::Exited(0), "question\nprompt answer\n"));
    assert_eq!(*ear.0.lock().unwrap(), done.stdout, "what is heard is what is kept");
}

async fn homes(sandbox: &dyn Sandbox) {
    let (trial, host) = (Trial::new(), tempfile::tempdir().unwrap());
    let file = |text: &str| HomeFile { path: ".agent/settings".to_owned(), text: text.to_owned() };
    let script = "cat $HOME/.agent/settings $HOME/left 2>/dev/null; echo left > $HOME/left";
    let mut order = trial.shell(script);
    order.home.files = vec![file("one\n")];
    let cancel = CancellationToken::new();
    for _ in 0..2 {
        let done = sandbox.run(&order, &cancel).await.unwrap();
        assert_eq!(done.stdout, "one\n", "a home is new each time: {done:?}");
    }
    order.home.kept = Some(host.path().join("kept"));
    assert_eq!(sandbox.run(&order, &cancel).await.unwrap().stdout, "one\n");
    order.home.files = vec![file("two\n")];
    let again = sandbox.run(&order, &cancel).await.unwrap();
    assert_eq!(again.stdout, "two\nleft\n", "unless it is kept: {again:?}");
    assert_eq!(std::fs::read_to_string(host.path().join("kept/left")).unwrap(), "left\n");
}
