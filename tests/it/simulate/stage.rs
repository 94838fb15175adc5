//! One life's stage: the World, git, the store, one or two engines, and the order of things.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use slipway::clock::Clock;
use slipway::git::Git;
use slipway::git::depot::Depot;
use slipway::git::fake::{Directories, Fake as FakeGit};
use slipway::github::GitHub;
use slipway::model::{DeliveryId, Millis};
use slipway::playground::face::Face;
use slipway::playground::faults::FaultPlan;
use slipway::playground::mailbox::Mailbox;
use slipway::playground::memory::MemoryForge;
use slipway::playground::world::setup::NewApp;
use slipway::playground::world::{App, Level, RequiredCheck, Role, Rules, User, World};
use slipway::sandbox::Sandbox;
use slipway::sandbox::fake::Fake as FakeSandbox;
use slipway::store::memory::Memory;
use slipway::store::{NewDelivery, Recorded, Store};
use slipway::worker::{Engine, Limits, Ports, Settings, Unwatched, sweep_job};

use super::hub::{Hub, play};
use super::plan::{FILE, Plan};
use super::taps::Tap;
use super::time::{Fuse, SimClock};
use super::watch::Watch;

/// When a life begins: some day, at midnight.
pub(super) const BEGIN_MS: i64 = 1_700_006_400_000;
pub(super) const REPO: &str = "mara/app";
/// Rounds of polling at one moment before we call it spinning.
const ROUNDS_MAX: u32 = 5_000;

/// A job being done.
struct Flight {
    seat: usize,
    work: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// A process with its engine; `None` while it is down.
struct Seat {
    running: Option<(Arc<Engine>, Arc<Fuse>)>,
    up_at: i64,
    starts: u32,
}

pub(super) struct Stage {
    pub plan: Arc<Plan>,
    pub world: World,
    pub clock: Arc<SimClock>,
    pub store: Arc<Memory>,
    pub depot: Depot,
    pub directories: Directories,
    pub watch: Arc<Watch>,
    pub maintainer: User,
    pub reviewer: User,
    pub outsider: User,
    pub bot: App,
    pub dice: fastrand::Rng,
    pub story: Vec<String>,
    pub calm: bool,
    pub crashes: u32,
    git: FakeGit,
    seats: Vec<Seat>,
    flights: Vec<Flight>,
}

impl Stage {
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = fastrand::Rng::with_seed(seed);
        let plan = Arc::new(Plan::draw(&mut dice));
        let clock = Arc::new(SimClock::at(BEGIN_MS));
        let told = Arc::clone(&clock);
        let world = World::new(Arc::new(move || told.ms()), seed);
        let (maintainer, reviewer) = (world.add_user("mara"), world.add_user("rio"));
        let outsider = world.add_user("otto");
        let depot = Depot::new();
        let forge = Arc::new(MemoryForge::new(depot.clone()));
        let repo = world.add_repo(&maintainer, "app", "main", forge).unwrap();
        world.set_permission(REPO, reviewer.id, Role::Write).unwrap();
        let bot = world.add_app(&NewApp::bot("slipway", maintainer.id)).unwrap();
        let mut ci = NewApp::bot("ci", maintainer.id);
        ci.events.clear();
        ci.permissions.retain(|name, _| name == "checks" || name == "metadata");
        ci.permissions.insert("contents".to_owned(), Level::Read);
        let ci = world.add_app(&ci).unwrap();
        world.set_ci_app(ci.id);
        world.install(ci.id, &maintainer, &[repo]).unwrap();
        let installation = world.install(bot.id, &maintainer, &[repo]).unwrap();
        world.with(|state| {
            state.brief_payloads = true;
        });
        let hub = Hub { world: world.clone(), depot: depot.clone(), installation };
        let directories = Directories::default();
        let git = FakeGit::new(Arc::new(hub), Arc::clone(&directories));
        let about = (repo, bot.user.login.clone(), ci.id);
        let parts = (world.clone(), depot.clone());
        let watch = Watch::new(parts, Arc::clone(&plan), Arc::clone(&clock), about, dice.u64(..));
        let seats = (0..plan.engines).map(|_| Seat { running: None, up_at: 0, starts: 0 });
        let mut stage = Self {
            seats: seats.collect(),
            plan,
            world,
            clock,
            store: Arc::default(),
            depot,
            directories,
            watch: Arc::new(watch),
            maintainer,
            reviewer,
            outsider,
            bot,
            dice,
            story: Vec::new(),
            calm: false,
            crashes: 0,
            git,
            flights: Vec::new(),
        };
        stage.furnish(repo, ci.id);
        stage
    }

    /// The repository's first files, its rules, and a push that CI sees.
    fn furnish(&mut self, repo: u64, ci: u64) {
        let plan = Arc::clone(&self.plan);
        let mut files = Vec::new();
        let mut put = |path: &str, text: String| {
            files.push((path.to_owned(), Some(text.into_bytes())));
        };
        put(FILE, plan.text());
        put(".github/slipway.yml", plan.policy());
        if let Some(jobs) = plan.jobs() {
            put(".playground/ci.json", jobs);
        }
        self.world.first_commit(repo, &self.maintainer, &files).unwrap();
        let test = RequiredCheck { context: "test".to_owned(), integration_id: Some(ci) };
        let required = plan.required && plan.jobs().is_some();
        let rules = Rules {
            required_checks: if required { vec![test] } else { Vec::new() },
            strict: plan.strict_rule && required,
            approvals: plan.approvals,
            ..Rules::default()
        };
        self.world.set_rules(REPO, "main", rules).unwrap();
        let ms = self.clock.ms();
        let sweep = sweep_job(Millis(ms), Millis(ms));
        now(self.store.put(vec![sweep])).unwrap();
        if plan.mailbox_chaos {
            let seed = self.dice.u64(..);
            self.world.mailbox(|mailbox| mailbox.chaos(seed));
        }
    }

    pub(super) fn tell(&mut self, mut what: String) {
        what.insert_str(0, &format!("{:>9} ", seconds(self.clock.ms())));
        self.story.push(what);
    }

    fn settings(&self, owner: String) -> Settings {
        Settings {
            owner,
            app_id: self.bot.id,
            agents: self.plan.agents(),
            homes: None,
            providers: Vec::new(),
            prompts: slipway::agent::prompt::Templates::default(),
            limits: Limits::default(),
            bots: std::collections::BTreeSet::new(),
            budget: self.plan.budget(),
            trust: slipway::model::trust::Trust::whole(),
            github_url: "https://github.example".to_owned(),
            public_url: None,
        }
    }

    /// Starts the process of a seat.
    fn start(&mut self, seat: usize) {
        self.seats[seat].starts += 1;
        let starts = self.seats[seat].starts;
        let crash = self.plan.crashes && !self.calm && starts < 6;
        let steps = if crash { self.dice.i64(1..400) } else { i64::MAX };
        let breaths = if self.calm { 0 } else { self.plan.breaths };
        let fuse = Arc::new(Fuse::new(steps, self.dice.u64(..), breaths));
        let owner = format!("engine-{seat}-{starts}");
        if self.seats.len() == 1 {
            now(self.store.reclaim(&owner, Millis(self.clock.ms()))).unwrap();
        }
        let face: Arc<dyn GitHub> = Arc::new(Face::new(self.world.clone(), self.bot.id));
        let sandbox = FakeSandbox::new(Arc::clone(&self.directories), play());
        let ports = Ports {
            github: Arc::new(self.tap(face, &fuse)),
            git: Arc::new(self.tap(Arc::new(self.git.clone()) as Arc<dyn Git>, &fuse)),
            sandbox: Arc::new(self.tap(Arc::new(sandbox) as Arc<dyn Sandbox>, &fuse)),
            egress: Arc::default() as Arc<slipway::egress::fake::Fake>,
            gateway: Arc::new(slipway::gateway::fake::Fake::free()),
            store: Arc::new(self.tap(Arc::clone(&self.store) as Arc<dyn Store>, &fuse)),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
        };
        let engine = Engine::new(ports, self.settings(owner), Arc::new(Unwatched));
        self.seats[seat].running = Some((Arc::new(engine), fuse));
    }

    fn tap<T: ?Sized>(&self, inner: Arc<T>, fuse: &Arc<Fuse>) -> Tap<T> {
        let (watch, clock) = (Arc::clone(&self.watch), Arc::clone(&self.clock));
        Tap { inner, fuse: Arc::clone(fuse), watch, clock }
    }

    /// Ends the process of a seat at once; what it was doing is lost.
    pub(super) fn crash(&mut self, seat: usize, why: &str) {
        if self.seats[seat].running.take().is_none() {
            return;
        }
        self.flights.retain(|flight| flight.seat != seat);
        let pause = if self.calm { 1_000 } else { self.dice.i64(100..90_000) };
        self.seats[seat].up_at = self.clock.ms() + pause;
        self.crashes += 1;
        self.watch.count("crash");
        self.tell(format!("engine {seat} {why}"));
    }

    pub(super) fn seats(&self) -> usize {
        self.seats.len()
    }

    /// The weather gets good and stays so.
    pub(super) fn clear_up(&mut self) {
        self.calm = true;
        self.world.faults(FaultPlan::calm);
        self.world.mailbox(Mailbox::faithful);
        for seat in &self.seats {
            if let Some((_, fuse)) = &seat.running {
                fuse.calm();
            }
        }
    }

    /// Webhooks that are due reach whoever is up.
    fn deliver(&mut self) -> bool {
        let due = self.world.due_deliveries(self.clock.ms());
        let up = self.seats.iter().any(|seat| seat.running.is_some());
        for delivery in due.iter().filter(|delivery| delivery.app == self.bot.id) {
            let status = if up { 202 } else { 502 };
            self.world.delivery_answered(delivery.id, status);
            if !up {
                self.watch.count("webhook lost while down");
                continue;
            }
            let new = NewDelivery {
                id: DeliveryId::parse(&delivery.guid).unwrap(),
                event: delivery.event.clone(),
                body: delivery.body.to_vec(),
                at: Millis(self.clock.ms()),
            };
            if now(self.store.record(new)).unwrap() == Recorded::Repeat {
                self.watch.count("webhook doubled");
            }
        }
        !due.is_empty()
    }

    /// Does everything that can be done at this moment.
    pub(super) fn settle(&mut self) {
        self.clock.take_wanted();
        for _ in 0..ROUNDS_MAX {
            let mut moved = self.deliver();
            while self.world.ci_step(self.clock.ms()).unwrap_or(false) {
                moved = true;
            }
            moved |= self.claim();
            moved |= self.poll();
            if !moved {
                return;
            }
        }
        self.watch.broken("the engines spin at one moment".to_owned());
    }

    fn claim(&mut self) -> bool {
        let mut moved = false;
        for seat in 0..self.seats.len() {
            if self.seats[seat].running.is_none() {
                if self.seats[seat].up_at > self.clock.ms() {
                    continue;
                }
                self.start(seat);
                moved = true;
            }
            let busy = self.flights.iter().filter(|flight| flight.seat == seat).count();
            if busy >= 4 {
                continue;
            }
            let Some((engine, fuse)) = &self.seats[seat].running else { continue };
            let (engine, fuse) = (Arc::clone(engine), Arc::clone(fuse));
            let mut claim = Box::pin(engine.claim(self.dice.u32(1..4)));
            let leases = loop {
                match once(&mut claim) {
                    Poll::Ready(leases) => break leases.unwrap_or_default(),
                    Poll::Pending if fuse.is_dead() => break Vec::new(),
                    Poll::Pending => {}
                }
            };
            drop(claim);
            fuse.take_moved();
            if fuse.is_dead() {
                self.crash(seat, "crashed while claiming");
                moved = true;
                continue;
            }
            for lease in leases {
                moved = true;
                let engine = Arc::clone(&engine);
                let work = Box::pin(async move { engine.work(lease).await });
                self.flights.push(Flight { seat, work });
            }
        }
        moved
    }

    /// Polls every job once, in any order; says whether anything moved.
    fn poll(&mut self) -> bool {
        let mut moved = false;
        self.dice.shuffle(&mut self.flights);
        let mut at = 0;
        while at < self.flights.len() {
            let flight = &mut self.flights[at];
            let seat = flight.seat;
            let done = once(&mut flight.work).is_ready();
            let Some((_, fuse)) = &self.seats[seat].running else { break };
            moved |= done || fuse.take_moved();
            if fuse.is_dead() {
                self.crash(seat, "crashed");
                at = 0;
            } else if done {
                self.flights.remove(at);
            } else {
                at += 1;
            }
        }
        moved
    }

    /// When anything happens next by itself, at the latest at `until`.
    pub(super) fn next(&self, until: i64) -> i64 {
        let now_ms = self.clock.ms();
        let down = self.seats.iter().filter(|seat| seat.running.is_none()).map(|seat| seat.up_at);
        let due = now(self.store.next_due()).unwrap().map(|due| due.0);
        let own = [Some(until), self.world.next_due_ms(), due, Some(self.clock.take_wanted())];
        let all = own.into_iter().flatten().chain(down);
        all.filter(|at| *at > now_ms).min().unwrap_or(now_ms + 1)
    }

    /// Lives until `until`.
    pub(super) fn live(&mut self, until: i64) {
        loop {
            self.settle();
            let next = self.next(until);
            if self.clock.ms() >= until || !self.watch.laws_broken().is_empty() {
                return;
            }
            self.clock.set(next);
        }
    }
}

/// A moment as seconds since the life began.
pub(super) fn seconds(ms: i64) -> String {
    let since = ms - BEGIN_MS;
    format!("{}.{:03}", since / 1_000, since % 1_000)
}

fn once<T>(future: &mut Pin<Box<impl Future<Output = T> + ?Sized>>) -> Poll<T> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// What answers at once, as the store in memory does.
pub(super) fn now<T>(future: impl Future<Output = T>) -> T {
    match once(&mut Box::pin(future)) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the store in memory waits for something"),
    }
}
