//! The rules on trial: each is shown a file that breaks it, and one that does not.

use super::planted;
use super::source::{Source, Tree};

const HEADER: &str = "//! A file that says what it is.\n";

fn check(path: &str, body: &str) -> Vec<String> {
    planted(path, &format!("{HEADER}{body}"))
}

#[test]
fn a_module_may_know_those_to_its_left_only() {
    assert_eq!(check("src/report/mod.rs", "use crate::worker::Engine;\n"), ["layers:2"]);
    assert_eq!(check("src/model/ids.rs", "fn f(_: crate::policy::Policy) {}\n"), ["layers:2"]);
    assert_eq!(check("src/gate/ci.rs", "use super::super::{pipeline::State};\n"), ["layers:2"]);
    assert_eq!(check("src/store/mod.rs", "use crate::github::Issue;\n"), ["layers:2"]);
    assert_eq!(check("src/github/mod.rs", "use crate::git::Push;\n"), ["layers:2"]);
    assert_eq!(check("src/web/mod.rs", "use crate::worker::Engine;\n"), ["layers:2"]);
    assert_eq!(check("src/worker/mod.rs", "use crate::config::Settings;\n"), ["layers:2"]);
    let in_macro = "fn f() { assert!(crate::app::ready(), \"not\"); }\n";
    assert_eq!(check("src/web/mod.rs", in_macro), ["layers:2"]);
    for (path, body) in [
        ("src/report/mod.rs", "use crate::pipeline::State;\nuse super::model::Repo;\n"),
        ("src/git/mod.rs", "use crate::github::Remote;\n"),
        ("src/agent/mod.rs", "use crate::sandbox::Invocation;\n"),
        ("src/worker/mod.rs", "use crate::{store::Store, github::GitHub};\n"),
        ("src/model/mod.rs", "#[cfg(test)]\nmod tests { use crate::store::Store; }\n"),
    ] {
        assert_eq!(check(path, body), Vec::<String>::new(), "{path}");
    }
}

#[test]
fn a_secret_is_never_an_ordinary_text() {
    for (path, field, bites) in [
        ("src/github/app/x.rs", "webhook_secret: Option<String>", true),
        ("src/github/app/x.rs", "token: String", true),
        ("src/config/x.rs", "private_key: String", true),
        ("src/config/x.rs", "private_key_file: Option<String>", false),
        ("src/github/app/x.rs", "token: Secret", false),
        ("src/github/app/x.rs", "secrets: Vec<Secret>", false),
        ("src/playground/world/x.rs", "webhook_secret: String", false),
        ("tests/it/x.rs", "secret: String", false),
    ] {
        let found = check(path, &format!("struct S {{\n    {field},\n}}\n"));
        assert_eq!(found.iter().any(|one| one == "secret-text:3"), bites, "{path}: {field}");
    }
}

#[test]
fn the_core_is_pure() {
    for body in [
        "async fn f() {}\n",
        "fn f() { drop(async {}); }\n",
        "use tokio::sync::Mutex;\n",
        "use std::{fmt, time::Duration};\n",
        "fn f() -> u32 { fastrand::u32(..) }\n",
        "fn f() { drop(std::fs::read(\"x\")); }\n",
        "fn f() { println!(\"{}\", jiff::Timestamp::now()); }\n",
        "use sqlx::*;\n",
    ] {
        assert_eq!(check("src/pipeline/state.rs", body), ["pure-core:2"], "{body}");
        assert_eq!(check("src/worker/mod.rs", body), Vec::<String>::new(), "{body}");
    }
    let synchronous =
        "use std::collections::BTreeMap;\nfn tokio() { let tokio = 1; drop(tokio); }\n";
    assert_eq!(check("src/pipeline/state.rs", synchronous), Vec::<String>::new());
}

#[test]
fn only_the_composition_root_names_adapters() {
    for (path, named) in [
        ("src/worker/mod.rs", "crate::github::app::App"),
        ("src/web/mod.rs", "crate::store::sqlite::Sqlite"),
        ("src/playground/mod.rs", "crate::git::cli::Cli"),
        ("src/config/mod.rs", "crate::sandbox::bubblewrap::Bubblewrap"),
    ] {
        let body = format!("use {named};\n");
        assert_eq!(check(path, &body), ["adapter:2"], "{path}");
        assert_eq!(check("src/app/mod.rs", &body), Vec::<String>::new());
    }
    assert_eq!(check("src/store/mod.rs", "use self::sqlite::Sqlite;\n"), Vec::<String>::new());
}

#[test]
fn a_circle_is_found_whatever_the_table_says() {
    let tree = |bodies: &[(&str, &str)]| {
        let source = |(path, body): &(&str, &str)| Source::parse(path, &format!("{HEADER}{body}"));
        Tree { sources: bodies.iter().map(source).collect(), texts: Vec::new() }
    };
    let circle = tree(&[
        ("src/a/mod.rs", "use crate::b::B;\n"),
        ("src/b/mod.rs", "use crate::c::C;\n"),
        ("src/c/deep.rs", "use crate::a::A;\n"),
        ("src/d/mod.rs", "use crate::a::A;\n"),
    ]);
    let found: Vec<String> =
        super::layers::check_cycles(&circle).iter().map(|f| f.path.clone()).collect();
    assert_eq!(found, ["src/a/mod.rs", "src/b/mod.rs", "src/c/deep.rs"]);
    let line = tree(&[("src/a/mod.rs", "use crate::b::B;\n"), ("src/b/mod.rs", "use super::b;\n")]);
    assert_eq!(super::layers::check_cycles(&line).len(), 0);
}

#[test]
fn the_map_lists_modules_in_their_order() {
    let map = |body: &str| check("src/lib.rs", body);
    assert_eq!(map("pub mod model;\npub mod store;\npub mod web;\n"), Vec::<String>::new());
    assert_eq!(map("pub mod web;\npub mod model;\n"), ["map:3"]);
    assert_eq!(map("pub mod model;\npub mod something;\n"), ["map:3"]);
}

#[test]
fn sizes_have_bounds() {
    let lines = |count: usize| "// x\n".repeat(count);
    assert_eq!(check("src/web/a.rs", &lines(399)), Vec::<String>::new());
    assert_eq!(check("src/web/a.rs", &lines(400)), ["file-size:401"]);
    let function = |count: usize| format!("fn f() {{\n{}}}\n", "    g();\n".repeat(count));
    assert_eq!(check("src/web/a.rs", &function(70)), Vec::<String>::new());
    assert_eq!(check("src/web/a.rs", &function(71)), ["function-size:2"]);
    let method = format!("impl A {{\n{}}}\n", function(71));
    assert_eq!(check("src/web/a.rs", &method), ["function-size:3"]);
    let five = "fn f(a: u8, b: u8, c: u8, d: u8, e: u8) {}\n";
    assert_eq!(check("src/web/a.rs", five), Vec::<String>::new());
    let six = "trait T { fn f(&self, a: u8, b: u8, c: u8, d: u8, e: u8); }\n";
    assert_eq!(check("src/web/a.rs", six), ["arguments:2"]);
    let wide = |columns: usize| format!("// {}\n", "é".repeat(columns - 3));
    assert_eq!(check("src/web/a.rs", &wide(100)), Vec::<String>::new());
    assert_eq!(check("src/web/a.rs", &wide(101)), ["line-length:2"]);
    let snapshot = format!("fn f() {{ assert_snapshot!(f(), @\"{}\"); }}\n", "x".repeat(200));
    assert_eq!(check("src/web/a.rs", &snapshot), Vec::<String>::new());
}

#[test]
fn every_file_says_what_it_is() {
    for text in ["", "fn f() {}\n", "// A comment that is no header.\n", "//! placeholder\n"] {
        assert_eq!(planted("src/web/a.rs", text), ["header:1"], "{text}");
    }
}

#[test]
fn names_say_something_and_nothing_is_left_unfinished() {
    assert_eq!(check("src/web/utils.rs", ""), ["empty-name:1"]);
    assert_eq!(check("src/helpers/mod.rs", ""), ["empty-name:1"]);
    assert_eq!(check("src/web/a.rs", "mod manager {}\n"), ["empty-name:2"]);
    let unfinished = concat!("fn f() { to", "do!() }\n");
    assert_eq!(check("src/web/a.rs", unfinished), ["unfinished:2"]);
    let nested = concat!("fn f() {\n    println!(\"{}\", db", "g!(1));\n}\n");
    assert_eq!(check("src/web/a.rs", nested), ["unfinished:3"]);
    assert_eq!(
        check("src/web/a.rs", "fn todo(dbg: bool) -> bool { !dbg }\n"),
        Vec::<String>::new()
    );
}

#[test]
fn nothing_speaks_of_one_machine() {
    let body = format!("const P: &str = \"{}x\";\n", concat!("/Use", "rs/"));
    assert_eq!(check("src/web/a.rs", &body), ["machine-path:2"]);
    let texts = vec![("docs/a.md".to_owned(), concat!("see\n/wo", "rk/x\n").to_owned())];
    let tree = Tree { sources: Vec::new(), texts };
    let found: Vec<String> = super::findings(&tree).iter().map(ToString::to_string).collect();
    assert!(found[0].starts_with("docs/a.md:2: machine-path"), "{found:?}");
}

#[test]
fn what_an_agent_left_is_read_in_one_place() {
    let body = "fn f() { drop(std::fs::read(\"x\")); }\n";
    for path in ["src/git/cli/import.rs", "src/worker/perform/agent.rs"] {
        assert_eq!(check(path, body), ["untrusted-read:2"], "{path}");
    }
    for path in ["src/git/cli/untrusted.rs", "src/git/cli/tests.rs", "src/store/mod.rs"] {
        assert_eq!(check(path, body), Vec::<String>::new(), "{path}");
    }
    let tested = format!("#[cfg(test)]\nmod tests {{\n{body}}}\n");
    assert_eq!(check("src/git/cli/import.rs", &tested), Vec::<String>::new());
}

#[test]
fn attack_48_nothing_is_shown_around_the_sanitizer() {
    let around = concat!("fn f() { Markdown::of_", "literal(format_args!(\"{x}\")); }\n");
    assert_eq!(check("src/worker/a.rs", around), ["unsanitized:2"]);
    let from = concat!("impl From<", "String> for Markdown {}\n");
    assert_eq!(check("src/model/sanitized/a.rs", from), ["unsanitized:2"]);
    assert_eq!(check("src/model/a.rs", from), Vec::<String>::new());
}
