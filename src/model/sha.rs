//! Git's names: commits, trees and branches. Shared text: decisions copy states full of them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Invalid;

macro_rules! sha {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits.
            pub fn parse(text: &str) -> Result<Self, Invalid> {
                let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
                if matches!(text.len(), 40 | 64) && text.bytes().all(hex) {
                    Ok(Self(text.into()))
                } else {
                    Err(Invalid { what: $what, why: "40 or 64 hexadecimal digits" })
                }
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The first ten digits, for people.
            pub fn short(&self) -> &str {
                self.0.get(..10).unwrap_or(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(text: String) -> Result<Self, Invalid> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(sha: $name) -> Self {
                (*sha.0).to_owned()
            }
        }
    };
}

sha!(
    /// A commit.
    CommitSha,
    "commit"
);
sha!(
    /// A tree: what a commit contains, whatever its history.
    TreeSha,
    "tree"
);

/// A branch, without `refs/heads/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BranchName(Arc<str>);

impl BranchName {
    /// Longest name, in bytes (GitHub's own limit).
    pub const BYTES_MAX: usize = 244;

    /// Parses by the rules of `git check-ref-format`, and refuses a leading dash so that a
    /// name can never be read as an option.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = |why| Err(Invalid { what: "branch name", why });
        if text.is_empty() || text.len() > Self::BYTES_MAX {
            return invalid("1 to 244 bytes");
        }
        if text.starts_with(['-', '/', '.']) || text.ends_with(['/', '.']) || text == "@" {
            return invalid("it begins or ends with a character git reserves");
        }
        let reserved =
            |c: char| c.is_control() || c.is_whitespace() || "~^:?*[\\\u{7f}".contains(c);
        if text.contains(reserved) {
            return invalid("it contains a character git reserves");
        }
        if ["..", "//", "@{", "/."].iter().any(|pair| text.contains(pair)) {
            return invalid("it contains `..`, `//`, `/.` or `@{`");
        }
        let locked = |part: &str| {
            part.rsplit_once('.').is_some_and(|(_, suffix)| suffix.eq_ignore_ascii_case("lock"))
        };
        if text.split('/').any(locked) {
            return invalid("a part ends in .lock");
        }
        Ok(Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The full name of the reference.
    pub fn reference(&self) -> String {
        format!("refs/heads/{}", self.0)
    }
}

impl fmt::Display for BranchName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for BranchName {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<BranchName> for String {
    fn from(branch: BranchName) -> Self {
        (*branch.0).to_owned()
    }
}

/// The name of a branch that Slipway makes: much narrower than what git allows, so that no
/// shell, log, page or program that meets it can take it for anything else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnBranch(BranchName);

impl OwnBranch {
    /// Longest name, in bytes.
    pub const BYTES_MAX: usize = 100;
    /// Most parts between slashes.
    pub const PARTS_MAX: usize = 5;

    /// Parses up to five parts of lower-case letters, digits, dots, dashes and underscores,
    /// each beginning with a letter or a digit; never all hexadecimal, which reads as a commit.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = |why| Err(Invalid { what: "name for a branch of ours", why });
        if text.is_empty() || text.len() > Self::BYTES_MAX {
            return invalid("1 to 100 bytes");
        }
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let part = |part: &str| {
            part.bytes().next().is_some_and(plain)
                && part.bytes().all(|b| plain(b) || b"._-".contains(&b))
        };
        if text.split('/').count() > Self::PARTS_MAX || !text.split('/').all(part) {
            return invalid("up to five parts of a-z, 0-9, dots, dashes and underscores");
        }
        if text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return invalid("it reads as a commit");
        }
        BranchName::parse(text).map(Self)
    }

    pub fn name(&self) -> &BranchName {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_name_is_never_an_option_or_a_revision() {
        for bad in ["", "-x", "a..b", "a b", "a~1", "a:b", "a.lock", "x/.y", "a@{1}", "@", "a/"] {
            assert!(BranchName::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(BranchName::parse("feat/x").unwrap().reference(), "refs/heads/feat/x");
    }

    #[test]
    fn a_sha_is_lower_case_hexadecimal() {
        assert!(CommitSha::parse(&"a".repeat(40)).is_ok());
        assert!(CommitSha::parse(&"A".repeat(40)).is_err());
        assert!(CommitSha::parse(&"a".repeat(39)).is_err());
    }

    #[test]
    fn a_branch_of_ours_reads_as_nothing_else() {
        for bad in [
            "",
            "-x",
            "A",
            "a//b",
            "a/",
            "/a",
            "a/b/c/d/e/f",
            "a..b",
            "a.lock",
            "a/b.lock",
            "@",
            "FETCH_HEAD",
            "deadbeef",
            "$(id)",
            ";id;",
            "a b",
            "a\u{3000}b",
            "a\nb",
            "a\u{e9}",
            "--upload-pack=x",
            "a.",
            ".a",
        ] {
            assert!(OwnBranch::parse(bad).is_err(), "{bad:?}");
        }
        assert!(OwnBranch::parse(&"a".repeat(40)).is_err(), "40 digits");
        assert!(OwnBranch::parse(&format!("x{}", "a".repeat(100))).is_err());
        let good = OwnBranch::parse("slipway/12-r0123456789").unwrap();
        assert_eq!(good.name().as_str(), "slipway/12-r0123456789");
    }
}
