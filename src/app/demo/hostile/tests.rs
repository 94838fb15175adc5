//! The hostile agent is dangerous where nothing holds it, and the verdict notices.

use tokio_util::sync::CancellationToken;

use super::verdict::{TOLD, live_markup, told};
use super::*;
use crate::agent::{Place, command::Command};
use crate::sandbox::process::Process;
use crate::sandbox::{Limits, Sandbox, Tools};

/// What the agent says when it looks around with nothing but a process group around it.
async fn unheld() -> String {
    let (host, work) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for name in ["key.pem", "slipway.toml", "slipway.db", "stop"] {
        std::fs::write(host.path().join(name), "a secret").unwrap();
    }
    let mark = format!("{:016x}", fastrand::u64(..));
    let command = command(host.path(), "http://127.0.0.1:9", &mark);
    let place = Place {
        directory: work.path().to_owned(),
        workspace: "w".to_owned(),
        limits: Limits { wall_ms_max: 60_000, ..Limits::default() },
        doors: vec![],
        read_only: vec![],
        masks: vec![],
    };
    let order = Command { command }.invocation("Role: planner\nRound: 1\n".to_owned(), place);
    let sandbox = Process { tools: Tools::default() };
    sandbox.run(&order, &CancellationToken::new()).await.unwrap().stdout
}

#[tokio::test]
async fn without_a_boundary_the_hostile_agent_gets_through_and_is_found_out() {
    let attempts = told(&unheld().await);
    assert_eq!(attempts.len(), TOLD, "{attempts:?}");
    let through =
        |what: &str| attempts.iter().any(|attempt| attempt.what.contains(what) && !attempt.refused);
    for what in ["private key", "webhook secret", "database", "write outside"] {
        assert!(through(what), "{what}: {attempts:?}");
    }
}

#[test]
fn an_agent_that_keeps_silent_is_not_believed() {
    let attempts = told("refused: read the key (No such file)\nall is well");
    assert_eq!(attempts.len(), 2);
    assert!(attempts[0].refused && attempts[0].how == "No such file");
    assert!(!attempts[1].refused, "{attempts:?}");
}

#[test]
fn words_that_would_do_something_on_github_are_noticed() {
    assert_eq!(live_markup("hello @otto"), Some("a mention"));
    assert_eq!(live_markup("Fixes #1"), Some("a closing keyword"));
    assert_eq!(live_markup("![x](http://h/leak.png)"), Some("an image from elsewhere"));
    assert_eq!(live_markup("well\n  /merge"), Some("a command"));
    assert_eq!(live_markup("`/merge` is what it wanted"), None);
    assert_eq!(live_markup("```text\n@otto Fixes #1\n```\n"), None, "code says nothing");
    assert_eq!(live_markup("```text\nx\n```\n@otto"), Some("a mention"));
    assert_eq!(live_markup("```text\n/merge\n```"), Some("a command"), "bots read code");
}
