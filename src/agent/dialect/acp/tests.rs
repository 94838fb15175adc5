//! Conversations in the Agent Client Protocol.

use serde_json::{Value, json};

use super::super::{Dialect, Reader};
use super::*;
use crate::agent::event::Session;

fn opening() -> Opening {
    Opening {
        prompt: "say \"hello\"".to_owned(),
        directory: "/w".into(),
        may_edit: true,
        ..Opening::default()
    }
}

/// A conversation: what we write first, then each line of theirs with what we do.
struct Talk {
    reader: Reader,
    said: Vec<Step>,
}

impl Talk {
    fn begin(opening: Opening) -> Self {
        let mut reader = Reader::new(Dialect::Acp, opening);
        let said = reader.open();
        Self { reader, said }
    }

    fn hear(&mut self, line: &Value) -> Vec<Step> {
        let mut steps = Vec::new();
        self.reader.feed(format!("{line}\n").as_bytes(), &mut steps);
        self.said.extend(steps.clone());
        steps
    }

    /// Up to the turn: the session is `s1`.
    fn seated(opening: Opening) -> Self {
        let mut talk = Self::begin(opening);
        talk.hear(&json!({"jsonrpc": "2.0", "id": 1, "result": {"protocolVersion": 1}}));
        talk.hear(&json!({"jsonrpc": "2.0", "id": 2, "result": {"sessionId": "s1"}}));
        talk
    }

    fn update(&mut self, update: &Value) -> Vec<Step> {
        let params = json!({"sessionId": "s1", "update": update});
        self.hear(&json!({"jsonrpc": "2.0", "method": "session/update", "params": params}))
    }

    fn replies(&self) -> Vec<Value> {
        let replies = self.said.iter().filter_map(|step| match step {
            Step::Reply(line) => Some(serde_json::from_str(line).unwrap()),
            Step::Event(_) | Step::Close => None,
        });
        replies.collect()
    }

    fn end(self) -> Account {
        self.reader.end(&mut Vec::new()).0
    }
}

#[test]
fn a_turn_goes_from_the_greeting_to_the_closing_of_its_input() {
    let mut talk = Talk::seated(opening());
    talk.update(&json!({"sessionUpdate": "agent_message_chunk",
        "content": {"type": "text", "text": "I look."}}));
    talk.update(&json!({"sessionUpdate": "tool_call", "toolCallId": "t1", "title": "ls",
        "kind": "execute", "status": "pending", "rawInput": {"command": "ls"}}));
    talk.update(&json!({"sessionUpdate": "tool_call_update", "toolCallId": "t1",
        "status": "completed"}));
    for piece in ["All ", "done."] {
        talk.update(&json!({"sessionUpdate": "agent_message_chunk",
            "content": {"type": "text", "text": piece}}));
    }
    talk.update(&json!({"sessionUpdate": "usage_update", "used": 9, "size": 10,
        "cost": {"amount": 0.25, "currency": "USD"}}));
    let last = talk.hear(&json!({"jsonrpc": "2.0", "id": 3, "result": {"stopReason": "end_turn",
        "usage": {"inputTokens": 10, "outputTokens": 5, "thoughtTokens": 2,
            "cachedReadTokens": 3}}}));
    assert_eq!(last.last(), Some(&Step::Close));
    let methods: Vec<_> = talk.replies().iter().map(|said| said["method"].clone()).collect();
    assert_eq!(methods, ["initialize", "session/new", "session/prompt"]);
    assert_eq!(talk.replies()[2]["params"]["prompt"][0]["text"], "say \"hello\"");
    let tools = talk.said.iter().filter(|step| {
        matches!(step, Step::Event(Event::ToolStart { tool: Tool::Shell, call: Some(_), .. }))
    });
    assert_eq!(tools.count(), 1);
    let account = talk.end();
    assert_eq!((account.said, account.text.as_str()), (Said::Quiet, "All done."));
    let usage = account.usage.unwrap();
    assert_eq!(
        (usage.tokens.input, usage.tokens.output, usage.cost.micros()),
        (10, 5, Some(250_000))
    );
    assert_eq!(account.session, Session::parse("s1"));
}

#[test]
fn a_session_is_loaded_when_there_is_one() {
    let resume = Session::parse("old-1");
    let mut talk = Talk::begin(Opening { resume, ..opening() });
    talk.hear(&json!({"id": 1, "result": {}}));
    assert_eq!(talk.replies()[1]["method"], "session/load");
    talk.update(&json!({"sessionUpdate": "agent_message_chunk", "content": {"text": "old"}}));
    talk.hear(&json!({"id": 2, "result": null}));
    assert_eq!(talk.replies()[2]["params"]["sessionId"], "old-1");
    assert_eq!(talk.end().text, "", "old words are not new ones");
}

#[test]
fn permissions_are_given_once_to_who_may_edit_and_refused_to_who_may_not() {
    let ask = json!({"jsonrpc": "2.0", "id": "p-7", "method": "session/request_permission",
        "params": {"options": [
            {"optionId": "always", "kind": "allow_always"},
            {"optionId": "yes", "kind": "allow_once"},
            {"optionId": "no", "kind": "reject_once"}]}});
    for (may_edit, chosen) in [(true, "yes"), (false, "no")] {
        let mut talk = Talk::seated(Opening { may_edit, ..opening() });
        talk.hear(&ask);
        let answer = talk.replies().pop().unwrap();
        assert_eq!(answer["id"], "p-7");
        assert_eq!(answer["result"]["outcome"], json!({"outcome": "selected", "optionId": chosen}));
    }
    let mut talk = Talk::seated(opening());
    talk.hear(&json!({"id": 1, "method": "session/request_permission", "params": {}}));
    assert_eq!(talk.replies().pop().unwrap()["result"]["outcome"]["outcome"], "cancelled");
}

#[test]
fn what_was_not_offered_is_refused_and_the_turn_goes_on() {
    let mut talk = Talk::seated(opening());
    talk.hear(&json!({"id": 9, "method": "fs/read_text_file", "params": {"path": "/etc/passwd"}}));
    assert_eq!(talk.replies().pop().unwrap()["error"]["code"], NO_METHOD);
    talk.hear(&json!({"id": 3, "result": {"stopReason": "end_turn"}}));
    assert_eq!(talk.end().said, Said::Quiet);
}

#[test]
fn refusals_are_known_by_kind_number_and_words() {
    for (error, class) in [
        (json!({"code": -32_000, "message": "Authentication required"}), Trouble::Auth),
        (json!({"code": 401, "message": "no"}), Trouble::Auth),
        (
            json!({"code": -32_603, "message": "Internal error",
            "data": {"errorKind": "rate_limit"}}),
            Trouble::RateLimit,
        ),
        (
            json!({"code": -32_603, "message": "x", "data": {"errorKind": "server_error"}}),
            Trouble::Server,
        ),
        (json!({"code": -32_603, "message": "402 run budget exhausted"}), Trouble::Budget),
        (json!({"code": 429, "message": "insufficient_quota"}), Trouble::Quota),
    ] {
        let mut talk = Talk::seated(opening());
        let steps = talk.hear(&json!({"id": 3, "error": error}));
        assert_eq!(steps.last(), Some(&Step::Close));
        let Said::Failed { trouble, .. } = talk.end().said else { panic!("{error}") };
        assert_eq!(trouble, Some(class), "{error}");
    }
}

#[test]
fn other_ends_of_a_turn_are_failures() {
    for (stop, class) in [
        ("cancelled", Some(Trouble::Killed)),
        ("max_tokens", Some(Trouble::Truncated)),
        ("max_turn_requests", Some(Trouble::Limit)),
        ("refusal", None),
        ("", None),
    ] {
        let mut talk = Talk::seated(opening());
        talk.hear(&json!({"id": 3, "result": {"stopReason": stop}}));
        let Said::Failed { trouble, .. } = talk.end().said else { panic!("{stop}") };
        assert_eq!(trouble, class, "{stop}");
    }
}

#[test]
fn cancelling_asks_the_session_or_closes_the_input() {
    assert_eq!(Talk::begin(opening()).reader.cancel(), [Step::Close]);
    let cancelled = Talk::seated(opening()).reader.cancel();
    let [Step::Reply(line)] = cancelled.as_slice() else { panic!("{cancelled:?}") };
    let note: Value = serde_json::from_str(line).unwrap();
    assert_eq!((&note["method"], &note["id"]), (&json!("session/cancel"), &Value::Null));
}

#[test]
fn answers_to_what_was_not_asked_change_nothing() {
    let mut talk = Talk::begin(opening());
    assert_eq!(talk.hear(&json!({"id": 3, "result": {"stopReason": "end_turn"}})), []);
    assert_eq!(talk.hear(&json!({"id": "1", "result": {}})), []);
    assert_eq!(talk.end().said, Said::Nothing);
}

#[test]
fn a_session_without_a_name_ends_it() {
    let mut talk = Talk::begin(opening());
    talk.hear(&json!({"id": 1, "result": {}}));
    assert_eq!(
        talk.hear(&json!({"id": 2, "result": {"sessionId": "a b"}})).last(),
        Some(&Step::Close)
    );
    assert!(matches!(talk.end().said, Said::Failed { .. }));
}
