//! How GitHub is reached and as whom; limits and times that only tests change.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::keys::{self, Ledger};
use super::pace::Limits;
use crate::model::{Secret, Vault};

/// How to reach GitHub and as whom. `Debug` never shows the key.
#[derive(Clone)]
pub struct Config {
    /// Such as [`API_URL`](super::API_URL), without a slash at its end.
    pub api_url: String,
    /// Where git finds repositories; `None` derives it from `api_url`.
    pub git_url: Option<String>,
    pub app_id: u64,
    /// The App's RSA key in PEM form.
    pub private_key: Secret,
    /// A second one while keys are exchanged; used when the first is refused.
    pub private_key_old: Option<Secret>,
    /// The socket of another process that holds the key; then this one needs none.
    pub key_socket: Option<PathBuf>,
    /// Where every token is written down before it is used.
    pub ledger: Option<Arc<dyn Ledger>>,
    #[doc(hidden)]
    pub lapse: keys::Lapse,
    /// Hosts that may be reached beside the API's and git's: names, or `*.name`.
    pub hosts: Vec<String>,
    /// Certificates trusted beside the system's, each a text in PEM form.
    pub extra_roots: Vec<String>,
    /// Where every token and claim is registered, to be kept out of logs.
    pub vault: Vault,
    /// Before a lost read is sent a second time; twice as long before the third.
    pub backoff: Duration,
    pub connect_timeout: Duration,
    /// For one request with its whole answer.
    pub timeout: Duration,
    /// What we allow ourselves; as the address lets expect.
    pub limits: Limits,
}

impl Config {
    pub fn new(api_url: &str, app_id: u64, private_key: &str) -> Self {
        Self {
            api_url: api_url.trim_end_matches('/').to_owned(),
            git_url: None,
            app_id,
            private_key: Secret::new(private_key),
            private_key_old: None,
            key_socket: None,
            ledger: None,
            lapse: keys::Lapse::None,
            hosts: Vec::new(),
            extra_roots: Vec::new(),
            vault: Vault::default(),
            backoff: Duration::ZERO,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            limits: Limits::of(api_url),
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("api_url", &self.api_url)
            .field("app_id", &self.app_id)
            .finish_non_exhaustive()
    }
}
