//! The end of every test: nothing is left over, and the merge kept its promises.

use std::collections::BTreeMap;

use slipway::model::{Act, CommitSha};
use slipway::pipeline::twin::Signing;
use slipway::pipeline::{Done, EventKind};
use slipway::store::{AuditRow, Audited, Entry, Store};

use super::{Town, ready};

/// Writes on GitHub for one merged pull request.
const WRITES_MAX: usize = 25;

/// What a test says about its end.
#[derive(Debug, Default)]
pub(super) struct Expected {
    /// Runs that may still be alive.
    pub(super) alive: usize,
    /// A lane may stay closed.
    pub(super) alarm: bool,
    /// Jobs that come back for ever: the sweep, the reading of the log.
    pub(super) rounds: u64,
    /// More than the usual number of writes, because the test made trouble.
    pub(super) writes_max: Option<usize>,
}

impl Town {
    /// This many runs are alive at the end.
    pub(crate) fn leaves_runs(&mut self, alive: usize) {
        self.expected.alive = alive;
    }

    /// A merge lane stays closed at the end.
    pub(crate) fn leaves_an_alarm(&mut self) {
        self.expected.alarm = true;
    }

    pub(crate) fn allows_writes(&mut self, writes_max: usize) {
        self.expected.writes_max = Some(writes_max);
    }

    /// Lets everything come to rest, and looks around.
    pub(super) async fn end(&mut self) {
        self.settle().await;
        let alive = ready(self.store.live_runs(None)).expect("the store answers");
        assert_eq!(alive.len(), self.expected.alive, "runs are alive: {alive:?}");
        if self.expected.alive == 0 {
            self.nothing_waits().await;
        }
        let lanes = ready(self.store.lanes()).expect("the store answers");
        let closed = lanes.iter().filter(|lane| lane.alarm.is_some()).count();
        assert_eq!(closed > 0, self.expected.alarm, "{lanes:?}");
        assert_eq!(closed, lanes.len(), "a lane is held: {lanes:?}");
        let left: Vec<String> =
            self.directories.lock().expect("nobody panicked").keys().cloned().collect();
        assert!(left.is_empty(), "workspaces are left over: {left:?}");
        self.merges_were_verified();
        self.surfaces_are_single();
        if let Some(served) = &self.served {
            let log = served.log();
            let calls = self.world.journal().into_iter();
            let ours = calls.filter(|c| c.actor == self.bot.slug && c.operation != "git/push");
            assert!(ours.count() as u64 <= log.answered, "a call did not come over HTTPS");
            assert_eq!((log.open, log.turned_away), (0, 0), "calls left open or turned away");
            assert!(log.findings.is_empty(), "{:#?}", log.findings);
        }
    }

    /// Timers of runs that ended run out; then the queue is empty but for the sweep.
    async fn nothing_waits(&mut self) {
        let rounds = self.expected.rounds;
        for _ in 0..200 {
            let gauges = ready(self.store.gauges(slipway::model::Millis(self.now())));
            let gauges = gauges.expect("the store answers");
            assert_eq!(gauges.jobs_due, 0, "{gauges:?}");
            // The lease of a process that died runs out by itself.
            if (gauges.jobs_leased, gauges.jobs_later) == (0, rounds) {
                return;
            }
            assert!(self.wait(), "a job is due never");
            self.settle().await;
        }
        panic!("jobs are left over");
    }

    fn merges_were_verified(&self) {
        let runs = ready(self.store.runs(100)).expect("the store answers");
        for row in &runs {
            let Some(pull) = row.pull else { continue };
            let path = format!("/pulls/{pull}/merge");
            let merges = self.calls("pulls/merge").into_iter();
            let landed = merges.filter(|call| call.effect && call.path.ends_with(&path)).count();
            assert!(landed <= 1, "{pull} was merged {landed} times");
        }
        let audit = ready(self.store.audits(&Audited::Everything, 5_000)).expect("it answers");
        for sent in self.fuse.sent() {
            let head = &sent.order.head;
            let told = |row: &&AuditRow| {
                matches!(row.audit.act, Act::Merge | Act::Enlist)
                    && row.audit.head.as_ref() == Some(head)
            };
            assert!(audit.iter().any(|row| told(&row)), "{head} was merged without a line");
            assert!(sent.green, "{head} was not green when it was merged");
            let row = runs.iter().find(|row| row.pull == Some(sent.order.pull)).expect("a run");
            let policy = ready(self.store.load(&row.run)).expect("loads").expect("a run").policy;
            let timeline = ready(self.store.timeline(&row.run)).expect("the store answers");
            let of = original(&timeline, head);
            let verified = timeline.iter().any(|entry| match &entry.event.kind {
                EventKind::Performed { done: Done::Verified { head, passed, .. }, .. } => {
                    *passed && *head == of
                }
                EventKind::Performed { .. }
                | EventKind::Started
                | EventKind::Commanded(_)
                | EventKind::Withdrawn { .. }
                | EventKind::Observed(_)
                | EventKind::TimerFired { .. } => false,
            });
            assert!(verified || policy.verify.is_empty(), "{head} was not verified");
        }
        let landed = self.calls("pulls/merge").iter().filter(|call| call.effect).count();
        let max = self.expected.writes_max.unwrap_or_else(|| WRITES_MAX * landed.max(1));
        let writes = self.writes();
        assert!(writes.len() <= max, "{} writes: {writes:?}", writes.len());
    }

    /// The bot's writes through the interface; tokens and git are counted elsewhere, and asking
    /// for deliveries again is no run's doing.
    pub(crate) fn writes(&self) -> Vec<&'static str> {
        let other = [
            "apps/create-installation-access-token",
            "apps/redeliver-webhook-delivery",
            "git/push",
        ];
        let journal = self.world.journal().into_iter();
        let ours = journal.filter(|call| call.actor == self.bot.slug && !call.is_read());
        ours.map(|call| call.operation).filter(|name| !other.contains(name)).collect()
    }

    /// No comment of ours is there twice, and no head has two of our check runs.
    fn surfaces_are_single(&self) {
        let mut seen: BTreeMap<(u64, String), u32> = BTreeMap::new();
        for said in self.comments_of_bot() {
            let marker = said.body.lines().next().unwrap_or_default().to_owned();
            *seen.entry((said.issue, marker)).or_default() += 1;
        }
        for run in self.check_runs_of_bot() {
            *seen.entry((0, run.head_sha)).or_default() += 1;
        }
        let twice: Vec<_> = seen.iter().filter(|(_, count)| **count > 1).collect();
        assert!(twice.is_empty(), "published twice: {twice:?}");
    }
}

/// The commit that was made here, where GitHub made its twin.
fn original(timeline: &[Entry], head: &CommitSha) -> CommitSha {
    let twins = timeline.iter().filter_map(|entry| match &entry.event.kind {
        EventKind::Performed {
            done: Done::Published { signing: Some(Signing::Signed(twin)), .. },
            ..
        } => Some(twin),
        EventKind::Performed { .. }
        | EventKind::Started
        | EventKind::Commanded(_)
        | EventKind::Withdrawn { .. }
        | EventKind::Observed(_)
        | EventKind::TimerFired { .. } => None,
    });
    let mut of = twins.filter(|twin| twin.commit() == head).map(|twin| twin.original().clone());
    of.next().unwrap_or_else(|| head.clone())
}
