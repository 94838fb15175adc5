//! The audit in a database: appended with what it tells of, read newest first.

use std::sync::Arc;

use super::link::{Link, Row, Value, values};
use super::shape::{maybe_text, name};
use super::{AUDITS_MAX, Error, sql};
use crate::model::{Act, Audit, Millis, Repo, RunId};

/// Which lines are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audited {
    Everything,
    Run(RunId),
    Repo(Repo),
}

/// A line and its number, which grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    pub number: u64,
    pub audit: Audit,
}

/// Appends, in the transaction of `link`.
pub(super) async fn append(link: &mut Link, audits: &[Audit]) -> Result<(), Error> {
    for audit in audits {
        let words: Value = audit.act.word().into();
        let mut values = vec![audit.at.0.into(), words, audit.who.as_str().into()];
        let digest: Option<Arc<str>> = audit.digest.as_deref().map(Into::into);
        values.extend(values![
            &maybe_text(audit.run.as_ref()),
            &maybe_text(audit.repo.as_ref()),
            &maybe_text(audit.head.as_ref()),
            &maybe_text(audit.tree.as_ref()),
            &digest,
            audit.verdict.as_str(),
        ]);
        link.execute(sql::AUDIT, values).await?;
    }
    Ok(())
}

/// The newest lines first, at most `limit`.
pub(super) async fn read(
    link: &mut Link,
    which: &Audited,
    limit: u32,
) -> Result<Vec<AuditRow>, Error> {
    let limit = i64::from(limit.min(AUDITS_MAX));
    let rows = match which {
        Audited::Everything => link.rows(sql::AUDITS, values![limit]).await?,
        Audited::Run(run) => link.rows(sql::AUDITS_OF_RUN, values![limit, run.as_str()]).await?,
        Audited::Repo(repo) => {
            link.rows(sql::AUDITS_OF_REPO, values![limit, repo.to_string().as_str()]).await?
        }
    };
    rows.iter().map(row).collect()
}

fn row(row: &Row) -> Result<AuditRow, Error> {
    let word = row.text(2)?;
    let act = Act::parse(&word);
    let audit = Audit {
        at: Millis(row.number(1)?),
        act: act.ok_or_else(|| Error::Damaged(format!("there is no act {word:?}")))?,
        who: row.text(3)?,
        run: row.maybe_text(4)?.map(name).transpose()?,
        repo: row.maybe_text(5)?.map(name).transpose()?,
        head: row.maybe_text(6)?.map(name).transpose()?,
        tree: row.maybe_text(7)?.map(name).transpose()?,
        digest: row.maybe_text(8)?,
        verdict: row.text(9)?,
    };
    Ok(AuditRow { number: row.number(0)?.cast_unsigned(), audit })
}
