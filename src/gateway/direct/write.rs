//! Writes a question in each of the five wires; pure.

use serde_json::{Value, json};

use super::{Question, Wire};

/// A request to a line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Written {
    pub(super) path: String,
    pub(super) body: Value,
}

/// An answer that was not good, and why.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mended<'a> {
    pub(super) said: &'a str,
    pub(super) why: &'a str,
}

impl Mended<'_> {
    fn asked(self) -> String {
        format!("That was not accepted: {}. Answer again, with the corrected JSON alone.", self.why)
    }
}

/// The question, or the question with an answer to mend.
pub(super) fn question(wire: Wire, question: &Question, mended: Option<Mended<'_>>) -> Written {
    let Question { model, system, text, form: (name, schema), output_max } = question;
    let (path, body) = match wire {
        Wire::Responses => (
            "/v1/responses".to_owned(),
            json!({
                "model": model, "instructions": system, "max_output_tokens": output_max,
                "input": turns(text, mended, plain("user"), plain("assistant")),
                "store": false,
                "text": {"format":
                    {"type": "json_schema", "name": name, "schema": schema, "strict": true}},
            }),
        ),
        Wire::Chat => {
            let mut messages = vec![json!({"role": "system", "content": system})];
            messages.extend(turns(text, mended, plain("user"), plain("assistant")));
            let form = json!({"name": name, "schema": schema, "strict": true});
            let body = json!({
                "model": model, "max_completion_tokens": output_max, "messages": messages,
                "response_format": {"type": "json_schema", "json_schema": form},
            });
            ("/v1/chat/completions".to_owned(), body)
        }
        Wire::Messages => (
            "/v1/messages".to_owned(),
            json!({
                "model": model, "system": system, "max_tokens": output_max,
                "messages": turns(text, mended, plain("user"), plain("assistant")),
                "output_config": {"format": {"type": "json_schema", "schema": schema}},
            }),
        ),
        Wire::Gemini => (
            format!("/v1beta/models/{model}:generateContent"),
            json!({
                "systemInstruction": {"parts": [{"text": system}]},
                "contents": turns(text, mended, parts("user"), parts("model")),
                "generationConfig": {"maxOutputTokens": output_max,
                    "responseMimeType": "application/json", "responseJsonSchema": schema},
            }),
        ),
        Wire::Ollama => {
            let mut messages = vec![json!({"role": "system", "content": system})];
            messages.extend(turns(text, mended, plain("user"), plain("assistant")));
            let body = json!({
                "model": model, "stream": false, "messages": messages, "format": schema,
                "options": {"num_predict": output_max},
            });
            ("/api/chat".to_owned(), body)
        }
    };
    Written { path, body }
}

fn plain(role: &'static str) -> impl Fn(&str) -> Value {
    move |text| json!({"role": role, "content": text})
}

fn parts(role: &'static str) -> impl Fn(&str) -> Value {
    move |text| json!({"role": role, "parts": [{"text": text}]})
}

fn turns(
    text: &str,
    mended: Option<Mended<'_>>,
    asks: impl Fn(&str) -> Value,
    says: impl Fn(&str) -> Value,
) -> Vec<Value> {
    let mut turns = vec![asks(text)];
    if let Some(mended) = mended {
        turns.extend([says(mended.said), asks(&mended.asked())]);
    }
    turns
}
