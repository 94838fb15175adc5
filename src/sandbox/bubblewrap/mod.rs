//! Programs inside namespaces made by `bwrap`: no network unless it is lent, the workspace the
//! only thing that can be written, nothing of the host but its system directories to be read.
//!
//! Two modes of our own binary stand around it. Outside, `launch` joins a control group, sets
//! limits, closes what is open and becomes a user that is nobody's; inside, `inner` opens the
//! doors, lets the kernel's own rules (Landlock) narrow it once more and becomes the program.
//! `bwrap` itself loads the system call filter, so that also its own process inside has it.

mod advice;
mod arguments;
mod ask;
mod filter;
mod inner;
mod launch;
mod masks;
mod place;
mod probe;
mod relay;
mod uids;

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

pub use self::inner::{NOT_STARTED, SUBCOMMAND as INNER, inner};
pub use self::launch::{SUBCOMMAND as LAUNCH, launch};
pub use self::relay::{SUBCOMMAND as RELAY, relay};
pub use self::uids::UID_BASE;

use self::arguments::{Ask, Plan};
use self::launch::Launch;
use self::masks::Masks;
use self::place::Place;
use self::uids::{Lease, Pool};
use super::cgroup::{Cgroups, Group};
use super::defence::{Defence, Defences};
use super::process::{environment, order, transcript};
use super::watch::{TICK, Watch};
use super::{
    Ear, End, Error, HOME, Invocation, Protection, Sandbox, Signal, Tools, Transcript, tree,
};
use crate::process::{self, ASK, GRACE, Order, Outcome};

/// Where the workspace is seen from inside.
const WORKSPACE: &str = "/workspace";
/// Where sources are shown to another user, in a mount namespace of that run: a directory
/// that every host has and everybody can walk through.
const STAGE: &str = "/tmp";
/// Between the limit of a program and that of its wrapper, which only guards against one that
/// hangs.
const SLACK: Duration = Duration::from_mins(1);
/// What our modes say when they are what failed.
pub const FAILED: &str = "slipway sandbox: ";

/// How the operator wants it.
#[derive(Debug, Clone)]
pub struct Setup {
    pub tools: Tools,
    /// Our own binary.
    pub helper: PathBuf,
    /// The first of the users that are nobody's, for when Slipway is root.
    pub uid_base: u32,
    /// Where directories of runs are made.
    #[doc(hidden)]
    pub runs: PathBuf,
    /// Where `bwrap` is, when not in the system's directories.
    #[doc(hidden)]
    pub bwrap: Option<PathBuf>,
    /// Tests take one away.
    #[doc(hidden)]
    pub defences: Defences,
}

impl Setup {
    pub fn new(helper: PathBuf, tools: Tools) -> Self {
        Self {
            tools,
            helper,
            uid_base: UID_BASE,
            runs: tempfile::env::temp_dir(),
            bwrap: None,
            defences: Defences::all(),
        }
    }
}

/// The adapter; made by [`Bubblewrap::probe`], so it exists only where it works.
#[derive(Debug, Clone)]
pub struct Bubblewrap {
    setup: Setup,
    program: PathBuf,
    users: Option<Pool>,
    cgroups: Cgroups,
    protection: Protection,
}

/// What a run holds. Dropped in this order, also when the run is given up in the middle: the
/// processes end, the workspace comes back, the rest is removed, the user is free again.
#[derive(Debug)]
struct Held {
    group: Option<Group>,
    given: Given,
    place: Place,
    user: Option<Lease>,
}

/// The workspace, while it belongs to the user of the run.
#[derive(Debug)]
struct Given {
    /// The workspace, and a home that stays.
    lent: Vec<PathBuf>,
    masks: Masks,
    back_to: Option<u32>,
}

impl Drop for Given {
    fn drop(&mut self) {
        self.masks.clear();
        let Some(us) = self.back_to.take() else { return };
        for directory in &self.lent {
            if let Err(error) = tree::hand_over(directory, us) {
                tracing::warn!(%error, "what was lent did not come back to us whole");
            }
        }
    }
}

impl Bubblewrap {
    /// Finds `bwrap`, tidies up after a Slipway that was killed, and tries it; the error says
    /// what is missing on this host and what to do about it.
    pub async fn probe(setup: Setup) -> Result<Self, Error> {
        probe::probe(setup).await.map_err(|Error(why)| {
            let next = advice::advice(&why);
            Error(format!("{why}; {next}"))
        })
    }

    /// The same with other defences.
    #[doc(hidden)]
    #[must_use]
    pub fn with(mut self, defences: Defences) -> Self {
        self.setup.defences = defences;
        self
    }

    /// The same as on a machine without control groups.
    #[doc(hidden)]
    #[must_use]
    pub fn ungrouped(mut self) -> Self {
        self.cgroups = Cgroups::default();
        self
    }

    /// Takes what a run needs. Blocking: it may hand over many files.
    fn hold(&self, invocation: &Invocation) -> Result<Held, Error> {
        let has = |defence| self.setup.defences.has(defence);
        let user = match self.users {
            Some(pool) if has(Defence::Uid) => Some(pool.lease()?),
            Some(_) | None => None,
        };
        let uid = user.as_ref().map(|lease| lease.uid);
        let io = |what: &str, why: std::io::Error| Error(format!("{what}: {why}"));
        let place = Place::new(&self.setup.runs, uid, &invocation.home)?;
        let masks = Masks::new(&invocation.directory, &invocation.masks)?;
        let workspace = invocation.directory.clone();
        let back_to = uid.map(|_| rustix::process::geteuid().as_raw());
        let lent = [Some(workspace), place.kept().map(Path::to_owned)];
        let given = Given { lent: lent.into_iter().flatten().collect(), masks, back_to };
        if let Some(uid) = uid {
            tree::hand_over(&invocation.directory, uid)
                .map_err(|why| io("the workspace cannot be handed over", why))?;
            for door in &invocation.doors {
                std::os::unix::fs::chown(&door.socket, Some(uid), Some(uid))
                    .map_err(|why| io("a door cannot be handed over", why))?;
            }
        }
        let grouped = has(Defence::Cgroup) && has(Defence::Death);
        let group = if grouped && self.cgroups.describe().is_some() {
            let made = self.cgroups.create(&invocation.limits);
            Some(made.map_err(|why| io("a control group cannot be made", why))?)
        } else {
            None
        };
        Ok(Held { group, given, place, user })
    }

    fn order(&self, invocation: &Invocation, held: &Held, tell: bool) -> Result<Order, Error> {
        let program = self.setup.tools.find(&invocation.program)?;
        let has = |defence| self.setup.defences.has(defence);
        let user = held.user.as_ref().map(|lease| lease.uid);
        let plan = Plan::new(&Ask {
            invocation,
            program: &program,
            helper: &self.setup.helper,
            tools: &self.setup.tools,
            place: &held.place,
            masks: &held.given.masks,
            defences: &self.setup.defences,
            staged: user.is_some(),
            counts: !self.cgroups.bounds_pids() && has(Defence::Cgroup),
            tell,
        });
        let launch = Launch {
            groups: held.group.iter().flat_map(|group| group.directories().to_vec()).collect(),
            status: held.place.status(),
            user,
            lent: plan.lent,
            filter: has(Defence::Seccomp),
            close: has(Defence::Descriptors),
            limits: has(Defence::Rlimits),
            program: self.program.clone(),
            args: plan.args,
        };
        let (home, tmp) = (Path::new(HOME), Path::new("/tmp"));
        let mut env = environment(invocation, &self.setup.tools, home, tmp)?;
        if !has(Defence::Environment) {
            env.extend(ours());
        }
        let (program, args) = (self.setup.helper.clone(), launch.words());
        // It is asked inside; outside, only the wrapper could be ended.
        let wall_max = Duration::from_millis(invocation.limits.wall_ms_max) + SLACK;
        Ok(Order { program, args, env, wall_max, asks: ASK, ..order(invocation) })
    }

    /// Runs, and looks now and then. Says why it was cut short, if it was: who is out of time or
    /// not wanted any more is asked first, who goes over a limit is ended at once.
    async fn watched(
        &self,
        (order, signal): (&Order, Signal),
        held: &Held,
        watch: &mut Watch,
        (cancel, ear): (&CancellationToken, &dyn Ear),
    ) -> Result<(Outcome, Option<End>), Error> {
        let failed = |error: std::io::Error| Error(error.to_string());
        let cut = CancellationToken::new();
        let heard = Arc::clone(&watch.heard);
        let mut run = pin!(process::run_heard(order, &cut, &heard, ear));
        let mut wall = pin!(tokio::time::sleep(order.wall_max.saturating_sub(SLACK)));
        let end = loop {
            tokio::select! {
                outcome = &mut run => return Ok((outcome.map_err(failed)?, None)),
                () = cancel.cancelled() => break End::Cancelled,
                () = &mut wall => break End::TimedOut,
                () = tokio::time::sleep(TICK) => {
                    if let Some(limit) = watch.look(held.group.as_ref()).await? {
                        cut.cancel();
                        break End::Limit(limit);
                    }
                }
            }
        };
        for signal in signal.asks().iter().filter(|_| !cut.is_cancelled()) {
            ask::ask(&held.place.status(), *signal);
            if let Ok(outcome) = tokio::time::timeout(GRACE, &mut run).await {
                return Ok((outcome.map_err(failed)?, Some(end)));
            }
        }
        cut.cancel();
        Ok((run.await.map_err(failed)?, Some(end)))
    }

    async fn perform(
        &self,
        invocation: &Invocation,
        (cancel, ear): (&CancellationToken, &dyn Ear),
        tell: bool,
    ) -> Result<Transcript, Error> {
        let (this, ask) = (self.clone(), invocation.clone());
        let held = blocking(move || this.hold(&ask)).await??;
        let order = self.order(invocation, &held, tell)?;
        let trees = vec![invocation.directory.clone(), held.place.home()];
        let mut watch = Watch::new(invocation.limits, trees, Some(held.place.pulse()));
        watch.all = self.setup.defences.has(Defence::Watch);
        let order = (&order, invocation.signal);
        let (outcome, mut cut) = self.watched(order, &held, &mut watch, (cancel, ear)).await?;
        if cut.is_none() {
            let breach = match held.group.as_ref().and_then(Group::breach) {
                Some(limit) => Some(limit),
                None => watch.count().await?,
            };
            cut = breach.map(End::Limit);
        }
        let told = std::fs::read_to_string(held.place.status()).unwrap_or_default();
        blocking(move || drop(held)).await?;
        let mut transcript = transcript(&outcome);
        transcript.end = match cut {
            Some(cut) => cut,
            None => end(transcript.end, &told, &transcript.stderr).ok_or_else(|| {
                Error(format!("bwrap did not start the program: {}", transcript.stderr.trim()))
            })?,
        };
        Ok(transcript)
    }
}

#[async_trait]
impl Sandbox for Bubblewrap {
    async fn run_heard(
        &self,
        invocation: &Invocation,
        cancel: &CancellationToken,
        ear: &dyn Ear,
    ) -> Result<Transcript, Error> {
        if cancel.is_cancelled() {
            let (stdout, stderr) = (String::new(), String::new());
            return Ok(Transcript { end: End::Cancelled, stdout, stderr });
        }
        self.perform(invocation, (cancel, ear), false).await
    }

    fn seen(&self, _: &Path) -> PathBuf {
        PathBuf::from(WORKSPACE)
    }

    fn can_mask(&self) -> bool {
        true
    }

    fn protection(&self) -> Protection {
        self.protection.clone()
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|fault| Error(fault.to_string()))
}

/// Our own environment, as the kernel shows it: only for showing what would leak.
fn ours() -> Vec<(String, std::ffi::OsString)> {
    let all = std::fs::read("/proc/self/environ").unwrap_or_default();
    let text = String::from_utf8_lossy(&all);
    let pairs = text.split('\0').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.into())).collect()
}

/// How the program itself ended, by what bwrap wrote down; `None` when it never ran. As
/// shells do, bwrap says 128 + n for a program that signal n ended.
fn end(wrapper: End, status: &str, stderr: &str) -> Option<End> {
    match wrapper {
        End::TimedOut | End::Cancelled | End::Limit(_) | End::Signalled(_) => Some(wrapper),
        End::Exited(_) => {
            let documents = serde_json::Deserializer::from_str(status);
            let documents = documents.into_iter::<serde_json::Value>().map_while(Result::ok);
            let codes = documents.filter_map(|document| document.get("exit-code")?.as_i64());
            let code = i32::try_from(codes.last()?).ok()?;
            if code == i32::from(NOT_STARTED) && stderr.starts_with(FAILED) {
                return None;
            }
            let signal = (129..=159).contains(&code);
            Some(if signal { End::Signalled(code - 128) } else { End::Exited(code) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrappers_own_failure_is_not_the_programs() {
        assert_eq!(end(End::Exited(1), "{ \"child-pid\": 7 }\n", ""), None);
        let ran = "{ \"child-pid\": 7 }\n{ \"exit-code\": 3 }\n";
        assert_eq!(end(End::Exited(3), ran, ""), Some(End::Exited(3)));
        assert_eq!(end(End::Exited(139), "{ \"exit-code\": 139 }", ""), Some(End::Signalled(11)));
        assert_eq!(end(End::TimedOut, "", ""), Some(End::TimedOut));
        let inner = format!("{FAILED}door 3128: in use");
        let not_found = "{ \"exit-code\": 127 }";
        assert_eq!(end(End::Exited(127), not_found, &inner), None);
        assert_eq!(end(End::Exited(127), not_found, "sh: not found"), Some(End::Exited(127)));
    }

    #[tokio::test]
    async fn where_there_is_no_bwrap_the_way_out_is_told() {
        let mut setup = Setup::new("/nonexistent/slipway".into(), Tools::default());
        setup.bwrap = Some("/nonexistent/bwrap".into());
        let Error(why) = Bubblewrap::probe(setup).await.unwrap_err();
        assert!(why.contains("there is no program"), "{why}");
        assert!(why.ends_with("install bubblewrap (the package of that name)"), "{why}");
    }
}
