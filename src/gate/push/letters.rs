//! Letters that cannot be seen, and when two spellings are one name.

use unicode_normalization::UnicodeNormalization;

/// Turns the direction of what follows, or tells where text begins and ends.
pub(super) fn turns(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}')
}

/// Carries text nobody sees: tags and everything else of their plane.
pub(super) fn tags(c: char) -> bool {
    matches!(c, '\u{e0000}'..='\u{e0fff}')
}

/// Joins or dresses the letter before it; after a letter that takes it, that is its use.
pub(super) fn joins(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

/// A format character (Unicode's category Cf) or a letter without a shape.
pub(super) fn hides(c: char) -> bool {
    turns(c)
        || tags(c)
        || joins(c)
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}'
            | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{115f}' | '\u{1160}' | '\u{17b4}'
            | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{2028}' | '\u{2029}'
            | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}')
}

/// One form for every spelling that some file system takes for the same name: without letters
/// that hide, composed, without case.
pub(super) fn folded(text: &str) -> String {
    let plain = text.chars().filter(|c| !hides(*c)).nfc();
    // Down, up and down again: there are capitals that only their small letters lead out of.
    let small = plain.flat_map(char::to_lowercase);
    small.flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfc().collect()
}
