//! What is watched while a life goes on: merge calls, verifications, agents, pushes, each judged
//! from the World and git at that moment and never from the engine's own opinion.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use slipway::git::depot::Depot;
use slipway::git::{Push, Workspace};
use slipway::github::{Error, MergeOrder};
use slipway::model::PullNumber;
use slipway::pipeline::stage::MergeAnswer;
use slipway::playground::world::{Comment, ReviewState, Role, State, World};
use slipway::policy::{Freshness, MergeMethod, MergeMode};
use slipway::sandbox::{Invocation, Transcript};
use slipway::store;

use super::plan::Plan;
use super::time::SimClock;

/// Agent calls of one run without a person's `/retry`: planner, builders, fixers, resolvers.
pub(super) const AGENT_CALLS_MAX: u32 = 1 + 2 + 3 + 3 + 3;

/// A merge call as it was sent.
#[derive(Debug, Clone)]
struct Sent {
    pull: u64,
    at: i64,
    /// The engine heard a definite answer.
    told: bool,
    reads: Vec<i64>,
}

#[derive(Debug, Default)]
struct Notes {
    broken: Vec<String>,
    counts: BTreeMap<&'static str, u64>,
    checkouts: BTreeMap<String, String>,
    verified: BTreeSet<String>,
    sent: Vec<Sent>,
    /// A pull request that landed as something else than what was tested.
    tainted: Option<u64>,
    agents: BTreeMap<String, u32>,
    /// Buttons people pressed.
    pressed: BTreeSet<&'static str>,
    /// When the bot pushed a commit for the first time.
    pushed: BTreeMap<String, i64>,
}

pub(super) struct Watch {
    pub world: World,
    pub depot: Depot,
    pub plan: Arc<Plan>,
    pub clock: Arc<SimClock>,
    pub repo: u64,
    /// The login of the App under test.
    pub bot: String,
    pub ci: u64,
    dice: Mutex<fastrand::Rng>,
    notes: Mutex<Notes>,
}

impl Watch {
    pub(super) fn new(
        (world, depot): (World, Depot),
        plan: Arc<Plan>,
        clock: Arc<SimClock>,
        (repo, bot, ci): (u64, String, u64),
        seed: u64,
    ) -> Self {
        let dice = Mutex::new(fastrand::Rng::with_seed(seed));
        Self { world, depot, plan, clock, repo, bot, ci, dice, notes: Mutex::default() }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count(&self, what: &'static str) {
        *self.notes().counts.entry(what).or_default() += 1;
    }

    pub(super) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.notes().counts.clone()
    }

    /// A law was broken.
    pub(super) fn broken(&self, what: String) {
        self.notes().broken.push(what);
    }

    pub(super) fn laws_broken(&self) -> Vec<String> {
        self.notes().broken.clone()
    }

    pub(super) fn agent_calls(&self) -> BTreeMap<String, u32> {
        self.notes().agents.clone()
    }

    pub(super) fn unlocked(&self) {
        self.notes().tainted = None;
    }

    pub(super) fn takes_ms(&self, agent: bool) -> i64 {
        let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
        if agent { dice.i64(0..40_000) } else { dice.i64(0..5_000) }
    }

    pub(super) fn checked_out(&self, made: &Workspace) {
        self.notes().checkouts.insert(made.key.clone(), made.at.to_string());
    }

    pub(super) fn started(&self, invocation: &Invocation, agent: bool) {
        if agent {
            let run = invocation.workspace.rsplit_once("-e").map_or("", |(run, _)| run);
            *self.notes().agents.entry(run.to_owned()).or_default() += 1;
        }
    }

    pub(super) fn ran(&self, invocation: &Invocation, agent: bool, transcript: &Transcript) {
        let mut notes = self.notes();
        if agent {
            let what = if transcript.succeeded() { "agent ended well" } else { "agent failed" };
            *notes.counts.entry(what).or_default() += 1;
        } else if transcript.succeeded() {
            if let Some(at) = notes.checkouts.get(&invocation.workspace).cloned() {
                notes.verified.insert(at);
            }
        } else {
            *notes.counts.entry("verification failed").or_default() += 1;
        }
    }

    pub(super) fn committed(&self, answer: &Result<(), store::Error>) {
        match answer {
            Err(store::Error::LaneBusy(_)) => self.count("lane busy"),
            Err(store::Error::Conflict) => self.count("conflict of versions"),
            Err(store::Error::Fenced) => self.count("lease lost"),
            Ok(()) | Err(_) => {}
        }
    }

    pub(super) fn press(&self, button: &'static str) {
        self.notes().pressed.insert(button);
    }

    pub(super) fn pushing(&self, push: &Push) {
        if let Some(new) = &push.new {
            let now = self.clock.ms();
            self.notes().pushed.entry(new.to_string()).or_insert(now);
        }
        if push.branch.as_str() == "main" {
            self.broken("I8: the bot pushes to the base".to_owned());
        }
    }

    pub(super) fn pull_read(&self, pull: PullNumber) {
        let now = self.clock.ms();
        let mut notes = self.notes();
        for sent in notes.sent.iter_mut().filter(|sent| sent.pull == pull.0 && !sent.told) {
            sent.reads.push(now);
        }
    }

    /// The call is about to leave: every law about merging is asked now.
    pub(super) fn merge_sent(&self, order: &MergeOrder) -> usize {
        let now = self.clock.ms();
        let why = self.world.with(|state| self.why_not(state, order));
        let mut notes = self.notes();
        notes.broken.extend(why);
        if self.plan.verify && !notes.verified.contains(order.head.as_str()) {
            notes.broken.push(format!("I1: {} was never verified", order.head));
        }
        if let Some(pull) = notes.tainted {
            notes.broken.push(format!("I2: a merge after #{pull} landed as something else"));
        }
        let unproven = |sent: &&Sent| {
            let spread = sent.reads.last().zip(sent.reads.first()).map_or(0, |(b, a)| b - a);
            sent.pull == order.pull.0 && !sent.told && spread < 5_000
        };
        if !self.plan.stalls
            && let Some(sent) = notes.sent.iter().find(unproven)
        {
            let line = format!("I4: a second call after one at {} nobody settled", sent.at);
            notes.broken.push(line);
        }
        let (pull, told, reads) = (order.pull.0, false, Vec::new());
        notes.sent.push(Sent { pull, at: now, told, reads });
        *notes.counts.entry("merge call").or_default() += 1;
        notes.sent.len() - 1
    }

    /// The World has done what it does: did it land as what was tested?
    pub(super) fn merge_done(&self, order: &MergeOrder) {
        if self.plan.freshness != Freshness::Strict || order.method == MergeMethod::Rebase {
            return;
        }
        let landed = self.world.with(|state| {
            let pull = state.repos.get(&self.repo)?.pulls.get(&order.pull.0)?.clone();
            pull.merged_by.filter(|by| by.login == self.bot)?;
            pull.merge_commit_sha
        });
        let Some(landed) = landed else { return };
        let tree = |id: &str| self.depot.get(id).map(|commit| commit.tree_id.clone());
        if tree(&landed) != tree(order.head.as_str()) {
            self.count("landed as something else");
            self.notes().tainted = Some(order.pull.0);
        }
    }

    /// The engine has heard this answer.
    pub(super) fn merge_told(&self, call: usize, answer: &Result<MergeAnswer, Error>) {
        let definite = match answer {
            Ok(MergeAnswer::Unknown { .. }) => false,
            Ok(_) | Err(_) => true,
        };
        self.count(if definite { "merge answered" } else { "merge answer unknown" });
        if definite && let Some(sent) = self.notes().sent.get_mut(call) {
            sent.told = true;
        }
    }

    fn why_not(&self, state: &State, order: &MergeOrder) -> Vec<String> {
        let Some(repo) = state.repos.get(&self.repo) else { return Vec::new() };
        let head = order.head.as_str();
        let pull = order.pull.0;
        let writer = |user: u64| repo.role(user) >= Role::Write;
        let issue = repo.pulls.get(&pull).and_then(|pull| {
            pull.head_ref.strip_prefix("slipway/")?.split('-').next()?.parse::<u64>().ok()
        });
        let said: Vec<&Comment> = repo
            .comments
            .values()
            .filter(|c| (c.issue == pull || Some(c.issue) == issue) && writer(c.user.id))
            .filter(|c| !c.user.bot)
            .collect();
        // Nobody agrees to a commit that was not there when they spoke.
        let since = self.notes().pushed.get(head).copied().unwrap_or(0);
        let approved = self.notes().pressed.contains("approve");
        let has = |word: &str| {
            let spoken = |c: &Comment| c.body.starts_with(word) && c.created_ms + 1_000 >= since;
            said.iter().copied().any(spoken) || (word == "/approve" && approved)
        };
        let mut why = Vec::new();
        let runs: Vec<_> =
            repo.runs.values().filter(|r| r.app == self.ci && r.head_sha == head).collect();
        let newest = runs.iter().max_by_key(|run| run.id);
        match newest.map(|run| run.conclusion.as_deref()) {
            Some(Some("success")) => {}
            None if self.plan.allow_no_checks || has("/approve") => {}
            other => why.push(format!("I1: CI says {other:?} of {head}")),
        }
        let reviewed = repo.reviews.values().any(|review| {
            review.pull == pull
                && review.commit_id == head
                && review.state == ReviewState::Approved
                && writer(review.user.id)
        });
        let agreed = match self.plan.merge {
            MergeMode::Auto => true,
            MergeMode::OnApproval => {
                !self.plan.review || reviewed || has("/approve") || has("/merge")
            }
            MergeMode::OnCommand => has("/merge"),
            MergeMode::Never => false,
        };
        if !agreed {
            why.push(format!("I1: nobody agreed to {head}"));
        }
        let halted = said.iter().find(|c| {
            let confirmed =
                c.reactions.iter().any(|r| r.content == "+1" && r.user.login == self.bot);
            let after = said.iter().any(|later| {
                later.id > c.id && ["/go", "/retry"].iter().any(|w| later.body.starts_with(w))
            });
            c.body.starts_with("/stop") && confirmed && !after
        });
        let opened = repo.issues.get(&pull).map_or(0, |issue| issue.created_ms);
        if let Some(stop) = halted.filter(|stop| stop.created_ms >= opened) {
            why.push(format!("I17: a merge call after the stop {} was confirmed", stop.id));
        }
        why
    }
}
