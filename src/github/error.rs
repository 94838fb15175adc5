//! Why GitHub did not give what was asked, and whether asking again may help.

use std::time::Duration;

/// Why GitHub did not give what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not there (or we may not know); also a comment or branch somebody deleted.
    #[error("not found: {0}")]
    Gone(String),
    /// Our App may not do this.
    #[error("not permitted: {0}")]
    Forbidden(String),
    /// GitHub refuses what we sent; repeating it would be refused again.
    #[error("refused ({status}): {text}")]
    Refused { status: u16, text: String },
    /// A primary or secondary limit; nothing was done.
    #[error("rate limited")]
    Limited { after: Duration },
    /// 5xx, time-out or broken connection: for a write, nobody knows whether it took effect.
    #[error("no usable answer: {0}")]
    Unavailable(String),
    /// The answer is not what the interface promises.
    #[error("unexpected answer: {0}")]
    Unexpected(String),
}

/// When to try again, decided here and nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    After(Duration),
    Never,
}

impl Error {
    /// Whether repeating the *whole task* may help; tasks begin by reading what is already so.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Limited { after } => Retry::After(*after),
            Self::Unavailable(_) => Retry::After(Duration::from_secs(1)),
            Self::Gone(_) | Self::Forbidden(_) | Self::Refused { .. } | Self::Unexpected(_) => {
                Retry::Never
            }
        }
    }
}
