//! What the store costs on this machine's disk: steps, claims, deliveries, with full sync.
#![expect(clippy::unwrap_used, reason = "a benchmark that fails should stop")]

use std::sync::Arc;
use std::time::Duration;

use divan::Bencher;
use divan::counter::ItemsCount;
use slipway::model::{InstallationId, IssueNumber, Millis, Repo, RunId, User, UserId};
use slipway::pipeline::{Event, EventKind, Request, Role, State, Task};
use slipway::policy::Policy;
use slipway::store::{
    Claim, Durable, JobKey, JobKind, Lease, NewDelivery, NewJob, OnRepeat, Opening, Store,
    Transition, sqlite,
};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;

/// Workers that move runs at the same time.
const WORKERS: usize = 32;
const NOW: Millis = Millis(1_000_000);

fn main() {
    divan::main();
}

/// A store on disk, and the runtime it lives in.
struct Stage {
    runtime: Runtime,
    store: Arc<Durable>,
    _place: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        // Beside the build, because the temporary directory may be in memory.
        let place = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let (path, tasks) = (place.path().join("bench.db"), TaskTracker::new());
        let store = Arc::new(runtime.block_on(sqlite::open(&path, &tasks)).unwrap());
        Self { runtime, store, _place: place }
    }

    /// With this many open runs, and a job for each that is due at `due`.
    fn with_runs(runs: u64, due: Millis) -> Self {
        let stage = Self::new();
        let store = &stage.store;
        stage.runtime.block_on(async {
            let mut opened = JoinSet::new();
            for issue in 0..runs {
                let store = Arc::clone(store);
                opened.spawn(async move { store.open(opening(issue, due)).await.unwrap() });
            }
            opened.join_all().await;
        });
        stage
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.runtime.block_on(self.store.close());
    }
}

fn opening(issue: u64, due: Millis) -> Opening {
    let repo = Repo::parse(&format!("octo/repo-{}", issue % 50)).unwrap();
    let run = RunId::derive(&repo, &issue.to_string());
    let state = State::open(Request {
        run: run.clone(),
        repo,
        installation: InstallationId(1),
        issue: IssueNumber(issue),
        pull: None,
        title: "Make it faster".to_owned(),
        body: "All work and no play makes a dull benchmark. ".repeat(25),
        by: User { id: UserId(1), login: "mona".to_owned(), bot: false },
        comment: None,
        base: None,
        agent: None,
        chosen: None,
        words: String::new(),
        dry_run: false,
        stories: false,
        parent: None,
        taken_out: None,
        frozen: None,
        at: Millis(1),
    });
    let event = Event { at: Millis(1), kind: EventKind::Started };
    let jobs = vec![next(&run, 0, due)];
    Opening { lease: None, event, state, policy: Policy::default(), jobs }
}

fn next(run: &RunId, entry: u32, due: Millis) -> NewJob {
    let task = Task::Agent { role: Role::Builder, round: 1 };
    NewJob {
        key: JobKey(format!("{run}:{entry}")),
        kind: JobKind::Perform { run: run.clone(), entry, task },
        due,
        on_repeat: OnRepeat::Keep,
        heavy: None,
    }
}

fn claim(jobs_max: usize) -> Claim {
    Claim {
        owner: "bench".to_owned(),
        now: NOW,
        lease_ms: 60_000,
        jobs_max: u32::try_from(jobs_max).unwrap(),
        heavy_max: 4,
        heavy_per_repo_max: 1,
        heavy_per_agent_max: Vec::new(),
    }
}

/// One step of a run: load, change, commit with an event and, until the last, a new job.
async fn step(store: &Durable, lease: Lease, steps: u32) {
    let run = lease.kind.run().unwrap().clone();
    let entry = lease.kind.entry().unwrap() + 1;
    let snapshot = store.load(&run).await.unwrap().unwrap();
    let mut state = snapshot.state;
    state.entry = entry;
    let jobs = if entry < steps { vec![next(&run, entry, Millis(2))] } else { Vec::new() };
    let transition = Transition {
        run,
        from_version: snapshot.version,
        lease: Some(lease),
        event: Event { at: NOW, kind: EventKind::Started },
        next: state,
        jobs,
        cancel_entry: None,
        take_lane: None,
        release_lane: None,
        audits: Vec::new(),
    };
    store.commit(transition).await.unwrap();
}

/// Moves every run to its end, with as many workers as there are.
fn live(stage: &Stage, runs: u64, steps: u32) {
    stage.runtime.block_on(async {
        let mut left = runs * u64::from(steps);
        let mut workers = JoinSet::new();
        while left > 0 {
            let free = WORKERS - workers.len();
            let leases = if free >= WORKERS / 4 {
                stage.store.claim(&claim(free)).await.unwrap()
            } else {
                Vec::new()
            };
            for lease in leases {
                let store = Arc::clone(&stage.store);
                workers.spawn(async move { step(&store, lease, steps).await });
            }
            match workers.join_next().await {
                Some(done) => {
                    done.unwrap();
                    left -= 1;
                }
                None => stage.store.changed().await,
            }
            while let Some(done) = workers.try_join_next() {
                done.unwrap();
                left -= 1;
            }
        }
    });
}

/// Steps per second must not depend on how long runs are.
#[divan::bench(args = [8, 30], sample_count = 3, sample_size = 1)]
fn steps(bencher: Bencher<'_, '_>, steps: u32) {
    let runs = u64::from(16_000 / steps);
    bencher
        .counter(ItemsCount::new(runs * u64::from(steps)))
        .with_inputs(|| Stage::with_runs(runs, Millis(2)))
        .bench_refs(|stage| live(stage, runs, steps));
}

/// One run alone, eight steps one after the other.
#[divan::bench(sample_count = 50, sample_size = 1)]
fn one_run_alone(bencher: Bencher<'_, '_>) {
    let stage = Stage::new();
    let mut issue = 0;
    bencher
        .with_inputs(|| {
            issue += 1;
            stage.runtime.block_on(stage.store.open(opening(issue, Millis(2)))).unwrap();
        })
        .bench_local_values(|()| live(&stage, 1, 8));
}

/// Claiming one job while others wait for their time.
#[divan::bench(args = [0, 1_000, 10_000], sample_count = 200, sample_size = 1)]
fn claim_beside_waiting(bencher: Bencher<'_, '_>, waiting: u64) {
    let stage = Stage::with_runs(waiting, Millis(NOW.0 + 1));
    let run = RunId::derive(&Repo::parse("octo/r").unwrap(), "alone");
    let store = &stage.store;
    bencher
        .with_inputs(|| {
            let jobs = vec![next(&run, 0, Millis(2))];
            stage.runtime.block_on(store.put(jobs)).unwrap();
        })
        .bench_local_values(|()| {
            stage.runtime.block_on(async {
                let lease = store.claim(&claim(1)).await.unwrap().remove(0);
                store.finish(&lease, Vec::new()).await.unwrap();
            });
        });
}

fn delivery(number: u32) -> NewDelivery {
    // Half of it compresses, as the bodies of webhooks do.
    let mut random = fastrand::Rng::with_seed(u64::from(number));
    let words: String = (0..2_700).map(|_| random.alphanumeric()).collect();
    let body = format!("{words}{}", "{\"repository\":{\"full_name\":\"octo/r\"}}".repeat(640));
    NewDelivery {
        id: slipway::model::DeliveryId::parse(&format!("delivery-{number}")).unwrap(),
        event: "push".to_owned(),
        body: body.into_bytes(),
        at: NOW,
    }
}

/// Two thousand deliveries of 27 KB from 64 senders.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn record(bencher: Bencher<'_, '_>) {
    let deliveries: Vec<_> = (0..2_000).map(delivery).collect();
    bencher.counter(ItemsCount::new(deliveries.len())).with_inputs(Stage::new).bench_local_refs(
        |stage| {
            stage.runtime.block_on(async {
                let mut senders = JoinSet::new();
                for part in deliveries.chunks(deliveries.len() / 64 + 1) {
                    let (store, part) = (Arc::clone(&stage.store), part.to_vec());
                    senders.spawn(async move {
                        for delivery in part {
                            store.record(delivery).await.unwrap();
                        }
                    });
                }
                senders.join_all().await;
            });
        },
    );
}

/// The slowest hundredth of deliveries that come at 1,000 a second, for two seconds.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn record_p99_at_1000_a_second(bencher: Bencher<'_, '_>) {
    let deliveries: Vec<_> = (0..2_000).map(delivery).collect();
    bencher.with_inputs(Stage::new).bench_local_refs(|stage| {
        let mut took = stage.runtime.block_on(async {
            let mut senders = JoinSet::new();
            let mut tick = tokio::time::interval(Duration::from_millis(1));
            for delivery in deliveries.clone() {
                tick.tick().await;
                let store = Arc::clone(&stage.store);
                senders.spawn(async move {
                    #[expect(clippy::disallowed_methods, reason = "a benchmark takes the time")]
                    let began = std::time::Instant::now();
                    store.record(delivery).await.unwrap();
                    began.elapsed()
                });
            }
            senders.join_all().await
        });
        took.sort();
        let at = |part: usize| took.get(took.len() * part / 1_000).copied().unwrap_or_default();
        #[expect(clippy::print_stdout, reason = "the figure of this benchmark")]
        {
            println!("\nrecord: p50 {:?}, p99 {:?}, p99.9 {:?}", at(500), at(990), at(999));
        }
    });
}
