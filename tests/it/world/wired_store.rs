//! The store as it is, with the fuse beside every transaction.

use async_trait::async_trait;
use slipway::model::budget::Usage;
use slipway::model::{Audit, BranchName, DeliveryId, IssueNumber, Millis, Repo, RunId};
use slipway::store::{
    Ask, AuditRow, Audited, Beat, Beside, Claim, Entry, Error, Gauges, IgnoredEvent, Lane, Lease,
    LiveRow, NewDelivery, NewJob, Opened, Opening, Payer, Published, Recorded, Reserving, RunRow,
    Snapshot, Store, Stream, StreamRow, Transition,
};

use super::wired::Wired;

/// Without a fuse: losing any of it loses nothing.
#[async_trait]
impl<T: Store + ?Sized> Beside for Wired<T> {
    async fn show_live(&self, row: LiveRow) -> Result<(), Error> {
        self.port.show_live(row).await
    }

    async fn live(&self, run: &RunId) -> Result<Option<LiveRow>, Error> {
        self.port.live(run).await
    }

    async fn forget_live(&self, before: Millis) -> Result<u64, Error> {
        self.port.forget_live(before).await
    }

    async fn keep_stream(&self, stream: Stream) -> Result<(), Error> {
        self.port.keep_stream(stream).await
    }

    async fn streams(&self, run: &RunId) -> Result<Vec<StreamRow>, Error> {
        self.port.streams(run).await
    }

    async fn stream(&self, run: &RunId, entry: u32) -> Result<Vec<Stream>, Error> {
        self.port.stream(run, entry).await
    }

    async fn forget_streams(&self, before: Millis) -> Result<u64, Error> {
        self.port.forget_streams(before).await
    }
}

#[async_trait]
impl<T: Store + ?Sized> Store for Wired<T> {
    async fn record(&self, delivery: NewDelivery) -> Result<Recorded, Error> {
        self.fuse.around("store.record", self.port.record(delivery)).await
    }

    async fn delivery(&self, id: &DeliveryId) -> Result<Option<NewDelivery>, Error> {
        self.port.delivery(id).await
    }

    async fn prune(&self, before: Millis) -> Result<u64, Error> {
        self.port.prune(before).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Lease>, Error> {
        self.port.claim(claim).await
    }

    async fn next_due(&self) -> Result<Option<Millis>, Error> {
        self.port.next_due().await
    }

    async fn heartbeat(&self, lease: &Lease, until: Millis) -> Result<Beat, Error> {
        self.port.heartbeat(lease, until).await
    }

    async fn finish_audited(
        &self,
        lease: &Lease,
        jobs: Vec<NewJob>,
        audits: Vec<Audit>,
    ) -> Result<(), Error> {
        self.fuse.around("store.finish", self.port.finish_audited(lease, jobs, audits)).await
    }

    async fn put_back(&self, lease: &Lease, due: Millis, why: &str) -> Result<(), Error> {
        self.fuse.around("store.put_back", self.port.put_back(lease, due, why)).await
    }

    async fn open(&self, opening: Opening) -> Result<Opened, Error> {
        self.fuse.around("store.open", self.port.open(opening)).await
    }

    async fn load(&self, run: &RunId) -> Result<Option<Snapshot>, Error> {
        self.port.load(run).await
    }

    async fn commit(&self, transition: Transition) -> Result<(), Error> {
        self.fuse.around("store.commit", self.port.commit(transition)).await
    }

    async fn ignore(&self, ignored: IgnoredEvent) -> Result<(), Error> {
        self.fuse.around("store.ignore", self.port.ignore(ignored)).await
    }

    async fn timeline(&self, run: &RunId) -> Result<Vec<Entry>, Error> {
        self.port.timeline(run).await
    }

    async fn live_run(&self, repo: &Repo, number: IssueNumber) -> Result<Option<RunId>, Error> {
        self.port.live_run(repo, number).await
    }

    async fn latest_run(&self, repo: &Repo, number: IssueNumber) -> Result<Option<RunId>, Error> {
        self.port.latest_run(repo, number).await
    }

    async fn live_runs(&self, repo: Option<&Repo>) -> Result<Vec<RunRow>, Error> {
        self.port.live_runs(repo).await
    }

    async fn runs(&self, limit: u32) -> Result<Vec<RunRow>, Error> {
        self.port.runs(limit).await
    }

    async fn put(&self, jobs: Vec<NewJob>) -> Result<(), Error> {
        self.fuse.around("store.put", self.port.put(jobs)).await
    }

    async fn published(&self, run: &RunId) -> Result<Vec<Published>, Error> {
        self.port.published(run).await
    }

    async fn publish(&self, run: &RunId, published: Published) -> Result<(), Error> {
        self.fuse.around("store.publish", self.port.publish(run, published)).await
    }

    async fn lanes(&self) -> Result<Vec<Lane>, Error> {
        self.port.lanes().await
    }

    async fn clear_lane(&self, repo: &Repo, base: &BranchName) -> Result<bool, Error> {
        self.port.clear_lane(repo, base).await
    }

    async fn reclaim(&self, owner: &str, now: Millis) -> Result<u64, Error> {
        self.port.reclaim(owner, now).await
    }

    async fn audit(&self, audits: Vec<Audit>) -> Result<(), Error> {
        self.fuse.around("store.audit", self.port.audit(audits)).await
    }

    async fn audits(&self, which: &Audited, limit: u32) -> Result<Vec<AuditRow>, Error> {
        self.port.audits(which, limit).await
    }

    async fn forget_audits(&self, before: Millis) -> Result<u64, Error> {
        self.port.forget_audits(before).await
    }

    async fn reserve(&self, ask: &Ask) -> Result<Reserving, Error> {
        self.fuse.around("store.reserve", self.port.reserve(ask)).await
    }

    async fn settle(&self, id: u64, micros: Option<u64>) -> Result<bool, Error> {
        self.fuse.around("store.settle", self.port.settle(id, micros)).await
    }

    async fn usage(&self, payer: &Payer, at: Millis) -> Result<Usage, Error> {
        self.port.usage(payer, at).await
    }

    async fn forget_spend(&self, before: Millis) -> Result<u64, Error> {
        self.port.forget_spend(before).await
    }

    async fn gauges(&self, now: Millis) -> Result<Gauges, Error> {
        self.port.gauges(now).await
    }

    async fn changed(&self) {
        self.port.changed().await;
    }

    async fn close(&self) {
        self.port.close().await;
    }
}
