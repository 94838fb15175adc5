//! Programs in containers of Docker, Podman or Apple's `container`, also under gVisor: an image
//! that cannot be written, no network, no capabilities, the checkout the only thing of ours.
//!
//! Three programs, one shape: the client is run like any other program and told everything in
//! its arguments (`args`); what a container did is read from the engine, and a container is
//! ended and removed by its own name, whatever the client says. The engine's socket is lent to
//! nobody. Inside, our own program (`inner`) opens the doors and becomes the agent.

mod args;
mod client;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::args::Engine;
use self::args::{Frame, User};
use self::client::Client;
use super::process::{Private, housed};
use super::{
    Ear, End, Error, Home, Invocation, Limit, Limits, Protection, Purpose, Sandbox, Signal, Tools,
    Transcript,
};
use crate::process::{GRACE, Order, run_heard};

/// How long the client may take to notice that its container is dead.
const CLIENT_MAX: Duration = Duration::from_secs(5);
/// Between the limit of a program and that of the client, which only guards against a client
/// that hangs.
const SLACK: Duration = Duration::from_mins(1);

/// What an operator says about containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// By digest: `name@sha256:…`.
    pub image: String,
    /// Such as `runsc`; the engine's own without it.
    pub runtime: Option<String>,
    /// `all`, or the name of one CDI device.
    pub gpus: Option<String>,
    pub memory_mb_max: u32,
    pub cpus_max: u32,
    pub pids_max: u32,
    /// A profile instead of the engine's own.
    pub seccomp: Option<PathBuf>,
    /// What the client needs of our environment: where its engine is.
    pub client_env: Vec<(String, String)>,
    /// Tells our containers from those of another Slipway.
    pub owner: String,
    /// Our own program, for the engine to run inside.
    pub program: PathBuf,
}

/// The adapter; made by [`Container::probe`], so it exists only where it works.
#[derive(Debug, Clone)]
pub struct Container {
    client: Client,
    wanted: Wanted,
    tools: Tools,
    user: User,
    /// User namespaces in use, when the engine is not rootless.
    remapped: bool,
    tasks: TaskTracker,
}

impl Container {
    /// Asks the engine and tries one container; the error says what is missing and what to do.
    pub async fn probe(engine: Engine, wanted: Wanted, tools: Tools) -> Result<Self, Error> {
        let program = Tools::default().find(engine.program())?;
        Self::probe_with(engine, program, wanted, tools).await
    }

    async fn probe_with(
        engine: Engine,
        program: PathBuf,
        wanted: Wanted,
        tools: Tools,
    ) -> Result<Self, Error> {
        args::check(engine, &wanted)?;
        let client = Client { engine, program, env: wanted.client_env.clone() };
        let told = client.security().await?;
        client.has_image(&wanted.image).await?;
        let user = User::of(engine, told.rootless);
        let remapped = told.remapped;
        let own = Self { client, wanted, tools, user, remapped, tasks: TaskTracker::new() };
        own.try_one().await?;
        Ok(own)
    }

    /// Removes what an earlier process of the same owner left behind. For the start alone: what
    /// runs now is removed as well.
    pub async fn sweep(&self) -> Result<(), Error> {
        self.client.sweep(&self.wanted.owner).await
    }

    /// Writes a file, as agents do.
    async fn try_one(&self) -> Result<(), Error> {
        let directory = tempfile::tempdir().map_err(|error| Error(error.to_string()))?;
        let trial = Invocation {
            purpose: Purpose::Check,
            program: "sh".to_owned(),
            args: vec!["-c".to_owned(), "echo works > file".to_owned()],
            env: Vec::new(),
            stdin: String::new(),
            directory: directory.path().to_owned(),
            workspace: "probe".to_owned(),
            doors: Vec::new(),
            read_only: Vec::new(),
            masks: Vec::new(),
            home: Home::default(),
            limits: Limits { wall_ms_max: 60_000, output_bytes_max: 4_096, ..Limits::default() },
            signal: Signal::Term,
        };
        let done = self.run(&trial, &CancellationToken::new()).await?;
        if done.succeeded() && directory.path().join("file").is_file() {
            return Ok(());
        }
        let engine = self.client.engine.program();
        let said = done.stderr.trim();
        Err(Error(format!("a container of {engine} cannot write its checkout: {said}")))
    }

    /// How much stands between a program and this machine, from 0 to 4, and why not more.
    pub fn level(&self) -> (u8, &'static str) {
        let gvisor = self.wanted.runtime.as_deref().is_some_and(|name| name.contains("runsc"));
        match self.client.engine {
            Engine::Apple => (4, "a virtual machine for each container"),
            Engine::Docker | Engine::Podman if gvisor => (4, "gVisor"),
            Engine::Docker | Engine::Podman if self.user.is_rootless() => (3, "a rootless engine"),
            Engine::Docker | Engine::Podman if self.remapped => {
                (2, "user namespaces under an engine that is root; a rootless one would be more")
            }
            Engine::Docker | Engine::Podman => {
                (1, "no user namespaces; a rootless engine, or userns-remap, would be more")
            }
        }
    }

    /// The client that runs one program, and the container's name.
    fn order(
        &self,
        invocation: &Invocation,
        private: &Private,
        home: Option<&Path>,
    ) -> Result<(Order, String), Error> {
        let name = args::name(&self.wanted.owner, fastrand::u64(..));
        let frame = Frame {
            engine: self.client.engine,
            wanted: &self.wanted,
            user: self.user,
            name: &name,
            home,
            tools: &self.tools,
        };
        let env = invocation.env.iter().map(|(name, value)| (name.clone(), value.into()));
        let order = Order {
            stdin: invocation.stdin.clone().into_bytes(),
            wall_max: Duration::from_millis(invocation.limits.wall_ms_max) + SLACK,
            output_bytes_max: invocation.limits.output_bytes_max,
            directory: private.root().to_owned(),
            env: self.client.environment().chain(env).collect(),
            ..self.client.order(args::run(&frame, invocation)?)
        };
        Ok((order, name))
    }

    /// Lets the client run until the program has ended, or ends the container first.
    async fn watch(
        &self,
        order: &Order,
        (name, wall_max, signal): (&str, Duration, Signal),
        (cancel, ear): (&CancellationToken, &dyn Ear),
    ) -> Result<(Option<End>, crate::process::Outcome), Error> {
        let failed = |error: std::io::Error| Error(error.to_string());
        let hang_up = CancellationToken::new();
        let heard = AtomicU64::new(0);
        let mut client = std::pin::pin!(run_heard(order, &hang_up, &heard, ear));
        let cut = tokio::select! {
            outcome = &mut client => return Ok((None, outcome.map_err(failed)?)),
            () = cancel.cancelled() => End::Cancelled,
            () = tokio::time::sleep(wall_max) => End::TimedOut,
        };
        for word in signal.words() {
            self.client.signal(name, word).await;
            if let Ok(outcome) = tokio::time::timeout(GRACE, &mut client).await {
                return Ok((Some(cut), outcome.map_err(failed)?));
            }
        }
        self.client.kill(name).await;
        let outcome = match tokio::time::timeout(CLIENT_MAX, &mut client).await {
            Ok(outcome) => outcome,
            Err(_hangs) => {
                hang_up.cancel();
                client.await
            }
        };
        Ok((Some(cut), outcome.map_err(failed)?))
    }
}

/// A home of the host's, when something is laid into it or it stays.
async fn home(invocation: &Invocation, private: &Private) -> Result<Option<PathBuf>, Error> {
    if invocation.home == Home::default() {
        return Ok(None);
    }
    let home = invocation.home.kept.clone().unwrap_or_else(|| private.home());
    housed(&home, &invocation.home.files).await?;
    Ok(Some(home))
}

#[async_trait]
impl Sandbox for Container {
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
        if let Some(path) = invocation.masks.first() {
            return Err(Error(format!("a container cannot cover {path}")));
        }
        let private = Private::new()?;
        let home = home(invocation, &private).await?;
        let (order, name) = self.order(invocation, &private, home.as_deref())?;
        let lent = args::lend_sockets(&invocation.doors);
        lent.map_err(|error| Error(format!("a door cannot be lent: {error}")))?;
        for lent in [Some(invocation.directory.as_path()), home.as_deref()].into_iter().flatten() {
            self.user.hand_over(lent).await?;
        }
        let leaving = Leaving { of: Some((self.clone(), name.clone())) };
        let wall_max = Duration::from_millis(invocation.limits.wall_ms_max);
        let of = (name.as_str(), wall_max, invocation.signal);
        let watched = self.watch(&order, of, (cancel, ear)).await;
        let ended = self.client.ended(&name).await;
        self.client.remove(&name).await;
        leaving.done();
        for lent in [Some(invocation.directory.as_path()), home.as_deref()].into_iter().flatten() {
            self.user.take_back(lent).await?;
        }
        private.remove().await;
        let (cut, outcome) = watched?;
        let client = outcome.end.into();
        let (stdout, stderr) = (outcome.stdout.text(), outcome.stderr.text());
        let out_of_memory = ended.is_some_and(|ended| ended.out_of_memory);
        let end = match cut {
            Some(cut) => cut,
            None if out_of_memory => End::Limit(Limit::Memory),
            None => self.client.end(ended, client, &stderr)?,
        };
        Ok(Transcript { end, stdout, stderr })
    }

    fn seen(&self, _: &Path) -> PathBuf {
        PathBuf::from(args::WORKSPACE)
    }

    fn protection(&self) -> Protection {
        let (level, why) = self.level();
        let runtime = self.wanted.runtime.as_deref().map(|name| format!(" with {name}"));
        let engine = self.client.engine.program();
        let layers = vec![
            why.to_owned(),
            "no network".to_owned(),
            "no capabilities".to_owned(),
            "an image that cannot be written".to_owned(),
            format!("{} MiB", self.wanted.memory_mb_max),
            format!("{} processes", self.wanted.pids_max),
        ];
        let mechanism = format!("containers of {engine}{}", runtime.unwrap_or_default());
        Protection { level, mechanism, layers, missing: Vec::new() }
    }
}

/// Removes a container although nobody waits for its end any more.
struct Leaving {
    of: Option<(Container, String)>,
}

impl Leaving {
    fn done(mut self) {
        self.of = None;
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if let Some((container, name)) = self.of.take() {
            // Without a runtime it stays for the sweep of the next start.
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                let tasks = container.tasks.clone();
                let removal = async move { container.client.remove(&name).await };
                drop(tasks.spawn_on(removal, &runtime));
            }
        }
    }
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}
