//! GitHub's log of deliveries: what failed is asked for again, and where no webhook can reach
//! us, what it holds is taken as if it had.
//!
//! A payload from the log is as genuine as a signed one: it came from GitHub's own interface,
//! over our connection, to the holder of the App's key.

use super::failure::Failure;
use super::sweep::{OVERLAP_MS, passable};
use super::{Engine, poll_job};
use crate::github::delivery::{self, Log, Logged, Which};
use crate::github::payload::{self, Interest};
use crate::github::{Error, Retry};
use crate::model::Millis;
use crate::store::{Lease, NewDelivery};

/// Most deliveries asked for again in one sweep.
const REDELIVERIES_MAX: usize = 50;

impl Engine {
    /// Asks for failed deliveries again, those that matter most first. The next sweep sees what
    /// this one did not get to: whatever GitHub says, it does not end the sweep.
    pub(super) async fn mend(&self, now: Millis) -> Result<(), Failure> {
        // Where the log is read anyway nobody has to send again, least of all to nobody.
        if self.settings.limits.poll_ms > 0 {
            return Ok(());
        }
        match self.redeliver_failed(now).await {
            Err(Failure::GitHub(error)) => {
                tracing::warn!(%error, "the delivery log is left for the next sweep");
                Ok(())
            }
            other => other,
        }
    }

    async fn redeliver_failed(&self, now: Millis) -> Result<(), Failure> {
        let limits = &self.settings.limits;
        let from = now.plus(-limits.log_ms_max);
        let log = self.ports.github.deliveries_since(from, Which::Failed).await?;
        let mut lost = delivery::due(&log.entries, now, limits.sweep_ms);
        lost.sort_by_key(|logged| interest(logged));
        let mut asked = 0;
        let live = self.is_busy().await?;
        for logged in lost {
            if !matters(logged, live) || self.ports.store.delivery(&logged.guid).await?.is_some() {
                continue;
            }
            if asked == REDELIVERIES_MAX {
                tracing::info!(asked, "more failed deliveries wait for the next sweep");
                break;
            }
            asked += 1;
            tracing::info!(guid = %logged.guid, event = logged.event, "a delivery is asked again");
            passable(match interest(logged) {
                Interest::Press => self.take(logged, now).await,
                Interest::Wish | Interest::Hint | Interest::Nothing => {
                    self.ports.github.redeliver(logged.id).await.map_err(Failure::from)
                }
            })?;
        }
        Ok(())
    }

    /// Reads what is new in the log and keeps it as the web would have. Without a webhook the
    /// log is silent: then every place is asked.
    pub(super) async fn poll(&self, lease: &Lease, since: Millis) -> Result<(), Failure> {
        let poll_ms = self.settings.limits.poll_ms;
        if poll_ms == 0 {
            return self.end(lease, Vec::new()).await;
        }
        let began = self.now();
        let log = self.log_since(since.plus(-OVERLAP_MS)).await?;
        let live = self.is_busy().await?;
        for logged in log.entries.iter().filter(|logged| matters(logged, live)) {
            if self.ports.store.delivery(&logged.guid).await?.is_none() {
                passable(self.take(logged, began).await)?;
            }
        }
        if log.silent {
            self.sweep_places(since, began).await?;
        }
        self.end(lease, vec![poll_job(began, began.plus(poll_ms))]).await
    }

    /// A server that has no log for us is one whose log is silent.
    async fn log_since(&self, from: Millis) -> Result<Log, Error> {
        match self.ports.github.deliveries_since(from, Which::All).await {
            Err(error) if error.retry() == Retry::Never => {
                tracing::warn!(%error, "no delivery log; every repository is asked");
                Ok(Log { silent: true, ..Log::default() })
            }
            other => other,
        }
    }

    /// Keeps what the log holds of a delivery.
    async fn take(&self, logged: &Logged, now: Millis) -> Result<(), Failure> {
        let Some(kept) = self.ports.github.delivery(logged.id).await? else { return Ok(()) };
        let (id, event, body) = (logged.guid.clone(), kept.event, kept.body);
        // When GitHub sent it counts, not when we came to read of it.
        let at = logged.at.min(now);
        self.ports.store.record(NewDelivery { id, event, body, at }).await?;
        Ok(())
    }

    async fn is_busy(&self) -> Result<bool, Failure> {
        Ok(!self.ports.store.live_runs(None).await?.is_empty())
    }
}

fn interest(logged: &Logged) -> Interest {
    payload::interest(&logged.event, logged.action.as_deref())
}

fn matters(logged: &Logged, live: bool) -> bool {
    match interest(logged) {
        Interest::Press | Interest::Wish => true,
        Interest::Hint => live,
        Interest::Nothing => false,
    }
}
