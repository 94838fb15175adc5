//! What a step of a run is for the audit: a function of the state before it, the event, and the
//! state after it, so that no path can forget to write it down.

use sha2::{Digest, Sha256};

use super::Engine;
use super::inbox::Said;
use crate::gate;
use crate::model::budget::Raise;
use crate::model::text::cut;
use crate::model::{Act, Audit, CommitSha, Dollars, Millis, TreeSha, User};
use crate::pipeline::{Done, Event, EventKind, MergeAnswer, Request, State, Task};
use crate::policy::Policy;
use crate::store::Lease;

/// Longest verdict kept, in characters.
const VERDICT_CHARS_MAX: usize = 2_000;

/// A person by name and by the number that stays.
pub(super) fn person(user: &User) -> String {
    format!("{} ({})", user.login, user.id.0)
}

/// SHA-256 of the words that were asked for, as they were frozen.
fn digest(request: &Request) -> String {
    let Request { title, body, words, .. } = request;
    hex::encode(Sha256::digest(format!("{title}\n{body}\n{words}")))
}

/// The lines for a step from `before` to `next`.
pub(super) fn of(before: &State, event: &Event, next: &State, policy: &Policy) -> Vec<Audit> {
    let step = Step { event, next };
    let done = match &event.kind {
        EventKind::Performed { done, .. } => step.done(done),
        EventKind::Started
        | EventKind::Commanded(_)
        | EventKind::Withdrawn { .. }
        | EventKind::Observed(_)
        | EventKind::TimerFired { .. } => None,
    };
    let raised = next.budget.raises.last().filter(|raise| !before.budget.raises.contains(raise));
    let raised = raised.map(|raise| step.raised(raise));
    let asked = (before.task() != next.task()).then(|| step.asked(policy)).flatten();
    let landed = match (&before.work.landed, &next.work.landed) {
        (None, Some(commit)) => Some(step.landed(commit)),
        (Some(_), _) | (None, None) => None,
    };
    done.into_iter().chain(raised).chain(asked).chain(landed).collect()
}

struct Step<'a> {
    event: &'a Event,
    next: &'a State,
}

impl Step<'_> {
    fn line(&self, act: Act, head: Option<&CommitSha>, verdict: impl AsRef<str>) -> Audit {
        let request = &self.next.request;
        Audit {
            at: self.event.at,
            act,
            who: person(&request.by),
            run: Some(request.run.clone()),
            repo: Some(request.repo.clone()),
            head: head.cloned(),
            tree: None,
            digest: Some(digest(request)),
            verdict: cut(verdict.as_ref(), VERDICT_CHARS_MAX),
        }
    }

    /// What the end of a task says was done, or was not let through.
    fn done(&self, done: &Done) -> Option<Audit> {
        match done {
            Done::Published { head, pull, .. } => {
                let branch = self.next.work.branch.as_ref().map(ToString::to_string);
                let branch = branch.unwrap_or_default();
                let verified = self.next.work.verified.as_ref() == Some(head);
                let how = if verified { "verified" } else { "not verified" };
                let verdict = format!("to {branch}, pull request #{pull}; {how}");
                Some(self.line(Act::Push, Some(head), verdict))
            }
            Done::Rejected { why, .. } => Some(self.line(
                Act::Refusal,
                None,
                format!("the change was not let through: {why}"),
            )),
            Done::BudgetUsed { full, .. } => {
                Some(self.line(Act::Refusal, None, format!("a call of a model: {}", full.words())))
            }
            Done::Leaked { why, .. } => {
                Some(self.line(Act::Refusal, None, format!("a secret came back: {why}")))
            }
            Done::Lost { people } => {
                let names: Vec<&str> = people.iter().map(|user| user.login.as_str()).collect();
                let verdict = format!("nothing was sent: {} may not any more", names.join(", "));
                Some(self.line(Act::Refusal, self.next.work.head.as_ref(), verdict))
            }
            Done::MergeAnswered(MergeAnswer::Refused { text }) => {
                let verdict = format!("GitHub refused the merge: {text}");
                Some(self.line(Act::Refusal, self.next.work.head.as_ref(), verdict))
            }
            Done::MergeAnswered(
                MergeAnswer::Merged { .. }
                | MergeAnswer::BaseModified
                | MergeAnswer::ChecksMissing { .. }
                | MergeAnswer::NotMergeable
                | MergeAnswer::HeadModified
                | MergeAnswer::Unknown { .. }
                | MergeAnswer::NotSent,
            )
            | Done::Accepted { .. }
            | Done::NoBase { .. }
            | Done::Stories { .. }
            | Done::Planned { .. }
            | Done::Changed { .. }
            | Done::Unchanged { .. }
            | Done::Critiqued { .. }
            | Done::AgentFailed { .. }
            | Done::Asked { .. }
            | Done::Affordable
            | Done::Verified { .. }
            | Done::Shown { .. }
            | Done::UpdateAsked(_)
            | Done::Recognised { .. }
            | Done::Diverged { .. }
            | Done::Reran
            | Done::Undrafted
            | Done::Ready(_)
            | Done::LaneBusy { .. }
            | Done::Settled(_)
            | Done::Enlisted(_)
            | Done::Left(_)
            | Done::Compared { .. }
            | Done::Landed { .. }
            | Done::Closed
            | Done::Failed { .. } => None,
        }
    }

    /// What is asked of GitHub next, written before it is asked.
    fn asked(&self, policy: &Policy) -> Option<Audit> {
        let (act, permit) = match self.next.task()? {
            Task::Merge(permit) => (Act::Merge, permit),
            Task::Enlist { permit, .. } => (Act::Enlist, permit),
            Task::Accept { .. }
            | Task::Afford
            | Task::Stories { .. }
            | Task::Agent { .. }
            | Task::Verify { .. }
            | Task::Show { .. }
            | Task::Publish { .. }
            | Task::AskUpdate { .. }
            | Task::Recognise { .. }
            | Task::Update { .. }
            | Task::Rerun { .. }
            | Task::Undraft { .. }
            | Task::Ready { .. }
            | Task::Settle { .. }
            | Task::Leave { .. }
            | Task::Compare { .. }
            | Task::Land { .. }
            | Task::Close { .. } => return None,
        };
        let tree: Option<TreeSha> = Some(permit.tree().clone());
        let verdict = self.gates(policy, self.event.at);
        Some(Audit { tree, ..self.line(act, Some(permit.head()), verdict) })
    }

    /// Every gate's sentence.
    fn gates(&self, policy: &Policy, at: Millis) -> String {
        let Some(facts) = self.next.facts(policy, at) else { return "no look".to_owned() };
        let said = gate::judge(&facts);
        let said =
            said.iter().map(|(gate, verdict)| format!("{}: {}", gate.word(), verdict.text()));
        said.collect::<Vec<_>>().join("; ")
    }

    fn raised(&self, raise: &Raise) -> Audit {
        let (more, until) = (Dollars(raise.micros), raise.until.readable());
        let verdict = format!("the run may spend {more} more until {until}");
        Audit { who: person(&raise.by), ..self.line(Act::Raise, None, verdict) }
    }

    fn landed(&self, commit: &CommitSha) -> Audit {
        let by = self.next.work.merged_by.as_deref();
        let verdict = match by {
            Some(by) => format!("merged by {by}"),
            None => "merged as it was permitted".to_owned(),
        };
        Audit {
            tree: self.next.work.predicted.clone(),
            ..self.line(Act::Landed, Some(commit), verdict)
        }
    }
}

impl Engine {
    /// A command that is not done: ends the job, and says so in the audit.
    pub(super) async fn refused(
        &self,
        lease: &Lease,
        said: &Said,
        (jobs, why): (Vec<crate::store::NewJob>, &str),
    ) -> Result<(), super::failure::Failure> {
        let audit = Audit {
            at: self.now(),
            act: Act::Refusal,
            who: person(&said.by),
            run: None,
            repo: Some(said.at.repo.clone()),
            head: None,
            tree: None,
            digest: Some(hex::encode(Sha256::digest(&said.body))),
            verdict: cut(&format!("a command on #{}: {why}", said.number), VERDICT_CHARS_MAX),
        };
        Ok(self.ports.store.finish_audited(lease, jobs, vec![audit]).await?)
    }
}
