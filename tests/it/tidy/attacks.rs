//! Attacks: each has its row in `docs/SECURITY.md`, tests that exist, and what shows they can fail.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

use super::source::{Finding, Source, Tree};

const DOCUMENT: &str = "docs/SECURITY.md";
/// The heading above the table; other tables of the document are none of ours.
const HEADING: &str = "## The attacks";
/// As many as the threat model counts.
const ATTACKS: usize = 56;
/// Cells of a row: number, attack, what holds, tests, what they miss when it is taken away.
const CELLS: usize = 5;
/// Attacks that no test shows yet, each with what has to be there first. The list only ever gets
/// shorter.
const OPEN: &[(usize, &str)] = &[];

/// One row of the table.
struct Row<'a> {
    /// Of the document, from 1.
    line: usize,
    number: usize,
    tests: Vec<&'a str>,
    missed: Vec<&'a str>,
}

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    check_but(tree, OPEN)
}

fn check_but(tree: &Tree, open: &[(usize, &str)]) -> Vec<Finding> {
    let Some((_, text)) = tree.texts.iter().find(|(path, _)| path == DOCUMENT) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let rows = rows(text, &mut found);
    for number in 1..=ATTACKS {
        let of = rows.iter().filter(|row| row.number == number).count();
        if of != 1 {
            let advice = format!("attack {number} has {of} rows: give it one");
            found.push(finding(1, advice));
        }
    }
    for row in &rows {
        if row.number == 0 || row.number > ATTACKS {
            let advice = format!("there is no attack {}: count to {ATTACKS}", row.number);
            found.push(finding(row.line, advice));
        }
        let why = open.iter().find(|(number, _)| *number == row.number);
        let waits = why.map(|_| waits(row).into_iter().collect());
        let said: Vec<String> = waits.unwrap_or_else(|| proves(tree, row));
        found.extend(said.into_iter().map(|advice| finding(row.line, advice)));
    }
    found
}

fn finding(line: usize, advice: String) -> Finding {
    Finding { rule: "attacks", path: DOCUMENT.to_owned(), line, advice }
}

/// The rows below the heading; lines that should be one and are not are findings.
fn rows<'a>(text: &'a str, found: &mut Vec<Finding>) -> Vec<Row<'a>> {
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    let section = lines.skip_while(|(_, line)| *line != HEADING).skip(1);
    let section = section.take_while(|(_, line)| !line.starts_with("## "));
    let mut rows = Vec::new();
    for (line, text) in section {
        let inner = text.strip_prefix("| ").and_then(|text| text.strip_suffix(" |"));
        let cells: Vec<&str> = inner.unwrap_or_default().split(" | ").collect();
        let Ok(number) = cells.first().copied().unwrap_or_default().parse() else { continue };
        match cells.as_slice() {
            [_, _attack, _holds, tests, missed] => {
                rows.push(Row { line, number, tests: code(tests), missed: code(missed) });
            }
            _other => {
                let cells = cells.len();
                found.push(finding(line, format!("{cells} cells: a row has {CELLS}")));
            }
        }
    }
    rows
}

/// What stands between backticks.
fn code(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// What is wrong with a row that is said to wait.
fn waits(row: &Row<'_>) -> Option<String> {
    let number = row.number;
    let advice = || format!("attack {number} names a test now: take it out of OPEN");
    (!row.tests.is_empty()).then(advice)
}

/// What is wrong with a row that is said to be proven.
fn proves(tree: &Tree, row: &Row<'_>) -> Vec<String> {
    let number = row.number;
    let mut said: Vec<String> = row.tests.iter().filter_map(|test| lacks(tree, test)).collect();
    let foreign = row.tests.iter().filter(|test| named_after(test).is_some_and(|of| of != number));
    said.extend(foreign.map(|test| format!("attack {number}: `{test}` is of another")));
    if row.tests.is_empty() {
        said.push(format!("attack {number} names no test as `path.rs::name`"));
    }
    if row.missed.is_empty() {
        said.push(format!("attack {number} does not say what its tests fail without"));
    }
    let files: Vec<&Source> = row.tests.iter().filter_map(|test| file(tree, test)).collect();
    for missed in &row.missed {
        let name = missed.rsplit("::").next().unwrap_or_default();
        if missed.contains(".rs::") {
            said.extend(lacks(tree, missed));
        } else if !files.iter().any(|source| words(&source.text).any(|word| word == name)) {
            said.push(format!("attack {number}: no test of it speaks of `{missed}`"));
        }
    }
    said
}

/// The attack whose number is in the name of a test.
fn named_after(test: &str) -> Option<usize> {
    let (_, name) = test.rsplit_once("::")?;
    name.strip_prefix("attack_")?.split('_').next()?.parse().ok()
}

fn file<'a>(tree: &'a Tree, test: &str) -> Option<&'a Source> {
    let (path, _) = test.rsplit_once("::")?;
    tree.sources.iter().find(|source| source.path == path)
}

/// What is wrong with a test that is named.
fn lacks(tree: &Tree, test: &str) -> Option<String> {
    let name = test.rsplit("::").next().unwrap_or_default();
    let Some(source) = file(tree, test) else {
        return Some(format!("`{test}`: there is no such file"));
    };
    let mut tests = Tests::default();
    tests.visit_file(&source.ast);
    (!tests.0.contains(name)).then(|| format!("`{test}` is no test that runs by itself"))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
}

/// The names of a file's tests, but for those that only run when asked for.
#[derive(Default)]
struct Tests(BTreeSet<String>);

fn ends_in(attribute: &syn::Attribute, word: &str) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == word)
}

impl Tests {
    /// Tests inside a macro are only tokens: an attribute, `fn`, a name.
    fn search(&mut self, tokens: TokenStream) {
        let (mut marked, mut function) = (false, false);
        for token in tokens {
            match token {
                TokenTree::Group(group) => {
                    marked = marked || group.stream().to_string() == "test";
                    function = false;
                    self.search(group.stream());
                }
                TokenTree::Ident(ident) if function => {
                    if std::mem::take(&mut marked) {
                        self.0.insert(ident.to_string());
                    }
                    function = false;
                }
                TokenTree::Ident(ident) => function = ident == "fn",
                TokenTree::Punct(_) | TokenTree::Literal(_) => function = false,
            }
        }
    }
}

impl<'ast> Visit<'ast> for Tests {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let has = |word| item.attrs.iter().any(|attribute| ends_in(attribute, word));
        if has("test") && !has("ignore") {
            self.0.insert(item.sig.ident.to_string());
        }
        visit::visit_item_fn(self, item);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.search(item.tokens.clone());
        visit::visit_macro(self, item);
    }
}

#[test]
fn the_table_of_attacks_is_read_and_what_is_open_says_why() {
    let tree = Tree::read();
    let (_, text) = tree.texts.iter().find(|(path, _)| path == DOCUMENT).expect("the document");
    assert_eq!(rows(text, &mut Vec::new()).len(), ATTACKS);
    assert!(OPEN.iter().all(|(_, why)| why.len() > 20), "say what has to be there first");
}

/// A document whose rows are all good, after `change` had its way with each row.
fn trial(change: impl Fn(usize, String) -> String) -> Vec<String> {
    let good = "`tests/it/a.rs::attack` | `Rule::One`";
    let row = |number| change(number, format!("| {number} | what | who | {good} |\n"));
    let rows: String = (1..=ATTACKS).map(row).collect();
    let text = format!("# S\n\n| 1 | not | a | row | of it |\n\n{HEADING}\n\n{rows}\n## End\n");
    let tests = "//! A file of tests.\n\
                 #[test]\nfn attack() { without(Rule::One); }\n\
                 #[tokio::test]\nasync fn later() {}\n\
                 #[test]\nfn attack_07_own() {}\n#[test]\nfn attack_08_other() {}\n\
                 #[test]\n#[ignore = \"slow\"]\nfn asleep() {}\nfn helper() {}\n\
                 proptest! { #[test] fn drawn(x in 0..9) { let fn_ = x; } fn shown() {} }\n";
    let sources = vec![Source::parse("tests/it/a.rs", tests)];
    let tree = Tree { sources, texts: vec![(DOCUMENT.to_owned(), text)] };
    let open = [(20, "something has to be there first")];
    check_but(&tree, &open).into_iter().map(|finding| finding.advice).collect()
}

/// What is found when row 7 reads otherwise; row 20 waits, and says so.
fn with_row(seven: &str) -> Vec<String> {
    trial(|number, row| match number {
        7 => seven.to_owned(),
        20 => "| 20 | what | nobody yet | none yet | nothing yet |\n".to_owned(),
        _other => row,
    })
}

#[test]
fn a_row_that_is_missing_or_proves_nothing_is_found() {
    let row =
        |tests: &str, missed: &str| with_row(&format!("| 7 | a | b | {tests} | {missed} |\n"));
    let one = "`Rule::One`";
    for good in ["attack", "later", "drawn", "attack_07_own"] {
        assert_eq!(row(&format!("`tests/it/a.rs::{good}`"), one), [""; 0], "{good}");
    }
    for (tests, missed, said) in [
        ("`tests/it/a.rs::gone`", one, "is no test that runs by itself"),
        ("`tests/it/a.rs::helper`", one, "is no test that runs by itself"),
        ("`tests/it/a.rs::asleep`", one, "is no test that runs by itself"),
        ("`tests/it/a.rs::shown`", one, "is no test that runs by itself"),
        ("`tests/it/a.rs::attack_08_other`", one, "is of another"),
        ("`tests/it/a.rs::attack`, `tests/it/b.rs::attack`", one, "there is no such file"),
        ("`tests/it/a.rs::attack`", "taken on trust", "does not say what its tests fail without"),
        ("`tests/it/a.rs::attack`", "`Rule::Two`", "no test of it speaks of `Rule::Two`"),
        ("`tests/it/a.rs::attack`", "`tests/it/a.rs::gone`", "is no test"),
    ] {
        let found = row(tests, missed);
        assert!(found.len() == 1 && found[0].contains(said), "{tests} {missed}: {found:?}");
    }
    assert_eq!(row("by looking at it", one).len(), 2, "no test, and nothing it could miss");
    assert_eq!(with_row(""), ["attack 7 has 0 rows: give it one"]);
    assert_eq!(with_row("| 7 | a | b |\n").len(), 2, "too few cells");
    let twice = "| 8 | a | b | `tests/it/a.rs::attack` | `Rule::One` |\n";
    assert_eq!(with_row(twice).len(), 2, "one is missing and one is there twice");
    assert_eq!(with_row(&twice.replace('8', "57")).len(), 2);
}

#[test]
fn an_attack_is_open_only_as_long_as_it_is() {
    let found = trial(|_, row| row);
    assert_eq!(found, ["attack 20 names a test now: take it out of OPEN"]);
}
