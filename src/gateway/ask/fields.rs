//! Fields with a meaning for money: what bounds a call, and what would lift the bound.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::Fields;
use crate::gateway::{Refusal, Wire};

/// Fields that may only have the value they have when they are left out, by wire. They make a call
/// read what is not in it, write more than it says, cost another price, or live on without us.
const PLAIN: [(Wire, &[&str]); 5] = [
    (Wire::Responses, &["previous_response_id", "conversation", "prompt", "background"]),
    (
        Wire::Chat,
        &["best_of", "models", "route", "provider", "plugins", "web_search_options", "audio"],
    ),
    (Wire::Messages, &["mcp_servers", "container", "speed", "inference_geo", "fallbacks"]),
    (Wire::Gemini, &["cachedContent", "cached_content"]),
    (Wire::Ollama, &[]),
];
/// Values that ask for nothing.
const NOTHING: [&str; 7] = ["null", "false", "\"\"", "[]", "{}", "\"default\"", "\"standard\""];
/// A class of service that has the listed price.
const SERVICE: [&str; 6] =
    ["null", "\"\"", "\"auto\"", "\"default\"", "\"standard\"", "\"standard_only\""];

/// Refuses what lifts a bound.
pub(super) fn check(wire: Wire, fields: &Fields<'_>) -> Result<(), Refusal> {
    let says = |name: &str, plain: &[&str]| {
        fields.get(name).is_some_and(|raw| !plain.contains(&raw.get().trim()))
    };
    let names = PLAIN.iter().filter(|(of, _)| *of == wire).flat_map(|(_, names)| names.iter());
    for name in names {
        if says(name, &NOTHING) {
            return Err(Refusal::Field(name));
        }
    }
    if says("service_tier", &SERVICE) {
        return Err(Refusal::Field("service_tier"));
    }
    if wire == Wire::Chat && says("n", &["null", "1"]) {
        return Err(Refusal::Field("n"));
    }
    let Some(config) = config(fields)? else { return Ok(()) };
    for name in ["candidateCount", "candidate_count"] {
        if config.get(name).is_some_and(|count| !count.is_null() && count != 1) {
            return Err(Refusal::Field("candidateCount"));
        }
    }
    Ok(())
}

/// The most the model may write.
pub(super) fn output_max(wire: Wire, fields: &Fields<'_>) -> Result<Option<u64>, Refusal> {
    let number = |name: &str| match fields.get(name).map(|raw| raw.get()) {
        None | Some("null") => Ok(None),
        Some(text) => match text.parse::<u64>() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(Refusal::Malformed("a limit of tokens is no whole number")),
        },
    };
    Ok(match wire {
        Wire::Responses => number("max_output_tokens")?,
        // Given both, a house may heed either.
        Wire::Chat => number("max_completion_tokens")?.max(number("max_tokens")?),
        Wire::Messages => number("max_tokens")?,
        Wire::Gemini => {
            let config = config(fields)?.unwrap_or_default();
            let told = |name: &str| config.get(name).and_then(Value::as_u64);
            told("maxOutputTokens").max(told("max_output_tokens"))
        }
        Wire::Ollama => None,
    })
}

/// Gemini's settings for a call, which it takes in either spelling.
fn config(fields: &Fields<'_>) -> Result<Option<BTreeMap<String, Value>>, Refusal> {
    let mut all: Option<BTreeMap<String, Value>> = None;
    for name in ["generationConfig", "generation_config"] {
        let Some(raw) = fields.get(name) else { continue };
        let read: Option<BTreeMap<String, Value>> = serde_json::from_str(raw.get())
            .map_err(|_why| Refusal::Malformed("`generationConfig` is no object"))?;
        if all.is_some() && read.is_some() {
            return Err(Refusal::Malformed("`generationConfig` stands there twice"));
        }
        all = all.or(read);
    }
    Ok(all)
}

/// The options of a stream, with its figures asked for.
pub(super) fn counted(fields: &Fields<'_>) -> Result<Box<RawValue>, Refusal> {
    let not = Refusal::Malformed("`stream_options` is no object");
    let said = fields.get("stream_options").map(|raw| serde_json::from_str(raw.get()));
    let options: Option<BTreeMap<String, Value>> =
        said.transpose().map_err(|_why| not.clone())?.flatten();
    let mut options = options.unwrap_or_default();
    options.insert("include_usage".to_owned(), Value::Bool(true));
    serde_json::value::to_raw_value(&options).map_err(|_why| not)
}
