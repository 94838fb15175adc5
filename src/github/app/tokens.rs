//! Installation tokens: one for each repository and purpose, no wider than it needs to be.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::Method;

use super::App;
use super::scope::{self, Asked, Level, Minted};
use super::wire::{Answer, Request};
use crate::github::{At, Error};
use crate::model::{InstallationId, Millis, Repo};

/// A token is not used in the last five minutes of its life, in milliseconds.
const MARGIN_MS: i64 = 5 * 60 * 1000;
/// The life assumed of a token that does not tell it; GitHub's is an hour.
const LIFE_MS: i64 = 30 * 60 * 1000;
/// Tokens kept; those out of use go first.
const TOKENS_MAX: usize = 2_000;

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(String);

impl Secret {
    pub(super) fn new(text: String) -> Self {
        Self(text)
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grant {
    Read,
    /// Comments, reactions, issues and pull requests.
    Talk,
    /// Check runs: ours, and asking for others once more.
    Report,
    /// Asking GitHub's own workflows for a job once more.
    Rerun,
    Fetch,
    Push,
    Merge,
}

impl Grant {
    /// GitHub's names of the permissions it needs.
    pub(super) fn permissions(self) -> &'static [(&'static str, Level)] {
        use Level::{Read, Write};
        match self {
            Self::Read => &[
                ("actions", Read),
                ("checks", Read),
                ("contents", Read),
                ("issues", Read),
                ("metadata", Read),
                ("pull_requests", Read),
                ("statuses", Read),
            ],
            Self::Talk => &[("issues", Write), ("metadata", Read), ("pull_requests", Write)],
            Self::Report => &[("checks", Write), ("metadata", Read)],
            Self::Rerun => &[("actions", Write), ("metadata", Read)],
            Self::Fetch => &[("contents", Read), ("metadata", Read)],
            Self::Push => &[("contents", Write), ("metadata", Read)],
            Self::Merge => &[("contents", Write), ("metadata", Read), ("pull_requests", Write)],
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    installation: InstallationId,
    repo: Repo,
    grant: Grant,
}

#[derive(Debug, Clone)]
struct Token {
    secret: Secret,
    expires: Millis,
}

/// Held while a token is asked for, so that many callers make one.
type Slot = Arc<tokio::sync::Mutex<Option<Token>>>;

/// The tokens we hold.
#[derive(Default)]
pub(super) struct Tokens {
    slots: Mutex<BTreeMap<Key, Slot>>,
    /// Tokens that can only list repositories, one for each installation.
    listing: Mutex<BTreeMap<InstallationId, Token>>,
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
        let good = |token: &&Token| now.0 < token.expires.0 - MARGIN_MS;
        listing.get(&installation).filter(good).map(|token| token.secret.clone())
    }

    fn remember_listing(&self, installation: InstallationId, token: Token) {
        let mut listing = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        if listing.len() >= TOKENS_MAX {
            listing.clear();
        }
        listing.insert(installation, token);
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
        let now = self.claims.github_time(self.clock.now());
        let good =
            |token: &&Token| now.0 < token.expires.0 - MARGIN_MS && refused != Some(&token.secret);
        if let Some(token) = held.as_ref().filter(good) {
            return Ok(token.secret.clone());
        }
        let token = self.mint(at, grant).await?;
        let secret = token.secret.clone();
        *held = Some(token);
        Ok(secret)
    }

    async fn mint(&self, at: &At, grant: Grant) -> Result<Token, Error> {
        let asked = Asked { permissions: grant.permissions(), repo: Some(&at.repo) };
        let answer = self.ask_token(at.installation, &asked).await?;
        if !answer.is_success() {
            let refusal = answer.refusal();
            // A permission or repository that was not granted will not come by asking again.
            return Err(match refusal.error(self.clock.now()) {
                Error::Refused { text, .. } => {
                    Error::Forbidden(format!("the installation does not grant it: {text}"))
                }
                other @ (Error::Gone(_)
                | Error::Forbidden(_)
                | Error::Limited { .. }
                | Error::Unavailable(_)
                | Error::Unexpected(_)) => other,
            });
        }
        self.take(&asked, &answer)
    }

    /// A token that can do nothing but list repositories; `None` when there is none to have.
    pub(super) async fn listing_token(
        &self,
        installation: InstallationId,
    ) -> Result<Option<Secret>, Error> {
        let now = self.claims.github_time(self.clock.now());
        if let Some(held) = self.tokens.listing(installation, now) {
            return Ok(Some(held));
        }
        let asked = Asked { permissions: &[("metadata", Level::Read)], repo: None };
        let answer = self.ask_token(installation, &asked).await?;
        if !answer.is_success() {
            return Ok(None);
        }
        let token = self.take(&asked, &answer)?;
        let secret = token.secret.clone();
        self.tokens.remember_listing(installation, token);
        Ok(Some(secret))
    }

    async fn ask_token(
        &self,
        installation: InstallationId,
        asked: &Asked<'_>,
    ) -> Result<Answer, Error> {
        let path = format!("/app/installations/{installation}/access_tokens");
        let mut request = Request::write(Method::POST, "token", path, asked.body());
        // A second token harms nobody.
        request.repeat = true;
        self.as_app(&request).await
    }

    /// The token of an answer, when it is what was asked for. Registered before it is judged.
    fn take(&self, asked: &Asked<'_>, answer: &Answer) -> Result<Token, Error> {
        let minted: Minted = answer.json()?;
        let text = minted.token.as_deref().unwrap_or_default();
        self.vault.keep(text);
        scope::text(text)?;
        asked.check(&minted)?;
        let told = minted.expires_at.as_deref().and_then(|text| text.parse().ok());
        let now = self.claims.github_time(self.clock.now());
        let expires = told.map_or_else(
            || now.plus(LIFE_MS),
            |told: jiff::Timestamp| Millis(told.as_millisecond()),
        );
        Ok(Token { secret: Secret(text.to_owned()), expires })
    }
}
