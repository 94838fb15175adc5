//! Installation tokens: one for each repository and purpose, no wider than it needs to be.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use octocrab::jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::App;
use super::wire::Request;
use crate::github::{At, Error};
use crate::model::{InstallationId, Millis, Repo};

/// A token is not used in the last five minutes of its life, in milliseconds.
const MARGIN_MS: i64 = 5 * 60 * 1000;
/// The life assumed of a token that does not tell it; GitHub's is an hour.
const LIFE_MS: i64 = 30 * 60 * 1000;
/// Tokens kept; those out of use go first.
const TOKENS_MAX: usize = 2_000;
/// Our claim reaches back for clocks that go wrong and forward less than the ten minutes
/// GitHub allows, in seconds.
const CLAIM_BEFORE_S: i64 = 60;
const CLAIM_AFTER_S: i64 = 540;

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
    fn permissions(self) -> Value {
        match self {
            Self::Read => json!({
                "actions": "read", "checks": "read", "contents": "read", "issues": "read",
                "metadata": "read", "pull_requests": "read", "statuses": "read",
            }),
            Self::Talk => {
                json!({"issues": "write", "metadata": "read", "pull_requests": "write"})
            }
            Self::Report => json!({"checks": "write", "metadata": "read"}),
            Self::Rerun => json!({"actions": "write", "metadata": "read"}),
            Self::Fetch => json!({"contents": "read", "metadata": "read"}),
            Self::Push => json!({"contents": "write", "metadata": "read"}),
            Self::Merge => {
                json!({"contents": "write", "metadata": "read", "pull_requests": "write"})
            }
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

/// The tokens we hold and the key that gets us new ones.
pub(super) struct Tokens {
    app_id: u64,
    key: EncodingKey,
    slots: Mutex<BTreeMap<Key, Slot>>,
    /// Tokens that can only list repositories, one for each installation.
    listing: Mutex<BTreeMap<InstallationId, Token>>,
}

#[derive(Serialize)]
struct Claims {
    iss: String,
    iat: i64,
    exp: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Minted {
    token: Option<String>,
    expires_at: Option<String>,
}

impl Tokens {
    pub(super) fn new(app_id: u64, pem: &[u8]) -> Result<Self, Error> {
        let key = EncodingKey::from_rsa_pem(pem).map_err(|_error| {
            Error::Unexpected("the private key is no RSA key in PEM form".into())
        })?;
        Ok(Self { app_id, key, slots: Mutex::default(), listing: Mutex::default() })
    }

    fn slot(&self, key: Key) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= TOKENS_MAX {
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        Arc::clone(slots.entry(key).or_default())
    }

    /// A token of this installation that can list repositories, if a good one is held.
    pub(super) fn listing(&self, installation: InstallationId, now: Millis) -> Option<Secret> {
        let listing = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        let good = |token: &&Token| now.0 < token.expires.0 - MARGIN_MS;
        listing.get(&installation).filter(good).map(|token| token.secret.clone())
    }

    /// Remembers such a token, made at `now`.
    pub(super) fn remember_listing(
        &self,
        installation: InstallationId,
        secret: Secret,
        now: Millis,
    ) {
        let mut listing = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        if listing.len() >= TOKENS_MAX {
            listing.clear();
        }
        listing.insert(installation, Token { secret, expires: now.plus(LIFE_MS) });
    }

    pub(super) fn forget_listing(&self, installation: InstallationId) {
        let mut listing = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        listing.remove(&installation);
    }

    /// What proves for ten minutes that we are the App.
    fn claim(&self, now: Millis) -> Result<Secret, Error> {
        let now_s = now.0.div_euclid(1000);
        let (iat, exp) = (now_s - CLAIM_BEFORE_S, now_s + CLAIM_AFTER_S);
        let claims = Claims { iss: self.app_id.to_string(), iat, exp };
        let signed = encode(&Header::new(Algorithm::RS256), &claims, &self.key);
        signed.map(Secret).map_err(|_error| Error::Unexpected("the claim cannot be signed".into()))
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
        let path = format!("/app/installations/{}/access_tokens", at.installation);
        let body = json!({"repositories": [at.repo.name()], "permissions": grant.permissions()});
        let request = Request::write(axum::http::Method::POST, "token", path, body);
        let answer = self.as_app(&request).await?;
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
        let minted: Minted = answer.json()?;
        let missing = || Error::Unexpected("the answer holds no token".to_owned());
        let secret = Secret(minted.token.filter(|one| !one.is_empty()).ok_or_else(missing)?);
        let told = minted.expires_at.and_then(|text| text.parse::<jiff::Timestamp>().ok());
        let expires = told.map_or_else(
            || self.clock.now().0.saturating_add(LIFE_MS),
            jiff::Timestamp::as_millisecond,
        );
        Ok(Token { secret, expires: Millis(expires) })
    }

    /// Sends as the App itself. A second token or reading of ourselves harms nobody, so this
    /// is sent once more when the answer is lost.
    pub(super) async fn as_app(&self, request: &Request) -> Result<super::wire::Answer, Error> {
        let claim = self.tokens.claim(self.clock.now())?;
        match self.wire.send(&claim, request).await {
            Ok(answer) if answer.status < 500 => Ok(answer),
            Ok(_) | Err(Error::Unavailable(_)) => self.wire.send(&claim, request).await,
            Err(other) => Err(other),
        }
    }
}
