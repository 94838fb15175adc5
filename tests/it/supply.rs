//! What the program is built from, as far as the lock file and the sources can tell.
#![expect(clippy::expect_used, reason = "helpers of tests, which say what they expect")]

use std::collections::{BTreeMap, BTreeSet};

/// Licences that a crate may have; one of those it offers is enough.
const LICENCES: [&str; 16] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "OpenSSL",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];
/// A second stack for TLS would need its own updates, and a C library of the system one more.
const NEVER: [&str; 6] =
    ["openssl", "openssl-sys", "native-tls", "md5", "libgit2-sys", "hyper-tls"];
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What is wrong with a lock file.
fn findings(lock: &str) -> Vec<String> {
    let lock: toml::Table = toml::from_str(lock).expect("a lock file is TOML");
    let packages = lock.get("package").and_then(toml::Value::as_array).expect("packages");
    let mut found = Vec::new();
    for package in packages {
        let text = |key: &str| package.get(key).and_then(toml::Value::as_str);
        let name = text("name").expect("a package has a name");
        match text("source") {
            None if name == "slipway" => {}
            Some(REGISTRY) if text("checksum").is_some() => {}
            Some(REGISTRY) => found.push(format!("{name} has no checksum")),
            None => found.push(format!("{name} comes from a path")),
            Some(other) => found.push(format!("{name} comes from {other}")),
        }
        if NEVER.contains(&name) {
            found.push(format!("{name} must not be here"));
        }
    }
    found
}

fn lock() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock"))
        .expect("our own lock file")
}

#[test]
fn attack_56_everything_comes_from_the_one_registry_with_its_checksum() {
    assert_eq!(findings(&lock()), Vec::<String>::new());
    let seeded = |package: &str| {
        let lock = format!("{}\n[[package]]\nversion = \"1.0.0\"\n{package}\n", lock());
        findings(&lock).len()
    };
    for (package, count) in [
        ("name = \"a\"\nsource = \"git+https://example.org/a#0\"", 1),
        ("name = \"a\"\nsource = \"registry+https://example.org/index\"\nchecksum = \"0\"", 1),
        ("name = \"a\"", 1),
    ] {
        assert_eq!(seeded(package), count, "{package}");
    }
    let of = |name: &str| format!("name = \"{name}\"\nsource = \"{REGISTRY}\"\nchecksum = \"0\"");
    assert_eq!(seeded(&of("openssl-sys")), 1);
    assert_eq!(seeded(&of("harmless")), 0);
    assert_eq!(seeded(&format!("name = \"a\"\nsource = \"{REGISTRY}\"")), 1);
}

/// Whether a licence expression offers one of ours. `AND` needs every part.
fn allowed(expression: &str) -> bool {
    let plain = expression.replace(['(', ')'], " ").replace('/', " OR ");
    plain
        .split(" AND ")
        .all(|part| part.split(" OR ").any(|licence| LICENCES.contains(&licence.trim())))
}

#[expect(clippy::print_stderr, reason = "what a machine lacks is left out aloud")]
fn left_out(what: &str) {
    eprintln!("LEFT OUT: {what}");
}

#[test]
fn attack_56_every_crate_may_be_used_as_we_use_it() {
    #[expect(clippy::disallowed_methods, reason = "cargo tells what crates say of themselves")]
    let mut cargo = std::process::Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version", "1", "--locked", "--offline"]);
    let answer = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    if !answer.status.success() {
        left_out("licences: cargo cannot tell them offline");
        return;
    }
    let told: serde_json::Value = serde_json::from_slice(&answer.stdout).unwrap();
    let packages = told["packages"].as_array().unwrap();
    let licences: BTreeMap<&str, &str> = packages
        .iter()
        .map(|one| (one["name"].as_str().unwrap(), one["license"].as_str().unwrap_or("none")))
        .collect();
    assert!(licences.len() > 100);
    let foreign: BTreeSet<_> = licences.iter().filter(|(_, licence)| !allowed(licence)).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    for bad in ["none", "GPL-3.0", "MIT AND GPL-3.0-only", "AGPL-3.0 OR SSPL-1.0"] {
        assert!(!allowed(bad), "{bad}");
    }
}

#[test]
fn attack_56_no_unsafe_code_is_compiled() {
    let manifest = include_str!("../../Cargo.toml");
    let manifest: toml::Table = toml::from_str(manifest).unwrap();
    assert_eq!(manifest["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
}
