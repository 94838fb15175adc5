//! Check runs and the CI whose jobs need no process.

use serde_json::json;

use super::{REPO, Stage};
use crate::playground::ci::run_pending;
use crate::playground::world::checks::{RunEdit, RunFilter};
use crate::playground::world::{CheckAction, CheckOutput, Op, Run};

const JOBS: &str = r#"{"jobs": [
    {"name": "test", "fails_if": {"file": "a.txt", "contains": "bug"}},
    {"name": "flaky", "flaky": {"fails_first": 1}},
    {"name": "ghost", "never_starts": true},
    {"name": "slow", "duration_ms": 1000}
]}"#;

fn runs(stage: &Stage, sha: &str) -> Vec<Run> {
    let filter = RunFilter::default();
    let op = Op::read("checks/list-for-ref", "");
    let found = stage
        .world
        .call(&stage.actor, op, |state| state.list_check_runs(&stage.actor, REPO, sha, &filter));
    found.unwrap()
}

fn outcome(stage: &Stage, sha: &str) -> Vec<(String, String)> {
    let pair = |run: Run| (run.name, run.conclusion.unwrap_or_else(|| "-".to_owned()));
    let mut found: Vec<_> = runs(stage, sha).into_iter().map(pair).collect();
    found.sort();
    found
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn jobs_are_judged_on_the_tree_and_may_be_run_again() {
    let stage = Stage::with_files(&[("a.txt", "fine\n"), (".playground/ci.json", JOBS)]);
    let number = stage.pull("work", "", &[("a.txt", "a bug\n")]);
    let head = stage.head(number);
    stage.step_ci();
    let early = pairs(&[("flaky", "failure"), ("slow", "-"), ("test", "failure")]);
    assert_eq!(outcome(&stage, &head), early);
    stage.advance(1_000);
    stage.step_ci();
    let failed = runs(&stage, &head).into_iter().find(|run| run.name == "test").unwrap();
    assert!(failed.output.text.unwrap().contains("a.txt contains \"bug\""));
    assert_eq!(failed.output.annotations.len(), 1);
    let flaky = runs(&stage, &head).into_iter().find(|run| run.name == "flaky").unwrap().id;
    let op = Op::write("checks/rerequest-run", "");
    let again =
        stage.world.call(&stage.actor, op, |state| state.rerequest_run(&stage.actor, REPO, flaky));
    again.unwrap();
    stage.step_ci();
    let settled = pairs(&[("flaky", "success"), ("slow", "success"), ("test", "failure")]);
    assert_eq!(outcome(&stage, &head), settled);
    let told = stage.names();
    assert!(told.contains(&"check_run.completed".to_owned()));
    assert!(told.contains(&"check_suite.completed".to_owned()));
    assert_eq!(stage.ask(number), (None, "unknown"));
    assert_eq!(stage.ask(number).1, "unstable");
    let fixed = stage.push("work", &[("a.txt", "better\n")]);
    stage.step_ci();
    assert_eq!(outcome(&stage, &fixed)[2].1, "success");
}

#[test]
fn a_check_run_keeps_to_githubs_limits_and_its_buttons_reach_the_bot() {
    let stage = Stage::new();
    let number = stage.pull("work", "", &[("b.txt", "b\n")]);
    let head = stage.head(number);
    let create = |edit: &RunEdit| {
        let op = Op::write("checks/create", "");
        stage
            .world
            .call(&stage.actor, op, |state| state.create_check_run(&stage.actor, REPO, &head, edit))
    };
    let named = || RunEdit { name: Some("slipway".to_owned()), ..RunEdit::default() };
    let action = |label: &str| CheckAction {
        label: label.to_owned(),
        description: "Try again".to_owned(),
        identifier: "retry".to_owned(),
    };
    let long = CheckOutput { summary: Some("x".repeat(65_536)), ..CheckOutput::default() };
    let many = CheckOutput { annotations: vec![json!({}); 51], ..CheckOutput::default() };
    let bad = [
        RunEdit { output: Some(long), ..named() },
        RunEdit { output: Some(many), ..named() },
        RunEdit { actions: Some(vec![action("a"); 4]), ..named() },
        RunEdit { actions: Some(vec![action("a label too long by far")]), ..named() },
        RunEdit { conclusion: Some("great".to_owned()), ..named() },
    ];
    for edit in &bad {
        assert_eq!(create(edit).unwrap_err().status, 422, "{edit:?}");
    }
    let actions = Some(vec![action("Retry")]);
    let good = RunEdit { conclusion: Some("failure".to_owned()), actions, ..named() };
    let run = create(&good).unwrap();
    stage.events();
    stage.world.press_button(stage.rio.id, REPO, run.id, "retry").unwrap();
    let told = stage.events();
    assert_eq!(told[0].0, "check_run.requested_action");
    assert_eq!(told[0].1["requested_action"]["identifier"], "retry");
    assert_eq!(told[0].1["check_run"]["pull_requests"][0]["number"], number);
}

#[tokio::test]
async fn a_script_that_does_not_end_is_ended_with_all_that_it_started() {
    let jobs = r#"{"jobs": [{"name": "test", "run": "sh hang.sh"}]}"#;
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("alive");
    let hang = format!("(while :; do date > {}; sleep 0.05; done) &\nwait\n", mark.display());
    let stage = Stage::with_files(&[("hang.sh", &hang), (".playground/ci.json", jobs)]);
    stage.world.with(|state| state.ci_time_max = std::time::Duration::from_millis(300));
    let number = stage.pull("work", "", &[("b.txt", "b\n")]);
    stage.step_ci();
    assert_eq!(run_pending(&stage.world).await.unwrap(), 1);
    assert_eq!(outcome(&stage, &stage.head(number)), pairs(&[("test", "timed_out")]));
    std::fs::remove_file(&mark).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(!mark.exists(), "the loop in the background is gone");
}
