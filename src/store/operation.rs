//! What is written, one operation at a time, inside a transaction shared with others.

use std::sync::Arc;

use super::audit;
use super::beside;
use super::claim::claim;
use super::link::{Link, values};
use super::record::{Record, record};
use super::shape::{Held, JobRow, StateRow, maybe_text, name, text};
use super::spend::{self, Ask, Reserving};
use super::{Beat, Claim, Error, Lease, OnRepeat, Opened, PRUNE_MAX, Published, Recorded, sql};
use crate::model::{Audit, BranchName, Repo, RunId};

/// A write, prepared so that it can be done again when the transaction had to be undone.
#[derive(Debug)]
pub(super) enum Operation {
    Record(Record),
    Prune { before: i64 },
    Claim(Claim),
    Heartbeat { held: Held, until: i64 },
    Finish { held: Held, jobs: Vec<JobRow>, audits: Vec<Audit> },
    PutBack { held: Held, due: i64, why: Arc<str> },
    Open(Box<OpenRow>),
    Commit(Box<CommitRow>),
    Ignore { run: Arc<str>, held: Held, event: Arc<str>, ignored: Arc<str> },
    Put { jobs: Vec<JobRow> },
    Publish { run: Arc<str>, published: Published },
    ClearLane { repo: Repo, base: BranchName },
    Reclaim { owner: Arc<str>, now: i64 },
    Audit(Vec<Audit>),
    ForgetAudits { before: i64 },
    Reserve(Box<Ask>),
    Settle { id: u64, micros: Option<u64> },
    ForgetSpend { before: i64 },
    Beside(beside::Write),
}

/// A run about to exist.
#[derive(Debug)]
pub(super) struct OpenRow {
    pub(super) held: Option<Held>,
    pub(super) event: Arc<str>,
    pub(super) state: StateRow,
    pub(super) policy: Arc<str>,
    pub(super) jobs: Vec<JobRow>,
}

/// A step of a run.
#[derive(Debug)]
pub(super) struct CommitRow {
    pub(super) run: Arc<str>,
    pub(super) from_version: i64,
    pub(super) held: Option<Held>,
    pub(super) event: Arc<str>,
    pub(super) state: StateRow,
    pub(super) jobs: Vec<JobRow>,
    pub(super) cancel_entry: Option<i64>,
    pub(super) charge_below: Option<u32>,
    pub(super) take_lane: Option<BranchName>,
    pub(super) release_lane: Option<(BranchName, Option<String>)>,
    pub(super) audits: Vec<Audit>,
}

/// What an operation gave.
#[derive(Debug)]
pub(super) enum Answer {
    /// Rows that were changed, where that says something.
    Count(u64),
    Leases(Vec<Lease>),
    Beat(Beat),
    Opened(Opened),
    Recorded(Recorded),
    Reserving(Reserving),
}

/// The inner error is a refusal that wrote nothing; after the outer one the transaction has to
/// be undone.
pub(super) type Applied = Result<Result<Answer, Error>, Error>;

const DONE: Applied = Ok(Ok(Answer::Count(1)));

impl Operation {
    /// Whether it may make a job due that was not, or makes room for one.
    pub(super) fn is_news(&self) -> bool {
        match self {
            Self::Record(_)
            | Self::Finish { .. }
            | Self::PutBack { .. }
            | Self::Open(_)
            | Self::Commit(_)
            | Self::Ignore { .. }
            | Self::Put { .. }
            | Self::ClearLane { .. }
            | Self::Reclaim { .. } => true,
            Self::Prune { .. }
            | Self::Claim(_)
            | Self::Heartbeat { .. }
            | Self::Publish { .. }
            | Self::Audit(_)
            | Self::ForgetAudits { .. }
            | Self::Reserve(_)
            | Self::Settle { .. }
            | Self::ForgetSpend { .. }
            | Self::Beside(_) => false,
        }
    }

    /// What it records, if that is all it does.
    pub(super) fn delivery(&self) -> Option<&Record> {
        let Self::Record(record) = self else { return None };
        Some(record)
    }

    /// Does it, inside the transaction of `link`.
    pub(super) async fn apply(&self, link: &mut Link) -> Applied {
        match self {
            Self::Record(one) => {
                let mut recorded = record(link, &[one]).await?;
                Ok(Ok(Answer::Recorded(recorded.pop().unwrap_or(Recorded::Repeat))))
            }
            Self::Prune { before } => Ok(Ok(Answer::Count(
                link.execute(sql::PRUNE, values![*before, i64::from(PRUNE_MAX)]).await?,
            ))),
            Self::Claim(asked) => Ok(Ok(Answer::Leases(claim(link, asked).await?))),
            Self::Heartbeat { held, until } => heartbeat(link, *held, *until).await,
            Self::Finish { held, jobs, audits } => {
                if !consume(link, *held).await? {
                    return Ok(Err(Error::Fenced));
                }
                audit::append(link, audits).await?;
                put(link, jobs).await?;
                DONE
            }
            Self::PutBack { held, due, why } => put_back(link, *held, *due, why).await,
            Self::Open(row) => open(link, row).await,
            Self::Commit(row) => commit(link, row).await,
            Self::Ignore { run, held, event, ignored } => {
                if !consume(link, *held).await? {
                    return Ok(Err(Error::Fenced));
                }
                link.execute(sql::ONE_MORE_ENTRY, values![run]).await?;
                append(link, run, event, Some(Arc::clone(ignored))).await?;
                DONE
            }
            Self::Put { jobs } => {
                put(link, jobs).await?;
                DONE
            }
            Self::Publish { run, published } => publish(link, run, published).await,
            Self::ClearLane { repo, base } => {
                let (repo, base) = (text(repo), text(base));
                let cleared = link.execute(sql::CLEAR_LANE, values![&repo, &base]).await?;
                if cleared > 0 {
                    link.execute(sql::WAKE_NEXT, values![&repo, &base, 0_i64]).await?;
                }
                Ok(Ok(Answer::Count(cleared)))
            }
            Self::Reclaim { owner, now } => {
                let dropped = link.execute(sql::RECLAIM_CANCELLED, values![owner]).await?;
                let freed = link.execute(sql::RECLAIM, values![owner, *now]).await?;
                Ok(Ok(Answer::Count(dropped + freed)))
            }
            Self::Audit(audits) => {
                audit::append(link, audits).await?;
                DONE
            }
            Self::ForgetAudits { before } => {
                let old = values![*before, i64::from(PRUNE_MAX)];
                Ok(Ok(Answer::Count(link.execute(sql::FORGET_AUDITS, old).await?)))
            }
            Self::Reserve(ask) => spend::reserve(link, ask).await,
            Self::Settle { id, micros } => spend::settle(link, *id, *micros).await,
            Self::ForgetSpend { before } => spend::forget(link, *before).await,
            Self::Beside(write) => beside::apply(link, write).await,
        }
    }
}

async fn put(link: &mut Link, jobs: &[JobRow]) -> Result<(), Error> {
    for job in jobs {
        let sql = match job.on_repeat {
            OnRepeat::Keep => sql::PUT_KEEP,
            OnRepeat::Sooner => sql::PUT_SOONER,
            OnRepeat::Replace => sql::PUT_REPLACE,
        };
        let values = values![&job.key, &job.kind, &job.class, &job.run, job.entry, job.due];
        link.execute(sql, values).await?;
    }
    Ok(())
}

/// Ends a leased job; says whether it was still held.
async fn consume(link: &mut Link, held: Held) -> Result<bool, Error> {
    let values = values![held.id, held.fence];
    Ok(link.execute(sql::CONSUME, values.clone()).await? > 0
        || link.execute(sql::CONSUME_AGAIN, values).await? > 0)
}

async fn is_held(link: &mut Link, held: Held) -> Result<bool, Error> {
    Ok(link.row(sql::HELD, values![held.id, held.fence]).await?.is_some())
}

async fn heartbeat(link: &mut Link, held: Held, until: i64) -> Applied {
    let values = values![held.id, held.fence, until];
    let beat = if link.execute(sql::PROLONG, values).await? > 0 {
        Beat::Kept
    } else if is_held(link, held).await? {
        Beat::Cancelled
    } else {
        Beat::Lost
    };
    Ok(Ok(Answer::Beat(beat)))
}

async fn put_back(link: &mut Link, held: Held, due: i64, why: &Arc<str>) -> Applied {
    let values = values![held.id, held.fence, due, why];
    let back = link.execute(sql::PUT_BACK, values).await? > 0
        || link.execute(sql::PUT_BACK_CANCELLED, values![held.id, held.fence]).await? > 0;
    if back { DONE } else { Ok(Err(Error::Fenced)) }
}

async fn append(
    link: &mut Link,
    run: &Arc<str>,
    event: &Arc<str>,
    ignored: Option<Arc<str>>,
) -> Result<(), Error> {
    link.execute(sql::APPEND, values![run, event, &ignored]).await.map(|_| ())
}

async fn open(link: &mut Link, row: &OpenRow) -> Applied {
    if let Some(held) = row.held
        && !is_held(link, held).await?
    {
        return Ok(Err(Error::Fenced));
    }
    let (index, state) = (&row.state.index, &row.state);
    let run = text(&index.run);
    let mut values = values![
        &run,
        &text(&index.repo),
        index.issue.0.cast_signed(),
        index.title.as_str(),
        index.opened.0,
        &row.policy,
    ];
    values.extend(indexed(state));
    values.push((&state.state).into());
    if link.execute(sql::OPEN, values).await? == 0 {
        return exists(link, row, &run).await;
    }
    if let Some(held) = row.held
        && !consume(link, held).await?
    {
        return Err(Error::Fenced);
    }
    append(link, &run, &row.event, None).await?;
    put(link, &row.jobs).await?;
    Ok(Ok(Answer::Opened(Opened::New)))
}

/// The run that stands in the way of a new one.
async fn exists(link: &mut Link, row: &OpenRow, run: &Arc<str>) -> Applied {
    let index = &row.state.index;
    if link.row(sql::VERSION, values![run]).await?.is_some() {
        return Ok(Ok(Answer::Opened(Opened::Exists(index.run.clone()))));
    }
    let issue = values![&text(&index.repo), index.issue.0.cast_signed()];
    let live = link.row(sql::LIVE_RUN_OF_ISSUE, issue).await?;
    let live = live.ok_or_else(|| Error::Busy("the other run just ended".to_owned()))?;
    Ok(Ok(Answer::Opened(Opened::Exists(name::<RunId>(live.text(0)?)?))))
}

/// Columns 2 to 9 of [`sql::MOVE`].
fn indexed(row: &StateRow) -> Vec<super::link::Value> {
    let index = &row.index;
    values![
        index.pull.map(|pull| pull.0.cast_signed()),
        &maybe_text(index.branch.as_ref()),
        &maybe_text(index.base.as_ref()),
        &maybe_text(index.head.as_ref()),
        i64::from(index.live),
        index.at_stage.as_str(),
        index.moved.0,
        &row.words,
    ]
}

async fn commit(link: &mut Link, row: &CommitRow) -> Applied {
    let repo = text(&row.state.index.repo);
    if let Some(base) = &row.take_lane
        && let Some(busy) = busy_lane(link, &repo, base, &row.run).await?
    {
        return refusal(link, row, Error::LaneBusy(busy)).await;
    }
    let mut values = values![&row.run];
    values.extend(indexed(&row.state));
    let held = row.held.map_or((0, 0), |held| (held.id, held.fence));
    values.extend(values![row.from_version, held.0, held.1, &row.state.state]);
    let waits = row.state.lane.as_ref();
    let lane = waits.map(|(base, _)| Arc::clone(base));
    values.extend(values![&lane, waits.map(|(_, since)| *since)]);
    if link.execute(sql::MOVE, values).await? == 0 {
        return refusal(link, row, Error::Conflict).await;
    }
    if let Some(held) = row.held
        && !consume(link, held).await?
    {
        return Err(Error::Fenced);
    }
    append(link, &row.run, &row.event, None).await?;
    if let Some(entry) = row.cancel_entry {
        link.execute(sql::CANCEL_WAITING, values![&row.run, entry]).await?;
        link.execute(sql::CANCEL_LEASED, values![&row.run, entry]).await?;
    }
    if let Some(entry) = row.charge_below {
        spend::charge(link, &row.run, entry).await?;
        beside::end(link, &row.run, entry).await?;
    }
    move_lanes(link, row, &repo).await?;
    audit::append(link, &row.audits).await?;
    put(link, &row.jobs).await?;
    wake(link, row, &repo).await?;
    DONE
}

/// Wakes who waits for a lane that is free now, in the transaction that makes it free.
async fn wake(link: &mut Link, row: &CommitRow, repo: &Arc<str>) -> Result<(), Error> {
    let now = row.state.index.moved.0;
    if let Some((base, None)) = &row.release_lane {
        link.execute(sql::WAKE_NEXT, values![repo, &text(base), now]).await?;
    }
    // Given back between being refused and beginning to wait: nobody else would wake it.
    if let Some((base, _)) = &row.state.lane {
        link.execute(sql::WAKE_IF_FREE, values![repo, base, now, &row.run]).await?;
    }
    Ok(())
}

/// Why nothing was written: an old version before a lost lease before `otherwise`.
async fn refusal(link: &mut Link, row: &CommitRow, otherwise: Error) -> Applied {
    let version = link.row(sql::VERSION, values![&row.run]).await?;
    let version = version.map(|version| version.number(0)).transpose()?;
    if version != Some(row.from_version) {
        return Ok(Err(Error::Conflict));
    }
    if let Some(held) = row.held
        && !is_held(link, held).await?
    {
        return Ok(Err(Error::Fenced));
    }
    Ok(Err(otherwise))
}

/// Who or what keeps a lane from `run`.
async fn busy_lane(
    link: &mut Link,
    repo: &Arc<str>,
    base: &BranchName,
    run: &Arc<str>,
) -> Result<Option<String>, Error> {
    let lane = link.row(sql::LANE, values![repo, &text(base)]).await?;
    let Some(lane) = lane else { return Ok(None) };
    let holder = lane.text(0)?;
    Ok(lane.maybe_text(1)?.or_else(|| (holder != **run).then_some(holder)))
}

async fn move_lanes(link: &mut Link, row: &CommitRow, repo: &Arc<str>) -> Result<(), Error> {
    if let Some(base) = &row.take_lane {
        let values = values![repo, &text(base), &row.run];
        if link.execute(sql::TAKE_LANE, values).await? == 0 {
            return Err(Error::LaneBusy("another run took it just now".to_owned()));
        }
    }
    match &row.release_lane {
        None => {}
        Some((base, None)) => {
            let values = values![repo, &text(base), &row.run];
            link.execute(sql::RELEASE_LANE, values).await?;
        }
        Some((base, Some(alarm))) => {
            let values = values![repo, &text(base), &row.run, alarm.as_str()];
            link.execute(sql::CLOSE_LANE, values).await?;
        }
    }
    Ok(())
}

async fn publish(link: &mut Link, run: &Arc<str>, published: &Published) -> Applied {
    let values = values![
        run,
        published.surface.as_str(),
        published.remote.cast_signed(),
        published.hash.as_str(),
        published.at.0,
    ];
    Ok(Ok(Answer::Count(link.execute(sql::PUBLISH, values).await?)))
}
