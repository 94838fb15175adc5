//! The contract on real repositories, and what a workspace is like.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::ground::Disk;
use super::verb::Verb;
use super::*;
use crate::gate::push::{Content, Format, Mode};
use crate::git::contract::{self, Place, fetched, message};
use crate::git::{ChangeKind, READ_BYTES_MAX};
use crate::process::End;

#[tokio::test]
async fn it_keeps_the_contract() {
    contract::all(Disk::new).await;
}

#[tokio::test]
async fn a_commit_says_who_and_when() {
    let place = Disk::new().await;
    let workspace = place.workspace(&[("f", "1\n")]).await;
    place.edit(&workspace, "f", Some("2\n"));
    contract::import(&place, &workspace).await;
    let made = place.git.commit(&workspace, &message("Add it\n\nBecause.")).await.unwrap();
    let call = place.git.on(&workspace.repo, Verb::CatFile);
    let call = call.on(["commit", made.unwrap().commit.as_str()]);
    let text = call.run().await.unwrap().text().unwrap();
    let (_, text) = text.split_once("\nauthor ").unwrap();
    insta::assert_snapshot!(text, @"
    Slipway <slipway@users.noreply.github.com> 1800000000 +0000
    committer Slipway <slipway@users.noreply.github.com> 1800000000 +0000

    Add it

    Because.

    Co-authored-by: Ann <1+ann@users.noreply.github.com>
    ");
}

/// An agent finds a repository to look at and to commit in, and no way out of it.
#[tokio::test]
async fn a_workspace_is_a_repository_that_leads_nowhere() {
    let place = Disk::new().await;
    let workspace = place.workspace(&[("f", "1\n")]).await;
    let git = workspace.path.join(".git");
    let say = |flags: &'static [&'static str]| {
        place.git.program.call(&git, Verb::Trial).files(&workspace.path).flags(flags).run()
    };
    let log = say(&["log", "--format=%s"]).await.unwrap().text().unwrap();
    assert_eq!(log, "seed\n", "it can look at history");
    assert_eq!(say(&["status", "--porcelain"]).await.unwrap().text().unwrap(), "");
    place.edit(&workspace, "f", Some("2\n"));
    say(&["commit", "--quiet", "--all", "--message=own"]).await.unwrap();
    let config = place.look(&workspace, ".git/config").unwrap();
    assert!(config.contains("url = https://invalid.invalid/"), "{config}");
    assert!(!config.contains("s3cret") && !config.contains("remote.git"), "{config}");
    assert_eq!(workspace.borrowed, [place.git.objects_of(&workspace.repo)]);
    let made = place.publish(&workspace, "work/1").await;
    let log = place.said(&["log", "--format=%an %s"], &[made.as_str()]).await;
    assert_eq!(log, "Slipway Publish\nT seed\n", "what it committed itself counts for nothing");
}

#[tokio::test]
async fn the_start_decides_what_is_ignored() {
    let place = Disk::new().await;
    let files = [("f", "1\n"), (".gitignore", "out/\n*.key\n"), ("d/.gitignore", "tmp\n")];
    let workspace = place.workspace(&files).await;
    place.edit(&workspace, ".gitignore", Some("!out/\n!*.key\nnew/\n"));
    place.edit(&workspace, "d/.gitignore", None);
    let info = Some("f\n");
    for (path, text) in [("out/o", "x"), ("a.key", "x"), ("d/tmp", "x"), ("new/n", "x")] {
        place.edit(&workspace, path, Some(text));
    }
    place.edit(&workspace, ".git/info/exclude", info);
    place.edit(&workspace, "f", Some("2\n"));
    contract::import(&place, &workspace).await;
    let changes = place.git.changes(&workspace).await.unwrap();
    let paths: Vec<_> = changes.files.iter().map(|file| &*file.path).collect();
    assert_eq!(paths, [".gitignore", "d/.gitignore", "f"]);
}

#[tokio::test]
async fn places_of_configuration_that_are_empty_are_named() {
    let place = Disk::new().await;
    let files = [("f", "1\n"), ("AGENTS.md", "1\n"), (".codex/config.toml", "1\n")];
    let workspace = place.workspace(&files).await;
    let named = |place: &str| workspace.absent.contains(&place.to_owned());
    assert!(named(".mcp.json") && named(".claude/"), "{workspace:?}");
    assert!(!named("AGENTS.md") && !named(".codex/"), "{workspace:?}");
}

/// Whatever the agent says of what is ignored.
#[tokio::test]
async fn what_was_planted_never_leaves() {
    let place = Disk::new().await;
    let workspace = place.workspace(&[("f", "1\n"), (".gitignore", "!.env*\n")]).await;
    for planted in [".env.one", ".env.two"] {
        place.git.plant(&workspace, planted, "planted\n").await.unwrap();
    }
    let git = workspace.path.join(".git");
    let status = place.git.program.call(&git, Verb::Trial).files(&workspace.path);
    let status = status.flags(&["status", "--porcelain"]).run().await.unwrap();
    assert_eq!(status.text().unwrap(), "?? .env.one\n?? .env.two\n", "git would take them");
    place.edit(&workspace, ".gitignore", Some("!.env.one\n"));
    contract::import(&place, &workspace).await;
    let changes = place.git.changes(&workspace).await.unwrap();
    let paths: Vec<_> = changes.files.iter().map(|file| &*file.path).collect();
    assert_eq!(paths, [".gitignore"]);
    for bad in ["", "a/b", "a b", "a\nb", "*"] {
        assert!(place.git.plant(&workspace, bad, "x").await.is_err(), "{bad:?}");
    }
}

#[tokio::test]
async fn links_and_large_files_are_told_and_not_read() {
    let place = Disk::new().await;
    let workspace = place.workspace(&[("f", "1\n"), ("d/x", "1\n")]).await;
    symlink("/etc/passwd", workspace.path.join("link")).unwrap();
    std::fs::remove_dir_all(workspace.path.join("d")).unwrap();
    symlink("/etc", workspace.path.join("d")).unwrap();
    let huge = std::fs::File::create(workspace.path.join("huge")).unwrap();
    let size = 60 << 20;
    huge.set_len(size).unwrap();
    contract::import(&place, &workspace).await;
    let changes = place.git.changes(&workspace).await.unwrap();
    let seen: Vec<_> = changes.files.iter().map(|f| (&*f.path, f.kind, f.after)).collect();
    let (added, deleted) = (ChangeKind::Added, ChangeKind::Deleted);
    let (link, plain, gone) = (Mode::Link, Mode::Plain, Mode::Absent);
    let expected =
        [("d", added, link), ("d/x", deleted, gone), ("huge", added, plain), ("link", added, link)];
    assert_eq!(seen, expected);
    let link = changes.files.last().unwrap();
    assert_eq!(link.link.as_deref(), Some("/etc/passwd"), "where it points, not what is there");
    assert_eq!((changes.files[2].bytes, &changes.files[2].content), (size, &Content::Unread));
}

/// Variables that would steer a loader or an engine's client are refused by sandboxes.
#[tokio::test]
async fn a_packing_sets_only_what_every_sandbox_lets_it_set() {
    let place = Disk::new().await;
    let workspace = place.workspace(&[("f", "1\n")]).await;
    let packing = place.git.packing(&workspace).await.unwrap();
    let ours = |name: &str| ["GIT_", "SLIPWAY_"].iter().any(|ours| name.starts_with(ours));
    let other: Vec<_> = packing.env.iter().map(|(name, _)| &**name).filter(|n| !ours(n)).collect();
    assert_eq!(other, ["LC_ALL", "TZ", "SSH_ASKPASS"]);
    assert!(packing.env.iter().any(|(name, _)| name == "GIT_CONFIG_GLOBAL"));
}

#[tokio::test]
async fn what_git_cannot_take_is_not_packed() {
    let place = Disk::new().await;
    for what in [".GIT/config", "a/git~1", "a/.git./x"] {
        let workspace = place.workspace(&[("f", "1\n")]).await;
        place.edit(&workspace, what, Some("x"));
        let (end, said) = place.packed(&workspace).await;
        assert!(end != End::Exited(0) && said.contains(what), "{what}: {said}");
        let refused = place.git.import(&workspace).await.unwrap();
        assert!(matches!(refused, Import::Refused { .. }), "{what}");
        assert!(place.git.commit(&workspace, &message("No")).await.is_err());
    }
    let workspace = place.workspace(&[("f", "1\n")]).await;
    std::fs::remove_file(workspace.path.join("f")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(workspace.path.join("f")).unwrap();
    let (end, said) = place.packed(&workspace).await;
    assert!(end != End::Exited(0), "{said}");
}

#[tokio::test]
async fn names_by_sha_256_are_refused_aloud() {
    let place = Disk::new().await;
    let other = place.directory.path().join("other.git");
    let init = ["init", "--bare", "--quiet", "--template=", "--object-format=sha256"];
    place.git.program.call(&other, Verb::Trial).flags(&init).run().await.unwrap();
    let stream = "commit refs/heads/main\ncommitter T <t@example.org> 1 +0000\ndata 1\nx\n";
    let call = place.git.program.call(&other, Verb::Trial).flags(&["fast-import", "--quiet"]);
    call.stdin(stream).run().await.unwrap();
    let remote = Remote { url: other.display().to_string(), ..place.remote() };
    let error = place.git.fetch(&remote, &[BranchName::parse("main").unwrap()]).await.unwrap_err();
    assert!(matches!(&error, Error::Local(why) if why.contains("SHA-256")), "{error:?}");
}

#[test]
fn a_git_is_old_by_its_own_line() {
    for old in ["git version 2.39.5", "git version 2.47.2", "git version 2.50.0"] {
        assert!(Cli::is_old(old), "{old}");
    }
    for new in ["git version 2.47.3", "git version 2.50.1 (Apple Git-155)", "git version 2.51.0"] {
        assert!(!Cli::is_old(new), "{new}");
    }
}

#[tokio::test]
async fn binary_files_and_long_changes_are_cut_not_lost() {
    let place = Disk::new().await;
    let workspace = place.workspace(&[("f", "1\n")]).await;
    place.edit(&workspace, "b", Some("a\0b\n"));
    place.edit(&workspace, "f", Some(&"line\n".repeat(1_000)));
    contract::import(&place, &workspace).await;
    let changes = place.git.changes(&workspace).await.unwrap();
    assert_eq!(changes.files[0].content, Content::Binary(Format::Unknown, Vec::new()));
    assert!(changes.files[0].added_lines.is_empty());
    assert_eq!((changes.files[1].added, changes.files[1].added_lines.len()), (1_000, 1_000));
    assert_eq!(changes.files[1].added_lines[999].number, 1_000);
    // A long line is whole: what it ends in is looked at too.
    let workspace = place.workspace(&[("f", "1\n")]).await;
    place.edit(&workspace, "f", Some(&"x".repeat(100_000)));
    contract::import(&place, &workspace).await;
    let changes = place.git.changes(&workspace).await.unwrap();
    assert_eq!(changes.files[0].added_lines[0].text.len(), 100_000);
}

/// Attack 32: sizes come before contents.
#[tokio::test]
async fn attack_32_what_is_too_large_is_not_read() {
    let place = Disk::new().await;
    let workspace = place.workspace(&[("f", "1\n")]).await;
    let size = usize::try_from(READ_BYTES_MAX).unwrap();
    place.edit(&workspace, "most", Some(&"a".repeat(size)));
    place.edit(&workspace, "over", Some(&"a".repeat(size + 1)));
    std::fs::set_permissions(workspace.path.join("f"), PermissionsExt::from_mode(0o755)).unwrap();
    contract::import(&place, &workspace).await;
    let changes = place.git.changes(&workspace).await.unwrap();
    let seen: Vec<_> =
        changes.files.iter().map(|f| (&*f.path, f.bytes, f.content.clone(), f.added)).collect();
    let (most, over) = (READ_BYTES_MAX, READ_BYTES_MAX + 1);
    assert_eq!(
        seen,
        [
            ("f", 2, Content::Text, 0),
            ("most", most, Content::Text, 1),
            ("over", over, Content::Unread, 0),
        ]
    );
    assert_eq!((changes.files[0].before, changes.files[0].after), (Mode::Plain, Mode::Runnable));
    // Ten thousand files: their names are enough.
    let other = place.workspace(&[("f", "1\n")]).await;
    std::fs::create_dir(other.path.join("d")).unwrap();
    for n in 0..10_001 {
        std::fs::write(other.path.join(format!("d/{n}")), "x").unwrap();
    }
    contract::import(&place, &other).await;
    let changes = place.git.changes(&other).await.unwrap();
    assert!(changes.truncated && changes.patch_bytes == 0);
    assert!(changes.files.iter().all(|file| file.content == Content::Unread));
}

#[tokio::test]
async fn a_remote_that_refuses_is_quoted() {
    let place = Disk::new().await;
    place.plant_hook("pre-receive", "#!/bin/sh\necho 'GH006: protected' >&2\nexit 1\n");
    let at = place.seed("main", &[("f", "1\n")], None).await;
    fetched(&place, &["main"]).await;
    let push = Push { branch: BranchName::parse("x").unwrap(), new: Some(at), expect: None };
    let answer = place.git.push(&place.remote(), &push).await.unwrap();
    let PushAnswer::Refused { text } = answer else { panic!("{answer:?}") };
    assert_eq!(text, "[remote rejected] (pre-receive hook declined): GH006: protected");
}

#[tokio::test]
async fn a_remote_that_is_not_there_may_be_tried_again() {
    let place = Disk::new().await;
    let mut remote = place.remote();
    remote.url.push_str(".gone");
    let error = place.git.fetch(&remote, &[BranchName::parse("main").unwrap()]).await.unwrap_err();
    assert!(matches!(error, Error::Remote(_)) && error.retry(), "{error:?}");
    let strict = Cli::open(&place.directory.path().join("strict")).await.unwrap();
    let refused = strict.fetch(&remote, &[BranchName::parse("main").unwrap()]).await.unwrap_err();
    assert!(matches!(refused, Error::Local(_)), "{refused:?}");
}

#[tokio::test]
async fn sweeping_removes_old_workspaces_and_keeps_the_mirror() {
    let place = Disk::new().await;
    let workspace = place.workspace(&[("f", "1\n")]).await;
    place.edit(&workspace, "f", Some("2\n"));
    contract::import(&place, &workspace).await;
    let made = place.git.commit(&workspace, &message("Keep")).await.unwrap().unwrap();
    assert_eq!(place.git.sweep(std::time::SystemTime::UNIX_EPOCH).await.unwrap(), 0);
    assert!(workspace.path.exists());
    let future = std::fs::metadata(&workspace.path).unwrap().modified().unwrap()
        + std::time::Duration::from_mins(1);
    assert_eq!(place.git.sweep(future).await.unwrap(), 1);
    assert!(!workspace.path.exists());
    let tree = place.git.tree_of(&workspace.repo, &made.commit).await.unwrap();
    assert_eq!(tree, made.tree, "a commit of ours outlives the workspace");
}

#[tokio::test]
async fn locks_of_a_killed_process_do_not_block_the_mirror() {
    let place = Disk::new().await;
    place.seed("main", &[("f", "1\n")], None).await;
    fetched(&place, &["main"]).await;
    let main = BranchName::parse("main").unwrap();
    let mirror = place.git.mirror_path(&place.remote().repo);
    let lock = mirror.join(format!("{}.lock", mirror::seen(&main)));
    std::fs::write(&lock, "").unwrap();
    std::fs::write(mirror.join("packed-refs.lock"), "").unwrap();
    let next = place.seed("main", &[("f", "2\n")], None).await;
    assert!(place.git.fetch(&place.remote(), std::slice::from_ref(&main)).await.is_err());
    let own = place.directory.path().join("own");
    let again = Cli::open_with_local_remotes(&own).await.unwrap();
    let found = again.fetch(&place.remote(), std::slice::from_ref(&main)).await.unwrap();
    assert_eq!(found[&main], next);
}

#[tokio::test]
async fn a_key_is_never_a_path() {
    let place = Disk::new().await;
    let mut workspace = place.workspace(&[("f", "1\n")]).await;
    for bad in ["", "..", "a/b", "/etc"] {
        workspace.key = bad.to_owned();
        assert!(place.git.discard(workspace.clone()).await.is_err(), "{bad:?}");
    }
}
