//! Ground for tests on real repositories: a remote that is a path, and git beside it.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;

use tokio_util::sync::CancellationToken;

use super::defence::{Defence, Defences};
use super::verb::Verb;
use super::*;
use crate::git::contract::{self, Files, Place, fetched, message, order};
use crate::model::Secret;
use crate::process::{ASK, End, Order, run};

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

    pub(super) fn bare(&self) -> PathBuf {
        self.directory.path().join("remote.git")
    }

    /// What git says of the remote.
    pub(super) async fn said(&self, flags: &[&'static str], operands: &[&str]) -> String {
        let call = self.git.program.call(&self.bare(), Verb::Trial).flags(flags);
        call.on(operands).run().await.unwrap().text().unwrap()
    }

    /// The same place, with one defence taken away.
    pub(super) fn without(&mut self, defence: Defence) {
        self.git.program.defences = Defences::without(defence);
    }

    /// With all of them again.
    pub(super) fn restore(&mut self) {
        self.git.program.defences = Defences::default();
    }

    /// What it takes to see that something ran that an agent planted.
    pub(super) fn trap(&self) -> (PathBuf, String) {
        let pwned = self.directory.path().join("pwned");
        let trap = format!("touch {}", pwned.display());
        (pwned, trap)
    }

    /// Runs the packing as a program without any sandbox around it.
    pub(super) async fn packed(&self, workspace: &Workspace) -> (End, String) {
        let packing = self.git.packing(workspace).await.unwrap();
        let path = [("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".into())];
        let env = packing.env.into_iter().map(|(name, value)| (name, OsString::from(value)));
        let order = Order {
            program: "/bin/sh".into(),
            args: packing.args.into_iter().map(OsString::from).collect(),
            env: env.chain(path).collect(),
            directory: packing.directory,
            stdin: Vec::new(),
            wall_max: std::time::Duration::from_mins(1),
            output_bytes_max: 10_000,
            stranger: true,
            asks: ASK,
        };
        let outcome = run(&order, &CancellationToken::new()).await.unwrap();
        (outcome.end, outcome.stderr.text())
    }

    /// The whole way of a workspace into the remote.
    pub(super) async fn publish(&self, workspace: &Workspace, branch: &str) -> CommitSha {
        contract::import(self, workspace).await;
        self.git.changes(workspace).await.unwrap();
        let made = self.git.commit(workspace, &message("Publish")).await.unwrap().unwrap();
        let branch = BranchName::parse(branch).unwrap();
        let push = Push { branch, new: Some(made.commit.clone()), expect: None };
        assert_eq!(self.git.push(&self.remote(), &push).await, Ok(PushAnswer::Pushed));
        made.commit
    }

    /// A workspace on a branch with these files.
    pub(super) async fn workspace(&self, files: Files<'_>) -> Workspace {
        let at = self.seed("main", files, None).await;
        fetched(self, &["main"]).await;
        self.git.workspace(&order(&self.remote(), &at)).await.unwrap()
    }

    pub(super) fn plant_hook(&self, name: &str, script: &str) {
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
        let call = self.git.program.call(&self.bare(), Verb::Trial).flags(&import);
        call.stdin(stream).run().await.unwrap();
        let name = format!("refs/heads/{branch}");
        CommitSha::parse(self.said(&["rev-parse", "--verify"], &[&name]).await.trim()).unwrap()
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

    async fn pack(&self, workspace: &Workspace) {
        let (end, said) = self.packed(workspace).await;
        assert_eq!(end, End::Exited(0), "{said}");
    }

    fn look(&self, workspace: &Workspace, path: &str) -> Option<String> {
        std::fs::read_to_string(workspace.path.join(path)).ok()
    }
}
