//! Ollama's own interface: the last line says `done` and how much it was.

use serde_json::Value;

use super::{Finish, Reading, count, fault, text};
use crate::model::Tokens;

/// One line, or an answer that was not streamed.
pub(super) fn note(value: &Value, reading: &mut Reading) {
    if let Some(error) = value.get("error") {
        reading.fault = Some(fault(error));
    }
    let calls = value.pointer("/message/tool_calls").and_then(Value::as_array);
    if calls.is_some_and(|calls| !calls.is_empty()) {
        reading.finish = Some(Finish::Tools);
    }
    if value.get("done").and_then(Value::as_bool) != Some(true) {
        return;
    }
    reading.finish = Some(match text(value, "/done_reason") {
        Some("length") => Finish::Length,
        Some("stop") | None if reading.finish == Some(Finish::Tools) => Finish::Tools,
        Some("stop") | None => Finish::Stop,
        Some(_unknown) => Finish::Other,
    });
    // What it read from its cache is not told; such calls cost nothing by the token.
    reading.tokens = Tokens {
        input: count(value, "/prompt_eval_count").unwrap_or(0),
        output: count(value, "/eval_count").unwrap_or(0),
        ..Tokens::default()
    };
    reading.complete = true;
}
