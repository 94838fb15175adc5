//! The contract on real repositories, and what hostile ones try.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::gate::push::{Content, Format, Mode};
use crate::git::contract::{self, Files, Place, fetched, message, order};
use crate::git::{ChangeKind, FILE_BYTES_MAX, READ_BYTES_MAX};
use crate::model::Secret;

/// A bare repository to fetch from, and git beside it, in one directory.
pub(super) struct Disk {
    pub(super) directory: tempfile::TempDir,
    pub(super) git: Cli,
}

impl Disk {
    pub(super) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let git = Cli::open_with_local_remotes(&directory.path().join("own")).await.unwrap();
        git.make_bare(&directory.path().join("remote.git")).await.unwrap();
        Self { directory, git }
    }

    fn bare(&self) -> PathBuf {
        self.directory.path().join("remote.git")
    }

    async fn said(&self, args: &[&str]) -> String {
        let call = self.git.program.call(&self.bare()).args(args.iter().copied());
        call.run().await.unwrap().text().unwrap()
    }

    /// A workspace on a branch with these files.
    pub(super) async fn workspace(&self, files: Files<'_>) -> Workspace {
        let at = self.seed("main", files, None).await;
        fetched(self, &["main"]).await;
        self.git.workspace(&order(&self.remote(), &at)).await.unwrap()
    }

    fn plant_hook(&self, name: &str, script: &str) {
        let hook = self.bare().join("hooks").join(name);
        std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
        std::fs::write(&hook, script).unwrap();
        std::fs::set_permissions(&hook, PermissionsExt::from_mode(0o755)).unwrap();
    }
}

#[async_trait]
impl Place for Disk {
    fn git(&self) -> &dyn Git {
        &self.git
    }

    fn remote(&self) -> Remote {
        let repo = Repo::parse("octo/hello").unwrap();
        Remote { repo, url: self.bare().display().to_string(), secret: Secret::new("s3cret") }
    }

    async fn seed(&self, branch: &str, files: Files<'_>, parent: Option<&CommitSha>) -> CommitSha {
        let mut stream = format!(
            "commit refs/heads/{branch}\ncommitter T <t@example.org> 1700000000 +0000\n\
             data 4\nseed\n"
        );
        stream.extend(parent.map(|parent| format!("from {parent}\n")));
        stream.push_str("deleteall\n");
        for (path, text) in files {
            let data = format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len());
            stream.push_str(&data);
        }
        let import = ["fast-import", "--quiet", "--force"];
        self.git.program.call(&self.bare()).args(import).stdin(stream).run().await.unwrap();
        let name = format!("refs/heads/{branch}");
        CommitSha::parse(self.said(&["rev-parse", &name]).await.trim()).unwrap()
    }

    fn edit(&self, workspace: &Workspace, path: &str, text: Option<&str>) {
        let path = workspace.path.join(path);
        match text {
            Some(text) => {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
            None => std::fs::remove_file(path).unwrap(),
        }
    }

    fn look(&self, workspace: &Workspace, path: &str) -> Option<String> {
        std::fs::read_to_string(workspace.path.join(path)).ok()
    }
}

#[tokio::test]
async fn it_keeps_the_contract() {
    contract::all(Disk::new).await;
}

#[tokio::test]
async fn a_commit_says_who_and_when() {
    let place = Disk::new().await;
    let workspace = place.workspace(&[("f", "1\n")]).await;
    place.edit(&workspace, "f", Some("2\n"));
    let made = place.git.commit(&workspace, &message("Add it\n\nBecause.")).await.unwrap();
    let call = place.git.on(&workspace.repo).args(["cat-file", "commit"]);
    let text = call.args([made.unwrap().commit.as_str()]).run().await.unwrap().text().unwrap();
    let (_, text) = text.split_once("\nauthor ").unwrap();
    insta::assert_snapshot!(text, @"
    Slipway <slipway@users.noreply.github.com> 1800000000 +0000
    committer Slipway <slipway@users.noreply.github.com> 1800000000 +0000

    Add it

    Because.

    Co-authored-by: Ann <1+ann@users.noreply.github.com>
    ");
}

#[tokio::test]
async fn nothing_of_git_lies_where_the_agent_works() {
    let place = Disk::new().await;
    let workspace = place.workspace(&[("f", "1\n"), (".gitignore", "out/\n")]).await;
    let names: Vec<_> = std::fs::read_dir(&workspace.path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(names.len() == 2 && !names.contains(&".git".to_owned()), "{names:?}");
    place.edit(&workspace, "out/huge.o", Some("x"));
    assert_eq!(place.git.changes(&workspace).await.unwrap().files, [], "ignored files stay out");
}

/// An agent that leaves a trap wherever git might step into one.
#[tokio::test]
async fn a_planted_repository_runs_nothing() {
    let place = Disk::new().await;
    let workspace = place.workspace(&[("f", "1\n"), ("sub/g", "1\n")]).await;
    let pwned = place.directory.path().join("pwned");
    let trap = format!("touch {}", pwned.display());
    for at in [".git", "sub/.git", "nested/.git"] {
        let git = workspace.path.join(at);
        place.git.make_bare(&git).await.unwrap();
        let config = format!(
            "[core]\nbare = false\nfsmonitor = \"{trap}\"\nhooksPath = hooks\n\
             sshCommand = \"{trap}\"\n\
             [filter \"x\"]\nclean = \"{trap}\"\nsmudge = \"{trap}\"\nrequired = true\n\
             [diff \"x\"]\ntextconv = \"{trap}\"\ncommand = \"{trap}\"\n\
             [merge \"x\"]\ndriver = \"{trap}\"\n"
        );
        std::fs::write(git.join("config"), config).unwrap();
        std::fs::create_dir_all(git.join("hooks")).unwrap();
        for hook in ["pre-commit", "post-checkout", "reference-transaction", "post-index-change"] {
            std::fs::write(git.join("hooks").join(hook), format!("#!/bin/sh\n{trap}\n")).unwrap();
            let runnable = PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(git.join("hooks").join(hook), runnable).unwrap();
        }
    }
    let attributes = "* filter=x diff=x merge=x -text ident working-tree-encoding=UTF-16\n";
    place.edit(&workspace, ".gitattributes", Some(attributes));
    place.edit(&workspace, "sub/.gitattributes", Some(attributes));
    place.edit(&workspace, "sub/g", Some("$Id$\r\n"));
    place.edit(&workspace, "nested/h", Some("h\n"));
    let changes = place.git.changes(&workspace).await.unwrap();
    let held: Vec<_> = changes.files.iter().map(|f| (&*f.path, f.special)).collect();
    assert_eq!(held, [("nested/", true)], "a repository inside is refused");
    assert!(place.git.commit(&workspace, &message("No")).await.is_err());

    std::fs::remove_dir_all(workspace.path.join("nested")).unwrap();
    let changes = place.git.changes(&workspace).await.unwrap();
    let paths: Vec<_> = changes.files.iter().map(|file| &*file.path).collect();
    assert_eq!(paths, [".gitattributes", "sub/.gitattributes", "sub/g"]);
    let made = place.git.commit(&workspace, &message("Yes")).await.unwrap().unwrap();
    let again = place.git.workspace(&order(&place.remote(), &made.commit)).await.unwrap();
    assert_eq!(place.look(&again, "sub/g").as_deref(), Some("$Id$\r\n"), "byte for byte");
    assert!(!again.path.join(".git").exists() && !again.path.join("sub/.git").exists());
    assert!(!pwned.exists(), "something the agent left was run");
}

#[tokio::test]
async fn links_submodules_and_reserved_names_are_called_special() {
    let place = Disk::new().await;
    let workspace = place.workspace(&[("f", "1\n"), ("d/x", "1\n")]).await;
    symlink("/etc/passwd", workspace.path.join("link")).unwrap();
    std::fs::remove_dir_all(workspace.path.join("d")).unwrap();
    symlink("/etc", workspace.path.join("d")).unwrap();
    let changes = place.git.changes(&workspace).await.unwrap();
    let seen: Vec<_> = changes.files.iter().map(|f| (&*f.path, f.kind, f.after)).collect();
    let (added, deleted) = (ChangeKind::Added, ChangeKind::Deleted);
    let (link, gone) = (Mode::Link, Mode::Absent);
    assert_eq!(seen, [("d", added, link), ("d/x", deleted, gone), ("link", added, link)]);
    let link = changes.files.last().unwrap();
    assert_eq!(link.link.as_deref(), Some("/etc/passwd"), "where it points, not what is there");

    let other = place.workspace(&[("f", "1\n")]).await;
    place.edit(&other, ".GIT/config", Some("x"));
    place.edit(&other, "a/git~1", Some("x"));
    let huge = std::fs::File::create(other.path.join("huge")).unwrap();
    huge.set_len(FILE_BYTES_MAX + 1).unwrap();
    std::fs::remove_file(other.path.join("f")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(other.path.join("f")).unwrap();
    let changes = place.git.changes(&other).await.unwrap();
    let seen: Vec<_> = changes.files.iter().map(|f| (&*f.path, f.special)).collect();
    assert_eq!(seen, [(".GIT/config", true), ("a/git~1", true), ("huge", true), ("f", true)]);
    assert!(place.git.commit(&other, &message("No")).await.is_err());
}

#[tokio::test]
async fn binary_files_and_long_changes_are_cut_not_lost() {
    let place = Disk::new().await;
    let workspace = place.workspace(&[("f", "1\n")]).await;
    place.edit(&workspace, "b", Some("a\0b\n"));
    place.edit(&workspace, "f", Some(&"line\n".repeat(1_000)));
    let changes = place.git.changes(&workspace).await.unwrap();
    assert_eq!(changes.files[0].content, Content::Binary(Format::Unknown, Vec::new()));
    assert!(changes.files[0].added_lines.is_empty());
    assert_eq!((changes.files[1].added, changes.files[1].added_lines.len()), (1_000, 1_000));
    assert_eq!(changes.files[1].added_lines[999].number, 1_000);
    // A long line is whole: what it ends in is looked at too.
    place.edit(&workspace, "f", Some(&"x".repeat(100_000)));
    let changes = place.git.changes(&workspace).await.unwrap();
    assert_eq!(changes.files[1].added_lines[0].text.len(), 100_000);
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
