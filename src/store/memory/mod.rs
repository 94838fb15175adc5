//! The store in memory: the honest fake, fast enough to live ten thousand lives.

mod audit;
mod beside;
mod inner;
mod queue;
mod spend;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::Notify;

use self::audit::Ledger;
use self::beside::Shelf;
use self::queue::Queue;
use self::spend::Till;
use super::index::{after, fits, index_of, state_fits};
use super::spend::{Ask, Payer, Reserving};
use super::{
    AuditRow, Audited, Beat, Claim, DELIVERY_BYTES_MAX, Entry, Error, Gauges, IgnoredEvent, JobKey,
    Lane, Lease, NewDelivery, NewJob, Opened, Opening, PRUNE_MAX, Published, RUNS_MAX, Recorded,
    RunRow, Snapshot, Store, Transition, body_hash, inbox_job,
};
use crate::model::budget::Usage;
use crate::model::{Audit, BranchName, DeliveryId, IssueNumber, Millis, Repo, RunId};

/// A store that forgets everything when dropped.
#[derive(Debug, Default)]
pub struct Memory {
    inner: Mutex<Inner>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    deliveries: BTreeMap<DeliveryId, NewDelivery>,
    hashes: BTreeMap<String, DeliveryId>,
    audit: Ledger,
    till: Till,
    shelf: Shelf,
    queue: Queue,
    runs: BTreeMap<RunId, Kept>,
    lanes: BTreeMap<(Repo, BranchName), Lane>,
    published: BTreeMap<(RunId, String), Published>,
}

#[derive(Debug)]
struct Kept {
    snapshot: Snapshot,
    row: RunRow,
    after: String,
    timeline: Vec<Entry>,
}

impl Memory {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs of an issue or pull request, newest last.
    fn run_of(&self, repo: &Repo, number: IssueNumber, any: bool) -> Option<RunId> {
        let inner = self.inner();
        let rows = inner.runs.values().map(|kept| &kept.row).filter(|row| {
            let pull = row.pull.is_some_and(|pull| pull.0 == number.0);
            row.repo == *repo && (row.issue == number || pull) && (any || row.live)
        });
        rows.max_by_key(|row| (row.opened, row.run.clone())).map(|row| row.run.clone())
    }
}

#[async_trait]
impl Store for Memory {
    async fn record(&self, delivery: NewDelivery) -> Result<Recorded, Error> {
        fits("the delivery", delivery.body.len(), DELIVERY_BYTES_MAX)?;
        let mut inner = self.inner();
        if inner.deliveries.contains_key(&delivery.id) {
            return Ok(Recorded::Repeat);
        }
        if let Some(hash) = body_hash(&delivery.event, &delivery.body) {
            if inner.hashes.contains_key(&hash) {
                return Ok(Recorded::Replay);
            }
            inner.hashes.insert(hash, delivery.id.clone());
        }
        inner.queue.put(inbox_job(&delivery));
        inner.deliveries.insert(delivery.id.clone(), delivery);
        self.news.notify_one();
        Ok(Recorded::New)
    }

    async fn delivery(&self, id: &DeliveryId) -> Result<Option<NewDelivery>, Error> {
        Ok(self.inner().deliveries.get(id).cloned())
    }

    async fn prune(&self, before: Millis) -> Result<u64, Error> {
        let mut inner = self.inner();
        let old = inner.deliveries.values().filter(|delivery| {
            delivery.at < before && !inner.queue.waits(&JobKey::inbox(&delivery.id))
        });
        let ids: Vec<_> = old.take(PRUNE_MAX as usize).map(|old| old.id.clone()).collect();
        for id in &ids {
            inner.deliveries.remove(id);
        }
        inner.hashes.retain(|_, id| !ids.contains(id));
        Ok(ids.len() as u64)
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Lease>, Error> {
        Ok(self.inner().queue.claim(claim))
    }

    async fn next_due(&self) -> Result<Option<Millis>, Error> {
        Ok(self.inner().queue.next_due())
    }

    async fn heartbeat(&self, lease: &Lease, until: Millis) -> Result<Beat, Error> {
        Ok(self.inner().queue.heartbeat(lease, until))
    }

    async fn finish_audited(
        &self,
        lease: &Lease,
        jobs: Vec<NewJob>,
        audits: Vec<Audit>,
    ) -> Result<(), Error> {
        Queue::check(&jobs)?;
        let mut inner = self.inner();
        inner.queue.consume(lease)?;
        inner.audit.append(audits);
        inner.put_all(jobs);
        self.news.notify_one();
        Ok(())
    }

    async fn put_back(&self, lease: &Lease, due: Millis, _why: &str) -> Result<(), Error> {
        self.inner().queue.put_back(lease, due)?;
        self.news.notify_one();
        Ok(())
    }

    async fn open(&self, opening: Opening) -> Result<Opened, Error> {
        state_fits(&opening.state)?;
        Queue::check(&opening.jobs)?;
        let opened = self.inner().opened(opening)?;
        self.news.notify_one();
        Ok(opened)
    }

    async fn load(&self, run: &RunId) -> Result<Option<Snapshot>, Error> {
        Ok(self.inner().runs.get(run).map(|kept| kept.snapshot.clone()))
    }

    async fn commit(&self, transition: Transition) -> Result<(), Error> {
        state_fits(&transition.next)?;
        Queue::check(&transition.jobs)?;
        self.inner().committed(transition)?;
        self.news.notify_one();
        Ok(())
    }

    async fn ignore(&self, ignored: IgnoredEvent) -> Result<(), Error> {
        let mut inner = self.inner();
        inner.queue.consume(&ignored.lease)?;
        if let Some(kept) = inner.runs.get_mut(&ignored.run) {
            kept.timeline.push(Entry {
                number: kept.timeline.len() as u64 + 1,
                version: None,
                event: ignored.event,
                ignored: Some(ignored.why),
                after: kept.after.clone(),
            });
        }
        self.news.notify_one();
        Ok(())
    }

    async fn timeline(&self, run: &RunId) -> Result<Vec<Entry>, Error> {
        Ok(self.inner().runs.get(run).map(|kept| kept.timeline.clone()).unwrap_or_default())
    }

    async fn live_run(&self, repo: &Repo, number: IssueNumber) -> Result<Option<RunId>, Error> {
        Ok(self.run_of(repo, number, false))
    }

    async fn latest_run(&self, repo: &Repo, number: IssueNumber) -> Result<Option<RunId>, Error> {
        Ok(self.run_of(repo, number, true))
    }

    async fn live_runs(&self, repo: Option<&Repo>) -> Result<Vec<RunRow>, Error> {
        let inner = self.inner();
        let rows = inner.runs.values().map(|kept| &kept.row);
        let wanted = |row: &&RunRow| row.live && repo.is_none_or(|repo| row.repo == *repo);
        let mut rows: Vec<_> = rows.filter(wanted).cloned().collect();
        rows.sort_by(|a, b| (a.opened, &a.run).cmp(&(b.opened, &b.run)));
        Ok(rows)
    }

    async fn runs(&self, limit: u32) -> Result<Vec<RunRow>, Error> {
        let inner = self.inner();
        let mut rows: Vec<_> = inner.runs.values().map(|kept| kept.row.clone()).collect();
        rows.sort_by(|a, b| (b.opened, &b.run).cmp(&(a.opened, &a.run)));
        rows.truncate(limit.min(RUNS_MAX) as usize);
        Ok(rows)
    }

    async fn put(&self, jobs: Vec<NewJob>) -> Result<(), Error> {
        Queue::check(&jobs)?;
        self.inner().put_all(jobs);
        self.news.notify_one();
        Ok(())
    }

    async fn published(&self, run: &RunId) -> Result<Vec<Published>, Error> {
        let inner = self.inner();
        let all = inner.published.iter().filter(|((of, _), _)| of == run);
        Ok(all.map(|(_, published)| published.clone()).collect())
    }

    async fn publish(&self, run: &RunId, published: Published) -> Result<(), Error> {
        let at = (run.clone(), published.surface.clone());
        self.inner().published.insert(at, published);
        Ok(())
    }

    async fn lanes(&self) -> Result<Vec<Lane>, Error> {
        Ok(self.inner().lanes.values().cloned().collect())
    }

    async fn clear_lane(&self, repo: &Repo, base: &BranchName) -> Result<bool, Error> {
        let mut inner = self.inner();
        let at = (repo.clone(), base.clone());
        let closed = inner.lanes.get(&at).is_some_and(|lane| lane.alarm.is_some());
        if closed {
            inner.lanes.remove(&at);
            inner.wake_next(repo, base, Millis(0));
            self.news.notify_one();
        }
        Ok(closed)
    }

    async fn reclaim(&self, owner: &str, now: Millis) -> Result<u64, Error> {
        let freed = self.inner().queue.reclaim(owner, now);
        self.news.notify_one();
        Ok(freed)
    }

    async fn audit(&self, audits: Vec<Audit>) -> Result<(), Error> {
        self.inner().audit.append(audits);
        Ok(())
    }

    async fn audits(&self, which: &Audited, limit: u32) -> Result<Vec<AuditRow>, Error> {
        Ok(self.inner().audit.read(which, limit))
    }

    async fn forget_audits(&self, before: Millis) -> Result<u64, Error> {
        Ok(self.inner().audit.forget(before))
    }

    async fn reserve(&self, ask: &Ask) -> Result<Reserving, Error> {
        Ok(self.inner().till.reserve(ask))
    }

    async fn settle(&self, id: u64, micros: Option<u64>) -> Result<bool, Error> {
        Ok(self.inner().till.settle(id, micros))
    }

    async fn usage(&self, payer: &Payer, at: Millis) -> Result<Usage, Error> {
        Ok(self.inner().till.usage(payer, at))
    }

    async fn forget_spend(&self, before: Millis) -> Result<u64, Error> {
        Ok(self.inner().till.forget(before))
    }

    async fn gauges(&self, now: Millis) -> Result<Gauges, Error> {
        let inner = self.inner();
        let (jobs_due, jobs_leased, jobs_later) = inner.queue.count(now);
        Ok(Gauges {
            jobs_due,
            jobs_leased,
            jobs_later,
            runs_live: inner.runs.values().filter(|kept| kept.row.live).count() as u64,
            deliveries: inner.deliveries.len() as u64,
        })
    }

    async fn changed(&self) {
        self.news.notified().await;
    }

    async fn close(&self) {}
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::contract;

    fn stage() -> std::future::Ready<Option<(Arc<dyn Store>, ())>> {
        std::future::ready(Some((Arc::new(Memory::default()), ())))
    }

    contract::suite!(stage);
}
