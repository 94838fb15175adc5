//! One line of others' words with everything taken off that acts.

use std::fmt::Write as _;

use crate::model::character::visible;
use crate::model::clean::decoded;

/// One thing that is taken off. Tests leave out exactly one; the program never does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// `@somebody`.
    Mentions,
    /// `#1`, `GH-1`, and with them words that close what is named.
    References,
    /// `/command` at the beginning of a word, and names bots answer to.
    Commands,
    Html,
    /// Addresses, and what shows something else than where it leads; images with them.
    Links,
    Hidden,
    /// What template engines look for.
    Templates,
    Entities,
}

/// How a line is made harmless.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct How<'a> {
    /// Addresses below this one stay links.
    pub(super) home: Option<&'a str>,
    pub(super) without: Option<Rule>,
}

/// Stands behind what must not be read together with what follows.
const BREAK: char = '\u{200b}';
/// Bots that answer to their name alone, at the beginning of a line.
const BOTS: [&str; 13] = [
    "bors",
    "homu",
    "dependabot",
    "renovate",
    "mergify",
    "copilot",
    "claude",
    "codex",
    "cursor",
    "gemini",
    "coderabbitai",
    "rustbot",
    "prow",
];
/// Schemes without slashes that a browser would follow.
const SCHEMES: [&str; 7] =
    ["javascript:", "vbscript:", "data:", "file:", "mailto:", "xmpp:", "blob:"];

impl How<'_> {
    pub(super) fn does(self, rule: Rule) -> bool {
        self.without != Some(rule)
    }

    /// A line as Markdown.
    pub(super) fn line(self, text: &str) -> String {
        let text = self.seen(text);
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(at) = rest.find('`') {
            let (before, from) = rest.split_at(at);
            self.words(before, &mut out);
            let ticks = from.len() - from.trim_start_matches('`').len();
            let (run, inner) = from.split_at(ticks);
            if let Some(end) = closing(inner, ticks) {
                let (code, after) = inner.split_at(end);
                _ = write!(out, "{run}{}{run}", self.inside_code(code));
                rest = after.get(ticks..).unwrap_or_default();
            } else {
                out.push_str(&"\\`".repeat(ticks));
                rest = inner;
            }
        }
        self.words(rest, &mut out);
        out
    }

    /// `text` without what nobody sees, references decoded.
    pub(super) fn seen(self, text: &str) -> String {
        let shown = |text: &str| {
            if self.does(Rule::Hidden) {
                visible(text)
            } else {
                text.replace(char::is_control, " ")
            }
        };
        let text = shown(text);
        if self.does(Rule::Entities) { shown(&decoded(&text)) } else { text }
    }

    /// What stands between code: links shown as what they are, then word by word.
    fn words(self, text: &str, out: &mut String) {
        let plain = if self.does(Rule::Links) { unlinked(text) } else { text.to_owned() };
        for piece in plain.split_inclusive(' ') {
            let word = piece.trim_end_matches(' ');
            let begins = out.trim_end().is_empty();
            match self.address(word) {
                Some((before, address, after)) => {
                    self.word(before, false, out);
                    out.push_str(&self.linked(address));
                    self.word(after, false, out);
                }
                None => self.word(word, begins, out),
            }
            out.push_str(piece.get(word.len()..).unwrap_or_default());
        }
    }

    /// `word` in three parts, the middle one an address.
    fn address(self, word: &str) -> Option<(&str, &str, &str)> {
        if !self.does(Rule::Links) {
            return None;
        }
        let from = word.find(|c: char| c.is_alphanumeric())?;
        let (before, rest) = word.split_at(from);
        let read = decoded_address(rest);
        let leads = read.contains("://")
            || read.starts_with("www.")
            || SCHEMES.iter().any(|scheme| read.contains(scheme));
        let end = rest.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '/').len();
        let (address, after) = rest.split_at(end);
        leads.then_some((before, address, after))
    }

    /// An address as a link, when it is at home and names nothing that could be closed.
    fn linked(self, address: &str) -> String {
        let below = self.home.and_then(|home| address.strip_prefix(home));
        let path = below.and_then(|below| below.strip_prefix('/'));
        let simple = |c: char| c.is_ascii_alphanumeric() || "-._~/#?=&%+".contains(c);
        let harmless = path.is_some_and(|path| {
            let named = ["issues", "pull", "pulls", "discussions"];
            let first = path.split(['/', '?', '#']).next().unwrap_or_default();
            let decoded = decoded_address(path);
            decoded == path.to_lowercase()
                && path.chars().all(simple)
                && !path.split('/').any(|part| part == "..")
                && !named.iter().any(|word| first.eq_ignore_ascii_case(word))
        });
        if harmless { format!("<{address}>") } else { format!("`{}`", self.inside_code(address)) }
    }

    /// Code: only what programs look for in any text is broken.
    pub(super) fn inside_code(self, code: &str) -> String {
        let named = self.replaced(&code.replace('`', "'").replace('|', "\\|"));
        let commands = self.does(Rule::Commands) || self.does(Rule::Mentions);
        let named = if commands { named.replace('@', "@\u{200b}") } else { named };
        let named = if self.does(Rule::References) { unnumbered(&named) } else { named };
        if self.does(Rule::Html) { untagged(&named) } else { named }
    }

    pub(super) fn replaced(self, text: &str) -> String {
        if !self.does(Rule::Templates) {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        let mut last = ' ';
        for c in text.chars() {
            let opens = matches!((last, c), ('{' | '$' | '<', '{' | '%') | ('{', '#'));
            let closes = matches!((last, c), ('}' | '%', '}') | ('%', '>'));
            if opens || closes {
                out.push(BREAK);
            }
            out.push(c);
            last = c;
        }
        out
    }

    /// A word that is no address.
    fn word(self, word: &str, begins: bool, out: &mut String) {
        let commands = self.does(Rule::Commands);
        let command = commands && is_command(word);
        let bot = commands && begins && is_bot(word);
        let mut last = ' ';
        if command {
            out.push(BREAK);
        }
        for (at, c) in self.replaced(word).chars().enumerate() {
            self.character(c, last, out);
            if at == 0 && (command || bot) {
                out.push(BREAK);
            }
            last = c;
        }
    }

    fn character(self, c: char, last: char, out: &mut String) {
        let broken = |rule, out: &mut String| {
            out.push(c);
            if self.does(rule) {
                out.push(BREAK);
            }
        };
        match c {
            '<' if self.does(Rule::Html) => out.push_str("&lt;"),
            '>' if self.does(Rule::Html) => out.push_str("&gt;"),
            // Without this, what was decoded is put together again.
            '&' if self.does(Rule::Entities) => out.push_str("&amp;"),
            '[' | ']' if self.does(Rule::Links) => out.extend(['\\', c]),
            '\\' | '|' => out.extend(['\\', c]),
            '@' | '＠' | '﹫' => broken(Rule::Mentions, out),
            '#' | '＃' | '﹟' => broken(Rule::References, out),
            '-' if last.eq_ignore_ascii_case(&'h') => broken(Rule::References, out),
            c => out.push(c),
        }
    }
}

/// `code` without what looks like a reference to an issue.
fn unnumbered(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    for part in code.split_inclusive('#') {
        if out.ends_with('#') && part.starts_with(|c: char| c.is_ascii_digit()) {
            out.push(BREAK);
        }
        out.push_str(part);
    }
    out
}

/// `code` without what begins a tag: backticks mean nothing where HTML stands around them.
fn untagged(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    for part in code.split_inclusive('<') {
        let begins = |c: char| c.is_ascii_alphabetic() || "/!?".contains(c);
        if out.ends_with('<') && part.starts_with(begins) {
            out.push(BREAK);
        }
        out.push_str(part);
    }
    out
}

/// `code` without what looks like a marker of ours: we look for them in our own comments.
pub(super) fn unmarked(code: &str) -> String {
    code.replace("<!--", "<\u{200b}!--")
}

/// Whether `word` may be a slash command: no path goes on behind its name.
fn is_command(word: &str) -> bool {
    let Some(rest) = word.strip_prefix('/') else { return false };
    let name = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "-_".contains(c));
    rest.starts_with(|c: char| c.is_ascii_alphabetic()) && !name.starts_with('/')
}

/// Whether a program may answer to `word` when it stands first.
fn is_bot(word: &str) -> bool {
    let name = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    BOTS.iter().any(|bot| name.eq_ignore_ascii_case(bot))
}

/// The programs a line of code or of a log may speak to.
pub(super) fn speaks_to_a_program(line: &str) -> bool {
    let line = line.trim_start();
    let first = line.split_whitespace().next().unwrap_or_default();
    is_command(first) || is_bot(first) || first.strip_prefix('@').is_some_and(is_bot)
}

/// Where a run of exactly `ticks` begins.
fn closing(text: &str, ticks: usize) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find('`') {
        let begin = from + at;
        let rest = text.get(begin..)?;
        let run = rest.len() - rest.trim_start_matches('`').len();
        if run == ticks {
            return Some(begin);
        }
        from = begin + run;
    }
    None
}

/// `text` as a browser would read it as an address: percent signs decoded until none is left,
/// without white space, in lower case.
fn decoded_address(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..4 {
        let mut out = Vec::with_capacity(bytes.len());
        let mut rest = bytes.as_slice();
        while let Some((first, after)) = rest.split_first() {
            let hex = (*first == b'%').then(|| after.get(..2)).flatten();
            let byte = hex.and_then(|hex| hex::decode(hex).ok()).and_then(|b| b.first().copied());
            out.push(byte.unwrap_or(*first));
            rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
        }
        if out == bytes {
            break;
        }
        bytes = out;
    }
    let text = String::from_utf8_lossy(&bytes);
    text.chars()
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .collect::<String>()
        .to_lowercase()
}

/// `[text](address "title")` as `text (address)`, an image as its description.
fn unlinked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("](") {
        let (label, target) = rest.split_at(at);
        let target = target.get(2..).unwrap_or_default();
        out.push_str(label);
        let (open, close) = (out.rfind('['), target.find(')'));
        let (Some(open), Some(close)) = (open, close) else {
            out.push_str("](");
            rest = target;
            continue;
        };
        let inside = target.get(..close).unwrap_or_default().trim();
        let address = inside.split(char::is_whitespace).next().unwrap_or_default();
        let address = address.trim_matches(['<', '>']);
        let label = out.split_off(open).trim_start_matches('[').to_owned();
        let image = out.ends_with('!');
        if image {
            out.pop();
        }
        let shown = label != address && !image && !address.is_empty();
        out.push_str(&label);
        if shown {
            _ = write!(out, " ({address})");
        }
        rest = target.get(close + 1..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}
