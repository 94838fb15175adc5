//! The real program with a known kind of agent: started by a profile, in the sandbox, its model
//! asked through the gateway, its change merged.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use super::model::{Fault, Model, Script};

/// An agent as its maker would write it: it asks its model with what its environment tells it,
/// does what the model says, and tells so in codex's words.
const AGENT: &str = r#"
import json, os, sys, urllib.request
prompt = sys.stdin.read()
def say(**event): print(json.dumps(event), flush=True)
say(type="thread.started", thread_id="t-1")
body = json.dumps({"model": os.environ["MODEL"], "input": prompt, "stream": False}).encode()
ask = urllib.request.Request(os.environ["GATEWAY"] + "/v1/responses", body, {
    "Authorization": "Bearer " + os.environ["TOKEN"], "Content-Type": "application/json"})
try:
    answer = json.load(urllib.request.urlopen(ask))
except Exception as why:
    say(type="turn.failed", error={"message": str(why)})
    sys.exit(1)
parts = [part for item in answer["output"] for part in item.get("content", [])]
text = "".join(part.get("text", "") for part in parts)
if not prompt.startswith("Role: planner"):
    open("greeting.txt", "w").write(text + "\n")
say(type="item.completed", item={"id": "1", "type": "agent_message", "text": text})
say(type="turn.completed", usage={"input_tokens": 1, "cached_input_tokens": 0, "output_tokens": 1})
"#;

/// What such an agent does that asks before it goes on: it remembers in its home what it was
/// told, and is told nothing but the answer when it is gone on with.
const ASKING: &str = r#"
import os, sys
prompt, home = sys.stdin.read(), os.environ["HOME"] + "/memory"
def say(**event): __import__("builtins").print(__import__("json").dumps(event), flush=True)
say(type="thread.started", thread_id="t-1")
text = "A plan."
if sys.argv[1] == "t-1":
    told = open(home).read()
    assert "Let greet shout" in told and "Let greet shout" not in prompt
    assert "what you think is best" in prompt and "Which way?" in prompt
    assert open("begun.txt").read() == "begun\n" and not os.path.exists("BLOCKED.md")
    open("greeting.txt", "w").write("answered\n")
    text = "Went on."
elif not prompt.startswith("Role: planner"):
    open(home, "w").write(prompt)
    open("begun.txt", "w").write("begun\n")
    open("BLOCKED.md", "w").write("Which way?\n")
    text = "I have begun."
say(type="item.completed", item={"id": "1", "type": "agent_message", "text": text})
say(type="turn.completed", usage={"input_tokens": 1, "cached_input_tokens": 0, "output_tokens": 1})
"#;

fn profiles(agent: &str) -> String {
    format!(
        "[agent.known]\ndialect = 'codex_exec'\n\
         argv = ['sh', '-c', '{{command}}', '{{?resume}}']\n\
         prompt = 'stdin'\nwire = 'responses'\ncommand = '''exec python3 -c '{agent}' \"$0\"'''\n\
         env = {{ GATEWAY = '{{gateway}}', TOKEN = '{{token}}', MODEL = '{{model}}' }}\n"
    )
}

/// Plays the story with the agent, and a model at `url`.
fn play(agent: &str, url: &str) -> (Value, Output) {
    let output = story(url, &profiles(agent), &["--json"]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    (serde_json::from_str(told.trim()).unwrap_or(Value::Null), output)
}

fn story(url: &str, profiles: &str, more: &[&str]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("profiles.toml");
    std::fs::write(&file, profiles).unwrap();
    let file = file.display().to_string();
    let agent = ["--agent", "known", "--model", "m-1", "--model-url", url, "--profiles", &file];
    let story = ["demo", "--scenario", "happy"];
    crate::program::slipway(&[&story[..], &agent[..], more].concat())
}

/// The same, of a maker who asks for ever.
fn endless() -> String {
    let asks =
        "try:\n    answer = json.load(urllib.request.urlopen(ask))\nexcept Exception as why:";
    assert!(AGENT.contains(asks));
    let forever = "while True:\n    try: urllib.request.urlopen(ask)\n    \
                   except Exception: pass\nif False:";
    profiles(&AGENT.replace(asks, forever))
}

/// Python and bubblewrap are what this needs beside Slipway.
fn can() -> bool {
    let there = |path: &str| Path::new(path).exists();
    there("/usr/bin/python3") && there("/usr/bin/bwrap")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_agent_works_through_the_gateway_and_its_change_is_merged() {
    if !can() {
        return;
    }
    let model = Model::start(Script::saying("Hello from a model")).await.unwrap();
    let url = model.url("/v1");
    let (told, output) = tokio::task::spawn_blocking(move || play(AGENT, &url)).await.unwrap();
    assert_eq!(told["outcome"], "merged", "{told} {output:?}");
    let heard = model.heard();
    assert!(heard.len() >= 2, "planner and builder asked: {}", heard.len());
    for request in &heard {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body["model"], "m-1");
        assert!(body["input"].as_str().unwrap().starts_with("Role: "));
        assert_eq!(request.header("authorization"), None, "its token stays here");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_whose_house_refuses_it_says_so_and_nothing_is_merged() {
    if !can() {
        return;
    }
    let refusing = Script::failing(Fault::Status(401, None, "no such key"));
    let model = Model::start(refusing).await.unwrap();
    let url = model.url("/v1");
    let (told, output) = tokio::task::spawn_blocking(move || play(AGENT, &url)).await.unwrap();
    assert_ne!(told["outcome"], "merged", "{told} {output:?}");
    assert!(told["pull_request"].is_null(), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_asked_goes_on_in_the_same_conversation_with_the_answer() {
    if !can() {
        return;
    }
    let url = "http://127.0.0.1:9/v1";
    let (told, output) = tokio::task::spawn_blocking(move || play(ASKING, url)).await.unwrap();
    // It fails where it remembers nothing, is not told the answer, or finds its work gone.
    assert_eq!(told["outcome"], "merged", "{told} {output:?}");
}

/// What a model is asked in a wire, and where the wire has the schema of its answer.
const DIRECT: [(&str, &str, &str); 3] = [
    ("chat", "/v1", "/response_format/json_schema/schema/properties"),
    ("responses", "/v1", "/text/format/schema/properties"),
    ("messages", "", "/output_config/format/schema/properties"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_model_without_a_program_plans_and_reviews_and_may_mend_its_answer_once() {
    let plan = r#"{"plan": ["Teach greet.sh to shout", "Test it"]}"#;
    let review = r#"{"summary": "It does what was asked.", "findings": []}"#;
    for (wire, path, schema) in DIRECT {
        let script = Script {
            when: vec![
                ("That was not accepted", format!("```json\n{review}\n```")),
                ("Role: critic", "Looks good to me.".to_owned()),
                ("Role: planner", plan.to_owned()),
            ],
            ..Script::saying("nothing")
        };
        let model = Model::start(script).await.unwrap();
        let (url, thinker) = (model.url(path), format!("{wire}:m-1"));
        let story = move || {
            let story = ["demo", "--json", "--scenario", "happy"];
            let model = ["--thinker", &thinker, "--thinker-url", &url];
            crate::program::slipway(&[&story[..], &model[..]].concat())
        };
        let output = tokio::task::spawn_blocking(story).await.unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let told: Value = serde_json::from_str(told.trim()).unwrap_or(Value::Null);
        assert_eq!(told["outcome"], "merged", "{wire}: {told} {output:?}");
        let heard: Vec<Value> = model
            .heard()
            .iter()
            .map(|request| serde_json::from_slice(&request.body).unwrap())
            .collect();
        assert_eq!(heard.len(), 3, "{wire}: a plan, a review, and the review mended");
        let asked = |at: usize, name: &str| heard[at].pointer(schema).unwrap().get(name).is_some();
        assert!(asked(0, "plan") && asked(1, "findings") && asked(2, "findings"), "{wire}");
        let text = heard[1].to_string();
        assert!(
            text.contains("the files of the repository") && text.contains("greet.sh"),
            "{text}"
        );
        assert!(text.contains("what the change takes out and puts in"), "{wire}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_cannot_be_reached_keeps_the_change_back_and_says_so() {
    let refusing = Script::failing(Fault::Status(401, None, "no such key"));
    let model = Model::start(refusing).await.unwrap();
    let url = model.url("/v1");
    let story = move || {
        let story = ["demo", "--json", "--scenario", "happy"];
        let model = ["--thinker", "chat:m-1", "--thinker-url", &url];
        crate::program::slipway(&[&story[..], &model[..]].concat())
    };
    let output = tokio::task::spawn_blocking(story).await.unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let told: Value = serde_json::from_str(told.trim()).unwrap_or(Value::Null);
    assert_ne!(told["outcome"], "merged", "{told} {output:?}");
    assert!(told["pull_request"].is_null(), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_retry_is_ended_and_people_are_told_so() {
    if !can() {
        return;
    }
    let refusing = Script::failing(Fault::Status(401, None, "no such key"));
    let model = Model::start(refusing).await.unwrap();
    let url = model.url("/v1");
    let played = move || story(&url, &endless(), &[]);
    let output = tokio::task::spawn_blocking(played).await.unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("it went on asking its model although"), "{told}");
    assert!(told.contains("Slipway needs a person"), "{told}");
    let calls = model.heard().len();
    assert!(calls <= 40, "its model was asked {calls} times");
}
