//! Reads the text of an answer that was not streamed, in each of the five wires; pure.

use serde_json::Value;

use super::Wire;

/// What was said, without thoughts; `None` if nothing was.
pub(super) fn text(wire: Wire, body: &Value) -> Option<String> {
    let said = match wire {
        Wire::Responses => {
            let items = body.get("output").and_then(Value::as_array);
            let parts = items.into_iter().flatten().filter(|item| is(item, "type", "message"));
            let parts = parts.filter_map(|item| item.get("content")?.as_array()).flatten();
            joined(&parts.filter(|part| is(part, "type", "output_text")).collect::<Vec<_>>())
        }
        Wire::Chat => one(body, "/choices/0/message/content"),
        Wire::Messages => {
            let parts = body.get("content").and_then(Value::as_array);
            joined(
                &parts
                    .into_iter()
                    .flatten()
                    .filter(|part| is(part, "type", "text"))
                    .collect::<Vec<_>>(),
            )
        }
        Wire::Gemini => {
            let parts = body.pointer("/candidates/0/content/parts").and_then(Value::as_array);
            let said = |part: &&Value| part.get("thought").and_then(Value::as_bool) != Some(true);
            joined(&parts.into_iter().flatten().filter(said).collect::<Vec<_>>())
        }
        Wire::Ollama => one(body, "/message/content"),
    };
    (!said.trim().is_empty()).then_some(said)
}

/// The JSON in a text: models put it between fences that nobody asked for.
pub(super) fn json(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    inner.map_or(text, |inner| inner.strip_prefix("json").unwrap_or(inner).trim())
}

fn is(value: &Value, key: &str, word: &str) -> bool {
    value.get(key).and_then(Value::as_str) == Some(word)
}

fn one(body: &Value, path: &str) -> String {
    body.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn joined(parts: &[&Value]) -> String {
    parts.iter().filter_map(|part| part.get("text")?.as_str()).collect()
}
