//! The scripted model keeps to its script, and fails as it is told.

use serde_json::{Value, json};

use super::*;

async fn ask(model: &Model, path: &str, body: &Value) -> (u16, String) {
    try_ask(model, path, body).await.unwrap()
}

async fn try_ask(model: &Model, path: &str, body: &Value) -> reqwest::Result<(u16, String)> {
    let client = reqwest::Client::builder().no_proxy().tls_certs_only(std::iter::empty());
    let client = client.redirect(reqwest::redirect::Policy::none());
    let client = client.timeout(Duration::from_millis(300)).build()?;
    let sent = client.post(model.url(path)).body(body.to_string()).send().await?;
    let (status, named) = (sent.status().as_u16(), sent.headers().get("x-request-id").cloned());
    let named = named.and_then(|value| value.to_str().map(str::to_owned).ok());
    Ok((status, named.unwrap_or_default() + &sent.text().await?))
}

fn editing() -> Script {
    let tools = vec![
        Tool::new("not_offered", json!({})),
        Tool::new("shell", json!({"command": ["touch", "x"]})),
    ];
    Script { turns: vec![Turn::Use(tools), Turn::Say("done now".to_owned())], ..Script::default() }
}

#[tokio::test]
async fn a_turn_is_told_by_the_answers_of_tools_in_the_request() {
    let model = Model::start(editing()).await.unwrap();
    let tools = json!([{"type": "function", "name": "shell"}]);
    let output = json!({"type": "function_call_output", "call_id": "call_0", "output": ""});
    for (input, says) in [(json!([]), "function_call"), (json!([output]), "done now")] {
        for streamed in [true, false] {
            let body = json!({"model": "m", "stream": streamed, "tools": tools, "input": input});
            let (status, text) = ask(&model, "/v1/responses", &body).await;
            assert!(status == 200 && text.contains(says), "{text}");
            assert_eq!(text.contains("event: response.completed"), streamed, "{text}");
        }
    }
    let chat = json!({"model": "m", "tools": [{"type": "function", "function": {"name": "shell"}}],
        "messages": [{"role": "tool"}]});
    assert!(ask(&model, "/v1/chat/completions", &chat).await.1.contains("done now"));
    let messages = json!({"model": "m", "tools": [{"name": "shell"}], "messages": [
        {"role": "user", "content": [{"type": "tool_result"}]}]});
    assert!(ask(&model, "/v1/messages", &messages).await.1.contains("done now"));
    let gemini = json!({"contents": [{"parts": [{"functionResponse": {}}]}]});
    assert!(ask(&model, "/v1beta/models/m:generateContent", &gemini).await.1.contains("done now"));
    let none = json!({"model": "m", "messages": [], "stream": false});
    assert!(ask(&model, "/api/chat", &none).await.1.contains("none of my tools"));
}

#[tokio::test]
async fn faults_come_in_their_order_and_then_for_ever() {
    let mut script = Script::failing(Fault::Status(500, None, "broken"));
    script.faults = vec![Fault::Status(429, Some("7"), "slow"), Fault::None];
    let model = Model::start(script).await.unwrap();
    let body = json!({"model": "m", "messages": []});
    let mut statuses = Vec::new();
    for _call in 0..4 {
        statuses.push(ask(&model, "/v1/messages", &body).await.0);
    }
    assert_eq!(statuses, [429, 200, 500, 500]);
    assert_eq!(ask(&model, "/v1/messages/count_tokens", &body).await.0, 200, "is no call");
    assert_eq!(model.heard().len(), 5);
    assert_eq!(model.gone(), 0);
}

#[tokio::test]
async fn every_fault_is_what_it_says() {
    let body = json!({"model": "m", "stream": true, "messages": []});
    for (fault, hears) in [
        (Fault::Cut, Some((200, "as you wish"))),
        (Fault::Error("overloaded_error"), Some((200, "overloaded_error"))),
        (Fault::Redirect("http://127.0.0.1:1/".to_owned()), Some((307, ""))),
        (Fault::Echo(400), Some((400, "content-length: "))),
        (Fault::EchoBody(200), Some((200, "content-length: "))),
        (Fault::Huge(100_000), Some((200, "   "))),
        (Fault::Close, None),
        (Fault::Stall, None),
        (Fault::WrongLength, None),
        (Fault::Silent, None),
    ] {
        let waits = matches!(fault, Fault::Stall | Fault::Silent);
        let model = Model::start(Script::failing(fault.clone())).await.unwrap();
        let heard = try_ask(&model, "/v1/chat/completions", &body).await.ok();
        let said = heard.as_ref().map(|(status, text)| (*status, text.replace('"', "")));
        let as_told = match (&said, hears) {
            (Some((status, text)), Some((code, part))) => {
                let spoken = part == "as you wish" && text.contains("wish");
                *status == code && (text.contains(part) || spoken)
            }
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        assert!(as_told, "{fault:?}: {said:?}");
        while waits && model.gone() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let cut_off = Script { turns: vec![Turn::Stop("no m".to_owned())], ..Script::default() };
    let model = Model::start(cut_off).await.unwrap();
    let (_status, text) = ask(&model, "/v1/chat/completions", &body).await;
    assert!(text.contains("\"finish_reason\":\"length\""), "{text}");
}
