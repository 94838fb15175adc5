//! A store for tests of the web: keeps deliveries, or fails in the way it was told to.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;

use crate::model::budget::Usage;
use crate::model::{Audit, BranchName, DeliveryId, IssueNumber, Millis, Repo, RunId};
use crate::store::{
    Ask, AuditRow, Audited, Beat, Beside, Claim, Entry, Error, Gauges, IgnoredEvent, Lane, Lease,
    LiveRow, NewDelivery, NewJob, Opened, Opening, Payer, Published, Recorded, Reserving, RunRow,
    Snapshot, Store, Stream, StreamRow, Transition,
};

/// How the store behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Mood {
    #[default]
    Well,
    Busy,
    Broken,
    /// Never answers.
    Silent,
    /// Meets a bug.
    Panics,
}

/// Keeps deliveries and nothing else.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) mood: Mood,
    pub(super) deliveries: Mutex<BTreeMap<DeliveryId, NewDelivery>>,
}

impl Kept {
    async fn feel<T>(&self, well: T) -> Result<T, Error> {
        match self.mood {
            Mood::Well => Ok(well),
            Mood::Busy => Err(Error::Busy("the queue is full".to_owned())),
            Mood::Broken => Err(Error::Files("the disk is gone".to_owned())),
            Mood::Silent => std::future::pending().await,
            Mood::Panics => panic!("a bug"),
        }
    }

    fn unasked<T>() -> Result<T, Error> {
        Err(Error::Files("the web does not ask this".to_owned()))
    }
}

#[async_trait]
impl Beside for Kept {
    async fn show_live(&self, _row: LiveRow) -> Result<(), Error> {
        Self::unasked()
    }

    async fn live(&self, _run: &RunId) -> Result<Option<LiveRow>, Error> {
        self.feel(None).await
    }

    async fn forget_live(&self, _before: Millis) -> Result<u64, Error> {
        Self::unasked()
    }

    async fn keep_stream(&self, _stream: Stream) -> Result<(), Error> {
        Self::unasked()
    }

    async fn streams(&self, _run: &RunId) -> Result<Vec<StreamRow>, Error> {
        self.feel(Vec::new()).await
    }

    async fn stream(&self, _run: &RunId, _entry: u32) -> Result<Vec<Stream>, Error> {
        self.feel(Vec::new()).await
    }

    async fn forget_streams(&self, _before: Millis) -> Result<u64, Error> {
        Self::unasked()
    }
}

#[async_trait]
impl Store for Kept {
    async fn record(&self, delivery: NewDelivery) -> Result<Recorded, Error> {
        self.feel(()).await?;
        let mut kept = self.deliveries.lock().unwrap();
        let repeat = kept.contains_key(&delivery.id);
        kept.entry(delivery.id.clone()).or_insert(delivery);
        Ok(if repeat { Recorded::Repeat } else { Recorded::New })
    }

    async fn gauges(&self, _now: Millis) -> Result<Gauges, Error> {
        self.feel(Gauges { runs_live: 3, ..Gauges::default() }).await
    }

    async fn runs(&self, _limit: u32) -> Result<Vec<RunRow>, Error> {
        self.feel(Vec::new()).await
    }

    async fn load(&self, _run: &RunId) -> Result<Option<Snapshot>, Error> {
        self.feel(None).await
    }

    async fn timeline(&self, _run: &RunId) -> Result<Vec<Entry>, Error> {
        self.feel(Vec::new()).await
    }

    async fn delivery(&self, _id: &DeliveryId) -> Result<Option<NewDelivery>, Error> {
        Self::unasked()
    }

    async fn prune(&self, _before: Millis) -> Result<u64, Error> {
        Self::unasked()
    }

    async fn claim(&self, _claim: &Claim) -> Result<Vec<Lease>, Error> {
        Self::unasked()
    }

    async fn next_due(&self) -> Result<Option<Millis>, Error> {
        Self::unasked()
    }

    async fn heartbeat(&self, _lease: &Lease, _until: Millis) -> Result<Beat, Error> {
        Self::unasked()
    }

    async fn finish_audited(
        &self,
        _lease: &Lease,
        _jobs: Vec<NewJob>,
        _audits: Vec<Audit>,
    ) -> Result<(), Error> {
        Self::unasked()
    }

    async fn audit(&self, _audits: Vec<Audit>) -> Result<(), Error> {
        Self::unasked()
    }

    async fn audits(&self, _which: &Audited, _limit: u32) -> Result<Vec<AuditRow>, Error> {
        self.feel(Vec::new()).await
    }

    async fn forget_audits(&self, _before: Millis) -> Result<u64, Error> {
        Self::unasked()
    }

    async fn put_back(&self, _lease: &Lease, _due: Millis, _why: &str) -> Result<(), Error> {
        Self::unasked()
    }

    async fn open(&self, _opening: Opening) -> Result<Opened, Error> {
        Self::unasked()
    }

    async fn commit(&self, _transition: Transition) -> Result<(), Error> {
        Self::unasked()
    }

    async fn ignore(&self, _ignored: IgnoredEvent) -> Result<(), Error> {
        Self::unasked()
    }

    async fn live_run(&self, _repo: &Repo, _n: IssueNumber) -> Result<Option<RunId>, Error> {
        Self::unasked()
    }

    async fn latest_run(&self, _repo: &Repo, _n: IssueNumber) -> Result<Option<RunId>, Error> {
        Self::unasked()
    }

    async fn live_runs(&self, _repo: Option<&Repo>) -> Result<Vec<RunRow>, Error> {
        Self::unasked()
    }

    async fn put(&self, _jobs: Vec<NewJob>) -> Result<(), Error> {
        Self::unasked()
    }

    async fn published(&self, _run: &RunId) -> Result<Vec<Published>, Error> {
        Self::unasked()
    }

    async fn publish(&self, _run: &RunId, _published: Published) -> Result<(), Error> {
        Self::unasked()
    }

    async fn lanes(&self) -> Result<Vec<Lane>, Error> {
        Self::unasked()
    }

    async fn clear_lane(&self, _repo: &Repo, _base: &BranchName) -> Result<bool, Error> {
        Self::unasked()
    }

    async fn reclaim(&self, _owner: &str, _now: Millis) -> Result<u64, Error> {
        Self::unasked()
    }

    async fn reserve(&self, _ask: &Ask) -> Result<Reserving, Error> {
        Self::unasked()
    }

    async fn settle(&self, _id: u64, _micros: Option<u64>) -> Result<bool, Error> {
        Self::unasked()
    }

    async fn usage(&self, _payer: &Payer, _at: Millis) -> Result<Usage, Error> {
        Self::unasked()
    }

    async fn forget_spend(&self, _before: Millis) -> Result<u64, Error> {
        Self::unasked()
    }

    async fn changed(&self) {}

    async fn close(&self) {}
}
