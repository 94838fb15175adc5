//! Budgets: how many runs an issue and a person may have in a day, and how often an issue is
//! answered (security facts, §4.5).

use super::Engine;
use super::failure::Failure;
use crate::command::SlashCommand;
use crate::model::trust::Rule;
use crate::model::{Dollars, IssueNumber, Millis, Repo, RunId, User, UserId};
use crate::store::RUNS_MAX;

/// Budgets are counted over this long, in milliseconds.
const DAY_MS: i64 = 24 * 3_600_000;
/// Most issues whose answers are remembered.
const ANSWERED_MAX: usize = 10_000;

/// What was answered in a day, in this process.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    answers: std::collections::BTreeMap<(Repo, IssueNumber), Vec<Millis>>,
    /// Who asked for a run: read once.
    actors: std::collections::BTreeMap<RunId, UserId>,
}

impl Ledger {
    /// Notes an answer; `false` when there were too many.
    fn answer(&mut self, place: (Repo, IssueNumber), now: Millis, max: u32) -> bool {
        let after = now.plus(-DAY_MS);
        self.answers.retain(|_, times| {
            times.retain(|at| *at > after);
            !times.is_empty()
        });
        if self.answers.len() >= ANSWERED_MAX && !self.answers.contains_key(&place) {
            return false;
        }
        let times = self.answers.entry(place).or_default();
        let given = u32::try_from(times.len()).unwrap_or(u32::MAX);
        if given >= max {
            return false;
        }
        times.push(now);
        true
    }
}

impl Engine {
    /// Why no further run is opened for this issue or at this person's word today; the words
    /// are for that person.
    pub(super) async fn spent(
        &self,
        repo: &Repo,
        issue: IssueNumber,
        by: &User,
    ) -> Result<Option<String>, Failure> {
        if !self.holds(Rule::Budgets) {
            return Ok(None);
        }
        let limits = &self.settings.limits;
        let after = self.now().plus(-DAY_MS);
        let rows = self.ports.store.runs(RUNS_MAX).await?;
        let today: Vec<_> = rows.into_iter().filter(|row| row.opened > after).collect();
        let mut of_issue: Vec<Millis> = Vec::new();
        let mut of_actor: Vec<Millis> = Vec::new();
        for row in &today {
            if row.repo == *repo && row.issue == issue {
                of_issue.push(row.opened);
            }
            if self.actor(&row.run).await? == Some(by.id) {
                of_actor.push(row.opened);
            }
        }
        let again = |times: &[Millis], max: u32| {
            let max = usize::try_from(max).unwrap_or(usize::MAX);
            // The newest first: when the oldest of the last `max` is a day old, one is free.
            let oldest = times.get(max.checked_sub(1)?)?;
            Some(oldest.plus(DAY_MS).readable())
        };
        if let Some(when) = again(&of_issue, limits.runs_per_issue_max) {
            return Ok(Some(format!(
                "This issue has had {} runs within a day, which is the limit, so nothing was \
                 started. It may be tried again after {when}.",
                limits.runs_per_issue_max
            )));
        }
        if let Some(when) = again(&of_actor, limits.runs_per_actor_max) {
            return Ok(Some(format!(
                "You have started {} runs within a day, which is the limit, so nothing was \
                 started. It may be tried again after {when}.",
                limits.runs_per_actor_max
            )));
        }
        Ok(None)
    }

    /// Why a run may not be raised so far: the operator has the last word.
    pub(super) async fn too_dear(
        &self,
        run: Option<&RunId>,
        command: &SlashCommand,
    ) -> Result<Option<String>, Failure> {
        let (Some(run), SlashCommand::Budget(more)) = (run, command) else { return Ok(None) };
        let Some(found) = self.ports.store.load(run).await? else { return Ok(None) };
        let max = self.settings.budget.raise_micros_max;
        let live = found.state.budget.raised(self.now());
        Ok((live.saturating_add(more.0) > max).then(|| {
            format!(
                "Whoever runs Slipway lets a run be raised by at most {} at a time, and this one \
                 is raised by {} already. Nothing was raised.",
                Dollars(max),
                Dollars(live)
            )
        }))
    }

    async fn actor(&self, run: &RunId) -> Result<Option<UserId>, Failure> {
        if let Some(known) = self.ledger().actors.get(run) {
            return Ok(Some(*known));
        }
        let Some(found) = self.ports.store.load(run).await? else { return Ok(None) };
        let by = found.state.request.by.id;
        let mut ledger = self.ledger();
        if ledger.actors.len() >= ANSWERED_MAX {
            ledger.actors.clear();
        }
        ledger.actors.insert(run.clone(), by);
        Ok(Some(by))
    }

    /// Whether an issue may be answered once more today; whoever is not gets a sign only.
    pub(super) fn may_answer(&self, repo: &Repo, issue: IssueNumber) -> bool {
        let max = self.settings.limits.answers_per_issue_max;
        let now = self.now();
        !self.holds(Rule::Budgets) || self.ledger().answer((repo.clone(), issue), now, max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issue_is_answered_so_often_in_a_day_and_then_again() {
        let place = |n| (Repo::parse("o/r").unwrap(), IssueNumber(n));
        let mut ledger = Ledger::default();
        let at = |n: i64| Millis(1_800_000_000_000 + n);
        let given: Vec<bool> = (0..4).map(|n| ledger.answer(place(1), at(n), 3)).collect();
        assert_eq!(given, [true, true, true, false]);
        assert!(ledger.answer(place(2), at(5), 3), "another issue has its own");
        assert!(ledger.answer(place(1), at(DAY_MS), 3), "the first is a day old");
        assert!(!ledger.answer(place(1), at(DAY_MS), 3));
    }
}
