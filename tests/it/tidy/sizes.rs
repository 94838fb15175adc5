//! Sizes: files, functions, arguments and lines a person can take in at once.

use std::ops::RangeInclusive;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::source::{Finding, Source};

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;
const ARGUMENTS_MAX: usize = 5;
const LINE_CHARS_MAX: usize = 100;

pub(super) fn check(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    let lines = source.text.lines().count();
    if lines > FILE_LINES_MAX {
        let advice = format!("{lines} lines, at most {FILE_LINES_MAX}: split it by idea");
        found.push(source.finding("file-size", lines, advice));
    }
    let mut snapshots = Snapshots::default();
    snapshots.visit_file(&source.ast);
    for (at, line) in source.text.lines().enumerate() {
        let chars = line.chars().count();
        let shown = snapshots.0.iter().any(|lines| lines.contains(&(at + 1)));
        if chars > LINE_CHARS_MAX && !shown {
            let advice = format!("{chars} columns, at most {LINE_CHARS_MAX}: break the line");
            found.push(source.finding("line-length", at + 1, advice));
        }
    }
    let mut functions = Functions { source, found };
    functions.visit_file(&source.ast);
    functions.found
}

/// Lines of snapshots, which show a text as it is, however long its lines are.
#[derive(Default)]
struct Snapshots(Vec<RangeInclusive<usize>>);

impl<'ast> Visit<'ast> for Snapshots {
    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let name = item.path.segments.last().map(|last| last.ident.to_string());
        if name.is_some_and(|name| name.contains("snapshot")) {
            let span = item.span();
            self.0.push(span.start().line..=span.end().line);
        }
        visit::visit_macro(self, item);
    }
}

struct Functions<'a> {
    source: &'a Source,
    found: Vec<Finding>,
}

impl Functions<'_> {
    fn look(&mut self, signature: &syn::Signature, body: Option<&syn::Block>) {
        let name = &signature.ident;
        let line = name.span().start().line;
        let arguments = signature.inputs.len();
        if arguments > ARGUMENTS_MAX {
            let advice =
                format!("`{name}` has {arguments} arguments, at most {ARGUMENTS_MAX}: make a type");
            self.found.push(self.source.finding("arguments", line, advice));
        }
        let Some(span) = body.map(Spanned::span) else { return };
        let lines = (span.end().line - span.start().line + 1).saturating_sub(2);
        if lines > FUNCTION_LINES_MAX {
            let advice =
                format!("`{name}` has {lines} lines, at most {FUNCTION_LINES_MAX}: split it");
            self.found.push(self.source.finding("function-size", line, advice));
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.look(&item.sig, Some(&item.block));
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.look(&item.sig, Some(&item.block));
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.look(&item.sig, item.default.as_ref());
        visit::visit_trait_item_fn(self, item);
    }
}
