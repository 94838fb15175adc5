//! SQLite: one file with one owner, opened for durable group commits.

mod client;

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, SqlitePool};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use client::Client;

use super::Error;
use super::durable::{Durable, Rest};
use super::link::Pool;
use super::writer::News;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Connections that read beside the writer.
const READERS_MAX: u32 = 2;
/// How long one process waits while another writes.
const BUSY_WAIT: Duration = Duration::from_secs(5);
/// Shortest time between two checkpoints.
const CHECKPOINT_EVERY: Duration = Duration::from_millis(500);
/// Pages of write-ahead log beyond which the writer itself waits for a checkpoint (64 MiB).
const LOG_PAGES_MAX: i64 = 16_384;

/// What the one owner of a database file holds beside its connections.
#[derive(Debug)]
pub(super) struct Owner {
    writers: SqlitePool,
    /// Locked as long as it is open.
    lock: Mutex<Option<File>>,
    checkpoints: Mutex<Option<JoinHandle<()>>>,
    end: CancellationToken,
}

/// Opens the database at `path` as its only owner, and makes or updates its tables.
///
/// # Errors
/// [`Error::Busy`] when another process owns it.
pub async fn open(path: &Path, tasks: &TaskTracker) -> Result<Durable, Error> {
    let lock = lock(path)?;
    private(path)?;
    let options = options(path);
    let mut first = options.connect().await?;
    MIGRATIONS.run(&mut first).await.map_err(|why| Error::Files(why.to_string()))?;
    let writers = pool(1, options.clone());
    let readers = pool(READERS_MAX, options.pragma("query_only", "ON"));
    let news = Arc::new(News::default());
    let end = CancellationToken::new();
    let checkpoints = tasks.spawn(checkpoint(first, Arc::clone(&news), end.clone()));
    let owner = Owner {
        writers: writers.clone(),
        lock: Mutex::new(Some(lock)),
        checkpoints: Mutex::new(Some(checkpoints)),
        end,
    };
    let pools = (Pool::Sqlite(writers), Pool::Sqlite(readers));
    Ok(Durable::start(pools, Rest::Sqlite(owner), news, tasks))
}

impl Owner {
    pub(super) async fn close(&self) {
        self.writers.close().await;
        self.end.cancel();
        let checkpoints = self.checkpoints.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(checkpoints) = checkpoints
            && let Err(why) = checkpoints.await
        {
            tracing::error!(%why, "checkpoints ended badly");
        }
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_WAIT)
        // A checkpoint inside a commit makes everybody wait for it.
        .pragma("wal_autocheckpoint", "0")
        .pragma("cache_size", "-32768")
        .disable_statement_logging()
}

/// Connections live as long as the pool, and nobody else could have broken them.
fn pool(max: u32, options: SqliteConnectOptions) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(max)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn files(path: &Path, why: &std::io::Error) -> Error {
    Error::Files(format!("{}: {why}", path.display()))
}

/// Creates `path` if need be, readable for nobody else; SQLite gives its log the same mode.
fn private(path: &Path) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(path).map_err(|why| files(path, &why))?;
    let mode = std::fs::Permissions::from_mode(0o600);
    file.set_permissions(mode).map_err(|why| files(path, &why))?;
    Ok(file)
}

/// Proves that this process is the only owner, for as long as the file stays open.
fn lock(path: &Path) -> Result<File, Error> {
    let path = beside(path, ".lock");
    let file = private(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Busy(format!(
            "another process owns the database ({} is locked)",
            path.display()
        ))),
        Err(TryLockError::Error(why)) => Err(files(&path, &why)),
    }
}

/// Copies the write-ahead log into the database beside the writer, until `end`; then once
/// more, and empties it.
async fn checkpoint(mut link: SqliteConnection, news: Arc<News>, end: CancellationToken) {
    while end.run_until_cancelled(news.written.notified()).await.is_some() {
        match logged(&mut link).await {
            Ok(pages) if pages > LOG_PAGES_MAX => news.empty_log.store(true, Ordering::Relaxed),
            Ok(_) => {}
            Err(why) => tracing::warn!(%why, "a checkpoint failed"),
        }
        if end.run_until_cancelled(tokio::time::sleep(CHECKPOINT_EVERY)).await.is_none() {
            break;
        }
    }
    let last = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut link).await;
    if let Err(why) = last {
        tracing::warn!(%why, "the last checkpoint failed");
    }
    if let Err(why) = link.close().await {
        tracing::warn!(%why, "the database did not close well");
    }
}

/// Does a checkpoint that waits for nobody; says how many pages the log has.
async fn logged(link: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    let (_, pages, _): (i64, i64, i64) =
        sqlx::query_as("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(link).await?;
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{IssueNumber, Millis};
    use crate::store::Store as _;
    use crate::store::contract::{self, Subject};

    /// A store in a directory that goes away with it.
    async fn stage() -> Option<(Subject, tempfile::TempDir)> {
        let place = tempfile::tempdir().unwrap();
        let store = open(&place.path().join("s.db"), &TaskTracker::new()).await.unwrap();
        Some((Arc::new(store), place))
    }

    contract::suite!(stage);

    async fn opened(path: &Path) -> Durable {
        open(path, &TaskTracker::new()).await.unwrap()
    }

    /// Writes past the store, as damage would.
    async fn damage(path: &Path, sql: &'static str) {
        let mut link = options(path).connect().await.unwrap();
        assert!(sqlx::query(sql).execute(&mut link).await.unwrap().rows_affected() > 0);
        link.close().await.unwrap();
    }

    #[tokio::test]
    async fn reopening_keeps_everything_and_frees_the_leases() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("s.db");
        let store = opened(&path).await;
        contract::fill(&store).await;
        store.close().await;
        let log = std::fs::metadata(beside(&path, "-wal")).map_or(0, |log| log.len());
        assert_eq!(log, 0, "closing leaves one file");
        let store = opened(&path).await;
        contract::reopening_keeps_everything(&store, true).await;
        store.close().await;
    }

    #[tokio::test]
    async fn what_was_answered_survives_a_crash() {
        let place = tempfile::tempdir().unwrap();
        let (path, copy) = (place.path().join("s.db"), place.path().join("copy.db"));
        let store = opened(&path).await;
        contract::fill(&store).await;
        for suffix in ["", "-wal"] {
            std::fs::copy(beside(&path, suffix), beside(&copy, suffix)).unwrap();
        }
        let crashed = opened(&copy).await;
        contract::reopening_keeps_everything(&crashed, true).await;
        crashed.close().await;
        store.close().await;
    }

    #[tokio::test]
    async fn a_database_has_one_owner() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("s.db");
        let store = opened(&path).await;
        let second = open(&path, &TaskTracker::new()).await.unwrap_err();
        assert!(second.to_string().contains("another process owns"), "{second}");
        store.close().await;
        let closed = store.put(vec![contract::job("a", 0)]).await;
        assert!(matches!(closed, Err(Error::Busy(_))), "{closed:?}");
        opened(&path).await.close().await;
    }

    #[tokio::test]
    async fn nobody_else_can_read_the_files() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("s.db");
        let store = opened(&path).await;
        contract::fill(&store).await;
        for suffix in ["", "-wal", "-shm", ".lock"] {
            let mode = std::fs::metadata(beside(&path, suffix)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{suffix}");
        }
        store.close().await;
    }

    #[tokio::test]
    async fn a_client_looks_and_puts_while_the_owner_runs() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("s.db");
        assert!(matches!(Client::open(&path).await, Err(Error::Files(_))));
        let store = opened(&path).await;
        let (run, state) = contract::opened(&store, &contract::repo("a"), 1).await;
        let client = Client::open(&path).await.unwrap();
        assert_eq!(client.load(&run).await.unwrap().unwrap().state, state);
        assert_eq!(client.timeline(&run).await.unwrap().len(), 1);
        assert_eq!(client.runs(9).await.unwrap().len(), 1);
        let live = client.live_run(&contract::repo("a"), IssueNumber(1)).await.unwrap();
        assert_eq!(live, Some(run));
        client.put(vec![contract::job("from outside", 0)]).await.unwrap();
        let refused = client.put(vec![contract::job(&"k".repeat(501), 0)]).await;
        assert!(matches!(refused, Err(Error::TooLarge { .. })), "{refused:?}");
        assert_eq!(contract::only(&store, 0).await.key.0, "from outside");
        client.close().await;
        store.close().await;
    }

    #[tokio::test]
    async fn a_job_that_cannot_be_read_is_set_aside() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("s.db");
        let store = opened(&path).await;
        store.put(vec![contract::job("bad", 0), contract::job("good", 1)]).await.unwrap();
        damage(&path, "UPDATE jobs SET kind = '{\"tomorrow\":1}' WHERE key = 'bad'").await;
        assert_eq!(contract::only(&store, 5).await.key.0, "good");
        let due = store.next_due().await.unwrap().unwrap();
        assert_eq!(due, Millis(1_005), "the lease; the bad one is far back");
        damage(&path, "UPDATE jobs SET why = why WHERE why LIKE '%tomorrow%'").await;
        store.close().await;
    }

    #[tokio::test]
    async fn a_damaged_run_names_itself_and_stops_nobody() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("s.db");
        let store = opened(&path).await;
        let (bad, _) = contract::opened(&store, &contract::repo("a"), 1).await;
        let (good, _) = contract::opened(&store, &contract::repo("a"), 2).await;
        damage(&path, "UPDATE runs SET state = '{}', repo = 'nobody' WHERE issue = 1").await;
        damage(&path, "UPDATE events SET event = '{}' WHERE number = 1").await;
        let damaged = store.load(&bad).await.unwrap_err();
        assert!(damaged.to_string().contains(bad.as_str()), "{damaged}");
        let damaged = store.timeline(&bad).await.unwrap_err();
        assert!(damaged.to_string().contains(bad.as_str()), "{damaged}");
        store.load(&good).await.unwrap().unwrap();
        let live = store.live_runs(None).await.unwrap();
        assert_eq!(live.iter().map(|row| &row.run).collect::<Vec<_>>(), [&good]);
        store.close().await;
    }

    #[tokio::test]
    async fn the_audit_is_only_ever_appended_to() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("s.db");
        let store = opened(&path).await;
        let now = i64::from(u32::MAX) * 1_000;
        store.audit(vec![contract::line(None, &contract::repo("a"), now)]).await.unwrap();
        let mut link = options(&path).connect().await.unwrap();
        for sql in ["UPDATE audit SET verdict = 'nothing'", "DELETE FROM audit"] {
            let refused = sqlx::query(sql).execute(&mut link).await.unwrap_err();
            assert!(refused.to_string().contains("the audit is"), "{refused}");
        }
        link.close().await.unwrap();
        store.close().await;
    }

    #[tokio::test]
    async fn a_body_longer_than_it_says_is_damage() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("s.db");
        let store = opened(&path).await;
        let sent = contract::delivery("d1", 5);
        store.record(sent.clone()).await.unwrap();
        damage(&path, "UPDATE deliveries SET bytes = 3").await;
        let damaged = store.delivery(&sent.id).await;
        assert!(matches!(damaged, Err(Error::Damaged(_))), "{damaged:?}");
        damage(&path, "UPDATE deliveries SET bytes = 99999999999").await;
        let damaged = store.delivery(&sent.id).await;
        assert!(matches!(damaged, Err(Error::TooLarge { .. })), "{damaged:?}");
        store.close().await;
    }
}
