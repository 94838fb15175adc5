//! The files that are looked at, and what is said about them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a tree that cannot be read is a failure")]

use std::fmt;
use std::fs;
use std::path::Path;

/// One Rust file.
pub(super) struct Source {
    /// From the top of the repository, with forward slashes.
    pub(super) path: String,
    pub(super) text: String,
    pub(super) ast: syn::File,
}

/// Everything that is looked at.
pub(super) struct Tree {
    pub(super) sources: Vec<Source>,
    /// Files that are not Rust, as path and text.
    pub(super) texts: Vec<(String, String)>,
}

/// A rule that does not hold somewhere, and what to do about it.
pub(super) struct Finding {
    pub(super) rule: &'static str,
    pub(super) path: String,
    /// From 1.
    pub(super) line: usize,
    pub(super) advice: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.rule, self.advice)
    }
}

impl Source {
    pub(super) fn parse(path: &str, text: &str) -> Self {
        let ast = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self { path: path.to_owned(), text: text.to_owned(), ast }
    }

    pub(super) fn finding(&self, rule: &'static str, line: usize, advice: String) -> Finding {
        Finding { rule, path: self.path.clone(), line, advice }
    }

    /// Where the file stands in the crate, such as `["web", "webhook"]`; `None` for what is
    /// not part of the library.
    pub(super) fn module(&self) -> Option<Vec<&str>> {
        let inner = self.path.strip_prefix("src/")?.strip_suffix(".rs")?;
        if inner == "main" || inner.starts_with("bin/") {
            return None;
        }
        Some(inner.split('/').filter(|part| !matches!(*part, "mod" | "lib")).collect())
    }
}

impl Tree {
    pub(super) fn read() -> Self {
        let top = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut paths = Vec::new();
        for name in [
            "src",
            "tests",
            "benches",
            "docs",
            "deploy",
            "app-manifest",
            "migrations",
            ".ci",
            "check",
            "README.md",
            "Cargo.toml",
            "clippy.toml",
        ] {
            collect(top, name, &mut paths);
        }
        paths.sort();
        let mut tree = Self { sources: Vec::new(), texts: Vec::new() };
        for path in paths {
            let Ok(text) = fs::read_to_string(top.join(&path)) else { continue };
            if Path::new(&path).extension().is_some_and(|extension| extension == "rs") {
                tree.sources.push(Source::parse(&path, &text));
            } else {
                tree.texts.push((path, text));
            }
        }
        tree
    }
}

fn collect(top: &Path, name: &str, paths: &mut Vec<String>) {
    let path = top.join(name);
    let Ok(entries) = fs::read_dir(&path) else {
        if path.is_file() {
            paths.push(name.to_owned());
        }
        return;
    };
    for entry in entries {
        let entry = entry.unwrap().file_name();
        collect(top, &format!("{name}/{}", entry.to_str().unwrap()), paths);
    }
}
