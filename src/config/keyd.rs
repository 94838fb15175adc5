//! What the holder of the App's key is configured with: the same places, and far less of them.

use std::path::Path;

use super::settings::certificates;
use super::{CaFile, ConfigError, GitHubUrls, Layer, reach, read};
use crate::model::Secret;
use crate::telemetry::LogFormat;

/// What the holder of the App's key is configured with.
#[derive(Debug, Clone)]
pub struct KeySettings {
    pub app_id: u64,
    /// PEM.
    pub key: Secret,
    /// The one before, while it is being replaced.
    pub key_old: Option<Secret>,
    pub github: GitHubUrls,
    pub hosts: Vec<String>,
    pub ca_file: Option<CaFile>,
    pub log: LogFormat,
    pub log_filter: String,
}

/// Reads what the holder of the App's key needs, from the same places.
///
/// # Errors
/// When the number or the key is missing, or something cannot be used.
pub fn load_key(
    file: Option<&Path>,
    env: impl Fn(&str) -> Option<String>,
    flags: Layer,
) -> Result<KeySettings, ConfigError> {
    let said = read::layers(file, &env, flags)?;
    let missing = |place: &str, next: &str| ConfigError::new(place, "it is not set", next);
    let app_id = said
        .app_id
        .map(|said| said.value)
        .ok_or_else(|| missing("--app-id", "give the number on the App's settings page"))?;
    let key = read::key_of(said.private_key, said.private_key_file).ok_or_else(|| {
        missing("--key", "give the .pem file, or hand it over as the credential private-key")
    })?;
    let ca_file = said.ca_file.map(|said| (said.value.into(), said.place));
    let old = read::key_of(said.private_key_old, said.private_key_old_file);
    Ok(KeySettings {
        app_id,
        key: key.read()?,
        key_old: old.map(|old| old.read()).transpose()?,
        github: read::github(said.github_url)?,
        hosts: reach::hosts(said.hosts)?,
        ca_file: certificates(ca_file.as_ref())?,
        log: read::log(said.log)?,
        log_filter: said.log_filter.map_or_else(|| "info".to_owned(), |said| said.value),
    })
}
