//! One connection to either database, with values and rows that both understand.

use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{PgPool, Postgres, Row as _, Sqlite, SqlitePool};

use super::Error;

/// Where connections come from.
#[derive(Debug, Clone)]
pub(super) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Pool {
    pub(super) async fn link(&self) -> Result<Link, Error> {
        Ok(match self {
            Self::Sqlite(pool) => Link::Sqlite(pool.acquire().await?),
            Self::Postgres(pool) => Link::Postgres(pool.acquire().await?),
        })
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// A connection.
#[derive(Debug)]
pub(super) enum Link {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

/// A value bound to a statement; large ones are shared, so that writing twice copies nothing.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(Arc<str>),
    MaybeText(Option<Arc<str>>),
    Number(i64),
    MaybeNumber(Option<i64>),
    Bytes(Arc<Vec<u8>>),
}

/// A row of an answer; columns count from 0.
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

macro_rules! bound {
    ($sql:ident, $values:ident) => {{
        let mut query = sqlx::query($sql);
        for value in $values {
            query = match value {
                Value::Text(text) => query.bind(text),
                Value::MaybeText(text) => query.bind(text),
                Value::Number(number) => query.bind(number),
                Value::MaybeNumber(number) => query.bind(number),
                Value::Bytes(bytes) => query.bind(bytes),
            };
        }
        query
    }};
}

impl Link {
    /// Executes a statement; says how many rows it changed.
    pub(super) async fn execute(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<u64, Error> {
        Ok(match self {
            Self::Sqlite(link) => bound!(sql, values).execute(&mut **link).await?.rows_affected(),
            Self::Postgres(link) => bound!(sql, values).execute(&mut **link).await?.rows_affected(),
        })
    }

    /// Every row a statement answers.
    pub(super) async fn rows(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, Error> {
        Ok(match self {
            Self::Sqlite(link) => {
                let rows = bound!(sql, values).fetch_all(&mut **link).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(link) => {
                let rows = bound!(sql, values).fetch_all(&mut **link).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// The first row a statement answers.
    pub(super) async fn row(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<Option<Row>, Error> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// Begins a transaction that may write.
    pub(super) async fn begin(&mut self) -> Result<(), Error> {
        let begin = if self.is_postgres() { "BEGIN" } else { "BEGIN IMMEDIATE" };
        self.execute(begin, Vec::new()).await.map(|_| ())
    }

    pub(super) async fn commit(&mut self) -> Result<(), Error> {
        self.execute("COMMIT", Vec::new()).await.map(|_| ())
    }

    pub(super) async fn rollback(&mut self) -> Result<(), Error> {
        self.execute("ROLLBACK", Vec::new()).await.map(|_| ())
    }

    /// Closes a connection in an unknown state, so that nobody gets it again.
    pub(super) async fn discard(self) {
        let closed = match self {
            Self::Sqlite(link) => link.close().await,
            Self::Postgres(link) => link.close().await,
        };
        if let Err(why) = closed {
            tracing::debug!(%why, "a broken connection did not close well");
        }
    }

    pub(super) fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

macro_rules! column {
    ($name:ident, $type:ty) => {
        pub(super) fn $name(&self, column: usize) -> Result<$type, Error> {
            let read = match self {
                Self::Sqlite(row) => row.try_get(column),
                Self::Postgres(row) => row.try_get(column),
            };
            read.map_err(|why| Error::Damaged(why.to_string()))
        }
    };
}

impl Row {
    column!(text, String);
    column!(maybe_text, Option<String>);
    column!(number, i64);
    column!(maybe_number, Option<i64>);
    column!(bytes, Vec<u8>);
}

impl From<sqlx::Error> for Error {
    fn from(why: sqlx::Error) -> Self {
        Self::Database(Arc::new(why))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<&Arc<str>> for Value {
    fn from(text: &Arc<str>) -> Self {
        Self::Text(Arc::clone(text))
    }
}

impl From<&Option<Arc<str>>> for Value {
    fn from(text: &Option<Arc<str>>) -> Self {
        Self::MaybeText(text.clone())
    }
}

impl From<&Arc<Vec<u8>>> for Value {
    fn from(bytes: &Arc<Vec<u8>>) -> Self {
        Self::Bytes(Arc::clone(bytes))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::MaybeNumber(number)
    }
}

/// The values of a statement, in order.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::store::link::Value::from($value)),*] };
}
pub(super) use values;
