//! Paths: names that every file system, every git and every tool reads alike.

use unicode_normalization::is_nfc;

use super::letters::{folded, hides};
use super::{Case, Say, shown};

/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 255;
/// Longest path, in bytes.
const PATH_BYTES_MAX: usize = 4_096;
/// Short names that Windows gives to files of git, before the tilde.
const SHORT_NAMES: &[&str] = &["git", "gitmod", "gitatt", "gitign"];

pub(super) fn judge(case: &Case<'_>, say: &mut Say<'_>) {
    for file in case.change.files.iter().filter(|file| file.stays()) {
        let fault = if file.named { fault(&file.path) } else { Some("is not UTF-8") };
        if let Some(fault) = fault {
            say.refuse(&file.path, None, format!("the path {} {fault}", shown(&file.path)));
        }
    }
}

/// Every place on the way to `path`, from the root, and `path` itself.
pub(super) fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    ends.filter_map(|end| path.get(..end))
}

/// What is wrong with a path, as the rest of a sentence; `None` when nothing is.
pub fn fault(path: &str) -> Option<&'static str> {
    if path.len() > PATH_BYTES_MAX {
        return Some("is longer than 4096 bytes");
    }
    if path.chars().any(char::is_control) {
        return Some("holds a control character");
    }
    if path.chars().any(hides) {
        return Some("holds a character nobody sees");
    }
    if path.contains('\\') {
        return Some("holds a backslash");
    }
    if !is_nfc(path) {
        return Some("is not in Unicode's composed form");
    }
    path.split('/').find_map(name_fault)
}

fn name_fault(name: &str) -> Option<&'static str> {
    if name.is_empty() || name == "." || name == ".." {
        return Some("is not in its shortest form");
    }
    if name.len() > NAME_BYTES_MAX {
        return Some("holds a name longer than 255 bytes");
    }
    let plain = folded(name);
    let stem = plain.split(':').next().unwrap_or_default().trim_end_matches(['.', ' ']);
    if stem.is_empty() || stem == ".git" || is_short_name(stem) {
        return Some("is one of git's own");
    }
    if name.contains("::$") {
        return Some("names a stream of another file");
    }
    name.ends_with(['.', ' ']).then_some("holds a name that ends in a dot or a space")
}

/// `git~1` and what Windows falls back to when such names are taken.
fn is_short_name(stem: &str) -> bool {
    let Some((before, number)) = stem.split_once('~') else { return false };
    let hashed = before
        .strip_prefix("gi")
        .is_some_and(|rest| rest.len() == 4 && rest.bytes().all(|b| b.is_ascii_hexdigit()));
    let numbered = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    numbered && (hashed || SHORT_NAMES.contains(&before))
}
