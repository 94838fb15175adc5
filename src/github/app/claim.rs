//! The claim by which our App proves who it is: signed with either key, in GitHub's time.

use std::sync::{Mutex, PoisonError};

use octocrab::jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;

use super::Config;
use super::wire::Answer;
use crate::github::Error;
use crate::model::{Millis, Secret, Vault};

/// A claim reaches back for clocks that go wrong and forward less than the ten minutes GitHub
/// allows, in seconds.
const BEFORE_S: i64 = 60;
const AFTER_S: i64 = 540;
/// How long one claim is used, in milliseconds; signing takes about one.
const REUSE_MS: i64 = 4 * 60 * 1000;
/// A machine whose clock is further away from GitHub's is not helped, in milliseconds.
const SKEW_MS_MAX: i64 = 24 * 60 * 60 * 1000;

#[derive(Serialize)]
struct Fields {
    iss: String,
    iat: i64,
    exp: i64,
}

/// What was learned about keys and clocks.
#[derive(Default)]
struct Known {
    /// The key that worked last.
    key: usize,
    /// GitHub's time less ours, in milliseconds.
    skew_ms: i64,
    made: Option<Made>,
}

struct Made {
    secret: Secret,
    key: usize,
    at: Millis,
}

/// What one request tried already.
#[derive(Debug, Default)]
pub(super) struct Tried {
    time: bool,
    other_key: bool,
}

/// Signs claims.
pub(super) struct Claims {
    app_id: u64,
    /// One, or two while they are being exchanged.
    keys: Vec<EncodingKey>,
    known: Mutex<Known>,
    vault: Vault,
}

impl Claims {
    pub(super) fn new(config: &Config) -> Result<Self, Error> {
        let pems = [Some(&config.private_key), config.private_key_old.as_ref()];
        let read = |pem: &Secret| {
            EncodingKey::from_rsa_pem(pem.reveal().as_bytes()).map_err(|_error| {
                Error::Unexpected("the private key is no RSA key in PEM form".to_owned())
            })
        };
        let keys = pems.into_iter().flatten().map(read).collect::<Result<Vec<_>, _>>()?;
        let vault = config.vault.clone();
        Ok(Self { app_id: config.app_id, keys, known: Mutex::default(), vault })
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// GitHub's time when ours is `now`, as far as we know.
    pub(super) fn github_time(&self, now: Millis) -> Millis {
        Millis(now.0.saturating_add(self.known().skew_ms))
    }

    /// A claim and the key it is signed with.
    pub(super) fn claim(&self, tried: &Tried, now: Millis) -> Result<(Secret, usize), Error> {
        let mut known = self.known();
        let key = (known.key + usize::from(tried.other_key)) % self.keys.len().max(1);
        let age_ms = |made: &Made| now.0.saturating_sub(made.at.0);
        let fresh = |made: &&Made| made.key == key && (0..REUSE_MS).contains(&age_ms(made));
        if let Some(made) = known.made.as_ref().filter(fresh) {
            return Ok((made.secret.clone(), key));
        }
        let now_s = now.0.saturating_add(known.skew_ms).div_euclid(1000);
        let (iat, exp) = (now_s - BEFORE_S, now_s + AFTER_S);
        let fields = Fields { iss: self.app_id.to_string(), iat, exp };
        let unsigned = || Error::Unexpected("the claim cannot be signed".to_owned());
        let with = self.keys.get(key).ok_or_else(unsigned)?;
        let signed = encode(&Header::new(Algorithm::RS256), &fields, with);
        let signed = signed.map_err(|_error| unsigned())?;
        self.vault.keep(&signed);
        let secret = Secret::new(signed);
        known.made = Some(Made { secret: secret.clone(), key, at: now });
        Ok((secret, key))
    }

    /// Notes which key GitHub accepts.
    pub(super) fn worked(&self, key: usize) {
        let mut known = self.known();
        if known.key != key {
            known.key = key;
            tracing::info!(key = key + 1, "GitHub accepts the other of the two private keys");
        }
    }

    /// Whether a refused claim taught something that makes another try sensible.
    pub(super) fn learn(&self, tried: &mut Tried, answer: &Answer, now: Millis) -> bool {
        if !speaks_of_time(&answer.refusal().message) {
            let another = self.keys.len() > 1 && !tried.other_key;
            tried.other_key = true;
            return another;
        }
        let skew_ms = answer.date().map(|date| date.0.saturating_sub(now.0));
        let Some(skew_ms) = skew_ms.filter(|skew| skew.abs() <= SKEW_MS_MAX && !tried.time) else {
            return false;
        };
        tried.time = true;
        let mut known = self.known();
        known.skew_ms = skew_ms;
        known.made = None;
        let behind_s = skew_ms / 1000;
        tracing::warn!(behind_s, "the clock of this machine goes wrong: set it by the network");
        true
    }
}

fn speaks_of_time(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    let words = ["issued at", "expiration time", "('exp')", "('iat')", "has expired"];
    words.iter().any(|word| message.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_about_time_are_known() {
        for (message, time) in [
            ("'Issued at' claim ('iat') must be an Integer representing the time", true),
            ("'Expiration time' claim ('exp') is too far in the future", true),
            ("'Expiration time' claim ('exp') must be a numeric value", true),
            ("A JSON web token could not be decoded", false),
            ("Bad credentials, as expected", false),
            ("", false),
        ] {
            assert_eq!(speaks_of_time(message), time, "{message}");
        }
    }
}
