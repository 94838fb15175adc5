//! The operator's configuration: a file, then the environment, then flags; each overrules the
//! one before. Read once and parsed into types, so that nothing else reads the environment.

mod agents;
mod budget;
mod containers;
mod direct;
mod file;
mod hub;
mod keyd;
mod layer;
pub mod prompts;
mod reach;
mod read;
mod settings;
mod streams;
mod trust;
mod webhooks;

pub use containers::Containers;
pub use hub::GitHubUrls;
pub use keyd::{KeySettings, load_key};
pub use layer::Layer;
pub use read::{WORKERS, load};
pub use settings::{AppKey, CaFile, Database, Identity, Limits, SandboxMode, Settings};
pub use streams::Streams;
pub use webhooks::Webhooks;

/// Why the configuration is refused, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {why}; {next}")]
pub struct ConfigError {
    /// Where it stands: a file with line and column, a variable, a flag or a key.
    pub place: String,
    pub why: String,
    /// What to do next.
    pub next: String,
}

impl ConfigError {
    fn new(place: impl Into<String>, why: impl Into<String>, next: impl Into<String>) -> Self {
        Self { place: place.into(), why: why.into(), next: next.into() }
    }
}

#[cfg(test)]
mod key_tests;
#[cfg(test)]
mod tests;
