//! What is kept beside runs and may be lost: what an agent does now, and what agents said.

use async_trait::async_trait;

use super::durable::Durable;
use super::link::{Link, Row, values};
use super::operation::{Answer, Applied, Operation};
use super::shape::{apart, from_json, json, name};
use super::{Error, PRUNE_MAX, index, sql};
use crate::model::{Millis, RunId};
use crate::pipeline::{Live, State};

/// Longest stream that is kept, in bytes, before it is compressed.
pub const STREAM_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most streams of a run that are listed; of more, the newest.
pub(super) const STREAMS_MAX: u32 = 200;
/// Most streams of one entry that are given; of more, the newest.
pub(super) const STREAMS_OF_ENTRY_MAX: u32 = 8;

/// What a store keeps beside runs.
#[async_trait]
pub trait Beside: Send + Sync {
    /// Says what the agent of a run does; takes the place of what was said before, unless that is
    /// about a later entry. It is gone with the step that ends its task.
    async fn show_live(&self, row: LiveRow) -> Result<(), Error>;

    /// What the agent of a run does; what cannot be read is as if it were not there.
    async fn live(&self, run: &RunId) -> Result<Option<LiveRow>, Error>;

    /// Forgets what was said before `before` and nobody took back: a process died.
    async fn forget_live(&self, before: Millis) -> Result<u64, Error>;

    /// Keeps what an agent said.
    async fn keep_stream(&self, stream: Stream) -> Result<(), Error>;

    /// What is kept of a run, oldest first: the newest 200.
    async fn streams(&self, run: &RunId) -> Result<Vec<StreamRow>, Error>;

    /// What agents said under an entry, oldest first: the newest 8.
    async fn stream(&self, run: &RunId, entry: u32) -> Result<Vec<Stream>, Error>;

    /// Forgets at most [`PRUNE_MAX`] streams of before `before`.
    async fn forget_streams(&self, before: Millis) -> Result<u64, Error>;
}

/// What an agent does, and for which entry of its run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveRow {
    pub run: RunId,
    pub entry: u32,
    pub at: Millis,
    pub live: Live,
}

impl LiveRow {
    /// What it says, if it is about what a run in `state` does now.
    pub fn of(row: Option<Self>, state: &State) -> Option<Live> {
        row.filter(|row| state.has_at_work(row.entry)).map(|row| row.live)
    }
}

/// A stream in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRow {
    pub entry: u32,
    /// Who said it, with its model where that is known.
    pub agent: String,
    /// When it was over.
    pub at: Millis,
    /// Before it was compressed.
    pub bytes: u64,
    /// Whether some of it is missing.
    pub is_cut: bool,
}

/// What an agent said, without secrets, as a zstd frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    pub run: RunId,
    pub row: StreamRow,
    pub frame: Vec<u8>,
}

impl Stream {
    /// What it said; what is no text is replaced by signs for it.
    pub async fn text(self) -> Result<String, Error> {
        let bytes = usize::try_from(self.row.bytes).unwrap_or(usize::MAX);
        index::fits("the stream", bytes, STREAM_BYTES_MAX)?;
        let run = self.run;
        let damaged = move |why: std::io::Error| Error::Damaged(format!("stream of {run}: {why}"));
        apart(move || {
            let said = zstd::bulk::decompress(&self.frame, bytes).map_err(damaged)?;
            Ok(String::from_utf8_lossy(&said).into_owned())
        })
        .await
    }
}

/// A write of this kind.
#[derive(Debug)]
pub(super) enum Write {
    ShowLive { row: LiveRow, live: std::sync::Arc<str> },
    ForgetLive { before: i64 },
    KeepStream { stream: Stream, frame: std::sync::Arc<Vec<u8>> },
    ForgetStreams { before: i64 },
}

pub(super) async fn apply(link: &mut Link, write: &Write) -> Applied {
    let rows = match write {
        Write::ShowLive { row, live } => {
            let values = values![row.run.as_str(), i64::from(row.entry), row.at.0, live];
            link.execute(sql::SHOW_LIVE, values).await?
        }
        Write::ForgetLive { before } => {
            link.execute(sql::FORGET_LIVE, values![*before, i64::from(PRUNE_MAX)]).await?
        }
        Write::KeepStream { stream, frame } => {
            let row = &stream.row;
            let values = values![
                stream.run.as_str(),
                i64::from(row.entry),
                row.agent.as_str(),
                row.at.0,
                row.bytes.cast_signed(),
                i64::from(row.is_cut),
                frame,
            ];
            link.execute(sql::KEEP_STREAM, values).await?
        }
        Write::ForgetStreams { before } => {
            link.execute(sql::FORGET_STREAMS, values![*before, i64::from(PRUNE_MAX)]).await?
        }
    };
    Ok(Ok(Answer::Count(rows)))
}

/// What the agents of `run` below `entry` did is over, in the transaction that ends their task.
pub(super) async fn end(link: &mut Link, run: &str, entry: u32) -> Result<(), Error> {
    link.execute(sql::END_LIVE, values![run, i64::from(entry)]).await.map(drop)
}

pub(super) async fn live(link: &mut Link, run: &RunId) -> Result<Option<LiveRow>, Error> {
    let Some(row) = link.row(sql::LIVE, values![run.as_str()]).await? else { return Ok(None) };
    let (entry, at) = (entry_of(row.number(0)?), Millis(row.number(1)?));
    let live = from_json(run, &row.text(2)?).inspect_err(|why| tracing::info!(%why, "not shown"));
    Ok(live.ok().map(|live| LiveRow { run: run.clone(), entry, at, live }))
}

pub(super) async fn streams(link: &mut Link, run: &RunId) -> Result<Vec<StreamRow>, Error> {
    let limit = i64::from(STREAMS_MAX);
    let rows = link.rows(sql::STREAMS, values![run.as_str(), limit]).await?;
    rows.iter().rev().map(stream_row).collect()
}

pub(super) async fn stream(link: &mut Link, run: &RunId, entry: u32) -> Result<Vec<Stream>, Error> {
    let limit = i64::from(STREAMS_OF_ENTRY_MAX);
    let asked = values![run.as_str(), i64::from(entry), limit];
    let rows = link.rows(sql::STREAM, asked).await?;
    let read = |row: &Row| {
        let (row, run, frame) = (stream_row(row)?, name(row.text(5)?)?, row.bytes(6)?);
        Ok(Stream { run, row, frame })
    };
    rows.iter().rev().map(read).collect()
}

fn stream_row(row: &Row) -> Result<StreamRow, Error> {
    Ok(StreamRow {
        entry: entry_of(row.number(0)?),
        agent: row.text(1)?,
        at: Millis(row.number(2)?),
        bytes: row.number(3)?.cast_unsigned(),
        is_cut: row.number(4)? == 1,
    })
}

fn entry_of(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Refuses a stream that could not be read again.
pub(super) fn fits(stream: &Stream) -> Result<(), Error> {
    let bytes = usize::try_from(stream.row.bytes).unwrap_or(usize::MAX);
    index::fits("the stream", bytes.max(stream.frame.len()), STREAM_BYTES_MAX)
}

#[async_trait]
impl Beside for Durable {
    async fn show_live(&self, row: LiveRow) -> Result<(), Error> {
        let live = json(&row.live)?;
        self.done(Operation::Beside(Write::ShowLive { row, live })).await.map(drop)
    }

    async fn live(&self, run: &RunId) -> Result<Option<LiveRow>, Error> {
        live(&mut self.reader().await?, run).await
    }

    async fn forget_live(&self, before: Millis) -> Result<u64, Error> {
        self.done(Operation::Beside(Write::ForgetLive { before: before.0 })).await
    }

    async fn keep_stream(&self, mut stream: Stream) -> Result<(), Error> {
        fits(&stream)?;
        let frame = std::sync::Arc::new(std::mem::take(&mut stream.frame));
        self.done(Operation::Beside(Write::KeepStream { stream, frame })).await.map(drop)
    }

    async fn streams(&self, run: &RunId) -> Result<Vec<StreamRow>, Error> {
        streams(&mut self.reader().await?, run).await
    }

    async fn stream(&self, run: &RunId, entry: u32) -> Result<Vec<Stream>, Error> {
        stream(&mut self.reader().await?, run, entry).await
    }

    async fn forget_streams(&self, before: Millis) -> Result<u64, Error> {
        self.done(Operation::Beside(Write::ForgetStreams { before: before.0 })).await
    }
}
