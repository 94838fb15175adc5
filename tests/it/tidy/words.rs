//! Words: every file says what it is, names mean something, nothing is left unfinished.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

use super::source::{Finding, Source};

/// Names under which anything could stand.
const EMPTY_NAMES: [&str; 10] = [
    "common", "helper", "helpers", "manager", "managers", "misc", "service", "services", "util",
    "utils",
];
/// Macros that mark unfinished or forgotten work.
const UNFINISHED: [&str; 3] = ["todo", "unimplemented", "dbg"];
/// Shortest sentence that can say what a file is, in characters after the mark.
const HEADER_CHARS_MIN: usize = 15;
/// Directories of one machine. Written in halves, so that this file does not speak of them.
const MACHINE_PATHS: [&str; 4] = [
    concat!("/wo", "rk/"),
    concat!("/tmp", "/wt"),
    concat!("/ro", "ot/.cargo"),
    concat!("/Use", "rs/"),
];

pub(super) fn check(source: &Source) -> Vec<Finding> {
    let mut found: Vec<Finding> = header(source).into_iter().collect();
    for part in source.path.trim_end_matches(".rs").split('/') {
        if EMPTY_NAMES.contains(&part) {
            let advice = format!("`{part}` says nothing: name the file after what it does");
            found.push(source.finding("empty-name", 1, advice));
        }
    }
    found.extend(machine_paths(&source.path, &source.text));
    found.extend(unsanitized(source));
    let mut names = Names { source, found };
    names.visit_file(&source.ast);
    names.found
}

/// Lines that only make sense on somebody's machine.
pub(super) fn machine_paths(path: &str, text: &str) -> Vec<Finding> {
    let spoken = |line: &str| MACHINE_PATHS.iter().find(|machine| line.contains(**machine));
    let lines = text.lines().enumerate().filter_map(|(at, line)| Some((at + 1, spoken(line)?)));
    lines
        .map(|(line, machine)| Finding {
            rule: "machine-path",
            path: path.to_owned(),
            line,
            advice: format!("`{machine}` exists on one machine only: take it out"),
        })
        .collect()
}

/// Ways around the sanitizer: what people see is made of literals by its macros alone, and of
/// no text of run time.
fn unsanitized(source: &Source) -> Vec<Finding> {
    let home = source.path.starts_with("src/model/sanitized/");
    let ways: &[&str] = if home {
        &[concat!("From<", "String>"), concat!("From<&'a ", "str>"), "DerefMut", "Deserialize"]
    } else {
        &[concat!("of_", "literal")]
    };
    let advice = "make it with `markdown!`, `plain!` or what `model::sanitized` offers".to_owned();
    let lines = source.text.lines().enumerate();
    lines
        .filter(|(_, line)| ways.iter().any(|way| line.contains(way)))
        .map(|(at, _)| source.finding("unsanitized", at + 1, advice.clone()))
        .collect()
}

fn header(source: &Source) -> Option<Finding> {
    let first = source.text.lines().next().unwrap_or_default();
    let sentence = first.strip_prefix("//! ").unwrap_or_default();
    let says = sentence.chars().count() >= HEADER_CHARS_MIN;
    let advice = "begin with `//! ` and a sentence that says what the file is".to_owned();
    (!says).then(|| source.finding("header", 1, advice))
}

struct Names<'a> {
    source: &'a Source,
    found: Vec<Finding>,
}

impl Names<'_> {
    fn unfinished(&mut self, name: &str, line: usize) {
        if UNFINISHED.contains(&name) {
            let advice = format!("`{name}!` is unfinished work: finish it or leave it out");
            self.found.push(self.source.finding("unfinished", line, advice));
        }
    }

    /// Macros inside the arguments of macros are only tokens.
    fn search(&mut self, tokens: TokenStream) {
        let mut before: Option<proc_macro2::Ident> = None;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => before = Some(ident),
                TokenTree::Punct(mark) => {
                    if let (Some(name), '!') = (before.take(), mark.as_char()) {
                        self.unfinished(&name.to_string(), name.span().start().line);
                    }
                }
                TokenTree::Group(group) => {
                    before = None;
                    self.search(group.stream());
                }
                TokenTree::Literal(_) => before = None,
            }
        }
    }
}

/// Words for what must be a `Secret`.
const SECRET_NAMES: [&str; 4] = ["secret", "token", "password", "private_key"];
/// Whose values open nothing: the playground is a GitHub of our own, whose secrets it makes up.
const PLAYED: &str = "src/playground/";

/// Whether a type is `String` or an `Option` of one.
fn is_text(ty: &syn::Type) -> bool {
    let syn::Type::Path(path) = ty else { return false };
    let Some(last) = path.path.segments.last() else { return false };
    match &last.arguments {
        syn::PathArguments::AngleBracketed(inside) if last.ident == "Option" => inside
            .args
            .iter()
            .any(|one| matches!(one, syn::GenericArgument::Type(inner) if is_text(inner))),
        syn::PathArguments::AngleBracketed(_)
        | syn::PathArguments::Parenthesized(_)
        | syn::PathArguments::None => last.ident == "String",
    }
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_field(&mut self, field: &'ast syn::Field) {
        let path = &self.source.path;
        let ours = path.starts_with("src/") && !path.contains("tests") && !path.starts_with(PLAYED);
        if let Some(ident) = field.ident.as_ref().filter(|_| ours && is_text(&field.ty)) {
            let name = ident.to_string();
            let is_path = name.ends_with("_file");
            if !is_path && SECRET_NAMES.iter().any(|secret| name.contains(secret)) {
                let advice = format!("`{name}` can be printed: make it a `Secret`");
                let line = ident.span().start().line;
                self.found.push(self.source.finding("secret-text", line, advice));
            }
        }
        visit::visit_field(self, field);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        if let Some(last) = item.path.segments.last() {
            self.unfinished(&last.ident.to_string(), last.ident.span().start().line);
        }
        self.search(item.tokens.clone());
        visit::visit_macro(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let name = item.ident.to_string();
        if EMPTY_NAMES.contains(&name.as_str()) {
            let advice = format!("`{name}` says nothing: name the module after what it does");
            let line = item.ident.span().start().line;
            self.found.push(self.source.finding("empty-name", line, advice));
        }
        visit::visit_item_mod(self, item);
    }
}
