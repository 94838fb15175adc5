//! A country: many accounts with many repositories, one bot, and the real adapter that reaches
//! them by HTTP without a socket.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::Request;
use slipway::agent::scripted::{Script, Scripted};
use slipway::agent::{Agent, Kind};
use slipway::clock::Clock;
use slipway::git::depot::Depot;
use slipway::git::fake as fake_git;
use slipway::github::app::pace::Limits;
use slipway::github::app::{App, Carried, Carrier, Config};
use slipway::playground::http::{Face, router};
use slipway::playground::memory::MemoryForge;
use slipway::playground::world::limits::Limits as Published;
use slipway::playground::world::setup::NewApp;
use slipway::playground::world::{App as Bot, RequiredCheck, Rules, World};
use slipway::sandbox::fake as fake_sandbox;
use slipway::store::memory::Memory;
use slipway::worker::{self, Engine, Ports, Settings, Unwatched};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::time::VirtualClock;
use crate::world::{Repositories, play, say, write};

/// Monday, 16 June 2025, 09:00 UTC.
pub(super) const START: i64 = 1_750_064_400_000;
/// Accounts with the App installed, and repositories of each.
pub(super) const ACCOUNTS: usize = 10;
pub(super) const REPOSITORIES: usize = 20;
/// Workers beside those for agents, as they are if nobody says otherwise.
pub(super) const WORKERS: u32 = slipway::config::WORKERS;
const HEAVY_MAX: u32 = 16;
/// Shortest and longest way of a request there, and of its answer back, in milliseconds.
const WAY_MS: (i64, i64) = (20, 120);
const API: &str = "https://api.github.com";
const POLICY: &str = "merge: auto\nverify:\n  - fails_if feature.txt BROKEN\n";
const CI: &str = r#"{"jobs": [{"name": "test", "delay_ms": 2000, "duration_ms": 30000}]}"#;

pub(super) struct Country {
    pub(super) world: World,
    pub(super) clock: Arc<VirtualClock>,
    pub(super) store: Arc<Memory>,
    pub(super) engine: Arc<Engine>,
    pub(super) github: Arc<App>,
    pub(super) bot: Bot,
    pub(super) road: Arc<Road>,
    /// Owner and full name of every repository.
    pub(super) places: Vec<(u64, String)>,
}

/// The way to GitHub and back: the playground's router in this process.
pub(super) struct Road {
    router: Router,
    clock: Arc<VirtualClock>,
    dice: Mutex<fastrand::Rng>,
    /// Rung when a request was answered: something may be due now.
    pub(super) bell: Notify,
    /// Answers by status.
    pub(super) answers: Mutex<BTreeMap<u16, u64>>,
}

impl Road {
    async fn way(&self) {
        let ms = self.dice.lock().expect("nobody panicked").i64(WAY_MS.0..=WAY_MS.1);
        self.clock.pass(ms).await;
    }
}

#[async_trait]
impl Carrier for Road {
    async fn carry(&self, request: Request<Bytes>) -> Carried {
        self.way().await;
        let answered = {
            let _elsewhere = self.clock.elsewhere();
            let answer = self.router.clone().oneshot(request.map(Body::from)).await;
            let (parts, body) = answer.expect("a router answers").into_parts();
            let bytes = to_bytes(body, usize::MAX).await?;
            axum::http::Response::from_parts(parts, bytes)
        };
        let status = answered.status().as_u16();
        *self.answers.lock().expect("nobody panicked").entry(status).or_default() += 1;
        self.bell.notify_one();
        self.way().await;
        Ok(answered)
    }
}

impl Country {
    /// `limits` are those the bot keeps; `None` are those it keeps by itself.
    pub(super) fn new(limits: Option<Limits>, clock: Arc<VirtualClock>) -> Self {
        let shared = Arc::clone(&clock);
        let world = World::new(Arc::new(move || shared.ms()), 7);
        world.with(|state| state.brief_payloads = true);
        world.set_base_url(API);
        world.enforce_limits(Published::default());
        let (bot, places, depots) = people(&world);
        let cancel = CancellationToken::new();
        let road = Arc::new(Road {
            router: router(Face { world: world.clone(), cancel, pages: None }),
            clock: Arc::clone(&clock),
            dice: Mutex::new(fastrand::Rng::with_seed(7)),
            bell: Notify::new(),
            answers: Mutex::default(),
        });
        let pem = world.app_pem(bot.id).expect("a key");
        let mut config = Config::new(API, bot.id, &pem);
        assert_eq!(config.limits, Limits::cloud(), "the address says what holds");
        config.limits = limits.unwrap_or(config.limits).with_workers(WORKERS + HEAVY_MAX);
        let carrier = Arc::clone(&road);
        let github = App::over(&config, Arc::<VirtualClock>::clone(&clock), carrier);
        let github = Arc::new(github.expect("an adapter"));
        let remotes = Arc::new(Repositories { world: world.clone(), depots });
        let directories = fake_sandbox::Directories::default();
        let store = Arc::new(Memory::default());
        let ports = Ports {
            github: Arc::<App>::clone(&github),
            git: Arc::new(fake_git::Fake::new(remotes, Arc::clone(&directories))),
            sandbox: Arc::new(fake_sandbox::Fake::new(directories, play(Arc::default()))),
            egress: Arc::default() as Arc<slipway::egress::fake::Fake>,
            gateway: Arc::new(slipway::gateway::fake::Fake::free()),
            store: Arc::<Memory>::clone(&store),
            clock: Arc::<VirtualClock>::clone(&clock) as Arc<dyn Clock>,
        };
        let engine = Arc::new(Engine::new(ports, settings(&bot), Arc::new(Unwatched)));
        Self { world, clock, store, engine, github, bot, road, places }
    }
}

type Depots = BTreeMap<String, Depot>;

fn people(world: &World) -> (Bot, Vec<(u64, String)>, Depots) {
    let root = world.add_user("root");
    let bot = world.add_app(&NewApp::bot("slipway", root.id)).expect("an App");
    let mut ci = NewApp::bot("playground-ci", root.id);
    ci.events.clear();
    let ci = world.add_app(&ci).expect("an App");
    world.set_ci_app(ci.id);
    let (mut places, mut depots) = (Vec::new(), Depots::new());
    for account in 0..ACCOUNTS {
        let owner = world.add_user(&format!("owner-{account}"));
        let mut ids = Vec::new();
        for number in 0..REPOSITORIES {
            let (name, depot) = (format!("repo-{number}"), Depot::new());
            let forge = Arc::new(MemoryForge::new(depot.clone()));
            let id = world.add_repo(&owner, &name, "main", forge).expect("a repository");
            let files = [
                ("README.md", "# A repository\n"),
                (slipway::policy::POLICY_PATH, POLICY),
                (".playground/ci.json", CI),
            ];
            let files: Vec<_> =
                files.map(|(path, text)| (path.to_owned(), Some(text.into()))).into();
            world.first_commit(id, &owner, &files).expect("a first commit");
            let repo = format!("{}/{name}", owner.login);
            world.set_settings(&repo, |settings| settings.mergeable_asks = 0).expect("settings");
            // A policy that merges by itself needs something that guards the branch.
            let test = RequiredCheck { context: "test".to_owned(), integration_id: Some(ci.id) };
            let rules = Rules { required_checks: vec![test], ..Rules::default() };
            world.set_rules(&repo, "main", rules).expect("rules");
            ids.push(id);
            depots.insert(repo.clone(), depot);
            places.push((owner.id, repo));
        }
        for app in [ci.id, bot.id] {
            world.install(app, &owner, &ids).expect("an installation");
        }
    }
    (bot, places, depots)
}

fn settings(bot: &Bot) -> Settings {
    let script = Script {
        planner: vec![vec![say("1. Write `feature.txt`.")]],
        builder: vec![vec![write("feature.txt", "a feature\n"), say("Wrote `feature.txt`.")]],
        ..Script::default()
    };
    let kind = Kind::Scripted(Scripted { program: "/slipway".into(), script });
    let agent =
        Agent { name: "scripted".to_owned(), kind, at_once_max: HEAVY_MAX, hosts: Vec::new() };
    Settings {
        owner: "engine-0".to_owned(),
        app_id: bot.id,
        agents: vec![agent],
        homes: None,
        providers: Vec::new(),
        prompts: slipway::agent::prompt::Templates::default(),
        limits: worker::Limits {
            heavy_max: HEAVY_MAX,
            light_max: WORKERS,
            report_gap_ms: 3_000,
            runs_per_actor_max: 1_000,
            ..worker::Limits::default()
        },
        bots: std::collections::BTreeSet::new(),
        budget: slipway::model::budget::Rules::default(),
        trust: slipway::model::trust::Trust::whole(),
        github_url: "https://github.com".to_owned(),
        public_url: None,
    }
}
