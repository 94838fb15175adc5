//! What is shown of an agent at work, and what never is.

use super::super::dialect::{Opening, Reader, Step};
use super::*;
use crate::agent::event::{Summary, Usage, Words};
use crate::model::{Redactor, Secret, Tokens, Trouble};

const NOW: Millis = Millis(1_000);

fn follow(dialect: Option<Dialect>, sanitizer: Sanitizer) -> Follow {
    let who = Who {
        agent: "codex:gpt-5.5",
        role: Role::Builder,
        round: 1,
        dialect,
        directory: "/home/agent/w",
    };
    Follow::new(who, sanitizer, NOW)
}

fn plain(dialect: Dialect) -> Follow {
    follow(Some(dialect), Sanitizer::default())
}

fn hear(follow: &mut Follow, dialect: Dialect, lines: &[&str]) {
    let mut reader = Reader::new(dialect, Opening::default());
    for (at, line) in lines.iter().enumerate() {
        let now = NOW.plus(1_000 * i64::try_from(at).unwrap());
        let bytes = format!("{line}\n");
        follow.bytes(bytes.as_bytes(), now);
        let mut steps = Vec::new();
        reader.feed(bytes.as_bytes(), &mut steps);
        for step in steps {
            let Step::Event(event) = step else { panic!("nothing is answered") };
            follow.event(&event, now);
        }
    }
}

fn told(live: &Live) -> Vec<&str> {
    live.news.iter().map(|news| news.text.as_str()).collect()
}

fn start(tool: Tool, summary: &str) -> Event {
    Event::ToolStart { tool, summary: Summary::from(summary), call: None }
}

#[test]
fn an_agent_at_work_shows_its_tool_its_files_its_list_and_its_figures() {
    let mut follow = plain(Dialect::CodexExec);
    let lines = [
        r#"{"type":"thread.started","thread_id":"t"}"#,
        concat!(
            r#"{"type":"item.started","item":{"type":"todo_list","items":[{"text":"a","#,
            r#""completed":true},{"text":"b","completed":false},{"text":"c","#,
            r#""completed":false}]}}"#,
        ),
        concat!(
            r#"{"type":"item.started","item":{"type":"file_change","changes":[{"#,
            r#""path":"/home/agent/w/src/a.rs"},{"path":"b.rs"}]}}"#,
        ),
        r#"{"type":"item.completed","item":{"type":"file_change","status":"completed"}}"#,
        r#"{"type":"item.started","item":{"type":"command_execution","command":"cargo test"}}"#,
        concat!(
            r#"{"type":"item.completed","item":{"type":"command_execution","#,
            r#""status":"failed","exit_code":101,"aggregated_output":"error: no"}}"#,
        ),
        concat!(
            r#"{"type":"item.updated","item":{"type":"todo_list","items":[{"text":"a","#,
            r#""completed":true},{"text":"b","completed":true},{"text":"c","#,
            r#""completed":false}]}}"#,
        ),
        concat!(
            r#"{"type":"item.completed","item":{"type":"agent_message","#,
            r#""text":"I look at it.\nAnd on."}}"#,
        ),
        r#"{"type":"item.started","item":{"type":"command_execution","command":"cargo fmt"}}"#,
    ];
    hear(&mut follow, Dialect::CodexExec, &lines);
    let live = follow.live().clone();
    assert_eq!((live.calls, live.failed, live.files), (3, 1, 2));
    assert_eq!((live.steps, live.lines), (Some(Steps { done: 2, all: 3 }), 9));
    assert_eq!(live.named, ["src/a.rs", "b.rs"]);
    let doing = live.tool.as_ref().unwrap();
    assert_eq!((doing.kind.as_str(), doing.about.as_str()), ("shell", "cargo fmt"));
    insta::assert_snapshot!(told(&live).join("\n"), @r"
    started
    edit src/a.rs, b.rs
    shell cargo test
    that failed with exit code 101: error: no
    says: I look at it.
    shell cargo fmt
    ");
    let worked = follow.worked(NOW.plus(90_000));
    assert_eq!((worked.seconds, worked.calls, worked.files, worked.turns), (90, 3, 2, 0));
}

#[test]
fn every_dialect_with_a_list_of_steps_tells_how_far_it_is() {
    let todos = concat!(
        r#""todos":[{"content":"a","status":"completed"},{"content":"b","#,
        r#""status":"in_progress"},{"content":"c","status":"pending"}]"#,
    );
    let claude = format!(
        concat!(
            r#"{{"type":"assistant","message":{{"content":[{{"type":"tool_use","#,
            r#""name":"TodoWrite","input":{{{}}}}}]}}}}"#,
        ),
        todos
    );
    let opencode = format!(
        concat!(
            r#"{{"type":"tool_use","sessionID":"s","part":{{"tool":"todowrite","state":{{"#,
            r#""status":"completed","input":{{{}}}}}}}}}"#,
        ),
        todos
    );
    let gemini =
        format!(r#"{{"type":"tool_use","tool_name":"write_todos","parameters":{{{todos}}}}}"#);
    let acp = concat!(
        r#"{"jsonrpc":"2.0","method":"session/update","params":{"update":{"#,
        r#""sessionUpdate":"plan","entries":[{"content":"a","status":"completed"},{"#,
        r#""content":"b","status":"pending"},{"content":"c","status":"pending"}]}}}"#,
    );
    for (dialect, line) in [
        (Dialect::ClaudeStream, claude.as_str()),
        (Dialect::QwenStream, claude.as_str()),
        (Dialect::OpencodeRun, opencode.as_str()),
        (Dialect::GeminiStream, gemini.as_str()),
        (Dialect::Acp, acp),
    ] {
        let mut follow = plain(dialect);
        hear(&mut follow, dialect, &[line]);
        assert_eq!(follow.live().steps, Some(Steps { done: 1, all: 3 }), "{dialect:?}");
    }
}

#[test]
fn the_gateway_is_believed_before_the_agent() {
    let mut follow = plain(Dialect::OpencodeRun);
    let tokens = Tokens { input: 10, ..Tokens::default() };
    let usage = Usage { tokens, cost: Cost::Unknown, is_cumulative: false };
    follow.event(&Event::Usage(usage), NOW);
    assert_eq!((follow.live().tokens, follow.live().cost), (10, Cost::Unknown));
    let asked = Asked { requests: 2, turns: 2, retries: 3, tokens: 500, cost: Cost::Micros(7) };
    follow.asked(Asked { requests: 0, ..asked });
    assert_eq!(follow.live().tokens, 10, "it asked another way");
    follow.asked(asked);
    follow.event(&Event::Usage(usage), NOW);
    assert_eq!((follow.live().tokens, follow.live().cost), (500, Cost::Micros(7)));
    assert_eq!((follow.live().retries, follow.worked(NOW).turns), (3, 2));
}

#[test]
fn nothing_it_keeps_grows_beyond_its_limit() {
    let mut follow = plain(Dialect::ClaudeStream);
    for n in 0..3 * FILES_MAX {
        let name = format!("{}/{n}.rs", "d".repeat(30));
        follow.event(&start(Tool::Edit, &name), NOW);
        follow.event(&Event::Text(Words::from("w ".repeat(5_000))), NOW);
        let trouble = Some(Trouble::RateLimit);
        follow.event(&Event::Retry { trouble, attempt: 1 }, NOW);
    }
    let live = follow.live();
    assert_eq!(live.files as usize, FILES_MAX);
    assert_eq!((live.news.len(), live.named.len()), (NEWS_MAX, NAMED_MAX));
    let longest = live.news.iter().map(|news| news.text.chars().count()).max();
    assert_eq!(longest, Some(LINE_CHARS_MAX));
    assert!(serde_json::to_string(live).unwrap().len() < 16_384);
    let mut pieces = plain(Dialect::GeminiStream);
    for _ in 0..1_000 {
        pieces.event(&Event::Text(Words::from("piece ")), NOW);
    }
    assert!(pieces.said.len() <= PIECES_BYTES_MAX && pieces.live().news.is_empty());
    pieces.event(&start(Tool::Read, "a"), NOW);
    assert_eq!(pieces.live().news.len(), 2);
}

#[test]
fn a_secret_is_never_shown_whole_or_in_part() {
    let secret: String = (0..40).map(|_| fastrand::alphanumeric()).collect();
    let sanitizer = Sanitizer::new(Redactor::new([Secret::new(secret.clone())]));
    for at in 0..SUMMARY_CHARS_MAX {
        let text = format!("{} {secret} after", "x".repeat(at));
        for dialect in [Dialect::CodexExec, Dialect::GeminiStream] {
            let mut follow = follow(Some(dialect), sanitizer.clone());
            follow.event(&start(Tool::Edit, &text), NOW);
            follow
                .event(&Event::ToolEnd { ok: false, exit: None, said: text.as_str().into() }, NOW);
            let middle = text.floor_char_boundary(at + 15);
            let parts = [&text[..middle], &text[middle..]];
            if dialect == Dialect::GeminiStream {
                for part in parts {
                    follow.event(&Event::Text(Words::from(part)), NOW);
                }
            } else {
                follow.event(&Event::Text(Words::from(text.as_str())), NOW);
            }
            follow.event(&Event::Ended(Said::Done), NOW);
            let shown = serde_json::to_string(follow.live()).unwrap();
            assert!(!shown.contains(&secret[..8]), "{at} {dialect:?}: {shown}");
            assert!(!shown.contains(&secret[32..]), "{at} {dialect:?}: {shown}");
        }
    }
    let mut ansi = follow(Some(Dialect::CodexExec), sanitizer);
    let (first, second) = secret.split_at(20);
    ansi.event(&start(Tool::Shell, &format!("echo {first}\u{1b}[0m{second}")), NOW);
    assert_eq!(told(ansi.live()), ["shell echo [hidden]"], "colours do not hide it from us");
}

#[test]
fn what_is_shown_is_one_visible_line() {
    let mut follow = plain(Dialect::CodexExec);
    follow.event(&start(Tool::Shell, "echo \u{1b}[31ma\u{202e}b\tc\u{0}"), NOW);
    assert_eq!(told(follow.live()), ["shell echo ab c"]);
}

#[test]
fn a_program_without_events_is_only_counted() {
    let mut follow = follow(None, Sanitizer::default());
    assert!(follow.live().is_silent());
    follow.bytes(b"one\ntwo\nth", NOW.plus(5));
    let live = follow.live();
    assert_eq!((live.lines, live.bytes, live.heard), (2, 10, NOW.plus(5)));
    assert!(live.news.is_empty() && !live.is_silent());
    let mut lines = plain(Dialect::PlainText);
    lines.event(&Event::Text(Words::from("MIIEvQIBADANBgkqhkiG")), NOW);
    assert!(lines.live().news.is_empty(), "a line of a key looks like any other");
}
