//! The store over a database: prepares writes for the writer, and reads beside it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use super::audit;
use super::claim::heads;
use super::link::{Link, Pool, Row, Value, values};
use super::operation::{Answer, CommitRow, OpenRow, Operation};
use super::record::Record;
use super::shape::{self, compressed, job_rows, json, name, state_row, text};
use super::spend::{self, Ask, Payer, Reserving};
use super::writer::{self, News, Pending, WRITES_WAITING_MAX};
use super::{
    AuditRow, Audited, Beat, Claim, Entry, Error, Gauges, IgnoredEvent, Lane, Lease, NewDelivery,
    NewJob, Opened, Opening, Published, RUNS_MAX, Recorded, RunRow, Snapshot, Store, Transition,
    body_hash, inbox_job, sql,
};
use crate::model::budget::Usage;
use crate::model::{Audit, BranchName, DeliveryId, IssueNumber, Millis, Repo, RunId};

/// How long [`Store::changed`] waits at most: another process may have written.
const POLL: Duration = Duration::from_secs(5);

/// A store in a database, as `sqlite::open` and `postgres::open` make it.
#[derive(Debug)]
pub struct Durable {
    queue: Mutex<Option<mpsc::Sender<Pending>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    readers: Pool,
    news: Arc<News>,
    rest: Rest,
}

/// What belongs to one database only.
#[derive(Debug)]
pub(super) enum Rest {
    Sqlite(super::sqlite::Owner),
    Postgres(super::postgres::Listener),
}

impl Durable {
    pub(super) fn start(
        pools: (Pool, Pool),
        rest: Rest,
        news: Arc<News>,
        tasks: &TaskTracker,
    ) -> Self {
        let (writers, readers) = pools;
        let (queue, waiting) = mpsc::channel(WRITES_WAITING_MAX);
        let writer = tasks.spawn(writer::run(writers, waiting, Arc::clone(&news)));
        Self {
            queue: Mutex::new(Some(queue)),
            writer: Mutex::new(Some(writer)),
            readers,
            news,
            rest,
        }
    }

    async fn write(&self, operation: Operation) -> Result<Answer, Error> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let queue = queue.ok_or_else(|| Error::Busy("the store is closed".to_owned()))?;
        writer::write(&queue, operation).await
    }

    pub(super) async fn done(&self, operation: Operation) -> Result<u64, Error> {
        match self.write(operation).await? {
            Answer::Count(rows) => Ok(rows),
            Answer::Leases(_)
            | Answer::Beat(_)
            | Answer::Opened(_)
            | Answer::Recorded(_)
            | Answer::Reserving(_) => Err(crossed()),
        }
    }

    async fn rows(&self, sql: &'static str, values: Vec<Value>) -> Result<Vec<Row>, Error> {
        self.reader().await?.rows(sql, values).await
    }

    pub(super) async fn reader(&self) -> Result<Link, Error> {
        self.readers.link().await
    }
}

fn crossed() -> Error {
    Error::Damaged("the writer answered something else".to_owned())
}

/// Reads that any connection can do, also one of another process.
pub(super) async fn load(link: &mut Link, run: &RunId) -> Result<Option<Snapshot>, Error> {
    let row = link.row(sql::LOAD, values![run.as_str()]).await?;
    row.map(|row| shape::snapshot(run, &row)).transpose()
}

pub(super) async fn timeline(link: &mut Link, run: &RunId) -> Result<Vec<Entry>, Error> {
    let rows = link.rows(sql::TIMELINE, values![run.as_str()]).await?;
    rows.iter().map(|row| shape::entry(run, row)).collect()
}

pub(super) async fn runs(link: &mut Link, limit: u32) -> Result<Vec<RunRow>, Error> {
    let limit = i64::from(limit.min(RUNS_MAX));
    Ok(readable(&link.rows(sql::RUNS, values![limit]).await?))
}

pub(super) async fn run_of(
    link: &mut Link,
    sql: &'static str,
    repo: &Repo,
    number: IssueNumber,
) -> Result<Option<RunId>, Error> {
    let row = link.row(sql, values![&text(repo), number.0.cast_signed()]).await?;
    row.map(|row| name(row.text(0)?)).transpose()
}

/// A damaged row is left out, so that one run does not hide the others.
fn readable(rows: &[Row]) -> Vec<RunRow> {
    let read = |row: &Row| match shape::run_row(row) {
        Ok(row) => Some(row),
        Err(why) => {
            tracing::error!(run = row.text(0).unwrap_or_default(), %why, "left out of a listing");
            None
        }
    };
    rows.iter().filter_map(read).collect()
}

#[async_trait]
impl Store for Durable {
    async fn record(&self, delivery: NewDelivery) -> Result<Recorded, Error> {
        let job = job_rows(vec![inbox_job(&delivery)])?.remove(0);
        let bytes = i64::try_from(delivery.body.len()).unwrap_or(i64::MAX);
        let operation = Operation::Record(Record {
            id: text(&delivery.id),
            at: delivery.at.0,
            bytes,
            hash: body_hash(&delivery.event, &delivery.body).map(Into::into),
            event: delivery.event.into(),
            body: Arc::new(compressed(delivery.body).await?),
            job,
        });
        match self.write(operation).await? {
            Answer::Recorded(recorded) => Ok(recorded),
            Answer::Count(_)
            | Answer::Leases(_)
            | Answer::Beat(_)
            | Answer::Opened(_)
            | Answer::Reserving(_) => Err(crossed()),
        }
    }

    async fn delivery(&self, id: &DeliveryId) -> Result<Option<NewDelivery>, Error> {
        match self.rows(sql::DELIVERY, values![id.as_str()]).await?.first() {
            Some(row) => Ok(Some(shape::delivery(id, row).await?)),
            None => Ok(None),
        }
    }

    async fn prune(&self, before: Millis) -> Result<u64, Error> {
        self.done(Operation::Prune { before: before.0 }).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Lease>, Error> {
        match self.write(Operation::Claim(claim.clone())).await? {
            Answer::Leases(leases) => Ok(leases),
            Answer::Count(_)
            | Answer::Beat(_)
            | Answer::Opened(_)
            | Answer::Recorded(_)
            | Answer::Reserving(_) => Err(crossed()),
        }
    }

    async fn next_due(&self) -> Result<Option<Millis>, Error> {
        let heads = heads(&mut self.readers.link().await?).await?;
        Ok(heads.into_iter().map(|head| Millis(head.1)).min())
    }

    async fn heartbeat(&self, lease: &Lease, until: Millis) -> Result<Beat, Error> {
        let operation = Operation::Heartbeat { held: lease.into(), until: until.0 };
        match self.write(operation).await? {
            Answer::Beat(beat) => Ok(beat),
            Answer::Count(_)
            | Answer::Leases(_)
            | Answer::Opened(_)
            | Answer::Recorded(_)
            | Answer::Reserving(_) => Err(crossed()),
        }
    }

    async fn finish_audited(
        &self,
        lease: &Lease,
        jobs: Vec<NewJob>,
        audits: Vec<Audit>,
    ) -> Result<(), Error> {
        let operation = Operation::Finish { held: lease.into(), jobs: job_rows(jobs)?, audits };
        self.done(operation).await.map(|_| ())
    }

    async fn put_back(&self, lease: &Lease, due: Millis, why: &str) -> Result<(), Error> {
        let operation = Operation::PutBack { held: lease.into(), due: due.0, why: why.into() };
        self.done(operation).await.map(|_| ())
    }

    async fn open(&self, opening: Opening) -> Result<Opened, Error> {
        let row = OpenRow {
            held: opening.lease.as_ref().map(Into::into),
            event: json(&opening.event)?,
            state: state_row(&opening.state, &opening.event)?,
            policy: json(&opening.policy)?,
            jobs: job_rows(opening.jobs)?,
        };
        match self.write(Operation::Open(Box::new(row))).await? {
            Answer::Opened(opened) => Ok(opened),
            Answer::Count(_)
            | Answer::Leases(_)
            | Answer::Beat(_)
            | Answer::Recorded(_)
            | Answer::Reserving(_) => Err(crossed()),
        }
    }

    async fn load(&self, run: &RunId) -> Result<Option<Snapshot>, Error> {
        load(&mut self.readers.link().await?, run).await
    }

    async fn commit(&self, transition: Transition) -> Result<(), Error> {
        let charge_below = spend::charged_below(&transition);
        let row = CommitRow {
            run: text(&transition.run),
            from_version: transition.from_version.cast_signed(),
            held: transition.lease.as_ref().map(Into::into),
            event: json(&transition.event)?,
            state: state_row(&transition.next, &transition.event)?,
            jobs: job_rows(transition.jobs)?,
            cancel_entry: transition.cancel_entry.map(i64::from),
            charge_below,
            take_lane: transition.take_lane,
            release_lane: transition.release_lane,
            audits: transition.audits,
        };
        self.done(Operation::Commit(Box::new(row))).await.map(|_| ())
    }

    async fn ignore(&self, ignored: IgnoredEvent) -> Result<(), Error> {
        let operation = Operation::Ignore {
            run: text(&ignored.run),
            held: (&ignored.lease).into(),
            event: json(&ignored.event)?,
            ignored: json(&ignored.why)?,
        };
        self.done(operation).await.map(|_| ())
    }

    async fn timeline(&self, run: &RunId) -> Result<Vec<Entry>, Error> {
        timeline(&mut self.readers.link().await?, run).await
    }

    async fn live_run(&self, repo: &Repo, number: IssueNumber) -> Result<Option<RunId>, Error> {
        run_of(&mut self.readers.link().await?, sql::LIVE_RUN, repo, number).await
    }

    async fn latest_run(&self, repo: &Repo, number: IssueNumber) -> Result<Option<RunId>, Error> {
        run_of(&mut self.readers.link().await?, sql::LATEST_RUN, repo, number).await
    }

    async fn live_runs(&self, repo: Option<&Repo>) -> Result<Vec<RunRow>, Error> {
        let rows = match repo {
            Some(repo) => self.rows(sql::LIVE_RUNS_OF, values![&text(repo)]).await?,
            None => self.rows(sql::LIVE_RUNS, Vec::new()).await?,
        };
        Ok(readable(&rows))
    }

    async fn runs(&self, limit: u32) -> Result<Vec<RunRow>, Error> {
        runs(&mut self.readers.link().await?, limit).await
    }

    async fn put(&self, jobs: Vec<NewJob>) -> Result<(), Error> {
        self.done(Operation::Put { jobs: job_rows(jobs)? }).await.map(|_| ())
    }

    async fn published(&self, run: &RunId) -> Result<Vec<Published>, Error> {
        let rows = self.rows(sql::PUBLISHED, values![run.as_str()]).await?;
        rows.iter().map(shape::published).collect()
    }

    async fn publish(&self, run: &RunId, published: Published) -> Result<(), Error> {
        self.done(Operation::Publish { run: text(run), published }).await.map(|_| ())
    }

    async fn lanes(&self) -> Result<Vec<Lane>, Error> {
        self.rows(sql::LANES, Vec::new()).await?.iter().map(shape::lane).collect()
    }

    async fn clear_lane(&self, repo: &Repo, base: &BranchName) -> Result<bool, Error> {
        let operation = Operation::ClearLane { repo: repo.clone(), base: base.clone() };
        Ok(self.done(operation).await? > 0)
    }

    async fn reclaim(&self, owner: &str, now: Millis) -> Result<u64, Error> {
        match &self.rest {
            Rest::Sqlite(_) => {
                self.done(Operation::Reclaim { owner: owner.into(), now: now.0 }).await
            }
            Rest::Postgres(_) => Ok(0),
        }
    }

    async fn audit(&self, audits: Vec<Audit>) -> Result<(), Error> {
        self.done(Operation::Audit(audits)).await.map(|_| ())
    }

    async fn audits(&self, which: &Audited, limit: u32) -> Result<Vec<AuditRow>, Error> {
        audit::read(&mut self.readers.link().await?, which, limit).await
    }

    async fn forget_audits(&self, before: Millis) -> Result<u64, Error> {
        self.done(Operation::ForgetAudits { before: before.0 }).await
    }

    async fn reserve(&self, ask: &Ask) -> Result<Reserving, Error> {
        match self.write(Operation::Reserve(Box::new(ask.clone()))).await? {
            Answer::Reserving(reserving) => Ok(reserving),
            Answer::Count(_)
            | Answer::Leases(_)
            | Answer::Beat(_)
            | Answer::Opened(_)
            | Answer::Recorded(_) => Err(crossed()),
        }
    }

    async fn settle(&self, id: u64, micros: Option<u64>) -> Result<bool, Error> {
        Ok(self.done(Operation::Settle { id, micros }).await? > 0)
    }

    async fn usage(&self, payer: &Payer, at: Millis) -> Result<Usage, Error> {
        spend::usage(&mut self.readers.link().await?, payer, at).await
    }

    async fn forget_spend(&self, before: Millis) -> Result<u64, Error> {
        self.done(Operation::ForgetSpend { before: before.0 }).await
    }

    async fn gauges(&self, now: Millis) -> Result<Gauges, Error> {
        let rows = self.rows(sql::GAUGES, values![now.0]).await?;
        let row = rows.first().ok_or_else(crossed)?;
        let count = |column| row.number(column).map(i64::cast_unsigned);
        Ok(Gauges {
            jobs_due: count(0)?,
            jobs_leased: count(1)?,
            jobs_later: count(2)?,
            runs_live: count(3)?,
            deliveries: count(4)?,
        })
    }

    async fn changed(&self) {
        // Running out of time is an answer too: look, for another process may have written.
        drop(tokio::time::timeout(POLL, self.news.jobs.notified()).await);
    }

    async fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer
            && let Err(why) = writer.await
        {
            tracing::error!(%why, "the writer ended badly");
        }
        match &self.rest {
            Rest::Sqlite(owner) => {
                self.readers.close().await;
                owner.close().await;
            }
            Rest::Postgres(listener) => {
                listener.close().await;
                self.readers.close().await;
            }
        }
    }
}
