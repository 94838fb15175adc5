//! What an agent plants in the repository it works in.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::gate::push::Mode;
use crate::git::cli::defence::Defence;
use crate::git::cli::verb::Verb;
use crate::git::contract::{Place, fetched, order};

/// A planted configuration, and how git would be brought to step on it: by the packing, or by
/// what the host asks of a repository, should that ever be one an agent could write.
struct Trap {
    what: &'static str,
    /// `TRAP` stands for a command, `REMOTE` for the repository fetched from.
    config: &'static str,
    attributes: &'static str,
    by: By,
}

enum By {
    Packing,
    Verb(&'static [&'static str]),
    /// The same against a server that demands a password.
    Locked(&'static [&'static str]),
}

const fn trap(what: &'static str, config: &'static str, by: By) -> Trap {
    Trap { what, config, attributes: "", by }
}

const ALL: &str = "* filter=x diff=x merge=x\n";
const PACKING: &[Trap] = &[
    Trap {
        what: "a clean filter",
        config: "[filter \"x\"]\nclean = TRAP\n",
        attributes: ALL,
        by: By::Packing,
    },
    Trap {
        what: "a filter process",
        config: "[filter \"x\"]\nprocess = TRAP\n",
        attributes: ALL,
        by: By::Packing,
    },
    Trap {
        what: "a filter in a file that is included",
        config: "[include]\npath = more\n",
        attributes: ALL,
        by: By::Packing,
    },
];
const OF_THE_HOST: &[Trap] = &[
    trap("a file monitor", "[core]\nfsmonitor = TRAP\n", By::Verb(&["status"])),
    trap("hooks", "[core]\nhooksPath = .git/hooks\n", By::Verb(&["update-ref", "refs/x", "HEAD"])),
    trap("hooks of a commit", "", By::Verb(&["commit", "--quiet", "--allow-empty", "-m", "x"])),
    trap(
        "an ssh command",
        "[core]\nsshCommand = TRAP\n[ssh]\nvariant = simple\n",
        By::Verb(&["fetch", "ssh://localhost/x"]),
    ),
    trap("a git proxy", "[core]\ngitProxy = TRAPFILE\n", By::Verb(&["fetch", "git://localhost/x"])),
    trap(
        "another address",
        "[protocol \"ext\"]\nallow = always\n[url \"ext::TRAP %S \"]\ninsteadOf = evil:\n",
        By::Verb(&["fetch", "evil:x"]),
    ),
    trap(
        "an upload program",
        "[remote \"o\"]\nurl = REMOTE\nuploadpack = TRAP;\n",
        By::Verb(&["fetch", "o"]),
    ),
    trap(
        "a receive program",
        "[remote \"o\"]\nurl = REMOTE\nreceivepack = TRAP;\n",
        By::Verb(&["push", "o", "HEAD:refs/heads/x"]),
    ),
    trap(
        "a program to sign with",
        "[commit]\ngpgSign = true\n[gpg]\nprogram = TRAPFILE\n",
        By::Verb(&["commit", "--quiet", "--allow-empty", "-m", "x"]),
    ),
    trap("an editor", "[core]\neditor = TRAP\n", By::Verb(&["commit", "--quiet", "--allow-empty"])),
    trap("a credential helper", "[credential]\nhelper = !TRAP\n", By::Locked(&["ls-remote"])),
    trap("a program that asks", "[core]\naskPass = TRAPFILE\n", By::Locked(&["ls-remote"])),
];
/// What no verb of ours steps on at all, planted all the same.
const MORE: &str = "[diff]\nexternal = TRAP\n[diff \"x\"]\ntextconv = TRAP\ncommand = TRAP\n\
                    [merge \"x\"]\ndriver = TRAP\n[filter \"y\"]\nsmudge = TRAP\nclean = TRAP\n\
                    required = true\n[alias]\nfetch = !TRAP\nadd = !TRAP\nwrite-tree = !TRAP\n\
                    [uploadpack]\npackObjectsHook = TRAP\n[core]\npager = TRAP\n";
const HOOKS: [&str; 6] = [
    "pre-commit",
    "post-checkout",
    "post-index-change",
    "pre-push",
    "reference-transaction",
    "post-commit",
];

/// Plants `traps` in the repository of `workspace`, and hooks beside them.
fn plant(place: &Disk, workspace: &Workspace, config: &str, attributes: &str) {
    let git = workspace.path.join(".git");
    let (_, trap) = place.trap();
    let file = place.directory.path().join("trap.sh");
    std::fs::write(&file, format!("#!/bin/sh\n{trap}\n")).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
    let remote = place.bare().display().to_string();
    let filled = |text: &str| {
        let text = text.replace("TRAPFILE", &file.display().to_string());
        text.replace("TRAP", &trap).replace("REMOTE", &remote)
    };
    let before = std::fs::read_to_string(git.join("config")).unwrap();
    std::fs::write(git.join("config"), filled(&format!("{before}{config}"))).unwrap();
    std::fs::write(git.join("more"), filled("[filter \"x\"]\nclean = TRAP\n")).unwrap();
    std::fs::write(git.join("info/attributes"), attributes).unwrap();
    std::fs::create_dir_all(git.join("hooks")).unwrap();
    for hook in HOOKS {
        std::fs::copy(&file, git.join("hooks").join(hook)).unwrap();
    }
    place.edit(workspace, "f", Some("changed\n"));
}

fn sprung(place: &Disk) -> bool {
    std::fs::remove_file(place.trap().0).is_ok()
}

/// Answers every request with a demand for a password.
fn locked() -> (String, std::net::TcpListener) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let served = listener.try_clone().unwrap();
    std::thread::spawn(move || {
        for mut stream in served.incoming().flatten() {
            let mut request = [0; 4_096];
            let answer = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\
                          Content-Length: 0\r\nConnection: close\r\n\r\n";
            if stream.read(&mut request).is_err() || stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    (format!("http://{}/o/r.git", listener.local_addr().unwrap()), listener)
}

/// Makes the host's git work in the agent's own repository, which it never does.
async fn step_on(place: &Disk, workspace: &Workspace, by: &By) {
    let git = workspace.path.join(".git");
    let call = |flags: &[&'static str]| {
        place.git.program.call(&git, Verb::Trial).files(&workspace.path).flags(flags)
    };
    match by {
        By::Packing => drop(place.packed(workspace).await),
        By::Verb(flags) => drop(call(flags).seconds_max(10).answer().await.unwrap()),
        By::Locked(flags) => {
            let (url, _listener) = locked();
            let reached = call(flags).transport("http");
            drop(reached.on([url]).seconds_max(10).answer().await.unwrap());
        }
    }
}

#[tokio::test]
async fn attack_25_what_an_agent_plants_in_its_repository_runs_nowhere() {
    let everything = || {
        let traps = PACKING.iter().chain(OF_THE_HOST);
        traps.map(|trap| trap.config).chain([MORE]).collect::<String>()
    };
    let mut place = Disk::new().await;
    let workspace = place.workspace(&[("f", "1\n"), ("sub/g", "1\n")]).await;
    plant(&place, &workspace, &everything(), ALL);
    place.edit(&workspace, ".gitattributes", Some("* filter=x diff=y merge=x ident\n"));
    place.edit(&workspace, "sub/g", Some("$Id$\r\n"));
    let alternates = place.bare().join("objects").display().to_string();
    place.edit(&workspace, ".git/objects/info/alternates", Some(&alternates));
    let made = place.publish(&workspace, "work/1").await;
    assert!(!sprung(&place), "something the agent planted was run");
    let again = place.git.workspace(&order(&place.remote(), &made)).await.unwrap();
    assert_eq!(place.look(&again, "sub/g").as_deref(), Some("$Id$\r\n"), "byte for byte");
    assert!(!sprung(&place));

    for trap in PACKING {
        let workspace = place.workspace(&[("f", "1\n")]).await;
        plant(&place, &workspace, trap.config, trap.attributes);
        step_on(&place, &workspace, &trap.by).await;
        assert!(!sprung(&place), "{}", trap.what);
        let workspace = place.workspace(&[("f", "1\n")]).await;
        plant(&place, &workspace, trap.config, trap.attributes);
        place.without(Defence::OwnRepository);
        step_on(&place, &workspace, &trap.by).await;
        assert!(sprung(&place), "in the agent's own repository nothing helps: {}", trap.what);
        place.restore();
    }
    for trap in OF_THE_HOST {
        let workspace = place.workspace(&[("f", "1\n")]).await;
        plant(&place, &workspace, trap.config, trap.attributes);
        step_on(&place, &workspace, &trap.by).await;
        assert!(!sprung(&place), "{}", trap.what);
        place.without(Defence::Settings);
        step_on(&place, &workspace, &trap.by).await;
        assert!(sprung(&place), "without our settings: {}", trap.what);
        place.restore();
    }
}

#[tokio::test]
async fn attack_26_a_repository_inside_the_repository_is_refused() {
    let mut place = Disk::new().await;
    let workspace = place.workspace(&[("f", "1\n")]).await;
    let nested = workspace.path.join("nested/.git");
    std::fs::create_dir_all(nested.parent().unwrap()).unwrap();
    place.git.make_bare(&nested).await.unwrap();
    let (_, trap) = place.trap();
    let config =
        format!("[core]\nbare = false\nfsmonitor = {trap}\n[filter \"x\"]\nclean = {trap}\n");
    std::fs::write(nested.join("config"), config).unwrap();
    place.edit(&workspace, "nested/.gitattributes", Some("* filter=x\n"));
    place.edit(&workspace, "nested/h", Some("h\n"));
    let (_, said) = place.packed(&workspace).await;
    assert!(said.contains("nested"), "{said}");
    let import = place.git.import(&workspace).await.unwrap();
    assert!(matches!(import, Import::Refused { .. }), "an empty one: {import:?}");

    // One that has a commit becomes a submodule, which the gate does not let through.
    let commit = fetched(&place, &["main"]).await[0].to_string();
    let head = format!("{commit}\n");
    let workspace = place.workspace(&[("f", "2\n")]).await;
    let nested = workspace.path.join("nested/.git");
    std::fs::create_dir_all(nested.join("refs/heads")).unwrap();
    std::fs::create_dir_all(nested.join("objects")).unwrap();
    std::fs::write(nested.join("HEAD"), head).unwrap();
    place.pack(&workspace).await;
    let import = place.git.import(&workspace).await.unwrap();
    assert_eq!(import, Import::Taken);
    let changes = place.git.changes(&workspace).await.unwrap();
    let seen: Vec<_> = changes.files.iter().map(|file| (&*file.path, file.after)).collect();
    assert_eq!(seen, [("nested", Mode::Submodule)]);
    assert!(!sprung(&place));

    // With git in the agent's own repository, a link to it would be enough.
    let workspace = place.workspace(&[("f", "3\n")]).await;
    plant(&place, &workspace, PACKING[0].config, PACKING[0].attributes);
    place.without(Defence::OwnRepository);
    place.packed(&workspace).await;
    assert!(sprung(&place));
}
