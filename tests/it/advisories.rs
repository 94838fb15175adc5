//! Known faults of others: what `RustSec`'s database says of the crates in our lock file.

use std::path::{Path, PathBuf};

use semver::{Version, VersionReq};

/// Kinds that tell of no fault: nobody maintains it any more, or a remark.
const REMARKS: [&str; 2] = ["unmaintained", "notice"];

/// Which versions of a crate have a fault.
struct Advisory {
    id: String,
    package: String,
    /// Versions without it.
    free: Vec<VersionReq>,
}

/// An advisory as its file tells it, or `None` when it tells of no fault. What cannot be read ends
/// the test: it could be the one that matters.
fn read(text: &str) -> Option<Advisory> {
    let head = text.split("```toml\n").nth(1).unwrap().split("\n```").next().unwrap();
    let head: toml::Table = toml::from_str(head).unwrap();
    let about = head["advisory"].as_table().unwrap();
    let said = |key: &str| about.get(key).and_then(toml::Value::as_str);
    if about.contains_key("withdrawn") || said("informational").is_some_and(is_remark) {
        return None;
    }
    let free = ["patched", "unaffected"].into_iter().flat_map(|key| {
        let listed = head.get("versions").and_then(|versions| versions.get(key));
        listed.and_then(toml::Value::as_array).cloned().unwrap_or_default()
    });
    let free = free.map(|one| VersionReq::parse(one.as_str().unwrap()).unwrap()).collect();
    let text = |key: &str| said(key).unwrap().to_owned();
    Some(Advisory { id: text("id"), package: text("package"), free })
}

fn is_remark(kind: &str) -> bool {
    REMARKS.contains(&kind)
}

/// Every crate of the lock file with its version.
fn locked() -> Vec<(String, Version)> {
    let lock: toml::Table = toml::from_str(include_str!("../../Cargo.lock")).unwrap();
    let packages = lock["package"].as_array().unwrap();
    let text = |package: &toml::Value, key: &str| package[key].as_str().unwrap().to_owned();
    let version = |package| Version::parse(&text(package, "version")).unwrap();
    packages.iter().map(|package| (text(package, "name"), version(package))).collect()
}

fn findings(advisories: &[Advisory]) -> Vec<String> {
    let locked = locked();
    let has = |advisory: &Advisory, version: &Version| {
        !advisory.free.iter().any(|free| free.matches(version))
    };
    let faults = advisories.iter().flat_map(|advisory| {
        let of = locked.iter().filter(move |(name, _)| *name == advisory.package);
        let bad = of.filter(move |(_, version)| has(advisory, version));
        bad.map(move |(name, version)| format!("{name} {version}: {}", advisory.id))
    });
    faults.collect()
}

/// Every file of advisories below `directory`; none where there is no such directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let Ok(crates) = std::fs::read_dir(directory) else { return Vec::new() };
    let each = crates.flat_map(|one| std::fs::read_dir(one.unwrap().path()).unwrap());
    let paths = each.map(|file| file.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

#[test]
fn attack_56_a_crate_with_a_known_fault_is_found() {
    let (_, version) = locked().into_iter().find(|(name, _)| name == "tokio").unwrap();
    let seeded = |package: &str, more: &str, versions: &str| {
        let text = format!(
            "```toml\n[advisory]\nid = \"RUSTSEC-0000-0000\"\npackage = \"{package}\"\n{more}\n\
             [versions]\n{versions}\n```\n\n# Something is wrong\n"
        );
        findings(&read(&text).into_iter().collect::<Vec<_>>())
    };
    let found = [format!("tokio {version}: RUSTSEC-0000-0000")];
    assert_eq!(seeded("tokio", "", "patched = []"), found);
    assert_eq!(seeded("tokio", "", "patched = [\"> 999.0.0\", \"^0.0.1\"]"), found);
    assert_eq!(seeded("tokio", "informational = \"unsound\"", "patched = []"), found);
    let mended = format!("patched = [\">= {version}\"]");
    let never = format!("patched = []\nunaffected = [\">= 0.1.0, <= {version}\"]");
    for (package, more, versions) in [
        ("tokio", "", mended.as_str()),
        ("tokio", "", never.as_str()),
        ("tokio", "withdrawn = \"2026-01-01\"", "patched = []"),
        ("tokio", "informational = \"unmaintained\"", "patched = []"),
        ("no-crate-of-ours", "", "patched = []"),
    ] {
        assert_eq!(seeded(package, more, versions), [""; 0], "{package} {more} {versions}");
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "what a machine lacks is left out aloud")]
fn attack_56_no_crate_has_a_fault_that_is_known() {
    let files = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("target/rustsec/crates"));
    if files.is_empty() {
        eprintln!("LEFT OUT: known faults of crates: tests/fetch brings RustSec's database");
        return;
    }
    assert!(files.len() > 1_000, "{} advisories are not all", files.len());
    let told = files.iter().filter_map(|path| read(&std::fs::read_to_string(path).unwrap()));
    assert_eq!(findings(&told.collect::<Vec<_>>()), [""; 0]);
}
