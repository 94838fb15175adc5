//! What others wrote, made so that whoever reads it for a machine reads what a person sees.
//!
//! One function for texts, [`clean`], and one for what programs print, [`clean_log`]. Neither
//! judges words; both take away what is hidden, and count it.

mod entity;
mod html;
mod log;
mod markdown;

use unicode_normalization::UnicodeNormalization;

use super::character::{is_hidden, without_ansi};
use super::text::cut;
pub use entity::decoded;
pub use log::{clean_log, clean_log_without};
use markdown::Piece;

/// Longest line kept, in characters.
pub const LINE_CHARS_MAX: usize = 2_000;
/// Longest text kept, in bytes.
pub const TEXT_BYTES_MAX: usize = 64 * 1_024;
/// Longest text looked at, in bytes.
const GIVEN_BYTES_MAX: usize = 1 << 20;
/// Times a text is cleaned until nothing more is found; after that, what could hide something
/// is taken out of it altogether.
const PASSES_MAX: usize = 8;

/// Ends a line that was cut.
const LINE_MARK: &str = " … (this line is cut)";
/// Ends a text that was cut.
const TEXT_MARK: &str = "\n… (the rest is cut)";

/// A text that shows all it says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cleaned {
    pub text: String,
    /// Characters nobody sees that were taken out.
    pub hidden_characters: u32,
    /// Comments and other HTML nobody sees that was taken out.
    pub comments_removed: u32,
    /// Something was too long, and its end is missing.
    pub cut: bool,
}

/// One thing [`clean`] does. Tests take away exactly one; the program never does.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Ansi,
    Hidden,
    Normal,
    Entities,
    Comments,
    Attributes,
    /// Titles of links, descriptions of images, references nobody uses.
    Titles,
    /// Commands to a CI system, in logs.
    Commands,
    Cut,
}

/// `text` as a person would see it on GitHub, without what only a machine would read.
pub fn clean(text: &str) -> Cleaned {
    clean_without(text, None)
}

/// [`clean`] with one step left out, to prove that the step is needed.
#[doc(hidden)]
pub fn clean_without(text: &str, without: Option<Step>) -> Cleaned {
    let mut done = Cleaned { text: given(text), ..Cleaned::default() };
    done.cut = done.text.len() < text.len();
    for _ in 0..PASSES_MAX {
        let before = std::mem::take(&mut done.text);
        pass(&before, without, &mut done);
        if done.text == before {
            return done;
        }
    }
    // Whoever nests things as deep as this has something to hide.
    let plain: String =
        done.text.chars().filter(|c| !matches!(c, '<' | '>' | '&' | '[' | ']' | '`')).collect();
    done.text.clear();
    pass(&plain, without, &mut done);
    done
}

/// `text` as one line, where Markdown and HTML are shown as they are written, such as in titles.
pub fn clean_line(text: &str) -> Cleaned {
    let mut done = Cleaned::default();
    let line = seen(&given(text), &|_| true, &mut done);
    done.text = line.split_whitespace().collect::<Vec<_>>().join(" ");
    done
}

/// The part of a text that is looked at.
fn given(text: &str) -> String {
    let end = text.floor_char_boundary(GIVEN_BYTES_MAX.min(text.len()));
    text.get(..end).unwrap_or_default().to_owned()
}

fn pass(text: &str, without: Option<Step>, done: &mut Cleaned) {
    let does = |step| without != Some(step);
    let text = seen(text, &does, done);
    let mut out = String::with_capacity(text.len());
    let mut prose = String::new();
    let mut over = false;
    let mut pieces = markdown::pieces(&text, does(Step::Titles)).into_iter();
    while !over {
        let piece = pieces.next();
        match piece {
            Some(Piece::Text(text)) => prose.push_str(&text),
            Some(Piece::Html(html)) if does(Step::Attributes) => {
                // Comments hide tags, so they go first; one without an end goes below.
                let (rest, count, open) = comments(&html, &does);
                done.comments_removed += if open { 0 } else { count };
                prose.push_str(&if open { html } else { html::bare(&rest) });
            }
            Some(Piece::Html(html)) => prose.push_str(&html),
            Some(Piece::Code(_)) | None => {
                let decoded = if does(Step::Entities) { unfenced(&prose) } else { prose.clone() };
                let (rest, count, open) = comments(&decoded, &does);
                done.comments_removed += count;
                out.push_str(&rest);
                prose.clear();
                over = open || piece.is_none();
                if let (Some(Piece::Code(code)), false) = (piece, over) {
                    out.push_str(&code);
                }
            }
        }
    }
    let whole = seen(&out, &does, done);
    done.text = if does(Step::Cut) { shortened(&whole, &mut done.cut) } else { whole };
}

fn comments(text: &str, does: &impl Fn(Step) -> bool) -> (String, u32, bool) {
    if does(Step::Comments) { html::without_comments(text) } else { (text.to_owned(), 0, false) }
}

/// References decoded, except that none becomes a fence: what follows would seem to be code.
fn unfenced(text: &str) -> String {
    let ticks = |text: &str| text.matches(['`', '~']).count();
    let decoded = decoded(text);
    if ticks(&decoded) == ticks(text) { decoded } else { decoded.replace(['`', '~'], "'") }
}

/// `text` without characters nobody sees, composed, with line feeds between its lines.
fn seen(text: &str, does: &impl Fn(Step) -> bool, done: &mut Cleaned) -> String {
    let text = if does(Step::Ansi) { without_ansi(text) } else { text.to_owned() };
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(text.len());
    let (mut last, mut run) = (' ', 0);
    for c in text.chars() {
        if !is_hidden(c) || !does(Step::Hidden) {
            out.push(c);
            (last, run) = (c, 0);
            continue;
        }
        run += 1;
        // One that joins or colours an emoji is no secret.
        let emoji = matches!(c, '\u{fe0e}' | '\u{fe0f}' | '\u{200d}') && last >= '\u{2000}';
        if !emoji || run > 2 {
            done.hidden_characters = done.hidden_characters.saturating_add(1);
        }
    }
    if does(Step::Normal) { out.nfc().collect() } else { out }
}

/// `text` within the limits for lines and for the whole.
fn shortened(text: &str, was_cut: &mut bool) -> String {
    let mut lines = Vec::new();
    for line in text.split('\n') {
        if line.len() > LINE_CHARS_MAX && line.chars().count() > LINE_CHARS_MAX {
            *was_cut = true;
            let room = LINE_CHARS_MAX - LINE_MARK.chars().count();
            let kept: String = line.chars().take(room).collect();
            lines.push(format!("{kept}{LINE_MARK}"));
        } else {
            lines.push(line.to_owned());
        }
    }
    let text = lines.join("\n");
    if text.len() <= TEXT_BYTES_MAX {
        return text;
    }
    *was_cut = true;
    let end = text.floor_char_boundary(TEXT_BYTES_MAX - TEXT_MARK.len());
    format!("{}{TEXT_MARK}", text.get(..end).unwrap_or_default())
}

impl Cleaned {
    /// Cut to `chars_max` characters.
    #[must_use]
    pub fn at_most(mut self, chars_max: usize) -> Self {
        let short = cut(&self.text, chars_max);
        self.cut |= short.len() != self.text.len();
        self.text = short;
        self
    }

    /// What was taken out of both together.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.hidden_characters = self.hidden_characters.saturating_add(other.hidden_characters);
        self.comments_removed = self.comments_removed.saturating_add(other.comments_removed);
        self.cut |= other.cut;
        self
    }

    /// What was taken out, as the rest of a sentence; `None` when it was nothing.
    pub fn taken_out(&self) -> Option<String> {
        let count = |n: u32, one: &str| {
            let many = if n == 1 { "" } else { "s" };
            (n > 0).then(|| format!("{n} {one}{many}"))
        };
        let parts = [
            count(self.hidden_characters, "hidden character"),
            count(self.comments_removed, "comment"),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| format!("{} removed", parts.join(", ")))
    }
}

#[cfg(test)]
mod tests;
