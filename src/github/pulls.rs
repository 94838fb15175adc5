//! What GitHub says of pull requests, in its own words.

use super::Error;

/// Whether a pull request was refused only because the repository has no drafts: private ones
/// on plans without them.
pub fn has_no_drafts(error: &Error) -> bool {
    match error {
        Error::Refused { status: 422, text } => {
            text.to_ascii_lowercase().contains("draft pull requests are not supported")
        }
        Error::Refused { .. }
        | Error::Gone(_)
        | Error::Forbidden(_)
        | Error::Limited { .. }
        | Error::Unavailable(_)
        | Error::Unexpected(_) => false,
    }
}
