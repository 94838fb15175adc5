//! What goes wrong beside the agent's own work: it leaves processes behind, its model is away for
//! ever, stalls, or breaks off in the middle of an event. Each ends within its bounds, is told
//! apart, and leaves nothing running.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use slipway::gateway::Caps;
use slipway::gateway::relay::Patience;
use slipway::model::Trouble;
use slipway::sandbox::{End, Transcript};

use super::super::model::{Fault, Model, Script};
use super::cast::{self, Real};
use super::stage::Stage;
use super::{script, story};

/// Waits for three minutes, deaf to what asks it to end.
const LINGER: &str = "trap '' TERM INT HUP\ni=0\n\
    while [ $i -lt 900 ]; do i=$((i+1)); sleep 0.2; done\n";

/// The processes that linger with this word, as the host sees them.
fn processes(word: &str) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let one = format!("sh\0linger.sh\0{word}\0");
    lines.filter(|line| *line == one.as_bytes()).count()
}

fn lay(root: &Path) {
    std::fs::write(root.join("linger.sh"), LINGER).unwrap();
}

/// A word that stands on no other command line.
fn word() -> String {
    format!("orphan{:016x}", fastrand::u64(..))
}

/// It leaves three processes behind: in the background, in a session of its own, and by a parent
/// that is gone. None is left.
async fn leaves_none(real: &Real) {
    let (name, word) = (real.name, word());
    let one = format!("sh linger.sh {word} >/dev/null 2>&1 </dev/null &");
    let command = format!("{one} setsid {one} (setsid {one}); sleep 1; {}", super::COMMAND);
    let script = script(real, &command);
    let Some(stage) = Stage::set(real, script, lay).await else { return };
    let seen = AtomicUsize::new(0);
    let watch = |_: &Stage| {
        seen.fetch_max(processes(&word), Ordering::Relaxed);
        false
    };
    let done = stage.run(|_as_it_ships| {}, watch).await;
    assert_eq!(processes(&word), 0, "{name}: {done:?}");
    assert_eq!(done.end, End::Exited(0), "{name}: {done:?}");
    assert!(seen.into_inner() >= 3, "{name}: they were there: {done:?}");
}

/// It is stopped in the middle of a command, and nothing of it is left.
async fn stops(real: &Real) -> Option<Transcript> {
    let (name, word) = (real.name, word());
    let script = script(real, &format!("sh linger.sh {word}"));
    let stage = Stage::set(real, script, lay).await?;
    let done = stage.run(|_as_it_ships| {}, |_| processes(&word) > 0).await;
    assert_eq!(done.end, End::Cancelled, "{name}: {done:?}");
    assert_eq!(processes(&word), 0, "{name}: {done:?}");
    Some(done)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_stopped_in_the_middle_of_a_command_leaves_no_process() {
    for real in [&cast::CODEX, &cast::OPENCODE, &cast::GEMINI, &cast::QWEN, &cast::COPILOT] {
        stops(real).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn claude_tells_what_it_cost_when_it_is_stopped_by_its_own_signal() {
    let Some(done) = stops(&cast::CLAUDE).await else { return };
    assert!(done.stdout.contains("\"type\":\"result\""), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn orphan_processes_of_codex_do_not_outlive_it() {
    leaves_none(&cast::CODEX).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orphan_processes_of_opencode_do_not_outlive_it() {
    leaves_none(&cast::OPENCODE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orphan_processes_of_the_others_do_not_outlive_them() {
    for real in [&cast::CLAUDE, &cast::GEMINI, &cast::QWEN, &cast::COPILOT] {
        leaves_none(real).await;
    }
}

/// Bounds as they are, with shorter waits: a test is not to wait for minutes.
fn caps() -> Caps {
    Caps {
        stall_max: Duration::from_secs(2),
        first_max: Duration::from_secs(2),
        failures_max: 3,
        patience: Patience { tries_max: 2, ..Patience::default() },
        ..Caps::default()
    }
}

/// Its model fails for ever; it ends by itself, and what the gateway saw says why.
async fn gives_up(real: &Real, fault: Fault, whys: &[Trouble]) {
    let (name, what) = (real.name, format!("{fault:?}"));
    let script = Script { afterwards: fault, ..script(real, super::COMMAND) };
    let Some(stage) = Stage::with(real, script, lay, caps()).await else { return };
    let done = stage.run(|_as_it_ships| {}, |_| false).await;
    let tally = stage.line.tally();
    assert!(matches!(done.end, End::Exited(1..)), "{name}, {what}: {done:?}");
    let trouble = tally.trouble.unwrap();
    assert!(whys.contains(&trouble), "{name}, {what}: {trouble:?} {tally:?}");
    assert!(tally.requests <= 40, "{name}, {what}: {tally:?}");
}

const ENDS: [Trouble; 4] = [Trouble::Limit, Trouble::Network, Trouble::Server, Trouble::RateLimit];

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_stream_ends_codex() {
    gives_up(&cast::CODEX, Fault::Stall, &ENDS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_stream_ends_opencode() {
    gives_up(&cast::OPENCODE, Fault::Stall, &ENDS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_cut_in_the_middle_of_an_event_ends_codex() {
    gives_up(&cast::CODEX, Fault::Close, &ENDS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_cut_in_the_middle_of_an_event_ends_opencode() {
    gives_up(&cast::OPENCODE, Fault::Close, &ENDS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_retry_of_opencode_ends() {
    gives_up(&cast::OPENCODE, Fault::Status(500, None, "boom"), &ENDS).await;
}

/// What people read of a run whose model fails so for ever.
async fn said(real: &'static Real, fault: Fault) -> Option<String> {
    let model = Model::start(Script { afterwards: fault, ..script(real, super::COMMAND) });
    let output = story(real, &model.await.unwrap(), &[]).await?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("Slipway needs a person: planning failed: "), "{told}");
    assert!(!told.contains("pull request  "), "{told}");
    Some(told)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_retry_of_codex_ends_and_people_are_told_so() {
    let rush = Fault::Status(429, Some("1"), "slow down");
    let Some(told) = said(&cast::CODEX, rush).await else { return };
    assert!(told.contains("it was asked too often for now"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_cut_in_the_middle_of_an_event_is_told_to_people() {
    let Some(told) = said(&cast::CODEX, Fault::Close).await else { return };
    assert!(told.contains("its model could not be reached"), "{told}");
}
