//! The push gate: paths, links, patterns and contents of strangers, never a panic, and nothing
//! allowed that some file system or tool would take for something else.

use fastrand::Rng;
use slipway::gate::push::{
    Change, ChangeKind, Content, FileChange, Known, Line, Mode, Near, glob, judge, paths, places,
};
use slipway::model::{CommitSha, Vault};
use slipway::policy::Policy;

use super::search;

const PARTS: &[&str] = &[
    ".git",
    ".GIT",
    "git~1",
    "..",
    ".",
    "",
    " ",
    ".github",
    "a",
    "B",
    "é",
    "e\u{301}",
    "\u{200c}",
    "\u{202e}",
    "\\",
    ":",
    "::$DATA",
    "\u{0}",
    "\n",
    "package.json",
    "Cargo.toml",
    "tests",
    "-----BEGIN ",
    "ghp_",
    "\u{e0041}",
    "🚀",
    "**",
    "*",
    "?",
    "~",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxx",
];

fn text(rng: &mut Rng, most: usize) -> String {
    let mut text = String::new();
    for _ in 0..rng.usize(0..most) {
        if rng.u8(..) < 170 {
            text.push_str(rng.choice(PARTS).unwrap());
        } else {
            text.push(rng.char(..));
        }
        if rng.bool() {
            text.push('/');
        }
    }
    text
}

fn mode(rng: &mut Rng) -> Mode {
    let digits = ["000000", "100644", "100755", "120000", "160000", "040000", "100664"];
    Mode::of(rng.choice(&digits).unwrap())
}

fn content(rng: &mut Rng) -> Vec<u8> {
    let starts: [&[u8]; 8] = [
        b"\x7fELF",
        b"MZ",
        b"PK\x03\x04",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF",
        b"\xff\xd8\xff",
        b"",
        b"!<arch>\n",
    ];
    let mut bytes = rng.choice(&starts).unwrap().to_vec();
    bytes.extend((0..rng.usize(0..400)).map(|_| rng.u8(..)));
    bytes
}

fn file(rng: &mut Rng) -> FileChange {
    let kinds = [ChangeKind::Added, ChangeKind::Modified, ChangeKind::Deleted];
    let bytes = content(rng);
    let lines = rng.u32(0..4);
    FileChange {
        named: rng.u8(..) < 250,
        before: mode(rng),
        after: mode(rng),
        bytes: bytes.len() as u64,
        content: Content::of(&bytes),
        link: rng.bool().then(|| text(rng, 6)),
        added: lines,
        added_lines: (0..lines).map(|number| Line { number, text: text(rng, 20) }).collect(),
        removed_lines: (0..lines).map(|_| text(rng, 20)).collect(),
        ..FileChange::new(text(rng, 6), *rng.choice(&kinds).unwrap())
    }
}

#[test]
fn paths_are_what_they_look_like_or_not_allowed() {
    search(|rng| {
        let path = text(rng, 6);
        if paths::fault(&path).is_some() {
            return;
        }
        assert!(!path.is_empty() && path.len() <= 4_096, "{path:?}");
        assert!(!path.contains(['\\', '\0', '\n', '\u{200c}', '\u{202e}']), "{path:?}");
        for part in path.split('/') {
            let plain = part.to_lowercase();
            assert!(!["", ".", "..", ".git", "git~1"].contains(&plain.as_str()), "{path:?}");
            assert!(!part.ends_with([' ', '.']) && part.len() <= 255, "{path:?}");
        }
        assert!(
            glob::matches("**", &path) && glob::matches(&path, &path) || path.contains(['*', '?'])
        );
    });
}

#[test]
fn the_gate_judges_whatever_it_is_shown() {
    let start = CommitSha::parse(&"a".repeat(40)).unwrap();
    let (secrets, canaries) = (Vault::default(), Vault::default());
    let known = Known { secrets: &secrets, canaries: &canaries };
    search(|rng| {
        let files: Vec<FileChange> = (0..rng.usize(0..5)).map(|_| file(rng)).collect();
        let places = places(&files.iter().collect::<Vec<_>>());
        let near = places.iter().map(|path| Near { path: path.clone(), link: rng.bool() });
        let near: Vec<Near> = near.collect();
        let patterns = vec![text(rng, 5)];
        let policy = Policy {
            protected: patterns.clone(),
            allow_binary: patterns.clone(),
            review_paths: patterns,
            ..Policy::default()
        };
        let (name, said) = ("a text", text(rng, 30));
        let change = Change {
            files: &files,
            near: &near,
            patch_bytes: rng.u64(0..8 << 20),
            truncated: rng.u8(..) < 10,
            markers: &[],
            from: (rng.u8(..) < 250).then_some(&start),
            recorded: None,
            only: None,
            repairing: rng.bool(),
            texts: &[(name, &said)],
        };
        let judgement = judge(&policy, &change, &known);
        for found in judgement.refused.iter().chain(&judgement.review) {
            assert!(!found.why.chars().any(char::is_control), "{:?}", found.why);
            assert!(found.why.chars().count() < 1_000);
        }
        // Whatever is not refused is a plain file or a link, under a name of its own.
        if judgement.refused.is_empty() {
            for file in files.iter().filter(|file| file.kind != ChangeKind::Deleted) {
                assert_eq!(paths::fault(&file.path), None);
                assert!(!matches!(file.after, Mode::Submodule | Mode::Other));
            }
        }
    });
}
