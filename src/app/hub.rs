//! GitHub as the settings name it: how the adapter is told where and who it is.

use std::time::Duration;

use crate::config::{AppKey, ConfigError, Identity, KeySettings, Settings};
use crate::github::app::Config;

/// Before a read whose answer was lost is sent again.
const BACKOFF: Duration = Duration::from_millis(250);

/// How to reach the configured GitHub, for requests that need no credentials.
///
/// # Errors
/// When a file that the settings name cannot be used.
pub(super) fn nobody(settings: &Settings) -> Result<Config, ConfigError> {
    let mut config = Config::new(&settings.github.api, 0, "");
    config.git_url = Some(settings.github.web.clone());
    config.hosts.clone_from(&settings.hosts);
    config.extra_roots = settings.ca_file()?.map(|file| file.pem).into_iter().collect();
    config.backoff = BACKOFF;
    Ok(config)
}

/// The way of the holder of the key.
pub(super) fn holder(settings: &KeySettings) -> Config {
    let mut config = Config::new(&settings.github.api, settings.app_id, "");
    config.private_key = settings.key.clone();
    config.private_key_old.clone_from(&settings.key_old);
    config.git_url = Some(settings.github.web.clone());
    config.hosts.clone_from(&settings.hosts);
    config.extra_roots = settings.ca_file.iter().map(|file| file.pem.clone()).collect();
    config.backoff = BACKOFF;
    config
}

/// The same as our App.
///
/// # Errors
/// When a file that the settings name cannot be used.
pub(super) fn ourselves(settings: &Settings, identity: &Identity) -> Result<Config, ConfigError> {
    let mut config = nobody(settings)?;
    config.app_id = identity.app_id;
    match &identity.key {
        AppKey::Held { key, old } => {
            config.private_key = key.clone();
            config.private_key_old.clone_from(old);
        }
        AppKey::Elsewhere(path) => config.key_socket = Some(path.clone()),
    }
    Ok(config)
}
