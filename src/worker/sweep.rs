//! The sweep: what was missed is found by asking for what changed since the last one.

use serde_json::json;

use super::failure::Failure;
use super::inbox::{COMMENT_EVENT, comment_delivery};
use super::missed::Place;
use super::{Engine, jobs, sweep_job};
use crate::command::{self, Parsed};
use crate::github::{At, Comment, Reaction, Retry};
use crate::model::Millis;
use crate::pipeline::{Phase, Progress};
use crate::store::{Error, Lease};

/// What changed this shortly before the last sweep is asked for once more: clocks differ.
pub(super) const OVERLAP_MS: i64 = 60_000;
/// Deliveries are remembered this much longer than GitHub may send them again.
const DELIVERY_MARGIN_MS: i64 = 24 * 3_600_000;
/// Lines of the audit are kept so long: more than a year.
const AUDIT_KEPT_MS: i64 = 400 * 24 * 3_600_000;
/// What was spent is known so long: more than thirteen months.
const SPEND_KEPT_MS: i64 = 400 * 24 * 3_600_000;
/// What an agent did when its process died is known so long, and shown no more.
const LIVE_KEPT_MS: i64 = 24 * 3_600_000;
/// A run that waits for a person is looked at in every sweep this long, then every hour.
const PARKED_FRESH_MS: i64 = 3_600_000;

impl Engine {
    pub(super) async fn sweep(&self, lease: &Lease, since: Millis) -> Result<(), Failure> {
        let began = self.now();
        let limits = &self.settings.limits;
        self.mend(began).await?;
        self.sweep_places(since, began).await?;
        self.look_at_parked(since, began).await?;
        let kept_ms = limits.log_ms_max.saturating_add(DELIVERY_MARGIN_MS);
        self.ports.store.prune(began.plus(-kept_ms)).await?;
        self.ports.store.forget_audits(began.plus(-AUDIT_KEPT_MS)).await?;
        self.ports.store.forget_spend(began.plus(-SPEND_KEPT_MS)).await?;
        self.sweep_homes().await?;
        self.ports.store.forget_live(began.plus(-LIVE_KEPT_MS)).await?;
        self.ports.store.forget_streams(began.plus(-limits.stream_ms_max)).await?;
        let next = sweep_job(began, began.plus(limits.sweep_ms));
        self.end(lease, vec![next]).await
    }

    /// Asks every place for what changed since `since`.
    pub(super) async fn sweep_places(&self, since: Millis, now: Millis) -> Result<(), Failure> {
        for at in self.ports.github.places().await? {
            let mut place = Place::new(at, since.plus(-OVERLAP_MS), now);
            passable(self.sweep_comments(&place).await)?;
            passable(self.sweep_issues(&mut place).await)?;
        }
        Ok(())
    }

    async fn sweep_comments(&self, place: &Place) -> Result<(), Failure> {
        for comment in self.ports.github.comments_since(&place.at, place.from).await? {
            passable(self.found(&place.at, comment, place.now).await)?;
        }
        Ok(())
    }

    async fn sweep_issues(&self, place: &mut Place) -> Result<(), Failure> {
        for issue in self.ports.github.issues_since(&place.at, place.from).await? {
            passable(self.touched(place, &issue).await)?;
        }
        Ok(())
    }

    /// Runs that wait for a person have no timer: what a look would tell them may have come in a
    /// webhook that was lost.
    async fn look_at_parked(&self, since: Millis, now: Millis) -> Result<(), Failure> {
        let hourly = now.0.div_euclid(PARKED_FRESH_MS) != since.0.div_euclid(PARKED_FRESH_MS);
        let store = &self.ports.store;
        let mut looks = Vec::new();
        for row in store.live_runs(None).await? {
            let parked = match store.load(&row.run).await?.map(|one| one.state.progress) {
                Some(Progress::Running { since, phase: Phase::Parked(_), .. }) => {
                    hourly || now.since(since) < PARKED_FRESH_MS
                }
                Some(Progress::Running { .. } | Progress::Idle | Progress::Finished { .. })
                | None => false,
            };
            if parked && row.pull.is_some() {
                looks.push(jobs::look(&row.run, now));
            }
        }
        Ok(store.put(looks).await?)
    }

    /// Remembers a command as the webhook would have; one that was heard is known by its number.
    /// However old, it is heard in time: a sweep asks for what was written since the last one,
    /// which is since we were last up.
    async fn found(&self, at: &At, comment: Comment, now: Millis) -> Result<(), Failure> {
        let Some(by) = comment.by.filter(|by| self.hears(by, comment.via) && !comment.edited)
        else {
            return Ok(());
        };
        if command::parse(&comment.body) == Parsed::None {
            return Ok(());
        }
        let id = comment_delivery(at, comment.id)?;
        if self.ports.store.delivery(&id).await?.is_some() {
            return Ok(());
        }
        // Seen before it is remembered: what is known already is not reacted to again.
        self.ports.github.react(at, comment.id, Reaction::Eyes).await?;
        let (owner, name) = (at.repo.owner(), at.repo.name());
        let issue = if comment.is_pull {
            json!({"number": comment.number, "pull_request": {}})
        } else {
            json!({"number": comment.number})
        };
        let kind = if by.bot { "Bot" } else { "User" };
        let via = comment.via.map(|app| json!({"id": app}));
        let body = json!({
            "action": "created",
            "installation": {"id": at.installation},
            "repository": {"full_name": at.repo, "name": name, "owner": {"login": owner}},
            "issue": issue,
            "comment": {
                "id": comment.id,
                "body": comment.body,
                "created_at": comment.created.rfc3339(),
                "user": {"id": by.id, "login": by.login, "type": kind},
                "performed_via_github_app": via,
            },
            "sender": {"id": by.id, "login": by.login, "type": kind},
        });
        let body = body.to_string();
        self.remember((at, comment.id), (COMMENT_EVENT, body.as_bytes()), now).await
    }
}

/// What one place, comment or delivery refuses for good (it was deleted, the App is suspended
/// there, it is too large) must not end the sweep of all others.
pub(super) fn passable(swept: Result<(), Failure>) -> Result<(), Failure> {
    match swept {
        Err(Failure::GitHub(error)) if error.retry() == Retry::Never => {
            tracing::info!(%error, "left out of the sweep");
            Ok(())
        }
        Err(Failure::Store(error @ (Error::TooLarge { .. } | Error::Damaged(_)))) => {
            tracing::warn!(%error, "left out of the sweep");
            Ok(())
        }
        other => other,
    }
}
