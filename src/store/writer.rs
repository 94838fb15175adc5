//! Group commit: one task takes every write that waits, commits them once, answers all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};

use super::link::{Link, Pool};
use super::operation::{Answer, Operation};
use super::record::record;
use super::{Error, sql};

/// Most writes waiting for the writer; further callers wait for a place.
pub const WRITES_WAITING_MAX: usize = 4_096;
/// Most writes in one transaction.
const GROUP_MAX: usize = 256;
/// Most deliveries recorded by one statement.
const RECORDS_MAX: usize = 32;
/// How long a caller waits for a place in the queue.
const PLACE_WAIT: Duration = Duration::from_secs(10);
/// How often a group is tried again after a failure that may pass.
const TRIES_MAX: u32 = 4;

/// A write and who waits for it.
pub(super) struct Pending {
    operation: Operation,
    answer: oneshot::Sender<Result<Answer, Error>>,
}

/// What the writer tells others about.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Something was committed that may have made a job due.
    pub(super) jobs: Notify,
    /// Something was committed.
    pub(super) written: Notify,
    /// The writer itself shall empty the write-ahead log before its next group.
    pub(super) empty_log: AtomicBool,
}

/// Hands `operation` to the writer behind `queue`, and waits until it is durable.
pub(super) async fn write(
    queue: &mpsc::Sender<Pending>,
    operation: Operation,
) -> Result<Answer, Error> {
    let (answer, answered) = oneshot::channel();
    let closed = || Error::Busy("the store is closed".to_owned());
    queue.send_timeout(Pending { operation, answer }, PLACE_WAIT).await.map_err(
        |why| match why {
            mpsc::error::SendTimeoutError::Timeout(_) => {
                Error::Busy(format!("{WRITES_WAITING_MAX} writes wait"))
            }
            mpsc::error::SendTimeoutError::Closed(_) => closed(),
        },
    )?;
    answered.await.unwrap_or_else(|_| Err(closed()))
}

/// Writes until every sender of the queue is gone.
pub(super) async fn run(pool: Pool, mut queue: mpsc::Receiver<Pending>, news: Arc<News>) {
    let mut group = Vec::with_capacity(GROUP_MAX);
    let mut link = None;
    while queue.recv_many(&mut group, GROUP_MAX).await > 0 {
        let mut tries = 0;
        while !group.is_empty() {
            tries += 1;
            match connected(&pool, &mut link).await {
                Ok(open) => match together(open, &mut group, &news).await {
                    Ok(()) => {}
                    Err(why) => {
                        if let Some(broken) = link.take() {
                            broken.discard().await;
                        }
                        if tries >= TRIES_MAX {
                            refuse(&mut group, &why);
                        }
                    }
                },
                Err(why) => refuse(&mut group, &why),
            }
        }
    }
}

async fn connected<'a>(pool: &Pool, link: &'a mut Option<Link>) -> Result<&'a mut Link, Error> {
    let open = match link.take() {
        Some(open) => open,
        None => pool.link().await?,
    };
    Ok(link.insert(open))
}

fn refuse(group: &mut Vec<Pending>, why: &Error) {
    tracing::error!(%why, writes = group.len(), "writes failed");
    for pending in group.drain(..) {
        answer(pending, Err(again(why)));
    }
}

/// The same failure for another caller.
fn again(why: &Error) -> Error {
    match why {
        Error::Database(why) => Error::Database(Arc::clone(why)),
        Error::Conflict
        | Error::Fenced
        | Error::LaneBusy(_)
        | Error::Damaged(_)
        | Error::Busy(_)
        | Error::TooLarge { .. }
        | Error::Files(_) => Error::Busy(why.to_string()),
    }
}

fn answer(pending: Pending, with: Result<Answer, Error>) {
    // Who went away does not need an answer.
    drop(pending.answer.send(with));
}

/// Does the whole group in one transaction, and answers it. An operation that fails after it
/// wrote something is answered alone, and the others are done again without it.
///
/// # Errors
/// The connection failed before the commit: nothing is written, and the group is still there.
async fn together(link: &mut Link, group: &mut Vec<Pending>, news: &News) -> Result<(), Error> {
    if news.empty_log.swap(false, Ordering::Relaxed) {
        link.rows("PRAGMA wal_checkpoint(RESTART)", Vec::new()).await?;
    }
    let mut in_one = RECORDS_MAX;
    while !group.is_empty() {
        link.begin().await?;
        let mut answers = Vec::with_capacity(group.len());
        let why = loop {
            match next(link, group, &mut answers, in_one).await {
                Ok(true) => {}
                Ok(false) => return finish(link, group, answers, news).await,
                Err(why) => break why,
            }
        };
        link.rollback().await?;
        if passing(&why) {
            return Err(why);
        }
        if in_one > 1 {
            // Which one of several failed is found by doing each for itself.
            in_one = 1;
        } else {
            answer(group.remove(answers.len()), Err(why));
        }
    }
    Ok(())
}

/// Does the next operation, or the next deliveries together; `false` when none is left.
async fn next(
    link: &mut Link,
    group: &[Pending],
    answers: &mut Vec<Result<Answer, Error>>,
    in_one: usize,
) -> Result<bool, Error> {
    let rest = group.get(answers.len()..).unwrap_or_default();
    let Some(first) = rest.first() else { return Ok(false) };
    let deliveries: Vec<_> =
        rest.iter().take(in_one).map_while(|pending| pending.operation.delivery()).collect();
    if deliveries.len() > 1 {
        let recorded = record(link, &deliveries).await?;
        answers.extend(recorded.into_iter().map(|one| Ok(Answer::Recorded(one))));
    } else {
        answers.push(first.operation.apply(link).await?);
    }
    Ok(true)
}

async fn finish(
    link: &mut Link,
    group: &mut Vec<Pending>,
    answers: Vec<Result<Answer, Error>>,
    news: &News,
) -> Result<(), Error> {
    let told = group.iter().any(|pending| pending.operation.is_news());
    if told && link.is_postgres() {
        link.rows(sql::NOTIFY, Vec::new()).await?;
    }
    if let Err(why) = link.commit().await {
        // Nobody knows whether it is written: the callers look again, a repeat would not.
        refuse(group, &why);
        return Err(why);
    }
    if told {
        news.jobs.notify_one();
    }
    news.written.notify_one();
    for (pending, with) in group.drain(..).zip(answers) {
        answer(pending, with);
    }
    Ok(())
}

/// Failures that pass when the group is done again: deadlocks with another process, lost
/// connections.
fn passing(why: &Error) -> bool {
    let Error::Database(why) = why else { return false };
    let code = why.as_database_error().and_then(sqlx::error::DatabaseError::code);
    match code {
        Some(code) => matches!(&*code, "40001" | "40P01" | "57P01"),
        None => matches!(**why, sqlx::Error::Io(_)),
    }
}
