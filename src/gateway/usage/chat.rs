//! Chat Completions, of OpenAI and of the many who speak it with an accent.

use serde_json::Value;

use super::{Finish, Reading, count, fault, text};
use crate::model::{Cost, Tokens};

/// One chunk, or an answer that was not streamed.
pub(super) fn note(value: &Value, reading: &mut Reading) {
    if let Some(error) = value.get("error").filter(|error| !error.is_null()) {
        reading.fault = Some(fault(error));
    }
    let choices = value.get("choices").and_then(Value::as_array);
    for choice in choices.into_iter().flatten() {
        if let Some(why) = text(choice, "/finish_reason") {
            reading.finish = Some(match why {
                "stop" => Finish::Stop,
                "tool_calls" | "function_call" => Finish::Tools,
                "length" => Finish::Length,
                "content_filter" => Finish::Filtered,
                _unknown => Finish::Other,
            });
        }
        // Moonshot tells it here.
        usage(choice, reading);
    }
    usage(value, reading);
}

fn usage(holder: &Value, reading: &mut Reading) {
    let Some(usage) = holder.get("usage").filter(|usage| usage.is_object()) else { return };
    let Some(read) = count(usage, "/prompt_tokens") else { return };
    let either = |one, other| count(usage, one).or_else(|| count(usage, other)).unwrap_or(0);
    let cache_read = either("/prompt_tokens_details/cached_tokens", "/cached_tokens");
    let cache_read = cache_read.max(count(usage, "/prompt_cache_hit_tokens").unwrap_or(0));
    let cache_write = count(usage, "/prompt_tokens_details/cache_write_tokens").unwrap_or(0);
    let said = count(usage, "/completion_tokens").unwrap_or(0);
    // Some leave thoughts out of the completion, but never out of the total.
    let output =
        count(usage, "/total_tokens").map_or(said, |all| said.max(all.saturating_sub(read)));
    reading.tokens = Tokens {
        input: read.saturating_sub(cache_read).saturating_sub(cache_write),
        cache_read,
        cache_write,
        output,
        reasoning: count(usage, "/completion_tokens_details/reasoning_tokens")
            .unwrap_or(output - said),
    };
    // Figures in the middle of a stream are those so far.
    reading.complete = reading.finish.is_some();
    reading.told = usage.get("cost").and_then(Value::as_f64).and_then(dollars);
}

/// Rounded up to the next millionth; what is no amount of money says nothing.
fn dollars(cost: f64) -> Option<Cost> {
    let micros = (cost * 1e6).ceil();
    let sane = micros.is_finite() && (0.0..1e12).contains(&micros);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was bounded")]
    sane.then_some(Cost::Micros(micros as u64))
}
