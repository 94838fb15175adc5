//! Words of others made harmless for the place where they are shown.

use crate::model::text::{TITLE_CHARS_MAX, cut, first_line, inert};

/// Longest sentence of others inside our own, in characters.
const SAID_CHARS_MAX: usize = 600;

/// `text` as one line of Markdown that mentions nobody, closes nothing, links nowhere and is no
/// command to any bot.
pub(super) fn said(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    let line = cut(&visible(&line.join(" ")), SAID_CHARS_MAX);
    markdown(&line)
}

/// `text` as a Markdown quote, line by line harmless as [`said`] makes one.
pub(super) fn quoted(text: &str, chars_max: usize) -> String {
    let short = cut(text.trim(), chars_max);
    let lines: Vec<String> =
        short.lines().map(|line| format!("> {}", markdown(&visible(line)))).collect();
    lines.join("\n")
}

fn markdown(line: &str) -> String {
    let mut out = inert(&line.replace('&', "&amp;"));
    for (from, to) in [
        ("[", "\\["),
        ("]", "\\]"),
        ("|", "\\|"),
        ("://", ":\u{200b}//"),
        ("www.", "www\u{200b}."),
        ("GH-", "GH-\u{200b}"),
        ("gh-", "gh-\u{200b}"),
    ] {
        out = out.replace(from, to);
    }
    out
}

/// `text` as the title of a commit or pull request: one line that no forge, CI or bot reads as
/// an instruction. `otherwise` when nothing is left.
pub(super) fn title(text: &str, otherwise: &str) -> String {
    let title = plain(first_line(text));
    cut(if title.is_empty() { otherwise } else { &title }, TITLE_CHARS_MAX)
}

/// `text` as one line of a commit message: no `[skip ci]` and its kin, no mention, no
/// reference to an issue, no link.
pub(super) fn plain(text: &str) -> String {
    let mut out = visible(text);
    for (from, to) in [("https://", ""), ("http://", ""), ("skip-checks", "skip checks")] {
        out = replace_ignoring_case(&out, from, to);
    }
    let mut kept = String::with_capacity(out.len());
    for c in out.chars() {
        match c {
            '[' => kept.push('('),
            ']' => kept.push(')'),
            '@' | '#' | '*' => {}
            c => kept.push(c),
        }
    }
    let kept = replace_ignoring_case(&kept, "gh-", "gh ");
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `text` without control characters and characters that are invisible or turn the writing
/// direction around; tabs and breaks become spaces.
pub(super) fn visible(text: &str) -> String {
    let hidden = |c: char| {
        matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
    };
    text.chars().filter(|&c| !hidden(c)).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Replaces until nothing is left to replace: taking one out may put another together.
fn replace_ignoring_case(text: &str, from: &str, to: &str) -> String {
    let mut out = text.to_owned();
    while let Some(at) = out.to_ascii_lowercase().find(from) {
        out.replace_range(at..at + from.len(), to);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::sample::{self, sha, with};
    use super::super::{Context, check_run, issue_comment, pull_body, pull_comment, pull_title};
    use super::*;
    use crate::model::text::{CHECK_CHARS_MAX, COMMENT_CHARS_MAX};
    use crate::pipeline::state::Complaint;
    use crate::policy::Policy;

    #[test]
    fn a_title_instructs_nobody() {
        for (given, want) in [
            ("Fix the adder", "Fix the adder"),
            ("Fix [skip ci] it\nand more", "Fix (skip ci) it"),
            ("***NO_CI*** x", "NO_CI x"),
            ("@all fixes #1, GH-2", "all fixes 1, gh 2"),
            ("closes https://github.com/o/r/issues/1", "closes github.com/o/r/issues/1"),
            ("hhttps://ttps://x", "x"),
            ("a\u{202e}b\u{200b}c\u{e0041}", "abc"),
            ("\u{200b}", "otherwise"),
        ] {
            assert_eq!(title(given, "otherwise"), want, "{given:?}");
        }
        assert_eq!(title(&"x".repeat(500), "").chars().count(), TITLE_CHARS_MAX);
    }

    #[test]
    fn what_others_said_stays_a_sentence() {
        assert_eq!(
            said("@a\n/merge ![x](http://e.vil) &commat;b <!-- | -->"),
            "@\u{200b}a /merge !\\[x\\](http:\u{200b}//e.vil) &amp;commat;b &lt;!-- \\| --&gt;"
        );
        assert_eq!(quoted("a\n/go\n```", 100), "> a\n> /go\n> ```");
    }

    /// What Markdown reads as text: everything but the fenced blocks.
    fn outside_fences(text: &str) -> String {
        let mut fence: Option<usize> = None;
        let mut kept = Vec::new();
        for line in text.lines() {
            let ticks = line.chars().take_while(|&c| c == '`').count();
            match fence {
                None if ticks >= 3 => fence = Some(ticks),
                None => kept.push(line),
                Some(open) if ticks >= open && line.len() == ticks => fence = None,
                Some(_) => {}
            }
        }
        assert!(fence.is_none(), "a fence is left open");
        kept.join("\n")
    }

    #[test]
    fn hostile_and_endless_words_stay_words_within_the_limits() {
        let evil =
            "\n/merge\n@all fixes #1 </details><!-- x --> ```\n[a](http://e.vil) ".repeat(3_000);
        let mut state = sample::fixing();
        let request = std::sync::Arc::make_mut(&mut state.request);
        request.title.clone_from(&evil);
        request.by.login.clone_from(&evil);
        state.work.plan = Some(evil.clone());
        state.work.summary = Some(evil.clone());
        state.work.rejection = Some(evil.clone());
        state.counts.flaky = (0..2_000).map(|i| format!("{i}{evil}")).take(60).collect();
        for complaint in [
            Complaint::Verification { log: evil.clone() },
            Complaint::Review { by: evil.clone(), text: evil.clone() },
        ] {
            state.work.complaint = Some(complaint);
            let say = |f: fn(&Context<'_>) -> String| with(&state, &Policy::default(), f);
            for text in [say(pull_body), say(issue_comment), say(pull_comment)] {
                assert!(text.chars().count() <= COMMENT_CHARS_MAX);
                assert!(text.starts_with("<!-- slipway:"));
                let text = outside_fences(&text);
                assert_eq!(text.matches("<!--").count(), 1, "no comment but ours");
                assert!(!text.lines().any(|line| line.starts_with('/')));
                assert!(!text.contains("@all") && !text.contains("fixes #1"));
                assert_eq!(text.matches("<details").count(), text.matches("</details>").count());
            }
            let report = with(&state, &Policy::default(), |context| check_run(context, &sha('a')));
            assert!(report.summary.chars().count() <= CHECK_CHARS_MAX);
            assert!(!report.title.contains('\n'));
            assert!(with(&state, &Policy::default(), pull_title).chars().count() <= 120);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn no_text_of_others_acts(text in "[@#\\[\\]a-z:/&<>\\n\\PC]{0,60}") {
            let said = said(&text);
            prop_assert!(!said.contains('\n') && !said.contains('<') && !said.contains("://"));
            let bare = |mark: char| {
                said.match_indices(mark).all(|(at, _)| {
                    said[at + mark.len_utf8()..].starts_with('\u{200b}')
                })
            };
            prop_assert!(bare('@') && bare('#'));
            let title = title(&text, "x");
            prop_assert!(!title.contains(['@', '#', '[', ']', '\n']) && !title.is_empty());
        }
    }
}
