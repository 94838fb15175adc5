//! The key in this process: signs claims, asks GitHub, and judges every token before it is used.

use std::sync::Arc;

use async_trait::async_trait;
use axum::http::Method;

use super::super::claim::{Claims, Tried};
use super::super::pace::{Account, Pacer};
use super::super::repeat::Sender;
use super::super::scope::{self, Asked, Minted};
use super::super::wire::{Answer, Request, Wire};
use super::super::{Config, cache::Cache};
use super::{Keys, Lapse, Question, Token, Wanted};
use crate::clock::Clock;
use crate::github::Error;
use crate::model::{Millis, Secret, Vault};

/// The life assumed of a token that does not tell it; GitHub's is an hour.
const LIFE_MS: i64 = 30 * 60 * 1000;

/// The holder of the key.
pub(in crate::github::app) struct Local {
    claims: Claims,
    sender: Arc<Sender>,
    vault: Vault,
    lapse: Lapse,
}

/// A holder of the key with a line to GitHub of its own, for a process that does nothing else.
///
/// # Errors
/// When the key or the address cannot be used.
pub fn holder(config: &Config, clock: Arc<dyn Clock>) -> Result<super::Door, Error> {
    let pace = Pacer::new(config.limits, Arc::clone(&clock));
    let wire = Wire::new(config)?;
    let sender = Sender::new(config, wire, Cache::default(), (pace, clock));
    Ok(super::Door::new(Arc::new(Local::new(config, Arc::new(sender))?)))
}

impl Local {
    pub(in crate::github::app) fn new(config: &Config, sender: Arc<Sender>) -> Result<Self, Error> {
        let claims = Claims::new(config)?;
        Ok(Self { claims, sender, vault: config.vault.clone(), lapse: config.lapse })
    }

    fn now(&self) -> Millis {
        self.sender.clock.now()
    }

    /// Sends as the App itself. A refused claim is made anew by GitHub's clock, or with the
    /// other key, each once.
    async fn as_app(&self, request: &Request) -> Result<Answer, Error> {
        let mut tried = Tried::default();
        let account = Account::of_app(&request.path);
        loop {
            let (claim, key) = self.claims.claim(&tried, self.now())?;
            let answer = self.sender.deliver(account, &claim, request).await?;
            if answer.status != 401 {
                self.claims.worked(key);
                return Ok(answer);
            }
            if !self.claims.learn(&mut tried, &answer, self.now()) {
                return Ok(answer);
            }
        }
    }

    /// The token of an answer, when it is what was asked for. Registered before it is judged.
    fn take(&self, asked: &Asked<'_>, minted: &Minted) -> Result<Token, Error> {
        let secret = minted.token.clone().unwrap_or_else(|| Secret::new(""));
        self.vault.keep(secret.reveal());
        scope::text(secret.reveal())?;
        if self.lapse != Lapse::Scope {
            asked.check(minted)?;
        }
        let told = minted.expires_at.as_deref().and_then(|text| text.parse().ok());
        let now = self.claims.github_time(self.now());
        let left_ms =
            told.map_or(LIFE_MS, |told: jiff::Timestamp| Millis(told.as_millisecond()).since(now));
        Ok(Token { secret, left_ms })
    }

    /// Gives back a token that is not used, as well as GitHub lets us.
    async fn revoke(&self, wanted: &Wanted, minted: &Minted) {
        let Some(secret) = minted.token.as_ref().filter(|one| scope::text(one.reveal()).is_ok())
        else {
            return;
        };
        let mut request = Request::get("revoke", "/installation/token".to_owned());
        (request.method, request.read, request.repeat) = (Method::DELETE, false, false);
        let account = Account::Installation(wanted.installation);
        if let Err(error) = self.sender.deliver(account, secret, &request).await {
            tracing::warn!(%error, "a token that is not used could not be given back");
        }
    }
}

#[async_trait]
impl Keys for Local {
    async fn mint(&self, wanted: &Wanted) -> Result<Token, Error> {
        if !wanted.is_scoped() {
            return Err(Error::Unexpected("a token is for one repository".to_owned()));
        }
        let asked = Asked { permissions: wanted.grant.permissions(), repo: wanted.repo.as_ref() };
        let path = format!("/app/installations/{}/access_tokens", wanted.installation);
        let mut request = Request::write(Method::POST, "token", path, asked.body());
        // A second token harms nobody.
        request.repeat = true;
        let answer = self.as_app(&request).await?;
        if !answer.is_success() {
            return Err(refused(answer.refusal().error(self.now())));
        }
        // The parser's own message may quote the token.
        let minted: Minted = answer.json().map_err(|_error| {
            Error::Unexpected("the answer about a token cannot be read".to_owned())
        })?;
        let taken = self.take(&asked, &minted);
        if taken.is_err() {
            self.revoke(wanted, &minted).await;
        }
        taken
    }

    async fn ask(&self, question: &Question) -> Result<Answer, Error> {
        let answer = self.as_app(&question.request()).await?;
        if answer.is_success() {
            return Ok(answer);
        }
        Err(answer.refusal().error(self.now()))
    }
}

/// A permission or repository that was not granted will not come by asking again.
fn refused(error: Error) -> Error {
    match error {
        Error::Refused { text, .. } => {
            Error::Forbidden(format!("the installation does not grant it: {text}"))
        }
        other @ (Error::Gone(_)
        | Error::Forbidden(_)
        | Error::Limited { .. }
        | Error::Unavailable(_)
        | Error::Unexpected(_)) => other,
    }
}
