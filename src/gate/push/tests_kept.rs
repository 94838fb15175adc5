//! Tests are kept: who repairs may not weaken what found the fault (merge facts, I11).

use super::{Case, ChangeKind, FileChange, Say, shown};

/// Words in a path that make it a test.
const TEST_WORDS: &[&str] = &["test", "tests", "spec", "specs", "__tests__", "testing"];

/// Ways to switch a test off, in the languages people use most.
const SKIPS: &[&str] = &[
    "#[ignore",
    "@pytest.mark.skip",
    "@unittest.skip",
    "pytest.skip(",
    "@Ignore",
    "@Disabled",
    "t.Skip(",
    "t.skip(",
    "it.skip(",
    "test.skip(",
    "describe.skip(",
    "xit(",
    "xdescribe(",
    "|| true",
    "continue-on-error",
];

/// Words that assert something.
const ASSERTS: &[&str] = &[
    "assert", "expect(", "expect ", "should", "require.", "t.Error", "t.Fatal", "fail ", "exit 1",
];

pub(super) fn judge(case: &Case<'_>, say: &mut Say<'_>) {
    let repairing = case.change.repairing;
    for file in case.change.files {
        let test = is_test(&file.path);
        if !test && !repairing {
            continue;
        }
        if test && repairing && file.kind == ChangeKind::Deleted {
            let why = format!("it deletes the test {}", shown(&file.path));
            say.refuse(&file.path, None, why);
            continue;
        }
        weakened(file, say);
        if test && repairing {
            fewer_assertions(file, say);
        }
    }
}

/// A test by its path: a part, or a word of the file's name, says so.
fn is_test(path: &str) -> bool {
    let path = path.to_lowercase();
    let mut words = path.split(['/', '.', '_', '-']);
    words.any(|word| TEST_WORDS.contains(&word))
}

/// New lines that switch something off and that were not there before.
fn weakened(file: &FileChange, say: &mut Say<'_>) {
    let before = |word: &str| file.removed_lines.iter().filter(|line| line.contains(word)).count();
    let after = |word: &str| file.added_lines.iter().filter(|l| l.text.contains(word)).count();
    let Some(word) = SKIPS.iter().find(|word| after(word) > before(word)) else { return };
    let line = file.added_lines.iter().find(|line| line.text.contains(word));
    let why = format!("it adds `{word}` to {}, which switches a check off", shown(&file.path));
    say.refuse(&file.path, line.map(|line| line.number), why);
}

fn fewer_assertions(file: &FileChange, say: &mut Say<'_>) {
    let asserts = |line: &str| ASSERTS.iter().any(|word| line.contains(word));
    let before = file.removed_lines.iter().filter(|line| asserts(line)).count();
    let after = file.added_lines.iter().filter(|line| asserts(&line.text)).count();
    if after < before {
        let gone = before - after;
        let why = format!("it takes {gone} assertion(s) out of {}", shown(&file.path));
        say.refuse(&file.path, None, why);
    }
}
