//! Time as the core sees it: milliseconds since 1970, always handed in.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A moment, or in sums a duration, in milliseconds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Millis {
    /// This moment, `ms` milliseconds later; saturates.
    #[must_use]
    pub fn plus(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this moment, never negative.
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).max(0)
    }

    /// `2026-11-21 14:05 UTC`, for people.
    pub fn readable(self) -> String {
        jiff::Timestamp::from_millisecond(self.0)
            .map_or_else(|_| "an unknown time".to_owned(), |t| t.strftime("%F %R UTC").to_string())
    }

    /// `2026-11-21 14:05:09 UTC`, for timelines.
    pub fn precise(self) -> String {
        jiff::Timestamp::from_millisecond(self.0)
            .map_or_else(|_| "unknown".to_owned(), |t| t.strftime("%F %T UTC").to_string())
    }

    /// RFC 3339, as GitHub's interfaces take it.
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_millisecond(self.0).map_or_else(|_| String::new(), |t| t.to_string())
    }

    /// Reads RFC 3339; `None` when it is anything else.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|t| Self(t.as_millisecond()))
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
