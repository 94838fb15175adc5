//! Everything that people on GitHub see of us: made of our own words and of others' words that
//! were made harmless, and of nothing else (security facts, §9.3).
//!
//! [`Markdown`] and [`Plain`] cannot be made of a text that came at run time, only of literals,
//! numbers, names of a known form, and what the functions here make of others' words. The
//! contract with GitHub takes [`SanitizedText`] alone, which only a [`Sanitizer`] and literals
//! give.

mod escape;
mod words;

use std::fmt;

use super::text::{COMMENT_CHARS_MAX, cut};
use super::{
    CheckId, CommentId, CommitSha, IssueNumber, PullNumber, Redactor, Repo, RunId, Stream, TreeSha,
};
#[cfg(test)]
pub(crate) use escape::Rule;
pub use words::{co_author, code, fenced, link, plain, printed, prose, quoted, said, title};

/// A comment, or the body of a pull request, or the message of a commit.
pub type CommentText = SanitizedText<COMMENT_CHARS_MAX>;
/// The summary or text of a check run, or the message of a note.
pub type CheckText = SanitizedText<{ super::text::CHECK_CHARS_MAX }>;
/// The title of a check run or of a note.
pub type CheckTitle = SanitizedText<{ super::text::CHECK_TITLE_CHARS_MAX }>;
/// The title of a pull request or of a merge commit.
pub type PullTitle = SanitizedText<{ super::text::PULL_TITLE_CHARS_MAX }>;

/// Markdown that mentions nobody, closes nothing but what we close, commands nobody, and links
/// nowhere but home.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Markdown(String);

/// The same for places without Markdown, such as titles and commit messages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Plain(String);

/// A text of at most `CHARS_MAX` characters that may be shown: a longer one cannot be made, only
/// cut, and none can be made of words that were not made harmless.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct SanitizedText<const CHARS_MAX: usize>(String);

/// The last step to GitHub: takes secrets out, wherever they came from, and keeps the limit.
#[derive(Debug, Clone, Default)]
pub struct Sanitizer {
    redactor: Redactor,
}

mod sealed {
    pub trait Sealed {}
}

/// What may stand in a text of ours as it is.
pub trait Inert: sealed::Sealed + fmt::Display {}

/// What is of a form that says nothing to anybody.
macro_rules! inert {
    ($($name:ty),* $(,)?) => {$(
        impl sealed::Sealed for $name {}
        impl Inert for $name {}
    )*};
}

inert!(
    &'static str,
    u8,
    u32,
    u64,
    usize,
    CheckId,
    CommentId,
    CommitSha,
    IssueNumber,
    PullNumber,
    Repo,
    RunId,
    TreeSha,
    Markdown,
    Plain,
);

/// A literal with inert parts in place of its `{}`.
#[macro_export]
macro_rules! markdown {
    ($text:literal $(, $part:expr)* $(,)?) => {
        // `concat` keeps the literal from naming variables, which would go unseen.
        $crate::model::sanitized::Markdown::of_literal(
            format_args!(concat!($text) $(, $crate::model::sanitized::inert(&$part))*)
        )
    };
}

/// [`markdown`] for places without Markdown.
#[macro_export]
macro_rules! plain {
    ($text:literal $(, $part:expr)* $(,)?) => {
        $crate::model::sanitized::Plain::of_literal(
            format_args!(concat!($text) $(, $crate::model::sanitized::inert(&$part))*)
        )
    };
}

/// `part`, when it is inert.
#[doc(hidden)]
pub fn inert<T: Inert>(part: &T) -> &T {
    part
}

/// Gives a kind of text its ways to be put together.
macro_rules! text {
    ($name:ident) => {
        impl $name {
            /// For the macro of the same name alone; `tests/it/tidy` sees to that.
            #[doc(hidden)]
            pub fn of_literal(text: fmt::Arguments<'_>) -> Self {
                Self(text.to_string())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }

            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }

            /// Length in characters.
            pub fn chars(&self) -> usize {
                self.0.chars().count()
            }

            /// `part` behind it.
            pub fn push(&mut self, part: &Self) {
                self.0.push_str(&part.0);
            }

            /// All of `parts` with `between` between them.
            pub fn joined(parts: &[Self], between: &'static str) -> Self {
                let parts: Vec<&str> = parts.iter().map(Self::as_str).collect();
                Self(parts.join(between))
            }

            /// Without white space at its end.
            #[must_use]
            pub fn trimmed(mut self) -> Self {
                self.0.truncate(self.0.trim_end().len());
                self
            }
        }

        impl From<&'static str> for $name {
            fn from(ours: &'static str) -> Self {
                Self(ours.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text!(Markdown);
text!(Plain);

impl Plain {
    /// At most `chars_max` characters of it.
    #[must_use]
    pub fn at_most(self, chars_max: usize) -> Self {
        Self(cut(&self.0, chars_max))
    }
}

impl<const CHARS_MAX: usize> SanitizedText<CHARS_MAX> {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const CHARS_MAX: usize> From<&'static str> for SanitizedText<CHARS_MAX> {
    /// Our own words; cuts what is too long, as [`cut`] does.
    fn from(ours: &'static str) -> Self {
        Self(cut(ours, CHARS_MAX))
    }
}

impl Sanitizer {
    /// Hides what `redactor` knows.
    pub fn new(redactor: Redactor) -> Self {
        Self { redactor }
    }

    /// A text for GitHub; one that is too long is cut, so whoever can be too long says before
    /// where the whole is.
    pub fn text<const CHARS_MAX: usize>(&self, text: &impl Inert) -> SanitizedText<CHARS_MAX> {
        SanitizedText(cut(&self.redactor.redact(&text.to_string()), CHARS_MAX))
    }

    /// The same for what comes in parts.
    pub fn stream(&self) -> Stream {
        self.redactor.stream()
    }

    /// Words of others without secrets, before they are kept.
    pub fn kept(&self, text: &str) -> String {
        self.redactor.redact(text).into_owned()
    }
}

#[cfg(test)]
mod tests;
