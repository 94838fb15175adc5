//! Tidiness: the house rules that a program can check, and checks that they bite.

mod attacks;
mod layers;
mod reads;
mod sizes;
mod source;
mod trial;
mod words;

use source::{Finding, Source, Tree};

/// Places where a rule does not hold, each with its reason. The list only ever gets shorter.
const EXCEPTIONS: &[Exception] = &[];

struct Exception {
    rule: &'static str,
    path: &'static str,
    /// Why the rule must not hold there.
    reason: &'static str,
}

/// Runs every rule over every file.
fn findings(tree: &Tree) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for source in &tree.sources {
        found.extend(sizes::check(source));
        found.extend(words::check(source));
        found.extend(layers::check(source));
        found.extend(reads::check(source));
    }
    found.extend(tree.texts.iter().flat_map(|(path, text)| words::machine_paths(path, text)));
    found.extend(attacks::check(tree));
    found.extend(layers::check_map(tree));
    found.extend(layers::check_cycles(tree));
    found
}

fn excepted(finding: &Finding) -> bool {
    EXCEPTIONS.iter().any(|e| e.rule == finding.rule && e.path == finding.path)
}

#[test]
fn the_house_rules_hold() {
    let tree = Tree::read();
    assert!(tree.sources.len() > 50, "the sources were not found");
    let found: Vec<String> =
        findings(&tree).iter().filter(|f| !excepted(f)).map(Finding::to_string).collect();
    assert!(found.is_empty(), "{} findings:\n{}\n", found.len(), found.join("\n"));
}

#[test]
fn every_exception_is_needed_and_has_a_reason() {
    let found = findings(&Tree::read());
    for exception in EXCEPTIONS {
        assert!(exception.reason.len() > 20, "{}: say why", exception.path);
        let needed = found.iter().any(|f| f.rule == exception.rule && f.path == exception.path);
        assert!(needed, "{}: {} holds now; take it out", exception.path, exception.rule);
    }
}

/// The findings of one planted file, as `rule:line`.
fn planted(path: &str, text: &str) -> Vec<String> {
    let tree = Tree { sources: vec![Source::parse(path, text)], texts: Vec::new() };
    findings(&tree).iter().map(|f| format!("{}:{}", f.rule, f.line)).collect()
}
