//! The database beside its owner: what another process may look at and put.

use std::path::Path;

use super::{MIGRATIONS, options, pool};
use crate::model::{BranchName, IssueNumber, Repo, RunId};
use crate::store::link::Pool;
use crate::store::operation::{Answer, Operation};
use crate::store::shape::job_rows;
use crate::store::{AuditRow, Audited, Entry, Error, NewJob, RunRow, Schema, Snapshot, sql};
use crate::store::{LiveRow, Stream, StreamRow, audit, beside, durable};

/// What another process of the same person may do while the owner runs: look, and put jobs,
/// which the owner finds within seconds.
#[derive(Debug)]
pub struct Client {
    pool: Pool,
}

impl Client {
    /// Opens the existing database at `path`.
    ///
    /// # Errors
    /// [`Error::Files`] when there is none, or another version of Slipway made its tables.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        if !path.is_file() {
            return Err(Error::Files(format!("there is no database at {}", path.display())));
        }
        let pool = pool(1, options(path).create_if_missing(false));
        let version: Option<i64> = sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations")
            .fetch_one(&pool)
            .await?;
        if version != MIGRATIONS.iter().map(|migration| migration.version).max() {
            return Err(Error::Files("another version of Slipway made this database".to_owned()));
        }
        Ok(Self { pool: Pool::Sqlite(pool) })
    }

    /// Versions of the tables in the database at `path`, which must exist, and of ours.
    pub async fn schema(path: &Path) -> Result<Schema, Error> {
        let pool = pool(1, options(path).create_if_missing(false));
        let found =
            sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations").fetch_one(&pool).await;
        pool.close().await;
        let ours = MIGRATIONS.iter().map(|migration| migration.version).max();
        Ok(Schema { found: found?, ours: ours.unwrap_or_default() })
    }

    /// As [`Store::load`](crate::store::Store::load).
    pub async fn load(&self, run: &RunId) -> Result<Option<Snapshot>, Error> {
        durable::load(&mut self.pool.link().await?, run).await
    }

    /// As [`Store::timeline`](crate::store::Store::timeline).
    pub async fn timeline(&self, run: &RunId) -> Result<Vec<Entry>, Error> {
        durable::timeline(&mut self.pool.link().await?, run).await
    }

    /// As [`Store::audits`](crate::store::Store::audits).
    pub async fn audits(&self, which: &Audited, limit: u32) -> Result<Vec<AuditRow>, Error> {
        audit::read(&mut self.pool.link().await?, which, limit).await
    }

    /// As [`Beside::live`](crate::store::Beside::live).
    pub async fn live(&self, run: &RunId) -> Result<Option<LiveRow>, Error> {
        beside::live(&mut self.pool.link().await?, run).await
    }

    /// As [`Beside::streams`](crate::store::Beside::streams).
    pub async fn streams(&self, run: &RunId) -> Result<Vec<StreamRow>, Error> {
        beside::streams(&mut self.pool.link().await?, run).await
    }

    /// As [`Beside::stream`](crate::store::Beside::stream).
    pub async fn stream(&self, run: &RunId, entry: u32) -> Result<Vec<Stream>, Error> {
        beside::stream(&mut self.pool.link().await?, run, entry).await
    }

    /// As [`Store::runs`](crate::store::Store::runs).
    pub async fn runs(&self, limit: u32) -> Result<Vec<RunRow>, Error> {
        durable::runs(&mut self.pool.link().await?, limit).await
    }

    /// As [`Store::live_run`](crate::store::Store::live_run).
    pub async fn live_run(&self, repo: &Repo, number: IssueNumber) -> Result<Option<RunId>, Error> {
        durable::run_of(&mut self.pool.link().await?, sql::LIVE_RUN, repo, number).await
    }

    /// As [`Store::put`](crate::store::Store::put).
    pub async fn put(&self, jobs: Vec<NewJob>) -> Result<(), Error> {
        self.write(Operation::Put { jobs: job_rows(jobs)? }).await.map(drop)
    }

    /// As [`Store::clear_lane`](crate::store::Store::clear_lane).
    pub async fn clear_lane(&self, repo: &Repo, base: &BranchName) -> Result<bool, Error> {
        let operation = Operation::ClearLane { repo: repo.clone(), base: base.clone() };
        match self.write(operation).await? {
            Answer::Count(rows) => Ok(rows > 0),
            Answer::Leases(_)
            | Answer::Beat(_)
            | Answer::Opened(_)
            | Answer::Recorded(_)
            | Answer::Reserving(_) => Ok(false),
        }
    }

    async fn write(&self, operation: Operation) -> Result<Answer, Error> {
        let mut link = self.pool.link().await?;
        link.begin().await?;
        match operation.apply(&mut link).await {
            Ok(Ok(answer)) => link.commit().await.map(|()| answer),
            Ok(Err(why)) | Err(why) => {
                link.rollback().await?;
                Err(why)
            }
        }
    }

    /// Closes the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
