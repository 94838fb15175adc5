//! The vocabulary: names, numbers, shas, people, permissions, times and text limits.
//!
//! Everything here is a value. Text from outside becomes one of these types at the edge, or it
//! stays text and is never a path, an argument or a command.

mod audit;
pub mod budget;
pub mod character;
pub mod clean;
mod ids;
mod money;
mod people;
mod redact;
pub mod sanitized;
mod secret;
mod sha;
pub mod text;
mod time;
mod trouble;
pub mod trust;
mod usage;
mod vault;
mod wire;
pub mod wish;

pub use audit::{Act, Audit};
pub use ids::{
    CheckId, CommentId, DeliveryId, InstallationId, IssueNumber, PullNumber, Repo, RunId,
};
pub use money::{Dollars, dollars};
pub use people::{Permission, User, UserId};
pub use redact::{Redactor, Stream};
pub use secret::Secret;
pub use sha::{BranchName, CommitSha, OwnBranch, TreeSha};
pub use time::Millis;
pub use trouble::Trouble;
pub use usage::{Cost, Tokens};
pub use vault::Vault;
pub use wire::Wire;

/// A text that is not what its type demands, with the reason in words for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is not valid: {why}")]
pub struct Invalid {
    /// The kind of thing that was expected, such as `branch name`.
    pub what: &'static str,
    /// What is wrong with it.
    pub why: &'static str,
}
