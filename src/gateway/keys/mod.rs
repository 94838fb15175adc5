//! Keys of providers: read where the operator says they are, when they are needed.

#[cfg(test)]
mod tests;
mod vault;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Error;
use super::provider::{KeySource, VaultKey};
use crate::clock::Clock;
use crate::model::{Millis, Secret};

/// Longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 8 * 1024;
/// Shortest key, in bytes: what is shorter could not be struck out of texts.
pub const KEY_BYTES_MIN: usize = 8;

/// Reads a variable of the environment; given by whoever may.
pub type Variable = dyn Fn(&str) -> Option<Secret> + Send + Sync;

/// Knows where keys are, and holds those of vaults for their time.
pub struct Ring {
    variable: Arc<Variable>,
    client: reqwest::Client,
    clock: Arc<dyn Clock>,
    held: Mutex<BTreeMap<String, (Millis, Secret)>>,
}

impl std::fmt::Debug for Ring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ring").finish_non_exhaustive()
    }
}

impl Ring {
    /// `client` asks vaults; it follows no redirects.
    pub fn new(variable: Arc<Variable>, client: reqwest::Client, clock: Arc<dyn Clock>) -> Self {
        Self { variable, client, clock, held: Mutex::default() }
    }

    /// The key as it is now; `None` where none is needed. Errors tell the place, never the key.
    pub async fn key(&self, source: &KeySource) -> Result<Option<Secret>, Error> {
        let KeySource::Vault(vault) = source else { return self.near(source).await };
        let now = self.clock.now();
        let place = vault::place(vault);
        let held = self.held().get(&place).cloned();
        if let Some((until, key)) = held
            && now < until
        {
            return Ok(Some(key));
        }
        let key = self.ask(vault).await?;
        let lives = i64::try_from(vault.lives.as_millis()).unwrap_or(i64::MAX);
        self.held().insert(place, (Millis(now.0.saturating_add(lives)), key.clone()));
        Ok(Some(key))
    }

    /// The provider refused it: the next call reads it anew.
    pub fn forget(&self, source: &KeySource) {
        if let KeySource::Vault(vault) = source {
            self.held().remove(&vault::place(vault));
        }
    }

    async fn ask(&self, vault: &VaultKey) -> Result<Secret, Error> {
        let token = self.near(&vault.token).await?;
        let token = token.ok_or_else(|| Error("no token for the vault".to_owned()))?;
        vault::read(&self.client, vault, &token).await
    }

    /// What is on this machine.
    async fn near(&self, source: &KeySource) -> Result<Option<Secret>, Error> {
        let (key, place) = match source {
            KeySource::None => return Ok(None),
            KeySource::Environment(name) => {
                let read = (self.variable)(name);
                (
                    read.ok_or_else(|| Error(format!("the variable {name} is not set")))?,
                    name.clone(),
                )
            }
            KeySource::File(file) => {
                let place = file.display().to_string();
                let failed = |why| Error(format!("the key file {place}: {why}"));
                let length = tokio::fs::metadata(file).await.map_err(|e| failed(e.to_string()))?;
                if length.len() > KEY_BYTES_MAX as u64 {
                    return Err(failed(format!("longer than {KEY_BYTES_MAX} bytes")));
                }
                let read = tokio::fs::read_to_string(file).await;
                (Secret::new(read.map_err(|e| failed(e.to_string()))?), place)
            }
            KeySource::Vault(_) => {
                return Err(Error("a vault's token is not in a vault".to_owned()));
            }
        };
        usable(&key, &place).map(Some)
    }

    fn held(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, (Millis, Secret)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A key stands in a header: visible characters, one line.
fn usable(key: &Secret, place: &str) -> Result<Secret, Error> {
    let trimmed = Secret::new(key.reveal().trim());
    let visible = trimmed.reveal().bytes().all(|byte| byte.is_ascii_graphic());
    if trimmed.len() < KEY_BYTES_MIN || trimmed.len() > KEY_BYTES_MAX || !visible {
        return Err(Error(format!("{place} holds no key: 8 or more visible characters")));
    }
    Ok(trimmed)
}
