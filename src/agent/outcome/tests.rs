//! Each rung of the judgement, and that none is skipped.

use super::*;
use crate::agent::event::Words;
use crate::sandbox::Limit;

/// Everything a case may say; the rest is that of a good end.
#[derive(Clone)]
struct Case {
    said: Said,
    text: &'static str,
    end: End,
    stopped: Option<Stopped>,
    upstream: Option<Upstream>,
    stderr: &'static str,
    changed: Option<bool>,
}

fn good() -> Case {
    Case {
        said: Said::Done,
        text: "done",
        end: End::Exited(0),
        stopped: None,
        upstream: None,
        stderr: "",
        changed: Some(true),
    }
}

fn failed(trouble: Option<Trouble>) -> Said {
    Said::Failed { trouble, words: Words::from("it says so") }
}

fn saw(trouble: Trouble) -> Upstream {
    Upstream { trouble: Some(trouble), truncated: false }
}

fn outcome(case: Case) -> Outcome {
    let exits = BTreeMap::from([(53, Trouble::Limit)]);
    let any = vec!["Not logged in".to_owned()];
    let patterns = [Pattern { any, class: Trouble::Auth }];
    let account = Account {
        said: case.said,
        text: case.text.to_owned(),
        structured: None,
        usage: None,
        session: None,
        turns: None,
        noise: String::new(),
    };
    judge(Evidence {
        account,
        heard: Heard::default(),
        end: case.end,
        stopped: case.stopped,
        upstream: case.upstream,
        stderr: case.stderr,
        changed: case.changed,
        exits: &exits,
        patterns: &patterns,
    })
}

fn class(case: Case) -> Result<(), Trouble> {
    outcome(case).class
}

#[test]
fn first_comes_what_we_did_ourselves() {
    let why = "it made the same call 9 times in a row: echo".to_owned();
    let stopped = Some(Stopped { trouble: Trouble::Killed, why: why.clone() });
    let judged = outcome(Case { stopped, upstream: Some(saw(Trouble::Auth)), ..good() });
    assert_eq!((judged.class, judged.why), (Err(Trouble::Killed), why));
    for end in [End::TimedOut, End::Cancelled, End::Limit(Limit::Memory)] {
        assert_eq!(class(Case { end, ..good() }), Err(Trouble::Killed), "{end:?}");
    }
}

#[test]
fn second_comes_the_event_that_means_success_with_an_exit_code_of_0() {
    assert_eq!(class(good()), Ok(()));
    assert_eq!(class(Case { end: End::Exited(1), ..good() }), Err(Trouble::Failed));
    assert_eq!(class(Case { end: End::Signalled(9), ..good() }), Err(Trouble::Killed));
    // A call beside the work may fail in the end; the work is done.
    assert_eq!(class(Case { upstream: Some(saw(Trouble::Server)), ..good() }), Ok(()));
    // The words of a good end are not searched for failures.
    assert_eq!(class(Case { stderr: "Not logged in", ..good() }), Ok(()));
    let cut = Some(Upstream { trouble: None, truncated: true });
    assert_eq!(class(Case { upstream: cut, ..good() }), Err(Trouble::Truncated));
}

#[test]
fn neither_a_word_nor_a_change_is_no_success() {
    let empty = |changed| class(Case { text: " \n", changed, ..good() });
    assert_eq!(empty(Some(false)), Err(Trouble::Empty));
    assert_eq!(empty(Some(true)), Ok(()));
    assert_eq!(empty(None), Ok(()), "git was not asked, and will be");
}

#[test]
fn third_comes_the_gateway_over_what_the_agent_makes_of_it() {
    let said = || failed(Some(Trouble::RateLimit));
    let judged = |said| {
        class(Case { said, upstream: Some(saw(Trouble::Quota)), end: End::Exited(1), ..good() })
    };
    assert_eq!(judged(said()), Err(Trouble::Quota));
    assert_eq!(judged(failed(None)), Err(Trouble::Quota));
    assert_eq!(judged(Said::Nothing), Err(Trouble::Quota));
    assert_eq!(class(Case { said: said(), ..good() }), Err(Trouble::RateLimit));
    // What is its own to know stays.
    for own in [Trouble::Limit, Trouble::Budget, Trouble::ContextOverflow] {
        assert_eq!(judged(failed(Some(own))), Err(own));
    }
}

#[test]
fn the_quiet_end_of_a_turn_is_a_success_only_when_nobody_objects() {
    let quiet = || Case { said: Said::Quiet, ..good() };
    assert_eq!(class(quiet()), Ok(()));
    assert_eq!(class(Case { upstream: Some(saw(Trouble::Auth)), ..quiet() }), Err(Trouble::Auth));
    let cut = Some(Upstream { trouble: None, truncated: true });
    assert_eq!(class(Case { upstream: cut, ..quiet() }), Err(Trouble::Truncated));
    assert_eq!(class(Case { stderr: "not  LOGGED\nin", ..quiet() }), Err(Trouble::Auth));
    let silent = Case { text: "", changed: Some(false), ..quiet() };
    assert_eq!(class(silent), Err(Trouble::Empty));
    assert_eq!(class(Case { end: End::Exited(2), ..quiet() }), Err(Trouble::Failed));
}

#[test]
fn fourth_comes_the_exit_code_and_fifth_come_the_words() {
    let end = |code| Case { said: Said::Nothing, end: End::Exited(code), ..good() };
    assert_eq!(class(end(53)), Err(Trouble::Limit));
    assert_eq!(class(Case { stderr: "Not logged in", ..end(53) }), Err(Trouble::Limit));
    assert_eq!(class(Case { stderr: "Not logged in", ..end(7) }), Err(Trouble::Auth));
    for signal in [130, 137, 143] {
        assert_eq!(class(end(signal)), Err(Trouble::Killed));
    }
    assert_eq!(class(end(7)), Err(Trouble::Protocol));
    assert_eq!(class(end(0)), Err(Trouble::Protocol), "0 means nothing alone");
    assert_eq!(class(Case { said: failed(None), ..end(1) }), Err(Trouble::Failed));
}

#[test]
fn the_reason_is_a_sentence_with_the_agents_own_words() {
    let why = |case| outcome(case).why;
    assert_eq!(why(good()), "");
    insta::assert_snapshot!(
        why(Case { said: failed(Some(Trouble::Auth)), end: End::Exited(1), ..good() }),
        @"its key is missing or was refused (exit code 1): it says so");
    insta::assert_snapshot!(
        why(Case { said: Said::Nothing, stderr: "cannot open\n", end: End::Exited(2), ..good() }),
        @"it ended without saying how (exit code 2): cannot open");
    insta::assert_snapshot!(why(Case { end: End::TimedOut, ..good() }),
        @"it was ended (it was still running at its time limit)");
    let long: &'static str = "x".repeat(5_000).leak();
    let cut = why(Case { said: Said::Nothing, stderr: long, ..good() });
    assert!(cut.len() < WHY_CHARS_MAX + 100, "{}", cut.len());
}

#[test]
fn an_answer_to_a_schema_is_one_json_object_and_nothing_else() {
    let json = |text: &'static str| outcome(Case { text, ..good() }).json();
    let yes = Some(serde_json::json!({"verdict": "approve"}));
    assert_eq!(json(r#"{"verdict": "approve"}"#), yes);
    assert_eq!(json("```json\n{\"verdict\": \"approve\"}\n```"), yes);
    assert_eq!(json("Here it is: {\"verdict\": \"approve\"}"), None);
    assert_eq!(json("[1]"), None);
}
