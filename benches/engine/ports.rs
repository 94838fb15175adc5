//! Git and a sandbox that answer at once and remember next to nothing, and what `hub` shares.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use slipway::gate::seen::{Merge, Probe};
use slipway::git::{
    self, Changes, Committed, Git, Import, Message, Packing, Plain, Push, PushAnswer, Workspace,
    WorkspaceOrder,
};
use slipway::github::Remote;
use slipway::model::{BranchName, CommitSha, PullNumber, Repo, TreeSha, User, UserId};
use slipway::sandbox::{self, End, Invocation, Sandbox, Transcript};
use tokio_util::sync::CancellationToken;

/// The base's commit; heads are numbered from 1.
pub(crate) const BASE: u8 = 0;

/// Everything the engine reaches out to.
#[derive(Debug)]
pub(crate) struct Instantly {
    /// Updates until a head contains the base.
    updates: u8,
    pub(crate) policy: String,
    ids: AtomicU64,
    pub(crate) pulls: Mutex<BTreeMap<PullNumber, BranchName>>,
    pub(crate) branches: Mutex<BTreeMap<BranchName, CommitSha>>,
    pub(crate) heard: Mutex<(u64, Option<Instant>)>,
}

pub(crate) fn commit(generation: u8) -> CommitSha {
    CommitSha::parse(&format!("{generation:040x}")).unwrap()
}

fn generation(commit: &CommitSha) -> u8 {
    u8::from_str_radix(commit.as_str().get(38..).unwrap_or("0"), 16).unwrap()
}

fn tree(generation: u8) -> TreeSha {
    TreeSha::parse(&format!("{generation:040x}")).unwrap()
}

pub(crate) fn main_branch() -> BranchName {
    BranchName::parse("main").unwrap()
}

pub(crate) fn mona() -> User {
    User { id: UserId(1), login: "mona".to_owned(), bot: false }
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Instantly {
    pub(crate) fn new(updates: u8, policy: String) -> Self {
        Self {
            updates,
            policy,
            ids: AtomicU64::new(1_000_000),
            pulls: Mutex::default(),
            branches: Mutex::default(),
            heard: Mutex::default(),
        }
    }

    /// Reactions put so far.
    pub(crate) fn heard(&self) -> u64 {
        locked(&self.heard).0
    }

    /// When the last one was put.
    pub(crate) fn last_heard(&self) -> Instant {
        locked(&self.heard).1.unwrap()
    }

    pub(crate) fn id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::SeqCst)
    }
}

#[async_trait]
impl Git for Instantly {
    async fn fetch(
        &self,
        _: &Remote,
        wanted: &[BranchName],
    ) -> Result<BTreeMap<BranchName, CommitSha>, git::Error> {
        let branches = locked(&self.branches);
        let tip = |branch: &BranchName| match branch.as_str() {
            "main" => Some(commit(BASE)),
            _ => branches.get(branch).cloned(),
        };
        Ok(wanted.iter().filter_map(|one| Some((one.clone(), tip(one)?))).collect())
    }

    async fn probe(
        &self,
        _: &Repo,
        base: &CommitSha,
        head: &CommitSha,
    ) -> Result<Probe, git::Error> {
        let made = generation(head);
        let contains_base = made > self.updates;
        let merge = Merge::Clean { tree: tree(made) };
        Ok(Probe { head: head.clone(), base: base.clone(), contains_base, merge })
    }

    async fn workspace(&self, order: &WorkspaceOrder) -> Result<Workspace, git::Error> {
        Ok(Workspace {
            repo: order.repo.clone(),
            key: format!("{}-{}", order.run, order.name),
            path: "/nowhere".into(),
            at: order.at.clone(),
            merging: None,
            conflicts: Vec::new(),
            borrowed: Vec::new(),
            absent: Vec::new(),
        })
    }

    async fn packing(&self, at: &Workspace) -> Result<Packing, git::Error> {
        Ok(Packing {
            program: "packing".to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            directory: at.path.clone(),
            read_only: Vec::new(),
        })
    }

    async fn import(&self, _: &Workspace) -> Result<Import, git::Error> {
        Ok(Import::Taken)
    }

    async fn result(&self, _: &Workspace) -> Result<Option<Vec<u8>>, git::Error> {
        Ok(None)
    }

    async fn question(&self, _: &Workspace) -> Result<Option<Vec<u8>>, git::Error> {
        Ok(None)
    }

    async fn changes(&self, at: &Workspace) -> Result<Changes, git::Error> {
        Ok(Changes { from: Some(at.at.clone()), ..Changes::default() })
    }

    async fn between(
        &self,
        _: &Repo,
        base: &CommitSha,
        _: &CommitSha,
    ) -> Result<Changes, git::Error> {
        Ok(Changes { from: Some(base.clone()), ..Changes::default() })
    }

    async fn plant(&self, _: &Workspace, _: &str, _: &str) -> Result<(), git::Error> {
        Ok(())
    }

    async fn commit(&self, at: &Workspace, _: &Message) -> Result<Option<Committed>, git::Error> {
        let made = generation(&at.at) + 1;
        Ok(Some(Committed { commit: commit(made), tree: tree(made) }))
    }

    async fn merge(
        &self,
        _: &Repo,
        head: &CommitSha,
        _: &CommitSha,
        _: &Message,
    ) -> Result<Option<Committed>, git::Error> {
        let made = generation(head) + 1;
        Ok(Some(Committed { commit: commit(made), tree: tree(made) }))
    }

    async fn discard(&self, _: Workspace) -> Result<(), git::Error> {
        Ok(())
    }

    async fn push(&self, _: &Remote, push: &Push) -> Result<PushAnswer, git::Error> {
        let mut branches = locked(&self.branches);
        match &push.new {
            Some(new) => branches.insert(push.branch.clone(), new.clone()),
            None => branches.remove(&push.branch),
        };
        Ok(PushAnswer::Pushed)
    }

    async fn tree_of(&self, _: &Repo, of: &CommitSha) -> Result<TreeSha, git::Error> {
        Ok(tree(generation(of)))
    }

    async fn parents_of(&self, _: &Repo, _: &CommitSha) -> Result<Vec<CommitSha>, git::Error> {
        Ok(Vec::new())
    }

    async fn plain(&self, _: &Repo, _: &CommitSha, _: &CommitSha) -> Result<Plain, git::Error> {
        Ok(Plain::No { why: "nothing is told here".to_owned() })
    }

    async fn files_among(
        &self,
        _: &Repo,
        _: &CommitSha,
        paths: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, git::Error> {
        Ok(paths.clone())
    }

    async fn texts(
        &self,
        _: &Repo,
        _: &CommitSha,
        _: &git::Sought,
    ) -> Result<git::Texts, git::Error> {
        Ok(git::Texts::default())
    }

    async fn sight(
        &self,
        _: &Repo,
        _: &CommitSha,
        _: &BTreeSet<String>,
    ) -> Result<git::Sight, git::Error> {
        Ok(git::Sight::default())
    }

    async fn contains(&self, _: &Repo, _: &CommitSha, _: &CommitSha) -> Result<bool, git::Error> {
        Ok(true)
    }
}

#[async_trait]
impl Sandbox for Instantly {
    async fn run_heard(
        &self,
        _: &Invocation,
        _: &CancellationToken,
        _: &dyn sandbox::Ear,
    ) -> Result<Transcript, sandbox::Error> {
        let (stdout, stderr) = ("done".to_owned(), String::new());
        Ok(Transcript { end: End::Exited(0), stdout, stderr })
    }

    fn protection(&self) -> sandbox::Protection {
        sandbox::Protection::none("answers at once")
    }
}
