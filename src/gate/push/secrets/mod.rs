//! Secrets: nothing leaves that has the form of a token, a key or a password of a known kind.

mod kinds;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use self::kinds::{KINDS, Kind};
use super::{Case, Say, shown};

/// Different bytes a body has at least: `xxxxxxxx` in an example is nobody's secret.
const DIFFERENT_MIN: usize = 6;

pub(super) fn judge(case: &Case<'_>, say: &mut Say<'_>) {
    for file in case.change.files {
        if file.stays()
            && let Some(kind) = find(&file.path)
        {
            // The name itself is the secret, so it is not repeated.
            say.refuse("", None, format!("the name of a file looks like {kind}"));
            continue;
        }
        for line in &file.added_lines {
            if let Some(kind) = find(&line.text) {
                let why = format!("{} holds what looks like {kind}", shown(&file.path));
                say.refuse(&file.path, Some(line.number), why);
            }
        }
        if let Some(kind) = file.link.as_deref().and_then(find) {
            let why = format!("{} points to what looks like {kind}", shown(&file.path));
            say.refuse(&file.path, None, why);
        }
    }
    for (name, text) in case.change.texts {
        if let Some(kind) = text.lines().find_map(find) {
            say.refuse("", None, format!("{name} holds what looks like {kind}"));
        }
    }
}

/// What every kind begins with, and whose beginning it is.
struct Beginnings {
    search: AhoCorasick,
    owners: Vec<&'static Kind>,
}

static BEGINNINGS: LazyLock<Option<Beginnings>> = LazyLock::new(|| {
    let all = KINDS.iter().flat_map(|kind| kind.starts.iter().map(move |start| (start, kind)));
    let (starts, owners): (Vec<&str>, Vec<&Kind>) = all.unzip();
    let search = AhoCorasick::new(starts).ok()?;
    Some(Beginnings { search, owners })
});

/// The kind of the first secret in one line.
fn find(line: &str) -> Option<&'static str> {
    let Some(beginnings) = BEGINNINGS.as_ref() else {
        return Some("a secret, for nothing could be looked for");
    };
    beginnings.search.find_overlapping_iter(line).find_map(|hit| {
        let kind = beginnings.owners.get(hit.pattern().as_usize())?;
        let before = line.get(..hit.start()).unwrap_or_default().as_bytes();
        let after = line.get(hit.end()..).unwrap_or_default();
        kind.holds(before, after).then_some(kind.name)
    })
}

impl Kind {
    /// Whether what stands before and after one of the beginnings makes it this kind.
    fn holds(&self, before: &[u8], after: &str) -> bool {
        let inside = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
        if self.alone && before.last().is_some_and(inside) {
            return false;
        }
        let digits = before.iter().rev().take_while(|b| b.is_ascii_digit()).count();
        if digits < self.digits_before {
            return false;
        }
        let after = if self.assigned {
            after.trim_start_matches([' ', '\t', '"', '\'', '=', ':', '>'])
        } else {
            after
        };
        if let Some(word) = self.then {
            return after.contains(word);
        }
        let body: Vec<u8> = after.bytes().take_while(|b| (self.body)(*b)).collect();
        let mut different = body.clone();
        different.sort_unstable();
        different.dedup();
        body.len() >= self.bytes_min && different.len() >= DIFFERENT_MIN.min(self.bytes_min)
    }
}
