//! Which command somebody probably meant: the nearest word by edits and swaps of neighbours.

use super::{ALL, Spec};

/// Words of at most this many letters are near only within one edit: two edits would make
/// `/cc` a `/go`.
const SHORT_CHARS_MAX: usize = 4;

/// The command nearest to `word`, unless all are far.
pub(super) fn nearest(word: &str) -> Option<&'static Spec> {
    let near = |spec: &'static Spec| {
        let allowed = if spec.word.len() <= SHORT_CHARS_MAX { 1 } else { 2 };
        let distance = distance(word, spec.word);
        (distance <= allowed).then_some((distance, spec))
    };
    ALL.iter().filter_map(|spec| near(spec)).min_by_key(|(distance, _)| *distance).map(|(_, s)| s)
}

/// How many insertions, deletions, replacements and swaps of neighbours turn `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let cell = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX);
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (row, letter) in a.chars().enumerate() {
        let mut current = vec![row + 1];
        let mut left = row + 1;
        for (column, &other) in b.iter().enumerate() {
            let replaced = cell(&above, column) + usize::from(letter != other);
            let mut best = replaced.min(cell(&above, column + 1) + 1).min(left + 1);
            let neighbour = column.checked_sub(1);
            let swapped = previous == Some(other)
                && neighbour.and_then(|i| b.get(i)).is_some_and(|&c| c == letter);
            if let (true, Some(neighbour)) = (swapped, neighbour) {
                best = best.min(cell(&before, neighbour) + 1);
            }
            current.push(best);
            left = best;
        }
        before = std::mem::replace(&mut above, current);
        previous = Some(letter);
    }
    above.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_and_swaps_are_counted() {
        for (a, b, want) in [
            ("go", "go", 0),
            ("og", "go", 1),
            ("g0", "go", 1),
            ("cc", "go", 2),
            ("", "go", 2),
            ("stat", "status", 2),
            ("aprove", "approve", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a, b), want, "{a} {b}");
            assert_eq!(distance(b, a), want, "{b} {a}");
        }
    }

    #[test]
    fn near_words_are_recognised_and_far_ones_are_left_alone() {
        let word = |typed| nearest(typed).map(|spec| spec.word);
        assert_eq!(word("og"), Some("go"));
        assert_eq!(word("stat"), Some("status"));
        assert_eq!(word("merg"), Some("merge"));
        assert_eq!(word("unhodl"), Some("unhold"));
        for far in ["cc", "lgtm", "home", "test", "retest", "assign", "rebase", "close"] {
            assert_eq!(word(far), None, "{far}");
        }
    }
}
