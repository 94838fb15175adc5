//! Limits of texts and how to cut them without breaking a character.

/// Longest comment, issue or pull request body GitHub accepts, in characters.
pub const COMMENT_CHARS_MAX: usize = 65_536;
/// Longest summary or text of a check run, in characters.
pub const CHECK_CHARS_MAX: usize = 65_535;
/// Longest title of an issue or pull request we write, in characters.
pub const TITLE_CHARS_MAX: usize = 120;

/// Longest title of a pull request GitHub takes, in characters.
pub const PULL_TITLE_CHARS_MAX: usize = 256;
/// Longest title of a check run, in characters; GitHub shows no more on one line.
pub const CHECK_TITLE_CHARS_MAX: usize = 255;

/// A comment, or the body of an issue or pull request.
pub type CommentText = Bounded<COMMENT_CHARS_MAX>;
/// The summary or text of a check run.
pub type CheckText = Bounded<CHECK_CHARS_MAX>;
/// The title of a check run.
pub type CheckTitle = Bounded<CHECK_TITLE_CHARS_MAX>;
/// The title of a pull request or of a merge commit.
pub type PullTitle = Bounded<PULL_TITLE_CHARS_MAX>;

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
    fn a_bounded_text_keeps_to_its_bound_however_it_is_made() {
        for (text, kept) in [("", ""), ("é", "é"), ("ééé", "ééé"), ("éééé", "éé…"), ("abcd", "ab…")]
        {
            assert_eq!(Bounded::<3>::from(text).as_str(), kept);
            assert_eq!(Bounded::<3>::from(text.to_owned()).as_str(), kept);
        }
        let whole = "é".repeat(COMMENT_CHARS_MAX);
        assert_eq!(CommentText::from(whole.clone()).as_str(), whole);
        let more = CommentText::from(format!("{whole}x"));
        assert_eq!(more.as_str().chars().count(), COMMENT_CHARS_MAX);
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
