//! Gemini's generateContent: every part carries the figures so far, the last one counts.

use serde_json::Value;

use super::{Finish, Reading, count, fault, text};
use crate::model::Tokens;

/// One part of a stream, or an answer that was not streamed.
pub(super) fn note(value: &Value, reading: &mut Reading) {
    if let Some(error) = value.get("error") {
        reading.fault = Some(fault(error));
    }
    let candidates = value.get("candidates").and_then(Value::as_array);
    for candidate in candidates.into_iter().flatten() {
        if let Some(why) = text(candidate, "/finishReason") {
            reading.finish = Some(match why {
                "STOP" if calls(candidate) => Finish::Tools,
                // A call may stand in an earlier part than the reason.
                "STOP" if reading.finish == Some(Finish::Tools) => Finish::Tools,
                "STOP" => Finish::Stop,
                "MAX_TOKENS" => Finish::Length,
                "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" => {
                    Finish::Filtered
                }
                _unknown => Finish::Other,
            });
        }
    }
    if value.pointer("/promptFeedback/blockReason").is_some() {
        reading.finish = Some(Finish::Filtered);
    }
    let Some(usage) = value.get("usageMetadata") else { return };
    let Some(prompt) = count(usage, "/promptTokenCount") else { return };
    let of = |path| count(usage, path).unwrap_or(0);
    let read = prompt.saturating_add(of("/toolUsePromptTokenCount"));
    let cache_read = of("/cachedContentTokenCount");
    let reasoning = of("/thoughtsTokenCount");
    let said = of("/candidatesTokenCount").saturating_add(reasoning);
    reading.tokens = Tokens {
        input: read.saturating_sub(cache_read),
        cache_read,
        cache_write: 0,
        output: said.max(of("/totalTokenCount").saturating_sub(read)),
        reasoning,
    };
    reading.complete = reading.finish.is_some();
}

fn calls(candidate: &Value) -> bool {
    let parts = candidate.pointer("/content/parts").and_then(Value::as_array);
    parts.into_iter().flatten().any(|part| part.get("functionCall").is_some())
}
