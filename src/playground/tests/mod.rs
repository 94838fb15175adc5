//! The playground's own proof, on repositories in memory and over HTTP.

mod answers;
mod checks;
mod forges;
mod limits;
mod octo;
mod serving;
mod trust;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::Value;

use super::forge::Files;
use super::memory::MemoryForge;
use super::world::people::FilePush;
use super::world::pulls::NewPull;
use super::world::setup::NewApp;
use super::world::{Actor, App, Op, Role, User, World};
use crate::git::depot::Depot;

pub(super) const REPO: &str = "mara/greet";

/// A World in memory with two people, a bot and a CI.
pub(super) struct Stage {
    pub(super) world: World,
    pub(super) mara: User,
    pub(super) rio: User,
    pub(super) bot: App,
    pub(super) installation: u64,
    pub(super) actor: Actor,
    now: Arc<AtomicI64>,
}

pub(super) fn files(list: &[(&str, &str)]) -> Files {
    list.iter().map(|(path, text)| ((*path).to_owned(), Some(text.as_bytes().to_vec()))).collect()
}

pub(super) const START_MS: i64 = 1_790_000_000_000;

impl Stage {
    pub(super) fn new() -> Self {
        Self::with_files(&[("a.txt", "1\n2\n3\n4\n5\n")])
    }

    pub(super) fn with_files(list: &[(&str, &str)]) -> Self {
        let now = Arc::new(AtomicI64::new(START_MS));
        let clock = Arc::clone(&now);
        let world = World::new(Arc::new(move || clock.load(Ordering::SeqCst)), 7);
        let (mara, rio) = (world.add_user("mara"), world.add_user("rio"));
        let forge = Arc::new(MemoryForge::new(Depot::new()));
        let repo = world.add_repo(&mara, "greet", "main", forge).unwrap();
        world.first_commit(repo, &mara, &files(list)).unwrap();
        world.set_permission(REPO, rio.id, Role::Write).unwrap();
        let mut ci = NewApp::bot("ci", mara.id);
        ci.events.clear();
        let ci = world.add_app(&ci).unwrap();
        world.set_ci_app(ci.id);
        world.install(ci.id, &mara, &[repo]).unwrap();
        let bot = world.add_app(&NewApp::bot("slipway", mara.id)).unwrap();
        let installation = world.install(bot.id, &mara, &[repo]).unwrap();
        let actor = world.as_installation(installation).unwrap();
        let stage = Self { world, mara, rio, bot, installation, actor, now };
        stage.events();
        stage
    }

    pub(super) fn advance(&self, by_ms: i64) {
        self.now.fetch_add(by_ms, Ordering::SeqCst);
    }

    pub(super) fn push(&self, branch: &str, list: &[(&str, &str)]) -> String {
        let files = files(list);
        let push = FilePush { branch, onto: None, files: &files, message: "change" };
        self.world.push_files(self.mara.id, REPO, &push).unwrap()
    }

    /// A branch with one change and a pull request of it by the bot.
    pub(super) fn pull(&self, branch: &str, body: &str, list: &[(&str, &str)]) -> u64 {
        self.push(branch, list);
        let new = NewPull {
            title: format!("Add {branch}"),
            body: body.to_owned(),
            head: branch.to_owned(),
            base: "main".to_owned(),
            draft: false,
        };
        let view = self.world.call(&self.actor, Op::write("pulls/create", ""), |state| {
            state.create_pull(&self.actor, REPO, &new)
        });
        view.unwrap().pull.number
    }

    /// Mergeability and its state, asked once.
    pub(super) fn ask(&self, number: u64) -> (Option<bool>, &'static str) {
        let view = self.world.call(&self.actor, Op::read("pulls/get", ""), |state| {
            state.pull(&self.actor, REPO, number)
        });
        let view = view.unwrap();
        (view.mergeable, view.mergeable_state)
    }

    pub(super) fn head(&self, number: u64) -> String {
        self.world.with(|state| {
            let id = state.repo_id(REPO).unwrap();
            state.repo(id).unwrap().pulls[&number].head_sha.clone()
        })
    }

    pub(super) fn step_ci(&self) {
        while self.world.ci_step(self.world.now_ms()).unwrap() {}
    }

    /// The names of the deliveries that are due, with their payloads.
    pub(super) fn events(&self) -> Vec<(String, Value)> {
        let due = self.world.due_deliveries(self.world.now_ms());
        let name = |one: &super::mailbox::Delivery| match &one.action {
            Some(action) => format!("{}.{action}", one.event),
            None => one.event.clone(),
        };
        let payload = |body: &[u8]| serde_json::from_slice(body).unwrap();
        due.iter().map(|one| (name(one), payload(&one.body))).collect()
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.events().into_iter().map(|one| one.0).collect()
    }
}
