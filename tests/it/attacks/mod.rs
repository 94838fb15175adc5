//! Attacks from inside the sandbox, run against the boundary as shipped and again with exactly
//! one defence taken away: the first must fail and the second must work, or the test proves
//! nothing.

mod git;
mod sandbox;
mod sandbox_cache;
mod sandbox_contract;
mod sandbox_life;
mod sandbox_limits;
#[path = "../../../src/sandbox/trial.rs"]
mod trial;

use std::path::Path;

use slipway::sandbox::bubblewrap::{Bubblewrap, Setup};
use slipway::sandbox::defence::{Defence, Defences};
use slipway::sandbox::{
    Answer, Door, Ear, End, Home, HomeFile, Invocation, Limit, Limits, Purpose, Sandbox, Signal,
    Tools, Transcript,
};
use tokio_util::sync::CancellationToken;

use self::trial::Trial;

/// The sandbox as shipped, or `None` where bubblewrap does not work, said aloud.
async fn shipped() -> Option<Bubblewrap> {
    match Bubblewrap::probe(setup()).await {
        Ok(sandbox) => Some(sandbox),
        Err(why) => {
            say_aloud(&format!("bubblewrap is not tested here: {why}"));
            None
        }
    }
}

fn setup() -> Setup {
    Setup::new(env!("CARGO_BIN_EXE_slipway").into(), Tools::default())
}

fn say_aloud(left_out: &str) {
    say(&format!("LEFT OUT: {left_out}"));
}

/// Past the harness's capture: it is told also when every test passes.
fn say(what: &str) {
    use std::io::Write;
    writeln!(std::io::stderr(), "\n{what}").unwrap();
}

/// Whether attacks can be written in Python here.
fn python() -> bool {
    let there = Path::new("/usr/bin/python3").exists();
    if !there {
        say_aloud("attacks that are written in Python: there is no /usr/bin/python3");
    }
    there
}

fn root() -> bool {
    rustix::process::geteuid().is_root()
}

async fn run(sandbox: &Bubblewrap, order: &Invocation) -> Transcript {
    sandbox.run(order, &CancellationToken::new()).await.unwrap()
}

/// The same attack on what ships and on what lacks one defence.
async fn twice(order: &Invocation, less: Defence) -> Option<(Transcript, Transcript)> {
    let sandbox = shipped().await?;
    let held = run(&sandbox, order).await;
    let open = run(&sandbox.with(Defences::all().without(less)), order).await;
    Some((held, open))
}

/// A program in Python, with `args`.
fn snake(trial: &Trial, script: &str, args: &[&str]) -> Invocation {
    let mut order = trial.shell("");
    order.program = "/usr/bin/python3".to_owned();
    order.args = ["-c", script].iter().chain(args).map(|&word| word.to_owned()).collect();
    order
}

/// A word nobody could guess.
fn canary() -> String {
    format!("canary{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..))
}

/// A directory everybody may read, as far as the host is asked.
fn open_directory() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let all = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(directory.path(), all).unwrap();
    directory
}

/// The text of every file in the workspace.
fn everything(order: &Invocation) -> String {
    let entries = std::fs::read_dir(&order.directory).unwrap().flatten();
    entries.filter_map(|entry| std::fs::read_to_string(entry.path()).ok()).collect()
}
