//! Places in the output of compilers, linters and tests, in the forms most of them share.

use std::collections::BTreeSet;

use super::{Level, MESSAGE_CHARS_MAX, NOTES_MAX, Note};
use crate::model::text;

/// Lines of output that are looked at.
const LINES_MAX: usize = 20_000;
/// Longest line that can name a place, and longest path, in bytes.
const LINE_BYTES_MAX: usize = 4_000;
const PATH_BYTES_MAX: usize = 300;
/// Highest line number believed.
const LINE_MAX: u32 = 10_000_000;
/// Longest title, in characters, as GitHub takes it.
const TITLE_CHARS_MAX: usize = 255;
/// Where runners and sandboxes put the repository; `*` stands for one name.
const ROOTS: [&[&str]; 6] = [
    &["home", "runner", "work", "*", "*"],
    &["Users", "runner", "work", "*", "*"],
    &["__w", "*", "*"],
    &["github", "workspace"],
    &["workspace"],
    &["work"],
];

/// What `output` complains about, at most [`NOTES_MAX`] places, each once. `title` says whose
/// output it is. Colours and time stamps must be gone already.
pub fn parse(title: &str, output: &str) -> Vec<Note> {
    let mut reader = Reader { title: text::cut(title, TITLE_CHARS_MAX), ..Reader::default() };
    for line in output.lines().take(LINES_MAX) {
        if line.len() <= LINE_BYTES_MAX {
            reader.line(line.trim_end());
        }
        if reader.notes.len() >= NOTES_MAX {
            break;
        }
    }
    reader.notes
}

/// What earlier lines said about the next one.
#[derive(Default)]
struct Reader {
    title: String,
    notes: Vec<Note>,
    known: BTreeSet<(String, u32, String)>,
    /// `error[E0308]: mismatched types`, whose place follows.
    headline: Option<(Level, String)>,
    /// `thread … panicked at src/a.rs:1:2:`, whose message follows.
    panicked: Option<(String, u32)>,
    /// The last frame of a Python traceback inside the repository.
    frame: Option<(String, u32)>,
    /// The file a list of eslint's is about.
    file: Option<String>,
    /// What pytest put behind its `E`.
    expected: Option<String>,
}

impl Reader {
    fn line(&mut self, line: &str) {
        let trimmed = line.trim_start();
        if let Some((path, at)) = self.panicked.take() {
            return self.add(path, at, (Level::Failure, trimmed));
        }
        if trimmed.is_empty() {
            self.file = None;
            return;
        }
        let indented = line.len() > trimmed.len();
        if let Some(place) = trimmed.strip_prefix("--> ") {
            if let (Some((level, said)), Some(spot)) = (self.headline.take(), colons(place)) {
                self.add(spot.path, spot.line, (level, &said));
            }
        } else if let Some((_, place)) = trimmed.split_once("panicked at ") {
            self.panicked = colons(place).map(|spot| (spot.path, spot.line));
        } else if let Some(frame) = trimmed.strip_prefix("File \"") {
            self.frame = python(frame).or_else(|| self.frame.take());
        } else if let Some(said) = trimmed.strip_prefix("E  ") {
            self.expected.get_or_insert_with(|| said.trim().to_owned());
        } else if let Some(found) = self.file.clone().and_then(|file| listed(file, trimmed)) {
            self.add(found.0, found.1, (found.2, found.3));
        } else if let Some(spot) = parens(trimmed).or_else(|| colons(trimmed)) {
            self.spot(&spot);
        } else {
            self.words(trimmed, indented);
        }
    }

    /// A line that begins with its place.
    fn spot(&mut self, spot: &Spot<'_>) {
        let expected = self.expected.take();
        let Some((level, said)) = judged(spot.rest) else { return };
        let said = match (said.is_empty(), expected) {
            (_, None) => said.to_owned(),
            (true, Some(expected)) => expected,
            (false, Some(expected)) => format!("{said}: {expected}"),
        };
        self.add(spot.path.clone(), spot.line, (level, &said));
    }

    /// A line without a place.
    fn words(&mut self, line: &str, indented: bool) {
        if indented {
            return;
        }
        self.file = inside(line).filter(|path| is_file(path));
        let first = line.split([':', '[']).next().unwrap_or_default();
        self.headline = match first {
            "error" => Some((Level::Failure, line.to_owned())),
            "warning" => Some((Level::Warning, line.to_owned())),
            _ => None,
        };
        let name = line.split([':', ' ']).next().unwrap_or_default();
        let raised = name.ends_with("Error") || name.ends_with("Exception");
        if raised && let Some((path, at)) = self.frame.take() {
            self.add(path, at, (Level::Failure, line));
        }
    }

    fn add(&mut self, path: String, line: u32, (level, said): (Level, &str)) {
        let said: String = said.chars().filter(|c| !c.is_control()).collect();
        let message = text::cut(said.trim(), MESSAGE_CHARS_MAX);
        if message.is_empty() || !self.known.insert((path.clone(), line, message.clone())) {
            return;
        }
        self.notes.push(Note { path, line, level, title: self.title.clone(), message });
    }
}

/// A place, and what is said behind it.
struct Spot<'a> {
    path: String,
    line: u32,
    rest: &'a str,
}

/// `path:line`, `path:line:column`, each perhaps followed by a colon and words.
fn colons(text: &str) -> Option<Spot<'_>> {
    let (path, rest) = text.split_once(':')?;
    let path = inside(path).filter(|path| is_file(path))?;
    let (line, rest) = number(rest)?;
    let rest = match rest.strip_prefix(':').map(|rest| (rest, number(rest))) {
        Some((_, Some((_column, rest)))) => rest,
        Some((words, None)) => words,
        None => rest,
    };
    let rest = rest.strip_prefix(':').unwrap_or(rest).trim();
    Some(Spot { path, line, rest })
}

/// `path(line)` or `path(line,column)`, followed by a colon and words.
fn parens(text: &str) -> Option<Spot<'_>> {
    let (path, rest) = text.split_once('(')?;
    let path = inside(path).filter(|path| is_file(path))?;
    let (place, rest) = rest.split_once(')')?;
    let (line, column) = number(place)?;
    let columns = column.chars().all(|c| c.is_ascii_digit() || c == ',' || c == '-');
    let rest = rest.strip_prefix(':')?.trim();
    columns.then_some(Spot { path, line, rest })
}

/// `12:5  error  'x' is not defined  no-undef`, as eslint lists it below the file's name.
fn listed(file: String, line: &str) -> Option<(String, u32, Level, &str)> {
    let (at, rest) = number(line)?;
    let (_column, rest) = number(rest.strip_prefix(':')?)?;
    let (level, said) = rest.trim_start().split_once(' ')?;
    let level = match level {
        "error" => Level::Failure,
        "warning" => Level::Warning,
        _ => return None,
    };
    Some((file, at, level, said.trim()))
}

/// `x.py", line 12, in test`, behind `File "`.
fn python(frame: &str) -> Option<(String, u32)> {
    let (path, rest) = frame.split_once("\", line ")?;
    let path = inside(path).filter(|path| is_file(path))?;
    Some((path, number(rest)?.0))
}

/// How bad what follows a place is, and its words; `None` when it is not a complaint, or one
/// that GitHub shows at this place already.
fn judged(rest: &str) -> Option<(Level, &str)> {
    let word = rest.split([':', ' ', '[']).next().unwrap_or_default();
    let behind = |word: &str| rest.get(word.len()..).unwrap_or_default();
    match word {
        "note" | "info" | "help" | "in" | "failure" | "notice" => None,
        "warning" => Some((Level::Warning, behind(word).trim_start_matches(':').trim())),
        "error" => Some((Level::Failure, behind(word).trim_start_matches(':').trim())),
        _ => Some((Level::Failure, rest)),
    }
}

/// The number at the beginning, from 1, and what follows it.
fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    let number = digits.parse().ok().filter(|n| (1..=LINE_MAX).contains(n))?;
    Some((number, rest))
}

/// A path inside the repository, in the form git uses; `None` for anything that leaves it.
pub(super) fn inside(path: &str) -> Option<String> {
    let path = path.trim_matches('"').replace('\\', "/");
    let outside = path.is_empty()
        || path.len() > PATH_BYTES_MAX
        || path.contains("://")
        || path.chars().any(|c| c.is_control() || c == '<' || c == '>');
    if outside {
        return None;
    }
    let absolute = path.starts_with('/');
    let parts: Vec<&str> =
        path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let parts = if absolute { below_root(&parts)? } else { parts.as_slice() };
    let leaves = parts.is_empty() || parts.iter().any(|part| *part == ".." || *part == ".git");
    (!leaves).then(|| parts.join("/"))
}

fn below_root<'a, 'b>(parts: &'a [&'b str]) -> Option<&'a [&'b str]> {
    ROOTS.iter().find_map(|root| {
        let (head, rest) = parts.split_at_checked(root.len())?;
        let same = head.iter().zip(root.iter()).all(|(part, name)| *name == "*" || part == name);
        same.then_some(rest)
    })
}

/// Whether this looks like a file and not like a clock, a host or a sentence.
fn is_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let known = ["Makefile", "Dockerfile", "Jenkinsfile"].contains(&name);
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let plausible = (1..=12).contains(&ending.len())
        && ending.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && ending.chars().any(|c| c.is_ascii_alphabetic());
    (known || plausible) && !path.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests;
