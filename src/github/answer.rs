//! What GitHub's status codes and words mean for us: one table for errors, one for merges.

use std::time::Duration;

use super::Error;
use super::commits::Signed;
use crate::model::{CommitSha, Millis, text};
use crate::pipeline::stage::{MergeAnswer, UpdateAnswer};
use crate::pipeline::standing::Enlisted;

/// How long to wait after a limit that does not say for how long.
pub const LIMIT_WAIT: Duration = Duration::from_mins(1);
/// The longest wait taken from an answer; the primary limit's window is an hour.
pub const LIMIT_WAIT_MAX: Duration = Duration::from_hours(1);
/// Longest text of an error, in characters.
const TEXT_CHARS_MAX: usize = 400;

/// An answer without success, as much of it as decides anything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refusal {
    pub status: u16,
    /// GitHub's `message` and the messages in `errors`.
    pub message: String,
    pub retry_after_s: Option<u64>,
    pub limit_remaining: Option<u64>,
    /// Seconds since 1970.
    pub limit_reset_s: Option<i64>,
}

impl Refusal {
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), ..Self::default() }
    }

    fn text(&self) -> String {
        text::cut(self.message.trim(), TEXT_CHARS_MAX)
    }

    fn says(&self, words: &str) -> bool {
        self.message.to_ascii_lowercase().contains(words)
    }

    /// How long to wait when this is a primary or secondary limit.
    pub fn limit(&self, now: Millis) -> Option<Duration> {
        let spent = self.limit_remaining == Some(0);
        let worded = self.says("rate limit") || self.says("abuse detection");
        let limited = self.status == 429
            || (self.status == 403 && (self.retry_after_s.is_some() || spent || worded));
        if !limited {
            return None;
        }
        let reset = self.limit_reset_s.filter(|_| spent).map(|reset| {
            let wait_ms = reset.saturating_mul(1000).saturating_sub(now.0);
            Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0))
        });
        let wait = self.retry_after_s.map(Duration::from_secs).or(reset).unwrap_or(LIMIT_WAIT);
        Some(wait.clamp(Duration::from_secs(1), LIMIT_WAIT_MAX))
    }

    /// The error for any call but a merge.
    pub fn error(&self, now: Millis) -> Error {
        if let Some(after) = self.limit(now) {
            return Error::Limited { after };
        }
        match self.status {
            401 | 403 => Error::Forbidden(self.text()),
            404 | 410 => Error::Gone(self.text()),
            status @ 400..=499 => Error::Refused { status, text: self.text() },
            status @ 500..=599 => Error::Unavailable(format!("status {status}")),
            status => Error::Unexpected(format!("status {status}")),
        }
    }

    /// What this says about a merge. An error proves that nothing was done by the call.
    pub fn merge_answer(&self, now: Millis) -> Result<MergeAnswer, Error> {
        if let Some(after) = self.limit(now) {
            return Err(Error::Limited { after });
        }
        let text = self.text();
        Ok(match self.status {
            405 | 409 | 422 if self.says("base branch was modified") => MergeAnswer::BaseModified,
            409 | 422 if self.says("not a fast forward") => MergeAnswer::BaseModified,
            405 | 409 | 422 if self.says("required status check") => {
                MergeAnswer::ChecksMissing { text }
            }
            405 | 409 if self.says("head branch") || self.says("head sha") => {
                MergeAnswer::HeadModified
            }
            405 | 409 if self.says("not mergeable") || self.says("conflict") => {
                MergeAnswer::NotMergeable
            }
            409 => MergeAnswer::HeadModified,
            400..=499 => MergeAnswer::Refused { text },
            status => MergeAnswer::Unknown { text: format!("status {status}") },
        })
    }
}

/// What GitHub's answer to being asked to merge later says. An error proves that nothing was
/// done by the request.
pub fn enlisted(answered: Result<(), Error>, now: Millis) -> Result<Enlisted, Error> {
    let text = match answered {
        Ok(()) => return Ok(Enlisted::Stands),
        Err(Error::Limited { after }) => return Err(Error::Limited { after }),
        Err(error @ (Error::Unavailable(_) | Error::Unexpected(_))) => {
            return Ok(Enlisted::Unknown { text: error.to_string() });
        }
        Err(Error::Gone(text) | Error::Forbidden(text) | Error::Refused { text, .. }) => text,
    };
    let said = text.to_ascii_lowercase();
    if said.contains("clean status") || said.contains("unstable status") {
        return Ok(Enlisted::Clean);
    }
    // It stands by whoever's doing; what it stands for is compared when it lands.
    if said.contains("already in the queue") || said.contains("already queued") {
        return Ok(Enlisted::Stands);
    }
    Refusal::new(405, text).merge_answer(now).map(Enlisted::No)
}

/// What GitHub's answer to being asked for a commit says; only its name proves one. An error
/// proves that nothing was done by the request.
pub fn signed(answered: Result<Option<String>, Error>) -> Result<Signed, Error> {
    let unknown = |text: String| Ok(Signed::Unknown { text });
    match answered {
        Ok(oid) => match oid.and_then(|oid| CommitSha::parse(&oid).ok()) {
            Some(commit) => Ok(Signed::Made { commit }),
            None => unknown("success without a commit".to_owned()),
        },
        Err(Error::Limited { after }) => Err(Error::Limited { after }),
        Err(Error::Refused { status: 409, .. }) => Ok(Signed::Moved),
        Err(Error::Refused { text, .. })
            if text.to_ascii_lowercase().contains("expected branch to point to") =>
        {
            Ok(Signed::Moved)
        }
        Err(Error::Gone(text) | Error::Forbidden(text) | Error::Refused { text, .. }) => {
            Ok(Signed::Refused { text })
        }
        Err(error @ (Error::Unavailable(_) | Error::Unexpected(_))) => unknown(error.to_string()),
    }
}

/// What GitHub's answer to being asked to merge the base into a branch says. An error proves
/// that nothing was done by the request.
pub fn updating(answered: Result<(), Error>) -> Result<UpdateAnswer, Error> {
    match answered {
        Ok(()) => Ok(UpdateAnswer::Coming),
        Err(Error::Limited { after }) => Err(Error::Limited { after }),
        Err(Error::Refused { text, .. })
            if text.to_ascii_lowercase().contains("expected head sha") =>
        {
            Ok(UpdateAnswer::Moved)
        }
        Err(Error::Gone(text) | Error::Forbidden(text) | Error::Refused { text, .. }) => {
            Ok(UpdateAnswer::No { text })
        }
        Err(error @ (Error::Unavailable(_) | Error::Unexpected(_))) => {
            Ok(UpdateAnswer::Unknown { text: error.to_string() })
        }
    }
}

/// Whether GitHub took it back; `false` when it says that there was nothing to take back.
pub fn taken_back(answered: Result<(), Error>) -> Result<bool, Error> {
    match answered {
        Ok(()) => Ok(true),
        Err(Error::Refused { .. } | Error::Gone(_)) => Ok(false),
        Err(other) => Err(other),
    }
}

/// What a merge call answered with success says: only a commit proves a merge.
pub fn merged(merged: Option<bool>, sha: Option<&str>) -> MergeAnswer {
    let commit = sha.and_then(|sha| CommitSha::parse(sha).ok());
    match (merged, commit) {
        (Some(true), Some(commit)) => MergeAnswer::Merged { commit },
        (Some(_) | None, _) => {
            MergeAnswer::Unknown { text: "success without a merge commit".to_owned() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_700_000_000_000);

    #[test]
    fn every_status_has_its_error() {
        let error = |status| Refusal::new(status, "why").error(NOW);
        let why = || "why".to_owned();
        for status in [401, 403] {
            assert_eq!(error(status), Error::Forbidden(why()));
        }
        for status in [404, 410] {
            assert_eq!(error(status), Error::Gone(why()));
        }
        for status in [400, 405, 409, 422] {
            assert_eq!(error(status), Error::Refused { status, text: why() });
        }
        assert_eq!(error(502), Error::Unavailable("status 502".to_owned()));
        assert_eq!(error(302), Error::Unexpected("status 302".to_owned()));
        assert_eq!(error(429), Error::Limited { after: LIMIT_WAIT });
    }

    #[test]
    fn limits_say_how_long() {
        let base = Refusal::new(403, "no");
        assert_eq!(base.limit(NOW), None, "a plain refusal is no limit");
        let secondary = Refusal::new(403, "You have exceeded a secondary rate limit.");
        assert_eq!(secondary.limit(NOW), Some(LIMIT_WAIT));
        let after = Refusal { retry_after_s: Some(7), ..base.clone() };
        assert_eq!(after.limit(NOW), Some(Duration::from_secs(7)));
        let reset = |seconds: i64| Refusal {
            limit_remaining: Some(0),
            limit_reset_s: Some(1_700_000_000 + seconds),
            ..base.clone()
        };
        assert_eq!(reset(90).limit(NOW), Some(Duration::from_secs(90)));
        assert_eq!(reset(-90).limit(NOW), Some(Duration::from_secs(1)));
        assert_eq!(reset(90_000).limit(NOW), Some(LIMIT_WAIT_MAX));
        let some_left = Refusal { limit_remaining: Some(9), ..reset(90) };
        assert_eq!(some_left.limit(NOW), None);
    }

    #[test]
    fn merge_answers_by_status_and_words() {
        let answer = |status, words: &str| Refusal::new(status, words).merge_answer(NOW);
        let check = "Repository rule violations found\n\nRequired status check \"ci\" is expected.";
        for (status, words) in [
            (405, "Required status check \"test\" is failing."),
            (405, "2 of 3 required status checks are expected."),
            (405, check),
            (409, "Required status check \"test\" is in progress."),
        ] {
            let text = words.to_owned();
            assert_eq!(answer(status, words), Ok(MergeAnswer::ChecksMissing { text }));
        }
        for (status, words) in [
            (405, "Base branch was modified. Review and try the merge again."),
            (409, "Base branch was modified. Review and try the merge again."),
            (422, "Update is not a fast forward"),
        ] {
            assert_eq!(answer(status, words), Ok(MergeAnswer::BaseModified), "{words}");
        }
        for (status, words) in [
            (409, "Head branch was modified. Review and try the merge again."),
            (409, "Head branch is out of date. Review and try the merge again."),
            (409, ""),
        ] {
            assert_eq!(answer(status, words), Ok(MergeAnswer::HeadModified), "{words}");
        }
        for (status, words) in [(405, "Pull Request is not mergeable"), (409, "Merge conflict")] {
            assert_eq!(answer(status, words), Ok(MergeAnswer::NotMergeable), "{words}");
        }
        for (status, words) in [
            (405, "Repository rule violations found"),
            (405, "Merge commits are not allowed on this repository."),
            (405, "Changes must be made through the merge queue"),
            (405, "At least 1 approving review is required by reviewers with write access."),
            (405, "Pull Request is still a draft"),
            (403, "Resource not accessible by integration"),
            (404, "Not Found"),
            (422, "Validation Failed"),
        ] {
            let text = words.to_owned();
            assert_eq!(answer(status, words), Ok(MergeAnswer::Refused { text }));
        }
        for status in [500, 502, 503, 504, 307, 204] {
            let unknown = Ok(MergeAnswer::Unknown { text: format!("status {status}") });
            assert_eq!(answer(status, "Base branch was modified"), unknown);
        }
        assert_eq!(answer(429, "x"), Err(Error::Limited { after: LIMIT_WAIT }));
    }

    #[test]
    fn success_without_a_commit_proves_nothing() {
        let sha = "a".repeat(40);
        let commit = CommitSha::parse(&sha).unwrap();
        let made = signed(Ok(Some(sha.clone())));
        assert_eq!(made, Ok(Signed::Made { commit: commit.clone() }));
        for nothing in [None, Some("abc".to_owned())] {
            assert!(matches!(signed(Ok(nothing)), Ok(Signed::Unknown { .. })));
        }
        assert_eq!(merged(Some(true), Some(&sha)), MergeAnswer::Merged { commit });
        for (done, sha) in
            [(None, Some(sha.as_str())), (Some(false), Some(&sha)), (Some(true), None)]
        {
            assert!(matches!(merged(done, sha), MergeAnswer::Unknown { .. }));
        }
    }
}
