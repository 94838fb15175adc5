//! What the in-memory store keeps beside runs.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::Memory;
use crate::model::{Millis, RunId};
use crate::store::beside::{STREAMS_MAX, STREAMS_OF_ENTRY_MAX, fits};
use crate::store::{Beside, Error, LiveRow, PRUNE_MAX, Stream, StreamRow};

/// What agents do, and what they said, oldest first.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    live: BTreeMap<RunId, LiveRow>,
    streams: Vec<Stream>,
}

impl Shelf {
    /// What the agents of `run` below `entry` did is over.
    pub(super) fn end(&mut self, run: &RunId, entry: u32) {
        if self.live.get(run).is_some_and(|row| row.entry < entry) {
            self.live.remove(run);
        }
    }
}

/// The newest `max` of `all`, oldest first.
fn newest<T>(mut all: Vec<T>, max: u32) -> Vec<T> {
    let over = all.len().saturating_sub(max as usize);
    all.drain(..over);
    all
}

#[async_trait]
impl Beside for Memory {
    async fn show_live(&self, row: LiveRow) -> Result<(), Error> {
        let live = &mut self.inner().shelf.live;
        if live.get(&row.run).is_none_or(|known| known.entry <= row.entry) {
            live.insert(row.run.clone(), row);
        }
        Ok(())
    }

    async fn live(&self, run: &RunId) -> Result<Option<LiveRow>, Error> {
        Ok(self.inner().shelf.live.get(run).cloned())
    }

    async fn forget_live(&self, before: Millis) -> Result<u64, Error> {
        let live = &mut self.inner().shelf.live;
        let count = live.len();
        live.retain(|_, row| row.at >= before);
        Ok((count - live.len()) as u64)
    }

    async fn keep_stream(&self, stream: Stream) -> Result<(), Error> {
        fits(&stream)?;
        self.inner().shelf.streams.push(stream);
        Ok(())
    }

    async fn streams(&self, run: &RunId) -> Result<Vec<StreamRow>, Error> {
        let inner = self.inner();
        let mut rows: Vec<StreamRow> =
            inner.shelf.streams.iter().filter(|s| s.run == *run).map(|s| s.row.clone()).collect();
        rows.sort_by_key(|row| row.entry);
        Ok(newest(rows, STREAMS_MAX))
    }

    async fn stream(&self, run: &RunId, entry: u32) -> Result<Vec<Stream>, Error> {
        let inner = self.inner();
        let of = |stream: &&Stream| stream.run == *run && stream.row.entry == entry;
        let streams = inner.shelf.streams.iter().filter(of).cloned().collect();
        Ok(newest(streams, STREAMS_OF_ENTRY_MAX))
    }

    async fn forget_streams(&self, before: Millis) -> Result<u64, Error> {
        let streams = &mut self.inner().shelf.streams;
        let (count, mut left) = (streams.len(), PRUNE_MAX);
        streams.retain(|stream| {
            let goes = left > 0 && stream.row.at < before;
            left -= u32::from(goes);
            !goes
        });
        Ok((count - streams.len()) as u64)
    }
}
