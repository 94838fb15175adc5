//! Bundles that a sandbox which was taken over might hand out.

use super::*;
use crate::gate::push::Mode;
use crate::git::Import;
use crate::git::cli::defence::Defence;
use crate::git::cli::layout;
use crate::git::cli::verb::Verb;
use crate::git::contract::{Place, message};

/// A repository in which anything can be made, and a workspace beside it.
struct Forge {
    place: Disk,
    workspace: Workspace,
    git: PathBuf,
}

impl Forge {
    async fn new() -> Self {
        let place = Disk::new().await;
        let workspace = place.workspace(&[("f", "1\n")]).await;
        let git = place.directory.path().join("forge");
        layout::bare(&git, &place.git.objects_of(&workspace.repo)).unwrap();
        Self { place, workspace, git }
    }

    async fn said(&self, flags: &[&'static str], operands: &[&str], stdin: &[u8]) -> String {
        let call = self.place.git.program.call(&self.git, Verb::Trial).flags(flags).on(operands);
        let who = ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME"];
        let call = who.iter().fold(call, |call, name| call.env(name, "mallory"));
        let call = call.env("GIT_COMMITTER_EMAIL", "mallory").stdin(stdin);
        call.run().await.unwrap().text().unwrap().trim().to_owned()
    }

    async fn blob(&self, text: &str) -> String {
        self.said(&["hash-object", "-w", "--stdin"], &[], text.as_bytes()).await
    }

    /// A tree of exactly these entries, whatever git thinks of them.
    async fn tree(&self, entries: &[(&str, &str, &str)]) -> String {
        let mut raw = Vec::new();
        for (mode, name, object) in entries {
            raw.extend(format!("{mode} {name}\0").into_bytes());
            raw.extend(hex::decode(object).unwrap());
        }
        let make = ["hash-object", "-t", "tree", "-w", "--stdin", "--literally"];
        self.said(&make, &[], &raw).await
    }

    async fn commit(&self, tree: &str, parent: &str) -> String {
        let flags = ["commit-tree", "-m", "mallory was here"];
        let call = self.place.git.program.call(&self.git, Verb::Trial).flags(&flags);
        let who = ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME"];
        let call = who.iter().fold(call, |call, name| call.env(name, "mallory"));
        let call = call.env("GIT_COMMITTER_EMAIL", "mallory").joined("-p", parent).on([tree]);
        call.run().await.unwrap().text().unwrap().trim().to_owned()
    }

    /// Leaves a bundle of `commit` where the packing leaves one.
    async fn leave(&self, commit: &str) {
        self.said(&["update-ref", "refs/slipway/packed"], &[commit], b"").await;
        let pack = self.bundle();
        let not = format!("^{}", self.workspace.at);
        let make = self.place.git.program.call(&self.git, Verb::Trial);
        let make = make.flags(&["bundle", "create", "--quiet"]).joined("", pack.display());
        make.flags(&["refs/slipway/packed"]).joined("", not).run().await.unwrap();
    }

    fn bundle(&self) -> PathBuf {
        self.workspace.path.parent().unwrap().join("pack/bundle")
    }

    async fn import(&self) -> Import {
        self.place.git.import(&self.workspace).await.unwrap()
    }
}

/// Entries of a tree that no checkout survives unharmed, with the words for each.
async fn hostile(forge: &Forge) -> Vec<(&'static str, String)> {
    let blob = forge.blob("x\n").await;
    let config = forge.tree(&[("100644", "config", &blob)]).await;
    let link = forge.blob("../../etc").await;
    let url = "[submodule \"x\"]\n\tpath = x\n\turl = -u./evil\n";
    let url = forge.blob(url).await;
    let turn = forge.blob("[submodule \"../../x\"]\n\tpath = x\n\turl = https://x/\n").await;
    let one = |mode, name, object: &str| (mode, name, object.to_owned());
    let cases = [
        ("git's own directory", vec![one("40000", ".git", &config)]),
        ("the same in capitals", vec![one("40000", ".GIT", &config)]),
        ("the same as NTFS shortens it", vec![one("40000", "git~1", &config)]),
        ("the same with letters HFS ignores", vec![one("40000", ".g\u{200c}it", &config)]),
        ("the parent directory", vec![one("40000", "..", &config)]),
        ("the directory itself", vec![one("40000", ".", &config)]),
        ("a name with a slash", vec![one("100644", "a/b", &blob)]),
        ("one name twice", vec![one("100644", "a", &blob), one("100644", "a", &link)]),
        ("submodules by a link", vec![one("120000", ".gitmodules", &link)]),
        ("a submodule's address that is an option", vec![one("100644", ".gitmodules", &url)]),
        ("a submodule's name that is a path", vec![one("100644", ".gitmodules", &turn)]),
    ];
    let mut found = Vec::new();
    for (what, entries) in cases {
        let entries: Vec<_> =
            entries.iter().map(|(mode, name, object)| (*mode, *name, object.as_str())).collect();
        found.push((what, forge.tree(&entries).await));
    }
    found
}

#[tokio::test]
async fn attack_27_a_bundle_of_hostile_names_is_refused() {
    let mut forge = Forge::new().await;
    for (what, tree) in hostile(&forge).await {
        let at = forge.workspace.at.to_string();
        let commit = forge.commit(&tree, &at).await;
        forge.leave(&commit).await;
        let import = forge.import().await;
        assert!(matches!(import, Import::Refused { .. }), "{what}: {import:?}");
        assert!(forge.place.git.changes(&forge.workspace).await.is_err(), "{what}");
        forge.place.without(Defence::Fsck);
        assert_eq!(forge.import().await, Import::Taken, "without the check: {what}");
        forge.place.restore();
    }
}

#[tokio::test]
async fn links_and_names_that_only_the_gate_can_judge_are_shown_to_it() {
    let forge = Forge::new().await;
    let (blob, link) = (forge.blob("x\n").await, forge.blob("../out").await);
    let at = forge.workspace.at.to_string();
    let entries = [
        ("120000", ".gitattributes", &*link),
        ("100644", "README", &*blob),
        ("160000", "module", &*at),
        ("100644", "readme", &*blob),
    ];
    let tree = forge.tree(&entries).await;
    let commit = forge.commit(&tree, &at).await;
    forge.leave(&commit).await;
    assert_eq!(forge.import().await, Import::Taken);
    let changes = forge.place.git.changes(&forge.workspace).await.unwrap();
    let seen: Vec<_> = changes.files.iter().map(|f| (&*f.path, f.after)).collect();
    let expected = [
        (".gitattributes", Mode::Link),
        ("README", Mode::Plain),
        ("f", Mode::Absent),
        ("module", Mode::Submodule),
        ("readme", Mode::Plain),
    ];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn attack_31_nothing_of_the_history_in_between_leaves() {
    let mut forge = Forge::new().await;
    let secret = format!("secret {:032x}\n", fastrand::u128(..));
    let (hidden, fine) = (forge.blob(&secret).await, forge.blob("2\n").await);
    let first = forge.tree(&[("100644", "f", &fine), ("100644", "key", &hidden)]).await;
    let last = forge.tree(&[("100644", "f", &fine)]).await;
    let first = forge.commit(&first, forge.workspace.at.as_str()).await;
    let chain = forge.commit(&last, &first).await;
    forge.leave(&chain).await;
    let import = forge.import().await;
    assert!(matches!(import, Import::Refused { .. }), "it stands on something of its own");
    forge.place.without(Defence::Parents);
    assert_eq!(forge.import().await, Import::Taken);

    // Whatever a bundle held: what is pushed is one commit of ours and what is new in its tree.
    forge.place.restore();
    let pushed = push(&forge, "work/1").await;
    let listed = forge.place.said(&["rev-list", "--objects"], &[&pushed, "^main"]).await;
    let objects: Vec<&str> = listed.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(objects, [&*pushed, &*last, &*fine], "the commit, its tree, its blob");
    let here = |object: String| async {
        let call = forge.place.git.program.call(&forge.place.bare(), Verb::Trial);
        call.flags(&["cat-file", "-e"]).on([object]).answer().await.unwrap().code == 0
    };
    assert!(here(fine.clone()).await);
    assert!(!here(hidden.clone()).await && !here(first.clone()).await);
    let said = forge.place.said(&["log", "--format=%B%an"], &[&pushed]).await;
    assert!(!said.contains("mallory"), "{said}");

    forge.place.without(Defence::OneCommit);
    let leaked = push(&forge, "work/2").await;
    assert_eq!(leaked, chain);
    let listed = forge.place.said(&["rev-list", "--objects"], &[&leaked, "^main"]).await;
    assert!(listed.contains(&hidden), "with the agent's own commits the secret leaves: {listed}");
}

/// Commits what was imported and pushes it; says what was pushed.
async fn push(forge: &Forge, branch: &str) -> String {
    let git = &forge.place.git;
    let made = git.commit(&forge.workspace, &message("Publish")).await.unwrap().unwrap();
    let branch = BranchName::parse(branch).unwrap();
    let push = Push { branch, new: Some(made.commit.clone()), expect: None };
    assert_eq!(git.push(&forge.place.remote(), &push).await, Ok(PushAnswer::Pushed));
    made.commit.to_string()
}

#[tokio::test]
async fn a_bundle_that_needs_or_holds_something_else_is_refused() {
    let forge = Forge::new().await;
    let tree = forge.tree(&[("100644", "f", &forge.blob("2\n").await)]).await;
    let commit = forge.commit(&tree, forge.workspace.at.as_str()).await;
    forge.leave(&commit).await;
    let path = forge.bundle();
    let good = std::fs::read(&path).unwrap();
    let text = String::from_utf8_lossy(&good).into_owned();
    let header = text.split("\n\nPACK").next().unwrap();
    let pack = &good[header.len()..];
    let other = "7".repeat(40);
    let bad: [Vec<u8>; 6] = [
        good[..good.len() - 30].to_vec(),
        [header.replace(&commit, &other).as_bytes(), pack].concat(),
        [header.replace(forge.workspace.at.as_str(), &other).as_bytes(), pack].concat(),
        [header.replace("slipway/packed", "heads/main").as_bytes(), pack].concat(),
        [header.as_bytes(), &pack[..20]].concat(),
        b"# v2 git bundle\n".repeat(1_000),
    ];
    for bytes in bad {
        std::fs::write(&path, &bytes).unwrap();
        let import = forge.import().await;
        assert!(matches!(import, Import::Refused { .. }), "{import:?}");
    }
    std::fs::write(&path, &good).unwrap();
    assert_eq!(forge.import().await, Import::Taken);
}

/// Bundles tried in an ordinary test run; each takes several processes. `SLIPWAY_FUZZ=<n>` tries
/// as many.
const INPUTS: u64 = 60;

#[expect(clippy::disallowed_methods, reason = "how long to search is told to the tests here")]
fn inputs() -> u64 {
    let asked = std::env::var("SLIPWAY_FUZZ").ok();
    asked.and_then(|asked| asked.replace('_', "").parse().ok()).unwrap_or(INPUTS)
}

fn maim(rng: &mut fastrand::Rng, bytes: &mut Vec<u8>) {
    let at = rng.usize(0..bytes.len());
    match rng.u8(0..5) {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, rng.u8(..)),
        2 => drop(bytes.remove(at)),
        3 => bytes.extend_from_within(..at),
        _ => bytes[at] ^= 1 << rng.u8(0..8),
    }
}

#[tokio::test]
async fn a_maimed_bundle_is_refused_or_means_what_it_meant() {
    let forge = Forge::new().await;
    let tree = forge.tree(&[("100644", "f", &forge.blob("2\n").await)]).await;
    let commit = forge.commit(&tree, forge.workspace.at.as_str()).await;
    forge.leave(&commit).await;
    let good = std::fs::read(forge.bundle()).unwrap();
    let mut refused = 0;
    for seed in 1..=inputs() {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut bytes = good.clone();
        for _ in 0..rng.usize(1..4) {
            if !bytes.is_empty() {
                maim(&mut rng, &mut bytes);
            }
        }
        std::fs::write(forge.bundle(), &bytes).unwrap();
        match forge.import().await {
            Import::Refused { why } => refused += u64::from(!why.is_empty()),
            Import::Taken => {
                let taken = forge.place.git.taken(&forge.workspace).unwrap();
                assert_eq!(taken.left.as_str(), tree, "seed {seed}");
            }
        }
    }
    assert!(refused * 2 > inputs(), "most are refused: {refused}");
}
