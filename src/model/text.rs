//! Limits of texts and how to cut them without breaking a character.

/// Longest comment, issue or pull request body GitHub accepts, in characters.
pub const COMMENT_CHARS_MAX: usize = 65_536;
/// Longest summary or text of a check run, in characters.
pub const CHECK_CHARS_MAX: usize = 65_535;
/// Longest title of an issue or pull request we write, in characters.
pub const TITLE_CHARS_MAX: usize = 120;

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

/// `text` with everything that could mention a person, close an issue or open HTML made inert;
/// for words of others inside our own comments.
pub fn inert(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' => out.push_str("@\u{200b}"),
            '#' => out.push_str("#\u{200b}"),
            c if c.is_control() && c != '\n' && c != '\t' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// `text` inside a code fence that nothing in it can close.
pub fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}", text.trim_end())
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

    #[test]
    fn a_fence_outlives_every_fence_inside() {
        assert_eq!(fenced("a\n````\nb"), "`````text\na\n````\nb\n`````");
    }

    #[test]
    fn inert_text_mentions_nobody() {
        assert_eq!(inert("@all fixes #1 <b>"), "@\u{200b}all fixes #\u{200b}1 &lt;b&gt;");
    }
}
