//! The builder: what the repository, its rules, its CI and the scripted agent are like.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};

use slipway::agent::prompt::Templates;
use slipway::agent::scripted::{Edit, Script, Scripted};
use slipway::agent::{Agent, Kind};
use slipway::clock::{Clock, FakeClock};
use slipway::egress::{Rule, fake as fake_egress};
use slipway::gateway::Provider;
use slipway::git::depot::Depot;
use slipway::git::fake as fake_git;
use slipway::model::budget::{self, Scope};
use slipway::model::trust::Trust;
use slipway::model::{Millis, UserId};
use slipway::playground::memory::MemoryForge;
use slipway::playground::world::setup::NewApp;
use slipway::playground::world::{App, Method, QueueRule, RequiredCheck, Role, Rules, User, World};
use slipway::sandbox::fake as fake_sandbox;
use slipway::store::Store;
use slipway::store::memory::Memory;
use slipway::worker::{Limits, Ports, Settings, Unwatched, poll_job, sweep_job};

use super::edits::{say, write};
use super::outside::{Repositories, asking, play};
use super::reach::{Reach, Road};
use super::wired::Wired;
use super::{Fuse, Town, end, ready};

/// Monday, 16 June 2025, 09:00 UTC.
pub(super) const START: i64 = 1_750_064_400_000;
/// In most tests one person does everything.
pub(super) const OWN_WORD: &str = "requester_may_approve: true\n";
/// The greeting everything is about, with room between its lines for distant edits.
pub(crate) const GREETING: &str = "hello\n\n\n\n\nworld\n\n\n\n\nbye\n";

/// How a town is built.
#[expect(clippy::struct_excessive_bools, reason = "switches of a test, each on its own")]
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(super) policy: String,
    pub(super) ci: Option<String>,
    pub(super) files: BTreeMap<String, String>,
    pub(super) rules: Rules,
    pub(super) required: Vec<String>,
    pub(super) script: Script,
    pub(super) limits: Limits,
    pub(super) sweeps: bool,
    pub(super) polls: bool,
    pub(super) reclaims: bool,
    pub(super) agents: Vec<(String, Script)>,
    pub(super) trust: Trust,
    pub(super) bots: BTreeSet<UserId>,
    pub(super) private: bool,
    pub(super) reaches: Option<Reaches>,
    pub(super) poison: Option<Poison>,
    pub(super) budget: budget::Rules,
    pub(super) prompts: Templates,
    pub(super) known: Vec<(Agent, Provider)>,
    pub(super) slow: Option<super::slow::Slow>,
}

/// How a payload is rewritten, and with what.
pub(super) type Poison = (fn(&[u8], &str) -> Vec<u8>, String);

/// What agents may reach, and what they ask for.
#[derive(Debug, Clone)]
pub(super) struct Reaches {
    rules: Vec<Rule>,
    pub(super) asks: &'static str,
}

/// A town as most tests want it: one required check, one approval, an agent that builds.
pub(crate) fn plan() -> Plan {
    let script = Script {
        planner: vec![vec![say("1. Write `feature.txt`.")]],
        builder: vec![vec![write("feature.txt", "a feature\n"), say("Wrote `feature.txt`.")]],
        ..Script::default()
    };
    let job = r#"{"name": "test", "delay_ms": 2000, "duration_ms": 30000,
        "fails_if": {"file": "feature.txt", "contains": "BUG"}}"#;
    Plan {
        policy: format!("merge: on-approval\n{OWN_WORD}verify:\n  - fails_if feature.txt BROKEN\n"),
        ci: Some(format!("{{\"jobs\": [{job}]}}")),
        files: BTreeMap::from([
            ("README.md".to_owned(), "# greet\n".to_owned()),
            ("greet.txt".to_owned(), GREETING.to_owned()),
        ]),
        rules: Rules { approvals: Some(1), ..Rules::default() },
        required: vec!["test".to_owned()],
        script,
        limits: Limits::default(),
        sweeps: false,
        polls: false,
        reclaims: true,
        agents: Vec::new(),
        trust: Trust::whole(),
        bots: BTreeSet::new(),
        private: false,
        reaches: None,
        poison: None,
        budget: budget::Rules::default(),
        prompts: Templates::default(),
        known: Vec::new(),
        slow: None,
    }
}

/// Runs a test in a town as [`plan`] makes it.
pub(crate) fn run_test(test: impl AsyncFnMut(&mut Town)) {
    plan().run(test);
}

impl Plan {
    pub(crate) fn policy(mut self, text: &str) -> Self {
        text.clone_into(&mut self.policy);
        self
    }

    /// Merges by itself; no rule asks for approvals.
    pub(crate) fn auto(mut self) -> Self {
        self.policy = self.policy.replace("on-approval", "auto");
        self.rules.approvals = None;
        self
    }

    /// The CI's jobs, as JSON without the brackets around them.
    pub(crate) fn ci(mut self, jobs: &str) -> Self {
        self.ci = Some(format!("{{\"jobs\": [{jobs}]}}"));
        self
    }

    /// The branch is merged through a queue, which merges in this way.
    pub(crate) fn queue(self, method: Method) -> Self {
        self.queue_rule(QueueRule { method, minutes: 60, ci: true })
    }

    pub(crate) fn queue_rule(mut self, rule: QueueRule) -> Self {
        self.rules.queue = Some(rule);
        self
    }

    /// Our own check is among the required ones.
    pub(crate) fn requires_ours(mut self) -> Self {
        let ours = RequiredCheck { context: "slipway".to_owned(), integration_id: None };
        self.rules.required_checks.push(ours);
        self
    }

    /// The rules ask for an approval, and the App is not shown that they do.
    pub(crate) fn classic(mut self) -> Self {
        self.rules.classic = true;
        self
    }

    pub(crate) fn no_ci(mut self) -> Self {
        self.ci = None;
        // Something still guards the branch.
        self.rules.allowed_merge_methods = Some(Method::ALL.to_vec());
        self.requires(&[])
    }

    pub(crate) fn requires(mut self, checks: &[&str]) -> Self {
        self.required = checks.iter().map(|&name| name.to_owned()).collect();
        self
    }

    pub(crate) fn file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.to_owned(), text.to_owned());
        self
    }

    pub(crate) fn critic(mut self, rounds: Vec<Vec<Edit>>) -> Self {
        self.script.critic = rounds;
        self
    }

    /// A second agent with another script.
    pub(crate) fn agent(mut self, name: &str, script: Script) -> Self {
        self.agents.push((name.to_owned(), script));
        self
    }

    /// Payloads are rewritten on their way, after they were signed.
    pub(crate) fn poisoned(mut self, how: fn(&[u8], &str) -> Vec<u8>, with: &str) -> Self {
        self.poison = Some((how, with.to_owned()));
        self
    }

    /// Agents may reach `hosts`, and ask for `asks` whenever they run.
    pub(crate) fn reaches(mut self, hosts: &[&str], asks: &'static str) -> Self {
        let rule = |host: &&str| Rule::parse(host).expect("a rule");
        self.reaches = Some(Reaches { rules: hosts.iter().map(rule).collect(), asks });
        self
    }

    /// Every turn of the agent makes calls that cost so many millionths of a dollar.
    pub(crate) fn costs(mut self, calls: &[u64]) -> Self {
        calls.clone_into(&mut self.script.calls);
        self
    }

    /// This scope has a cap, in millionths of a dollar.
    pub(crate) fn cap(mut self, scope: Scope, micros: u64) -> Self {
        self.budget.caps = self.budget.caps.with(scope, micros);
        self
    }

    /// Looks for commands whose webhook was lost, as the program does.
    pub(crate) fn sweeps(mut self) -> Self {
        self.sweeps = true;
        self
    }

    /// Reads the log of deliveries, as the program does where no webhook reaches it.
    pub(crate) fn polls(mut self) -> Self {
        self.polls = true;
        self.limits.poll_ms = 15_000;
        self
    }

    /// After a crash nobody knows that the process is dead: its leases run out.
    pub(crate) fn leases_run_out(mut self) -> Self {
        self.reclaims = false;
        self
    }

    /// Runs the test in a town of its own for every way to reach GitHub, and looks each time
    /// that nothing is left over.
    pub(crate) fn run(self, mut test: impl AsyncFnMut(&mut Town)) {
        for reach in Reach::ALL {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let mut town = self.clone().build(reach);
                test(&mut town).await;
                town.end().await;
            });
        }
    }

    fn build(self, reach: Reach) -> Town {
        let clock = Arc::new(FakeClock::at(Millis(START)));
        let shared = Arc::clone(&clock);
        let world = World::new(Arc::new(move || shared.now().0), 7);
        world.with(|state| state.brief_payloads = reach == Reach::InProcess);
        let cast = self.cast(&world);
        let fuse = Arc::new(Fuse::new(world.clone()));
        let directories = fake_sandbox::Directories::default();
        let asked = Arc::new(Mutex::default());
        let store = Arc::new(Memory::default());
        let depots = BTreeMap::from([(cast.repo.clone(), cast.depot.clone())]);
        let remotes = Arc::new(Repositories { world: world.clone(), depots });
        let git = fake_git::Fake::new(remotes, Arc::clone(&directories));
        let egress = Arc::new(fake_egress::Fake::default());
        let play = asking(play(Arc::clone(&asked)), Arc::clone(&egress), self.reaches.as_ref());
        let sandbox = fake_sandbox::Fake::new(Arc::clone(&directories), play)
            .protecting(if self.known.is_empty() { 0 } else { 3 });
        let gate = Arc::new(tokio::sync::Semaphore::new(0));
        let sandbox = self.paced(Arc::new(sandbox), &gate, &directories);
        let road = Road::new(reach, &world, cast.bot.id, &clock);
        let ports = Ports {
            github: Arc::new(Wired { port: road.hub, fuse: Arc::clone(&fuse) }),
            git: Arc::new(Wired { port: Arc::new(git), fuse: Arc::clone(&fuse) }),
            sandbox: Arc::new(Wired { port: sandbox, fuse: Arc::clone(&fuse) }),
            egress: Arc::<fake_egress::Fake>::clone(&egress),
            gateway: Arc::new(slipway::gateway::fake::Fake::free()),
            store: Arc::new(Wired { port: Arc::clone(&store), fuse: Arc::clone(&fuse) }),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
        };
        let settings = self.known(self.settings(&cast.bot));
        if self.sweeps {
            let job = sweep_job(Millis(START), Millis(START));
            ready(store.put(vec![job])).expect("the memory store puts");
        }
        if self.polls {
            let job = poll_job(Millis(START), Millis(START));
            ready(store.put(vec![job])).expect("the memory store puts");
        }
        let engine =
            slipway::worker::Engine::new(ports.clone(), settings.clone(), Arc::new(Unwatched));
        Town {
            world,
            clock,
            store,
            fuse,
            engine,
            settings,
            ports,
            engines_made: 0,
            repo: cast.repo,
            repo_id: cast.repo_id,
            depot: cast.depot,
            people: cast.people,
            bot: cast.bot,
            reclaims: self.reclaims,
            number: 0,
            directories,
            asked,
            egress,
            gate,
            poison: self.poison,
            poisoned: AtomicU32::new(0),
            crashes: 0,
            refuses: false,
            expected: end::Expected {
                rounds: u64::from(self.sweeps) + u64::from(self.polls),
                ..end::Expected::default()
            },
            reach,
            served: road.served,
        }
    }

    fn settings(&self, bot: &App) -> Settings {
        let first = ("scripted".to_owned(), self.script.clone());
        let agents = [first].into_iter().chain(self.agents.iter().cloned());
        let agent = |(name, script)| Agent {
            name,
            kind: Kind::Scripted(Scripted { program: "/slipway".into(), script }),
            at_once_max: 4,
            hosts: self.reaches.as_ref().map(|it| it.rules.clone()).unwrap_or_default(),
        };
        Settings {
            owner: "engine-0".to_owned(),
            app_id: bot.id,
            agents: agents.map(agent).chain(self.known.iter().map(|one| one.0.clone())).collect(),
            homes: None,
            providers: self.known.iter().map(|one| one.1.clone()).collect(),
            prompts: self.prompts.clone(),
            limits: self.limits,
            bots: self.bots.clone(),
            budget: self.budget.clone(),
            trust: self.trust,
            github_url: "https://github.test".to_owned(),
            public_url: Some("https://slipway.test".to_owned()),
        }
    }

    fn cast(&self, world: &World) -> Cast {
        world.set_base_url("https://github.test");
        let people: BTreeMap<&'static str, User> =
            ["mara", "rio", "otto"].map(|name| (name, world.add_user(name))).into();
        let owner = people["mara"].clone();
        let depot = Depot::new();
        let forge = Arc::new(MemoryForge::new(depot.clone()));
        let repo_id = world.add_repo(&owner, "greet", "main", forge).expect("a repository");
        let repo = "mara/greet".to_owned();
        let mut files = self.files.clone();
        files.insert(slipway::policy::POLICY_PATH.to_owned(), self.policy.clone());
        files.extend(self.ci.iter().map(|ci| (".playground/ci.json".to_owned(), ci.clone())));
        let files: Vec<_> =
            files.into_iter().map(|(path, text)| (path, Some(text.into_bytes()))).collect();
        world.first_commit(repo_id, &owner, &files).expect("a first commit");
        for (name, role) in [("rio", Role::Write), ("otto", Role::Read)] {
            world.set_permission(&repo, people[name].id, role).expect("a permission");
        }
        let bot = world.add_app(&NewApp::bot("slipway", owner.id)).expect("an App");
        let mut ci = NewApp::bot("playground-ci", owner.id);
        ci.events.clear();
        let ci = world.add_app(&ci).expect("an App");
        world.set_ci_app(ci.id);
        for app in [&ci, &bot] {
            world.install(app.id, &owner, &[repo_id]).expect("an installation");
        }
        let mut rules = self.rules.clone();
        rules.required_checks.extend(
            self.required
                .iter()
                .map(|name| RequiredCheck { context: name.clone(), integration_id: Some(ci.id) }),
        );
        world.set_rules(&repo, "main", rules).expect("rules");
        world
            .set_settings(&repo, |settings| {
                settings.mergeable_asks = 0;
                settings.private = self.private;
            })
            .expect("settings");
        Cast { people, depot, repo_id, repo, bot }
    }
}

struct Cast {
    people: BTreeMap<&'static str, User>,
    depot: Depot,
    repo_id: u64,
    repo: String,
    bot: App,
}
