//! How we hear of what happens: webhooks that reach us, GitHub's own log, or a relay.

use url::Url;

use super::ConfigError;
use super::hub::is_loopback;
use super::layer::Said;
use crate::model::Secret;

/// The log is read no more often, and no more seldom, in milliseconds.
const POLL_MS_MIN: u32 = 5_000;
const POLL_MS_MAX: u32 = 600_000;

/// How we hear of what happens on GitHub.
#[derive(Debug, Clone, Default)]
pub enum Webhooks {
    /// GitHub reaches us.
    #[default]
    Listen,
    /// Nothing reaches us: the log of deliveries is read.
    Poll,
    /// A relay's event stream at this address, which whoever knows it can write to.
    Relay(Secret),
}

pub(super) fn parse(
    mode: Option<Said<String>>,
    relay: Option<Said<Secret>>,
) -> Result<Webhooks, ConfigError> {
    let Some(mode) = mode else {
        return relay.map_or(Ok(Webhooks::Listen), |relay| {
            let why = "it is set, and webhooks is not";
            Err(ConfigError::new(relay.place, why, "set webhooks to \"relay\" to use it"))
        });
    };
    match (mode.value.as_str(), relay) {
        ("listen", _) => Ok(Webhooks::Listen),
        ("poll", _) => Ok(Webhooks::Poll),
        ("relay", Some(relay)) => relay_url(relay),
        ("relay", None) => {
            let next = "set relay_url to the address of your channel";
            Err(ConfigError::new(mode.place, "the relay has no address", next))
        }
        (_unknown, _) => {
            let why = "webhooks do not come in this way";
            Err(ConfigError::new(mode.place, why, "write listen, poll or relay"))
        }
    }
}

fn relay_url(said: Said<Secret>) -> Result<Webhooks, ConfigError> {
    let url = Url::parse(said.value.reveal()).ok();
    let safe = url.is_some_and(|url| {
        url.has_host() && (url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url)))
    });
    if safe {
        return Ok(Webhooks::Relay(said.value));
    }
    let next = "write for example https://relay.example.com/channel";
    Err(ConfigError::new(said.place, "it is not an address with https", next))
}

pub(super) fn pace(said: Option<Said<u32>>, default: u32) -> Result<u32, ConfigError> {
    let Some(said) = said else { return Ok(default) };
    if (POLL_MS_MIN..=POLL_MS_MAX).contains(&said.value) {
        return Ok(said.value);
    }
    let next = format!("write a number from {POLL_MS_MIN} to {POLL_MS_MAX}");
    Err(ConfigError::new(said.place, "it is out of bounds", next))
}
