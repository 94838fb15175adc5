//! PostgreSQL: one database for several processes, told of each other's writes.

use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{ConnectOptions as _, PgPool};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::durable::{Durable, Rest};
use super::link::Pool;
use super::writer::News;
use super::{Error, Schema};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Connections that read beside the writer.
const READERS_MAX: u32 = 4;
/// How long a connection is waited for.
const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// Pause before listening again after a failure.
const LISTEN_AGAIN: Duration = Duration::from_secs(5);

/// What listens for the writes of other processes.
#[derive(Debug)]
pub(super) struct Listener {
    writers: PgPool,
    task: Mutex<Option<JoinHandle<()>>>,
    end: CancellationToken,
}

/// Opens the database at `url`, and makes or updates its tables. Other processes may own it
/// too: leases decide who does what, so they have to be short.
pub async fn open(url: &str, tasks: &TaskTracker) -> Result<Durable, Error> {
    let options = PgConnectOptions::from_str(url)?
        .application_name("slipway")
        .options([("statement_timeout", "30s"), ("lock_timeout", "10s")])
        .disable_statement_logging();
    let writers = pool(1, options.clone());
    let mut migrating = options.clone().options([("lock_timeout", "0")]).connect().await?;
    MIGRATIONS.run(&mut migrating).await.map_err(|why| Error::Files(why.to_string()))?;
    drop(migrating);
    let readers = pool(READERS_MAX, options);
    let news = Arc::new(News::default());
    let end = CancellationToken::new();
    let task = tasks.spawn(listen(readers.clone(), Arc::clone(&news), end.clone()));
    let listener = Listener { writers: writers.clone(), task: Mutex::new(Some(task)), end };
    let pools = (Pool::Postgres(writers), Pool::Postgres(readers));
    Ok(Durable::start(pools, Rest::Postgres(listener), news, tasks))
}

/// Versions of the tables at `url`, none when nothing was made there yet, and of ours.
pub async fn schema(url: &str) -> Result<Schema, Error> {
    let options = PgConnectOptions::from_str(url)?.application_name("slipway doctor");
    let pool = pool(1, options.disable_statement_logging());
    let there: Result<bool, sqlx::Error> =
        sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
            .fetch_one(&pool)
            .await;
    let found = match there {
        Ok(true) => {
            sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations").fetch_one(&pool).await
        }
        Ok(false) => Ok(None),
        Err(error) => Err(error),
    };
    pool.close().await;
    let ours = MIGRATIONS.iter().map(|migration| migration.version).max();
    Ok(Schema { found: found?, ours: ours.unwrap_or_default() })
}

impl Listener {
    pub(super) async fn close(&self) {
        self.end.cancel();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task
            && let Err(why) = task.await
        {
            tracing::error!(%why, "listening ended badly");
        }
        self.writers.close().await;
    }
}

fn pool(max: u32, options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(max)
        .acquire_timeout(CONNECT_WAIT)
        .test_before_acquire(false)
        .connect_lazy_with(options)
}

async fn listen(pool: PgPool, news: Arc<News>, end: CancellationToken) {
    while let Some(ended) = end.run_until_cancelled(hear(&pool, &news)).await {
        if let Err(why) = ended {
            tracing::warn!(%why, "not listening to PostgreSQL; looking every few seconds");
        }
        if end.run_until_cancelled(tokio::time::sleep(LISTEN_AGAIN)).await.is_none() {
            return;
        }
    }
}

async fn hear(pool: &PgPool, news: &News) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen("slipway").await?;
    loop {
        listener.recv().await?;
        news.jobs.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

    use super::*;
    use crate::store::contract::{self, Subject};
    use crate::store::{Error, Store as _};

    static LAST: AtomicU32 = AtomicU32::new(0);

    /// A database of its own, dropped at the end.
    struct Place {
        server: String,
        name: String,
    }

    impl Place {
        /// `None`, aloud, without a server to test on.
        async fn new() -> Option<Self> {
            #[expect(
                clippy::disallowed_methods,
                reason = "a test is told here where its server is"
            )]
            let server = std::env::var("SLIPWAY_TEST_POSTGRES");
            let Ok(server) = server else {
                let why = "PostgreSQL is not tested: SLIPWAY_TEST_POSTGRES is not set";
                crate::process::say_aloud(why);
                return None;
            };
            let last = LAST.fetch_add(1, Ordering::Relaxed);
            let place = Self { server, name: format!("slipway_{}_{last}", std::process::id()) };
            admin(&place.server, format!("CREATE DATABASE {}", place.name)).await;
            Some(place)
        }

        fn url(&self) -> String {
            let mut url = url::Url::parse(&self.server).unwrap();
            url.set_path(&self.name);
            url.to_string()
        }

        async fn open(&self) -> Durable {
            open(&self.url(), &TaskTracker::new()).await.unwrap()
        }
    }

    async fn admin(server: &str, sql: String) {
        let mut link = PgConnection::connect(server).await.unwrap();
        sqlx::query(AssertSqlSafe(sql)).execute(&mut link).await.unwrap();
        link.close().await.unwrap();
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
            let server = self.server.clone();
            let dropping = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.unwrap().block_on(admin(&server, sql));
            });
            dropping.join().unwrap();
        }
    }

    async fn stage() -> Option<(Subject, Place)> {
        let place = Place::new().await?;
        Some((Arc::new(place.open().await), place))
    }

    contract::suite!(stage);

    #[tokio::test]
    async fn reopening_keeps_everything_and_leaves_leases_alone() {
        let Some(place) = Place::new().await else { return };
        let store = place.open().await;
        contract::fill(&store).await;
        store.close().await;
        let store = place.open().await;
        contract::reopening_keeps_everything(&store, false).await;
        store.close().await;
    }

    #[tokio::test]
    async fn two_processes_share_the_jobs_and_hear_of_each_other() {
        let Some(place) = Place::new().await else { return };
        let (one, two) = (place.open().await, place.open().await);
        tokio::time::sleep(Duration::from_millis(300)).await;
        two.put((0..40).map(|n| contract::job(&n.to_string(), n)).collect()).await.unwrap();
        let heard = tokio::time::timeout(Duration::from_secs(2), one.changed()).await;
        heard.expect("the other process wrote");
        let claim = contract::claim(100, 30);
        let (first, second) = tokio::join!(one.claim(&claim), two.claim(&claim));
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!(first.len() + second.len(), 40);
        let fenced = two.finish(&first[0], Vec::new()).await;
        fenced.expect("the lease is what counts, not who shows it");
        let fenced = one.finish(&first[0], Vec::new()).await;
        assert!(matches!(fenced, Err(Error::Fenced)), "{fenced:?}");
        one.close().await;
        two.close().await;
    }
}
