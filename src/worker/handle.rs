//! One job from lease to end: heartbeats, failures, faults.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use super::failure::{Again, Failure};
use super::{Ended, Engine, perform};
use crate::github::Error;
use crate::pipeline::{Done, EventKind};
use crate::store::{Beat, INBOX_AHEAD_MS, JobKind, Lease};

/// Longest text of a failure told to people, in characters.
const WHY_CHARS_MAX: usize = 500;
/// Times a job that hits a fault of ours is tried before it is given up.
const FAULTS_MAX: u32 = 3;
/// Times a task waits for the end of a limit before it is given up.
const WAITS_MAX: u32 = 1_000;

impl Engine {
    /// Does a job under its lease. Never fails: what goes wrong is written down.
    pub async fn work(&self, lease: Lease) {
        let word = lease.kind.word();
        let began = self.now();
        let ahead_ms = if matches!(lease.kind, JobKind::Inbox { .. }) { INBOX_AHEAD_MS } else { 0 };
        self.watcher.begun((lease.late_ms - ahead_ms).max(0));
        let ended = match AssertUnwindSafe(Box::pin(self.guarded(&lease))).catch_unwind().await {
            Ok(Ok(())) => Ended::Done,
            Ok(Err(failure)) => self.failed(&lease, &failure).await,
            Err(_panic) => self.faulted(&lease).await,
        };
        self.watcher.job(word, ended, self.now().since(began));
    }

    /// Works while heartbeats keep the lease; cancels the work when the lease or the wish for
    /// it is gone.
    async fn guarded(&self, lease: &Lease) -> Result<(), Failure> {
        let cancel = CancellationToken::new();
        let mine = lease.kind.run().cloned().zip(lease.kind.entry());
        if let Some(key) = &mine {
            self.running().insert(key.clone(), cancel.clone());
        }
        let result = Box::pin(self.beating(lease, &cancel)).await;
        if let Some(key) = &mine {
            self.running().remove(key);
        }
        result
    }

    async fn beating(&self, lease: &Lease, cancel: &CancellationToken) -> Result<(), Failure> {
        let lease_ms = self.settings.limits.lease_ms;
        let mut work = std::pin::pin!(self.dispatch(lease, cancel));
        let mut until = lease.until;
        loop {
            let next = until.plus(-(lease_ms * 2 / 3));
            tokio::select! {
                biased;
                result = &mut work => return result,
                () = self.ports.clock.sleep_until(next) => {}
            }
            until = self.now().plus(lease_ms);
            match self.ports.store.heartbeat(lease, until).await {
                Ok(Beat::Kept) => {}
                Ok(Beat::Cancelled | Beat::Lost) => cancel.cancel(),
                Err(error) => tracing::warn!(%error, "a heartbeat failed"),
            }
        }
    }

    async fn dispatch(&self, lease: &Lease, cancel: &CancellationToken) -> Result<(), Failure> {
        match &lease.kind {
            JobKind::Inbox { delivery } => Box::pin(self.inbox(lease, delivery)).await,
            JobKind::Perform { run, entry, task } => {
                let ended = Box::pin(self.perform(lease, run, task, cancel)).await?;
                if cancel.is_cancelled() && !matches!(task, crate::pipeline::Task::Merge(_)) {
                    return Err(Failure::Unwanted);
                }
                let perform::Ended { done, told } = ended;
                let kind = EventKind::Performed { entry: *entry, done, told };
                self.apply(run, lease, kind).await
            }
            JobKind::Look { run } => Box::pin(self.look(lease, run)).await,
            JobKind::Timer { run, entry, timer } => {
                let kind = EventKind::TimerFired { timer: *timer, entry: *entry };
                self.apply(run, lease, kind).await
            }
            JobKind::Report { run } => self.reconcile(lease, run).await,
            JobKind::Answer { installation, repo, issue, to, answer } => {
                let at = crate::github::At { installation: *installation, repo: repo.clone() };
                self.answer(lease, &at, (*issue, *to), answer).await
            }
            JobKind::Command { run, command } => {
                self.apply(run, lease, EventKind::Commanded(command.clone())).await
            }
            JobKind::Sweep { since } => self.sweep(lease, *since).await,
            JobKind::Poll { since } => self.poll(lease, *since).await,
        }
    }

    /// Puts the job back, or gives up and says so, as the boundary that failed decides.
    async fn failed(&self, lease: &Lease, failure: &Failure) -> Ended {
        let limits = &self.settings.limits;
        let doubled = limits.retry_ms.saturating_mul(1 << lease.attempts.min(20));
        let pause_ms = doubled.min(limits.retry_ms_max);
        let spent = lease.attempts + 1 >= limits.attempts_max;
        let word = lease.kind.word();
        self.note_limit(lease, failure).await;
        let patient = is_patient(&lease.kind, spent);
        let result = match (failure.again(pause_ms), gives_up(&lease.kind)) {
            (Again::Drop, _) => {
                tracing::debug!(word, %failure, "dropped");
                let _unless_gone = self.ports.store.finish(lease, Vec::new()).await.is_ok();
                return Ended::Lost;
            }
            (Again::Wait(ms), gives_up) if !(gives_up && lease.attempts >= WAITS_MAX) => {
                tracing::debug!(word, %failure, ms, "put back");
                self.ports.store.put_back(lease, self.now().plus(ms), &failure.to_string()).await
            }
            (Again::After(ms), gives_up) if !(gives_up && spent) => {
                tracing::info!(word, %failure, ms, "put back");
                self.ports.store.put_back(lease, self.now().plus(ms), &failure.to_string()).await
            }
            // Only a task tells its run at once what will not change by waiting.
            (Again::Never, _) if patient => {
                self.ports
                    .store
                    .put_back(lease, self.now().plus(pause_ms), &failure.to_string())
                    .await
            }
            (Again::After(_) | Again::Wait(_) | Again::Never, true) => {
                tracing::warn!(word, %failure, "given up");
                return self.give_up(lease, &failure.to_string()).await;
            }
            (Again::After(_) | Again::Wait(_) | Again::Never, false) => {
                tracing::error!(word, %failure, "given up");
                self.ports.store.finish(lease, Vec::new()).await
            }
        };
        match result {
            Ok(()) => Ended::PutBack,
            Err(error) => {
                tracing::error!(word, %error, "the job keeps its lease until it runs out");
                Ended::Lost
            }
        }
    }

    /// After a limit, looks and reports wait for its end too, whoever wants them sooner. What a
    /// report waits for is its own turn: the adapter sends reports back first of all.
    async fn note_limit(&self, lease: &Lease, failure: &Failure) {
        let (Failure::GitHub(Error::Limited { after }), Some(run)) = (failure, lease.kind.run())
        else {
            return;
        };
        let until = self.now().plus(i64::try_from(after.as_millis()).unwrap_or(i64::MAX));
        if matches!(lease.kind, JobKind::Report { .. }) {
            self.put_off(run, until);
        } else if let Ok(Some(snapshot)) = self.ports.store.load(run).await {
            self.limited().insert(snapshot.state.request.installation, until);
        }
    }

    /// A panic: ours. Caught, logged once; the run is told after a few tries.
    async fn faulted(&self, lease: &Lease) -> Ended {
        let word = lease.kind.word();
        tracing::error!(word, key = %lease.key.0, "a fault in Slipway was caught");
        if lease.attempts + 1 < FAULTS_MAX {
            let due = self.now().plus(self.settings.limits.retry_ms);
            let why = "a fault in Slipway";
            if let Err(error) = self.ports.store.put_back(lease, due, why).await {
                tracing::error!(%error, "the job keeps its lease until it runs out");
            }
        } else {
            self.give_up(lease, "a fault in Slipway; the log has the details").await;
        }
        Ended::Fault
    }

    /// Tells the run that its task failed for good; other jobs simply end.
    async fn give_up(&self, lease: &Lease, why: &str) -> Ended {
        let why = crate::model::text::cut(why, WHY_CHARS_MAX);
        let told = match &lease.kind {
            JobKind::Perform { run, entry, .. } => {
                let done = Done::Failed { why };
                self.apply(run, lease, EventKind::performed(*entry, done)).await
            }
            JobKind::Inbox { .. }
            | JobKind::Look { .. }
            | JobKind::Timer { .. }
            | JobKind::Report { .. }
            | JobKind::Answer { .. }
            | JobKind::Command { .. }
            | JobKind::Sweep { .. }
            | JobKind::Poll { .. } => {
                self.ports.store.finish(lease, Vec::new()).await.map_err(Failure::from)
            }
        };
        if let Err(error) = told {
            tracing::error!(%error, "the job keeps its lease until it runs out");
            return Ended::Lost;
        }
        Ended::GivenUp
    }
}

/// Whether a job is tried again although its failure would not pass by waiting alone.
fn is_patient(kind: &JobKind, spent: bool) -> bool {
    match kind {
        JobKind::Perform { .. } => false,
        // It puts its own successor: giving it up would end all sweeps.
        JobKind::Sweep { .. } | JobKind::Poll { .. } => true,
        JobKind::Inbox { .. }
        | JobKind::Look { .. }
        | JobKind::Timer { .. }
        | JobKind::Report { .. }
        | JobKind::Answer { .. }
        | JobKind::Command { .. } => !spent,
    }
}

/// Whether a job that keeps failing ends by telling its run. The others are tried for ever,
/// ever more slowly: a delivery, a timer or a look must not get lost, nor the last word on a run.
fn gives_up(kind: &JobKind) -> bool {
    match kind {
        JobKind::Perform { .. } | JobKind::Answer { .. } => true,
        JobKind::Inbox { .. }
        | JobKind::Report { .. }
        | JobKind::Look { .. }
        | JobKind::Timer { .. }
        | JobKind::Command { .. }
        | JobKind::Sweep { .. }
        | JobKind::Poll { .. } => false,
    }
}
