//! How values lie in rows: what is written, prepared outside the writer, and what is read.

use std::cell::RefCell;
use std::fmt::Display;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zstd::bulk::Compressor;

use super::index::{after, fits, index_of};
use super::link::Row;
use super::{
    DELIVERY_BYTES_MAX, Entry, Error, Heavy, JobKey, Lane, Lease, NewDelivery, NewJob, OnRepeat,
    Published, RunRow, STATE_BYTES_MAX, Snapshot,
};
use crate::model::{DeliveryId, IssueNumber, Millis, PullNumber, Repo, RunId};
use crate::pipeline::{Event, State};

/// Bodies above this size, in bytes, are compressed where blocking is allowed.
const INLINE_BYTES_MAX: usize = 256 * 1024;
/// Fast; bodies compress about tenfold even so.
const ZSTD_LEVEL: i32 = 1;

/// A job to put, as its row.
#[derive(Debug)]
pub(super) struct JobRow {
    pub(super) key: Arc<str>,
    pub(super) kind: Arc<str>,
    pub(super) class: Arc<str>,
    pub(super) run: Option<Arc<str>>,
    pub(super) entry: Option<i64>,
    pub(super) due: i64,
    pub(super) on_repeat: OnRepeat,
}

/// The columns of a run that change with its state.
#[derive(Debug)]
pub(super) struct StateRow {
    pub(super) index: RunRow,
    pub(super) words: Arc<str>,
    pub(super) state: Arc<str>,
    /// The merge lane it waits for, and since when.
    pub(super) lane: Option<(Arc<str>, i64)>,
}

/// The right to end a job.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) id: i64,
    pub(super) fence: i64,
}

impl From<&Lease> for Held {
    fn from(lease: &Lease) -> Self {
        Self { id: lease.id.cast_signed(), fence: lease.fence.cast_signed() }
    }
}

pub(super) fn json<T: Serialize>(value: &T) -> Result<Arc<str>, Error> {
    let text = serde_json::to_string(value).map_err(|why| Error::Damaged(why.to_string()))?;
    Ok(text.into())
}

pub(super) fn from_json<T: DeserializeOwned>(what: &dyn Display, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|why| Error::Damaged(format!("{what}: {why}")))
}

pub(super) fn text(value: &impl Display) -> Arc<str> {
    value.to_string().into()
}

pub(super) fn maybe_text<T: Display>(value: Option<&T>) -> Option<Arc<str>> {
    value.map(text)
}

/// The rows of jobs, in the order of their keys, so that no two writers wait for each other
/// in a circle.
pub(super) fn job_rows(mut jobs: Vec<NewJob>) -> Result<Vec<JobRow>, Error> {
    jobs.sort_by(|a, b| a.key.cmp(&b.key));
    jobs.iter().map(job_row).collect()
}

fn job_row(job: &NewJob) -> Result<JobRow, Error> {
    fits("a job's key", job.key.0.len(), JobKey::BYTES_MAX)?;
    Ok(JobRow {
        key: job.key.0.as_str().into(),
        kind: json(&job.kind)?,
        class: job.heavy.as_ref().map(class_of).unwrap_or_default().into(),
        run: maybe_text(job.kind.run()),
        entry: job.kind.entry().map(i64::from),
        due: job.due.0,
        on_repeat: job.on_repeat,
    })
}

/// What a heavy job counts against, as a text that is never empty.
fn class_of(heavy: &Heavy) -> String {
    match &heavy.agent {
        Some(agent) => format!("{} {agent}", heavy.repo),
        None => heavy.repo.to_string(),
    }
}

pub(super) fn heavy_of(class: &str) -> Option<Heavy> {
    let (repo, agent) = match class.split_once(' ') {
        Some((repo, agent)) => (repo, Some(agent.to_owned())),
        None => (class, None),
    };
    Some(Heavy { repo: Repo::parse(repo).ok()?, agent })
}

pub(super) fn state_row(state: &State, event: &Event) -> Result<StateRow, Error> {
    let text = json(state)?;
    fits("the state", text.len(), STATE_BYTES_MAX)?;
    let index = index_of(state, event.at);
    let lane = state.waits_for_lane().map(|wait| (self::text(&wait.base), wait.since.0));
    Ok(StateRow { index, words: after(state).into(), state: text, lane })
}

/// A body as a zstd frame.
pub(super) async fn compressed(body: Vec<u8>) -> Result<Vec<u8>, Error> {
    fits("the delivery", body.len(), DELIVERY_BYTES_MAX)?;
    let large = body.len() > INLINE_BYTES_MAX;
    let failed = |why: std::io::Error| Error::Files(why.to_string());
    if large {
        return apart(move || zstd::bulk::compress(&body, ZSTD_LEVEL).map_err(failed)).await;
    }
    frame(&body).map_err(failed)
}

/// A compressor's tables are larger than most bodies, so each thread keeps its own.
fn frame(body: &[u8]) -> std::io::Result<Vec<u8>> {
    thread_local! {
        static KEPT: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    }
    KEPT.with_borrow_mut(|kept| {
        let mut compressor = match kept.take() {
            Some(compressor) => compressor,
            None => Compressor::new(ZSTD_LEVEL)?,
        };
        let framed = compressor.compress(body);
        *kept = framed.is_ok().then_some(compressor);
        framed
    })
}

pub(super) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|why| Error::Busy(why.to_string()))?
}

pub(super) async fn delivery(id: &DeliveryId, row: &Row) -> Result<NewDelivery, Error> {
    let damaged = |why: String| Error::Damaged(format!("delivery {id}: {why}"));
    let bytes = usize::try_from(row.number(2)?).map_err(|why| damaged(why.to_string()))?;
    fits("the delivery", bytes, DELIVERY_BYTES_MAX)?;
    let frame = row.bytes(3)?;
    let read = move || {
        zstd::bulk::decompress(&frame, bytes).map_err(|why| Error::Damaged(why.to_string()))
    };
    let body = if bytes > INLINE_BYTES_MAX { apart(read).await } else { read() };
    let body = body.map_err(|why| damaged(why.to_string()))?;
    Ok(NewDelivery { id: id.clone(), event: row.text(0)?, body, at: Millis(row.number(1)?) })
}

pub(super) fn snapshot(run: &RunId, row: &Row) -> Result<Snapshot, Error> {
    Ok(Snapshot {
        version: row.number(0)?.cast_unsigned(),
        policy: from_json(run, &row.text(1)?)?,
        state: from_json(run, &row.text(2)?)?,
    })
}

pub(super) fn entry(run: &RunId, row: &Row) -> Result<Entry, Error> {
    let ignored = row.maybe_text(3)?;
    Ok(Entry {
        number: row.number(0)?.cast_unsigned(),
        version: row.maybe_number(1)?.map(i64::cast_unsigned),
        event: from_json(run, &row.text(2)?)?,
        ignored: ignored.map(|why| from_json(run, &why)).transpose()?,
        after: row.text(4)?,
    })
}

/// Reads a name of the vocabulary from a column.
pub(super) fn name<T: TryFrom<String>>(text: String) -> Result<T, Error>
where
    T::Error: Display,
{
    T::try_from(text).map_err(|why| Error::Damaged(why.to_string()))
}

pub(super) fn run_row(row: &Row) -> Result<RunRow, Error> {
    Ok(RunRow {
        run: name(row.text(0)?)?,
        repo: name(row.text(1)?)?,
        issue: IssueNumber(row.number(2)?.cast_unsigned()),
        title: row.text(3)?,
        pull: row.maybe_number(4)?.map(|pull| PullNumber(pull.cast_unsigned())),
        branch: row.maybe_text(5)?.map(name).transpose()?,
        base: row.maybe_text(6)?.map(name).transpose()?,
        head: row.maybe_text(7)?.map(name).transpose()?,
        live: row.number(8)? == 1,
        at_stage: row.text(9)?,
        opened: Millis(row.number(10)?),
        moved: Millis(row.number(11)?),
    })
}

pub(super) fn lane(row: &Row) -> Result<Lane, Error> {
    Ok(Lane {
        repo: name(row.text(0)?)?,
        base: name(row.text(1)?)?,
        run: name(row.text(2)?)?,
        alarm: row.maybe_text(3)?,
    })
}

pub(super) fn published(row: &Row) -> Result<Published, Error> {
    Ok(Published {
        surface: row.text(0)?,
        remote: row.number(1)?.cast_unsigned(),
        hash: row.text(2)?,
        at: Millis(row.number(3)?),
    })
}
