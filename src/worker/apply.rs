//! Load, decide, commit; only then is anything done.

use super::failure::Failure;
use super::{Engine, audit, jobs};
use crate::model::RunId;
use crate::pipeline::{Done, Effect, Event, EventKind, State, decide};
use crate::store::{Error, IgnoredEvent, Lease, Snapshot, Transition};

/// Times a commit is tried again because the run moved meanwhile.
const TURNS_MAX: u32 = 50;

impl Engine {
    /// Takes `kind` to the run, consuming `lease` with whatever follows.
    pub(super) async fn apply(
        &self,
        run: &RunId,
        lease: &Lease,
        kind: EventKind,
    ) -> Result<(), Failure> {
        let mut kind = kind;
        for _ in 0..TURNS_MAX {
            let Some(snapshot) = self.ports.store.load(run).await? else {
                return Err(Failure::Fault(format!("there is no run {run}")));
            };
            let event = Event { at: self.now(), kind: kind.clone() };
            match self.turn(&snapshot, lease, event).await {
                Err(Failure::Store(Error::Conflict)) => {}
                Err(Failure::Store(Error::LaneBusy(why))) => kind = lane_busy(kind, why),
                other => return other,
            }
        }
        Err(Failure::Store(Error::Conflict))
    }

    async fn turn(&self, snapshot: &Snapshot, lease: &Lease, event: Event) -> Result<(), Failure> {
        let run = snapshot.state.request.run.clone();
        let decision = match decide(&snapshot.state, &event, &snapshot.policy) {
            Ok(decision) => decision,
            Err(why) => {
                let ignored = IgnoredEvent { run, lease: lease.clone(), event, why };
                return Ok(self.ports.store.ignore(ignored).await?);
            }
        };
        let now = event.at;
        let transition = Transition {
            run: run.clone(),
            from_version: snapshot.version,
            lease: Some(lease.clone()),
            take_lane: lane_wanted(&event, &decision.next),
            cancel_entry: cancelled(&decision.effects),
            release_lane: released(&decision.effects),
            jobs: jobs::of(&decision.next, &decision.effects, now, &self.settings.limits),
            audits: audit::of(&snapshot.state, &event, &decision.next, &snapshot.policy),
            event,
            next: decision.next.clone(),
        };
        let cancel_entry = transition.cancel_entry;
        self.ports.store.commit(transition).await?;
        if let Some(entry) = cancel_entry {
            self.cancel(&run, entry);
        }
        self.watcher.moved(&decision.next);
        self.tell_parent(&snapshot.state, &decision.next).await
    }

    /// A story that ended, asks, or got its pull request is news for the run it belongs to. Lost
    /// in a crash, it is read some minutes later.
    async fn tell_parent(&self, before: &State, next: &State) -> Result<(), Failure> {
        let Some(parent) = &next.request.parent else { return Ok(()) };
        let news =
            |state: &State| (state.finished().is_some(), state.park().is_some(), state.work.pull);
        if news(before) == news(next) {
            return Ok(());
        }
        match self.ports.store.load(parent).await? {
            Some(found) if found.state.finished().is_none() => {
                Ok(self.ports.store.put(vec![jobs::nudge(&found.state, self.now())]).await?)
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// A merge lane is taken in the transaction that says it is ours.
fn lane_wanted(event: &Event, next: &State) -> Option<crate::model::BranchName> {
    match &event.kind {
        EventKind::Performed { done: Done::Ready(_), .. } => next.work.lane.clone(),
        EventKind::Performed { .. }
        | EventKind::Started
        | EventKind::Commanded(_)
        | EventKind::Withdrawn { .. }
        | EventKind::Observed(_)
        | EventKind::TimerFired { .. } => None,
    }
}

fn lane_busy(kind: EventKind, why: String) -> EventKind {
    match kind {
        EventKind::Performed { entry, .. } => EventKind::performed(entry, Done::LaneBusy { why }),
        other @ (EventKind::Started
        | EventKind::Commanded(_)
        | EventKind::Withdrawn { .. }
        | EventKind::Observed(_)
        | EventKind::TimerFired { .. }) => other,
    }
}

fn cancelled(effects: &[Effect]) -> Option<u32> {
    effects.iter().find_map(|effect| match effect {
        Effect::Cancel { entry } => Some(*entry),
        Effect::Perform { .. }
        | Effect::Look
        | Effect::Arm { .. }
        | Effect::Answer { .. }
        | Effect::Relay { .. }
        | Effect::Release { .. } => None,
    })
}

fn released(effects: &[Effect]) -> Option<(crate::model::BranchName, Option<String>)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Release { base, alarm } => Some((base.clone(), alarm.clone())),
        Effect::Perform { .. }
        | Effect::Look
        | Effect::Arm { .. }
        | Effect::Answer { .. }
        | Effect::Relay { .. }
        | Effect::Cancel { .. } => None,
    })
}
