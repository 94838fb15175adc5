//! How the World refuses: GitHub's status and words, or no answer at all.

use serde_json::{Value, json};

use super::forge::ForgeError;

/// What the caller of a failed operation gets to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// An answer with a status and a body.
    Answer,
    /// Nothing, until the caller gives up.
    Timeout,
    /// The connection breaks.
    Reset,
}

/// A refused, failed or interrupted call.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{status} {message}")]
pub struct ApiError {
    pub failure: Failure,
    pub status: u16,
    pub message: String,
    /// The whole body, where it is not GitHub's usual one.
    pub body: Option<Value>,
    pub headers: Vec<(String, String)>,
}

/// What an operation of the World gives.
pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        let (failure, message) = (Failure::Answer, message.into());
        Self { failure, status, message, body: None, headers: Vec::new() }
    }

    pub fn not_found() -> Self {
        Self::new(404, "Not Found")
    }

    pub fn bad_credentials() -> Self {
        Self::new(401, "Bad credentials")
    }

    /// An installation token without the permission.
    pub fn not_accessible() -> Self {
        Self::new(403, "Resource not accessible by integration")
    }

    /// 422 with one entry in `errors`.
    pub fn invalid(resource: &str, field: &str, message: &str) -> Self {
        let errors = json!([{
            "resource": resource, "field": field, "code": "custom", "message": message,
        }]);
        let mut error = Self::new(422, "Validation Failed");
        error.body = Some(json!({
            "message": "Validation Failed", "errors": errors,
            "documentation_url": DOCUMENTATION, "status": "422",
        }));
        error
    }

    /// The body as GitHub would send it.
    pub fn to_json(&self) -> Value {
        self.body.clone().unwrap_or_else(|| {
            json!({
                "message": self.message,
                "documentation_url": DOCUMENTATION,
                "status": self.status.to_string(),
            })
        })
    }
}

const DOCUMENTATION: &str = "https://docs.github.com/rest";

impl From<ForgeError> for ApiError {
    fn from(error: ForgeError) -> Self {
        match error {
            ForgeError::Moved(_) => Self::new(422, "Update is not a fast forward"),
            ForgeError::Missing(id) => Self::new(422, format!("Object does not exist: {id}")),
            ForgeError::Failed(why) => Self::new(500, format!("Server Error: {why}")),
        }
    }
}
