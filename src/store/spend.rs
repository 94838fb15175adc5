//! Money in a database: calls that are reserved and settled, and their sums in every scope.
//!
//! A call that nobody settles keeps counting at its worst; when its task ends it is charged so.

use super::link::{Link, Row, Value, values};
use super::operation::{Answer, Applied};
use super::shape::{name, text};
use super::{Error, PRUNE_MAX, Transition, sql};
use crate::model::budget::{CALL_MICROS_MAX, Call, Caps, Full, Scope, Usage, Used, room};
use crate::model::{InstallationId, IssueNumber, Millis, Repo, RunId, UserId};
use crate::pipeline::EventKind;

/// On whose account a call is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payer {
    pub run: RunId,
    /// The task that calls, and the word of its stage.
    pub entry: u32,
    pub stage: String,
    pub repo: Repo,
    pub issue: IssueNumber,
    pub user: UserId,
    pub installation: InstallationId,
}

impl Payer {
    /// Where a call at `at` counts: scope, key, and the beginning of its window.
    pub(super) fn places(&self, at: Millis) -> Vec<(Scope, String, Millis)> {
        let place = |scope: Scope| {
            let key = match scope {
                Scope::Call => return None,
                Scope::Stage => format!("{}/{}", self.run, self.stage),
                Scope::Run => self.run.to_string(),
                Scope::Issue => format!("{}#{}", self.repo, self.issue),
                Scope::Repository => self.repo.to_string(),
                Scope::User => self.user.0.to_string(),
                Scope::Installation => self.installation.to_string(),
                Scope::Day | Scope::Month => String::new(),
            };
            Some((scope, key, scope.window().begin(at)))
        };
        Scope::ALL.into_iter().filter_map(place).collect()
    }
}

/// A call somebody wants to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    pub payer: Payer,
    /// What is enough for this payer now.
    pub caps: Caps,
    pub call: Call,
    pub at: Millis,
}

impl Ask {
    /// What is reserved: no call is believed to cost more than [`CALL_MICROS_MAX`].
    pub(super) fn micros(&self) -> u64 {
        self.call.worst.min(CALL_MICROS_MAX)
    }
}

/// The answer to one who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserving {
    /// It is paid for at its worst, under this number.
    Reserved(u64),
    /// Nothing was written.
    Full(Full),
}

/// Open reservations of entries below this are charged with the step: their task is over.
pub(super) fn charged_below(step: &Transition) -> Option<u32> {
    let ends = match &step.event.kind {
        EventKind::Performed { .. } => true,
        EventKind::Started
        | EventKind::Commanded(_)
        | EventKind::Withdrawn { .. }
        | EventKind::Observed(_)
        | EventKind::TimerFired { .. } => step.cancel_entry.is_some(),
    };
    if step.next.finished().is_some() {
        return Some(step.next.entry.saturating_add(1));
    }
    ends.then_some(step.next.entry)
}

fn number(micros: u64) -> i64 {
    i64::try_from(micros).unwrap_or(i64::MAX)
}

/// One call at a time is judged, whoever else writes to this database.
async fn alone(link: &mut Link) -> Result<(), Error> {
    if link.is_postgres() {
        link.rows(sql::LOCK_SPEND, Vec::new()).await?;
    }
    Ok(())
}

pub(super) async fn reserve(link: &mut Link, ask: &Ask) -> Applied {
    alone(link).await?;
    let used = usage(link, &ask.payer, ask.at).await?;
    if let Err(full) = room(&ask.caps, &used, ask.call, ask.at) {
        return Ok(Ok(Answer::Reserving(Reserving::Full(full))));
    }
    let (payer, micros) = (&ask.payer, number(ask.micros()));
    for (scope, key, since) in payer.places(ask.at) {
        let sum = values![scope.word(), key.as_str(), since.0, micros, ask.at.0];
        link.execute(sql::RESERVE_SUM, sum).await?;
    }
    let row = link.row(sql::RESERVE, row_of(payer, ask.at, micros)).await?;
    let row = row.ok_or_else(|| Error::Damaged("a reservation has no number".to_owned()))?;
    Ok(Ok(Answer::Reserving(Reserving::Reserved(row.number(0)?.cast_unsigned()))))
}

fn row_of(payer: &Payer, at: Millis, micros: i64) -> Vec<Value> {
    values![
        &text(&payer.run),
        i64::from(payer.entry),
        payer.stage.as_str(),
        &text(&payer.repo),
        payer.issue.0.cast_signed(),
        payer.user.0.cast_signed(),
        payer.installation.0.cast_signed(),
        at.0,
        micros,
    ]
}

/// Says what a call cost; says whether nobody had said so before.
pub(super) async fn settle(link: &mut Link, id: u64, micros: Option<u64>) -> Applied {
    let open = link.row(sql::OPEN_SPEND, values![id.cast_signed()]).await?;
    let Some(open) = open else { return Ok(Ok(Answer::Count(0))) };
    close(link, &open, micros).await?;
    Ok(Ok(Answer::Count(1)))
}

/// Charges what nobody settled of the tasks of `run` below `entry`, at its worst.
pub(super) async fn charge(link: &mut Link, run: &str, entry: u32) -> Result<(), Error> {
    for open in link.rows(sql::OPEN_SPEND_OF, values![run, i64::from(entry)]).await? {
        close(link, &open, None).await?;
    }
    Ok(())
}

/// Ends the reservation `open`; without a cost it cost its worst.
async fn close(link: &mut Link, open: &Row, micros: Option<u64>) -> Result<(), Error> {
    let (id, worst, at) = (open.number(0)?, open.number(9)?, Millis(open.number(8)?));
    let payer = Payer {
        run: name(open.text(1)?)?,
        entry: u32::try_from(open.number(2)?).unwrap_or(u32::MAX),
        stage: open.text(3)?,
        repo: name(open.text(4)?)?,
        issue: IssueNumber(open.number(5)?.cast_unsigned()),
        user: UserId(open.number(6)?.cast_unsigned()),
        installation: InstallationId(open.number(7)?.cast_unsigned()),
    };
    let cost = micros.map_or(worst, |micros| number(micros.min(CALL_MICROS_MAX)));
    let unknown = i64::from(micros.is_none());
    if link.execute(sql::CLOSE_SPEND, values![id, cost, unknown]).await? == 0 {
        return Ok(());
    }
    for (scope, key, since) in payer.places(at) {
        let sum = values![scope.word(), key.as_str(), since.0, worst, cost];
        link.execute(sql::SETTLE_SUM, sum).await?;
    }
    Ok(())
}

/// What is used wherever a call of `payer` at `at` would count.
pub(super) async fn usage(link: &mut Link, payer: &Payer, at: Millis) -> Result<Usage, Error> {
    let mut usage = Usage::new();
    for (scope, key, since) in payer.places(at) {
        let asked = values![scope.word(), key.as_str(), since.0];
        if let Some(row) = link.row(sql::SUM, asked).await? {
            let micros = |column| Ok::<_, Error>(u64::try_from(row.number(column)?).unwrap_or(0));
            usage.insert(scope, Used { spent: micros(0)?, reserved: micros(1)? });
        }
    }
    Ok(usage)
}

/// Forgets calls and sums of before `before`; says how many calls.
pub(super) async fn forget(link: &mut Link, before: i64) -> Applied {
    let old = values![before, i64::from(PRUNE_MAX)];
    let gone = link.execute(sql::FORGET_SPEND, old.clone()).await?;
    link.execute(sql::FORGET_SUMS, old).await?;
    Ok(Ok(Answer::Count(gone)))
}
