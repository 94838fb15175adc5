//! GraphQL, for the few things REST does not offer: documents of ours, errors in our words.

use axum::http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::pace::Account;
use super::wire::{Answer, Request};
use super::{App, Grant, path};
use crate::github::answer::{LIMIT_WAIT, Refusal};
use crate::github::{At, Error};
use crate::model::{Millis, text};

/// Longest text of an error, in characters.
const TEXT_CHARS_MAX: usize = 400;

/// What is asked. The document is a constant of ours with one named operation; whatever comes
/// from outside goes into the variables.
pub(super) struct Query<'a> {
    /// What it is counted as.
    pub(super) kind: &'static str,
    /// It changes something, so nobody repeats it.
    pub(super) write: bool,
    pub(super) document: &'a str,
    pub(super) variables: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answered {
    data: Option<Value>,
    errors: Vec<Complaint>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Complaint {
    #[serde(rename = "type")]
    kind: Option<String>,
    message: Option<String>,
    path: Vec<Value>,
}

impl App {
    /// Asks and gives the `data`. An error below a field that was answered leaves that part of
    /// the answer out, so fields of `T` that may be missing are optional; an error that leaves
    /// nothing of a field asked for is ours.
    pub(super) async fn graphql<T: DeserializeOwned>(
        &self,
        at: &At,
        grant: Grant,
        ask: Query<'_>,
    ) -> Result<T, Error> {
        let body = json!({"query": ask.document, "variables": ask.variables});
        let path = path::GRAPHQL.to_owned();
        let mut request = Request::write(Method::POST, ask.kind, path, body);
        request.read = !ask.write;
        request.repeat = !ask.write;
        let answer = self.ask(at, grant, &request).await?;
        let data = self.data(at, ask.kind, &answer)?;
        serde_json::from_value(data)
            .map_err(|error| Error::Unexpected(format!("{}: {error}", ask.kind)))
    }

    fn data(&self, at: &At, kind: &'static str, answer: &Answer) -> Result<Value, Error> {
        let told = judge(answer.json()?);
        let complaint = match told {
            Ok((data, left_out)) => {
                if left_out > 0 {
                    tracing::debug!(kind, left_out, "GraphQL answered in part");
                }
                return Ok(data);
            }
            Err(complaint) => complaint,
        };
        let error = complaint.error(&answer.refusal(), self.clock.now());
        if let Error::Limited { after } = error {
            self.sender.pace.hold(Account::Installation(at.installation), after);
        }
        Err(error)
    }
}

/// The data and how many errors were found inside of it, or the error that decides.
fn judge(answered: Answered) -> Result<(Value, usize), Complaint> {
    let Some(data) = answered.data.filter(|data| !data.is_null()) else {
        let said = answered.errors.into_iter().next();
        return Err(said.unwrap_or_else(|| Complaint {
            kind: Some("EMPTY".to_owned()),
            ..Complaint::default()
        }));
    };
    let answered_below = |one: &Complaint| {
        let root = one.path.first().and_then(Value::as_str);
        root.and_then(|root| data.get(root)).is_some_and(|found| !found.is_null())
    };
    let deciding = answered.errors.iter().find(|one| !answered_below(one));
    match deciding {
        Some(complaint) => Err(complaint.clone()),
        None => Ok((data, answered.errors.len())),
    }
}

impl Complaint {
    /// Our error; `refusal` holds the limits of the same answer.
    fn error(&self, refusal: &Refusal, now: Millis) -> Error {
        let message = self.message.as_deref().unwrap_or_default();
        let said = text::cut(message.trim(), TEXT_CHARS_MAX);
        let low = message.to_ascii_lowercase();
        match self.kind.as_deref() {
            Some("RATE_LIMITED" | "RATE_LIMIT") => {
                let limited = Refusal { status: 429, ..refusal.clone() };
                Error::Limited { after: limited.limit(now).unwrap_or(LIMIT_WAIT) }
            }
            Some("NOT_FOUND") => Error::Gone(said),
            Some("FORBIDDEN" | "INSUFFICIENT_SCOPES") => Error::Forbidden(said),
            Some("EMPTY") => Error::Unexpected("neither data nor errors".to_owned()),
            Some("SERVICE_UNAVAILABLE" | "INTERNAL" | "TIMEOUT" | "LOADING") => {
                Error::Unavailable(said)
            }
            // A query that took too long, or broke, has no type.
            None if low.contains("something went wrong") || low.contains("timeout") => {
                Error::Unavailable(said)
            }
            Some("STALE_DATA") => Error::Refused { status: 409, text: said },
            Some(_) | None => Error::Refused { status: 422, text: said },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Millis = Millis(1_700_000_000_000);

    fn judged(answer: Value) -> Result<(Value, usize), Error> {
        let answered: Answered = serde_json::from_value(answer).unwrap();
        let refusal = Refusal {
            status: 200,
            limit_remaining: Some(0),
            limit_reset_s: Some(1_700_000_090),
            ..Refusal::default()
        };
        judge(answered).map_err(|one| one.error(&refusal, NOW))
    }

    #[test]
    fn what_was_answered_is_kept_when_a_part_failed() {
        let answer = json!({
            "data": {"repository": {"pullRequest": null, "name": "x"}},
            "errors": [{"type": "NOT_FOUND", "path": ["repository", "pullRequest"]}],
        });
        let (data, left_out) = judged(answer).unwrap();
        assert_eq!((data["repository"]["name"].as_str(), left_out), (Some("x"), 1));
        assert_eq!(judged(json!({"data": {"a": 1}})).unwrap(), (json!({"a": 1}), 0));
    }

    #[test]
    fn an_error_that_leaves_nothing_is_an_error_of_its_kind() {
        let text = || "why".to_owned();
        for (kind, error) in [
            ("NOT_FOUND", Error::Gone(text())),
            ("FORBIDDEN", Error::Forbidden(text())),
            ("UNPROCESSABLE", Error::Refused { status: 422, text: text() }),
            ("STALE_DATA", Error::Refused { status: 409, text: text() }),
            ("RATE_LIMITED", Error::Limited { after: Duration::from_secs(90) }),
            ("INTERNAL", Error::Unavailable(text())),
            ("A_WORD_OF_TOMORROW", Error::Refused { status: 422, text: text() }),
        ] {
            let complaint = json!({"type": kind, "message": "why", "path": ["enqueue"]});
            for data in [json!(null), json!({"enqueue": null}), json!({"other": 1})] {
                let answer = json!({"data": data, "errors": [complaint]});
                assert_eq!(judged(answer).unwrap_err(), error);
            }
        }
        let broken = json!({"errors": [{"message": "Something went wrong while executing"}]});
        assert!(matches!(judged(broken), Err(Error::Unavailable(_))));
        assert!(matches!(judged(json!({})), Err(Error::Unexpected(_))));
        assert!(matches!(judged(json!({"data": null})), Err(Error::Unexpected(_))));
    }
}
