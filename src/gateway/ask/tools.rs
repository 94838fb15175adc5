//! Tools: those that the program runs itself are offered to the model; those that the provider
//! would run are taken out, because they reach the network and cost by the use.

use std::collections::BTreeMap;

use serde_json::value::{RawValue, to_raw_value};

use super::{Fields, string};
use crate::gateway::{Refusal, Wire};

/// Types whose calls come back to the program. `tool_search` looks among the tools of the call.
const OPENAI: [&str; 6] =
    ["function", "custom", "namespace", "tool_search", "local_shell", "apply_patch"];
/// The same for Anthropic, whose types end in a date.
const ANTHROPIC: [&str; 6] =
    ["custom", "bash_", "text_editor_", "computer_", "memory_", "tool_search_tool_"];

/// The tools that are left, if there are any; none left, and the field goes.
pub(super) fn own(wire: Wire, fields: &mut Fields<'_>) -> Result<Option<Box<RawValue>>, Refusal> {
    let not = Refusal::Malformed("`tools` is no list of objects");
    let Some(said) = fields.remove("tools") else { return Ok(None) };
    let tools: Option<Vec<Fields<'_>>> =
        serde_json::from_str(said.get()).map_err(|_why| not.clone())?;
    let mut kept = Vec::new();
    for mut tool in tools.into_iter().flatten() {
        if wire == Wire::Gemini {
            tool.retain(|name, _| {
                name == "functionDeclarations" || name == "function_declarations"
            });
        }
        let kind = string(&tool, "type");
        let ours = match wire {
            Wire::Gemini => !tool.is_empty(),
            Wire::Messages => kind.is_none_or(|kind| {
                ANTHROPIC
                    .iter()
                    .any(|ours| kind == *ours || (ours.ends_with('_') && kind.starts_with(ours)))
            }),
            Wire::Responses | Wire::Chat => {
                kind.is_some_and(|kind| OPENAI.contains(&kind.as_str())) && flat(&tool)
            }
            Wire::Ollama => kind.is_none_or(|kind| kind == "function"),
        };
        if ours {
            kept.push(tool);
        }
    }
    if kept.is_empty() {
        // A choice among none is an error.
        fields.remove("tool_choice");
        return Ok(None);
    }
    to_raw_value(&kept).map(Some).map_err(|_why| not)
}

/// A namespace holds tools in turn; they are functions or what a program wrote itself.
fn flat(tool: &Fields<'_>) -> bool {
    let Some(inner) = tool.get("tools") else { return true };
    let inner: Result<Vec<BTreeMap<String, &RawValue>>, _> = serde_json::from_str(inner.get());
    inner.is_ok_and(|inner| {
        inner.iter().all(|tool| {
            let kind = string(tool, "type");
            kind.is_some_and(|kind| kind == "function" || kind == "custom")
        })
    })
}
