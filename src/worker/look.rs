//! One look at GitHub and at the repository: a consistent reading, never a conclusion.

use std::collections::BTreeMap;

use super::Engine;
use super::failure::Failure;
use crate::gate::seen::{CHECKS_MAX, CheckResult, Line, PullState, Rules, Seen};
use crate::github::{At, Purpose};
use crate::model::trust::Rule;
use crate::model::{BranchName, PullNumber, RunId};
use crate::pipeline::standing::Way;
use crate::pipeline::{EventKind, Hears, State, hears};
use crate::policy::{MergeMode, Policy};
use crate::store::Lease;

impl Engine {
    pub(super) async fn look(&self, lease: &Lease, run: &RunId) -> Result<(), Failure> {
        let snapshot = self.ports.store.load(run).await?;
        let live = snapshot.filter(|snapshot| snapshot.state.finished().is_none());
        let Some(snapshot) = live else {
            return self.end(lease, Vec::new()).await;
        };
        if let Some(until) = self.limited_until(&Self::at(&snapshot.state)) {
            return Ok(self.ports.store.put_back(lease, until, "GitHub's limit").await?);
        }
        match snapshot.state.work.pull {
            Some(pull) if self.is_heard(&snapshot.state, pull).await? => {
                let seen = self.seen(&snapshot.state, &snapshot.policy, pull).await?;
                self.apply(run, lease, EventKind::Observed(Box::new(seen))).await
            }
            Some(_) | None => self.end(lease, Vec::new()).await,
        }
    }

    /// Whether a whole look could change anything. Whatever rests after a task looks by itself.
    async fn is_heard(&self, state: &State, pull: PullNumber) -> Result<bool, Failure> {
        Ok(match hears(state) {
            Hears::Nothing => false,
            Hears::TheEnd => {
                let found = self.ports.github.pull(&Self::at(state), pull).await?;
                found.state != PullState::Open
            }
            Hears::Everything => true,
        })
    }

    /// Reads the pull request, the branches by git, checks, rules and reviews. The moment is
    /// that before the first read.
    pub(super) async fn seen(
        &self,
        state: &State,
        policy: &Policy,
        number: PullNumber,
    ) -> Result<Seen, Failure> {
        let began = self.now();
        let at = Self::at(state);
        let github = &self.ports.github;
        let pull = github.pull(&at, number).await?;
        let mut seen = Seen {
            at: began,
            pull: number,
            pull_state: pull.state.clone(),
            draft: pull.draft,
            api_head: pull.head.clone(),
            git_head: None,
            base: pull.base.clone(),
            base_tip: pull.head.clone(),
            probe: None,
            checks: Vec::new(),
            base_checks: Vec::new(),
            rules: Rules::default(),
            reviews: Vec::new(),
            sole_writer: false,
            auto_merge: pull.auto_merge.clone(),
            line: Line::default(),
            judged: None,
        };
        let mut wanted = vec![pull.base.clone()];
        wanted.extend(state.work.branch.clone());
        let tips = self.tips(state, &wanted).await?;
        let Some(base_tip) = tips.get(&pull.base).cloned() else {
            return Err(Failure::GitHub(crate::github::Error::Gone(format!(
                "the base branch {}",
                pull.base
            ))));
        };
        seen.git_head = state.work.branch.as_ref().and_then(|branch| tips.get(branch)).cloned();
        seen.base_tip = base_tip;
        // What lives elsewhere has no head here, whatever it is called.
        if pull.fork && self.holds(Rule::Forks) {
            seen.git_head = None;
        }
        if pull.state != PullState::Open {
            return Ok(seen);
        }
        if let Some(head) = &seen.git_head {
            let probe = self.ports.git.probe(&at.repo, &seen.base_tip, head).await?;
            seen.probe = Some(probe);
            seen.judged = self.judged(state, policy, (&seen.base_tip, head)).await?;
        }
        seen.rules = github.rules(&at, &seen.base).await?;
        let queued = state.work.standing.as_ref().filter(|standing| standing.way == Way::Queue);
        if let Some(standing) = queued {
            seen.line = github.line(&at, number).await?;
            let method = standing.permit.method();
            self.complete(state, &at, &mut seen.line, method).await?;
        }
        seen.checks = github.checks(&at, &seen.api_head).await?;
        seen.checks.truncate(CHECKS_MAX);
        if seen.checks.iter().any(|check| check.result == CheckResult::Failed) {
            let base = github.checks(&at, &seen.base_tip).await?;
            let failed = base.into_iter().filter(|check| check.result == CheckResult::Failed);
            seen.base_checks = failed.take(CHECKS_MAX).collect();
        }
        seen.reviews = github.reviews(&at, number).await?;
        seen.sole_writer = self.sole_writer(state, policy, &seen).await?;
        seen.rules.bypass = self.bypasses(&at, policy, &seen).await?;
        Ok(seen)
    }

    /// Whether our App may bypass the base's rules; asked only where nobody else decides.
    async fn bypasses(&self, at: &At, policy: &Policy, seen: &Seen) -> Result<bool, Failure> {
        match policy.merge {
            MergeMode::Auto => Ok(self.ports.github.may_bypass(at, &seen.base).await?),
            MergeMode::OnApproval | MergeMode::OnCommand | MergeMode::Never => Ok(false),
        }
    }

    /// Whether whoever asked is alone; asked only where that person agreed and it matters.
    async fn sole_writer(
        &self,
        state: &State,
        policy: &Policy,
        seen: &Seen,
    ) -> Result<bool, Failure> {
        let by = &state.request.by;
        let words = state.work.approved.iter().chain(&state.work.merge_ordered);
        let spoke = words.map(|word| word.by.id).any(|id| id == by.id)
            || seen.reviews.iter().any(|review| review.by.id == by.id);
        if policy.requester_may_approve.is_some() || !spoke {
            return Ok(false);
        }
        Ok(self.ports.github.sole_writer(&Self::at(state), by).await?)
    }

    /// Where `branches` are now, as git itself says; their commits are in the mirror then.
    pub(super) async fn tips(
        &self,
        state: &State,
        branches: &[BranchName],
    ) -> Result<BTreeMap<BranchName, crate::model::CommitSha>, Failure> {
        let remote = self.ports.github.remote(&Self::at(state), Purpose::Fetch).await?;
        Ok(self.ports.git.fetch(&remote, branches).await?)
    }
}
