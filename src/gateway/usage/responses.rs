//! OpenAI's Responses: the last event carries the whole response with its usage.

use serde_json::Value;

use super::{Finish, Reading, count, fault, text};
use crate::model::Tokens;

/// One event, or a response that was not streamed.
pub(super) fn note(value: &Value, reading: &mut Reading) {
    match text(value, "/type") {
        Some("response.completed" | "response.incomplete" | "response.failed") => {
            if let Some(response) = value.get("response") {
                whole(response, reading);
            }
        }
        Some("error") => {
            let error = value.get("error").filter(|error| error.is_object()).unwrap_or(value);
            reading.fault = Some(fault(error));
        }
        Some(_delta) => {}
        None => whole(value, reading),
    }
}

fn whole(response: &Value, reading: &mut Reading) {
    if let Some(error) = response.get("error").filter(|error| !error.is_null()) {
        reading.fault = Some(fault(error));
    }
    let Some(status) = text(response, "/status") else { return };
    reading.finish = match (status, text(response, "/incomplete_details/reason")) {
        ("completed", _) => Some(if calls(response) { Finish::Tools } else { Finish::Stop }),
        ("incomplete", Some("max_output_tokens")) => Some(Finish::Length),
        ("incomplete", Some("content_filter")) => Some(Finish::Filtered),
        ("incomplete", _) => Some(Finish::Other),
        _running_or_failed => reading.finish,
    };
    let Some(usage) = response.get("usage").filter(|usage| usage.is_object()) else { return };
    let (Some(read), Some(output)) =
        (count(usage, "/input_tokens"), count(usage, "/output_tokens"))
    else {
        return;
    };
    let cache_read = count(usage, "/input_tokens_details/cached_tokens").unwrap_or(0);
    let cache_write = count(usage, "/input_tokens_details/cache_write_tokens").unwrap_or(0);
    reading.tokens = Tokens {
        input: read.saturating_sub(cache_read).saturating_sub(cache_write),
        cache_read,
        cache_write,
        output,
        reasoning: count(usage, "/output_tokens_details/reasoning_tokens").unwrap_or(0),
    };
    reading.complete = true;
}

fn calls(response: &Value) -> bool {
    let output = response.get("output").and_then(Value::as_array);
    let mut kinds = output.into_iter().flatten().filter_map(|item| text(item, "/type"));
    kinds.any(|kind| kind.ends_with("_call"))
}
