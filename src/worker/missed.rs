//! Issues and pull requests that changed: what a webhook would have said of them is found out
//! by asking, and kept as that webhook would have been.

use serde_json::json;
use sha2::{Digest, Sha256};

use super::failure::Failure;
use super::inbox::SWEPT_EVENT;
use super::{Engine, jobs};
use crate::github::{At, Change, Changed, Error, Issue, Touched};
use crate::model::{DeliveryId, IssueNumber, Millis, Repo, RunId, User};
use crate::pipeline::Progress;
use crate::store::NewDelivery;

/// One repository during a sweep.
#[derive(Debug)]
pub(super) struct Place {
    pub at: At,
    /// What changed before is known.
    pub from: Millis,
    pub now: Millis,
    /// The label that starts runs here, once it was asked for.
    label: Option<String>,
}

impl Place {
    pub(super) fn new(at: At, from: Millis, now: Millis) -> Self {
        Self { at, from, now, label: None }
    }
}

impl Engine {
    pub(super) async fn touched(&self, place: &mut Place, issue: &Touched) -> Result<(), Failure> {
        let store = &self.ports.store;
        match store.live_run(&place.at.repo, issue.number).await? {
            // A review, a push, a merge by hand, a close: the look tells.
            Some(run) if issue.is_pull => Ok(store.put(vec![jobs::look(&run, place.now)]).await?),
            Some(run) => self.unwanted(place, issue, &run).await,
            None if issue.is_pull || !issue.open || issue.labels.is_empty() => Ok(()),
            None => self.wanted_by_label(place, issue).await,
        }
    }

    /// The issue of a live run may have been closed, or lost the label that started it.
    async fn unwanted(&self, place: &Place, issue: &Touched, run: &RunId) -> Result<(), Failure> {
        let Some(snapshot) = self.ports.store.load(run).await? else { return Ok(()) };
        let state = &snapshot.state;
        if state.withdrawn.is_some() || state.work.landed.is_some() {
            return Ok(());
        }
        let label = &snapshot.policy.label;
        let by_label = state.request.comment.is_none();
        let what = if !issue.open {
            Changed::Closed
        } else if by_label && !issue.labels.contains(label) {
            Changed::Unlabeled(label.clone())
        } else {
            return Ok(());
        };
        match self.last(place, issue.number, &what).await? {
            Some(change) => self.tell(place, issue.number, &change).await,
            None => Ok(()),
        }
    }

    /// An open issue without a run may have been given the label that starts one.
    async fn wanted_by_label(&self, place: &mut Place, issue: &Touched) -> Result<(), Failure> {
        let label = match &place.label {
            Some(label) => label.clone(),
            None => self.policy(&place.at).await?.unwrap_or_default().label,
        };
        place.label = Some(label.clone());
        if !issue.labels.contains(&label) {
            return Ok(());
        }
        let put = self.last(place, issue.number, &Changed::Labeled(label)).await?;
        let Some(put) = put.filter(|put| put.at >= place.from) else { return Ok(()) };
        if self.ended_since(&place.at.repo, issue.number, put.at).await? {
            return Ok(());
        }
        self.tell(place, issue.number, &put).await
    }

    async fn last(
        &self,
        place: &Place,
        issue: IssueNumber,
        what: &Changed,
    ) -> Result<Option<Change>, Failure> {
        let history = self.ports.github.history(&place.at, issue).await?;
        Ok(history.into_iter().rfind(|change| change.what == *what))
    }

    /// Keeps a change as its webhook, under a name of its own: the second time changes nothing.
    async fn tell(
        &self,
        place: &Place,
        issue: IssueNumber,
        change: &Change,
    ) -> Result<(), Failure> {
        let at = &place.at;
        let (action, label) = match &change.what {
            Changed::Labeled(label) => ("labeled", Some(label)),
            Changed::Unlabeled(label) => ("unlabeled", Some(label)),
            Changed::Closed => ("closed", None),
        };
        let kind = |by: &User| if by.bot { "Bot" } else { "User" };
        let sender =
            change.by.as_ref().map(|by| json!({"id": by.id, "login": by.login, "type": kind(by)}));
        let body = json!({
            "action": action,
            "installation": {"id": at.installation},
            "repository": {"full_name": at.repo},
            "issue": {"number": issue, "updated_at": change.at.rfc3339()},
            "label": label.map(|name| json!({"name": name})),
            "sender": sender,
        });
        let id = named("issue", &at.repo, &format!("{issue}/{}", change.id))?;
        let (event, body) = (SWEPT_EVENT.to_owned(), body.to_string().into_bytes());
        self.ports.store.record(NewDelivery { id, event, body, at: place.now }).await?;
        Ok(())
    }

    /// Whether the last run of an issue ended after `moment`, as far as GitHub's whole seconds
    /// can tell: what was asked for before is settled.
    pub(super) async fn ended_since(
        &self,
        repo: &Repo,
        issue: IssueNumber,
        moment: Millis,
    ) -> Result<bool, Failure> {
        let store = &self.ports.store;
        let Some(run) = store.latest_run(repo, issue).await? else { return Ok(false) };
        let progress = store.load(&run).await?.map(|snapshot| snapshot.state.progress);
        Ok(match progress {
            Some(Progress::Finished { at, .. }) => moment.plus(1_000) <= at,
            Some(Progress::Idle | Progress::Running { .. }) | None => false,
        })
    }

    /// The issue as it is now; `None` when it is deleted or lives elsewhere.
    pub(super) async fn issue_now(
        &self,
        at: &At,
        number: IssueNumber,
    ) -> Result<Option<Issue>, Failure> {
        match self.ports.github.issue(at, number).await {
            Ok(issue) => Ok(Some(issue).filter(|issue| issue.number == number)),
            Err(Error::Gone(_)) => Ok(None),
            Err(other) => Err(other.into()),
        }
    }
}

/// The name under which something is remembered by its meaning, however it was heard of.
pub(super) fn named(kind: &str, repo: &Repo, what: &str) -> Result<DeliveryId, Failure> {
    let digest = hex::encode(Sha256::digest(format!("{repo}#{what}")));
    let name = format!("{kind}-{}", digest.get(..32).unwrap_or(&digest));
    DeliveryId::parse(&name).map_err(|error| Failure::Fault(error.to_string()))
}
