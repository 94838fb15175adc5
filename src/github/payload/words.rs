//! What a delivery says beside its happening: the words of the issue, the moment of the comment.

use serde_json::Value;

use crate::model::Millis;

/// Title and body of the issue in `body`; each `None` when the delivery does not carry it.
pub fn issue_words(body: &[u8]) -> (Option<String>, Option<String>) {
    let payload: Value = serde_json::from_slice(body).unwrap_or_default();
    let issue = payload.get("issue");
    let text = |key: &str| issue.and_then(|issue| issue.get(key)).cloned();
    let title = text("title").and_then(|title| title.as_str().map(str::to_owned));
    let said = text("body").map(|said| said.as_str().unwrap_or_default().to_owned());
    (title, said)
}

/// When the comment in an `issue_comment` payload was written.
pub fn comment_written(body: &[u8]) -> Option<Millis> {
    let payload: Value = serde_json::from_slice(body).ok()?;
    Millis::from_rfc3339(payload.pointer("/comment/created_at")?.as_str()?)
}

/// When the issue in an `issues` payload changed: the moment of what the payload tells.
pub fn issue_changed(body: &[u8]) -> Option<Millis> {
    let payload: Value = serde_json::from_slice(body).ok()?;
    Millis::from_rfc3339(payload.pointer("/issue/updated_at")?.as_str()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issue_without_a_body_says_nothing_and_a_missing_one_is_asked_for() {
        let told = issue_words(br#"{"issue":{"title":"t","body":null}}"#);
        assert_eq!(told, (Some("t".to_owned()), Some(String::new())));
        assert_eq!(issue_words(br#"{"issue":{}}"#), (None, None));
        assert_eq!(issue_words(b"?"), (None, None));
    }
}
