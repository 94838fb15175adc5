//! What is refused here, as status, sentence and the error body of each wire.

use serde_json::{Value, json};

use super::{Refused, Wire};
use crate::model::Trouble;

/// Why a request was not passed on, or its answer not back. Texts in it are ours, or were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It does not show this line's token.
    Token,
    /// The wire has no such path, or not with this method.
    Path,
    /// The body is no JSON object, or lacks what it must have.
    Malformed(&'static str),
    /// A model that the order does not name.
    Model,
    /// A field that may not be set, or not so.
    Field(&'static str),
    /// Something that the provider would fetch from elsewhere.
    Fetch,
    /// The body is longer than may be, in bytes.
    TooLong(usize),
    /// The body did not come in time.
    TooSlow,
    /// Too many calls are on their way.
    TooMany,
    /// The line has had all its requests.
    Requests(u64),
    /// The last calls all failed.
    Failing(u32),
    /// The price is not known, and must be.
    Unpriced(String),
    Purse(Refused),
    /// The key could not be had; the log says why.
    Key,
    /// Nobody answered there.
    Unreachable,
    /// It began no answer in time.
    Silent,
    /// It sent us elsewhere.
    Redirect,
    /// The line is being closed.
    Closed,
}

impl Refusal {
    pub fn status(&self) -> u16 {
        match self {
            Self::Token => 401,
            Self::Path => 404,
            Self::Malformed(_) => 400,
            Self::Unpriced(_) | Self::Purse(Refused::Spent(_)) => 402,
            // 403 is what makes agents give up at once (402 and 403 alike).
            Self::Model
            | Self::Field(_)
            | Self::Fetch
            | Self::Requests(_)
            | Self::Failing(_)
            | Self::Key
            | Self::Closed => 403,
            Self::TooSlow => 408,
            Self::TooLong(_) => 413,
            Self::TooMany => 429,
            Self::Unreachable | Self::Redirect => 502,
            Self::Purse(Refused::Unavailable(_)) => 503,
            Self::Silent => 504,
        }
    }

    /// A sentence for whoever reads the program's output.
    pub fn words(&self) -> String {
        match self {
            Self::Token => "this is not the token of this run".to_owned(),
            Self::Path => "this path is not passed on; only calls of the model are".to_owned(),
            Self::Malformed(what) => format!("the request is not understood: {what}"),
            Self::Model => "this model is not among those this run may ask".to_owned(),
            Self::Field(name) => format!("`{name}` may not be set so; leave it out"),
            Self::Fetch => "files are sent with the request, not fetched by address".to_owned(),
            Self::TooLong(max) => format!("the request is longer than {max} bytes"),
            Self::TooSlow => "the request did not come in time".to_owned(),
            Self::TooMany => "too many calls are on their way; wait for one to end".to_owned(),
            Self::Requests(max) => format!("all {max} requests of this run are used up"),
            Self::Failing(times) => format!("the last {times} calls failed; no more are made"),
            Self::Unpriced(model) => format!(
                "nobody told what {model} costs; give its price in `providers`, or allow it"
            ),
            Self::Purse(Refused::Spent(why)) => format!("run budget exhausted: {why}"),
            Self::Purse(Refused::Unavailable(why)) => format!("no budget to be had now: {why}"),
            Self::Key => "the provider's key could not be read; the log says why".to_owned(),
            Self::Unreachable => "the provider does not answer".to_owned(),
            Self::Silent => "the provider began no answer in time".to_owned(),
            Self::Redirect => "the provider's address leads elsewhere; correct its url".to_owned(),
            Self::Closed => "this run has ended".to_owned(),
        }
    }

    /// The class, where it says something about the call and not only about the caller.
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Unpriced(_) | Self::Purse(Refused::Spent(_)) => Some(Trouble::Budget),
            Self::Requests(_) | Self::Failing(_) => Some(Trouble::Limit),
            Self::Key => Some(Trouble::Auth),
            Self::Unreachable | Self::Silent => Some(Trouble::Network),
            Self::Redirect | Self::Purse(Refused::Unavailable(_)) => Some(Trouble::Server),
            Self::TooLong(_) => Some(Trouble::ContextOverflow),
            Self::Closed => Some(Trouble::Killed),
            Self::Malformed(_) | Self::Model | Self::Field(_) | Self::Fetch => {
                Some(Trouble::BadRequest)
            }
            Self::Token | Self::Path | Self::TooSlow | Self::TooMany => None,
        }
    }

    /// The error as `wire` would have it, with our sentence.
    pub fn body(&self, wire: Wire) -> Value {
        let (status, words) = (self.status(), format!("slipway: {}", self.words()));
        let kind = match status {
            401 => "authentication_error",
            402 => "billing_error",
            403 => "permission_error",
            404 => "not_found_error",
            429 => "rate_limit_error",
            500.. => "api_error",
            _rest => "invalid_request_error",
        };
        match wire {
            Wire::Responses | Wire::Chat => {
                let code = if status == 402 { "insufficient_quota" } else { kind };
                json!({"error": {"message": words, "type": kind, "param": null, "code": code}})
            }
            Wire::Messages => json!({"type": "error", "error": {"type": kind, "message": words}}),
            Wire::Gemini => {
                let name = match status {
                    401 => "UNAUTHENTICATED",
                    402 | 429 => "RESOURCE_EXHAUSTED",
                    403 => "PERMISSION_DENIED",
                    404 => "NOT_FOUND",
                    500.. => "UNAVAILABLE",
                    _rest => "INVALID_ARGUMENT",
                };
                json!({"error": {"code": status, "message": words, "status": name}})
            }
            Wire::Ollama => json!({"error": words}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wire_says_why_in_its_own_form() {
        let spent = Refusal::Purse(Refused::Spent("0.10 of 1.00 dollars are left".to_owned()));
        assert_eq!((spent.status(), spent.trouble()), (402, Some(Trouble::Budget)));
        for wire in Wire::ALL {
            let body = spent.body(wire).to_string();
            assert!(body.contains("run budget exhausted: 0.10 of 1.00 dollars"), "{body}");
        }
        let at = |wire, path| spent.body(wire).pointer(path).cloned();
        assert_eq!(at(Wire::Messages, "/error/type"), Some(json!("billing_error")));
        assert_eq!(at(Wire::Chat, "/error/code"), Some(json!("insufficient_quota")));
        assert_eq!(at(Wire::Gemini, "/error/code"), Some(json!(402)));
        assert!(at(Wire::Ollama, "/error").is_some_and(|error| error.is_string()));
    }
}
