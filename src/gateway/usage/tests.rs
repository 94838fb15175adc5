//! Answers of all five wires, cut anywhere: the same figures, whatever the pieces.

use proptest::prelude::*;

use super::*;

const RESPONSES: &str = concat!(
    "event: response.created\n",
    r#"data: {"type":"response.created","response":{"status":"in_progress","usage":null}}"#,
    "\n\n",
    r#"data: {"type":"response.output_text.delta","delta":"dé\u00e9"}"#,
    "\r\n\r\n",
    r#"data: {"type":"response.completed","response":{"status":"completed","error":null,"#,
    r#""output":[{"type":"function_call"}],"usage":{"input_tokens":1300,"#,
    r#""input_tokens_details":{"cached_tokens":900,"cache_write_tokens":100},"#,
    r#""output_tokens":40,"output_tokens_details":{"reasoning_tokens":10}}}}"#,
    "\n\n",
);
const CHAT: &str = concat!(
    ": OPENROUTER PROCESSING\n\n",
    r#"data: {"choices":[{"delta":{"content":"日本"},"finish_reason":null}]}"#,
    "\n\n",
    r#"data: {"choices":[{"delta":{},"finish_reason":"length"}]}"#,
    "\n\n",
    r#"data: {"choices":[],"usage":{"prompt_tokens":1300,"completion_tokens":40,"#,
    r#""total_tokens":1340,"#,
    r#""prompt_tokens_details":{"cached_tokens":900,"cache_write_tokens":100},"#,
    r#""completion_tokens_details":{"reasoning_tokens":10},"cost":0.0123451}}"#,
    "\n\ndata: [DONE]\n\n",
);
const MESSAGES: &str = concat!(
    "event: message_start\r",
    r#"data: {"type":"message_start","message":{"usage":{"input_tokens":300,"#,
    r#""cache_read_input_tokens":900,"cache_creation_input_tokens":100,"#,
    r#""cache_creation":{"ephemeral_1h_input_tokens":60},"output_tokens":1}}}"#,
    "\r\revent: ping\ndata: {\"type\": \"ping\"}\n\n",
    "data: {\"type\":\"content_block_delta\",\ndata: \"delta\":{\"text\":\"ü\"}}\n\n",
    r#"data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"#,
    r#""usage":{"output_tokens":40}}"#,
    "\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
);
const GEMINI: &str = concat!(
    r#"data: {"candidates":[{"content":{"parts":[{"text":"a"}]}}],"usageMetadata":"#,
    r#"{"promptTokenCount":1300,"cachedContentTokenCount":1000,"totalTokenCount":1320}}"#,
    "\r\n\r\n",
    r#"data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}}]},"#,
    r#""finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1300,"#,
    r#""cachedContentTokenCount":1000,"candidatesTokenCount":30,"thoughtsTokenCount":10,"#,
    r#""totalTokenCount":1340}}"#,
    "\r\n\r\n",
);
const OLLAMA: &str = concat!(
    "{\"message\":{\"content\":\"ä\"},\"done\":false}\n",
    "{\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":1300,\"eval_count\":40}\n",
);

const STREAMS: [(Wire, Shape, &str); 5] = [
    (Wire::Responses, Shape::Events, RESPONSES),
    (Wire::Chat, Shape::Events, CHAT),
    (Wire::Messages, Shape::Events, MESSAGES),
    (Wire::Gemini, Shape::Events, GEMINI),
    (Wire::Ollama, Shape::Lines, OLLAMA),
];

/// Almost an answer.
const GARBAGE: &str = concat!(
    "(data: |\\{\"|\"usage\"|:|\\{|\\}|\\[|[0-9]{1,20}|-|null|\n|\r|",
    "\"type\"|\"message_start\"|é|.){0,60}",
);

fn read(wire: Wire, shape: Shape, parts: &[&[u8]]) -> Reading {
    let mut reader = Reader::new(wire, shape);
    for part in parts {
        reader.feed(part);
    }
    reader.end()
}

fn whole(wire: Wire, text: &str) -> Reading {
    read(wire, Shape::Whole, &[text.as_bytes()])
}

fn tokens(all: [u64; 5]) -> Tokens {
    let [input, cache_read, cache_write, output, reasoning] = all;
    Tokens { input, cache_read, cache_write, output, reasoning }
}

#[test]
fn every_token_is_counted_once_in_every_wire() {
    let expected = [
        (tokens([300, 900, 100, 40, 10]), Finish::Tools),
        (tokens([300, 900, 100, 40, 10]), Finish::Length),
        (tokens([300, 900, 100, 40, 0]), Finish::Stop),
        (tokens([300, 1_000, 0, 40, 10]), Finish::Tools),
        (tokens([1_300, 0, 0, 40, 0]), Finish::Stop),
    ];
    for ((wire, shape, text), (tokens, finish)) in STREAMS.into_iter().zip(expected) {
        let reading = read(wire, shape, &[text.as_bytes()]);
        assert_eq!((reading.tokens, reading.finish), (tokens, Some(finish)), "{wire:?}");
        assert!(reading.complete && reading.fault.is_none(), "{wire:?}");
    }
    let read = |at: usize| read(STREAMS[at].0, STREAMS[at].1, &[STREAMS[at].2.as_bytes()]);
    assert_eq!(read(1).told, Some(Cost::Micros(12_346)), "rounded up");
    assert_eq!(read(2).cache_write_long, 60);
}

#[test]
fn an_answer_that_was_not_streamed_tells_the_same() {
    for (wire, text, sum) in [
        (
            Wire::Responses,
            r#"{"status":"completed","output":[],"usage":{"input_tokens":10,"output_tokens":4}}"#,
            14,
        ),
        (
            Wire::Chat,
            r#"{"choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":10,
                "completion_tokens":1,"total_tokens":14}}"#,
            14,
        ),
        (
            Wire::Messages,
            r#"{"type":"message","stop_reason":"refusal","usage":{"input_tokens":10,
                "output_tokens":4}}"#,
            14,
        ),
        (
            Wire::Gemini,
            r#"[{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,
                "candidatesTokenCount":1,"toolUsePromptTokenCount":1,"totalTokenCount":15}}]"#,
            15,
        ),
        (Wire::Ollama, r#"{"done":true,"prompt_eval_count":10,"eval_count":4}"#, 14),
    ] {
        let reading = whole(wire, text);
        assert!(reading.complete && reading.finish.is_some(), "{wire:?}");
        assert_eq!(reading.tokens.total(), sum, "{wire:?}");
    }
}

#[test]
fn an_answer_that_broke_off_is_not_accounted_for() {
    for (wire, shape, text) in STREAMS {
        let last = text.rfind("oken").or_else(|| text.rfind("eval")).unwrap();
        let cut = &text.as_bytes()[..last];
        assert!(!read(wire, shape, &[cut]).complete, "{wire:?}");
    }
}

#[test]
fn an_error_in_the_middle_of_a_stream_is_told_by_its_class() {
    for (wire, text, trouble) in [
        (
            Wire::Responses,
            r#"{"type":"response.failed","response":{"status":"failed",
                "error":{"code":"server_error","message":"x"}}}"#,
            Trouble::Server,
        ),
        (Wire::Responses, r#"{"type":"error","code":"rate_limit_exceeded"}"#, Trouble::RateLimit),
        (Wire::Chat, r#"{"error":{"code":502,"message":"x"}}"#, Trouble::Server),
        (
            Wire::Messages,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            Trouble::Overloaded,
        ),
        (
            Wire::Gemini,
            r#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"quota exceeded"}}"#,
            Trouble::Quota,
        ),
        (Wire::Ollama, r#"{"error":"model runner has stopped"}"#, Trouble::Server),
    ] {
        let reading = whole(wire, text);
        assert_eq!(reading.fault.as_ref().map(|fault| fault.trouble), Some(trouble), "{text}");
        assert!(!reading.complete && reading.is_refusal(), "{text}");
    }
}

#[test]
fn words_of_an_error_are_kept_short() {
    let text = format!(r#"{{"error":"{}"}}"#, "ä".repeat(WORDS_BYTES_MAX));
    let fault = whole(Wire::Ollama, &text).fault.unwrap();
    assert_eq!(fault.words.len(), WORDS_BYTES_MAX);
}

#[test]
fn what_is_longer_than_its_limit_says_nothing_and_what_follows_is_read() {
    let filler = vec![b'x'; FRAME_BYTES_MAX];
    let end =
        b"data: {\"choices\":[{\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1}}\n\n";
    let parts: [&[u8]; 5] = [b"data: {\"error\":\"", &filler, b"\"}", b"\n\n", end];
    let reading = read(Wire::Chat, Shape::Events, &parts);
    assert!(reading.complete && reading.fault.is_none());
    assert_eq!(reading.parts, 1);
    let lines: [&[u8]; 3] = [&filler, b"xx\n", OLLAMA.as_bytes()];
    assert!(read(Wire::Ollama, Shape::Lines, &lines).complete);
    assert_eq!(read(Wire::Ollama, Shape::Whole, &[&filler, b" "]).parts, 0);
}

#[test]
fn the_kind_of_an_answer_tells_how_it_is_cut() {
    assert_eq!(Shape::of("text/event-stream; charset=utf-8"), Shape::Events);
    assert_eq!(Shape::of("application/x-ndjson"), Shape::Lines);
    assert_eq!(Shape::of("application/json"), Shape::Whole);
    assert_eq!(Shape::of(""), Shape::Whole);
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_reading(
        which in 0_usize..5,
        mut cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..40),
    ) {
        let (wire, shape, text) = STREAMS[which];
        let bytes = text.as_bytes();
        let mut at: Vec<usize> = cuts.drain(..).map(|cut| cut.index(bytes.len() + 1)).collect();
        at.extend([0, bytes.len()]);
        at.sort_unstable();
        let parts: Vec<&[u8]> = at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        prop_assert_eq!(read(wire, shape, &parts), read(wire, shape, &[bytes]));
    }

    #[test]
    fn single_bytes_give_the_same_reading(which in 0_usize..5) {
        let (wire, shape, text) = STREAMS[which];
        let parts: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        prop_assert_eq!(read(wire, shape, &parts), read(wire, shape, &[text.as_bytes()]));
    }

    #[test]
    fn garbage_is_read_without_a_panic_and_means_the_same_however_it_is_cut(
        which in 0_usize..5,
        shape in prop_oneof![Just(Shape::Events), Just(Shape::Lines), Just(Shape::Whole)],
        text in GARBAGE,
        cut: proptest::sample::Index,
    ) {
        let wire = STREAMS[which].0;
        let bytes = text.as_bytes();
        let (one, two) = bytes.split_at(cut.index(bytes.len() + 1));
        prop_assert_eq!(read(wire, shape, &[one, two]), read(wire, shape, &[bytes]));
    }

    #[test]
    fn figures_of_any_size_are_read_without_a_panic(
        (a, b, c, d) in any::<(u64, u64, u64, u64)>(),
    ) {
        let text = format!(
            "{{\"type\":\"message\",\"status\":\"completed\",\"done\":true,\"stop_reason\":\"x\",
            \"finishReason\":\"x\",\"choices\":[{{\"finish_reason\":\"x\"}}],
            \"usage\":{{\"prompt_tokens\":{a},\"completion_tokens\":{b},\"total_tokens\":{c},
            \"input_tokens\":{a},\"output_tokens\":{b},\"cost\":{d},
            \"input_tokens_details\":{{\"cached_tokens\":{c},\"cache_write_tokens\":{d}}}}},
            \"usageMetadata\":{{\"promptTokenCount\":{a},\"toolUsePromptTokenCount\":{b},
            \"thoughtsTokenCount\":{c},\"candidatesTokenCount\":{d},\"totalTokenCount\":{a}}}}}"
        );
        for wire in Wire::ALL {
            whole(wire, &text);
        }
    }
}
