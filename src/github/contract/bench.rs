//! The World under test and the GitHub that is tried on it.

use std::fmt;
use std::sync::Arc;

use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::clock::{Clock, FakeClock};
use crate::github::app::{App, Config, keys};
use crate::github::{At, GitHub};
use crate::model::{
    BranchName, CommitSha, InstallationId, Millis, PullNumber, Repo, Secret, User, UserId,
};
use crate::playground::face::Face;
use crate::playground::memory::MemoryForge;
use crate::playground::openapi::{Verdict, watched};
use crate::playground::world::people::FilePush;
use crate::playground::world::setup::NewApp;
use crate::playground::world::{self, NowMs, Role, World, pulls::NewPull};

pub(super) const REPO: &str = "mara/greet";
pub(super) const POLICY: &str = "merge: auto\n";

/// One World with its people, and our App in it.
pub(super) struct Bench {
    pub(super) hub: Arc<dyn GitHub>,
    pub(super) world: World,
    pub(super) clock: Arc<FakeClock>,
    pub(super) at: At,
    pub(super) repo_id: u64,
    /// Owns the repository.
    pub(super) mara: world::User,
    /// May write.
    pub(super) rio: world::User,
    /// Nobody in particular.
    pub(super) otto: world::User,
    pub(super) app: u64,
    pub(super) ci: u64,
    /// The adapter, when there is one.
    pub(super) http: Option<Arc<App>>,
    /// Stops the server when the bench goes.
    served: Option<DropGuard>,
    /// Where the holder of the key listens, when it is another than the adapter.
    apart: Option<tempfile::TempDir>,
    /// What GitHub's own description says of all that went over HTTP.
    verdict: Option<Verdict>,
}

/// Who has the App's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    Here,
    Apart,
}

impl fmt::Debug for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bench")
            .field("served", &self.served.is_some())
            .field("apart", &self.apart.is_some())
            .finish_non_exhaustive()
    }
}

impl Bench {
    pub(super) fn in_process() -> Self {
        let clock = Arc::new(FakeClock::at(Millis(1_800_000_000_000)));
        let ticks = Arc::clone(&clock);
        let now_ms: NowMs = Arc::new(move || ticks.now().0);
        let world = World::new(now_ms, fastrand::u64(..));
        let [mara, rio, otto] = ["mara", "rio", "otto"].map(|login| world.add_user(login));
        let forge = Arc::new(MemoryForge::default());
        let repo_id = world.add_repo(&mara, "greet", "main", forge).unwrap();
        let ci = r#"{"jobs": [{"name": "test", "fails_if": {"file": "a", "contains": "bug"}}]}"#;
        let files = [(".playground/ci.json", ci), (".github/slipway.yml", POLICY), ("a", "one\n")];
        let files = files.map(|(path, text)| (path.to_owned(), Some(text.as_bytes().to_vec())));
        world.first_commit(repo_id, &mara, &files.to_vec()).unwrap();
        world.set_permission(REPO, rio.id, Role::Write).unwrap();
        let app = world.add_app(&NewApp::bot("slipway", mara.id)).unwrap().id;
        let ci = world.add_app(&NewApp::bot("playground-ci", mara.id)).unwrap().id;
        world.set_ci_app(ci);
        world.install(ci, &mara, &[repo_id]).unwrap();
        let id = world.install(app, &mara, &[repo_id]).unwrap();
        let at = At { installation: InstallationId(id), repo: Repo::parse(REPO).unwrap() };
        let hub = Arc::new(Face::new(world.clone(), app));
        let (http, served, verdict, apart) = (None, None, None, None);
        Self {
            hub,
            world,
            clock,
            at,
            repo_id,
            mara,
            rio,
            otto,
            app,
            ci,
            http,
            served,
            apart,
            verdict,
        }
    }

    /// The same, served on loopback under `prefix` and reached by the real adapter.
    pub(super) async fn over_http(prefix: &str) -> Self {
        Self::served(prefix, Holder::Here).await
    }

    /// The same, with the App's key in the hands of somebody else, asked through a socket.
    pub(super) async fn with_the_key_apart() -> Self {
        Self::served("", Holder::Apart).await
    }

    async fn served(prefix: &str, holder: Holder) -> Self {
        let mut bench = Self::in_process();
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        bench.world.set_base_url(&url);
        let cancel = CancellationToken::new();
        let face = crate::playground::http::Face {
            world: bench.world.clone(),
            cancel: cancel.clone(),
            pages: None,
        };
        let (router, verdict) = watched(crate::playground::http::router(face));
        let stop = cancel.clone().cancelled_owned();
        TaskTracker::new().spawn(async move {
            axum::serve(listener, router).with_graceful_shutdown(stop).await.unwrap();
        });
        let pem = bench.world.app_pem(bench.app).unwrap();
        let mut config = Config::new(&format!("{url}{prefix}"), bench.app, &pem);
        let clock: Arc<dyn Clock> = Arc::<FakeClock>::clone(&bench.clock);
        if holder == Holder::Apart {
            let door = keys::holder(&config, Arc::clone(&clock)).unwrap();
            let place = tempfile::tempdir().unwrap();
            let path = place.path().join("keyd.sock");
            let listener = tokio::net::UnixListener::bind(&path).unwrap();
            let me = keys::Peers::only([rustix::process::geteuid().as_raw()]);
            TaskTracker::new().spawn(keys::serve(listener, door, me, cancel.clone()));
            config.key_socket = Some(path);
            config.private_key = Secret::new("");
            bench.apart = Some(place);
        }
        let app = Arc::new(App::new(&config, clock).unwrap());
        bench.hub = Arc::<App>::clone(&app);
        bench.http = Some(app);
        bench.served = Some(cancel.drop_guard());
        bench.verdict = Some(verdict);
        bench
    }

    /// A push by Mara; the new commit.
    pub(super) fn push(&self, branch: &str, files: &[(&str, &str)]) -> CommitSha {
        let files = files.iter();
        let files = files.map(|(path, text)| ((*path).to_owned(), Some(text.as_bytes().to_vec())));
        let push = FilePush { branch, onto: None, files: &files.collect(), message: "Change" };
        let made = self.world.push_files(self.mara.id, REPO, &push).unwrap();
        CommitSha::parse(&made).unwrap()
    }

    /// A pull request by Mara from a new branch.
    pub(super) fn pull(&self, branch: &str, files: &[(&str, &str)]) -> (PullNumber, CommitSha) {
        let head = self.push(branch, files);
        let new = NewPull {
            title: format!("Change {branch}"),
            body: String::new(),
            head: branch.to_owned(),
            base: "main".to_owned(),
            draft: false,
        };
        let view = self.world.open_pull(self.mara.id, REPO, &new).unwrap();
        (PullNumber(view.pull.number), head)
    }

    /// Lets CI finish all it has to do.
    pub(super) fn run_ci(&self) {
        while self.world.ci_step(self.clock.now().0).unwrap() {
            self.clock.advance(1_000);
        }
    }

    /// How often an operation was called, by whomever.
    pub(super) fn calls(&self, operation: &str) -> usize {
        self.world.journal().iter().filter(|call| call.operation == operation).count()
    }

    /// Lets the next call of an operation go wrong.
    pub(super) fn fault(&self, operation: &str, fault: crate::playground::faults::Fault) {
        let next = u32::try_from(self.calls(operation)).unwrap() + 1;
        self.world.faults(|plan| plan.on(operation, next, fault));
    }
}

pub(super) fn user(user: &world::User) -> User {
    User { id: UserId(user.id), login: user.login.clone(), bot: user.bot }
}

pub(super) fn branch(name: &str) -> BranchName {
    BranchName::parse(name).unwrap()
}
