//! The loop over the engine: hands due jobs to workers, sleeps until something is due, drains.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::model::Millis;
use crate::store::Lease;
use crate::web::Readiness;
use crate::worker::Engine;

/// Leases taken in one claim.
const CLAIM_MAX: usize = 64;
/// How long a failing store is left alone.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// Claims and hands out until `stop`; returns when no job of this process is being done, or
/// when `grace` is over. What is then still running keeps its lease, and the next start takes
/// it up again.
pub async fn run(
    engine: Arc<Engine>,
    slots: usize,
    readiness: &Arc<Readiness>,
    stop: &CancellationToken,
    grace: Duration,
) {
    let free = Arc::new(Semaphore::new(slots));
    let tasks = TaskTracker::new();
    readiness.expect(1);
    let alive = readiness.worker();
    let (hand, leases) = mpsc::channel::<Lease>(CLAIM_MAX);
    let working =
        tasks.spawn(hand_out(Arc::clone(&engine), leases, Arc::clone(&free), tasks.clone()));
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => break,
            () = turn(&engine, &free, &hand) => {}
        }
    }
    readiness.drain();
    drop((hand, alive));
    tasks.close();
    if tokio::time::timeout(grace, tasks.wait()).await.is_err() {
        tracing::warn!("stopped in the middle of work; the next start takes it up again");
    }
    working.abort();
}

/// One claim, or a sleep until there is something to claim.
async fn turn(engine: &Engine, free: &Semaphore, hand: &mpsc::Sender<Lease>) {
    // Waits for a free worker without taking it: a claimed job shall start at once.
    match free.acquire().await {
        Ok(permit) => drop(permit),
        Err(_closed) => return,
    }
    let asked = engine.ports().clock.now();
    let room = free.available_permits().clamp(1, CLAIM_MAX);
    match engine.claim(u32::try_from(room).unwrap_or(1)).await {
        Ok(leases) if leases.is_empty() => idle(engine, asked).await,
        Ok(leases) => {
            for lease in leases {
                if hand.send(lease).await.is_err() {
                    return;
                }
            }
        }
        Err(error) => {
            tracing::error!(%error, "jobs cannot be claimed");
            tokio::time::sleep(STORE_PAUSE).await;
        }
    }
}

/// Sleeps until something is due that was not due at `asked`, or until something changes.
async fn idle(engine: &Engine, asked: Millis) {
    let ports = engine.ports();
    let due = match ports.store.next_due().await {
        Ok(due) => due,
        Err(error) => {
            tracing::error!(%error, "the queue cannot be read");
            tokio::time::sleep(STORE_PAUSE).await;
            return;
        }
    };
    // A job that was due and was not claimed waits for a limit; something ends and wakes us.
    let due = due.filter(|due| *due > asked);
    tokio::select! {
        () = ports.store.changed() => {}
        () = sleep_until(engine, due) => {}
    }
}

async fn sleep_until(engine: &Engine, due: Option<Millis>) {
    match due {
        Some(due) => engine.ports().clock.sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Gives each lease to a worker of its own as soon as one is free.
async fn hand_out(
    engine: Arc<Engine>,
    mut leases: mpsc::Receiver<Lease>,
    free: Arc<Semaphore>,
    tasks: TaskTracker,
) {
    while let Some(lease) = leases.recv().await {
        let Ok(permit) = Arc::clone(&free).acquire_owned().await else { return };
        let engine = Arc::clone(&engine);
        tasks.spawn(async move {
            engine.work(lease).await;
            drop(permit);
        });
    }
}
