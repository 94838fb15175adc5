//! Names and numbers of the things GitHub and Slipway keep.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Invalid;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(
    /// The number of an issue within its repository.
    IssueNumber
);
number!(
    /// The number of a pull request within its repository; shares the sequence of issues.
    PullNumber
);
number!(
    /// GitHub's id of an issue comment.
    CommentId
);
number!(
    /// GitHub's id of a check run.
    CheckId
);
number!(
    /// GitHub's id of one installation of the App.
    InstallationId
);

impl From<PullNumber> for IssueNumber {
    /// A pull request is an issue too: its comments live under the same number.
    fn from(pull: PullNumber) -> Self {
        Self(pull.0)
    }
}

/// A repository as `owner/name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Repo {
    owner: String,
    name: String,
}

impl Repo {
    /// Longest owner or name, in bytes (GitHub allows 39 and 100).
    pub const PART_BYTES_MAX: usize = 100;

    /// Parses `owner/name`, accepting only the characters GitHub gives out.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = |why| Invalid { what: "repository", why };
        let (owner, name) =
            text.split_once('/').ok_or_else(|| invalid("it has the form owner/name"))?;
        for part in [owner, name] {
            if part.is_empty() || part.len() > Self::PART_BYTES_MAX {
                return Err(invalid("a part is empty or too long"));
            }
            if !part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
                return Err(invalid("letters, digits, dots, dashes and underscores only"));
            }
            if part == "." || part == ".." {
                return Err(invalid("a part is a path"));
            }
        }
        Ok(Self { owner: owner.to_owned(), name: name.to_owned() })
    }

    pub fn owner(&self) -> &str {
        &self.owner
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Repo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

impl TryFrom<String> for Repo {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<Repo> for String {
    fn from(repo: Repo) -> Self {
        repo.to_string()
    }
}

/// The name of a run: `r` and ten hexadecimal digits, derived from what started it, so that
/// the same comment can never start two.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl RunId {
    /// The run that `cause` (a comment, a label event) starts in `repo`.
    pub fn derive(repo: &Repo, cause: &str) -> Self {
        use sha2::{Digest, Sha256};
        let digest = Sha256::digest(format!("{repo}\n{cause}"));
        let hex: String = hex::encode(digest).chars().take(10).collect();
        Self(format!("r{hex}"))
    }

    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let digits = text.strip_prefix('r').unwrap_or_default();
        if digits.len() == 10 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid { what: "run", why: "it has the form r and ten hexadecimal digits" })
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RunId {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<RunId> for String {
    fn from(run: RunId) -> Self {
        run.0
    }
}

/// One webhook POST, by its `X-GitHub-Delivery`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeliveryId(String);

impl DeliveryId {
    /// Longest identifier accepted, in bytes (a GUID has 36).
    pub const BYTES_MAX: usize = 100;

    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let fits = !text.is_empty() && text.len() <= Self::BYTES_MAX;
        if fits && text.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid { what: "delivery", why: "1 to 100 visible ASCII characters" })
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for DeliveryId {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<DeliveryId> for String {
    fn from(id: DeliveryId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_never_a_path() {
        for bad in ["", "a", "a/", "/b", "a/..", "../b", "a/b/c", "a/b c", "a/\u{e9}"] {
            assert!(Repo::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(Repo::parse("octo/hello-world.rs").unwrap().name(), "hello-world.rs");
    }

    #[test]
    fn the_same_cause_names_the_same_run() {
        let repo = Repo::parse("o/r").unwrap();
        let run = RunId::derive(&repo, "comment 7");
        assert_eq!(run, RunId::derive(&repo, "comment 7"));
        assert_ne!(run, RunId::derive(&repo, "comment 8"));
        assert_eq!(RunId::parse(run.as_str()), Ok(run));
    }
}
