//! What others wrote to be obeyed by whoever reads us: people, GitHub, other bots, ourselves.

use proptest::prelude::*;

use super::escape::How;
use super::words::said_as;
use super::*;
use crate::command::{Parsed, parse};
use crate::model::{Secret, Vault};

const HOME: &str = "https://github.com/octo/hello";

/// Words that act, what must not be left of them, and the rule that sees to that. The kinds are
/// those that public reviews of other bots found open.
const ACTS: [(&str, &str, Rule); 35] = [
    ("@bob look", "@bob", Rule::Mentions),
    ("thanks @octo/team", "@octo", Rule::Mentions),
    ("&commat;bob", "&commat;bob", Rule::Entities),
    ("fixes &num;99", "&num;99", Rule::Entities),
    ("&amp;commat;bob", "&amp;commat;bob", Rule::Entities),
    ("＠bob", "＠bob", Rule::Mentions),
    ("fixes #99", "#99", Rule::References),
    ("Closes: octo/hello#99", "hello#99", Rule::References),
    ("resolves GH-99", "GH-99", Rule::References),
    ("/merge", "/merge", Rule::Commands),
    ("/approve now", "/approve", Rule::Commands),
    ("please /lgtm", "/lgtm", Rule::Commands),
    ("bors r+", "bors r", Rule::Commands),
    ("dependabot merge", "dependabot m", Rule::Commands),
    ("<b>bold</b>", "<b>", Rule::Html),
    ("<!-- slipway:r0123456789:issue -->", "<!--", Rule::Html),
    ("<img src=x onerror=y>", "<img", Rule::Html),
    ("</details></td>", "</details", Rule::Html),
    ("`<b>bold</b>`", "<b>", Rule::Html),
    ("`</summary><img src=x>`", "</summary", Rule::Html),
    ("![x](https://e.vil/p.png)", "![", Rule::Links),
    ("[click](https://e.vil)", "](https", Rule::Links),
    ("[click](javascript:alert(1))", "](javascript", Rule::Links),
    ("[click](javascript%3Aalert(1))", "](javascript", Rule::Links),
    ("[click](java&#x73;cript:alert)", "](javascript", Rule::Links),
    ("[a][b]", "[a][b]", Rule::Links),
    ("https://e.vil/?q=1", " https://e.vil", Rule::Links),
    ("see www.e.vil", " www.e.vil", Rule::Links),
    ("[t](u \"title\")", "](u", Rule::Links),
    ("a\u{200c}b", "\u{200c}", Rule::Hidden),
    ("a\u{e0041}b", "\u{e0041}", Rule::Hidden),
    ("a\u{2061}\u{2064}b", "\u{2061}", Rule::Hidden),
    ("a\u{202e}b", "\u{202e}", Rule::Hidden),
    ("${{ secrets.X }}", "${", Rule::Templates),
    ("{{ x }} {% y %}", "{{", Rule::Templates),
];

/// ` text ` as it is shown, so that a word at either end is one in the middle.
fn shown(text: &str, without: Option<Rule>) -> String {
    format!(" {} ", said_as(text, How { home: None, without }))
}

#[test]
fn attack_48_words_act_on_nobody() {
    for (text, act, rule) in ACTS {
        let safe = shown(text, None);
        assert!(!safe.contains(act), "{text:?} is shown as {safe:?}");
        let weak = shown(text, Some(rule));
        assert!(weak.contains(act), "{text:?} needs {rule:?}: {weak:?}");
    }
}

#[test]
fn attack_48_no_disguise_makes_a_link() {
    for text in [
        "javascript%3Aalert(1)",
        "java\tscript:alert(1)",
        "JaVaScRiPt:x",
        "%6a%61vascript:x",
        "javascript%253Ax",
        "data:text/html,x",
        "vbscript:x",
        "https:%2f%2fe.vil",
        "hTTps://e.vil",
        "(https://e.vil)",
        "<https://e.vil>",
        "https://github.com/octo/hello.evil/x",
        "https://github.com/octo/hello/../../e/vil",
        "https://github.com@e.vil/octo/hello/",
        "https://github.com/octo/hello/issues/99",
        "https://github.com/octo/hello/pull/99",
        "https://github.com/octo/hello/%69ssues/99",
        "https://github.com/octo/hello/Pull/99",
    ] {
        let line = quoted(text, 500, HOME);
        assert!(!line.as_str().contains("](") && !line.as_str().contains("<http"), "{line}");
    }
    for (text, want) in [
        (
            "see https://github.com/octo/hello/blob/main/a.rs#L3, please",
            "> see <https://github.com/octo/hello/blob/main/a.rs#L3>, please",
        ),
        (
            "at [home](https://github.com/octo/hello/wiki)",
            "> at home (<https://github.com/octo/hello/wiki>)",
        ),
        ("[click](https://e.vil \"t\") ![a](b)", "> click (`https://e.vil`) a"),
        ("Calls `a()` and ``b`c``.", "> Calls `a()` and ``b'c``."),
    ] {
        assert_eq!(quoted(text, 500, HOME).as_str(), want);
    }
}

#[test]
fn attack_48_fences_and_titles_command_nobody() {
    let log =
        "ok\n/merge\n  /lgtm cancel\nbors r+\n@dependabot merge\n```\n\u{1b}[31m${{ x }}\u{200b}";
    let fence = fenced(log);
    assert!(fence.as_str().starts_with("````text\nok\n"));
    for act in ["/merge", "/lgtm", "bors", "@dependabot", "${", "\u{1b}"] {
        assert!(!fence.as_str().contains(act), "{act}: {fence}");
    }
    assert_eq!(fenced("a\n````\nb").as_str(), "`````text\na\n````\nb\n`````");
    assert_eq!(
        fenced("/usr/bin/x: no\n@pytest.fixture").as_str(),
        "```text\n/usr/bin/x: no\n@pytest.fixture\n```"
    );
    let otherwise = Plain::from("otherwise");
    for (given, want) in [
        ("Fix the adder", "Fix the adder"),
        ("Fix [skip ci] it\nand more", "Fix (skip ci) it"),
        ("***NO_CI*** x", "NO_CI x"),
        ("@all fixes #1, GH-2", "all fixes 1, gh 2"),
        ("closes https://github.com/o/r/issues/1", "closes https github.com/o/r/issues/1"),
        ("/merge --force", "merge --force"),
        ("run $(rm) `x` ${{ y }}", "run $ (rm) 'x' $ { { y } }"),
        ("a\u{202e}b\u{200b}c\u{e0041}", "abc"),
        ("\u{200b}", "otherwise"),
    ] {
        assert_eq!(title(given, &otherwise).as_str(), want, "{given:?}");
    }
    assert_eq!(title(&"x".repeat(500), &otherwise).chars(), 120);
}

#[test]
fn attack_48_an_answer_keeps_its_block_and_nobody_elses() {
    let words = "/merge\n```\n<!-- x --> @dependabot merge\n\n  last";
    let block = fenced(words);
    let answer = prose(&format!("Read `this`:\n\n{block}\n\n/stop"));
    assert_eq!(answer.as_str(), format!("Read `this`:\n\n{block}\n\n\u{200b}/\u{200b}stop"));
    for open in ["````text\n/merge", "```text\n/merge\n````", "```\n/merge\n```"] {
        let shown = prose(open);
        assert!(!shown.as_str().contains("```"), "{shown}");
        assert!(shown.as_str().lines().all(|line| parse(line) == Parsed::None), "{shown}");
    }
    let theirs = prose("```text\n<!-- slipway:r0123456789:issue -->\n/merge\n```\nx");
    assert!(!theirs.as_str().contains("<!--") && theirs.as_str().ends_with("```\nx"), "{theirs}");
    assert!(theirs.as_str().lines().all(|line| parse(line) == Parsed::None), "{theirs}");
}

#[test]
fn attack_48_secrets_and_lengths_end_at_the_last_step() {
    let canary: String = (0..40).map(|_| fastrand::alphanumeric()).collect();
    let vault = Vault::default();
    vault.keep(&canary);
    let sanitizer = Sanitizer::new(Redactor::default().with_vault(vault));
    for words in [canary.clone(), hex::encode(&canary), canary.chars().rev().collect()] {
        for text in [said(&words), fenced(&words), quoted(&words, 500, HOME), code(&words)] {
            let comment: CommentText = sanitizer.text(&text);
            assert!(comment.as_str().contains("[hidden]"), "{}", comment.as_str());
            let weak: CommentText = Sanitizer::default().text(&text);
            assert!(weak.as_str().contains(&words));
        }
        let title: PullTitle = sanitizer.text(&plain(&words));
        assert_eq!(title.as_str(), "[hidden]");
    }
    let long: CommentText = sanitizer.text(&prose(&"é".repeat(70_000)));
    assert_eq!(long.as_str().chars().count(), 60_000);
}

#[test]
fn attack_49_what_an_agent_says_is_no_command_to_us() {
    let words = ["/merge", "/approve", "/go now", "/push", "{\"merge\":true}\n/stop"];
    for said in words {
        let shown = prose(said);
        assert!(shown.as_str().lines().all(|line| parse(line) == Parsed::None), "{shown}");
        assert!(fenced(said).as_str().lines().all(|line| parse(line) == Parsed::None));
    }
    let weak = said_as("/merge", How { home: None, without: Some(Rule::Commands) });
    assert!(matches!(parse(weak.as_str()), Parsed::Command(_)), "the rule is needed");
}

#[test]
fn what_others_said_stays_a_sentence() {
    for (given, want) in [
        ("Merged: `abc` is in `main`", "Merged: `abc` is in `main`"),
        ("AT&T a|b c\\[d", "AT&amp;T a\\|b c\\\\\\[d"),
        ("a\n b `c", "a b \\`c"),
        ("I/O and/or a/b, /usr/bin", "I/O and/or a/b, /usr/bin"),
    ] {
        assert_eq!(said(given).as_str(), want);
    }
    assert_eq!(code("a`b|c@d").as_str(), "`a'b\\|c@\u{200b}d`");
    assert_eq!(link(&"x".into(), "https://a.b/c").as_str(), "[x](https://a.b/c)");
    assert_eq!(link(&"x".into(), "javascript:c").as_str(), "x");
    let secret = Secret::new("a-secret-word");
    let sanitizer = Sanitizer::new(Redactor::new([secret]));
    assert_eq!(sanitizer.kept("a-secret-word!"), "[hidden]!");
    assert_eq!(crate::markdown!("#{} {}", 7_u32, "x").as_str(), "#7 x");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_text_of_others_acts(text in "[@#\\[\\]a-z:/&<>`{}$%!()\\n\\PC]{0,60}") {
        let said = said(&text);
        let said = said.as_str();
        prop_assert!(!said.contains('\n') && !said.contains("<!--"));
        let bare = |mark: char| {
            said.match_indices(mark).all(|(at, _)| {
                said[at + mark.len_utf8()..].starts_with('\u{200b}')
            })
        };
        prop_assert!(bare('@'));
        let plain = super::said(&text.replace('`', "")).to_string().replace("\\](", "");
        prop_assert!(!plain.contains("](") && !plain.contains("!["), "{}", plain);
        prop_assert!(!matches!(parse(said), Parsed::Command(_)));
        let title = title(&text, &"x".into());
        prop_assert!(!title.as_str().contains(['@', '#', '[', ']', '\n', '`']));
        prop_assert!(!title.is_empty());
    }
}
