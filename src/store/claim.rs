//! Claiming jobs in either database: heavy ones within the limits, then the rest.

use super::limits::Room;
use super::link::{Link, Row, values};
use super::shape::{from_json, heavy_of};
use super::{Claim, DAMAGED_BACK_MS, Error, JobKey, Lease, sql};
use crate::model::Millis;

/// A class and the oldest moment at which one of its jobs can be claimed.
type Head = (String, i64);

/// Leases what `claim` asks for, inside the transaction of `link`.
pub(super) async fn claim(link: &mut Link, claim: &Claim) -> Result<Vec<Lease>, Error> {
    let mut leases = Vec::new();
    let all = heads(link).await?;
    let due = |head: &Head| head.1 <= claim.now.0;
    if claim.heavy_max > 0 && all.iter().any(|head| !head.0.is_empty() && due(head)) {
        heavy(link, claim, &mut leases).await?;
    }
    if all.iter().any(|head| head.0.is_empty() && due(head)) {
        let left = claim.jobs_max.saturating_sub(u32::try_from(leases.len()).unwrap_or(u32::MAX));
        leases.extend(lease(link, claim, "", left).await?);
    }
    leases.sort_by_key(|lease| (claim.now.plus(-lease.late_ms), lease.id));
    Ok(leases)
}

pub(super) async fn heads(link: &mut Link) -> Result<Vec<Head>, Error> {
    let rows = link.rows(sql::HEADS, Vec::new()).await?;
    rows.iter().map(|row| Ok((row.text(0)?, row.number(1)?))).collect()
}

/// Leases heavy jobs one by one, always the oldest that fits.
async fn heavy(link: &mut Link, claim: &Claim, leases: &mut Vec<Lease>) -> Result<(), Error> {
    if link.is_postgres() {
        link.rows(sql::LOCK_HEAVY, Vec::new()).await?;
    }
    let mut room = Room::of(claim);
    for row in link.rows(sql::HEAVY, values![claim.now.0]).await? {
        if let Some(heavy) = heavy_of(&row.text(0)?) {
            for _ in 0..row.number(1)? {
                room.take(&heavy);
            }
        }
    }
    let mut waiting: Vec<_> = heads(link)
        .await?
        .into_iter()
        .filter_map(|(class, oldest)| Some((oldest, heavy_of(&class)?, class)))
        .collect();
    while leases.len() < claim.jobs_max as usize {
        waiting.retain(|(oldest, heavy, _)| *oldest <= claim.now.0 && room.fits(heavy));
        let Some(first) = waiting.iter_mut().min_by_key(|first| first.0) else { break };
        let taken = lease(link, claim, &first.2, 1).await?;
        for _ in &taken {
            room.take(&first.1);
        }
        let head = link.row(sql::HEAD, values![first.2.as_str()]).await?;
        let next = head.map(|row| row.maybe_number(0)).transpose()?.flatten();
        // Another claimer holds the oldest one's row: leave this class to it.
        let stuck = taken.is_empty() && next == Some(first.0);
        first.0 = next.filter(|_| !stuck).unwrap_or(i64::MAX);
        leases.extend(taken);
    }
    Ok(())
}

/// Leases up to `jobs_max` jobs of one class; drops those that were cancelled while somebody
/// had them, and sets aside those that cannot be read.
async fn lease(
    link: &mut Link,
    claim: &Claim,
    class: &str,
    jobs_max: u32,
) -> Result<Vec<Lease>, Error> {
    let sql = if link.is_postgres() { sql::CLAIM_POSTGRES } else { sql::CLAIM_SQLITE };
    let until = claim.now.plus(claim.lease_ms);
    let values = values![class, claim.now.0, i64::from(jobs_max), claim.owner.as_str(), until.0];
    let mut leases = Vec::new();
    for row in link.rows(sql, values).await? {
        let (id, cancelled) = (row.number(0)?, row.number(6)? == 1);
        if cancelled && row.maybe_number(7)?.is_none() {
            link.execute(sql::DROP, values![id]).await?;
            continue;
        }
        if cancelled {
            link.execute(sql::REVIVE, values![id]).await?;
        }
        match read(&row, claim, until) {
            Ok(lease) => leases.push(lease),
            Err(why) => {
                tracing::error!(job = row.text(2)?, %why, "a job cannot be read; set aside");
                let back = claim.now.plus(DAMAGED_BACK_MS);
                let why = why.to_string();
                link.execute(sql::SET_ASIDE, values![id, back.0, why.as_str()]).await?;
            }
        }
    }
    Ok(leases)
}

fn read(row: &Row, claim: &Claim, until: Millis) -> Result<Lease, Error> {
    let key = row.text(2)?;
    Ok(Lease {
        id: row.number(0)?.cast_unsigned(),
        fence: row.number(1)?.cast_unsigned(),
        owner: claim.owner.clone(),
        kind: from_json(&key, &row.text(3)?)?,
        key: JobKey(key),
        until,
        attempts: u32::try_from(row.number(4)?).unwrap_or(u32::MAX),
        late_ms: claim.now.since(Millis(row.number(5)?)),
    })
}
