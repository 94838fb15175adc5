//! One agent on one workspace, as the engine would start it: by its profile, in the sandbox, with
//! the gateway, and with one more door that nobody told it of.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use slipway::agent::Place;
use slipway::agent::profile::{Access, Catalogue, Mode, Task, Thread};
use slipway::agent::wanted::Model as ModelName;
use slipway::clock::SystemClock;
use slipway::gateway::fake::Jar;
use slipway::gateway::keys::Ring;
use slipway::gateway::provider::{KeySource, Pricing};
use slipway::gateway::relay::{Clients, Relay};
use slipway::gateway::{self, Caps, Gateway, Line, Order, Prices, Provider, Unpriced};
use slipway::sandbox::bubblewrap::{Bubblewrap, Setup};
use slipway::sandbox::{Door, HOME, Invocation, Limits, Sandbox, Tools, Transcript};
use tempfile::TempDir;
use tokio::net::{TcpStream, UnixListener};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::super::model::{Model, Script};
use super::cast::Real;
use super::traps::{ELSEWHERE_PORT, traces};

/// Longest run, on a machine that is busy.
const WALL_MS_MAX: u64 = 240_000;

/// Everything that is there while it works.
pub(super) struct Stage {
    pub(super) workspace: TempDir,
    pub(super) home: TempDir,
    pub(super) model: Model,
    /// What listens behind the door nobody told it of.
    pub(super) elsewhere: Model,
    pub(super) line: Box<dyn Line>,
    sandbox: Bubblewrap,
    invocation: Invocation,
    _door: (TempDir, DropGuard),
}

impl Stage {
    /// `None` where the agent is not installed.
    pub(super) async fn set(real: &Real, script: Script, lay: fn(&Path)) -> Option<Self> {
        Self::with(real, script, lay, Caps::default()).await
    }

    /// The same with other bounds of the gateway.
    pub(super) async fn with(
        real: &Real,
        script: Script,
        lay: fn(&Path),
        caps: Caps,
    ) -> Option<Self> {
        let tools = Tools { path: real.tools()?, read_only: Vec::new() };
        let sandbox = Bubblewrap::probe(Setup::new(env!("CARGO_BIN_EXE_slipway").into(), tools));
        let sandbox = sandbox.await.unwrap();
        let (workspace, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        lay(workspace.path());
        for words in [&["init", "-q", "-b", "main"][..], &["add", "-A"], &["commit", "-qm", "x"]] {
            git(workspace.path(), words);
        }
        let model = Model::start(script).await.unwrap();
        let elsewhere = Model::start(Script::saying("I am elsewhere")).await.unwrap();
        let catalogue = match real.own {
            Some(own) => Catalogue::with(own).unwrap(),
            None => Catalogue::shipped().unwrap(),
        };
        let profile = catalogue.get(real.profile).unwrap();
        let provider = Provider {
            name: "scripted".to_owned(),
            wire: profile.wire.unwrap(),
            url: model.url(real.root()).parse().unwrap(),
            key: KeySource::None,
            pricing: Pricing::Free,
        };
        let line = open(provider, caps).await;
        let door = pump(&elsewhere);
        let place = Place {
            directory: workspace.path().to_owned(),
            workspace: "real".to_owned(),
            limits: Limits { wall_ms_max: WALL_MS_MAX, ..Limits::default() },
            doors: vec![
                Door { port: gateway::PORT, socket: line.socket().to_owned() },
                Door { port: ELSEWHERE_PORT, socket: door.0.path().join("door") },
            ],
            read_only: Vec::new(),
            masks: Vec::new(),
        };
        let directory = sandbox.seen(workspace.path());
        let launch = profile.launch(&Task {
            mode: Mode::Edit,
            model: Some(&ModelName::parse("m-1").unwrap()),
            prompt: "Role: builder\n\nMake the file that is asked for.",
            system: None,
            schema: None,
            thread: Thread::Once,
            turns_max: 20,
            access: Some(Access { port: gateway::PORT, token: line.token() }),
            key: None,
            base: None,
            directory: &directory,
            home: Path::new(HOME),
            place,
        });
        let mut invocation = launch.unwrap().invocation;
        invocation.home.kept = Some(home.path().to_owned());
        Some(Self { workspace, home, model, elsewhere, line, sandbox, invocation, _door: door })
    }

    /// Runs it to its end, or until `enough`; what it is started with may be changed.
    pub(super) async fn run(
        &self,
        change: fn(&mut Invocation),
        enough: impl Fn(&Self) -> bool,
    ) -> Transcript {
        let mut invocation = self.invocation.clone();
        change(&mut invocation);
        let cancel = CancellationToken::new();
        let mut run = std::pin::pin!(self.sandbox.run(&invocation, &cancel));
        loop {
            tokio::select! {
                done = &mut run => return done.unwrap(),
                () = tokio::time::sleep(Duration::from_millis(100)) => if enough(self) {
                    cancel.cancel();
                }
            }
        }
    }

    /// What was left in the workspace and in the home, and what was asked elsewhere.
    pub(super) fn found(&self) -> Vec<String> {
        let mut found = traces(self.workspace.path());
        found.extend(traces(self.home.path()).iter().map(|name| format!("~/{name}")));
        let heard = self.elsewhere.heard();
        found.extend(heard.iter().map(|asked| format!("{} elsewhere", asked.path)));
        found
    }

    /// The files that git says have changed.
    pub(super) fn changed(&self) -> Vec<String> {
        let status = git(self.workspace.path(), &["status", "--porcelain"]);
        let names = status.lines().filter_map(|line| line.split_whitespace().nth(1));
        names.map(str::to_owned).collect()
    }
}

async fn open(provider: Provider, caps: Caps) -> Box<dyn Line> {
    let clients = Clients::new(&[]).unwrap();
    let client = clients.reach(&provider.url).unwrap();
    let ring = Ring::new(Arc::new(|_: &str| None), client, Arc::new(SystemClock));
    let prices = Arc::new(Prices::ours().unwrap());
    let relay = Relay::new(prices, Arc::new(ring), clients, Arc::new(SystemClock));
    let order = Order {
        name: "real".to_owned(),
        provider,
        models: vec!["m-1".to_owned()],
        purse: Arc::new(Jar::holding(u64::MAX)),
        unpriced: Unpriced::Allow,
        caps,
    };
    relay.open(&order).await.unwrap()
}

/// A door to `model`, whose socket is called so in the directory.
fn pump(model: &Model) -> (TempDir, DropGuard) {
    let place = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(place.path().join("door")).unwrap();
    let address = model.url("").trim_start_matches("http://").to_owned();
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let guard = stop.clone().drop_guard();
    let more = tasks.clone();
    tasks.spawn(stop.run_until_cancelled_owned(async move {
        while let Ok((mut inside, _)) = listener.accept().await {
            let address = address.clone();
            more.spawn(async move {
                if let Ok(mut outside) = TcpStream::connect(address).await {
                    drop(tokio::io::copy_bidirectional(&mut inside, &mut outside).await);
                }
            });
        }
    }));
    (place, guard)
}

#[expect(clippy::disallowed_methods, reason = "a repository has to come from somewhere")]
fn git(directory: &Path, words: &[&str]) -> String {
    let mut command = std::process::Command::new("git");
    let name = ["-c", "user.name=x", "-c", "user.email=x@localhost"];
    let output = command.args(name).args(words).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "{words:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}
