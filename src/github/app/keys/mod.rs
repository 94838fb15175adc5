//! Who holds the App's key. What needs it is asked for here, from a closed list, and nothing
//! else can be: a token for one repository and one purpose, or one of a few questions that only
//! the App itself may ask.
//!
//! Adapters: `local`, which signs in this process, and `socket`, which asks another process that
//! has the key (`door` is that process' side). Honest fake: `fake`.

#[cfg(test)]
pub(in crate::github) mod contract;
mod door;
#[cfg(test)]
mod fake;
mod grant;
mod ledger;
mod local;
mod protocol;
mod question;
mod socket;

use async_trait::async_trait;

pub use self::door::{Door, Peers, serve};
pub use self::grant::Grant;
pub use self::ledger::{Ledger, Minting};
pub(super) use self::local::Local;
pub use self::local::holder;
pub(super) use self::question::{CURSOR_BYTES_MAX, PAGE_ENTRIES, Question};
pub(super) use self::socket::Socket;
pub use self::socket::{Peer, peer};
use super::wire::Answer;
use crate::github::Error;
use crate::model::{InstallationId, Repo, Secret};

/// One defence left out, for a test that shows what it is good for; a program has none.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lapse {
    #[default]
    None,
    /// What GitHub says of a token is not compared with what was wanted.
    Scope,
    /// Credentials go along wherever an answer leads.
    Elsewhere,
}

/// A token that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) installation: InstallationId,
    /// The only repository; none only with [`Grant::List`].
    pub(super) repo: Option<Repo>,
    pub(super) grant: Grant,
}

impl Wanted {
    /// Whether it names what it must and no more: one repository, or none to list them.
    pub(super) fn is_scoped(&self) -> bool {
        self.repo.is_none() == (self.grant == Grant::List)
    }
}

/// A token as it was made, judged to be no wider than wanted.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) secret: Secret,
    /// How long it lives, in milliseconds from when it was given.
    pub(super) left_ms: i64,
}

/// The holder of the App's key.
#[async_trait]
pub(super) trait Keys: Send + Sync {
    /// Makes a token that is exactly what is wanted.
    ///
    /// # Errors
    /// [`Error::Unexpected`] when GitHub's token is wider; [`Error::Forbidden`] when the
    /// installation does not grant it.
    async fn mint(&self, wanted: &Wanted) -> Result<Token, Error>;

    /// Asks as the App itself; an answer is one of success.
    async fn ask(&self, question: &Question) -> Result<Answer, Error>;
}
