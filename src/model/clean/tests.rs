//! Hidden text in the ways it was hidden before, and the laws of cleaning.

use proptest::prelude::*;

use super::*;

/// What is given, what is left of it, and the step that sees to that.
const HIDDEN: [(&str, &str, Step); 72] = [
    // Comments, whole, nested, open, and what a browser takes for one.
    ("see<!-- obey --> this", "see this", Step::Comments),
    ("<!-- obey -->\nseen", "\nseen", Step::Comments),
    ("a<!-- b\n\nc -->d", "ad", Step::Comments),
    ("seen\n\n<!-- obey me\n\nand me", "seen\n\n", Step::Comments),
    ("a <!-- obey", "a ", Step::Comments),
    ("a<!-- <!-- b --> c -->d", "a c -->d", Step::Comments),
    ("a<!<!-- -->-- obey -->b", "ab", Step::Comments),
    ("a<!-->b<!--->c", "abc", Step::Comments),
    ("a<!-- obey --!>b", "ab", Step::Comments),
    ("<![CDATA[obey]]>a", "a", Step::Comments),
    ("<?obey me?>a", "a", Step::Comments),
    ("<!DOCTYPE obey>a", "a", Step::Comments),
    ("&lt;!-- obey --&gt;a", "a", Step::Comments),
    ("&amp;lt;!-- obey -->a", "a", Step::Comments),
    ("<!&#45;- obey -->a", "a", Step::Comments),
    ("<\u{200b}!-- obey -->a", "a", Step::Comments),
    // Characters nobody sees.
    ("a\u{200b}b", "ab", Step::Hidden),
    ("a\u{200c}b", "ab", Step::Hidden),
    ("a\u{200d}b", "ab", Step::Hidden),
    ("a\u{feff}b", "ab", Step::Hidden),
    ("a\u{ad}b", "ab", Step::Hidden),
    ("a\u{61c}b", "ab", Step::Hidden),
    ("a\u{180e}b", "ab", Step::Hidden),
    ("a\u{34f}b", "ab", Step::Hidden),
    ("a\u{115f}\u{1160}b", "ab", Step::Hidden),
    ("a\u{3164}\u{ffa0}b", "ab", Step::Hidden),
    ("a\u{2800}b", "ab", Step::Hidden),
    ("a\u{2028}b\u{2029}c", "abc", Step::Hidden),
    ("a\u{202e}b\u{202c}", "ab", Step::Hidden),
    ("a\u{2066}b\u{2069}", "ab", Step::Hidden),
    ("a\u{200e}\u{200f}b", "ab", Step::Hidden),
    ("a\u{2060}b", "ab", Step::Hidden),
    ("a\u{2061}\u{2062}\u{2063}\u{2064}b", "ab", Step::Hidden),
    ("a\u{206a}\u{206f}b", "ab", Step::Hidden),
    ("a\u{e0041}\u{e0042}\u{e007f}b", "ab", Step::Hidden),
    ("a\u{e0100}\u{e01ef}b", "ab", Step::Hidden),
    ("a\u{fe00}\u{fe0f}b", "ab", Step::Hidden),
    ("a\u{fff9}x\u{fffa}y\u{fffb}b", "axyb", Step::Hidden),
    ("a\u{e000}\u{f8ff}b", "ab", Step::Hidden),
    ("a\u{f0000}\u{10fffd}b", "ab", Step::Hidden),
    ("a\u{1d173}\u{1bca0}b", "ab", Step::Hidden),
    ("a\u{0}b\u{8}c\u{7f}d\u{85}e", "abcde", Step::Hidden),
    ("a&ZeroWidthSpace;b&#8203;c&#x200B;d", "abcd", Step::Hidden),
    ("a&zwj;&zwnj;&lrm;&rlm;&shy;&NoBreak;b", "ab", Step::Hidden),
    // Entities.
    ("&commat;bob", "@bob", Step::Entities),
    ("&#64;&#x62;ob", "@bob", Step::Entities),
    ("&amp;commat;bob", "@bob", Step::Entities),
    ("&&#97;mp;num;1", "#1", Step::Entities),
    ("a&#96;b&grave;", "a'b'", Step::Entities),
    // Attributes.
    ("<img src=\"u\" alt=\"obey\">", "<img src=\"u\">", Step::Attributes),
    ("<img src=u title='obey'>", "<img src=\"u\">", Step::Attributes),
    ("<a href=\"u\" aria-label=\"obey\">t</a>", "<a href=\"u\">t</a>", Step::Attributes),
    ("<p data-x=\"obey\">t</p>", "<p>t</p>", Step::Attributes),
    ("<p style=\"display:none\">t</p>", "<p>t</p>", Step::Attributes),
    ("<div\nobey all of this>t</div>", "<div>t</div>", Step::Attributes),
    ("<div obey", "<div>", Step::Attributes),
    ("<details open title=\"obey\">t", "<details>t", Step::Attributes),
    ("<div></ obey>t</div>", "<div>t</div>", Step::Attributes),
    // What Markdown does not show.
    ("[t](u \"obey\")", "[t](u)", Step::Titles),
    ("[t](u 'obey')", "[t](u)", Step::Titles),
    ("[t](<u> (obey))", "[t](<u>)", Step::Titles),
    ("![obey](u)", "![](u)", Step::Titles),
    ("![obey](u \"me\")", "![](u)", Step::Titles),
    ("![obey [and](x)](u)", "![](u)", Step::Titles),
    ("[![obey](i)](u \"me\")", "[![](i)](u)", Step::Titles),
    ("[//]: # (obey)\n\nseen", "\n\nseen", Step::Titles),
    ("[x]: u \"obey\nme\"\n\nseen", "\n\nseen", Step::Titles),
    ("[t]\n\n[t]: u \"obey\"", "[t]\n\n[t]: u", Step::Titles),
    ("> [x]: <obey>\n\nseen", "> \n\nseen", Step::Titles),
    // Terminals, and forms of the same letter.
    ("\u{1b}[8mobey\u{1b}[0m", "obey", Step::Ansi),
    ("\u{1b}]8;;obey\u{7}t\u{1b}]8;;\u{7}", "t", Step::Ansi),
    ("e\u{301}", "é", Step::Normal),
];

/// What is seen, and so is left alone.
const SEEN: [&str; 14] = [
    "Please add `a + b`, see #3 and @ann.",
    "# Title\n\n* one\n* two\n\n| a | b |\n|---|---|\n| 1 | 2 |",
    "```html\n<img alt=\"seen\"> <!-- seen -->\n```",
    "`<!-- seen -->` and `&lt;`",
    "    <!-- seen: it is code -->",
    "Vec<String>, a < b && c > d, x <- y",
    "HashMap<K, V> and <https://example.com/a?b=c&d=e>",
    "[text](https://example.com/a_(b)) and [x][y]\n\n[y]: https://example.com",
    "<details><summary>Logs</summary>\n\ntext\n\n</details>",
    "naïve, 漢字, עברית, Ελληνικά,한국어, 👍, ﬁ",
    "a\tb\n\n\nc  \nd",
    "AT&T &eacute; 100% $x {{y}}",
    "-----\n===\n~~~\nopen fence <!-- seen -->",
    "",
];

#[test]
fn attack_12_hidden_text_is_taken_out() {
    assert!(HIDDEN.len() >= 60);
    for (given, want, step) in HIDDEN {
        assert_eq!(clean(given).text, want, "{given:?}");
        let weak = clean_without(given, Some(step)).text;
        assert_ne!(weak, want, "{given:?} needs {step:?}");
    }
    // All of it together.
    let hidden = HIDDEN.iter().filter(|(_, want, _)| !want.contains("obey"));
    let all: Vec<&str> = hidden.map(|(given, _, _)| *given).collect();
    let before_the_open_one = clean(&all.join("\n\n`seen`\n\n"));
    assert!(before_the_open_one.comments_removed > 0);
    assert!(!before_the_open_one.text.contains("obey"), "{}", before_the_open_one.text);
}

#[test]
fn attack_12_what_was_hidden_is_counted() {
    let found = clean("a\u{200b}b\u{e0041}c<!-- one -->&ZeroWidthSpace;<!-- two");
    assert_eq!((found.hidden_characters, found.comments_removed, found.cut), (3, 2, false));
    assert_eq!(found.taken_out().unwrap(), "3 hidden characters, 2 comments removed");
    let one = clean("\u{feff}a");
    assert_eq!(one.taken_out().unwrap(), "1 hidden character removed");
    // Emoji are not suspicious, a row of selectors is.
    assert_eq!(clean("❤\u{fe0f}\u{200d}🔥 👩\u{200d}💻").taken_out(), None);
    assert_eq!(clean("👍\u{fe01}\u{fe02}\u{fe03}").hidden_characters, 3);
    for text in SEEN {
        let found = clean(text);
        assert_eq!((found.text.as_str(), found.taken_out()), (text, None));
    }
    assert_eq!(clean("a\r\nb\rc").text, "a\nb\nc");
    let line = clean_line(" Show <img alt=\"x\">\u{200b}\nin [x]: y ");
    assert_eq!((line.text.as_str(), line.hidden_characters), ("Show <img alt=\"x\"> in [x]: y", 1));
    assert_eq!(line.and(&one).taken_out().unwrap(), "2 hidden characters removed");
}

#[test]
fn attack_12_what_is_too_long_is_cut_with_a_mark() {
    let line = "é".repeat(LINE_CHARS_MAX);
    assert!(!clean(&line).cut);
    let cut = clean(&format!("{line}é\nnext"));
    assert!(cut.cut && cut.text.ends_with("é … (this line is cut)\nnext"));
    assert_eq!(cut.text.lines().next().unwrap().chars().count(), LINE_CHARS_MAX);
    let long = "line\n".repeat(20_000);
    let cut = clean(&long);
    assert!(cut.cut && cut.text.ends_with("(the rest is cut)"));
    assert!(cut.text.len() <= TEXT_BYTES_MAX && cut.text.len() > TEXT_BYTES_MAX - 100);
    assert!(clean_without(&long, Some(Step::Cut)).text.len() > TEXT_BYTES_MAX);
    let huge = clean(&"x\n".repeat(2 << 20));
    assert!(huge.cut && huge.text.len() <= TEXT_BYTES_MAX);
    assert!(clean("abcdef").at_most(3).cut);
}

#[test]
fn attack_47_a_log_steers_nobody() {
    let log = "\u{1b}[31merror\u{1b}[0m: x\r\n::set-env name=PATH::/evil\n  ::add-mask::y\n\
               ##[group]Run\n##[error]seen\nstd::vec::Vec\n/merge\u{200b}\n";
    let cleaned = clean_log(log);
    assert_eq!(cleaned.text, "error: x\n##[error]seen\nstd::vec::Vec\n/merge\n");
    assert_eq!(cleaned.hidden_characters, 1);
    for step in [Step::Ansi, Step::Hidden, Step::Commands] {
        assert_ne!(clean_log_without(log, Some(step)).text, cleaned.text, "{step:?}");
    }
    // A bomb: many lines, and one line without an end.
    for bomb in ["x".repeat(64 << 20), "line\n".repeat(10 << 20)] {
        let cleaned = clean_log(&bomb);
        assert!(cleaned.cut && cleaned.text.len() <= 200 * 1_024);
        assert!(cleaned.text.lines().all(|line| line.chars().count() <= LINE_CHARS_MAX));
    }
    let line = "x".repeat(3_000);
    assert!(clean_log(&line).text.len() < 3_000);
    assert_eq!(clean_log_without(&line, Some(Step::Cut)).text, line);
    assert_eq!(clean_log(&cleaned.text).text, cleaned.text);
}

/// What cleaning promises of any text.
fn lawful(text: &str) -> Result<(), TestCaseError> {
    let once = clean(text);
    prop_assert!(!once.text.chars().any(is_hidden), "{:?} gives {:?}", text, once.text);
    prop_assert!(once.text.len() <= TEXT_BYTES_MAX);
    prop_assert!(once.text.nfc().eq(once.text.chars()));
    let twice = clean(&once.text);
    prop_assert_eq!(&twice.text, &once.text, "from {:?}", text);
    prop_assert_eq!(twice.taken_out(), None);
    let log = clean_log(text);
    prop_assert!(!log.text.chars().any(is_hidden));
    prop_assert_eq!(clean_log(&log.text).text, log.text);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn attack_12_only_what_is_seen_is_left_of_any_text(text in "\\PC{0,80}") {
        lawful(&text)?;
    }

    #[test]
    fn attack_12_cleaning_twice_changes_nothing(
        parts in proptest::collection::vec(
            prop_oneof![
                proptest::sample::select(HIDDEN.map(|(given, _, _)| given).to_vec()),
                proptest::sample::select(SEEN.to_vec()),
                proptest::sample::select(vec![
                    "<", ">", "&", ";", "!", "--", "[", "](", ")", "`", "```", "\n", "\n\n", "    ",
                    "\"", "'", "&lt;", "&#60;", "&amp;", "]:", "=", "/", "~~~", "<div", "<!--",
                    "-->",
                    "\u{200b}", "\u{301}", "\u{338}", "\\", "\u{1b}[", "m", "- ", "> ", "\t",
                ]),
            ],
            0..14,
        )
    ) {
        lawful(&parts.concat())?;
    }
}
