//! The real program: `slipway demo` as a stranger runs it, over HTTP and git, and killed.

use std::process::{Command, Output};

use serde_json::Value;

/// Keys every scenario's object has.
const KEYS: &[&str] = &[
    "scenario",
    "run",
    "outcome",
    "pull_request",
    "merged_sha",
    "landed_tree_verified",
    "webhooks",
    "api_reads",
    "api_unchanged",
    "api_writes",
    "comments",
    "check_runs",
    "agent_calls",
    "fix_rounds",
    "resolve_rounds",
    "first_reaction_ms",
    "wall_ms",
];
/// Writes to GitHub's interface that a merged pull request may cost when nothing goes wrong on
/// the way there and back.
const WRITES_MAX: u64 = 25;

#[expect(clippy::disallowed_methods, reason = "this test is about the program as a process")]
pub(crate) fn slipway(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slipway"));
    command.args(args).env_remove("SLIPWAY_APP_ID").output().unwrap()
}

fn told(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_scenario_ends_as_its_story_says() {
    let output = slipway(&["demo", "--json", "--scenario", "all"]);
    let told = told(&output);
    assert!(output.status.success(), "{told:#?} {}", String::from_utf8_lossy(&output.stderr));
    let ends: Vec<(&str, &str)> = told
        .iter()
        .map(|one| (one["scenario"].as_str().unwrap(), one["outcome"].as_str().unwrap()))
        .collect();
    let expected = [
        ("happy", "merged"),
        ("red-ci", "merged"),
        ("conflict", "merged"),
        ("outsider", "refused"),
        ("stop", "stopped"),
        ("queue", "merged"),
        ("signed", "merged"),
        ("question", "merged"),
        ("hostile", "failed"),
    ];
    assert_eq!(ends, expected);
    for one in &told {
        for key in KEYS {
            assert!(one.get(*key).is_some(), "{key} is missing in {one}");
        }
        assert!(one["api_writes"].as_u64().unwrap() <= WRITES_MAX, "{one}");
        assert!(one["first_reaction_ms"].as_i64().unwrap() < 1_000, "{one}");
        assert_eq!(one["landed_tree_verified"].as_bool(), Some(one["outcome"] == "merged"));
    }
    assert_eq!(told[6]["signed_commits"], 1);
    let attempts = told[8]["attempts"].as_array().unwrap();
    assert!(attempts.len() > 20 && attempts.iter().all(|one| one["refused"] == true));
    assert_eq!((&told[1]["fix_rounds"], &told[1]["resolve_rounds"]), (&1.into(), &0.into()));
    assert_eq!((&told[2]["fix_rounds"], &told[2]["resolve_rounds"]), (&0.into(), &1.into()));
}

#[test]
fn killed_and_lied_to_it_ends_the_same() {
    let output = slipway(&["demo", "--json", "--scenario", "full", "--chaos", "7"]);
    let told = told(&output);
    assert!(output.status.success(), "{told:#?} {}", String::from_utf8_lossy(&output.stderr));
    let [one] = told.as_slice() else { panic!("one object: {told:?}") };
    assert_eq!(one["outcome"], "merged");
    assert_eq!(one["landed_tree_verified"], true);
    assert_eq!((&one["fix_rounds"], &one["resolve_rounds"]), (&1.into(), &1.into()));
    assert_eq!(one["comments"], 2, "one sticky comment on the issue and one on the pull request");
}

#[test]
fn without_any_inbound_webhook_it_ends_the_same() {
    for mode in ["poll", "relay"] {
        let output = slipway(&["demo", "--json", "--scenario", "happy", "--webhooks", mode]);
        let told = told(&output);
        assert!(output.status.success(), "{told:#?} {}", String::from_utf8_lossy(&output.stderr));
        let [one] = told.as_slice() else { panic!("one object: {told:?}") };
        assert_eq!(one["outcome"], "merged", "{mode}");
        assert_eq!(one["landed_tree_verified"], true);
        assert_eq!((&one["comments"], &one["check_runs"]), (&2.into(), &1.into()));
        assert!(one["api_writes"].as_u64().unwrap() <= WRITES_MAX, "{mode}: {one}");
    }
}

#[test]
fn what_is_missing_is_said_with_what_to_do_next() {
    let output = slipway(&["serve", "--db", "nowhere.db"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(error.contains("SLIPWAY_APP_ID"), "{error}");
}

#[test]
fn agents_are_listed_shown_and_asked_for_their_version() {
    let place = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = place.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let listed = told(&slipway(&["agents", "list", "--json"]));
    assert!(listed.iter().any(|one| one["name"] == "codex" && one["edits"] == true), "{listed:?}");
    let profiles = file(
        "profiles.toml",
        "[agent.codex]\nprobe = [\"echo\", \"codex-cli 9.9.9\"]\n\
         [agent.mine]\nextends = \"command\"\n",
    );
    let shown = slipway(&["agents", "show", "mine", "--profiles", &profiles]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("dialect      plain_text"), "{shown}");
    let config = file("slipway.toml", "sandbox = \"process\"\nsandbox_level_min = 0\n");
    let probe =
        ["agents", "probe", "codex", "--profiles", &profiles, "--config", &config, "--json"];
    let probed = told(&slipway(&probe));
    assert_eq!(probed[0]["version"], "9.9.9", "{probed:?}");
    assert!(probed[0]["warning"].as_str().unwrap().contains("newer than 0.169"), "{probed:?}");
    let unknown = slipway(&["agents", "show", "nobody"]);
    let error = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(!unknown.status.success() && error.contains("slipway agents list"), "{error}");
}
