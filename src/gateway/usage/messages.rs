//! Anthropic's Messages: input is told at the beginning, output counts up to the end.

use serde_json::Value;

use super::{Finish, Reading, count, fault, text};

/// One event, or a message that was not streamed.
pub(super) fn note(value: &Value, reading: &mut Reading) {
    match text(value, "/type") {
        Some("message_start") => {
            if let Some(usage) = value.pointer("/message/usage") {
                figures(usage, reading);
            }
        }
        Some("message_delta") => ended(value.get("delta"), value.get("usage"), reading),
        Some("message") => ended(Some(value), value.get("usage"), reading),
        Some("error") => reading.fault = Some(fault(value.get("error").unwrap_or(value))),
        Some(_delta) => {}
        // The answer to a question how many tokens something is.
        None => {}
    }
}

fn ended(holder: Option<&Value>, usage: Option<&Value>, reading: &mut Reading) {
    if let Some(usage) = usage {
        figures(usage, reading);
    }
    let Some(why) = holder.and_then(|holder| text(holder, "/stop_reason")) else { return };
    reading.finish = Some(match why {
        "end_turn" | "stop_sequence" => Finish::Stop,
        "tool_use" | "pause_turn" => Finish::Tools,
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "refusal" => Finish::Filtered,
        _unknown => Finish::Other,
    });
    reading.complete = usage.and_then(|usage| count(usage, "/output_tokens")).is_some();
}

/// Each figure is the sum so far; what is not told again stays.
fn figures(usage: &Value, reading: &mut Reading) {
    let tokens = &mut reading.tokens;
    let fields = [
        ("/input_tokens", &mut tokens.input),
        ("/cache_read_input_tokens", &mut tokens.cache_read),
        ("/cache_creation_input_tokens", &mut tokens.cache_write),
        ("/output_tokens", &mut tokens.output),
        ("/output_tokens_details/thinking_tokens", &mut tokens.reasoning),
        ("/cache_creation/ephemeral_1h_input_tokens", &mut reading.cache_write_long),
    ];
    for (path, field) in fields {
        if let Some(told) = count(usage, path) {
            *field = told;
        }
    }
}
