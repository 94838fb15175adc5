//! The push gate where it is asked: of an attempt, of what is pushed, of what is on GitHub.

use super::Engine;
use super::failure::Failure;
use crate::gate::push::{self, Change, Judged, Judgement, Known, Rule, Violation};
use crate::git::{Changes, Error, Workspace};
use crate::model::CommitSha;
use crate::pipeline::{Done, Role, State};
use crate::policy::Policy;

/// Texts that leave with a change, each with its name.
pub(super) type Texts<'a> = &'a [(&'a str, &'a str)];

impl Engine {
    /// What the gate says of an agent's attempt, measured from where the agent began. A resolver
    /// answers for the files in conflict only; the rest of a merge is not its doing, and it may
    /// not touch it.
    pub(super) fn judge_attempt(
        &self,
        (policy, role): (&Policy, Role),
        workspace: &Workspace,
        changes: &Changes,
        texts: Texts<'_>,
    ) -> Judgement {
        let change = Change {
            recorded: Some(&workspace.at),
            only: (role == Role::Resolver).then_some(workspace.conflicts.as_slice()),
            repairing: role == Role::Fixer,
            texts,
            ..whole(changes)
        };
        push::judge(policy, &change, &self.known())
    }

    /// What the gate says of words alone.
    pub(super) fn judge_words(&self, policy: &Policy, texts: Texts<'_>) -> Judgement {
        let nothing = Changes::default();
        let judgement = push::judge(policy, &Change { texts, ..whole(&nothing) }, &self.known());
        // There is no change, so none can start elsewhere.
        let spoken = |found: &Violation| found.rule != Rule::Provenance;
        Judgement {
            refused: judgement.refused.into_iter().filter(spoken).collect(),
            review: vec![],
        }
    }

    /// What the gate says of `head`, measured from the base branch.
    pub(super) async fn judge_head(
        &self,
        (state, policy): (&State, &Policy),
        (base, head): (&CommitSha, &CommitSha),
        texts: Texts<'_>,
    ) -> Result<Judgement, Failure> {
        let repo = &state.request.repo;
        let changes = match self.ports.git.between(repo, base, head).await {
            Err(Error::Missing(_)) => {
                // The mirror is a cache: what GitHub has can be had again.
                let branches = state.work.base.iter().chain(&state.work.branch);
                self.tips(state, &branches.cloned().collect::<Vec<_>>()).await?;
                self.ports.git.between(repo, base, head).await?
            }
            changes => changes?,
        };
        Ok(push::judge(policy, &Change { texts, ..whole(&changes) }, &self.known()))
    }

    /// What is to be known of `head` before it may be merged; `None` when it is known already.
    /// A commit that is there is not refused any more: people decide on everything found.
    pub(super) async fn judged(
        &self,
        state: &State,
        policy: &Policy,
        (base, head): (&CommitSha, &CommitSha),
    ) -> Result<Option<Judged>, Failure> {
        if state.work.judged.as_ref().is_some_and(|judged| &judged.head == head) {
            return Ok(None);
        }
        let Judgement { refused, review } =
            self.judge_head((state, policy), (base, head), &[]).await?;
        let delicate = refused.into_iter().chain(review).take(push::VIOLATIONS_MAX).collect();
        Ok(Some(Judged { head: head.clone(), delicate }))
    }

    fn known(&self) -> Known<'_> {
        Known { secrets: &self.vault, canaries: &self.canaries }
    }
}

fn whole(changes: &Changes) -> Change<'_> {
    Change {
        files: &changes.files,
        near: &changes.near,
        patch_bytes: changes.patch_bytes,
        truncated: changes.truncated,
        markers: &changes.markers,
        from: changes.from.as_ref(),
        recorded: None,
        only: None,
        repairing: false,
        texts: &[],
    }
}

/// How a task ends because of what the gate refuses; `None` when it refuses nothing.
pub(super) fn refusal(judgement: Judgement, cost_micros: u64) -> Option<Done> {
    if let Some(found) = judgement.alarm() {
        let (why, rule) = (found.why.clone(), found.rule.word());
        tracing::error!(rule, why, "a secret came back out of a sandbox");
        return Some(Done::Leaked { why, cost_micros });
    }
    let why = judgement.reasons()?;
    Some(Done::Rejected { why, cost_micros, violations: judgement.refused })
}
