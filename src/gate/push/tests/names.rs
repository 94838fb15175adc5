//! What files are called: names that are read differently, and names nobody but people change.

use proptest::prelude::*;

use super::super::never::NEVER;
use super::super::{glob, letters, paths};
use super::*;
use crate::model::character::is_hidden;

/// A path that `pattern` names.
fn example(pattern: &str) -> String {
    let path = pattern.replace("/**", "/deep/file").replace("**/", "some/where/");
    path.replace('*', "x")
}

/// The same name as some file systems take it.
fn odd_case(path: &str) -> String {
    let flip = |(at, c): (usize, char)| match at % 2 {
        0 => c.to_ascii_uppercase(),
        _ => c,
    };
    path.chars().enumerate().map(flip).collect()
}

#[test]
fn attack_29_what_decides_is_never_changed() {
    for pattern in NEVER {
        let path = example(pattern);
        assert!(glob::matches(pattern, &path), "{pattern} names {path}");
        let mut ways = vec![
            ("add", added(&path, &["x"])),
            ("modify", file(&path, ChangeKind::Modified, &["x"])),
            ("delete", file(&path, ChangeKind::Deleted, &[])),
            ("another case", added(&odd_case(&path), &["x"])),
        ];
        let run = FileChange { after: Mode::Runnable, ..file(&path, ChangeKind::Modified, &[]) };
        ways.push(("change the mode", run));
        if let Some(place) = pattern.strip_suffix("/**") {
            ways.push(("put a file in its place", added(&example(place), &["x"])));
        }
        for (how, change) in ways {
            let trial = Trial::of(vec![change]);
            assert_eq!(trial.refused_by(Rule::Never).len(), 1, "{how}: {pattern}");
        }
        let renamed = vec![file("old/name", ChangeKind::Deleted, &[]), added(&path, &["x"])];
        assert_eq!(Trial::of(renamed).refused_by(Rule::Never).len(), 1, "rename to {pattern}");
        let away = vec![file(&path, ChangeKind::Deleted, &[]), added("new/name", &["x"])];
        assert_eq!(Trial::of(away).refused_by(Rule::Never).len(), 1, "rename from {pattern}");
    }
    for spelled in [".g\u{200c}ithub/workflows/ci.yml", "CODEOWNER\u{17f}", "Claude.md"] {
        let found = Trial::of(vec![added(spelled, &["x"])]).judge().refused;
        assert!(found.iter().any(|found| found.rule == Rule::Never), "{spelled}");
    }
}

#[test]
fn the_policy_protects_more() {
    let protected = vec!["ops/".to_owned(), "**/*.Sql".to_owned(), "one.txt".to_owned()];
    let policy = Policy { protected, ..Policy::default() };
    let check = |path: &str, refused: bool| {
        let trial = Trial { policy: policy.clone(), ..Trial::of(vec![added(path, &["x"])]) };
        assert_eq!(trial.refused_by(Rule::Never).len(), usize::from(refused), "{path}");
    };
    check("ops/a", true);
    check("OPS/deep/a", true);
    check("ops", true);
    check("opsx/a", false);
    check("db/1.sql", true);
    check("one.txt", true);
    check("deep/one.txt", false);
}

const BAD_NAMES: &[&str] = &[
    ".git/config",
    ".GIT/config",
    "a/.Git/hooks/x",
    ".git./x",
    ".git /x",
    ".git::$INDEX_ALLOCATION/x",
    ".git:x",
    "git~1/config",
    "GIT~2",
    "gitmod~1",
    "GI7EBA~1",
    ".g\u{200c}it/x",
    ".\u{feff}git/x",
    ".g\u{131}t/x",
    "..",
    "a/../b",
    "a/./b",
    "./a",
    "/a",
    "a//b",
    "a/",
    "",
    "a\\b",
    "a\nb",
    "a\u{7f}b",
    "a\u{202e}b",
    "a\u{200b}b",
    "e\u{301}.txt",
    "trailing.",
    "trailing ",
    "a/... /b",
    "x::$DATA",
];

#[test]
fn attack_27_no_name_is_read_in_two_ways() {
    for path in BAD_NAMES {
        let found = Trial::of(vec![added(path, &["x"])]).refused_by(Rule::Paths);
        assert_eq!(found.len(), 1, "{path:?}");
        assert!(!found[0].why.contains(['\n', '\u{202e}']), "shown plainly: {path:?}");
    }
    let raw = FileChange { named: false, ..added("a\u{fffd}b", &["x"]) };
    assert_eq!(Trial::of(vec![raw]).refused_by(Rule::Paths).len(), 1);
    for (length, bad) in [(255, false), (256, true)] {
        let trial = Trial::of(vec![added(&"n".repeat(length), &["x"])]);
        assert_eq!(trial.refused_by(Rule::Paths).len(), usize::from(bad), "{length}");
    }
    let deep = |bytes: usize| "a/".repeat(bytes / 2 - 1) + &"b".repeat(2 + bytes % 2);
    for (bytes, bad) in [(4_096, false), (4_097, true)] {
        let path = deep(bytes);
        assert_eq!(path.len(), bytes);
        assert_eq!(paths::fault(&path).is_some(), bad, "{bytes}");
    }
    for good in [".gitignore", "git", "gitk~", "x.git", "a b", "é.txt", "日本語/ü", "a:b", "a..b"]
    {
        assert_eq!(paths::fault(good), None, "{good:?}");
    }
}

#[test]
fn attack_27_no_two_names_are_one() {
    let near = |path: &str| Near { path: path.to_owned(), link: false };
    for (there, new) in [
        ("readme.md", "README.md"),
        ("src", "SRC/a.rs"),
        ("src/lib.rs", "Src/other.rs"),
        ("stra\u{df}e", "strasse"),
        ("a/b/c", "a/B"),
        ("\u{e9}.txt", "\u{c9}.txt"),
    ] {
        let trial = Trial { near: vec![near(there)], ..Trial::of(vec![added(new, &["x"])]) };
        assert_eq!(trial.refused_by(Rule::Collisions).len(), 1, "{there} {new}");
    }
    let both = Trial::of(vec![added("Make", &["x"]), added("make", &["x"])]);
    assert_eq!(both.refused_by(Rule::Collisions).len(), 2);
    // A renaming that changes only the case leaves one name.
    let renamed = vec![file("readme", ChangeKind::Deleted, &[]), added("README", &["x"])];
    assert_eq!(Trial::of(renamed).judge(), Judgement::default());
    let old = Trial { near: vec![near("A"), near("a")], ..Trial::of(vec![added("b", &["x"])]) };
    assert_eq!(old.judge(), Judgement::default(), "what was there before is not its doing");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn attack_27_what_is_allowed_is_what_it_looks_like(
        path in "([.gGiItT~1 \\PC/\\\\:]{0,12}|[a-z.]{1,6}(/[a-z.]{1,6}){0,3})",
    ) {
        if paths::fault(&path).is_none() {
            prop_assert!(!path.is_empty() && !path.starts_with('/') && !path.ends_with('/'));
            for part in path.split('/') {
                let plain = letters::folded(part);
                prop_assert!(!["", ".", "..", ".git"].contains(&plain.as_str()), "{path:?}");
                prop_assert!(!part.ends_with(['.', ' ']));
                prop_assert_eq!(part.chars().filter(|c| letters::hides(*c)).count(), 0);
            }
            let same: String = unicode_normalization::UnicodeNormalization::nfc(&*path).collect();
            prop_assert_eq!(&same, &path);
        }
    }

    #[test]
    fn folding_is_final_and_blind_to_case(text in "[a-zA-ZÀ-ɏΑ-ωА-яẞ]{0,20}") {
        let once = letters::folded(&text);
        prop_assert_eq!(&letters::folded(&once), &once);
        let capitals = [text.to_uppercase(), once.to_uppercase()];
        prop_assert_eq!(letters::folded(&capitals[0]), letters::folded(&capitals[1]));
    }
}

#[test]
fn attack_12_what_hides_in_a_change_hides_in_no_prompt_either() {
    let unlike = |c: &char| letters::hides(*c) && !is_hidden(*c);
    assert_eq!(('\0'..=char::MAX).find(unlike), None);
}
