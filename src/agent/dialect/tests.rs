//! What is heard in real streams, in broken ones and in nonsense.

use proptest::prelude::*;

use super::samples::{Told, all, has_json, line};
use super::*;
use crate::agent::outcome::Upstream;
use crate::model::Trouble;
use crate::sandbox::End;

/// Hears `text` in `dialect`.
fn hear(dialect: Dialect, text: &str) -> (Vec<Event>, Account, Heard) {
    let mut reader = Reader::new(dialect, Opening::default());
    let mut steps = Vec::new();
    reader.feed(text.as_bytes(), &mut steps);
    let (account, heard) = reader.end(&mut steps);
    let events = steps.into_iter().filter_map(|step| match step {
        Step::Event(event) => Some(event),
        Step::Reply(_) | Step::Close => None,
    });
    (events.collect(), account, heard)
}

#[test]
fn every_sample_means_what_was_measured() {
    let samples = all();
    assert!(samples.len() > 120, "{} samples", samples.len());
    for sample in samples {
        let outcome = sample.judged(&Told { ours: sample.killed, ..Told::default() });
        assert_eq!(outcome.class, sample.class(), "{}: {}", sample.name(), outcome.why);
    }
}

#[test]
fn what_is_read_of_every_sample_can_be_reviewed() {
    let lines: Vec<String> = all().iter().map(line).collect();
    insta::assert_snapshot!("samples", lines.join("\n"));
}

#[test]
fn who_was_ended_never_succeeded_even_when_nobody_says_who_ended_it() {
    for sample in all().into_iter().filter(|sample| sample.killed) {
        let outcome = sample.judged(&Told::default());
        assert!(outcome.class.is_err(), "{}", sample.name());
    }
}

#[test]
fn an_answer_that_was_cut_is_told_by_the_gateway_where_the_agent_hides_it() {
    for sample in all().into_iter().filter(|sample| sample.scenario == "maxtok") {
        let upstream = Some(Upstream { trouble: None, truncated: true });
        let outcome = sample.judged(&Told { upstream, ..Told::default() });
        assert_eq!(outcome.class, Err(Trouble::Truncated), "{}", sample.name());
    }
}

#[test]
fn a_failure_is_that_of_the_gateway_where_the_agent_misnames_it() {
    for sample in all().into_iter().filter(|sample| sample.scenario == "429" && !sample.killed) {
        let upstream = Some(Upstream { trouble: Some(Trouble::Quota), truncated: false });
        let outcome = sample.judged(&Told { upstream, ..Told::default() });
        assert_eq!(outcome.class, Err(Trouble::Quota), "{}", sample.name());
    }
}

#[test]
fn a_stream_that_breaks_off_anywhere_is_never_a_success() {
    let good = all().into_iter().filter(|s| s.class().is_ok() && has_json(s.profile.dialect));
    for sample in good {
        let zero = Told { end: Some(End::Exited(0)), ..Told::default() };
        let is_good = |bytes: &[u8]| sample.judged_by(bytes, &zero).class.is_ok();
        let text = sample.stdout.trim_ascii_end();
        assert!(is_good(text), "{}", sample.name());
        let breaks = (0..text.len()).filter(|at| at % 97 == 0 || text[*at] == b'\n');
        for at in breaks {
            assert!(!is_good(&text[..at]), "{} at {at}", sample.name());
        }
        assert!(!is_good(&text[..text.len() - 1]), "{} less one byte", sample.name());
    }
}

#[test]
fn a_good_end_with_another_exit_code_is_not_believed() {
    for sample in all().into_iter().filter(|sample| sample.class().is_ok()) {
        for end in [End::Exited(1), End::Signalled(9), End::TimedOut, End::Cancelled] {
            let outcome = sample.judged(&Told { end: Some(end), ..Told::default() });
            assert!(outcome.class.is_err(), "{} {end:?}", sample.name());
        }
    }
}

#[test]
fn it_does_not_matter_where_the_bytes_are_cut() {
    for sample in all() {
        let (whole, reader) = sample.heard();
        let mut tail = Vec::new();
        let account = reader.end(&mut tail);
        for size in [1, 7, 1_000] {
            let (mut reader, mut steps) = (sample.reader(), Vec::new());
            for part in sample.stdout.chunks(size) {
                reader.feed(part, &mut steps);
            }
            let mut rest = Vec::new();
            assert_eq!(reader.end(&mut rest), account, "{} by {size}", sample.name());
            assert_eq!((&steps, &rest), (&whole, &tail), "{} by {size}", sample.name());
        }
    }
}

#[test]
fn a_line_that_is_too_long_is_cut_and_counted_and_the_next_one_is_heard() {
    let long = format!("{{\"type\":\"x\",\"text\":\"{}\"}}", "é".repeat(LINE_BYTES_MAX / 2));
    let next = r#"{"type":"thread.started","thread_id":"t"}"#;
    let (events, account, heard) = hear(Dialect::CodexExec, &format!("{long}\n{next}\n"));
    assert_eq!(heard, Heard { lines: 2, cut: 1, skipped: 1 });
    assert_eq!(events.len(), 1);
    assert_eq!(account.session.unwrap().as_str(), "t");
    let exact = "x".repeat(LINE_BYTES_MAX);
    assert_eq!(hear(Dialect::PlainText, &exact).2, Heard { lines: 1, cut: 0, skipped: 0 });
}

#[test]
fn what_nobody_knows_is_passed_over() {
    for dialect in Dialect::ALL.into_iter().filter(|dialect| has_json(*dialect)) {
        let text = "\n  \nhello\n[1]\n{\"type\":\"new_thing\"}\n{\"type\":7}\n{\"type\":\"re";
        let (_, account, heard) = hear(dialect, text);
        assert_eq!(account.said, Said::Nothing, "{dialect:?}");
        assert_eq!(heard, Heard { lines: 5, cut: 0, skipped: 5 }, "{dialect:?}");
    }
}

#[test]
fn cursors_tools_are_tools_with_a_beginning_and_an_end() {
    let call = |subtype: &str, call: &str| {
        format!(r#"{{"type":"tool_call","subtype":"{subtype}","tool_call":{{"shell":{call}}}}}"#)
    };
    let text = [
        r#"{"type":"system","subtype":"init","session_id":"c1","model":"m"}"#.to_owned(),
        call("started", r#"{"args":{"command":"ls"}}"#),
        call("completed", r#"{"result":{"success":{}}}"#),
        call("completed", r#"{"result":{"error":{"message":"no"}}}"#),
        r#"{"type":"result","subtype":"success","is_error":false,"result":"done"}"#.to_owned(),
    ];
    let (events, account, heard) = hear(Dialect::ClaudeStream, &text.join("\n"));
    assert_eq!((account.said, account.usage, heard.skipped), (Said::Done, None, 0));
    let ends = events.iter().filter_map(|event| match event {
        Event::ToolStart { summary, .. } => Some(format!("start {}", summary.as_str())),
        Event::ToolEnd { ok, said, .. } => Some(format!("{ok} {}", said.as_str())),
        Event::Started { .. }
        | Event::Text(_)
        | Event::Retry { .. }
        | Event::Usage(_)
        | Event::Steps { .. }
        | Event::Beat
        | Event::Ended(_) => None,
    });
    assert_eq!(ends.collect::<Vec<_>>(), ["start ls", "true ", "false no"]);
}

#[test]
fn a_review_of_coderabbit_is_a_list_of_findings() {
    let text = r#"{"type":"review_context","base":"main"}
{"type":"heartbeat"}
{"type":"finding","severity":"major","fileName":"src/a.rs","comment":"it may run over"}
{"type":"finding","severity":"trivial","fileName":"b.rs","codegenInstructions":"rename it"}
{"type":"complete"}"#;
    let (events, account, heard) = hear(Dialect::Coderabbit, text);
    assert_eq!((account.said, heard.skipped), (Said::Done, 0));
    assert!(events.contains(&Event::Beat), "a sign of life");
    insta::assert_snapshot!(account.structured.unwrap(), @r#"[{"comment":"it may run over","file":"src/a.rs","severity":"major"},{"comment":"rename it","file":"b.rs","severity":"trivial"}]"#);
    let failed = hear(Dialect::Coderabbit, r#"{"type":"error","message":"rate limit reached"}"#).1;
    let Said::Failed { trouble, .. } = failed.said else { panic!("{:?}", failed.said) };
    assert_eq!((trouble, failed.structured), (Some(Trouble::RateLimit), None));
}

#[test]
fn a_session_that_is_no_name_is_not_kept() {
    for (dialect, text) in [
        (Dialect::CodexExec, r#"{"type":"thread.started","thread_id":"--yolo"}"#),
        (Dialect::OpencodeRun, r#"{"type":"step_start","sessionID":"a b"}"#),
        (Dialect::CopilotJsonl, r#"{"type":"result","sessionId":"$(x)","exitCode":0}"#),
    ] {
        assert_eq!(hear(dialect, text).1.session, None, "{dialect:?}");
    }
}

#[test]
fn every_dialect_has_a_name_that_profiles_can_write() {
    for dialect in Dialect::ALL {
        let written = serde_json::to_string(&dialect).unwrap();
        assert_eq!(written.trim_matches('"'), dialect.word());
    }
}

/// Any JSON, with keys and types that dialects ask for.
fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::{Map, Value};
    let key = prop::sample::select(vec![
        "type",
        "subtype",
        "message",
        "content",
        "item",
        "error",
        "usage",
        "part",
        "state",
        "data",
        "tokens",
        "result",
        "stats",
        "input",
        "arguments",
        "id",
        "method",
        "params",
        "update",
        "sessionUpdate",
        "is_error",
        "errors",
        "exit_code",
        "status",
        "tool_call",
        "input_tokens",
    ]);
    let word = prop::sample::select(vec![
        "system",
        "init",
        "assistant",
        "user",
        "result",
        "item.started",
        "item.completed",
        "command_execution",
        "turn.failed",
        "step_finish",
        "tool_use",
        "finding",
        "session.error",
        "session/update",
        "tool_call",
        "success",
        "Tokens: 1k sent, é",
        "",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        let pairs = prop::collection::vec((key.clone(), inner.clone()), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            pairs.prop_map(|pairs| {
                let own = pairs.into_iter().map(|(key, value)| (key.to_owned(), value));
                Value::Object(own.collect::<Map<_, _>>())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_make_a_dialect_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for dialect in Dialect::ALL {
            let mut reader = Reader::new(dialect, Opening::default());
            reader.open();
            reader.feed(&bytes, &mut Vec::new());
            reader.cancel();
            reader.end(&mut Vec::new());
        }
    }

    #[test]
    fn no_shape_of_json_makes_a_dialect_panic(lines in prop::collection::vec(json(), 0..6)) {
        let text = lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        for dialect in Dialect::ALL {
            hear(dialect, &text);
        }
    }

    #[test]
    fn what_has_another_shape_is_as_if_it_were_not_there(odd in json()) {
        let text = format!(
            "{{\"type\":\"turn.completed\",\"usage\":{odd},\"item\":{odd},\"error\":{odd}}}"
        );
        prop_assert_eq!(hear(Dialect::CodexExec, &text).1.said, Said::Done);
    }
}
