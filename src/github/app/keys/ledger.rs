//! Where every token is written down before it is used.

use async_trait::async_trait;

use super::Grant;
use crate::model::{InstallationId, Millis, Repo};

/// One token that was made, or refused because it is not what was wanted.
#[derive(Debug, Clone)]
pub struct Minting {
    pub at: Millis,
    pub installation: InstallationId,
    /// None for a token that lists repositories.
    pub repo: Option<Repo>,
    pub grant: Grant,
    /// Why it was not used; `None` when it was made as wanted.
    pub refusal: Option<String>,
}

/// Keeps what is told to it. A token whose making cannot be written down is not used.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// # Errors
    /// Why it could not be written.
    async fn write(&self, minting: Minting) -> Result<(), String>;
}
