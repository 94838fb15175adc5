//! What is asked and what is sent on, in all five wires, and why each check is there.

use serde_json::{Value, json};

use super::*;

fn route(asks: Asks, model: Option<&str>, streams: Option<bool>) -> Route {
    Route { asks, path: String::new(), model: model.map(str::to_owned), streams }
}

fn ask(wire: Wire, body: &Value) -> Result<Ask, Refusal> {
    without(wire, body, Defences::ALL)
}

fn without(wire: Wire, body: &Value, defences: Defences) -> Result<Ask, Refusal> {
    let model = (wire == Wire::Gemini).then_some("m");
    let route = route(Asks::Model, model, model.map(|_| true));
    read(wire, &route, body.to_string().as_bytes(), defences)
}

fn sent(ask: &Ask) -> Value {
    serde_json::from_slice(&ask.body).unwrap()
}

#[test]
fn a_stream_of_chat_completions_always_tells_its_tokens() {
    let body = json!({"model": "m", "stream": true, "messages": []});
    let read = ask(Wire::Chat, &body).unwrap();
    assert_eq!(sent(&read)["stream_options"], json!({"include_usage": true}));
    let body = json!({"model": "m", "stream": true,
        "stream_options": {"include_usage": false, "x": 1}});
    let read = ask(Wire::Chat, &body).unwrap();
    assert_eq!(sent(&read)["stream_options"], json!({"include_usage": true, "x": 1}));
    let read = ask(Wire::Chat, &json!({"model": "m", "stream_options": null})).unwrap();
    assert!(!read.streams, "what is not streamed has no options");
    assert_eq!(sent(&read)["stream_options"], Value::Null);
}

#[test]
fn the_order_of_a_schemas_keys_is_kept() {
    let body = r#"{"text":{"z":1,"a":2},"model":"m","input":"\u00e9 12345678901234567890.5"}"#;
    let read =
        read(Wire::Responses, &route(Asks::Model, None, None), body.as_bytes(), Defences::ALL);
    let text = String::from_utf8(read.unwrap().body).unwrap();
    assert!(text.contains(r#""text":{"z":1,"a":2}"#), "{text}");
    assert!(text.contains(r#""\u00e9 12345678901234567890.5""#), "{text}");
}

#[test]
fn a_key_that_stands_there_twice_means_the_same_here_and_there() {
    let body =
        r#"{"model":"dear","model":"cheap","tools":[{"type":"web_search","type":"function"}]}"#;
    let route = route(Asks::Model, None, None);
    let read = read(Wire::Responses, &route, body.as_bytes(), Defences::ALL).unwrap();
    assert_eq!(read.model, "cheap");
    let text = String::from_utf8(read.body).unwrap();
    assert!(!text.contains("dear") && !text.contains("web_search"), "{text}");
}

#[test]
fn what_a_model_may_write_at_most_is_read_in_every_wire() {
    for (wire, body, max) in [
        (Wire::Responses, json!({"model": "m", "max_output_tokens": 7}), Some(7)),
        (Wire::Chat, json!({"model": "m", "max_tokens": 7, "max_completion_tokens": 9}), Some(9)),
        (Wire::Messages, json!({"model": "m", "max_tokens": 7}), Some(7)),
        (Wire::Gemini, json!({"generationConfig": {"maxOutputTokens": 7}}), Some(7)),
        (Wire::Chat, json!({"model": "m", "max_tokens": null}), None),
        (Wire::Ollama, json!({"model": "m"}), None),
    ] {
        assert_eq!(ask(wire, &body).unwrap().output_max, max, "{body}");
    }
    let body = json!({"model": "m", "max_tokens": -1});
    assert!(matches!(ask(Wire::Chat, &body), Err(Refusal::Malformed(_))));
}

#[test]
fn a_field_that_lifts_the_bound_of_a_call_is_refused() {
    for (wire, body, name) in [
        (
            Wire::Responses,
            json!({"model": "m", "previous_response_id": "r"}),
            "previous_response_id",
        ),
        (Wire::Responses, json!({"model": "m", "background": true}), "background"),
        (Wire::Responses, json!({"model": "m", "service_tier": "priority"}), "service_tier"),
        (Wire::Chat, json!({"model": "m", "n": 100}), "n"),
        (Wire::Chat, json!({"model": "m", "models": ["other"]}), "models"),
        (Wire::Messages, json!({"model": "m", "mcp_servers": [{"url": "x"}]}), "mcp_servers"),
        (Wire::Gemini, json!({"cachedContent": "c"}), "cachedContent"),
        (Wire::Gemini, json!({"generation_config": {"candidateCount": 8}}), "candidateCount"),
    ] {
        let refused = ask(wire, &body).unwrap_err();
        let named = matches!(refused, Refusal::Field(field) if field == name);
        assert!(named, "{body}: {refused:?}");
        let open = without(wire, &body, Defences::without(Defence::Field));
        assert!(open.is_ok(), "{body}: without the check it goes through");
    }
    let harmless = json!({"model": "m", "previous_response_id": null, "background": false,
        "service_tier": "auto"});
    assert!(ask(Wire::Responses, &harmless).is_ok());
    assert!(ask(Wire::Chat, &json!({"model": "m", "n": 1})).is_ok());
}

#[test]
fn tools_that_the_provider_would_run_are_not_offered() {
    let hosted = [
        (Wire::Responses, json!([{"type": "web_search"}, {"type": "function", "name": "f"}])),
        (Wire::Responses, json!([{"type": "mcp", "server_url": ""}, {"type": "custom"}])),
        (
            Wire::Responses,
            json!([{"type": "namespace", "tools": [{"type": "mcp"}]}, {"type": "local_shell"}]),
        ),
        (Wire::Messages, json!([{"type": "web_fetch_20260101"}, {"name": "f"}])),
        (Wire::Messages, json!([{"type": "code_execution_1"}, {"type": "bash_20250124"}])),
        (
            Wire::Gemini,
            json!([{"googleSearch": {}}, {"functionDeclarations": [], "urlContext": {}}]),
        ),
    ];
    for (wire, tools) in hosted {
        let body = json!({"model": "m", "tools": tools});
        let read = ask(wire, &body).unwrap();
        let left = sent(&read)["tools"].clone();
        assert_eq!(left.as_array().map(Vec::len), Some(1), "{body}");
        let kept = tools[1].as_object().unwrap();
        for name in left[0].as_object().unwrap().keys() {
            assert!(kept.contains_key(name) && name != "urlContext", "{left}");
        }
        let open = without(wire, &body, Defences::without(Defence::Hosted)).unwrap();
        assert_eq!(sent(&open)["tools"], tools, "without the check they go through");
    }
    let body = json!({"model": "m", "tools": [{"type": "web_search"}], "tool_choice": "auto"});
    assert_eq!(sent(&ask(Wire::Responses, &body).unwrap()), json!({"model": "m"}));
    let own = json!({"model": "m", "tools": [{"type": "namespace",
        "tools": [{"type": "function"}]}]});
    assert_eq!(sent(&ask(Wire::Responses, &own).unwrap()), own);
}

#[test]
fn nothing_is_fetched_from_an_address() {
    let far = "https://example.com/?what=was-read";
    for (wire, body) in [
        (Wire::Responses, json!({"model": "m", "input": [{"image_url": far}]})),
        (Wire::Responses, json!({"model": "m", "input": [{"file_url": " http://e"}]})),
        (
            Wire::Chat,
            json!({"model": "m", "messages": [{"content": [{"image_url": {"url": far}}]}]}),
        ),
        (
            Wire::Messages,
            json!({"model": "m", "messages": [{"content": [
            {"type": "image", "source": {"type": "url", "url": far}}]}]}),
        ),
        (Wire::Gemini, json!({"contents": [{"parts": [{"fileData": {"fileUri": "gs://x"}}]}]})),
    ] {
        assert_eq!(ask(wire, &body), Err(Refusal::Fetch), "{body}");
        assert!(without(wire, &body, Defences::without(Defence::Fetch)).is_ok(), "{body}");
    }
    let twice = r#"{"model":"m","input":[{"image_url":"https://e","image_url":"data:,x"}]}"#;
    let route = route(Asks::Model, None, None);
    let read = read(Wire::Responses, &route, twice.as_bytes(), Defences::ALL);
    assert_eq!(read, Err(Refusal::Fetch), "whichever of two the provider takes");
}

#[test]
fn what_a_program_tells_its_own_tools_is_not_looked_at() {
    for (wire, body) in [
        (
            Wire::Messages,
            json!({"model": "m", "messages": [{"content": [
            {"type": "tool_use", "input": {"image_url": "https://example.com/a"}}]}]}),
        ),
        (
            Wire::Gemini,
            json!({"contents": [{"parts": [
            {"functionCall": {"args": {"image_url": "https://example.com/a"}}}]}]}),
        ),
        (Wire::Chat, json!({"model": "m", "messages": [{"content": "see https://example.com/"}]})),
        (
            Wire::Chat,
            json!({"model": "m", "tools": [{"type": "function",
            "function": {"parameters": {"properties": {"url": {"type": "string"}}}}}]}),
        ),
    ] {
        assert!(ask(wire, &body).is_ok_and(|ask| !ask.media), "{body}");
    }
}

#[test]
fn pictures_and_documents_are_noticed_because_bytes_do_not_bound_them() {
    for (wire, body) in [
        (Wire::Responses, json!({"model": "m", "input": [{"image_url": "DATA:image/png;,x"}]})),
        (Wire::Responses, json!({"model": "m", "input": [{"file_id": "f"}]})),
        (
            Wire::Messages,
            json!({"model": "m", "messages": [{"content": [
            {"source": {"type": "base64", "data": "x"}}]}]}),
        ),
        (Wire::Gemini, json!({"contents": [{"parts": [{"inlineData": {"data": "x"}}]}]})),
        (Wire::Ollama, json!({"model": "m", "messages": [{"images": ["x"]}]})),
    ] {
        assert!(ask(wire, &body).unwrap().media, "{body}");
    }
}

#[test]
fn garbage_is_refused_and_never_a_panic() {
    let route = route(Asks::Model, None, None);
    let deep = "[".repeat(100_000);
    for text in ["", "[]", "\"x\"", "{", "{\"model\":1}", "{\"model\":\"m\",\"tools\":3}", &deep] {
        for wire in Wire::ALL {
            let read = read(wire, &route, text.as_bytes(), Defences::ALL);
            assert!(matches!(read, Err(Refusal::Malformed(_))), "{wire:?} {text:.30}");
        }
    }
}

#[test]
fn a_long_name_of_a_model_is_refused() {
    let body = |length: usize| json!({"model": "m".repeat(length)});
    assert!(ask(Wire::Chat, &body(MODEL_BYTES_MAX)).is_ok());
    assert!(ask(Wire::Chat, &body(MODEL_BYTES_MAX + 1)).is_err());
}
