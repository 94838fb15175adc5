//! Reads the body of a request within a size, a time and a share of memory.

use std::sync::Arc;

use axum::body::{Body, BodyDataStream};
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::{LARGE_BYTES, Limits};

/// Room made before anything was read; a sender's word about the length is not trusted.
const FIRST_BYTES_MAX: usize = 64 * 1024;

/// A body, and the share of memory it holds until it is dropped.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) bytes: Vec<u8>,
    _share: Option<OwnedSemaphorePermit>,
    _place: Option<OwnedSemaphorePermit>,
}

/// Why a body was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    TooLarge,
    TooSlow,
    /// Too much memory is held by other bodies.
    NoRoom,
    /// The sender went away.
    Broken,
}

/// Units in which memory is shared out.
pub(super) fn kib(bytes: usize) -> usize {
    bytes.div_ceil(1024)
}

/// Reads `body`, whose sender declared `declared` bytes.
pub(super) async fn read(
    body: Body,
    declared: Option<u64>,
    limits: &Limits,
    (room, large): (&Arc<Semaphore>, &Arc<Semaphore>),
) -> Result<Held, Unread> {
    let bytes_max = limits.body_bytes_max;
    let mut stream = body.into_data_stream();
    let announced = declared.is_some_and(|bytes| bytes > bytes_max as u64);
    let reading = async {
        if announced {
            return Err(Unread::TooLarge);
        }
        let first = usize::try_from(declared.unwrap_or(0)).unwrap_or(0).min(FIRST_BYTES_MAX);
        collect(&mut stream, Vec::with_capacity(first), bytes_max, (room, large)).await
    };
    let outcome = timeout(limits.read(), reading).await.unwrap_or(Err(Unread::TooSlow));
    if outcome.as_ref().is_err_and(|why| *why == Unread::TooLarge) {
        discard(&mut stream, limits).await;
    }
    outcome
}

async fn collect(
    stream: &mut BodyDataStream,
    mut bytes: Vec<u8>,
    bytes_max: usize,
    (room, large): (&Arc<Semaphore>, &Arc<Semaphore>),
) -> Result<Held, Unread> {
    let mut place: Option<OwnedSemaphorePermit> = None;
    let mut share: Option<OwnedSemaphorePermit> = None;
    while let Some(chunk) = stream.next().await {
        let Ok(chunk) = chunk else { return Err(Unread::Broken) };
        if bytes.len() + chunk.len() > bytes_max {
            return Err(Unread::TooLarge);
        }
        if bytes.len() + chunk.len() > LARGE_BYTES && place.is_none() {
            let free = Arc::clone(large).try_acquire_owned();
            place = Some(free.map_err(|_full| Unread::NoRoom)?);
        }
        let held = share.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let wanted = kib(bytes.len() + chunk.len()).saturating_sub(held);
        let wanted = u32::try_from(wanted).map_err(|_huge| Unread::NoRoom)?;
        let more =
            Arc::clone(room).try_acquire_many_owned(wanted).map_err(|_full| Unread::NoRoom)?;
        match &mut share {
            Some(share) => share.merge(more),
            None => share = Some(more),
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Held { bytes, _share: share, _place: place })
}

/// Reads on a little without keeping anything: a sender that is cut off in the middle of its
/// body sees a broken connection instead of the answer.
async fn discard(stream: &mut BodyDataStream, limits: &Limits) {
    let bytes_max = limits.body_bytes_max;
    let reading = async {
        let mut seen = 0_usize;
        while let Some(Ok(chunk)) = stream.next().await {
            seen = seen.saturating_add(chunk.len());
            if seen > bytes_max {
                return;
            }
        }
    };
    if timeout(limits.read(), reading).await.is_err() {
        tracing::debug!("a body that is too large was not read to its end in time");
    }
}
