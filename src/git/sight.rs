//! What can be seen of a commit without a workspace: the names of its files, and some texts.

use std::collections::{BTreeMap, BTreeSet};

/// Most names that are listed.
pub const SIGHT_PATHS_MAX: usize = 3_000;
/// Most files whose text is read.
pub const SIGHT_FILES_MAX: usize = 40;
/// Bytes of one text, and of all together; a longer one is cut, and the rest left out.
pub const SIGHT_FILE_BYTES_MAX: usize = 40_000;
pub const SIGHT_BYTES_MAX: usize = 200_000;

/// A commit as somebody sees it who has no tools.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sight {
    /// Every file, in git's order.
    pub paths: Vec<String>,
    /// There are more than [`SIGHT_PATHS_MAX`].
    pub truncated: bool,
    /// Those that were wanted and are plain files of UTF-8.
    pub texts: BTreeMap<String, String>,
}

impl Sight {
    /// Keeps what fits of the names.
    pub(super) fn of(mut paths: Vec<String>, truncated: bool) -> Self {
        let truncated = truncated || paths.len() > SIGHT_PATHS_MAX;
        paths.truncate(SIGHT_PATHS_MAX);
        Self { paths, truncated, texts: BTreeMap::new() }
    }

    /// Keeps what fits of a text, if it is one.
    pub(super) fn keep(&mut self, path: &str, bytes: &[u8]) {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let held: usize = self.texts.values().map(String::len).sum();
        let room = SIGHT_FILE_BYTES_MAX.min(SIGHT_BYTES_MAX.saturating_sub(held));
        if room == 0 || text.contains('\0') {
            return;
        }
        let end = (0..=room.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
        let kept = text.get(..end.unwrap_or_default()).unwrap_or_default();
        self.texts.insert(path.to_owned(), kept.to_owned());
    }
}

/// As many of `wanted` as are read.
pub(super) fn some(wanted: &BTreeSet<String>) -> impl Iterator<Item = &String> {
    wanted.iter().take(SIGHT_FILES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_to_see_is_cut() {
        let names = (0..=SIGHT_PATHS_MAX).map(|n| n.to_string()).collect();
        let mut sight = Sight::of(names, false);
        assert_eq!((sight.paths.len(), sight.truncated), (SIGHT_PATHS_MAX, true));
        let long = "é".repeat(SIGHT_FILE_BYTES_MAX);
        for n in 0..10 {
            sight.keep(&n.to_string(), long.as_bytes());
        }
        let held: usize = sight.texts.values().map(String::len).sum();
        assert_eq!((held, sight.texts.len()), (SIGHT_BYTES_MAX, 5));
        let mut sight = Sight::default();
        sight.keep("a", b"\xff");
        sight.keep("b", b"x\0y");
        assert!(sight.texts.is_empty(), "it is no text");
    }
}
