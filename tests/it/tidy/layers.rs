//! Layers: every module knows only those to its left, and the core knows nothing of the world.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

use super::source::{Finding, Source, Tree};

/// The modules of the library in the order of their dependencies. Modules of one row do not
/// know each other, but for [`NEIGHBOURS`].
const ROWS: &[&[&str]] = &[
    &["model"],
    &["policy"],
    &["command"],
    &["gate"],
    &["pipeline"],
    &["report"],
    &["clock"],
    &["process", "socket"],
    &["agent", "egress", "gateway", "git", "github", "sandbox", "store"],
    &["telemetry"],
    &["playground"],
    &["web", "worker"],
    &["config"],
    &["app"],
];

/// What a boundary may take from another's contract.
const NEIGHBOURS: &[(&str, &str)] = &[
    // How git reaches a repository is GitHub's answer.
    ("git", "github"),
    // An agent is data for the sandbox.
    ("agent", "sandbox"),
    // What an agent may reach are rules of the way out.
    ("agent", "egress"),
];

/// Pure and synchronous.
const CORE: [&str; 6] = ["model", "policy", "command", "gate", "pipeline", "report"];

/// What the core may not name, by the beginning of the path.
const WORLD: [&str; 16] = [
    "async_trait",
    "axum",
    "fastrand",
    "futures_util",
    "octocrab",
    "reqwest",
    "sqlx",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::time",
    "tokio",
    "tokio_util",
    "tracing",
];

/// Named by `app` and by their own folder alone.
const ADAPTERS: [(&str, &str); 9] = [
    ("egress", "proxy"),
    ("gateway", "relay"),
    ("git", "cli"),
    ("github", "app"),
    ("sandbox", "bubblewrap"),
    ("sandbox", "container"),
    ("sandbox", "process"),
    ("store", "postgres"),
    ("store", "sqlite"),
];

fn row(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

/// Checks what one file names, outside its tests.
pub(super) fn check(source: &Source) -> Vec<Finding> {
    let Some(module) = source.module() else { return Vec::new() };
    let Some((&top, _)) = module.split_first() else { return Vec::new() };
    let named = named(source, &module);
    let mut found: Vec<Finding> =
        named.paths.iter().filter_map(|p| judge(source, top, p)).collect();
    if CORE.contains(&top) {
        found.extend(named.waits.iter().map(|line| {
            let advice = "the core is synchronous: move waiting into the shell".to_owned();
            source.finding("pure-core", *line, advice)
        }));
    }
    found
}

fn judge(source: &Source, top: &str, named: &Path) -> Option<Finding> {
    if named.first() != "crate" {
        return world(source, top, named);
    }
    let other = named.parts.get(1)?.as_str();
    if other == top {
        return None;
    }
    let adapter = named.parts.get(2).is_some_and(|m| ADAPTERS.contains(&(other, m.as_str())));
    if adapter && top != "app" {
        let advice = format!("only `app` names `{}`: take the contract", named.text());
        return Some(source.finding("adapter", named.line, advice));
    }
    let (Some(own), Some(their)) = (row(top), row(other)) else {
        // A module that is missing in ROWS is found by `check_map`; a type at the top of the
        // crate does not exist.
        return None;
    };
    if their < own || NEIGHBOURS.contains(&(top, other)) {
        return None;
    }
    let advice = format!("`{top}` must not know `{other}`: turn the dependency round");
    Some(source.finding("layers", named.line, advice))
}

fn world(source: &Source, top: &str, named: &Path) -> Option<Finding> {
    if !CORE.contains(&top) {
        return None;
    }
    let text = named.text();
    let begins = |world: &str| text == world || text.starts_with(&format!("{world}::"));
    let clock = text.ends_with("Timestamp::now") || text.ends_with("Zoned::now");
    if !clock && !WORLD.iter().any(|name| begins(name)) {
        return None;
    }
    let advice = format!("the core must not name `{text}`: let the value be handed in");
    Some(source.finding("pure-core", named.line, advice))
}

/// `lib.rs` is the map: it lists every module in the order of the table.
pub(super) fn check_map(tree: &Tree) -> Vec<Finding> {
    let Some(map) = tree.sources.iter().find(|source| source.path == "src/lib.rs") else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut highest = 0;
    for item in &map.ast.items {
        let syn::Item::Mod(item) = item else { continue };
        let (name, line) = (item.ident.to_string(), item.ident.span().start().line);
        match row(&name) {
            None => {
                let advice = format!("`{name}` has no place in the order: give it one in ROWS");
                found.push(map.finding("map", line, advice));
            }
            Some(row) if row < highest => {
                let advice = format!("`{name}` stands below what uses it: move it up");
                found.push(map.finding("map", line, advice));
            }
            Some(row) => highest = row,
        }
    }
    found
}

/// No module knows itself by a detour; found from what is named, not from the table.
pub(super) fn check_cycles(tree: &Tree) -> Vec<Finding> {
    let mut knows: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut first: BTreeMap<&str, &Source> = BTreeMap::new();
    for source in &tree.sources {
        let Some(module) = source.module() else { continue };
        let Some((&top, _)) = module.split_first() else { continue };
        first.entry(top).or_insert(source);
        let paths = named(source, &module).paths.into_iter();
        let others = paths.filter(|path| path.first() == "crate");
        let others = others.filter_map(|path| path.parts.get(1).cloned());
        knows.entry(top).or_default().extend(others.filter(|other| other != top));
    }
    let reaches = |from: &str| {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut open: Vec<&str> = vec![from];
        while let Some(next) = open.pop() {
            for other in knows.get(next).into_iter().flatten() {
                if seen.insert(other) {
                    open.push(other);
                }
            }
        }
        seen
    };
    let cyclic = first.iter().filter(|(module, _)| reaches(module).contains(*module));
    cyclic
        .map(|(module, source)| {
            let advice = format!("`{module}` knows itself by a detour: break the circle");
            source.finding("cycle", 1, advice)
        })
        .collect()
}

/// A path as written, with `self` and `super` resolved to `crate`.
struct Path {
    parts: Vec<String>,
    line: usize,
}

impl Path {
    fn first(&self) -> &str {
        self.parts.first().map_or("", String::as_str)
    }

    fn text(&self) -> String {
        self.parts.join("::")
    }
}

/// What a file names.
struct Named {
    paths: Vec<Path>,
    /// Lines with `async` or `await`.
    waits: Vec<usize>,
}

fn named(source: &Source, module: &[&str]) -> Named {
    let module: Vec<String> = module.iter().map(|part| (*part).to_owned()).collect();
    let named = Named { paths: Vec::new(), waits: Vec::new() };
    let in_tests = module_is_test(&module);
    let mut reader = Reader { module, named };
    if !in_tests {
        reader.visit_file(&source.ast);
    }
    reader.named
}

/// Files that exist for tests alone: the lists of tests, and the suites of the contracts.
fn module_is_test(module: &[String]) -> bool {
    module.iter().any(|part| part == "tests" || part == "contract")
}

struct Reader {
    module: Vec<String>,
    named: Named,
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) => {
            attribute.path().is_ident("cfg")
                && list.tokens.clone().into_iter().any(|token| token.to_string() == "test")
        }
        syn::Meta::Path(_) | syn::Meta::NameValue(_) => false,
    })
}

impl Reader {
    fn name(&mut self, parts: Vec<String>, line: usize) {
        let ups = parts.iter().take_while(|part| *part == "super").count();
        let own = parts.first().is_some_and(|part| part == "self");
        if ups == 0 && !own {
            self.named.paths.push(Path { parts, line });
            return;
        }
        let keep = self.module.len().saturating_sub(ups);
        let mut whole = vec!["crate".to_owned()];
        whole.extend(self.module.iter().take(keep).cloned());
        whole.extend(parts.into_iter().skip(ups.max(usize::from(own))));
        self.named.paths.push(Path { parts: whole, line });
    }

    fn spread(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |ident: &syn::Ident| {
            let mut parts = before.to_vec();
            parts.push(ident.to_string());
            (parts, ident.span().start().line)
        };
        match tree {
            syn::UseTree::Path(path) => self.spread(&with(&path.ident).0, &path.tree),
            syn::UseTree::Name(name) => {
                let (parts, line) = with(&name.ident);
                self.name(parts, line);
            }
            syn::UseTree::Rename(name) => {
                let (parts, line) = with(&name.ident);
                self.name(parts, line);
            }
            syn::UseTree::Glob(glob) => {
                self.name(before.to_vec(), glob.star_token.spans[0].start().line);
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.spread(before, item));
            }
        }
    }

    /// Paths inside the arguments of macros are only tokens: those that begin with `crate` or
    /// with a name and `::` are put together again.
    fn search(&mut self, tokens: TokenStream) {
        let mut parts: Vec<String> = Vec::new();
        let (mut line, mut colons) = (0, 0);
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if parts.is_empty() || colons == 2 => {
                    line = ident.span().start().line;
                    parts.push(ident.to_string());
                    colons = 0;
                    continue;
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' && !parts.is_empty() => {
                    colons += 1;
                    continue;
                }
                TokenTree::Group(group) => self.search(group.stream()),
                TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            self.end(&mut parts, line);
            colons = 0;
        }
        self.end(&mut parts, line);
    }

    fn end(&mut self, parts: &mut Vec<String>, line: usize) {
        let parts = std::mem::take(parts);
        if parts.len() > 1 {
            self.name(parts, line);
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if is_test(&item.attrs) {
            return;
        }
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if !is_test(&item.attrs) {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test(&item.attrs) {
            self.spread(&[], &item.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        let line = path.segments.first().map_or(0, |s| s.ident.span().start().line);
        if parts.len() > 1 {
            self.name(parts, line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.search(item.tokens.clone());
        visit::visit_macro(self, item);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        if let Some(word) = &signature.asyncness {
            self.named.waits.push(word.span.start().line);
        }
        visit::visit_signature(self, signature);
    }

    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        self.named.waits.push(block.async_token.span.start().line);
        visit::visit_expr_async(self, block);
    }
}
