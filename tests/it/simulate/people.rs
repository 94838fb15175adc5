//! People: they ask, talk, push, review, close, change their minds, and in the end answer.

use std::collections::BTreeMap;

use serde_json::json;
use slipway::model::BranchName;
use slipway::model::Repo;
use slipway::pipeline::{ParkReason, Phase, Progress, StageKind, State};
use slipway::playground::faults::{Fault, FaultRates};
use slipway::playground::world::merge::MergeCall;
use slipway::playground::world::people::FilePush;
use slipway::playground::world::{Method, ReviewState, Rules};
use slipway::store::{RunRow, Store};

use super::plan::{Ci, FILE};
use super::stage::{REPO, Stage, now};

const MINUTE_MS: i64 = 60_000;
/// Answers a person gives one run before telling it to stop.
const ANSWERS_MAX: u32 = 6;

impl Stage {
    /// Opens the issues and asks for them.
    pub(super) fn ask(&mut self) {
        for slot in 0..self.plan.issues {
            let title = format!("Change slot {slot}");
            let who = self.maintainer.id;
            // Some of what people ask for was written by somebody else.
            let strange = self.plan.actions.is_multiple_of(4) && slot % 2 == 1;
            let author = if strange { self.outsider.id } else { who };
            let issue = self.world.open_issue(author, REPO, &title, "Please.").unwrap().number;
            if self.dice.u32(0..10) == 0 {
                self.world.label(who, REPO, issue, "go").ok();
                self.tell(format!("mara labels #{issue}"));
            } else {
                self.say(who, issue, &format!("/go --agent a{slot}"));
            }
        }
    }

    fn say(&mut self, who: u64, number: u64, words: &str) {
        self.tell(format!("{who} on #{number}: {words}"));
        self.world.comment(who, REPO, number, words).ok();
    }

    /// Answers of GitHub that go wrong.
    pub(super) fn spoil(&mut self) {
        if !self.plan.faults {
            return;
        }
        let limited = || {
            let body = json!({"message": "You have exceeded a secondary rate limit."});
            Fault::status(403, false).header("retry-after", "60").body(body)
        };
        let late = json!({"message": "Base branch was modified. Review and try the merge again."});
        let merge = match self.dice.u32(0..18) {
            0 | 1 => Some(Fault::status(500, true)),
            2 => Some(Fault::status(500, false)),
            3 | 4 => Some(Fault::timeout(true)),
            5 => Some(Fault::timeout(false)),
            6 => Some(Fault::reset(true)),
            7 => Some(limited()),
            8 => Some(Fault::status(405, false).body(late)),
            _ => None,
        };
        let reads = [
            "pulls/get",
            "checks/list-for-ref",
            "issues/create-comment",
            "checks/create",
            "pulls/list-reviews",
            "repos/get-branch-rules",
            "git/fetch",
            "git/push",
        ];
        let read = reads[self.dice.usize(0..reads.len())];
        let nth = self.dice.u32(1..8);
        let odd = if self.dice.bool() { limited() } else { Fault::status(404, false) };
        let rates = FaultRates { refused: 25, lost_answer: 25, faults_max: self.dice.u32(1..20) };
        let seed = self.dice.u64(..);
        self.world.faults(|faults| {
            faults.chaos_at(seed, rates);
            if let Some(merge) = merge {
                faults.on("pulls/merge", 1, merge);
            }
            faults.on(read, nth, odd);
        });
    }

    /// Somebody does something.
    pub(super) fn act(&mut self) {
        let rows = now(self.store.live_runs(None)).unwrap();
        let row = (!rows.is_empty()).then(|| rows[self.dice.usize(0..rows.len())].clone());
        let issue = row.as_ref().map_or(1, |row| row.issue.0);
        let pull = row.as_ref().and_then(|row| row.pull).map(|pull| pull.0);
        let on = pull.filter(|_| self.dice.bool()).unwrap_or(issue);
        let (mara, rio, otto) = (self.maintainer.id, self.reviewer.id, self.outsider.id);
        let words = match self.dice.u32(0..100) {
            0..5 => (otto, "Thanks, this is great.\n/stop is not the first line"),
            5..9 => (rio, "/status"),
            9..12 => (otto, "/help"),
            12..18 => (mara, "/stop"),
            18..23 => (rio, "/hold"),
            23..30 => (mara, "/unhold"),
            30..36 => (rio, "/retry"),
            36..44 => (rio, "/approve"),
            44..50 => (mara, "/merge"),
            50..52 => (otto, "/merge"),
            52 => (rio, "/budget +1"),
            53..55 => (otto, "/stop"),
            55 => (mara, "/mrege"),
            56 => (mara, "/go"),
            57..64 => return self.review(pull, ReviewState::Approved),
            64..68 => return self.review(pull, ReviewState::ChangesRequested),
            68..80 => return self.push_main(),
            80..86 => return self.push_branch(row.as_ref()),
            86..100 => return self.meddle(issue, pull),
            _ => return,
        };
        self.say(words.0, on, words.1);
    }

    fn review(&mut self, pull: Option<u64>, verdict: ReviewState) {
        let Some(pull) = pull else { return };
        let who = if self.dice.u32(0..5) == 0 { self.outsider.id } else { self.reviewer.id };
        self.tell(format!("{who} reviews #{pull}: {}", verdict.name()));
        self.world.review(who, REPO, pull, (verdict, "Because.")).ok();
    }

    fn main_text(&self) -> String {
        let tip = self.depot.read_ref("refs/heads/main").unwrap_or_default();
        self.depot.read(&tip, FILE).ok().flatten().map(|blob| blob.text()).unwrap_or_default()
    }

    fn push(&mut self, branch: &str, path: &str, text: &str, onto: Option<&str>) {
        let files = vec![(path.to_owned(), Some(text.as_bytes().to_vec()))];
        let push = FilePush { branch, onto, files: &files, message: "By hand" };
        let done = self.world.push_files(self.maintainer.id, REPO, &push);
        self.tell(format!(
            "mara pushes {path} to {branch}: {:?}",
            done.map(|id| id[..8].to_owned())
        ));
    }

    fn push_main(&mut self) {
        let mark = self.dice.u32(..);
        if self.dice.bool() {
            self.push("main", &format!("other-{mark}.txt"), "other\n", None);
        } else {
            let text = self.main_text().replace("hot: ", &format!("hot: {mark} "));
            self.push("main", FILE, &text, None);
        }
    }

    fn push_branch(&mut self, row: Option<&RunRow>) {
        let Some(branch) = row.and_then(|row| row.branch.clone()) else { return };
        let name = format!("refs/heads/{branch}");
        if self.depot.read_ref(&name).is_none() {
            return;
        }
        self.watch.count("foreign push");
        match self.dice.u32(0..8) {
            0 => {
                let tip = self.depot.read_ref("refs/heads/main");
                self.push(branch.as_str(), "forced.txt", "forced\n", tip.as_deref());
            }
            1 => {
                let gone = self.world.with(|state| {
                    let actor = slipway::playground::world::Actor::User(self.maintainer.id);
                    state.delete_branch(&actor, REPO, branch.as_str())
                });
                self.tell(format!("mara deletes {branch}: {}", gone.is_ok()));
            }
            2 => self.push(branch.as_str(), "broken.txt", "BROKEN\n", None),
            _ => self.push(branch.as_str(), "by-hand.txt", "by hand\n", None),
        }
    }

    /// What is done at GitHub itself.
    fn meddle(&mut self, issue: u64, pull: Option<u64>) {
        let (mara, world) = (self.maintainer.id, self.world.clone());
        let what = self.dice.u32(0..13);
        self.tell(format!("meddling {what} with #{issue} and {pull:?}"));
        match (what, pull) {
            (0 | 1, _) => drop(world.close(mara, REPO, issue)),
            (2, Some(pull)) => drop(world.close(mara, REPO, pull)),
            (3, Some(pull)) => {
                world.close(mara, REPO, pull).ok();
                world.reopen(mara, REPO, pull).ok();
            }
            (4 | 5, Some(pull)) => {
                let call = MergeCall { method: Method::Squash, ..MergeCall::default() };
                if world.merge_pull(mara, REPO, pull, &call).is_ok() {
                    self.watch.count("merged by hand");
                }
            }
            (6, _) => drop(world.label(mara, REPO, issue, "go")),
            (7, _) => drop(world.unlabel(mara, REPO, issue, "go")),
            (8, _) => {
                if let Ok(said) = world.comment(self.outsider.id, REPO, issue, "Nice.") {
                    self.clock.set(self.clock.ms() + 1_000);
                    world.edit_comment(self.outsider.id, REPO, said.id, "/stop").ok();
                }
            }
            (9, _) => {
                let button = ["stop", "retry", "approve"][self.dice.usize(0..3)];
                let run = world.with(|state| {
                    let runs = state.repos.get(&self.watch.repo)?.runs.values();
                    runs.filter(|run| run.app == self.bot.id).map(|run| run.id).max()
                });
                if let Some(run) = run {
                    self.watch.press(button);
                    world.press_button(mara, REPO, run, button).ok();
                }
            }
            (10, _) => drop(world.set_rules(REPO, "main", Rules::default())),
            (11, _) => drop(world.set_settings(REPO, |s| s.allow_squash_merge = false)),
            (12, _) if self.plan.stalls => {
                let by_ms = self.dice.i64(20_000..7_200_000);
                self.watch.count("clock jump");
                self.clock.set(self.clock.ms() + by_ms);
            }
            _ => {
                let seat = self.dice.usize(0..self.seats());
                self.crash(seat, "is restarted");
            }
        }
    }

    /// In good weather, everybody who is asked answers.
    pub(super) fn answer(&mut self, asked: &mut BTreeMap<String, u32>) {
        for lane in now(self.store.lanes()).unwrap() {
            if lane.alarm.is_some() {
                self.watch.count("alarm");
                self.watch.unlocked();
                let repo = Repo::parse(REPO).unwrap();
                let base = BranchName::parse("main").unwrap();
                now(self.store.clear_lane(&repo, &base)).unwrap();
                self.tell("the operator opens the lane".to_owned());
            }
        }
        for row in now(self.store.live_runs(None)).unwrap() {
            let Some(snapshot) = now(self.store.load(&row.run)).unwrap() else { continue };
            let times = asked.entry(row.run.to_string()).or_default();
            *times += 1;
            let times = *times;
            self.answer_run(&row, &snapshot.state, times);
        }
    }

    fn answer_run(&mut self, row: &RunRow, state: &State, times: u32) {
        let mara = self.maintainer.id;
        let on = row.issue.0;
        if self.plan.ci == Ci::RedBase && self.dice.u32(0..3) == 0 {
            let text = self.main_text();
            if text.contains("base: CI-RED") {
                self.push("main", FILE, &text.replace("base: CI-RED", "base: fine"), None);
            }
        }
        let Progress::Running { stage, phase, .. } = &state.progress else { return };
        let word = match phase {
            Phase::Parked(park) => {
                self.watch.count("parked");
                let unknown = park.why == ParkReason::MergeUnknown && times <= ANSWERS_MAX;
                if park.why == ParkReason::NoChecks && times <= ANSWERS_MAX {
                    "/approve"
                } else if park.why == ParkReason::BudgetSpent && times <= ANSWERS_MAX {
                    self.watch.count("out of money");
                    "/budget +1"
                } else if park.why == ParkReason::Question && times <= ANSWERS_MAX {
                    self.watch.count("asked");
                    "/answer this one"
                } else if park.why == ParkReason::CritiqueOpen && times <= ANSWERS_MAX {
                    self.watch.count("a critic objects");
                    if times.is_multiple_of(2) { "/push" } else { "/retry" }
                } else if park.why == ParkReason::CheckNeedsPerson {
                    "/stop"
                } else if (times < 3 && self.dice.bool()) || unknown {
                    "/retry"
                } else {
                    "/stop"
                }
            }
            Phase::Waiting(_) if state.held_by.is_some() => "/unhold",
            Phase::Waiting(_) if times > 40 => "/stop",
            Phase::Waiting(_) if *stage == StageKind::Publish => "/push",
            Phase::Waiting(_) if *stage == StageKind::Review => {
                if let Some(pull) = row.pull {
                    for who in [self.reviewer.id, mara] {
                        let verdict = (ReviewState::Approved, "Good.");
                        self.world.review(who, REPO, pull.0, verdict).ok();
                    }
                }
                "/merge"
            }
            Phase::Waiting(_) | Phase::Doing(_) => return,
        };
        self.say(mara, on, word);
    }

    /// The next thing somebody does comes after this many milliseconds.
    pub(super) fn gap_ms(&mut self) -> i64 {
        let scale = [10, 1_000, 10_000, MINUTE_MS, 4 * MINUTE_MS][self.dice.usize(0..5)];
        self.dice.i64(0..scale) + 1
    }
}
