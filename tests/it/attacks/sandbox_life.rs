//! Outliving one's end: daemons, a killed Slipway, what is left behind.

use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::*;

/// A script that leaves a daemon in a session of its own, without our mark, deaf to gentle
/// signals; on the host it is known by `word`. It goes by itself after two minutes.
fn daemon(word: &str, then: &str) -> String {
    format!(
        "env -i PATH=/usr/bin:/bin setsid sh -c 'trap \"\" TERM HUP INT; touch beats; \
         i=0; while [ $i -lt 1200 ]; do i=$((i+1)); sleep 0.1; done; : {word}' \
         </dev/null >/dev/null 2>&1 & while [ ! -e beats ]; do sleep 0.02; done; {then}"
    )
}

/// The processes with this word on their command line that `which` chooses, as the host sees
/// them.
fn processes(word: &str, which: impl Fn(&str) -> bool) -> Vec<Pid> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let ours = entries.filter(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        line.contains(word) && which(&line)
    });
    ours.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)).collect()
}

fn daemons(word: &str) -> Vec<Pid> {
    processes(word, |line| line.starts_with("sh\0-c\0trap"))
}

/// Whether a daemon is left, shortly after; and ends it with all that came with it.
async fn outlived(word: &str, within_ms: u64) -> bool {
    tokio::time::sleep(Duration::from_millis(within_ms)).await;
    let left = !daemons(word).is_empty();
    for process in processes(word, |_| true) {
        let _gone = rustix::process::kill_process(process, Signal::KILL).is_ok();
    }
    left
}

#[tokio::test]
async fn attack_22_no_daemon_outlives_the_end_the_time_or_the_stop() {
    let Some(sandbox) = shipped().await else { return };
    let ways = [("exit 0", 20_000), ("sleep 60", 1_500), ("touch up; sleep 60", 20_000)];
    for (way, wall_ms_max) in ways {
        let (trial, word) = (Trial::new(), canary());
        let mut order = trial.shell(&daemon(&word, way));
        order.limits.wall_ms_max = wall_ms_max;
        let cancel = CancellationToken::new();
        let stopped = async {
            if way.starts_with("touch") {
                while !order.directory.join("up").exists() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                assert_ne!(daemons(&word), [], "the daemon is there before the stop");
                cancel.cancel();
            }
            clock()
        };
        let (done, began) = tokio::join!(sandbox.run(&order, &cancel), stopped);
        let (done, took) = (done.unwrap(), began.elapsed());
        let end = match way {
            "exit 0" => End::Exited(0),
            "sleep 60" => End::TimedOut,
            _stopped => End::Cancelled,
        };
        assert_eq!(done.end, end, "{done:?}");
        assert!(end != End::Cancelled || took < Duration::from_secs(1), "{took:?} after the stop");
        assert!(!outlived(&word, 0).await, "a daemon outlived {way}");
    }
    let (trial, word) = (Trial::new(), canary());
    let order = trial.shell(&daemon(&word, "exit 0"));
    let open = run(&sandbox.with(Defences::all().without(Defence::Death)), &order).await;
    assert!(outlived(&word, 300).await, "without the defence it does: {open:?}");
}

#[expect(clippy::disallowed_methods, reason = "how long an end takes is what is tested")]
fn clock() -> Instant {
    Instant::now()
}

/// Not a test: the Slipway that is killed. It runs a program until then.
#[tokio::test]
#[ignore = "started as a process by the test that kills it"]
async fn play_slipway() {
    let words = std::fs::read_to_string(std::env::current_dir().unwrap().join("orders")).unwrap();
    let mut words = words.lines();
    let mut setup = setup();
    setup.runs = words.next().unwrap().into();
    let word = words.next().unwrap();
    if words.next() == Some("less") {
        setup.defences = Defences::all().without(Defence::Death);
    }
    let sandbox = Bubblewrap::probe(setup).await.unwrap();
    let mut order = Trial::new().shell(&daemon(word, "sleep 120"));
    order.directory = std::env::current_dir().unwrap().join("workspace");
    run(&sandbox, &order).await;
}

/// Kills a Slipway in the middle of a run, whose daemon has `word`, and says where its runs were.
async fn kill_slipway(home: &Path, word: &str, less: bool) -> PathBuf {
    let (runs, workspace) = (home.join("runs"), home.join("workspace"));
    for path in [&runs, &workspace] {
        std::fs::create_dir(path).unwrap();
    }
    let orders = format!("{}\n{word}\n{}\n", runs.display(), if less { "less" } else { "all" });
    std::fs::write(home.join("orders"), orders).unwrap();
    #[expect(clippy::disallowed_methods, reason = "a Slipway to be killed")]
    let mut command = tokio::process::Command::new(std::env::current_exe().unwrap());
    let name = "attacks::sandbox_life::play_slipway";
    command.args(["--exact", name, "--ignored", "--nocapture"]).current_dir(home);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut slipway = command.kill_on_drop(true).spawn().unwrap();
    while !workspace.join("beats").exists() {
        assert!(slipway.try_wait().unwrap().is_none(), "it ended by itself");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_ne!(daemons(word), []);
    slipway.kill().await.unwrap();
    runs
}

#[tokio::test]
async fn attack_22_when_slipway_is_killed_its_programs_die_and_the_next_start_tidies_up() {
    let Some(sandbox) = shipped().await else { return };
    let (home, word) = (open_directory(), canary());
    let runs = kill_slipway(home.path(), &word, false).await;
    assert!(!outlived(&word, 900).await, "it outlived Slipway by a second");
    // The run's directory holds its home: only a start removes it.
    assert_ne!(std::fs::read_dir(&runs).unwrap().count(), 0, "something is left behind");
    let mut again = setup();
    again.runs.clone_from(&runs);
    let probed = Bubblewrap::probe(again).await.unwrap();
    assert_eq!(std::fs::read_dir(&runs).unwrap().count(), 0, "tidied up");
    assert_eq!(probed.protection().level, sandbox.protection().level);
    assert_eq!(leftover_groups(), Vec::<PathBuf>::new(), "groups of the dead");

    let (home, word) = (open_directory(), canary());
    kill_slipway(home.path(), &word, true).await;
    assert!(outlived(&word, 900).await, "without the defence it does");
}

/// Control groups named after processes that are over.
fn leftover_groups() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = vec![PathBuf::from("/sys/fs/cgroup")];
    while let Some(directory) = todo.pop() {
        for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten() {
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            let name = entry.file_name().to_string_lossy().into_owned();
            let owner = name.strip_prefix("slipway-run-").and_then(|tag| tag.split('-').nth(1));
            match owner {
                Some(id) if !Path::new("/proc").join(id).exists() => found.push(entry.path()),
                Some(_) => {}
                None => todo.push(entry.path()),
            }
        }
    }
    found
}

#[tokio::test]
async fn attack_15_what_is_open_here_is_not_open_there() {
    use rustix::fs::{Mode, OFlags};
    if !python() {
        return;
    }
    let secret = canary();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &secret).unwrap();
    // As a library would open it that does not know of programs: inherited by everything.
    let open = rustix::fs::open(file.path(), OFlags::RDONLY, Mode::empty()).unwrap();
    let trial = Trial::new();
    let script = "import os, sys; print(os.read(int(sys.argv[1]), 100).decode())";
    let order = snake(&trial, script, &[&open.as_raw_fd().to_string()]);
    let Some((held, open)) = twice(&order, Defence::Descriptors).await else { return };
    assert!(!held.stdout.contains(&secret), "{held:?}");
    assert!(open.stdout.contains(&secret), "{open:?}");
}

/// Not a test: nothing passes or fails by time. The figures are in `docs/benchmarks.md`.
#[tokio::test]
#[ignore = "a measurement"]
async fn measure_the_start_and_the_end() {
    let Some(sandbox) = shipped().await else { return };
    let plain = slipway::sandbox::process::Process::default();
    let cancel = CancellationToken::new();
    let mut medians = Vec::new();
    for sandbox in [&plain as &dyn Sandbox, &sandbox] {
        let mut took = Vec::new();
        for _ in 0..50 {
            let trial = Trial::new();
            let began = clock();
            assert!(sandbox.run(&trial.shell("true"), &cancel).await.unwrap().succeeded());
            took.push(began.elapsed());
        }
        took.sort_unstable();
        medians.push(took[25]);
    }
    say(&format!("process and bubblewrap, start to end, medians of 50: {medians:?}"));
}
