//! How a scripted model says something in each of the five wires.

use serde_json::{Value, json};

use super::script::{Figures, Script, Tool, Turn};

/// A wire, by the end of the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    Responses,
    Chat,
    Messages,
    Gemini,
    Ollama,
}

impl Wire {
    pub(crate) fn of(path: &str) -> Option<Self> {
        let path = path.split('?').next().unwrap_or_default();
        let ends = [
            ("/responses", Self::Responses),
            ("/chat/completions", Self::Chat),
            ("/v1/messages", Self::Messages),
            (":generateContent", Self::Gemini),
            (":streamGenerateContent", Self::Gemini),
            ("/api/chat", Self::Ollama),
        ];
        ends.iter().find(|(end, _)| path.ends_with(end)).map(|(_, wire)| *wire)
    }
}

/// An answer, as a whole and, if it is streamed, in pieces.
pub(super) struct Spoken {
    pub(super) whole: String,
    pub(super) pieces: Option<Vec<String>>,
    pub(super) kind: &'static str,
}

/// What is said, whatever the wire.
struct Said {
    text: String,
    tool: Option<Tool>,
    cut_off: bool,
    /// The number of the turn, for ids.
    at: usize,
}

/// The answer to `body` at `path`.
pub(super) fn speak(wire: Wire, (path, body): (&str, &Value), script: &Script) -> Spoken {
    let at = answers(wire, body);
    let asked = body.to_string();
    let known = script.when.iter().find(|(words, _)| asked.contains(words));
    let special = known.map(|(_, text)| Turn::Say(text.clone()));
    let said = match special.as_ref().or_else(|| script.turn(at)) {
        None => Said { text: "nothing".to_owned(), tool: None, cut_off: false, at },
        Some(Turn::Say(text)) => Said { text: text.clone(), tool: None, cut_off: false, at },
        Some(Turn::Stop(text)) => Said { text: text.clone(), tool: None, cut_off: true, at },
        Some(Turn::Use(tools)) => {
            let offered = body.get("tools").map(ToString::to_string).unwrap_or_default();
            let is = |tool: &&Tool| offered.contains(&format!("\"name\":\"{}\"", tool.name));
            let tool = tools.iter().find(is).cloned();
            let text = if tool.is_some() { "" } else { "none of my tools is offered" };
            Said { text: text.to_owned(), tool, cut_off: false, at }
        }
    };
    let model = body.get("model").and_then(Value::as_str).unwrap_or("scripted").to_owned();
    let figures = script.figures;
    let asked = body.get("stream").and_then(Value::as_bool);
    match wire {
        Wire::Responses => events(responses(&said, figures, &model), asked == Some(true)),
        Wire::Chat => {
            let counted = body.pointer("/stream_options/include_usage") == Some(&json!(true));
            let (whole, pieces) = chat(&said, figures, counted);
            let mut spoken = events((whole, pieces), asked == Some(true));
            if let Some(pieces) = &mut spoken.pieces {
                pieces.push("data: [DONE]\n\n".to_owned());
            }
            spoken
        }
        Wire::Messages => events(messages(&said, figures, &model), asked == Some(true)),
        Wire::Gemini => events(gemini(&said, figures), path.contains(":stream")),
        Wire::Ollama => {
            let (whole, pieces) = ollama(&said, figures, &model);
            let lines = pieces.iter().map(|piece| format!("{piece}\n")).collect();
            let pieces = (asked != Some(false)).then_some(lines);
            Spoken { whole: whole.to_string(), pieces, kind: "application/x-ndjson" }
        }
    }
}

/// As server-sent events, named where the piece has a type.
fn events((whole, pieces): (Value, Vec<Value>), streamed: bool) -> Spoken {
    let event = |piece: &Value| match piece.get("type").and_then(Value::as_str) {
        Some(name) => format!("event: {name}\ndata: {piece}\n\n"),
        None => format!("data: {piece}\n\n"),
    };
    let pieces = streamed.then(|| pieces.iter().map(event).collect());
    Spoken { whole: whole.to_string(), pieces, kind: "text/event-stream" }
}

/// Answers of tools in a request.
fn answers(wire: Wire, body: &Value) -> usize {
    let list = |name: &str| body.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let count =
        |items: &[Value], is: &dyn Fn(&Value) -> bool| items.iter().filter(|item| is(item)).count();
    let inner = |items: Vec<Value>, name: &str, is: &dyn Fn(&Value) -> bool| -> usize {
        let lists = items.iter().filter_map(|item| item.get(name)?.as_array());
        lists.map(|parts| count(parts, is)).sum()
    };
    match wire {
        Wire::Responses => count(&list("input"), &|item| {
            item["type"].as_str().is_some_and(|kind| kind.ends_with("_call_output"))
        }),
        Wire::Chat | Wire::Ollama => count(&list("messages"), &|item| item["role"] == "tool"),
        Wire::Messages => inner(list("messages"), "content", &|part| part["type"] == "tool_result"),
        Wire::Gemini => {
            inner(list("contents"), "parts", &|part| part.get("functionResponse").is_some())
        }
    }
}

/// The text in pieces, as models send it.
fn words(text: &str) -> Vec<&str> {
    text.split_inclusive(' ').collect()
}

fn responses(said: &Said, figures: Figures, model: &str) -> (Value, Vec<Value>) {
    let id = format!("resp_{}", said.at);
    let item = match &said.tool {
        None => {
            json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": said.text, "annotations": []}]})
        }
        Some(Tool { name, arguments: Value::String(input) }) => json!({"type": "custom_tool_call",
            "id": format!("ctc_{}", said.at), "call_id": format!("call_{}", said.at),
            "name": name, "input": input, "status": "completed"}),
        Some(Tool { name, arguments }) => json!({"type": "function_call",
            "id": format!("fc_{}", said.at), "call_id": format!("call_{}", said.at),
            "name": name, "arguments": arguments.to_string(), "status": "completed"}),
    };
    let usage = json!({
        "input_tokens": figures.input + figures.cached,
        "input_tokens_details": {"cached_tokens": figures.cached},
        "output_tokens": figures.output,
        "output_tokens_details": {"reasoning_tokens": figures.thought},
        "total_tokens": figures.input + figures.cached + figures.output,
    });
    let (status, why) = if said.cut_off {
        ("incomplete", json!({"reason": "max_output_tokens"}))
    } else {
        ("completed", Value::Null)
    };
    let whole = json!({"id": id, "object": "response", "model": model, "status": status,
        "incomplete_details": why, "error": null, "output": [item], "usage": usage});
    let begun = json!({"id": id, "object": "response", "model": model, "status": "in_progress",
        "output": [], "usage": null});
    let mut pieces = vec![
        json!({"type": "response.created", "response": begun}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": item}),
    ];
    pieces.extend(words(&said.text).iter().map(|word| {
        json!({"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0,
            "content_index": 0, "delta": word})
    }));
    pieces.push(json!({"type": "response.output_item.done", "output_index": 0, "item": item}));
    pieces.push(json!({"type": format!("response.{status}"), "response": whole}));
    (whole, pieces)
}

fn chat(said: &Said, figures: Figures, counted: bool) -> (Value, Vec<Value>) {
    let call = said.tool.as_ref().map(|tool| {
        json!([{"index": 0, "id": format!("call_{}", said.at), "type": "function",
            "function": {"name": tool.name, "arguments": tool.arguments.to_string()}}])
    });
    let why = match (&call, said.cut_off) {
        (Some(_), _) => "tool_calls",
        (None, true) => "length",
        (None, false) => "stop",
    };
    let read = figures.input + figures.cached;
    let usage = json!({
        "prompt_tokens": read,
        "prompt_tokens_details": {"cached_tokens": figures.cached},
        "completion_tokens": figures.output,
        "completion_tokens_details": {"reasoning_tokens": figures.thought},
        "total_tokens": read + figures.output,
    });
    let whole = json!({"id": "c", "object": "chat.completion", "choices": [{"index": 0,
        "message": {"role": "assistant", "content": said.text, "tool_calls": call},
        "finish_reason": why}], "usage": usage});
    let piece = |delta: Value, why: Value| {
        json!({"id": "c", "object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": delta, "finish_reason": why}]})
    };
    let mut pieces = vec![piece(json!({"role": "assistant", "content": ""}), Value::Null)];
    pieces.extend(words(&said.text).iter().map(|w| piece(json!({"content": w}), Value::Null)));
    if let Some(call) = call {
        pieces.push(piece(json!({"tool_calls": call}), Value::Null));
    }
    pieces.push(piece(json!({}), json!(why)));
    if counted {
        pieces.push(json!({"id": "c", "object": "chat.completion.chunk", "choices": [],
            "usage": usage}));
    }
    (whole, pieces)
}

fn messages(said: &Said, figures: Figures, model: &str) -> (Value, Vec<Value>) {
    let id = format!("toolu_{}", said.at);
    let (block, empty, deltas) = match &said.tool {
        Some(Tool { name, arguments }) => (
            json!({"type": "tool_use", "id": id, "name": name, "input": arguments}),
            json!({"type": "tool_use", "id": id, "name": name, "input": {}}),
            vec![json!({"type": "input_json_delta", "partial_json": arguments.to_string()})],
        ),
        None => (
            json!({"type": "text", "text": said.text}),
            json!({"type": "text", "text": ""}),
            words(&said.text).iter().map(|w| json!({"type": "text_delta", "text": w})).collect(),
        ),
    };
    let why = match (&said.tool, said.cut_off) {
        (Some(_), _) => "tool_use",
        (None, true) => "max_tokens",
        (None, false) => "end_turn",
    };
    let usage = |output: u64| {
        json!({"input_tokens": figures.input, "cache_read_input_tokens": figures.cached,
            "cache_creation_input_tokens": 0, "output_tokens": output})
    };
    let message = |content: Value, why: Value, output: u64| {
        json!({"id": "msg_1", "type": "message", "role": "assistant", "model": model,
            "content": content, "stop_reason": why, "stop_sequence": null, "usage": usage(output)})
    };
    let whole = message(json!([block]), json!(why), figures.output);
    let mut pieces = vec![
        json!({"type": "message_start", "message": message(json!([]), Value::Null, 1)}),
        json!({"type": "content_block_start", "index": 0, "content_block": empty}),
    ];
    let deltas = deltas.into_iter();
    pieces.extend(
        deltas.map(|delta| json!({"type": "content_block_delta", "index": 0, "delta": delta})),
    );
    pieces.extend([
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": why, "stop_sequence": null},
            "usage": {"output_tokens": figures.output}}),
        json!({"type": "message_stop"}),
    ]);
    (whole, pieces)
}

fn gemini(said: &Said, figures: Figures) -> (Value, Vec<Value>) {
    let why = if said.cut_off { "MAX_TOKENS" } else { "STOP" };
    let usage = json!({
        "promptTokenCount": figures.input + figures.cached,
        "cachedContentTokenCount": figures.cached,
        "candidatesTokenCount": figures.output - figures.thought,
        "thoughtsTokenCount": figures.thought,
        "totalTokenCount": figures.input + figures.cached + figures.output,
    });
    let part = |part: Value, why: Value| {
        json!({"candidates": [{"index": 0, "content": {"role": "model", "parts": [part]},
            "finishReason": why}], "usageMetadata": usage})
    };
    if let Some(Tool { name, arguments }) = &said.tool {
        let call = part(json!({"functionCall": {"name": name, "args": arguments}}), json!(why));
        return (call.clone(), vec![call]);
    }
    let whole = part(json!({"text": said.text}), json!(why));
    let words = words(&said.text);
    let last = words.len().saturating_sub(1);
    let pieces = words.iter().enumerate().map(|(at, word)| {
        part(json!({"text": word}), if at == last { json!(why) } else { Value::Null })
    });
    (whole, pieces.collect())
}

fn ollama(said: &Said, figures: Figures, model: &str) -> (Value, Vec<Value>) {
    let calls = said.tool.as_ref().map(
        |Tool { name, arguments }| json!([{"function": {"name": name, "arguments": arguments}}]),
    );
    let message = |text: &str| json!({"role": "assistant", "content": text, "tool_calls": calls});
    let end = |message: Value| {
        json!({"model": model, "message": message, "done": true,
            "done_reason": if said.cut_off { "length" } else { "stop" },
            "prompt_eval_count": figures.input + figures.cached, "eval_count": figures.output})
    };
    let mut pieces: Vec<Value> = words(&said.text)
        .iter()
        .map(|word| {
            json!({"model": model, "message": {"role": "assistant", "content": word},
                "done": false})
        })
        .collect();
    pieces.push(end(message("")));
    (end(message(&said.text)), pieces)
}

/// The body of an answer that is none.
pub(super) fn error(wire: Wire, status: u16, words: &str) -> String {
    let body = match wire {
        Wire::Responses | Wire::Chat => {
            json!({"error": {"message": words, "type": "error", "code": words}})
        }
        Wire::Messages => json!({"type": "error", "error": {"type": words, "message": words}}),
        Wire::Gemini => json!({"error": {"code": status, "message": words, "status": words}}),
        Wire::Ollama => json!({"error": words}),
    };
    body.to_string()
}

/// An error in the middle of a stream.
pub(super) fn fault(wire: Wire, kind: &str) -> String {
    let error = json!({"type": kind, "code": kind, "message": "it cannot go on"});
    match wire {
        Wire::Responses => format!(
            "event: error\ndata: {}\n\n",
            json!({"type": "error", "code": kind, "message": "it cannot go on"})
        ),
        Wire::Chat | Wire::Gemini => format!("data: {}\n\n", json!({"error": error})),
        Wire::Messages => {
            format!("event: error\ndata: {}\n\n", json!({"type": "error", "error": error}))
        }
        Wire::Ollama => format!("{}\n", json!({"error": kind})),
    }
}
