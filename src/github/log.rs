//! What checks printed, cleaned of colours and clocks.

use super::LOG_BYTES_MAX;
use crate::model::character::without_ansi;
use crate::model::text;

/// Share of [`LOG_BYTES_MAX`] that annotations and the check's own words may take.
const WORDS_BYTES_MAX: usize = 6_000;

/// `text` without byte order mark, terminal colours, carriage returns and the time stamps that
/// Actions puts before every line.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.trim_start_matches('\u{feff}').lines() {
        // What a terminal would still show of a line that was drawn over.
        let line = line.trim_end_matches('\r');
        let line = line.rsplit('\r').next().unwrap_or(line);
        out.push_str(&plain(without_stamp(line)));
        out.push('\n');
    }
    out
}

/// Takes escape sequences and other control characters out.
fn plain(line: &str) -> String {
    without_ansi(line).chars().filter(|c| !c.is_control() || *c == '\t').collect()
}

/// `2026-11-21T02:01:22.1234567Z rest` is `rest`.
fn without_stamp(line: &str) -> &str {
    let line = line.trim_start_matches('\u{feff}');
    let Some((stamp, rest)) = line.split_once(' ') else {
        return line;
    };
    let bytes = stamp.as_bytes();
    let fits = (20..=30).contains(&bytes.len())
        && bytes.ends_with(b"Z")
        && bytes.get(4) == Some(&b'-')
        && bytes.get(10) == Some(&b'T')
        && bytes.iter().filter(|byte| byte.is_ascii_digit()).count() >= 14;
    if fits { rest } else { line }
}

/// One annotation as a line.
pub fn note(path: &str, line: u64, level: &str, message: &str) -> String {
    format!("{path}:{line}: {level}: {message}\n")
}

/// What a check said about itself and then the end of what it printed, both cleaned, together
/// at most [`LOG_BYTES_MAX`] bytes.
pub fn told(words: &str, printed: &str) -> String {
    let (words, printed) = (clean(words), clean(printed));
    let mut all: String = words
        .char_indices()
        .take_while(|(at, c)| at + c.len_utf8() <= WORDS_BYTES_MAX)
        .map(|(_, c)| c)
        .collect();
    let room = LOG_BYTES_MAX.saturating_sub(all.len());
    all.push_str(text::tail(printed.trim_end(), room));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_stamps_and_overdrawn_lines_are_gone() {
        let raw = "\u{feff}2026-11-21T02:01:22.1234567Z \u{1b}[31merror\u{1b}[0m: x\r\n\
                   2026-11-21T02:01:23.0000000Z 10%\r50%\rdone\n\
                   \u{1b}]8;;http://x\u{7}link\u{1b}]8;;\u{7} 2026 is a year\n";
        assert_eq!(clean(raw), "error: x\ndone\nlink 2026 is a year\n");
    }

    #[test]
    fn what_is_told_keeps_its_end_and_the_limit() {
        let printed = format!("{}\nthe end\n", "x".repeat(50_000));
        let all = told(&"é".repeat(10_000), &printed);
        assert!(all.len() <= LOG_BYTES_MAX);
        assert!(all.starts_with('é'));
        assert!(all.ends_with("the end"));
        assert_eq!(told("", "a\n"), "a");
    }
}
