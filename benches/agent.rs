//! How fast what agents say is heard: whole streams of each dialect, as bytes in pieces of 64
//! KiB, to events and an account. Prints figures; nothing here passes or fails by time.

use divan::counter::BytesCount;
use slipway::agent::dialect::{Dialect, Opening, Reader};

fn main() {
    divan::main();
}

/// Length of one stream, in bytes.
const STREAM_BYTES: usize = 1 << 20;
/// Pieces in which a pipe gives it.
const PIECE_BYTES: usize = 64 << 10;

/// Streams of a run that edits a file and starts a command, as they were recorded.
const RECORDED: [(&str, Dialect, &str); 7] = [
    ("aider", Dialect::PlainText, include_str!("../src/agent/samples/aider/edit.jsonl")),
    ("claude", Dialect::ClaudeStream, include_str!("../src/agent/samples/claude/edit.jsonl")),
    ("codex", Dialect::CodexExec, include_str!("../src/agent/samples/codex/edit.jsonl")),
    ("copilot", Dialect::CopilotJsonl, include_str!("../src/agent/samples/copilot/edit.jsonl")),
    ("gemini", Dialect::GeminiStream, include_str!("../src/agent/samples/gemini/edit.jsonl")),
    ("opencode", Dialect::OpencodeRun, include_str!("../src/agent/samples/opencode/edit.jsonl")),
    ("qwen", Dialect::QwenStream, include_str!("../src/agent/samples/qwen/edit.jsonl")),
];

fn hear(dialect: Dialect, stream: &[u8]) -> usize {
    let mut reader = Reader::new(dialect, Opening::default());
    let (mut steps, mut heard) = (Vec::new(), 0);
    for piece in stream.chunks(PIECE_BYTES) {
        reader.feed(piece, &mut steps);
        heard += steps.len();
        steps.clear();
    }
    let (_account, lines) = reader.end(&mut steps);
    assert!(lines.lines > 0, "nothing was heard");
    heard
}

/// A recorded run over and over: short lines, many events.
#[divan::bench(args = RECORDED.map(|(name, ..)| name))]
fn many_events(bencher: divan::Bencher<'_, '_>, name: &str) {
    let Some((_, dialect, text)) = RECORDED.iter().find(|(known, ..)| *known == name) else {
        return;
    };
    let mut stream = Vec::with_capacity(STREAM_BYTES + text.len());
    while stream.len() < STREAM_BYTES {
        stream.extend_from_slice(text.trim_end().as_bytes());
        stream.push(b'\n');
    }
    bencher.counter(BytesCount::new(stream.len())).bench(|| hear(*dialect, &stream));
}

/// What fills real streams: tools that answer 16 KiB, in the two commonest dialects.
#[divan::bench(args = ["claude", "codex"])]
fn long_answers(bencher: divan::Bencher<'_, '_>, name: &str) {
    let said =
        "error[E0308]: mismatched types at src/lib.rs\\n\\t--> expected `&str`\\n".repeat(230);
    let (dialect, line) = if name == "claude" {
        let answer = r#"{"tool_use_id":"t","type":"tool_result","content":"SAID"}"#;
        let message = r#"{"type":"user","message":{"role":"user","content":[ANSWER]}}"#;
        (Dialect::ClaudeStream, message.replace("ANSWER", answer))
    } else {
        let item = r#"{"type":"command_execution","command":"cargo check",
            "aggregated_output":"SAID","exit_code":0,"status":"completed"}"#;
        let line = r#"{"type":"item.completed","item":ITEM}"#;
        (Dialect::CodexExec, line.replace("ITEM", &item.replace('\n', "")))
    };
    let line = format!("{}\n", line.replace("SAID", &said));
    let stream = line.repeat(STREAM_BYTES / line.len());
    bencher.counter(BytesCount::new(stream.len())).bench(|| hear(dialect, stream.as_bytes()));
}
