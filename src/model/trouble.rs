//! Why a model or the program that talks to it did not get through, in few classes.

use serde::{Deserialize, Serialize};

/// The class of a failure; it decides whether another agent or a later time may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// No key, a wrong one, or one that may not do this.
    Auth,
    /// The account behind the key has used up what it may.
    Quota,
    /// Too many requests for now.
    RateLimit,
    /// The model's house has no room for now.
    Overloaded,
    /// The model's house failed.
    Server,
    /// Nobody answered, or the answer broke off.
    Network,
    /// The request was not understood: another model or another version may.
    BadRequest,
    /// More was asked than the model can read at once.
    ContextOverflow,
    /// The model had to stop in the middle of its answer.
    Truncated,
    /// A limit of turns or steps of its own.
    Limit,
    /// A budget of ours is used up.
    Budget,
    /// Ended by a signal or by us.
    Killed,
    /// It ended without saying how, or in words nobody knows.
    Protocol,
    /// It says it is done, and did and said nothing.
    Empty,
    /// It said itself that it failed, for a reason that is none of these.
    Failed,
}

impl Trouble {
    pub const ALL: [Self; 15] = [
        Self::Auth,
        Self::Quota,
        Self::RateLimit,
        Self::Overloaded,
        Self::Server,
        Self::Network,
        Self::BadRequest,
        Self::ContextOverflow,
        Self::Truncated,
        Self::Limit,
        Self::Budget,
        Self::Killed,
        Self::Protocol,
        Self::Empty,
        Self::Failed,
    ];

    /// The reason in words that follow "because".
    pub fn words(self) -> &'static str {
        match self {
            Self::Auth => "its key is missing or was refused",
            Self::Quota => "the account behind its key has used up what it may",
            Self::RateLimit => "it was asked too often for now",
            Self::Overloaded => "its model has no room for now",
            Self::Server => "its model's server failed",
            Self::Network => "its model could not be reached",
            Self::BadRequest => "its model did not understand the request",
            Self::ContextOverflow => "the task is longer than its model can read",
            Self::Truncated => "its model stopped in the middle of an answer",
            Self::Limit => "it reached its own limit of turns",
            Self::Budget => "the budget is used up",
            Self::Killed => "it was ended",
            Self::Protocol => "it ended without saying how",
            Self::Empty => "it did and said nothing",
            Self::Failed => "it says that it failed",
        }
    }

    /// Whether another agent may get through where this one did not.
    pub fn is_for_another(self) -> bool {
        match self {
            Self::Auth
            | Self::Quota
            | Self::RateLimit
            | Self::Overloaded
            | Self::Server
            | Self::Network
            | Self::BadRequest
            | Self::ContextOverflow => true,
            Self::Truncated
            | Self::Limit
            | Self::Budget
            | Self::Killed
            | Self::Protocol
            | Self::Empty
            | Self::Failed => false,
        }
    }

    /// Whether the same agent may get through later.
    pub fn passes(self) -> bool {
        matches!(self, Self::RateLimit | Self::Overloaded | Self::Server | Self::Network)
    }

    /// The class of an HTTP answer that is not a success, by its status and its words.
    /// Houses call a used-up account 429 too; only the words tell (agents facts, §2).
    pub fn of_status(status: u16, words: &str) -> Self {
        let words = words.to_ascii_lowercase();
        let says = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
        let overflow =
            ["context length", "context_length", "prompt is too long", "too many tokens"];
        match status {
            401 | 403 => Self::Auth,
            402 => Self::Quota,
            429 if says(&["insufficient_quota", "billing", "quota exceeded"]) => Self::Quota,
            429 => Self::RateLimit,
            408 => Self::Network,
            413 => Self::ContextOverflow,
            503 | 529 => Self::Overloaded,
            400..=499 if says(&overflow) => Self::ContextOverflow,
            400..=499 => Self::BadRequest,
            500..=599 => Self::Server,
            0..=399 | 600.. => Self::Protocol,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_used_up_account_is_not_taken_for_a_moment_of_rush() {
        let of = Trouble::of_status;
        assert_eq!(of(429, "You exceeded your current quota: insufficient_quota"), Trouble::Quota);
        assert_eq!(of(429, "slow down"), Trouble::RateLimit);
        assert_eq!(of(400, "maximum context length is 8192"), Trouble::ContextOverflow);
        assert_eq!(of(400, "no such field"), Trouble::BadRequest);
        assert_eq!(of(529, ""), Trouble::Overloaded);
        assert_eq!(of(500, ""), Trouble::Server);
    }

    #[test]
    fn every_class_has_its_own_words() {
        let words: std::collections::BTreeSet<_> =
            Trouble::ALL.iter().map(|trouble| trouble.words()).collect();
        assert_eq!(words.len(), Trouble::ALL.len());
    }

    #[test]
    fn what_passes_is_worth_another_agent_too() {
        for trouble in Trouble::ALL {
            assert!(!trouble.passes() || trouble.is_for_another(), "{trouble:?}");
        }
    }
}
