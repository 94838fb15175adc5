//! Failure signatures: equal for equal failures, whatever the numbers, paths and times.

use crate::model::text;

/// Longest signature, in characters.
const SIGNATURE_CHARS_MAX: usize = 200;
/// Lines looked at for what failed.
const LINES_MAX: usize = 5_000;

/// What failed in `name`, which said `said`, equal for equal failures: the first line that
/// speaks of a failure, without numbers, hexadecimal digits, paths and times. `None` when
/// nothing was said.
pub fn of(name: &str, said: &str) -> Option<String> {
    let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty()).take(LINES_MAX);
    let line = lines().find(|line| speaks_of_failure(line)).or_else(|| lines().next())?;
    Some(text::cut(&format!("{name}: {}", normal(line)), SIGNATURE_CHARS_MAX))
}

const FAILURE_WORDS: [&str; 10] = [
    "error",
    "fail",
    "panic",
    "assert",
    "exception",
    "not ok",
    "fatal",
    "mismatch",
    "expected",
    "cannot",
];
/// Lines that every failure has.
const EMPTY_WORDS: [&str; 4] = ["exit code", "exit status", "0 failed", "no error"];

fn speaks_of_failure(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    FAILURE_WORDS.iter().any(|word| line.contains(word))
        && !EMPTY_WORDS.iter().any(|word| line.contains(word))
}

fn normal(line: &str) -> String {
    let words = line.split_whitespace().map(|word| {
        let lower = word.to_lowercase();
        let bare = lower.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let hex = bare.strip_prefix("0x").unwrap_or(bare);
        let digits = hex.len() >= 7 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        if lower.contains('/') || lower.contains('\\') {
            "<path>".to_owned()
        } else if digits {
            "#".to_owned()
        } else {
            numberless(&lower)
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Every number, with a unit of time directly after it, is one `#`.
fn numberless(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(at);
        out.push_str(before);
        out.push('#');
        rest = number.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ',');
        for unit in ["ms", "µs", "ns", "min", "s", "m", "h"] {
            let after = rest.strip_prefix(unit);
            if let Some(after) = after.filter(|after| !after.starts_with(char::is_alphanumeric)) {
                rest = after;
                break;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_failures_have_equal_signatures() {
        let a = "running 3 tests\nassertion failed at /tmp/a1/x.rs:10:2 after 1.25s (0xdeadbeef1)";
        let b = "running 4 tests\nassertion failed at /tmp/b2/x.rs:99:1 after 7s (0xdeadbeef2)";
        let c = "running 4 tests\nassertion of another kind failed after 7s";
        assert_eq!(of("test", a), of("test", b));
        assert_eq!(of("test", a).as_deref(), Some("test: assertion failed at <path> after # #"));
        assert_ne!(of("test", a), of("test", c));
        assert_ne!(of("test", a), of("lint", a));
    }

    #[test]
    fn what_every_failure_says_is_no_of() {
        let said = "Process completed with exit code 1: error\nhello.sh: greeting mismatch";
        assert_eq!(of("t", said).as_deref(), Some("t: hello.sh: greeting mismatch"));
        assert_eq!(of("t", "  \n\n"), None);
        assert_eq!(of("t", "only words").as_deref(), Some("t: only words"));
    }
}
