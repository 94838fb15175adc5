//! Limits of texts and how to cut them without breaking a character.

/// Longest comment or pull request body we write, in characters; GitHub takes 65,536.
pub const COMMENT_CHARS_MAX: usize = 60_000;
/// Longest summary or text of a check run we write, in characters; GitHub takes 65,535.
pub const CHECK_CHARS_MAX: usize = 60_000;
/// Longest title of an issue or pull request we write, in characters.
pub const TITLE_CHARS_MAX: usize = 120;

/// Longest title of a pull request GitHub takes, in characters.
pub const PULL_TITLE_CHARS_MAX: usize = 256;
/// Longest title of a check run, in characters; GitHub shows no more on one line.
pub const CHECK_TITLE_CHARS_MAX: usize = 255;

/// A text of at most `CHARS_MAX` characters: a longer one cannot be made, only cut.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Bounded<const CHARS_MAX: usize>(String);

impl<const CHARS_MAX: usize> Bounded<CHARS_MAX> {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const CHARS_MAX: usize> From<&str> for Bounded<CHARS_MAX> {
    /// Cuts what is too long, as [`cut`] does.
    fn from(text: &str) -> Self {
        Self(cut(text, CHARS_MAX))
    }
}

impl<const CHARS_MAX: usize> From<String> for Bounded<CHARS_MAX> {
    /// Cuts what is too long, as [`cut`] does.
    fn from(text: String) -> Self {
        if text.len() <= CHARS_MAX { Self(text) } else { Self::from(text.as_str()) }
    }
}

/// `text` if it has at most `chars_max` characters, otherwise its beginning and an ellipsis,
/// together `chars_max` characters.
pub fn cut(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(chars_max.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// The last `bytes_max` bytes of `text` or fewer, beginning at a character.
pub fn tail(text: &str, bytes_max: usize) -> &str {
    let from = text.len().saturating_sub(bytes_max);
    let from = (from..=text.len()).find(|&i| text.is_char_boundary(i)).unwrap_or(text.len());
    text.get(from..).unwrap_or_default()
}

/// The first line of `text`, without surrounding white space.
pub fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutting_never_breaks_a_character() {
        assert_eq!(cut("ééééé", 3), "éé…");
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(tail("aé", 1), "");
        assert_eq!(tail("aé", 2), "é");
    }
}
