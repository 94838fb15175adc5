//! Texts of strangers on their way in and out: nothing hidden is left, nothing acts, and what is
//! clean stays as it is.

use fastrand::Rng;
use slipway::command::{Parsed, parse};
use slipway::model::character::is_hidden;
use slipway::model::clean::{TEXT_BYTES_MAX, clean, clean_log};
use slipway::model::sanitized::{code, fenced, plain, prose, quoted, said, title};

use super::search;

const PARTS: [&str; 65] = [
    "<!--",
    "-->",
    "--!>",
    "<![CDATA[",
    "]]>",
    "<?",
    "?>",
    "<div",
    "<a href=",
    "</",
    ">",
    "/>",
    "<",
    "&",
    ";",
    "&lt;",
    "&#60;",
    "&amp;",
    "&commat;",
    "&#x200b;",
    "&zwj;",
    "![",
    "[",
    "](",
    ")",
    "]:",
    "][",
    "]",
    "(",
    "\"",
    "'",
    "`",
    "```",
    "```text\n",
    "~~~",
    "\n",
    "\n\n",
    "\r\n",
    "    ",
    "> ",
    "- ",
    "# ",
    "|",
    "@bob",
    "#1",
    "GH-1",
    "/merge",
    "bors r+",
    "https://e.vil/x",
    "www.e.vil",
    "javascript:x",
    "javascript%3Ax",
    "{{",
    "}}",
    "${{",
    "<%",
    "%>",
    "\u{200b}",
    "\u{202e}",
    "\u{e0041}",
    "\u{301}",
    "\u{1b}[31m",
    "\u{1b}]8;;",
    "::set-env x::",
    "\\",
];

fn text(rng: &mut Rng) -> String {
    let mut text = String::new();
    for _ in 0..rng.usize(0..16) {
        match rng.u8(0..10) {
            0 => text.extend((0..rng.usize(0..6)).map(|_| rng.char(..))),
            1 => text.push_str("word "),
            2 => text.push(' '),
            _ => text.push_str(rng.choice(PARTS).unwrap()),
        }
    }
    text
}

/// `line` without code, and without what a backslash takes the meaning of.
fn bare(line: &str) -> String {
    let (mut out, mut rest) = (String::new(), line);
    while let Some(c) = rest.chars().next() {
        let ticks = rest.len() - rest.trim_start_matches('`').len();
        let (first, after) = rest.split_at(ticks.max(c.len_utf8()));
        rest = match c {
            '\\' => after.get(after.chars().next().map_or(0, char::len_utf8)..).unwrap(),
            '`' => after.split_once(first).unwrap_or_else(|| panic!("open code: {line:?}")).1,
            _ => {
                out.push(c);
                after
            }
        };
    }
    out
}

fn links(line: &str) -> bool {
    let bare = bare(line);
    bare.contains("](") || bare.contains("![") || bare.contains("][")
}

#[test]
fn texts_are_clean_and_stay_so() {
    search(|rng| {
        let given = text(rng);
        let once = clean(&given);
        assert!(!once.text.chars().any(is_hidden), "{given:?} gives {:?}", once.text);
        assert!(once.text.len() <= TEXT_BYTES_MAX);
        let twice = clean(&once.text);
        assert_eq!(twice.text, once.text, "from {given:?}");
        assert_eq!(twice.taken_out(), None, "from {given:?}");
        let log = clean_log(&given);
        assert!(!log.text.chars().any(is_hidden));
        assert_eq!(clean_log(&log.text).text, log.text, "from {given:?}");
    });
}

#[test]
fn words_act_on_nobody() {
    const BREAK: char = '\u{200b}';
    search(|rng| {
        let given = text(rng);
        let line = said(&given).to_string();
        assert!(!line.contains('\n') && !line.contains("<!--"), "{given:?} is shown as {line:?}");
        assert!(line.chars().all(|c| c == BREAK || !is_hidden(c)), "{given:?}: {line:?}");
        let after = |at: usize| line[at..].chars().nth(1);
        assert!(line.match_indices('@').all(|(at, _)| after(at) == Some(BREAK)), "{line:?}");
        let tag = |c: char| c.is_ascii_alphabetic() || "/!?".contains(c);
        let tags = |at: usize| after(at).is_some_and(tag);
        assert!(!line.match_indices('<').any(|(at, _)| tags(at)), "{given:?}: {line:?}");
        assert!(!links(&line), "{given:?}: {line:?}");
        assert!(!matches!(parse(&line), Parsed::Command(_)), "{given:?}");
        let quote = quoted(&given, 500, "https://github.com/octo/hello").to_string();
        assert!(quote.lines().all(|line| line.starts_with("> ")), "{quote:?}");
        assert!(!quote.contains("<!--"), "{given:?}: {quote:?}");
        assert!(!quote.lines().any(links), "{given:?}: {quote:?}");
        let fence = fenced(&given).to_string();
        let ticks = fence.len() - fence.trim_start_matches('`').len();
        let mark = "`".repeat(ticks);
        assert!(!fence.lines().skip(1).any(|l| l.contains(&mark) && l != mark), "{fence:?}");
        assert!(fence.lines().all(|line| !matches!(parse(line), Parsed::Command(_))));
        let answer = prose(&given).to_string();
        assert!(answer.lines().all(|line| !matches!(parse(line), Parsed::Command(_))));
        assert!(!answer.contains("<!--"), "{given:?}: {answer:?}");
        let log = plain(&given).to_string();
        assert!(!log.contains(['@', '#', '[', '\n', '`']), "{given:?}: {log:?}");
        let line = code(&given).to_string();
        assert!(line.is_empty() || line.matches('`').count() == 2, "{given:?}: {line:?}");
        let title = title(&given, &"x".into()).to_string();
        assert!(!title.contains(['@', '#', '[', '\n', '`']) && !title.is_empty(), "{title:?}");
    });
}
