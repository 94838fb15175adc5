//! Words of others made harmless for the place where they are shown.

use std::str::Lines;

use super::escape::{How, Rule, speaks_to_a_program, unmarked};
use super::{Markdown, Plain};
use crate::model::UserId;
use crate::model::character::{is_hidden, visible, without_ansi};
use crate::model::text::{TITLE_CHARS_MAX, cut, first_line};

/// Longest sentence of others inside our own, in characters.
const SAID_CHARS_MAX: usize = 600;
/// Longest login taken over, in characters; GitHub allows 39, enterprises a suffix more.
const LOGIN_CHARS_MAX: usize = 60;
/// Fewest backticks of a fence.
const FENCE_TICKS_MIN: usize = 3;
/// What a fence of ours says it holds.
const FENCE_WORD: &str = "text";
/// Longest address that is linked, in characters.
const LINK_CHARS_MAX: usize = 500;

/// `text` as one line of Markdown that mentions nobody, closes nothing, links nowhere and is no
/// command to any bot.
pub fn said(text: &str) -> Markdown {
    said_as(text, How::default())
}

pub(super) fn said_as(text: &str, how: How<'_>) -> Markdown {
    let line: Vec<&str> = text.split_whitespace().collect();
    // What is taken out may leave spaces at the ends.
    let shown = how.line(cut(&line.join(" "), SAID_CHARS_MAX).trim());
    Markdown(shown.trim().to_owned())
}

/// `text` as a quote, line by line harmless as [`said`] makes one, and whether it was cut.
/// Addresses below `home`, the repository's, stay links.
pub fn quoted(text: &str, chars_max: usize, home: &str) -> Markdown {
    let short = cut(text.trim(), chars_max);
    let how = How { home: Some(home), without: None };
    let lines: Vec<String> = short.lines().map(|line| format!("> {}", how.line(line))).collect();
    Markdown(lines.join("\n"))
}

/// Sentences that were put together elsewhere, such as answers that waited in the store: lines
/// stay lines, and each is harmless as [`said`] makes one; what [`fenced`] made stays a block.
pub fn prose(text: &str) -> Markdown {
    let how = How::default();
    let mut out: Vec<String> = Vec::new();
    let mut lines = text.trim().lines();
    while let Some(line) = lines.next() {
        if let Some((inside, after)) = block(line, &lines) {
            out.push(fenced(&inside).0);
            lines = after;
        } else {
            out.push(how.line(line));
        }
    }
    Markdown(out.join("\n"))
}

/// What stands in the fence that `line` opens, and the lines behind it; `None` when it opens
/// none that is closed.
fn block<'a>(line: &str, lines: &Lines<'a>) -> Option<(String, Lines<'a>)> {
    let fence = line.strip_suffix(FENCE_WORD)?;
    if fence.len() < FENCE_TICKS_MIN || !fence.chars().all(|c| c == '`') {
        return None;
    }
    let mut after = lines.clone();
    let inside: Vec<&str> = after.by_ref().take_while(|line| *line != fence).collect();
    let is_closed = lines.clone().nth(inside.len()) == Some(fence);
    is_closed.then(|| (inside.join("\n"), after))
}

/// `text` as code inside of a line.
pub fn code(text: &str) -> Markdown {
    let text = How::default().inside_code(&visible(text));
    let text = text.trim();
    Markdown(if text.is_empty() { String::new() } else { format!("`{text}`") })
}

/// `label` leading to an address that the operator gave; shown without leading there when it is
/// too long or no address.
pub fn link(label: &Markdown, address: &str) -> Markdown {
    let simple = |c: char| c.is_ascii_alphanumeric() || "-._~/#?=&%+:[]@".contains(c);
    let known = ["https://", "http://"].iter().any(|scheme| address.starts_with(scheme));
    if known && address.len() <= LINK_CHARS_MAX && address.chars().all(simple) {
        Markdown(format!("[{label}]({address})"))
    } else {
        label.clone()
    }
}

/// `text` inside a fence that nothing in it can close. Nothing in it is read as Markdown; what
/// programs look for in any text is broken.
pub fn fenced(text: &str) -> Markdown {
    let text = inert_lines(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(FENCE_TICKS_MIN.max(longest + 1));
    Markdown(format!("{fence}{FENCE_WORD}\n{text}\n{fence}"))
}

/// What a program printed, for places that show lines as they are.
pub fn printed(text: &str) -> Plain {
    Plain(inert_lines(text))
}

fn inert_lines(text: &str) -> String {
    let how = How::default();
    let text = without_ansi(text).replace("\r\n", "\n").replace('\r', "\n");
    let lines = text.trim_end().lines().map(|line| {
        let line: String = line.chars().filter(|c| !is_hidden(*c)).collect();
        let line = unmarked(&how.templates(&line));
        if speaks_to_a_program(&line) { broken(&line) } else { line }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// `line` with its first word divided.
fn broken(line: &str) -> String {
    let start = line.len() - line.trim_start().len();
    let first = line.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    let (before, after) = line.split_at(start + first);
    format!("\u{200b}{before}\u{200b}{after}")
}

/// `text` as the title of a commit or pull request: one line that no forge, CI or bot reads as
/// an instruction. `otherwise` when nothing is left.
pub fn title(text: &str, otherwise: &Plain) -> Plain {
    let title = plain(first_line(text));
    let title = if title.is_empty() { otherwise.clone() } else { title };
    title.at_most(TITLE_CHARS_MAX)
}

/// `text` as one line without Markdown, such as of a commit message: no `[skip ci]` and its kin,
/// no mention, no reference to an issue, no link, no command.
pub fn plain(text: &str) -> Plain {
    let mut out = visible(text);
    for (from, to) in [("://", " "), ("skip-checks", "skip checks"), ("<!--", ""), ("-->", "")] {
        out = replace_ignoring_case(&out, from, to);
    }
    let mut kept = String::with_capacity(out.len());
    let mut last = ' ';
    for c in out.chars() {
        match c {
            '[' => kept.push('('),
            ']' => kept.push(')'),
            '`' => kept.push('\''),
            '@' | '＠' | '﹫' | '#' | '＃' | '﹟' | '*' => {}
            // Template engines and shells would go on here.
            '{' | '%' | '(' if matches!(last, '{' | '$' | '<') => kept.extend([' ', c]),
            '}' if matches!(last, '}' | '%') => kept.extend([' ', c]),
            c => kept.push(c),
        }
        last = kept.chars().next_back().unwrap_or(' ');
    }
    let kept = replace_ignoring_case(&kept, "gh-", "gh ");
    let kept: Vec<&str> = kept.split_whitespace().collect();
    Plain(kept.join(" ").trim_start_matches(['/', '-', ' ']).to_owned())
}

/// An account as the value of a `Co-authored-by:` trailer; `None` for what cannot be one.
pub fn co_author(login: &str, id: UserId, host: &str) -> Option<Plain> {
    // A login is made of these only; whatever else stands there is not one.
    let known = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let plain = !login.is_empty() && login.len() <= LOGIN_CHARS_MAX && login.chars().all(known);
    (plain && host.chars().all(name))
        .then(|| Plain(format!("{login} <{}+{login}@users.noreply.{host}>", id.0)))
}

/// Replaces until nothing is left to replace: taking one out may put another together.
fn replace_ignoring_case(text: &str, from: &str, to: &str) -> String {
    let mut out = text.to_owned();
    while let Some(at) = out.to_ascii_lowercase().find(from) {
        out.replace_range(at..at + from.len(), to);
    }
    out
}

impl How<'_> {
    fn templates(self, line: &str) -> String {
        if self.does(Rule::Templates) { self.replaced(line) } else { line.to_owned() }
    }
}
