//! What the two processes say to each other: one line of JSON each way, and behind the second one
//! the bytes of GitHub's answer where there are any. Every length has a limit.

use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

use super::{Grant, Question, Token, Wanted};
use crate::github::Error;
use crate::model::{InstallationId, Repo, Secret};

/// Longest call, in bytes.
pub(super) const CALL_BYTES_MAX: u64 = 4 * 1024;
/// Longest first line of a reply, in bytes: a token is at most 4 KiB, an error a few sentences.
pub(super) const REPLY_BYTES_MAX: u64 = 16 * 1024;
/// Largest answer passed on, in bytes: a delivery of 25 MB with what is around it.
pub(super) const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// What is asked of the holder of the key. There is no third kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Call {
    Mint { installation: InstallationId, repo: Option<Repo>, grant: Grant },
    Ask(Question),
}

/// The first line of a reply.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Reply {
    Token {
        secret: Secret,
        left_ms: i64,
    },
    /// Followed by as many bytes.
    Answer {
        link: Option<String>,
        bytes: usize,
    },
    Error(Problem),
}

/// [`Error`] as it is passed on.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Problem {
    Gone(String),
    Forbidden(String),
    Refused { status: u16, text: String },
    Limited { after_ms: u64 },
    Unavailable(String),
    Unexpected(String),
}

impl From<&Wanted> for Call {
    fn from(wanted: &Wanted) -> Self {
        let Wanted { installation, repo, grant } = wanted;
        Self::Mint { installation: *installation, repo: repo.clone(), grant: *grant }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Gone(why) => Self::Gone(why),
            Error::Forbidden(why) => Self::Forbidden(why),
            Error::Refused { status, text } => Self::Refused { status, text },
            Error::Limited { after } => {
                Self::Limited { after_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX) }
            }
            Error::Unavailable(why) => Self::Unavailable(why),
            Error::Unexpected(why) => Self::Unexpected(why),
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Gone(why) => Self::Gone(why),
            Problem::Forbidden(why) => Self::Forbidden(why),
            Problem::Refused { status, text } => Self::Refused { status, text },
            Problem::Limited { after_ms } => {
                Self::Limited { after: std::time::Duration::from_millis(after_ms) }
            }
            Problem::Unavailable(why) => Self::Unavailable(why),
            Problem::Unexpected(why) => Self::Unexpected(why),
        }
    }
}

/// A call as its line; `None` for one that may not be made.
pub(super) fn call(line: &[u8]) -> Option<Call> {
    let call = serde_json::from_slice(line).ok()?;
    let fine = match &call {
        Call::Mint { installation, repo, grant } => {
            Wanted { installation: *installation, repo: repo.clone(), grant: *grant }.is_scoped()
        }
        Call::Ask(question) => question.is_bounded(),
    };
    fine.then_some(call)
}

pub(super) fn line<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    let mut line = serde_json::to_vec(value)
        .map_err(|_error| Error::Unexpected("a call cannot be written".to_owned()))?;
    line.push(b'\n');
    Ok(line)
}

/// The only place where a token is written out: to the process that asked for it.
pub(super) fn token_line(token: &Token) -> Result<Vec<u8>, Error> {
    line(&json!({"token": {"secret": token.secret.reveal(), "left_ms": token.left_ms}}))
}

pub(super) fn answer_line(link: Option<&str>, bytes: usize) -> Result<Vec<u8>, Error> {
    line(&json!({"answer": {"link": link, "bytes": bytes}}))
}

pub(super) fn error_line(error: Error) -> Result<Vec<u8>, Error> {
    line(&json!({"error": Problem::from(error)}))
}

/// One line without its end; `None` when there is none, or it is longer than `bytes_max`.
pub(super) async fn read_line(
    from: &mut (impl AsyncBufRead + Unpin),
    bytes_max: u64,
) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    from.take(bytes_max).read_until(b'\n', &mut line).await?;
    Ok(line.pop_if(|last| *last == b'\n').map(|_end| line))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_the_closed_list_can_be_said() {
        for good in [
            r#"{"mint":{"installation":5,"repo":"octo/hello","grant":"push"}}"#,
            r#"{"mint":{"installation":5,"repo":null,"grant":"list"}}"#,
            r#"{"ask":"app"}"#,
            r#"{"ask":{"deliveries":{"failed":true,"cursor":"v1_3"}}}"#,
            r#"{"ask":{"redeliver":{"id":7}}}"#,
        ] {
            let read = call(good.as_bytes()).unwrap();
            let again = line(&read).unwrap();
            assert_eq!(call(&again[..again.len() - 1]), Some(read), "{good}");
        }
        let long = format!(
            r#"{{"ask":{{"deliveries":{{"failed":true,"cursor":"{}"}}}}}}"#,
            "x".repeat(201)
        );
        for bad in [
            "",
            "{}",
            r#"{"sign":{}}"#,
            r#"{"claim":null}"#,
            r#"{"ask":"/app/installations/5/access_tokens"}"#,
            r#"{"ask":{"get":{"path":"/user"}}}"#,
            r#"{"mint":{"installation":5,"grant":"push"}}"#,
            r#"{"mint":{"installation":5,"repo":null,"grant":"read"}}"#,
            r#"{"mint":{"installation":5,"repo":"octo/hello","grant":"list"}}"#,
            r#"{"mint":{"installation":5,"repo":"octo/hello","grant":"admin"}}"#,
            r#"{"mint":{"installation":5,"repo":"octo/../x","grant":"push"}}"#,
            r#"{"mint":{"installation":5,"repo":"octo/a","grant":"push","permissions":{}}}"#,
            r#"{"mint":{"installation":5,"repo":["octo/a","octo/b"],"grant":"push"}}"#,
            &long,
        ] {
            assert_eq!(call(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn an_error_arrives_as_it_was() {
        for error in [
            Error::Gone("a".to_owned()),
            Error::Forbidden("b".to_owned()),
            Error::Refused { status: 422, text: "c".to_owned() },
            Error::Limited { after: Duration::from_millis(1_500) },
            Error::Unavailable("d".to_owned()),
            Error::Unexpected("e".to_owned()),
        ] {
            let line = error_line(error.clone()).unwrap();
            let Reply::Error(problem) = serde_json::from_slice(&line).unwrap() else { panic!() };
            assert_eq!(Error::from(problem), error);
        }
    }

    #[tokio::test]
    async fn a_line_has_an_end_and_a_limit() {
        let read = async |text: &str| read_line(&mut text.as_bytes(), 8).await.unwrap();
        assert_eq!(read("abc\ndef").await.as_deref(), Some(b"abc".as_slice()));
        assert_eq!(read("1234567\n").await.as_deref(), Some(b"1234567".as_slice()));
        for bad in ["", "abc", "12345678\n", "123456789"] {
            assert_eq!(read(bad).await, None, "{bad}");
        }
    }
}
