//! Why a job could not be done, and whether trying again may help: asked of the boundary.

use crate::{git, github, sandbox, store};

/// A job failed; nothing of it was committed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    GitHub(#[from] github::Error),
    #[error(transparent)]
    Git(#[from] git::Error),
    #[error(transparent)]
    Sandbox(#[from] sandbox::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The lease or the wish for the result is gone; nobody is to be told.
    #[error("nobody waits for this any more")]
    Unwanted,
    /// The stored run does not fit the job: a fault of ours, told with its reason.
    #[error("{0}")]
    Fault(String),
}

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// Not before this many milliseconds.
    After(i64),
    /// In this many milliseconds: a limit says when, and is nobody's failure.
    Wait(i64),
    /// It would fail in the same way.
    Never,
    /// Leave it: it is not ours any more.
    Drop,
}

impl Failure {
    pub(super) fn again(&self, pause_ms: i64) -> Again {
        match self {
            Self::GitHub(github::Error::Limited { after }) => {
                Again::Wait(i64::try_from(after.as_millis()).unwrap_or(pause_ms))
            }
            Self::GitHub(error) => match error.retry() {
                github::Retry::After(least) => {
                    let least = i64::try_from(least.as_millis()).unwrap_or(pause_ms);
                    Again::After(least.max(pause_ms))
                }
                github::Retry::Never => Again::Never,
            },
            Self::Git(error) if error.retry() => Again::After(pause_ms),
            Self::Git(_) | Self::Sandbox(_) | Self::Fault(_) => Again::Never,
            Self::Store(error) => match error {
                store::Error::Fenced => Again::Drop,
                store::Error::Damaged(_) | store::Error::TooLarge { .. } => Again::Never,
                store::Error::Conflict
                | store::Error::LaneBusy(_)
                | store::Error::Busy(_)
                | store::Error::Database(_)
                | store::Error::Files(_) => Again::After(pause_ms),
            },
            Self::Unwanted => Again::Drop,
        }
    }
}
