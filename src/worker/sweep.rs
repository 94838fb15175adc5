//! The sweep: commands whose webhook was lost, found by asking for comments since the last one.

use serde_json::json;

use super::failure::Failure;
use super::inbox::comment_delivery;
use super::{Engine, sweep_job};
use crate::command::{self, Parsed};
use crate::github::{At, Comment, Reaction, Retry};
use crate::model::Millis;
use crate::store::Lease;

/// Comments written this shortly before the last sweep are asked for once more: clocks differ.
const OVERLAP_MS: i64 = 60_000;
/// Deliveries are remembered this long: GitHub sends none again after three days.
const DELIVERY_AGE_MS_MAX: i64 = 4 * 24 * 3_600_000;

impl Engine {
    pub(super) async fn sweep(&self, lease: &Lease, since: Millis) -> Result<(), Failure> {
        let began = self.now();
        for at in self.ports.github.places().await? {
            let from = since.plus(-OVERLAP_MS);
            passable(self.sweep_place(&at, from, began).await)?;
        }
        self.ports.store.prune(began.plus(-DELIVERY_AGE_MS_MAX)).await?;
        let next = sweep_job(began, began.plus(self.settings.limits.sweep_ms));
        self.end(lease, vec![next]).await
    }

    async fn sweep_place(&self, at: &At, from: Millis, began: Millis) -> Result<(), Failure> {
        for comment in self.ports.github.comments_since(at, from).await? {
            passable(self.found(at, comment, began).await)?;
        }
        Ok(())
    }

    /// Remembers a command as the webhook would have; one that was heard is known by its number.
    async fn found(&self, at: &At, comment: Comment, now: Millis) -> Result<(), Failure> {
        let Some(by) = comment.by.filter(|by| !by.bot && !comment.edited) else { return Ok(()) };
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
        let body = json!({
            "action": "created",
            "installation": {"id": at.installation},
            "repository": {"full_name": at.repo, "name": name, "owner": {"login": owner}},
            "issue": issue,
            "comment": {
                "id": comment.id,
                "body": comment.body,
                "created_at": comment.created.rfc3339(),
                "user": {"id": by.id, "login": by.login, "type": "User"},
            },
            "sender": {"id": by.id, "login": by.login, "type": "User"},
        });
        let body = body.to_string();
        self.remember(at, comment.id, body.as_bytes(), now).await
    }
}

/// What one place or comment refuses for good (it was deleted, or the App is suspended there)
/// must not end the sweep of all others.
fn passable(swept: Result<(), Failure>) -> Result<(), Failure> {
    match swept {
        Err(Failure::GitHub(error)) if error.retry() == Retry::Never => {
            tracing::info!(%error, "left out of the sweep");
            Ok(())
        }
        other => other,
    }
}
