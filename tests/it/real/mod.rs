//! Agents that others made, as `tests/agents` installs them, in the sandbox and with nothing to
//! reach but the gateway: whole stories, hostile repositories, and models that are away.

mod cast;
mod hostile;
mod stage;
mod stuck;
mod traps;

use std::process::Output;

use serde_json::Value;

use self::cast::{Real, Work};
use super::model::{Model, Script, Turn};

/// A word that only a command can have written.
const MARK: &str = "a-mark-of-the-command";
/// What every agent is to do.
const COMMAND: &str = "echo a-mark-of-the-command > made-by-an-agent.txt; cat made-by-an-agent.txt";

/// The script of a model that wants `command` to be run by an agent that runs commands.
fn script(real: &Real, command: &str) -> Script {
    let turns = match real.work {
        Work::Runs(tool) => {
            vec![Turn::Use(vec![tool(command)]), Turn::Say("Done as asked.".to_owned())]
        }
        Work::Writes => vec![Turn::Say(format!(
            "I add the file.\n\nmade-by-an-agent.txt\n```\n<<<<<<< SEARCH\n=======\n{MARK}\n\
             >>>>>>> REPLACE\n```\n"
        ))],
    };
    Script { turns, ..Script::saying("") }
}

/// Plays a story with an agent and a model; `None` where the agent is not installed.
async fn story(
    real: &'static Real,
    model: &Model,
    more: &'static [&'static str],
) -> Option<Output> {
    let tools = real.tools()?.iter().map(|tool| tool.display().to_string()).collect::<Vec<_>>();
    let url = model.url(real.root());
    let played = tokio::task::spawn_blocking(move || {
        let place = tempfile::tempdir().unwrap();
        let tools = tools.join(":");
        let story = ["demo", "--scenario", "happy", "--agent", real.profile];
        let at = ["--model", "m-1", "--model-url", &url, "--tools", &tools];
        let mut words = [&story[..], &at[..], more].concat();
        let file = place.path().join("profiles.toml").display().to_string();
        if let Some(profile) = real.own {
            std::fs::write(&file, profile).unwrap();
            words.extend(["--profiles", &file]);
        }
        crate::program::slipway(&words)
    });
    Some(played.await.unwrap())
}

/// It edits, runs a command where it runs any, and its change is merged.
async fn works(real: &'static Real) {
    let model = Model::start(script(real, COMMAND)).await.unwrap();
    let Some(output) = story(real, &model, &["--json"]).await else { return };
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let told: Value = serde_json::from_str(told.trim()).unwrap_or(Value::Null);
    let name = real.name;
    assert_eq!(told["outcome"], "merged", "{name}: {told} {output:?}");
    assert_eq!(told["landed_tree_verified"], true, "{name}: {told}");
    let heard = model.heard();
    for request in &heard {
        let token = request.headers.iter().find(|line| line.contains("slipway-"));
        assert_eq!(token, None, "{name}: the token of its run went outside");
    }
    let ran = |request: &super::model::Request| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        body.replace(COMMAND, "").contains(MARK)
    };
    match real.work {
        Work::Runs(_) => {
            assert!(heard.len() >= 3, "{name}: it planned, ran a command and said so");
            assert!(heard.iter().any(ran), "{name}: what the command said came back");
        }
        Work::Writes => assert!(heard.len() >= 2, "{name}: it planned and wrote"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn codex_itself_edits_runs_and_is_merged() {
    works(&cast::CODEX).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn opencode_itself_edits_runs_and_is_merged() {
    works(&cast::OPENCODE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn opencode_itself_through_the_agent_client_protocol_edits_runs_and_is_merged() {
    works(&cast::OPENCODE_ACP).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn claude_itself_edits_runs_and_is_merged() {
    works(&cast::CLAUDE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gemini_itself_edits_runs_and_is_merged() {
    works(&cast::GEMINI).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn qwen_itself_edits_runs_and_is_merged() {
    works(&cast::QWEN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copilot_itself_edits_runs_and_is_merged() {
    works(&cast::COPILOT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn aider_itself_edits_and_is_merged() {
    works(&cast::AIDER).await;
}
