//! Sending what may be sent again until it is answered, and not asking for what we still have.

use std::sync::Arc;

use super::cache::Cache;
use super::pace::{Account, Pacer};
use super::wire::{Answer, Request, Wire};
use super::{App, Config};
use crate::clock::Clock;
use crate::github::Error;
use crate::model::Secret;

/// Times in all that a request is sent which may be repeated.
const TRIES_MAX: u32 = 3;

/// The way to GitHub: connection, pace and what is kept of answers.
pub(super) struct Sender {
    pub(super) wire: Wire,
    pub(super) pace: Pacer,
    pub(super) clock: Arc<dyn Clock>,
    cache: Cache,
    backoff_ms: i64,
}

impl App {
    /// As [`Sender::deliver`].
    pub(super) async fn deliver(
        &self,
        account: Account,
        secret: &Secret,
        request: &Request,
    ) -> Result<Answer, Error> {
        self.sender.deliver(account, secret, request).await
    }
}

impl Sender {
    pub(super) fn new(
        config: &Config,
        wire: Wire,
        cache: Cache,
        (pace, clock): (Pacer, Arc<dyn Clock>),
    ) -> Self {
        let backoff_ms = i64::try_from(config.backoff.as_millis()).unwrap_or(i64::MAX);
        Self { wire, pace, clock, cache, backoff_ms }
    }

    /// Sends. When its answer is lost, a request that may be repeated is, after a wait that
    /// doubles; anything else is sent once. Answers to an installation are kept for it.
    pub(super) async fn deliver(
        &self,
        account: Account,
        secret: &Secret,
        request: &Request,
    ) -> Result<Answer, Error> {
        let mut wait_ms = self.backoff_ms;
        for _try in 1..TRIES_MAX {
            let answer = self.once(account, secret, request).await;
            if !request.repeat || !is_lost(&answer) {
                return answer;
            }
            self.clock.sleep_until(self.clock.now().plus(wait_ms)).await;
            wait_ms = wait_ms.saturating_mul(2);
        }
        self.once(account, secret, request).await
    }

    async fn once(
        &self,
        account: Account,
        secret: &Secret,
        request: &Request,
    ) -> Result<Answer, Error> {
        let last = match account {
            Account::Installation(whose) => self.cache.last(whose, request),
            Account::App | Account::Tokens(_) => None,
        };
        let etag = last.as_ref().map(|kept| kept.etag.as_str());
        let slot = self.pace.enter(account, request).await?;
        let mut answer = self.wire.send(secret, request, etag).await?;
        slot.heard(&answer);
        drop(slot);
        match (last, account) {
            (Some(kept), _) if answer.status == 304 => answer.stay(&kept),
            (_, Account::Installation(whose)) => self.cache.keep(whose, request, &answer),
            (_, Account::App | Account::Tokens(_)) => {}
        }
        Ok(answer)
    }
}

fn is_lost(answer: &Result<Answer, Error>) -> bool {
    match answer {
        Ok(answer) => answer.status >= 500,
        Err(error) => matches!(error, Error::Unavailable(_)),
    }
}
