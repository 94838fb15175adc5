//! Which characters a person cannot see.

/// Whether nobody sees `c` though a program reads it: control characters but line feed and tab,
/// format characters, tags, variation selectors, fillers, and what has no meaning agreed upon.
pub fn is_hidden(c: char) -> bool {
    if c.is_control() {
        return c != '\n' && c != '\t';
    }
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
        | '\u{890}' | '\u{891}' | '\u{8e2}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}')
}

/// `text` on one line without what is hidden: tabs, breaks and other control characters become
/// spaces.
pub fn visible(text: &str) -> String {
    let shown = |c: char| match c {
        c if c.is_control() => Some(' '),
        c if is_hidden(c) => None,
        c => Some(c),
    };
    text.chars().filter_map(shown).collect()
}

/// `text` without the sequences that colour a terminal, move in it or command it.
pub fn without_ansi(text: &str) -> String {
    if !text.contains(['\u{1b}', '\u{9b}', '\u{9d}']) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let kind = match c {
            '\u{1b}' => chars.next_if(|c| !matches!(c, '\n' | '\r' | '\u{1b}')),
            '\u{9b}' => Some('['),
            '\u{9d}' => Some(']'),
            c => {
                out.push(c);
                None
            }
        };
        match kind {
            // A control sequence ends with a letter or one of a few signs.
            Some('[') => {
                while chars.next_if(|c| (' '..='?').contains(c)).is_some() {}
                chars.next_if(|c| ('@'..='~').contains(c));
            }
            // A command to the terminal, such as a link, ends with a bell, or with an escape and
            // a backslash.
            Some(']' | 'P' | 'X' | '^' | '_') => {
                while chars.next_if(|c| !matches!(c, '\u{7}' | '\u{1b}' | '\n')).is_some() {}
                chars.next_if_eq(&'\u{7}');
                if chars.next_if_eq(&'\u{1b}').is_some() {
                    chars.next_if_eq(&'\\');
                }
            }
            Some(_) | None => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn categories_that_nobody_sees_are_hidden(
            text in "[\\p{Cf}\\p{Co}\\p{Variation_Selector}\\p{Cc}&&[^\n\t]]{1,40}"
        ) {
            prop_assert!(text.chars().all(is_hidden), "{:?}", text);
        }

        #[test]
        fn letters_marks_numbers_and_signs_are_seen(
            text in "[\\p{L}\\p{N}\\p{P}\\p{S}\\p{Zs}&&\
                     [^\\p{Default_Ignorable_Code_Point}\u{2800}]]{1,40}"
        ) {
            prop_assert!(!text.chars().any(is_hidden), "{:?}", text);
        }
    }

    #[test]
    fn terminals_are_told_nothing() {
        for (raw, plain) in [
            ("\u{1b}[31;1merror\u{1b}[0m: x", "error: x"),
            ("\u{1b}]8;;http://x\u{7}link\u{1b}]8;;\u{1b}\\ on", "link on"),
            ("\u{9b}2Ja\u{1b}(Bb\u{1b}", "aBb"),
            ("\u{1b}]0;title without an end\nnext", "\nnext"),
            ("plain [31m", "plain [31m"),
        ] {
            assert_eq!(without_ansi(raw), plain, "{raw:?}");
        }
        assert_eq!(visible("a\u{200b}b\tc\u{e0041}\r\nd"), "ab c  d");
    }
}
