//! The guard: what an agent may not change, judged from the change itself before it is pushed.

use crate::policy::Policy;

/// A file an agent changed, as the guard looks at it.
#[derive(Debug, Clone, Copy)]
pub struct Touched<'a> {
    pub path: &'a str,
    pub deleted: bool,
    /// A symbolic link, a submodule or another special entry.
    pub special: bool,
    pub added: u32,
    pub removed: u32,
    pub added_lines: &'a [String],
    pub removed_lines: &'a [String],
}

/// Paths no agent changes, whatever the policy says: they decide what runs and who decides.
const PROTECTED: &[&str] =
    &[".github/", ".gitlab-ci.yml", ".circleci/", ".playground/", "codeowners", "docs/codeowners"];

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

/// Refuses a change for a reason that the agent, told, can act on.
///
/// `repairing` is stricter: who repairs may not weaken what found the fault (I11).
pub fn refuse(policy: &Policy, changed: &[Touched<'_>], repairing: bool) -> Option<String> {
    let limits = &policy.limits;
    if changed.len() as u64 > u64::from(limits.files_max) {
        return Some(format!(
            "it touches {} files; {} are allowed",
            changed.len(),
            limits.files_max
        ));
    }
    let lines: u64 = changed.iter().map(|f| u64::from(f.added) + u64::from(f.removed)).sum();
    if lines > u64::from(limits.lines_max) {
        return Some(format!("it changes {lines} lines; {} are allowed", limits.lines_max));
    }
    changed.iter().find_map(|file| refuse_file(policy, file, repairing))
}

fn refuse_file(policy: &Policy, file: &Touched<'_>, repairing: bool) -> Option<String> {
    let path = file.path;
    if file.special {
        return Some(format!("`{path}` is a link or a submodule"));
    }
    let git_own = |part: &str| part.to_lowercase().trim_end_matches(['.', ' ']) == ".git";
    if path.split('/').any(|part| git_own(part) || part == "..") {
        return Some(format!("`{path}` is one of git's own paths"));
    }
    if is_protected(policy, path) {
        return Some(format!("`{path}` is protected; it decides what runs and who decides"));
    }
    if !is_test(path) {
        return repairing.then(|| weakened(file)).flatten();
    }
    if file.deleted && repairing {
        return Some(format!("it deletes the test `{path}`"));
    }
    if repairing { weakened(file).or_else(|| fewer_assertions(file)) } else { weakened(file) }
}

fn is_protected(policy: &Policy, path: &str) -> bool {
    let path = path.to_lowercase();
    let within = |rule: &str| {
        let rule = rule.to_lowercase();
        if rule.ends_with('/') { path.starts_with(&rule) } else { path == rule }
    };
    PROTECTED.iter().any(|rule| within(rule)) || policy.protected.iter().any(|rule| within(rule))
}

/// A test by its path: a part, or a word of the file's name, says so.
fn is_test(path: &str) -> bool {
    let path = path.to_lowercase();
    let mut words = path.split(['/', '.', '_', '-']);
    words.any(|word| TEST_WORDS.contains(&word))
}

/// New lines that switch something off and that were not there before.
fn weakened(file: &Touched<'_>) -> Option<String> {
    let count = |lines: &[String], word: &str| lines.iter().filter(|l| l.contains(word)).count();
    let word = SKIPS
        .iter()
        .find(|word| count(file.added_lines, word) > count(file.removed_lines, word))?;
    Some(format!("it adds `{word}` to `{}`, which switches a check off", file.path))
}

fn fewer_assertions(file: &Touched<'_>) -> Option<String> {
    let asserts = |lines: &[String]| {
        lines.iter().filter(|line| ASSERTS.iter().any(|word| line.contains(word))).count()
    };
    let (before, after) = (asserts(file.removed_lines), asserts(file.added_lines));
    (after < before)
        .then(|| format!("it takes {} assertion(s) out of `{}`", before - after, file.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touched<'a>(path: &'a str, added: &'a [String], removed: &'a [String]) -> Touched<'a> {
        Touched {
            path,
            deleted: false,
            special: false,
            added: u32::try_from(added.len()).unwrap(),
            removed: u32::try_from(removed.len()).unwrap(),
            added_lines: added,
            removed_lines: removed,
        }
    }

    fn refused(file: Touched<'_>, repairing: bool) -> bool {
        refuse(&Policy::default(), &[file], repairing).is_some()
    }

    #[test]
    fn nobody_changes_what_decides() {
        for path in [
            ".github/workflows/ci.yml",
            ".GitHub/slipway.yml",
            "CODEOWNERS",
            ".git/hooks/x",
            "a/.GIT./b",
        ] {
            assert!(refused(touched(path, &[], &[]), false), "{path}");
        }
        assert!(!refused(touched("src/gitlab.rs", &[], &[]), false));
    }

    #[test]
    fn who_repairs_may_not_weaken_a_test() {
        let skip = vec!["    #[ignore] // later".to_owned()];
        let assert = vec!["assert_eq!(a, b);".to_owned()];
        assert!(refused(touched("tests/a.rs", &skip, &[]), true));
        assert!(refused(touched("tests/a.rs", &[], &assert), true));
        assert!(!refused(touched("tests/a.rs", &assert, &assert), true));
        let deleted = Touched { deleted: true, ..touched("test/unit.sh", &[], &[]) };
        assert!(refused(deleted, true));
        assert!(!refused(touched("src/a.rs", &assert, &[]), true));
    }

    #[test]
    fn a_change_has_a_size() {
        let mut policy = Policy::default();
        policy.limits.lines_max = 1;
        let lines = vec!["a".to_owned(), "b".to_owned()];
        assert!(refuse(&policy, &[touched("a", &lines, &[])], false).is_some());
    }
}
