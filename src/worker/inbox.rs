//! A delivery becomes events: what it says is looked up, its author asked for permission.
//!
//! A delivery is a hint. Comments are remembered by their own number, so that a webhook that
//! comes twice, under another GUID, or is found by the sweep, is one command.

use std::sync::Arc;

use super::failure::Failure;
use super::missed::named;
use super::{Engine, jobs};
use crate::github::payload::{self, Happening, PullAction};
use crate::github::{At, Reaction};
use crate::model::{
    BranchName, CommentId, CommitSha, DeliveryId, IssueNumber, Millis, PullNumber, Repo, User,
};
use crate::pipeline::{EventKind, Request, Withdrawal};
use crate::store::{Lease, NewDelivery, NewJob, RunRow};

/// The event name under which a comment is remembered by its own number.
pub(super) const COMMENT_EVENT: &str = "slipway.comment";
/// The same for one that was heard late and that no sweep had taken.
const LATE_EVENT: &str = "slipway.late";
/// The event name under which a sweep keeps what it found of an issue. No webhook comes under
/// one of these names.
pub(super) const SWEPT_EVENT: &str = "slipway.issues";
/// After the next sweep is due, a late command waits this much longer, in milliseconds.
const AFTER_SWEEP_MS: i64 = 30_000;

/// A comment that may be a command.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub at: At,
    pub number: IssueNumber,
    pub is_pull: bool,
    pub comment: CommentId,
    pub by: User,
    pub body: String,
    /// The issue's words at that moment, as the delivery carried them.
    pub title: Option<String>,
    pub text: Option<String>,
    /// When it was written.
    pub written: Option<Millis>,
    /// It was heard long after that.
    pub late: bool,
    /// What is asked for once more.
    pub again: Option<Arc<Request>>,
}

/// A label put on an issue or taken away.
#[derive(Debug)]
pub(super) struct Labeling {
    pub at: At,
    pub issue: IssueNumber,
    pub label: String,
    /// `None` when the account is gone.
    pub by: Option<User>,
    /// When; `None` when the delivery does not say.
    pub when: Option<Millis>,
    /// Title and body of that moment, as the delivery carried them.
    pub words: (Option<String>, Option<String>),
    /// It was heard long after that.
    pub late: bool,
}

/// A button of our check run, pressed.
#[derive(Debug)]
pub(super) struct Press {
    pub at: At,
    pub identifier: String,
    pub by: User,
}

impl Engine {
    pub(super) async fn inbox(&self, lease: &Lease, id: &DeliveryId) -> Result<(), Failure> {
        let Some(delivery) = self.ports.store.delivery(id).await? else {
            return self.end(lease, Vec::new()).await;
        };
        let remembered = [COMMENT_EVENT, LATE_EVENT].contains(&delivery.event.as_str());
        let event = match delivery.event.as_str() {
            COMMENT_EVENT | LATE_EVENT => "issue_comment",
            SWEPT_EVENT => "issues",
            event => event,
        };
        let (app, trust) = (self.settings.app_id, self.settings.trust);
        let Ok(happening) = payload::read_with(event, &delivery.body, app, trust) else {
            return self.end(lease, Vec::new()).await;
        };
        match happening {
            Happening::Comment { at, number, is_pull, comment, by, via, body } => {
                if !self.hears(&by, via)
                    || crate::command::parse(&body) == crate::command::Parsed::None
                {
                    return self.end(lease, Vec::new()).await;
                }
                if !remembered {
                    // Under another GUID, or swept already: one command all the same.
                    let known = comment_delivery(&at, comment)?;
                    if self.ports.store.delivery(&known).await?.is_some() {
                        return self.end(lease, Vec::new()).await;
                    }
                    return self.heard_first(lease, (&at, comment), &delivery).await;
                }
                let (title, text) = payload::issue_words(&delivery.body);
                let mut said =
                    Said::wish(at, number, by).written_at(payload::comment_written(&delivery.body));
                (said.is_pull, said.comment, said.body) = (is_pull, comment, body);
                (said.title, said.text) = (title, text);
                said.late = delivery.event == LATE_EVENT;
                self.said(lease, said).await
            }
            other @ (Happening::Labeled { .. }
            | Happening::Unlabeled { .. }
            | Happening::IssueClosed { .. }
            | Happening::IssueReopened { .. }
            | Happening::Pull { .. }
            | Happening::Review { .. }
            | Happening::Push { .. }
            | Happening::Group { .. }
            | Happening::Checks { .. }
            | Happening::Button { .. }
            | Happening::Rerequested { .. }
            | Happening::Installation { .. }
            | Happening::Nothing { .. }) => Box::pin(self.happened(lease, &delivery, other)).await,
        }
    }

    /// A command that nobody heard of before. One that comes late decides nothing by itself: a
    /// sweep hears what was written since the last one, and what none took is late.
    async fn heard_first(
        &self,
        lease: &Lease,
        (at, comment): (&At, CommentId),
        delivery: &NewDelivery,
    ) -> Result<(), Failure> {
        let late = self.is_late(payload::comment_written(&delivery.body), delivery.at);
        let sweep_ms = self.settings.limits.sweep_ms;
        if late && lease.attempts == 0 && sweep_ms > 0 {
            let due = self.now().plus(sweep_ms + AFTER_SWEEP_MS);
            return Ok(self.ports.store.put_back(lease, due, "a sweep comes first").await?);
        }
        self.ports.github.react(at, comment, Reaction::Eyes).await?;
        let event = if late { LATE_EVENT } else { COMMENT_EVENT };
        self.remember((at, comment), (event, &delivery.body), delivery.at).await?;
        self.end(lease, Vec::new()).await
    }

    /// Keeps a comment under its own number; the second time changes nothing.
    pub(super) async fn remember(
        &self,
        (at, comment): (&At, CommentId),
        (event, body): (&str, &[u8]),
        when: Millis,
    ) -> Result<(), Failure> {
        let id = comment_delivery(at, comment)?;
        let event = event.to_owned();
        let delivery = NewDelivery { id, event, body: body.to_vec(), at: when };
        self.ports.store.record(delivery).await?;
        Ok(())
    }

    pub(super) async fn end(&self, lease: &Lease, jobs: Vec<NewJob>) -> Result<(), Failure> {
        Ok(self.ports.store.finish(lease, jobs).await?)
    }

    async fn happened(
        &self,
        lease: &Lease,
        delivery: &NewDelivery,
        happening: Happening,
    ) -> Result<(), Failure> {
        match happening {
            Happening::Labeled { at, issue, label, by } => {
                let when = payload::issue_changed(&delivery.body);
                let words = payload::issue_words(&delivery.body);
                let late = delivery.event != SWEPT_EVENT && self.is_late(when, delivery.at);
                let by = Some(by);
                self.labeled(lease, Labeling { at, issue, label, by, when, words, late }).await
            }
            Happening::Unlabeled { at, issue, label, by } => {
                let (words, late) = ((None, None), false);
                let when = None;
                self.unlabeled(lease, Labeling { at, issue, label, by, when, words, late }).await
            }
            Happening::IssueClosed { at, issue, by } => self.closed(lease, &at, issue, by).await,
            Happening::Button { at, external_id, identifier, by, .. } => {
                self.pressed(lease, &external_id, Press { at, identifier, by }).await
            }
            Happening::Rerequested { at, external_id, head, by } => {
                let press = Press { at, identifier: String::new(), by };
                Box::pin(self.rerequested(lease, (external_id, head), press)).await
            }
            Happening::Pull { at, pull, action, head, .. } => {
                self.look_at(lease, &at.repo, Trace::Pull { pull, action, head }).await
            }
            Happening::Review { at, pull, .. } => {
                self.look_at(lease, &at.repo, Trace::Review(pull)).await
            }
            Happening::Push { at, branch, after, .. } => {
                self.look_at(lease, &at.repo, Trace::Push { branch, after }).await
            }
            Happening::Group { at, base, head, asks } => {
                self.grouped(lease, &at, Trace::Group { base, head, asks }).await
            }
            Happening::Checks { at, head, .. } => {
                self.look_at(lease, &at.repo, Trace::Checks(head)).await
            }
            Happening::Comment { .. }
            | Happening::IssueReopened { .. }
            | Happening::Installation { .. }
            | Happening::Nothing { .. } => self.end(lease, Vec::new()).await,
        }
    }

    /// The delivery may be old, or another's under this name: whether the issue is closed now
    /// is asked.
    async fn closed(
        &self,
        lease: &Lease,
        at: &At,
        number: IssueNumber,
        by: Option<User>,
    ) -> Result<(), Failure> {
        let Some(run) = self.ports.store.live_run(&at.repo, number).await? else {
            return self.end(lease, Vec::new()).await;
        };
        if self.issue_now(at, number).await?.is_some_and(|issue| issue.open) {
            return self.end(lease, Vec::new()).await;
        }
        let kind = EventKind::Withdrawn { by, how: Withdrawal::IssueClosed };
        self.apply(&run, lease, kind).await
    }

    async fn unlabeled(&self, lease: &Lease, unlabeling: Labeling) -> Result<(), Failure> {
        let Labeling { at, issue, label, by, .. } = unlabeling;
        let Some(run) = self.ports.store.live_run(&at.repo, issue).await? else {
            return self.end(lease, Vec::new()).await;
        };
        let snapshot = self.ports.store.load(&run).await?;
        if snapshot.is_none_or(|snapshot| snapshot.policy.label != label) {
            return self.end(lease, Vec::new()).await;
        }
        // It may have been put back since.
        if self.issue_now(&at, issue).await?.is_some_and(|now| now.labels.contains(&label)) {
            return self.end(lease, Vec::new()).await;
        }
        let kind = EventKind::Withdrawn { by, how: Withdrawal::LabelRemoved };
        self.apply(&run, lease, kind).await
    }

    /// Asks for a look at every live run that `trace` concerns; a moment later, since webhooks
    /// come in swarms.
    async fn look_at(&self, lease: &Lease, repo: &Repo, trace: Trace) -> Result<(), Failure> {
        let due = self.now().plus(self.settings.limits.look_gap_ms);
        let runs = self.ports.store.live_runs(Some(repo)).await?;
        let concerned = runs.iter().filter(|row| trace.concerns(row));
        let looks = concerned.map(|row| jobs::look(&row.run, due)).collect();
        self.end(lease, looks).await
    }
}

impl Engine {
    /// A merge queue tests something: our runs look, and for what is not ours our check, where
    /// a rule requires it, says so; or that queue would wait for ever.
    async fn grouped(&self, lease: &Lease, at: &At, trace: Trace) -> Result<(), Failure> {
        if let Trace::Group { base, head, asks: Some(pull) } = &trace {
            let runs = self.ports.store.live_runs(Some(&at.repo)).await?;
            if !runs.iter().any(|row| row.pull == Some(*pull)) {
                self.pass_by(at, base, head).await?;
            }
        }
        self.look_at(lease, &at.repo, trace).await
    }
}

/// The name under which a comment is remembered, however it was heard of.
pub(super) fn comment_delivery(at: &At, comment: CommentId) -> Result<DeliveryId, Failure> {
    named("comment", &at.repo, &comment.to_string())
}

/// What a webhook says moved.
enum Trace {
    Pull { pull: PullNumber, action: PullAction, head: CommitSha },
    Review(PullNumber),
    Push { branch: BranchName, after: Option<CommitSha> },
    Checks(CommitSha),
    Group { base: BranchName, head: CommitSha, asks: Option<PullNumber> },
}

impl Trace {
    fn concerns(&self, row: &RunRow) -> bool {
        match self {
            Self::Pull { pull, action, head } => match action {
                // Our own push comes back to us; what it caused is looked at anyway.
                PullAction::Opened | PullAction::Synchronized => {
                    row.pull == Some(*pull) && row.head.as_ref() != Some(head)
                }
                PullAction::Reopened
                | PullAction::Edited
                | PullAction::ReadyForReview
                | PullAction::Drafted
                | PullAction::Queued
                | PullAction::Closed
                | PullAction::Merged => row.pull == Some(*pull),
            },
            Self::Review(pull) => row.pull == Some(*pull),
            Self::Push { branch, after } => {
                let moved_base = row.base.as_ref() == Some(branch);
                let moved_ours =
                    row.branch.as_ref() == Some(branch) && row.head.as_ref() != after.as_ref();
                row.pull.is_some() && (moved_base || moved_ours)
            }
            Self::Checks(head) => row.head.as_ref() == Some(head),
            Self::Group { base, .. } => row.pull.is_some() && row.base.as_ref() == Some(base),
        }
    }
}
