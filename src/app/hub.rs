//! GitHub as the settings name it: how the adapter is told where and who it is.

use std::time::Duration;

use crate::config::{ConfigError, Identity, Settings};
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

/// The same as our App.
///
/// # Errors
/// When a file that the settings name cannot be used.
pub(super) fn ourselves(settings: &Settings, identity: &Identity) -> Result<Config, ConfigError> {
    let mut config = nobody(settings)?;
    config.app_id = identity.app_id;
    identity.private_key.reveal().clone_into(&mut config.private_key);
    let old = identity.private_key_old.as_ref();
    config.private_key_old = old.map(|key| key.reveal().to_owned());
    Ok(config)
}
