//! Reads what is asked of a model, and makes what is sent on.
//!
//! What is sent is written from what was read, so that a key that stands there twice cannot mean
//! one thing here and another there; below the top, texts stay as they are, because the order of a
//! schema's keys means something to a model.

mod fields;
mod scan;
#[cfg(test)]
mod tests;
mod tools;

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::defence::{Defence, Defences};
use super::wire::{Asks, Route};
use super::{Refusal, Wire};

/// Longest name of a model, in bytes.
const MODEL_BYTES_MAX: usize = 200;

/// The keys at the top of a body; of two with one name, the last counts.
type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    pub model: String,
    pub streams: bool,
    /// The most the model may write, in tokens, where it says so.
    pub output_max: Option<u64>,
    /// There are pictures, sounds or documents in it, whose tokens have nothing to do with bytes.
    pub media: bool,
    /// What is written to the cache is to be kept for long.
    pub long_cache: bool,
    /// What is sent on.
    pub body: Vec<u8>,
}

/// Reads one body; pure.
pub(super) fn read(
    wire: Wire,
    route: &Route,
    body: &[u8],
    defences: Defences,
) -> Result<Ask, Refusal> {
    let not = Refusal::Malformed;
    let mut fields: Fields<'_> =
        serde_json::from_slice(body).map_err(|_why| not("its body is no JSON object"))?;
    if defences.has(Defence::Field) {
        fields::check(wire, &fields)?;
    }
    let model = match &route.model {
        Some(model) => model.clone(),
        None => string(&fields, "model").ok_or_else(|| not("`model` is missing"))?,
    };
    if model.len() > MODEL_BYTES_MAX {
        return Err(not("the name of the model is too long"));
    }
    let streams = match (route.streams, fields.get("stream").map(|raw| raw.get())) {
        (Some(streams), _) => streams,
        (None, Some("true")) => true,
        (None, Some("false" | "null")) => false,
        (None, None) => wire == Wire::Ollama,
        (None, Some(_)) => return Err(not("`stream` is neither true nor false")),
    };
    let seen = scan::look(wire, body).ok_or_else(|| not("its body is nested too deeply"))?;
    if defences.has(Defence::Fetch) && seen.fetches {
        return Err(Refusal::Fetch);
    }
    let output_max = fields::output_max(wire, &fields)?;
    let long_cache = string(&fields, "prompt_cache_retention")
        .is_some_and(|kept| kept != "in_memory" && kept != "in-memory");
    let mut own: Vec<Box<RawValue>> = Vec::new();
    if defences.has(Defence::Hosted) {
        own.extend(tools::own(wire, &mut fields)?);
    }
    if let Some(tools) = own.first() {
        fields.insert("tools".to_owned(), tools);
    }
    // Without this a stream of Chat Completions ends without a word on tokens. Who did not ask for
    // it gets one more part, with no choices in it.
    let counted = (wire == Wire::Chat && streams && route.asks == Asks::Model)
        .then(|| fields::counted(&fields))
        .transpose()?;
    if let Some(options) = &counted {
        fields.insert("stream_options".to_owned(), options);
    }
    let body =
        serde_json::to_vec(&fields).map_err(|_why| not("its body cannot be written again"))?;
    Ok(Ask { model, streams, output_max, media: seen.media, long_cache, body })
}

fn string(fields: &Fields<'_>, key: &str) -> Option<String> {
    serde_json::from_str(fields.get(key)?.get()).ok()
}
