//! What files are: modes and links, sizes, binaries, what is switched off.

use super::*;

fn with_mode(path: &str, before: Mode, after: Mode) -> FileChange {
    let kind = match (before, after) {
        (Mode::Absent, _) => ChangeKind::Added,
        (_, Mode::Absent) => ChangeKind::Deleted,
        (_, _) => ChangeKind::Modified,
    };
    FileChange { before, after, ..file(path, kind, &[]) }
}

fn link(path: &str, target: &str) -> FileChange {
    FileChange {
        link: Some(target.to_owned()),
        content: Content::Nothing,
        ..with_mode(path, Mode::Absent, Mode::Link)
    }
}

#[test]
fn attack_26_no_submodule_leaves() {
    for (before, after) in [
        (Mode::Absent, Mode::Submodule),
        (Mode::Plain, Mode::Submodule),
        (Mode::Submodule, Mode::Submodule),
        (Mode::Submodule, Mode::Absent),
        (Mode::Submodule, Mode::Plain),
    ] {
        let trial = Trial::of(vec![with_mode("vendor/lib", before, after)]);
        assert_eq!(trial.refused_by(Rule::Modes).len(), 1, "{before:?} {after:?}");
    }
    let odd = Trial::of(vec![with_mode("a", Mode::Absent, Mode::Other)]);
    assert_eq!(odd.refused_by(Rule::Modes).len(), 1);
    let settings = Trial::of(vec![added(".gitmodules", &["[submodule \"x\"]", "url = -u"])]);
    assert_eq!(settings.refused_by(Rule::Never).len(), 1);
}

#[test]
fn attack_28_no_link_leads_out_or_to_what_decides() {
    for (path, target) in [
        ("link", "/etc/passwd"),
        ("link", "../../etc/passwd"),
        ("a/link", "../../x"),
        ("link", ".github/workflows/ci.yml"),
        ("a/link", "../.GitHub"),
        ("link", ".git/config"),
        ("link", "a/.g\u{200c}it/hooks"),
        ("link", "C:\\windows"),
        ("link", "C:/windows"),
        ("link", ""),
        ("link", "."),
        ("link", "safe/../../x"),
        ("link", "bad\nname"),
        ("link", "git~1/config"),
    ] {
        let trial = Trial::of(vec![link(path, target)]);
        assert_eq!(trial.refused_by(Rule::Modes).len(), 1, "{path} -> {target:?}");
    }
    // Through another link: one that was there, one that is new, one in the middle of the way.
    let there = Near { path: "docs".to_owned(), link: true };
    let trial = Trial { near: vec![there], ..Trial::of(vec![link("l", "docs/x")]) };
    assert_eq!(trial.refused_by(Rule::Modes).len(), 1);
    let chain = Trial::of(vec![link("a", "b"), link("b", "src/lib.rs")]);
    assert_eq!(chain.refused_by(Rule::Modes).len(), 1, "only the one that leads through");
    let unread = FileChange { link: None, ..link("l", "") };
    assert_eq!(Trial::of(vec![unread]).refused_by(Rule::Modes).len(), 1);
    for (path, target) in [("link", "src/lib.rs"), ("a/link", "../src"), ("a/b/link", "./c")] {
        assert_eq!(Trial::of(vec![link(path, target)]).judge(), Judgement::default());
    }
}

#[test]
fn a_new_executable_bit_is_shown_to_people() {
    for before in [Mode::Absent, Mode::Plain, Mode::Link] {
        let trial = Trial::of(vec![with_mode("run.sh", before, Mode::Runnable)]);
        assert_eq!(trial.reviewed_by(Rule::Modes).len(), 1, "{before:?}");
    }
    let kept = Trial::of(vec![with_mode("run.sh", Mode::Runnable, Mode::Runnable)]);
    assert_eq!(kept.judge(), Judgement::default());
    let taken = Trial::of(vec![with_mode("run.sh", Mode::Runnable, Mode::Plain)]);
    assert_eq!(taken.judge(), Judgement::default());
}

#[test]
fn attack_32_every_limit_holds_at_itself_and_breaks_one_above() {
    let mut policy = Policy::default();
    policy.limits.files_max = 3;
    policy.limits.lines_max = 10;
    policy.limits.file_bytes_max = 100;
    policy.limits.patch_bytes_max = 1_000;
    let check = |trial: Trial<'_>, refused: bool, what: &str| {
        let trial = Trial { policy: policy.clone(), ..trial };
        assert_eq!(trial.refused_by(Rule::Counts).len(), usize::from(refused), "{what}");
    };
    let files = |count: usize| (0..count).map(|n| added(&format!("f{n}"), &["x"])).collect();
    check(Trial::of(files(3)), false, "as many files");
    check(Trial::of(files(4)), true, "one file more");
    let lines = |added: u32, removed: u32| {
        Trial::of(vec![FileChange { added, removed, ..file("f", ChangeKind::Modified, &[]) }])
    };
    check(lines(6, 4), false, "as many lines");
    check(lines(6, 5), true, "one line more");
    let sized = |bytes: u64| Trial::of(vec![FileChange { bytes, ..added("f", &["x"]) }]);
    check(sized(100), false, "as large");
    check(sized(101), true, "one byte larger");
    check(sized(50 << 20), true, "50 MiB");
    let patch = |patch_bytes| Trial { patch_bytes, ..Trial::of(vec![added("f", &["x"])]) };
    check(patch(1_000), false, "as long a patch");
    check(patch(1_001), true, "one byte longer");
}

fn holding(path: &str, bytes: &[u8]) -> FileChange {
    FileChange { content: Content::of(bytes), bytes: bytes.len() as u64, ..added(path, &[]) }
}

#[test]
fn attack_32_no_program_archive_or_pointer_leaves() {
    let tar = [vec![b'a'; 100], vec![0; 157], b"ustar\x0000".to_vec()].concat();
    let long = [vec![b'a'; 9_000], vec![0xff]].concat();
    let late = [vec![b'a'; 7_999], vec![0], vec![b'a'; 10]].concat();
    let bodies: &[(&str, &[u8])] = &[
        ("an ELF program", b"\x7fELF\x02\x01\x01\0"),
        ("an ELF program in text", b"\x7fELF without a zero byte"),
        ("a Windows program", b"MZ\x90\0\x03"),
        ("a Mach-O program", b"\xcf\xfa\xed\xfe\x07"),
        ("a Java class", b"\xca\xfe\xba\xbe\0\0\0\x34"),
        ("WebAssembly", b"\0asm\x01\0\0\0"),
        ("a zip archive", b"PK\x03\x04\x14\0"),
        ("a zip archive without a zero byte", b"PK\x03\x04 and text"),
        ("a gzip archive", b"\x1f\x8b\x08\0"),
        ("an ar archive", b"!<arch>\ndebian-binary"),
        ("a tar archive", &tar),
        ("bytes that are no text", &long),
        ("a zero byte", &late),
        ("UTF-16", b"\xff\xfeh\0i\0"),
        ("a pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
    ];
    let everything = Policy { allow_binary: vec!["**".to_owned()], ..Policy::default() };
    for (what, bytes) in bodies {
        for policy in [Policy::default(), everything.clone()] {
            let trial = Trial { policy, ..Trial::of(vec![holding("assets/x.png", bytes)]) };
            assert_eq!(trial.refused_by(Rule::Binary).len(), 1, "{what}");
        }
    }
    let unread = FileChange { content: Content::Unread, ..added("f", &[]) };
    assert_eq!(Trial::of(vec![unread]).refused_by(Rule::Binary).len(), 1);
    let link = b"version https://git-lfs.github.com/spec/v1";
    let prose = [&link[..], &vec![b'a'; 2_000]].concat();
    assert_eq!(Content::of(&prose), Content::Text, "who writes about pointers writes no pointer");
}

#[test]
fn attack_32_an_image_needs_the_policy_and_has_a_size() {
    let policy = Policy { allow_binary: vec!["assets/**/*.png".to_owned()], ..Policy::default() };
    let png = |bytes: usize| [b"\x89PNG\r\n\x1a\n".to_vec(), vec![0; bytes - 8]].concat();
    let check = |path: &str, bytes: &[u8], refused: bool| {
        let files = vec![holding(path, bytes)];
        let trial = Trial { policy: policy.clone(), ..Trial::of(files) };
        assert_eq!(trial.refused_by(Rule::Binary).len(), usize::from(refused), "{path}");
    };
    check("assets/a.png", &png(512 << 10), false);
    check("assets/a.png", &png((512 << 10) + 1), true);
    check("assets/deep/er/a.PNG", &png(100), false);
    check("other/a.png", &png(100), true);
    check("assets/a.jpg", b"\xff\xd8\xff\xe0\0", true);
    check("assets/a.png", b"\xff\xd8\xff\xe0\0", false);
    check("assets/a.png", b"RIFF\0\0\0\0WEBPVP8 ", false);
    check("assets/a.png", b"RIFF\0\0\0\0WAVEfmt ", true);
}

#[test]
fn who_repairs_may_not_weaken_a_test() {
    let skip = "    #[ignore] // later";
    let check = |change: FileChange, repairing: bool, refused: usize| {
        let trial = Trial { repairing, ..Trial::of(vec![change.clone()]) };
        assert_eq!(trial.refused_by(Rule::Tests).len(), refused, "{change:?}");
    };
    let without = |removed: &str, added_line: &[&str], path: &str| FileChange {
        removed_lines: vec![removed.to_owned()],
        ..file(path, ChangeKind::Modified, added_line)
    };
    check(added("tests/a.rs", &[skip]), true, 1);
    check(added("tests/a.rs", &[skip]), false, 1);
    check(added("src/a.rs", &[skip]), true, 1);
    check(added("src/a.rs", &[skip]), false, 0);
    check(without(skip, &[skip], "tests/a.rs"), true, 0);
    check(without("assert_eq!(a, b);", &[], "tests/a.rs"), true, 1);
    check(without("assert_eq!(a, b);", &["assert_eq!(a, c);"], "tests/a.rs"), true, 0);
    check(without("assert_eq!(a, b);", &[], "tests/a.rs"), false, 0);
    check(file("test/unit.sh", ChangeKind::Deleted, &[]), true, 1);
    check(file("test/unit.sh", ChangeKind::Deleted, &[]), false, 0);
    check(added("src/a.rs", &["assert!(x);"]), true, 0);
}
