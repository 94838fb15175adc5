//! New dependencies and install scripts, named line by line for whoever approves.

use super::letters::folded;
use super::{Case, Line, Say, shown};
use crate::model::text::cut;

/// Scripts that package managers run by themselves when a package is installed.
const SCRIPTS: &[&str] = &[
    "preinstall",
    "install",
    "postinstall",
    "prepare",
    "prepublish",
    "prepublishonly",
    "prepack",
    "postpack",
    "dependencies",
    "pnpm:devpreinstall",
];
/// Longest name shown, in characters.
const NAME_CHARS_MAX: usize = 100;

pub(super) fn judge(case: &Case<'_>, say: &mut Say<'_>) {
    for file in case.change.files {
        let path = folded(&file.path);
        let name = path.rsplit('/').next().unwrap_or_default();
        let Some(read) = reader(name) else { continue };
        let known: Vec<Found> = file.removed_lines.iter().filter_map(|text| read(text)).collect();
        for Line { number, text } in &file.added_lines {
            // A new version of what was there before is no new name.
            let Some(found) = read(text).filter(|found| !known.contains(found)) else { continue };
            let path = shown(&file.path);
            let why = match found {
                Found::Dependency(name) => format!("{path} adds the dependency {}", quoted(&name)),
                Found::Script(name) => {
                    format!("{path} adds the script {}, which runs by itself", quoted(&name))
                }
            };
            say.review(&file.path, Some(*number), why);
        }
    }
}

fn quoted(name: &str) -> String {
    shown(&cut(name, NAME_CHARS_MAX))
}

#[derive(PartialEq)]
enum Found {
    Dependency(String),
    Script(String),
}

type Read = fn(&str) -> Option<Found>;

/// How lines of the file `name` (without case) name dependencies.
fn reader(name: &str) -> Option<Read> {
    let required = name.starts_with("requirements") || name.starts_with("constraints");
    match name {
        "package.json" | "composer.json" | "deno.json" => Some(json),
        "cargo.toml" | "pyproject.toml" | "pipfile" | "libs.versions.toml" => Some(toml),
        "go.mod" => Some(go),
        "gemfile" => Some(ruby),
        _ if required => Some(python),
        _ => None,
    }
}

/// `"name": "version"`, where the value looks like a version, a range or an address.
fn json(line: &str) -> Option<Found> {
    let (name, value) = line.trim().trim_end_matches(',').split_once(':').filter(|_| {
        // A name that holds a colon, such as `pnpm:devPreinstall`, is quoted as a whole.
        line.trim().starts_with('"')
    })?;
    let (name, value) = match (name.trim().strip_suffix('"'), value) {
        (Some(name), value) => (name.trim_start_matches('"').to_owned(), value),
        (None, rest) => {
            let (more, value) = rest.split_once("\":")?;
            (format!("{}:{more}", name.trim().trim_start_matches('"')), value)
        }
    };
    if SCRIPTS.contains(&name.to_lowercase().as_str()) && value.trim().starts_with('"') {
        return Some(Found::Script(name));
    }
    let value = value.trim().strip_prefix('"')?.trim_end_matches('"');
    let versioned = value.starts_with(|c: char| c.is_ascii_digit() || "^~<>=*".contains(c))
        || ["latest", "next", "workspace:", "npm:", "file:", "link:", "git", "http", "jsr:"]
            .iter()
            .any(|start| value.starts_with(start));
    (versioned && name != "version").then_some(Found::Dependency(name))
}

/// `name = "version"`, `name = { … }`, `[dependencies.name]`, or a string of a list.
fn toml(line: &str) -> Option<Found> {
    let line = line.trim();
    if let Some(table) = line.strip_prefix('[') {
        let (kind, name) = table.trim_end_matches(']').rsplit_once('.')?;
        let named = kind.ends_with("dependencies").then(|| name.trim_matches('"').to_owned());
        return named.map(Found::Dependency);
    }
    if line.starts_with('"') {
        return python(line.trim_matches(['"', ',']));
    }
    let (name, value) = line.split_once('=')?;
    let value = value.trim();
    let versioned = value
        .trim_start_matches('"')
        .starts_with(|c: char| c.is_ascii_digit() || "^~<>=*".contains(c))
        && value.starts_with('"');
    let table = value.starts_with('{')
        && ["version", "git", "path", "workspace", "registry", "url"]
            .iter()
            .any(|key| value.contains(key));
    let own = ["version", "rust-version", "edition", "requires-python", "resolver"];
    let name = name.trim().trim_matches('"');
    ((versioned || table) && !own.contains(&name) && !name.is_empty())
        .then(|| Found::Dependency(name.to_owned()))
}

/// `example.org/module v1.2.3`, inside of `require` or after it.
fn go(line: &str) -> Option<Found> {
    let line = line.trim().trim_start_matches("require ").trim_start_matches("replace ");
    let mut words = line.split_ascii_whitespace();
    let (module, version) = (words.next()?, words.next()?);
    let fits = (module.contains('.') && version.starts_with('v')) || version == "=>";
    fits.then(|| Found::Dependency(module.to_owned()))
}

/// `gem "name"`.
fn ruby(line: &str) -> Option<Found> {
    let rest = line.trim().strip_prefix("gem ")?.trim_start().trim_start_matches('(');
    let name = rest.trim_start_matches(['"', '\'']).split(['"', '\'']).next()?;
    (!name.is_empty()).then(|| Found::Dependency(name.to_owned()))
}

/// `name==1.0`, `name>=1`, `name @ address`, or an option that says where from.
fn python(line: &str) -> Option<Found> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    if line.starts_with('-') {
        return Some(Found::Dependency(line.to_owned()));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let name: String = line.chars().take_while(|c| plain(*c)).collect();
    let rest = line.get(name.len()..).unwrap_or_default().trim_start();
    let fits = rest.is_empty() || rest.starts_with(['=', '<', '>', '~', '!', '[', ';', '@', '#']);
    (fits && !name.is_empty()).then_some(Found::Dependency(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_name_dependencies_in_the_ways_of_their_files() {
        for (file, line, name) in [
            ("package.json", "    \"left-pad\": \"^1.3.0\",", Some("left-pad")),
            ("package.json", "  \"@o/x\": \"git+https://example.org/x\"", Some("@o/x")),
            ("package.json", "  \"postinstall\": \"node x.js\",", Some("postinstall")),
            ("package.json", "  \"pnpm:devPreinstall\": \"x\"", Some("pnpm:devPreinstall")),
            ("package.json", "  \"version\": \"1.0.0\",", None),
            ("package.json", "  \"test\": \"vitest\",", None),
            ("cargo.toml", "rand = \"0.9\"", Some("rand")),
            ("cargo.toml", "rand = { git = \"https://example.org\" }", Some("rand")),
            ("cargo.toml", "[dependencies.rand]", Some("rand")),
            ("cargo.toml", "version = \"0.1.0\"", None),
            ("cargo.toml", "name = \"x\"", None),
            ("pyproject.toml", "    \"requests>=2\",", Some("requests")),
            ("go.mod", "\texample.org/x v1.2.3 // indirect", Some("example.org/x")),
            ("go.mod", "go 1.22", None),
            ("gemfile", "gem 'rails', '~> 8'", Some("rails")),
            ("requirements-dev.txt", "flask==3.0", Some("flask")),
            ("requirements.txt", "--index-url https://x", Some("--index-url https://x")),
            ("requirements.txt", "# nothing", None),
        ] {
            let found = reader(file).unwrap()(line).map(|found| match found {
                Found::Dependency(name) | Found::Script(name) => name,
            });
            assert_eq!(found.as_deref(), name, "{file}: {line}");
        }
    }
}
