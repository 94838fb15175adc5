//! The last judgement: what must hold when a life is over, read from the World, git and store.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};
use slipway::command::Authorized;
use slipway::model::{Millis, PullNumber, RunId};
use slipway::pipeline::{EventKind, Outcome};
use slipway::playground::world::{Comment, Role};
use slipway::store::{Snapshot, Store};

use super::stage::{Stage, now, seconds};
use super::watch::AGENT_CALLS_MAX;

/// Writes of the bot within one minute, per run: GitHub's content limit is 80 a minute in all.
const WRITES_A_MINUTE_MAX: usize = 40;

impl Stage {
    /// Every run there was, oldest first.
    pub(super) fn runs(&self) -> Vec<(RunId, Snapshot)> {
        let mut rows = now(self.store.runs(500)).unwrap();
        rows.reverse();
        let load = |run: RunId| Some((run.clone(), now(self.store.load(&run)).unwrap()?));
        rows.into_iter().filter_map(|row| load(row.run)).collect()
    }

    pub(super) fn judge(&self) {
        self.nothing_is_left();
        for (run, snapshot) in self.runs() {
            self.run_ended_truly(&run, &snapshot);
        }
        self.agents_are_bounded();
        self.comments_are_few();
        self.commands_are_seen();
        self.writes_are_few();
    }

    fn law(&self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.watch.broken(what());
        }
    }

    fn nothing_is_left(&self) {
        let gauges = now(self.store.gauges(Millis(self.clock.ms()))).unwrap();
        self.law(gauges.runs_live == 0, || format!("{} runs live on", gauges.runs_live));
        self.law(gauges.jobs_due + gauges.jobs_leased + gauges.jobs_later <= 1, || {
            format!("jobs are left over: {gauges:?}")
        });
        let lanes = now(self.store.lanes()).unwrap();
        self.law(lanes.is_empty(), || format!("lanes are left over: {lanes:?}"));
        let left: Vec<String> = self.directories.lock().unwrap().keys().cloned().collect();
        self.law(self.crashes > 0 || self.plan.stalls || left.is_empty(), || {
            format!("workspaces are left over: {left:?}")
        });
    }

    /// The outcome in the store is what the World and git say.
    fn run_ended_truly(&self, run: &RunId, snapshot: &Snapshot) {
        let state = &snapshot.state;
        let Some(outcome) = state.finished() else { return };
        self.watch.count(match outcome {
            Outcome::Merged { by: None, .. } => "merged",
            Outcome::Merged { by: Some(_), .. } => "merged by a person",
            Outcome::Stopped { .. } => "stopped",
            Outcome::HandedOver { .. } => "handed over",
            Outcome::Failed { .. } => "failed",
        });
        let landed = state.work.pull.and_then(|pull| self.landed(pull));
        match (outcome, &landed) {
            (Outcome::Merged { commit, .. }, found) => {
                let tip = self.depot.read_ref("refs/heads/main").unwrap_or_default();
                let inside = self.depot.is_ancestor(commit.as_str(), &tip);
                self.law(inside, || format!("{run} says it merged {commit}, main has it not"));
                let said = found.as_ref().is_some_and(|(id, _)| id == commit.as_str());
                self.law(said, || format!("{run} says it merged {commit}, GitHub {found:?}"));
            }
            (Outcome::Stopped { why } | Outcome::HandedOver { why }, Some((id, by)))
                if *by == self.bot.user.login =>
            {
                let honest = why.contains(&id[..8]) || why.contains("never told");
                let earlier = self.runs().iter().any(|(_, other)| {
                    matches!(other.state.finished(), Some(Outcome::Merged { commit, .. })
                        if commit.as_str() == id)
                });
                self.law(honest || earlier, || {
                    format!("I17: {run} says {why:?}, and the bot merged {id}")
                });
            }
            (Outcome::Stopped { .. } | Outcome::HandedOver { .. } | Outcome::Failed { .. }, _) => {}
        }
        self.timeline_is_whole(run);
    }

    fn landed(&self, pull: PullNumber) -> Option<(String, String)> {
        self.world.with(|state| {
            let pull = state.repos.get(&self.watch.repo)?.pulls.get(&pull.0)?;
            Some((pull.merge_commit_sha.clone()?, pull.merged_by.clone()?.login))
        })
    }

    fn timeline_is_whole(&self, run: &RunId) {
        let timeline = now(self.store.timeline(run)).unwrap();
        let numbers: Vec<u64> = timeline.iter().map(|entry| entry.number).collect();
        let whole = numbers.iter().copied().eq(1..=numbers.len() as u64);
        self.law(whole, || format!("{run}: the timeline has gaps"));
        let versions: Vec<u64> = timeline.iter().filter_map(|entry| entry.version).collect();
        let steady = versions.iter().copied().eq(1..=versions.len() as u64);
        self.law(steady, || format!("{run}: versions {versions:?}"));
    }

    fn agents_are_bounded(&self) {
        let mut retries = BTreeMap::<String, u32>::new();
        for (run, _) in self.runs() {
            let told = now(self.store.timeline(&run)).unwrap();
            let is_retry = |said: &Authorized| said.command().spec().word == "retry";
            let asked = |kind: &EventKind| matches!(kind, EventKind::Commanded(c) if is_retry(c));
            let times = told.iter().filter(|entry| asked(&entry.event.kind)).count();
            retries.insert(run.to_string(), u32::try_from(times).unwrap());
        }
        for (run, calls) in self.watch.agent_calls() {
            let lives = 1 + retries.get(&run).copied().unwrap_or(0);
            // A call may be made again for a lost process, a lost lease, or a failing read.
            let again = self.crashes + if self.plan.faults || self.plan.stalls { 8 } else { 0 };
            self.law(calls <= lives * AGENT_CALLS_MAX + again, || {
                format!("I10: {calls} agent calls for {run} in {lives} tries")
            });
        }
    }

    fn comments_are_few(&self) {
        let marks = self.world.with(|state| {
            let repo = &state.repos[&self.watch.repo];
            let ours = repo.comments.values().filter(|c| c.via_app == Some(self.bot.id));
            let mark = |c: &Comment| (c.issue, c.body.lines().next().unwrap_or("").to_owned());
            let mut marks = BTreeMap::<String, u32>::new();
            for (issue, mark) in ours.map(mark) {
                *marks.entry(format!("#{issue} {mark}")).or_default() += 1;
            }
            for run in repo.runs.values().filter(|run| run.app == self.bot.id) {
                *marks
                    .entry(format!("check run of {} on {}", run.external_id, run.head_sha))
                    .or_default() += 1;
            }
            marks
        });
        for (mark, times) in marks {
            self.law(times == 1 || self.plan.stalls, || format!("I14: {times} × {mark}"));
        }
    }

    /// Every command that was not edited has its 👀, however its webhook fared.
    fn commands_are_seen(&self) {
        let words = ["/go", "/stop", "/retry", "/approve", "/merge", "/hold", "/unhold"];
        let unseen: Vec<String> = self.world.with(|state| {
            let repo = &state.repos[&self.watch.repo];
            let asks = |c: &&Comment| words.iter().any(|word| c.body.starts_with(word));
            let seen = |c: &Comment| c.reactions.iter().any(|r| r.content == "eyes");
            let said = repo.comments.values().filter(asks);
            let unedited = said.filter(|c| !c.user.bot && c.created_ms == c.updated_ms);
            let writers = unedited.filter(|c| repo.role(c.user.id) >= Role::Write);
            writers.filter(|c| !seen(c)).map(|c| format!("{} {}", c.id, c.body)).collect()
        });
        self.law(unseen.is_empty(), || format!("commands nobody saw: {unseen:?}"));
    }

    fn writes_are_few(&self) {
        let journal = self.world.journal();
        let slug = &self.bot.slug;
        let ours =
            journal.iter().filter(|c| c.actor.starts_with(slug.as_str()) && c.method != "GET");
        let content = ours
            .filter(|c| c.operation.starts_with("issues/") || c.operation.starts_with("checks/"));
        let mut minutes = BTreeMap::<i64, usize>::new();
        for call in content {
            *minutes.entry(call.at_ms / 60_000).or_default() += 1;
        }
        let most = minutes.values().copied().max().unwrap_or(0);
        let runs = self.runs().len().max(1);
        self.law(most <= WRITES_A_MINUTE_MAX * runs, || format!("I14: {most} writes a minute"));
    }

    /// What happened, as one number: the same for the same seed.
    pub(super) fn digest(&self) -> String {
        let mut text = String::new();
        for call in self.world.journal() {
            let (n, at, who, op) = (call.n, call.at_ms, &call.actor, call.operation);
            writeln!(text, "{n} {at} {who} {op} {} {}", call.status, call.effect).unwrap();
        }
        for (run, snapshot) in self.runs() {
            writeln!(text, "{run} {} {:?}", snapshot.version, snapshot.state.progress).unwrap();
        }
        writeln!(text, "{:?}", self.watch.counts()).unwrap();
        hex::encode(Sha256::digest(text))
    }

    /// What every run heard, for a person who reads of a failure.
    pub(super) fn timelines(&self) -> String {
        let mut text = String::new();
        for (run, _) in self.runs() {
            for entry in now(self.store.timeline(&run)).unwrap() {
                let at = seconds(entry.event.at.0);
                let event = format!("{:?}", entry.event.kind);
                let event = event.chars().take(110).collect::<String>();
                let ignored = entry.ignored.map_or("", slipway::pipeline::Ignored::word);
                writeln!(text, "{run} {at:>9} {event} {ignored} → {}", entry.after).unwrap();
            }
        }
        text
    }

    /// The last writes and faults of the journal, for a person who reads of a failure.
    pub(super) fn journal_end(&self, lines: usize) -> String {
        let mut journal = self.world.journal();
        journal.retain(|call| (call.effect || call.status >= 400) && !call.path.contains("tokens"));
        let mut text = String::new();
        for call in journal.iter().skip(journal.len().saturating_sub(lines)) {
            let at = seconds(call.at_ms);
            let effect = if call.effect { "*" } else { " " };
            let (who, what) = (&call.actor, call.operation);
            writeln!(text, "{at:>10} {effect}{} {who} {what} {}", call.status, call.path).unwrap();
        }
        text
    }
}
