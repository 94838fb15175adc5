//! Deliveries recorded together: what waits at once goes in with few statements, because each
//! statement is a crossing to the connection and back.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use super::link::{Link, Value, values};
use super::shape::JobRow;
use super::{Error, Recorded, sql};

/// Most deliveries in one statement: 2 to the power of this, less one.
const SIZES: usize = 6;
const DELIVERY_COLUMNS: usize = 6;
const JOB_COLUMNS: usize = 6;

/// Statement `n` takes 2 to the power of `n` rows.
static DELIVERIES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let head = "INSERT INTO deliveries (id, event, at, bytes, body, hash) VALUES ";
    statements(head, DELIVERY_COLUMNS, |at| at, "ON CONFLICT DO NOTHING RETURNING id")
});
static JOBS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let head = "INSERT INTO jobs (key, kind, class, run, entry, due, ready) VALUES ";
    let ready_is_due = |columns: String| {
        let due = columns.rsplit(',').next().unwrap_or_default().to_owned();
        columns + "," + &due
    };
    statements(head, JOB_COLUMNS, ready_is_due, "ON CONFLICT (key) DO NOTHING")
});

/// A delivery and the job that reads it.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) id: Arc<str>,
    pub(super) event: Arc<str>,
    pub(super) at: i64,
    pub(super) bytes: i64,
    /// A zstd frame.
    pub(super) body: Arc<Vec<u8>>,
    /// Of the body, where it came from GitHub.
    pub(super) hash: Option<Arc<str>>,
    pub(super) job: JobRow,
}

fn statements(
    head: &str,
    columns: usize,
    row: impl Fn(String) -> String,
    tail: &str,
) -> Vec<String> {
    let one = |at: usize| {
        let names = (1..=columns).map(|column| format!("${}", at * columns + column));
        format!("({})", row(names.collect::<Vec<_>>().join(",")))
    };
    let of = |rows: usize| (0..rows).map(one).collect::<Vec<_>>().join(",");
    (0..SIZES).map(|size| format!("{head}{} {tail}", of(1 << size))).collect()
}

/// Writes what is not there yet, each with its job; says of each whether it was new. Of two
/// with the same name, or the same body, the first is.
pub(super) async fn record(link: &mut Link, records: &[&Record]) -> Result<Vec<Recorded>, Error> {
    let mut there = BTreeSet::new();
    for (sql, part) in parts(&DELIVERIES, records) {
        let row = |record: &&Record| {
            values![&record.id, &record.event, record.at, record.bytes, &record.body, &record.hash,]
        };
        let rows = link.rows(sql, part.iter().flat_map(row).collect()).await?;
        for row in &rows {
            there.insert(row.text(0)?);
        }
    }
    let new: Vec<bool> = records.iter().map(|record| there.remove(&*record.id)).collect();
    let jobs: Vec<&JobRow> =
        records.iter().zip(&new).filter(|(_, new)| **new).map(|(record, _)| &record.job).collect();
    for (sql, part) in parts(&JOBS, &jobs) {
        let row = |job: &&JobRow| -> Vec<Value> {
            values![&job.key, &job.kind, &job.class, &job.run, job.entry, job.due]
        };
        link.execute(sql, part.iter().flat_map(row).collect()).await?;
    }
    let mut recorded = Vec::with_capacity(records.len());
    for (record, new) in records.iter().zip(new) {
        recorded.push(if new { Recorded::New } else { known(link, record).await? });
    }
    Ok(recorded)
}

/// Why a delivery was not new: it has been here, or its body has under another name.
async fn known(link: &mut Link, record: &Record) -> Result<Recorded, Error> {
    let there = link.row(sql::IS_DELIVERY, values![&record.id]).await?.is_some();
    Ok(if there { Recorded::Repeat } else { Recorded::Replay })
}

/// Cuts `rows` into parts for which there is a statement, the largest first.
fn parts<'a, T>(
    statements: &'static [String],
    rows: &'a [T],
) -> impl Iterator<Item = (&'static str, &'a [T])> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let size = rest.len().checked_ilog2()?.min(u32::try_from(SIZES - 1).unwrap_or(0));
        let (part, later) = rest.split_at_checked(1 << size)?;
        rest = later;
        Some((statements.get(size as usize)?.as_str(), part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_rows_is_cut_into_statements_that_fit() {
        for count in 0..200 {
            let rows: Vec<usize> = (0..count).collect();
            let mut seen = Vec::new();
            for (sql, part) in parts(&DELIVERIES, &rows) {
                let last = format!("${},", part.len() * DELIVERY_COLUMNS - 1);
                assert_eq!(sql.matches('(').count() - 1, part.len(), "{sql}");
                assert!(sql.contains(&last), "{sql}");
                seen.extend_from_slice(part);
            }
            assert_eq!(seen, rows);
        }
    }

    #[test]
    fn a_job_is_ready_when_it_is_due() {
        assert_eq!(
            JOBS[1],
            "INSERT INTO jobs (key, kind, class, run, entry, due, ready) VALUES \
             ($1,$2,$3,$4,$5,$6,$6),($7,$8,$9,$10,$11,$12,$12) ON CONFLICT (key) DO NOTHING"
        );
    }
}
