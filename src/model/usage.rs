//! What calls of a model used: tokens and money, where not knowing is not zero.

use serde::{Deserialize, Serialize};

/// Tokens of one call or of many, each counted once: cached input is not part of `input`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tokens {
    /// Read by the model and not taken from a cache.
    pub input: u64,
    pub cache_read: u64,
    pub cache_write: u64,
    /// Everything it wrote, thoughts included.
    pub output: u64,
    /// The part of `output` that was thought and not said.
    pub reasoning: u64,
}

impl Tokens {
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            cache_write: self.cache_write.saturating_add(other.cache_write),
            output: self.output.saturating_add(other.output),
            reasoning: self.reasoning.saturating_add(other.reasoning),
        }
    }

    /// All of them: what was read, from wherever, and what was written.
    pub fn total(self) -> u64 {
        [self.cache_read, self.cache_write, self.output]
            .iter()
            .fold(self.input, |sum, part| sum.saturating_add(*part))
    }
}

/// What something cost, in millionths of a US dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cost {
    Micros(u64),
    /// Nobody told the price; that is never taken for nothing.
    Unknown,
}

impl Cost {
    pub const NONE: Self = Self::Micros(0);

    /// The sum; not known when a part is not.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Micros(one), Self::Micros(two)) => Self::Micros(one.saturating_add(two)),
            (Self::Unknown, Self::Micros(_) | Self::Unknown) | (Self::Micros(_), Self::Unknown) => {
                Self::Unknown
            }
        }
    }

    pub fn micros(self) -> Option<u64> {
        match self {
            Self::Micros(micros) => Some(micros),
            Self::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_with_an_unknown_part_is_unknown() {
        assert_eq!(Cost::Micros(2).plus(Cost::Micros(3)), Cost::Micros(5));
        assert_eq!(Cost::Micros(2).plus(Cost::Unknown).micros(), None);
        assert_eq!(Cost::Unknown.plus(Cost::NONE), Cost::Unknown);
    }

    #[test]
    fn no_sum_of_tokens_runs_over() {
        let many = Tokens { input: u64::MAX, output: 3, ..Tokens::default() };
        let sum = many.plus(Tokens { input: 1, cache_read: 2, output: 1, ..Tokens::default() });
        assert_eq!((sum.input, sum.cache_read, sum.output), (u64::MAX, 2, 4));
        assert_eq!(sum.total(), u64::MAX);
    }
}
