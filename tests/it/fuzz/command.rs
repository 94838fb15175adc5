//! Comments as commands: never a panic, never a command that was not typed, and whatever is
//! understood means itself when it is written again.

use fastrand::Rng;
use slipway::command::{ALL, Parsed, from_button, parse};

use super::search;

/// Longest answer to a mistake, in bytes: it goes into a comment.
const ANSWER_BYTES_MAX: usize = 8_000;

const WORDS: [&str; 24] = [
    "--base",
    "--agent",
    "--dry-run",
    "--base=main",
    "--",
    "---",
    "=",
    "\"",
    "'",
    "main",
    "feat/x",
    "../x",
    "-x",
    "\u{202e}",
    "\u{0}",
    "é",
    "🚀",
    "`",
    "```",
    "@all",
    "#1",
    "<!--",
    "\r",
    "\n/stop\n",
];

fn comment(rng: &mut Rng) -> String {
    let mut text = String::new();
    for _ in 0..rng.usize(0..4) {
        text.push(*rng.choice(&[' ', ' ', '\t', '\n', '>', '`']).unwrap());
    }
    if rng.u8(..) < 230 {
        text.push('/');
    }
    let mut word: Vec<char> = rng.choice(ALL).unwrap().word.chars().collect();
    if rng.u8(..) < 60 {
        let at = rng.usize(0..word.len());
        match rng.u8(0..3) {
            0 => drop(word.remove(at)),
            1 => word.insert(at, rng.char(..)),
            _ => word[at] = word[at].to_ascii_uppercase(),
        }
    }
    text.extend(word);
    for _ in 0..rng.usize(0..6) {
        text.push(*rng.choice(&[' ', ' ', ' ', '\n', '\t', '\u{a0}']).unwrap());
        if rng.u8(..) < 200 {
            text.push_str(rng.choice(WORDS).unwrap());
        } else {
            text.extend((0..rng.usize(0..12)).map(|_| rng.char(..)));
        }
    }
    if rng.u16(..) < 200 {
        text.push_str(&"x".repeat(rng.usize(0..3_000)));
    }
    text
}

#[test]
fn comments_are_read_or_left_alone() {
    search(|rng| {
        let text = comment(rng);
        match parse(&text) {
            Parsed::None => {}
            Parsed::Command(command) => {
                assert!(text.trim_start_matches(' ').starts_with('/'), "{text:?}");
                let again = command.to_string();
                assert_eq!(parse(&again), Parsed::Command(command), "{text:?} is {again:?}");
            }
            Parsed::Mistake { text: answer } => {
                assert!(!answer.is_empty() && answer.len() < ANSWER_BYTES_MAX, "{text:?}");
                let first = answer.lines().next().unwrap_or_default();
                assert_eq!(parse(first), Parsed::None, "our answer is no command: {answer}");
            }
        }
        if let Some(command) = from_button(text.trim_start_matches('/')) {
            assert!(ALL.iter().any(|spec| spec.word == text.trim_start_matches('/')), "{command}");
        }
    });
}
