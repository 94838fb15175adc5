//! Installation tokens that are held: one for each repository and purpose, used while they live.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::App;
use super::keys::{Grant, Minting, Token, Wanted};
use crate::github::{At, Error};
use crate::model::{InstallationId, Millis, Repo, Secret};

/// A token is not used in the last five minutes of its life, in milliseconds.
const MARGIN_MS: i64 = 5 * 60 * 1000;
/// Tokens kept; those out of use go first.
const TOKENS_MAX: usize = 2_000;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    installation: InstallationId,
    repo: Repo,
    grant: Grant,
}

#[derive(Debug, Clone)]
struct Held {
    secret: Secret,
    expires: Millis,
}

impl Held {
    fn of(token: Token, now: Millis) -> Self {
        Self { secret: token.secret, expires: now.plus(token.left_ms) }
    }

    fn is_good(&self, now: Millis) -> bool {
        now.0 < self.expires.0.saturating_sub(MARGIN_MS)
    }
}

/// Held while a token is asked for, so that many callers make one.
type Slot = Arc<tokio::sync::Mutex<Option<Held>>>;

/// The tokens we hold.
#[derive(Default)]
pub(super) struct Tokens {
    slots: Mutex<BTreeMap<Key, Slot>>,
    /// Tokens that can only list repositories, one for each installation.
    listing: Mutex<BTreeMap<InstallationId, Held>>,
}

impl Tokens {
    fn slot(&self, key: Key) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= TOKENS_MAX {
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        Arc::clone(slots.entry(key).or_default())
    }

    /// A token of this installation that can list repositories, if a good one is held.
    fn listing(&self, installation: InstallationId, now: Millis) -> Option<Secret> {
        let listing = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        listing.get(&installation).filter(|held| held.is_good(now)).map(|held| held.secret.clone())
    }

    fn remember_listing(&self, installation: InstallationId, held: Held) {
        let mut listing = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        if listing.len() >= TOKENS_MAX {
            listing.clear();
        }
        listing.insert(installation, held);
    }

    pub(super) fn forget_listing(&self, installation: InstallationId) {
        let mut listing = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        listing.remove(&installation);
    }
}

impl App {
    /// A token that will live for some minutes more.
    pub(super) async fn token(&self, at: &At, grant: Grant) -> Result<Secret, Error> {
        self.token_but(at, grant, None).await
    }

    /// A token other than `refused`, which GitHub does not accept any more.
    pub(super) async fn token_but(
        &self,
        at: &At,
        grant: Grant,
        refused: Option<&Secret>,
    ) -> Result<Secret, Error> {
        let key = Key { installation: at.installation, repo: at.repo.clone(), grant };
        let slot = self.tokens.slot(key);
        let mut held = slot.lock().await;
        let now = self.clock.now();
        let good = |held: &&Held| held.is_good(now) && refused != Some(&held.secret);
        if let Some(held) = held.as_ref().filter(good) {
            return Ok(held.secret.clone());
        }
        let repo = Some(at.repo.clone());
        let token = self.mint(Wanted { installation: at.installation, repo, grant }).await?;
        let secret = token.secret.clone();
        *held = Some(Held::of(token, self.clock.now()));
        Ok(secret)
    }

    /// A token that can do nothing but list repositories; `None` when there is none to have.
    pub(super) async fn listing_token(
        &self,
        installation: InstallationId,
    ) -> Result<Option<Secret>, Error> {
        if let Some(held) = self.tokens.listing(installation, self.clock.now()) {
            return Ok(Some(held));
        }
        let wanted = Wanted { installation, repo: None, grant: Grant::List };
        let token = match self.mint(wanted).await {
            Ok(token) => token,
            Err(Error::Gone(_) | Error::Forbidden(_) | Error::Refused { .. }) => return Ok(None),
            Err(other @ (Error::Limited { .. } | Error::Unavailable(_) | Error::Unexpected(_))) => {
                return Err(other);
            }
        };
        let secret = token.secret.clone();
        self.tokens.remember_listing(installation, Held::of(token, self.clock.now()));
        Ok(Some(secret))
    }

    /// A new token, written down before anybody gets it, as is one that was refused.
    async fn mint(&self, wanted: Wanted) -> Result<Token, Error> {
        let minted = self.keys.mint(&wanted).await;
        let refusal = match &minted {
            Ok(token) => {
                self.vault.keep(token.secret.reveal());
                None
            }
            Err(Error::Limited { .. } | Error::Unavailable(_)) => return minted,
            Err(
                error @ (Error::Gone(_)
                | Error::Forbidden(_)
                | Error::Refused { .. }
                | Error::Unexpected(_)),
            ) => Some(error.to_string()),
        };
        let Some(ledger) = &self.ledger else { return minted };
        let Wanted { installation, repo, grant } = wanted;
        let at = self.clock.now();
        let written = ledger.write(Minting { at, installation, repo, grant, refusal }).await;
        match (minted, written) {
            (Ok(_), Err(why)) => {
                Err(Error::Unavailable(format!("the audit cannot be written: {why}")))
            }
            (minted, _) => minted,
        }
    }
}
