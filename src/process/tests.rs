//! Processes that end, are ended, and hide.

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
        asks: ASK,
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
