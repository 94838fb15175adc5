//! What the engine costs by itself: whole runs with GitHub, git and an agent that answer at
//! once, over SQLite on disk with full sync.
#![expect(clippy::unwrap_used, reason = "a benchmark that fails should stop")]

#[path = "engine/hub.rs"]
mod hub;
#[path = "engine/ports.rs"]
mod ports;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use divan::Bencher;
use ports::Instantly;
use serde_json::json;
use slipway::agent::command::Command;
use slipway::agent::{Agent, Kind};
use slipway::clock::{Clock, SystemClock};
use slipway::model::{DeliveryId, Millis};
use slipway::pipeline::{Phase, Progress, State};
use slipway::store::{NewDelivery, Store, sqlite};
use slipway::worker::{Ended, Engine, Limits, Ports, Settings, Watcher};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;

/// Jobs done at the same time.
const WORKERS: usize = 32;

fn main() {
    divan::main();
}

/// Counts what the engine says of itself.
#[derive(Default)]
struct Tally {
    steps: AtomicU64,
    ended: AtomicU64,
    waiting: AtomicU64,
}

impl Watcher for Tally {
    fn begun(&self, _late_ms: i64) {}

    fn job(&self, _word: &'static str, _ended: Ended, _took_ms: i64) {}

    fn reached(&self, _account: &slipway::egress::Account) {}

    fn paid(&self, _paid: slipway::worker::Paid) {}

    fn rests(&self, _pool: &str, _until: Millis) {}

    fn moved(&self, state: &State) {
        self.steps.fetch_add(1, Ordering::SeqCst);
        match &state.progress {
            Progress::Finished { .. } => self.ended.fetch_add(1, Ordering::SeqCst),
            Progress::Running { phase: Phase::Waiting(wait), .. }
                if wait.what.contains("review") =>
            {
                self.waiting.fetch_add(1, Ordering::SeqCst)
            }
            Progress::Running { .. } | Progress::Idle => 0,
        };
    }
}

/// An engine at its desk, and the runtime it lives in.
struct Stage {
    runtime: Runtime,
    store: Arc<dyn Store>,
    engine: Arc<Engine>,
    tally: Arc<Tally>,
    ports: Arc<Instantly>,
    asked: AtomicU64,
    /// Repositories in which people ask, in turn.
    repos: u64,
    _place: tempfile::TempDir,
}

impl Stage {
    /// The base moves `updates` times under every run; `policy` is the repository's.
    fn new(updates: u8, policy: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        // Beside the build, because the temporary directory may be in memory.
        let place = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let (path, tasks) = (place.path().join("bench.db"), TaskTracker::new());
        let store: Arc<dyn Store> =
            Arc::new(runtime.block_on(sqlite::open(&path, &tasks)).unwrap());
        let policy = format!("allow_no_checks: true\nstages:\n  plan: false\n{policy}");
        let instantly = Arc::new(Instantly::new(updates, policy));
        let ports = Ports {
            github: Arc::clone(&instantly) as _,
            git: Arc::clone(&instantly) as _,
            sandbox: Arc::clone(&instantly) as _,
            egress: Arc::new(slipway::egress::fake::Fake::default()),
            gateway: Arc::new(slipway::gateway::fake::Fake::free()),
            store: Arc::clone(&store),
            clock: Arc::new(SystemClock),
        };
        let tally = Arc::<Tally>::default();
        let engine = Arc::new(Engine::new(ports, settings(), Arc::clone(&tally) as _));
        let asked = AtomicU64::new(0);
        Self { runtime, store, engine, tally, ports: instantly, asked, repos: 50, _place: place }
    }

    fn in_repos(mut self, repos: u64) -> Self {
        self.repos = repos;
        self
    }

    /// Somebody says `/go` on another issue, in the next repository.
    async fn go(&self) {
        let issue = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let name = format!("repo-{}", issue % self.repos);
        let now = SystemClock.now().rfc3339();
        let by = json!({"id": 1, "login": "mona", "type": "User"});
        let body = json!({
            "action": "created",
            "installation": {"id": 1},
            "repository": {
                "full_name": format!("octo/{name}"), "name": name, "owner": {"login": "octo"},
            },
            "issue": {"number": issue, "title": "Make it faster", "body": "Please. ".repeat(50)},
            "comment": {"id": issue, "body": "/go", "user": by, "created_at": now},
            "sender": by,
        });
        let id = DeliveryId::parse(&format!("delivery-{issue}")).unwrap();
        let (event, body) = ("issue_comment".to_owned(), body.to_string().into_bytes());
        self.store.record(NewDelivery { id, event, body, at: SystemClock.now() }).await.unwrap();
    }

    /// Works with so many workers until `done`.
    async fn work(&self, workers: usize, done: impl Fn(&Tally) -> bool) {
        let mut busy = JoinSet::new();
        while !done(&self.tally) {
            let free = workers - busy.len();
            let leases = if free >= workers.div_ceil(4) {
                self.engine.claim(u32::try_from(free).unwrap()).await.unwrap()
            } else {
                Vec::new()
            };
            for lease in leases {
                let engine = Arc::clone(&self.engine);
                busy.spawn(async move { engine.work(lease).await });
            }
            if busy.join_next().await.is_none() {
                let changed = self.store.changed();
                tokio::time::timeout(Duration::from_millis(50), changed).await.ok();
            }
            while busy.try_join_next().is_some() {}
        }
        busy.join_all().await;
    }

    /// So many runs from `/go` to merged.
    fn live(&self, runs: u64) {
        self.runtime.block_on(async {
            let before = self.tally.ended.load(Ordering::SeqCst);
            for _ in 0..runs {
                self.go().await;
            }
            self.work(WORKERS, |tally| tally.ended.load(Ordering::SeqCst) >= before + runs).await;
        });
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.runtime.block_on(self.store.close());
    }
}

fn settings() -> Settings {
    let heavy = u32::try_from(WORKERS).unwrap();
    let limits = Limits {
        heavy_max: heavy,
        heavy_per_repo_max: heavy,
        runs_per_actor_max: 1_000_000,
        runs_per_issue_max: 1_000_000,
        ..Limits::default()
    };
    let kind = Kind::Command(Command { command: "agent".to_owned() });
    Settings {
        owner: "bench".to_owned(),
        app_id: 1,
        providers: Vec::new(),
        homes: None,
        prompts: slipway::agent::prompt::Templates::default(),
        agents: vec![Agent {
            name: "agent".to_owned(),
            kind,
            at_once_max: heavy,
            hosts: Vec::new(),
        }],
        limits,
        bots: std::collections::BTreeSet::new(),
        budget: slipway::model::budget::Rules::default(),
        trust: slipway::model::trust::Trust::whole(),
        github_url: "https://github.example".to_owned(),
        public_url: None,
    }
}

const AUTO: &str = "merge: auto\nverify:\n  - check\nlimits:\n  ci_quiet_seconds: 0\n  \
                    update_rounds_max: 50\n";

/// One run alone, from its webhook to merged.
#[divan::bench(sample_count = 50, sample_size = 1)]
fn one_run_alone(bencher: Bencher<'_, '_>) {
    let stage = Stage::new(0, AUTO);
    bencher.bench_local(|| stage.live(1));
}

/// Two hundred runs at once, each in its own repository, so that none waits for a merge lane.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn two_hundred_runs(bencher: Bencher<'_, '_>) {
    let stage = Stage::new(0, AUTO).in_repos(200);
    bencher.bench_local(|| stage.live(200));
}

/// Two hundred runs at once, four to a branch, so that three of four find the lane taken.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn four_runs_a_branch(bencher: Bencher<'_, '_>) {
    let stage = Stage::new(0, AUTO).in_repos(50);
    bencher.bench_local(|| stage.live(200));
}

/// A thousand runs wait for a review; four workers; how soon is a new command heard?
#[divan::bench(sample_count = 1, sample_size = 1)]
fn a_command_beside_a_thousand_waiting_runs(bencher: Bencher<'_, '_>) {
    let waits = "merge: on-approval\nlimits:\n  ci_quiet_seconds: 0\n";
    bencher.with_inputs(|| Stage::new(0, waits)).bench_local_refs(|stage| {
        let mut took = stage.runtime.block_on(async {
            for _ in 0..1_000 {
                stage.go().await;
            }
            let waiting = |tally: &Tally| tally.waiting.load(Ordering::SeqCst) >= 1_000;
            stage.work(WORKERS, waiting).await;
            let mut took = Vec::new();
            for _ in 0..100 {
                let heard = stage.ports.heard();
                let began = at();
                stage.go().await;
                let done = |_: &Tally| stage.ports.heard() > heard;
                stage.work(4, done).await;
                took.push(stage.ports.last_heard().saturating_duration_since(began));
            }
            took
        });
        took.sort();
        let part = |part: usize| took.get(took.len() * part / 100).copied().unwrap_or_default();
        say(&format!("heard after: p50 {:?}, p99 {:?}", part(50), part(99)));
    });
}

fn at() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a benchmark takes the time")]
    Instant::now()
}

#[expect(clippy::print_stdout, reason = "the figures of this benchmark")]
fn say(line: &str) {
    println!("\n{line}");
}
