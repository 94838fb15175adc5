//! Outputs as real tools print them, and what must not be taken for one.

use super::*;

fn places(output: &str) -> Vec<(String, u32, Level, String)> {
    let notes = parse("test", output);
    assert!(notes.iter().all(|note| note.title == "test"));
    notes.into_iter().map(|note| (note.path, note.line, note.level, note.message)).collect()
}

#[track_caller]
fn one(output: &str, path: &str, line: u32, (level, message): (Level, &str)) {
    assert_eq!(places(output), [(path.to_owned(), line, level, message.to_owned())]);
}

const FAILURE: Level = Level::Failure;
const WARNING: Level = Level::Warning;

#[test]
fn the_forms_of_common_tools_are_understood() {
    let rustc = "error[E0308]: mismatched types\n  --> src/x.rs:12:5\n   |\n12 |     1\n";
    one(rustc, "src/x.rs", 12, (FAILURE, "error[E0308]: mismatched types"));
    let clippy = "warning: this is slow\n --> ./src/y.rs:3:1\n  ::: src/z.rs:9:1\n";
    one(clippy, "src/y.rs", 3, (WARNING, "warning: this is slow"));
    let panic = "thread 'adds' (7) panicked at tests/add.rs:10:9:\nassertion failed: no\n";
    one(panic, "tests/add.rs", 10, (FAILURE, "assertion failed: no"));
    let gcc = "src/a.c: In function 'main':\nsrc/a.c:4:12: error: expected ';'\n\
               src/a.c:4:12: note: here\n";
    one(gcc, "src/a.c", 4, (FAILURE, "expected ';'"));
    one("b.cpp:7:1: fatal error: no.h\n", "b.cpp", 7, (FAILURE, "fatal error: no.h"));
    one("m.py:3: error: Name \"x\"  [name]\n", "m.py", 3, (FAILURE, "Name \"x\"  [name]"));
    let tsc = "src/app.ts(5,7): error TS2322: Type 'a' is not 'b'.\n";
    one(tsc, "src/app.ts", 5, (FAILURE, "TS2322: Type 'a' is not 'b'."));
    let eslint = "/__w/greet/greet/src/a.js\n  3:10  warning  'x' is unused  no-x\n\n\
                  ✖ 1 problem\n";
    one(eslint, "src/a.js", 3, (WARNING, "'x' is unused  no-x"));
    let pytest = "    assert f() == 2\nE   assert 1 == 2\n\ntests/test_f.py:8: AssertionError\n";
    one(pytest, "tests/test_f.py", 8, (FAILURE, "AssertionError: assert 1 == 2"));
    let python = "Traceback (most recent call last):\n  \
        File \"/usr/lib/python3/x.py\", line 1, in a\n  \
        File \"app/m.py\", line 12, in f\n    g()\nValueError: bad\n";
    one(python, "app/m.py", 12, (FAILURE, "ValueError: bad"));
    one("pkg/x.go:9:2: undefined: y\n", "pkg/x.go", 9, (FAILURE, "undefined: y"));
    one("    x_test.go:14: got 1, want 2\n", "x_test.go", 14, (FAILURE, "got 1, want 2"));
    one("src\\w.cs(8): error CS1: no\n", "src/w.cs", 8, (FAILURE, "CS1: no"));
    one("Makefile:3: *** missing separator.\n", "Makefile", 3, (FAILURE, "*** missing separator."));
}

#[test]
fn the_places_of_runners_are_taken_off() {
    for root in ["/home/runner/WORK/a/b", "/USERS/runner/WORK/a/b", "/github/workspace", "/WORK"] {
        let root = root.replace("WORK", "work").replace("USERS", "Users");
        let line = format!("{root}/src/x.c:1:1: error: no");
        one(&line, "src/x.c", 1, (FAILURE, "no"));
    }
}

#[test]
fn what_is_no_place_in_the_repository_is_left_out() {
    for output in [
        "",
        "12:30:45: error: late",
        "localhost:8080: error: refused",
        "127.0.0.1:8080: error: refused",
        "https://example.org:443: error: refused",
        "/etc/passwd.txt:1: error: no",
        "/rustc/abc/library/core/src/x.rs:5:1: error: no",
        "../up.rs:1:1: error: no",
        "a/../../b.rs:1:1: error: no",
        ".git/config.x:1: error: no",
        "src/x.rs:0:1: error: no",
        "src/x.rs:99999999999: error: no",
        "src/x.rs:12:5",
        "a file.rs:1:1: error: no",
        "error: something\n  --> <anon>.rs:1:1",
        " --> src/x.rs:1:1",
        "src/x.rs:3: failure: GitHub has this one",
        "error: test failed, to rerun pass `--lib`\nsrc/x.rs",
    ] {
        assert_eq!(places(output), [], "{output}");
    }
}

#[test]
fn a_flood_is_cut_and_nothing_is_said_twice() {
    let twice = "a.c:1:1: error: x\na.c:1:9: error: x\na.c:2:1: error: x\n";
    assert_eq!(places(twice).len(), 2);
    let many: Vec<String> = (1..1_000).map(|n| format!("a.c:{n}:1: error: x")).collect();
    let many = many.join("\n");
    assert_eq!(places(&many).len(), NOTES_MAX);
    let long = format!("a.c:1:1: error: {}\n", "y".repeat(LINE_BYTES_MAX));
    assert_eq!(places(&long), []);
    let notes = parse(&"t".repeat(1_000), "a.c:1:1: error: \u{7}x\n");
    assert_eq!(notes[0].title.chars().count(), 255);
    assert_eq!(notes[0].message, "x");
}
