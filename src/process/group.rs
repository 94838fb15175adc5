//! Process groups: how a process and all it started are signalled without guessing.
//!
//! A process id may be given out again as soon as its owner is reaped, so a signal to a group
//! is safe only while somebody in it is not. For a stranger's program that somebody is an
//! *anchor*: a shell that leads the group, waits on a pipe from us, and ends the group when
//! the pipe closes, which also happens when Slipway itself is killed.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{OnceLock, mpsc};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::{Child, ChildStdin, Command};

use super::{Order, command};

/// Waits for the end of its input, then ends its group; deaf to the gentler signals.
const ANCHOR: &str = "trap '' TERM HUP INT QUIT; read -r _; kill -s KILL 0";
/// The variable by which processes that left the group are recognised.
const MARK: &str = "SLIPWAY_PROCESS";
/// How often survivors are looked for; each time more could only have been forked since.
const HUNTS_MAX: usize = 20;

/// The group of a started process.
#[derive(Debug)]
pub(super) struct Group {
    id: u32,
    anchor: Option<(Child, Option<ChildStdin>)>,
    mark: String,
}

/// Starts `order` in a group of its own.
pub(super) async fn start(order: &Order) -> io::Result<(Child, Group)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mark = format!("{MARK}={}.{count}", std::process::id());
    let anchor = if order.stranger { Some(anchor().await?) } else { None };
    let mut command = command(order);
    let leader = anchor.as_ref().and_then(|(anchor, _)| anchor.id());
    command.process_group(leader.and_then(|id| i32::try_from(id).ok()).unwrap_or(0));
    if let Some((name, value)) = mark.split_once('=') {
        command.env(name, value);
    }
    let child = spawn(command).await?;
    let id = leader.or_else(|| child.id()).ok_or_else(|| io::Error::other("no process id"))?;
    Ok((child, Group { id, anchor, mark }))
}

async fn anchor() -> io::Result<(Child, Option<ChildStdin>)> {
    let mut command = command(&shell(&[ANCHOR]));
    command.process_group(0).stdout(Stdio::null()).stderr(Stdio::null());
    // Dropped, it must live long enough to end the others.
    command.kill_on_drop(false);
    let mut child = spawn(command).await?;
    let pipe = child.stdin.take();
    Ok((child, pipe))
}

impl Group {
    /// Sends the signal to everything in the group. Only while the group's leader (the anchor,
    /// or the process itself) has not been reaped.
    pub(super) fn signal(&self, signal: Signal) {
        if let Some(leader) = i32::try_from(self.id).ok().and_then(Pid::from_raw) {
            // Nobody left to hear it is what the signal was for.
            let _heard = kill_process_group(leader, signal).is_ok();
        }
    }

    /// Ends what a stranger left behind and reaps the anchor.
    pub(super) async fn end(&mut self) {
        let Some((mut anchor, pipe)) = self.anchor.take() else { return };
        self.signal(Signal::KILL);
        drop(pipe);
        drop(anchor.wait().await);
        for _ in 0..HUNTS_MAX {
            let survivors = survivors(&self.mark);
            if survivors.is_empty() {
                return;
            }
            for survivor in survivors {
                let _found = kill_process(survivor, Signal::KILL).is_ok();
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}

fn shell(words: &[&str]) -> Order {
    let args = std::iter::once("-c").chain(words.iter().copied());
    Order {
        program: PathBuf::from("/bin/sh"),
        args: args.map(OsString::from).collect(),
        env: Vec::new(),
        directory: PathBuf::from("/"),
        stdin: Vec::new(),
        wall_max: super::DEATH,
        output_bytes_max: 0,
        stranger: false,
        asks: super::ASK,
    }
}

/// Processes that carry our mark in their environment, wherever they hid (Linux only).
fn survivors(mark: &str) -> Vec<Pid> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let pids = names.filter(|name| name.bytes().all(|b| b.is_ascii_digit()));
    pids.filter(|pid| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes())
    })
    .filter_map(|pid| Pid::from_raw(pid.parse().ok()?))
    .collect()
}

type Job = Box<dyn FnOnce() + Send>;

/// Starts processes on one thread that never ends: what a program asks the kernel to do "when
/// my parent dies" goes by the thread that started it, and a runtime's threads come and go.
async fn spawn(mut command: Command) -> io::Result<Child> {
    static STARTER: OnceLock<mpsc::Sender<Job>> = OnceLock::new();
    let starter = STARTER.get_or_init(|| {
        let (jobs, queue) = mpsc::channel::<Job>();
        let work = move || queue.into_iter().for_each(|job| job());
        // Should the thread not start, every use of the channel says so.
        drop(std::thread::Builder::new().name("starter".to_owned()).spawn(work));
        jobs
    });
    let runtime = tokio::runtime::Handle::current();
    let (answer, child) = tokio::sync::oneshot::channel();
    let job = move || {
        let _entered = runtime.enter();
        drop(answer.send(command.spawn()));
    };
    let gone = || io::Error::other("the thread that starts processes is gone");
    starter.send(Box::new(job)).map_err(|_unsent| gone())?;
    child.await.map_err(|_closed| gone())?
}
