//! The mirror of a repository: a bare repository of our own that answers without the network.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::Cli;
use super::call::{Answer, Call};
use super::pinned::ATTRIBUTES;
use super::verb::Verb;
use crate::gate::seen::{Merge, Probe};
use crate::git::{Committed, Error, Message, PATHS_MAX};
use crate::model::{BranchName, CommitSha, Repo, TreeSha};

/// Where remote branches are kept. Hashed, because `a` and `a/b` may exist one after the other.
const SEEN: &str = "refs/slipway/seen/";
/// Where our own commits are kept, so that nothing removes them before they are pushed.
pub(super) const KEPT: &str = "refs/slipway/kept/";

/// Whatever our mask for new files says: the user of a sandbox reads these objects.
pub(super) const LENT: &[&str] = &["core.sharedRepository=0644"];

/// A merge as `git merge-tree` made it: the tree, and the paths in conflict.
pub(super) struct Merged {
    pub(super) tree: TreeSha,
    pub(super) conflicts: Vec<String>,
}

impl Cli {
    pub(super) fn mirror_path(&self, repo: &Repo) -> PathBuf {
        let name = format!("{}.git", repo.name());
        self.directory.join("mirrors").join(repo.owner()).join(name)
    }

    /// A call on the mirror of `repo`, whose objects a sandbox's user may read.
    pub(super) fn on(&self, repo: &Repo, verb: Verb) -> Call {
        self.program.call(&self.mirror_path(repo), verb).settings(LENT)
    }

    /// Makes the mirror unless it is there. Under the repository's lock.
    pub(super) async fn make_mirror(&self, repo: &Repo) -> Result<(), Error> {
        let path = self.mirror_path(repo);
        if path.join("info/attributes").is_file() {
            return Ok(());
        }
        let made = path.with_extension("new");
        let failed = |error: std::io::Error| Error::Local(error.to_string());
        for leftover in [&path, &made].into_iter().filter(|path| path.exists()) {
            std::fs::remove_dir_all(leftover).map_err(failed)?;
        }
        self.make_bare(&made).await?;
        for directory in ["objects", "objects/info", "objects/pack"] {
            let readable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(made.join(directory), readable).map_err(failed)?;
        }
        std::fs::rename(&made, &path).map_err(failed)
    }

    /// An empty bare repository in which no attribute has an effect.
    pub(super) async fn make_bare(&self, path: &std::path::Path) -> Result<(), Error> {
        let failed = |error: std::io::Error| Error::Local(error.to_string());
        std::fs::create_dir_all(path).map_err(failed)?;
        let init = ["--bare", "--quiet", "--template=", "--object-format=sha1"];
        self.program.call(path, Verb::Init).flags(&init).run().await?;
        std::fs::create_dir_all(path.join("info")).map_err(failed)?;
        std::fs::write(path.join("info/attributes"), ATTRIBUTES).map_err(failed)
    }

    /// Which of `commits` the mirror does not have.
    pub(super) async fn lacks(
        &self,
        repo: &Repo,
        commits: &[&CommitSha],
    ) -> Result<Vec<CommitSha>, Error> {
        if !self.mirror_path(repo).exists() {
            return Ok(commits.iter().map(|commit| (*commit).clone()).collect());
        }
        let asked = lines(commits.iter().map(|commit| format!("{commit}^{{commit}}")));
        let call = self.on(repo, Verb::CatFile).flags(&["--batch-check=%(objecttype)"]);
        let said = call.stdin(asked).run().await?.text()?;
        let answers = commits.iter().zip(said.lines());
        let missing = answers.filter(|(_, line)| *line != "commit");
        Ok(missing.map(|(commit, _)| (*commit).clone()).collect())
    }

    /// What a failed call on `commits` means: one of them is missing, or git failed.
    pub(super) async fn why(&self, repo: &Repo, commits: &[&CommitSha], said: &Answer) -> Error {
        match self.lacks(repo, commits).await {
            Ok(missing) => match missing.first() {
                Some(commit) => Error::Missing(commit.to_string()),
                None => Error::Local(said.complaint()),
            },
            Err(error) => error,
        }
    }

    /// Remembers where the remote's branches are, so that their commits stay.
    pub(super) async fn remember(
        &self,
        repo: &Repo,
        branches: &BTreeMap<BranchName, CommitSha>,
    ) -> Result<(), Error> {
        let updates =
            lines(branches.iter().map(|(name, at)| format!("update {} {at}", seen(name))));
        self.on(repo, Verb::UpdateRef).flags(&["--stdin"]).stdin(updates).run().await.map(drop)
    }

    pub(super) async fn remembered(
        &self,
        repo: &Repo,
        branches: &[BranchName],
    ) -> Result<BTreeMap<BranchName, CommitSha>, Error> {
        let format = "--format=%(refname) %(objectname)";
        let call = self.on(repo, Verb::ForEachRef).flags(&[format]).on([SEEN]);
        let said = call.run().await?.text()?;
        let all: BTreeMap<&str, &str> = said.lines().filter_map(|l| l.split_once(' ')).collect();
        let found = branches.iter().filter_map(|name| {
            let at = CommitSha::parse(all.get(seen(name).as_str())?).ok()?;
            Some((name.clone(), at))
        });
        Ok(found.collect())
    }

    pub(super) async fn is_ancestor(
        &self,
        repo: &Repo,
        ancestor: &CommitSha,
        tip: &CommitSha,
    ) -> Result<bool, Error> {
        let call = self.on(repo, Verb::MergeBase).flags(&["--is-ancestor"]);
        let answer = call.on([ancestor.as_str(), tip.as_str()]).answer().await?;
        match answer.code {
            0 => Ok(true),
            1 => Ok(false),
            _ => Err(self.why(repo, &[ancestor, tip], &answer).await),
        }
    }

    /// Where two commits parted last; `None` when they have nothing in common.
    pub(super) async fn parting(
        &self,
        repo: &Repo,
        (base, head): (&CommitSha, &CommitSha),
    ) -> Result<Option<CommitSha>, Error> {
        let call = self.on(repo, Verb::MergeBase).on([base.as_str(), head.as_str()]);
        let answer = call.answer().await?;
        match answer.code {
            0 => {
                let found = CommitSha::parse(answer.text()?.trim());
                found.map(Some).map_err(|error| Error::Local(error.to_string()))
            }
            1 => Ok(None),
            _ => Err(self.why(repo, &[base, head], &answer).await),
        }
    }

    pub(super) async fn tree(&self, repo: &Repo, commit: &CommitSha) -> Result<TreeSha, Error> {
        let call = self.on(repo, Verb::RevParse).flags(&["--verify", "--quiet"]);
        let answer = call.on([format!("{commit}^{{tree}}")]).answer().await?;
        match answer.code {
            0 => tree(&answer.text()?),
            _ => Err(self.why(repo, &[commit], &answer).await),
        }
    }

    pub(super) async fn parents(
        &self,
        repo: &Repo,
        commit: &CommitSha,
    ) -> Result<Vec<CommitSha>, Error> {
        let call = self.on(repo, Verb::RevList).flags(&["--parents", "--max-count=1"]);
        let answer = call.on([commit.as_str()]).answer().await?;
        if answer.code != 0 {
            return Err(self.why(repo, &[commit], &answer).await);
        }
        let text = answer.text()?;
        let parents = text.split_ascii_whitespace().skip(1).map(CommitSha::parse);
        parents.collect::<Result<_, _>>().map_err(|error| Error::Local(error.to_string()))
    }

    pub(super) async fn list_files(
        &self,
        repo: &Repo,
        commit: &CommitSha,
        paths: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, Error> {
        let wanted: Vec<&str> = paths.iter().take(PATHS_MAX).map(String::as_str).collect();
        if wanted.is_empty() {
            return Ok(BTreeSet::new());
        }
        // Paths are taken literally here, without magic; a directory lists what is below it only
        // when it ends with a slash.
        let call = self.on(repo, Verb::LsTree).flags(&["-z"]);
        let answer = call.on([commit.as_str()].into_iter().chain(wanted)).answer().await?;
        if answer.code != 0 {
            return Err(self.why(repo, &[commit], &answer).await);
        }
        let listed = String::from_utf8_lossy(&answer.bytes()?).into_owned();
        let files = listed.split('\0').filter_map(|entry| entry.split_once('\t'));
        let files = files.filter(|(what, _)| what.contains(" blob "));
        Ok(files.map(|(_, path)| path.to_owned()).filter(|path| paths.contains(path)).collect())
    }

    pub(super) async fn probe_merge(
        &self,
        repo: &Repo,
        base: &CommitSha,
        head: &CommitSha,
    ) -> Result<Probe, Error> {
        let contains_base = self.is_ancestor(repo, base, head).await?;
        let merge = if contains_base {
            Merge::Clean { tree: self.tree(repo, head).await? }
        } else {
            let merged = self.merge_in_mirror(repo, base, head).await?;
            if merged.conflicts.is_empty() {
                Merge::Clean { tree: merged.tree }
            } else {
                Merge::Conflict { paths: merged.conflicts }
            }
        };
        Ok(Probe { head: head.clone(), base: base.clone(), contains_base, merge })
    }

    async fn merge_in_mirror(
        &self,
        repo: &Repo,
        ours: &CommitSha,
        theirs: &CommitSha,
    ) -> Result<Merged, Error> {
        let answer =
            merge_tree(self.on(repo, Verb::MergeTree), ours.as_str(), theirs.as_str()).await?;
        match merged(&answer)? {
            Some(merged) => Ok(merged),
            None => Err(self.why(repo, &[ours, theirs], &answer).await),
        }
    }

    /// Merges and commits in the mirror alone.
    pub(super) async fn merge_commit(
        &self,
        repo: &Repo,
        (head, base): (&CommitSha, &CommitSha),
        message: &Message,
    ) -> Result<Option<Committed>, Error> {
        if self.is_ancestor(repo, base, head).await? {
            let tree = self.tree(repo, head).await?;
            return Ok(Some(Committed { commit: head.clone(), tree }));
        }
        let merged = self.merge_in_mirror(repo, head, base).await?;
        if !merged.conflicts.is_empty() {
            return Ok(None);
        }
        let call = self.on(repo, Verb::CommitTree).durable();
        let commit = commit_tree(call, &merged.tree, &[head, base], message).await?;
        self.keep(repo, &commit).await?;
        Ok(Some(Committed { commit, tree: merged.tree }))
    }

    /// Keeps our own commit until `sweep` finds it old.
    pub(super) async fn keep(&self, repo: &Repo, commit: &CommitSha) -> Result<(), Error> {
        let update = format!("update {KEPT}{commit} {commit}\n");
        let call = self.on(repo, Verb::UpdateRef).durable().flags(&["--stdin"]);
        call.stdin(update).run().await.map(drop)
    }
}

/// What a call reads from its standard input, one order in each line.
pub(super) fn lines(orders: impl Iterator<Item = String>) -> String {
    orders.flat_map(|order| [order, "\n".to_owned()]).collect()
}

/// The reference under which the mirror keeps a branch of the remote.
pub(super) fn seen(branch: &BranchName) -> String {
    let digest: String = hex::encode(Sha256::digest(branch.as_str())).chars().take(40).collect();
    format!("{SEEN}{digest}")
}

/// Exit code 0 is clean, 1 a conflict; the list of paths alone decides nothing.
pub(super) async fn merge_tree(call: Call, ours: &str, theirs: &str) -> Result<Answer, Error> {
    let flags = ["--write-tree", "--name-only", "-z", "--no-messages"];
    call.flags(&flags).on([ours, theirs]).answer().await
}

/// Reads the answer of [`merge_tree`]; `None` when git failed.
pub(super) fn merged(answer: &Answer) -> Result<Option<Merged>, Error> {
    if !matches!(answer.code, 0 | 1) {
        return Ok(None);
    }
    let said = answer.text()?;
    let mut parts = said.split('\0');
    let tree = tree(parts.next().unwrap_or_default())?;
    let paths = parts.take_while(|path| !path.is_empty()).map(str::to_owned);
    let mut conflicts: Vec<String> = if answer.code == 0 { Vec::new() } else { paths.collect() };
    conflicts.dedup();
    if answer.code == 1 && conflicts.is_empty() {
        return Err(Error::Local("a conflict without a path".to_owned()));
    }
    Ok(Some(Merged { tree, conflicts }))
}

pub(super) fn tree(text: &str) -> Result<TreeSha, Error> {
    TreeSha::parse(text.trim()).map_err(|error| Error::Local(error.to_string()))
}

/// A commit by Slipway, the same for the same input.
pub(super) async fn commit_tree(
    call: Call,
    tree: &TreeSha,
    parents: &[&CommitSha],
    message: &Message,
) -> Result<CommitSha, Error> {
    let (name, email) = Message::AUTHOR;
    let date = format!("@{} +0000", message.at_seconds.max(0));
    let call = parents.iter().fold(call, |call, parent| call.joined("-p", parent));
    let said = call
        .flags(&["-F", "-"])
        .on([tree.as_str()])
        .env("GIT_AUTHOR_NAME", name)
        .env("GIT_AUTHOR_EMAIL", email)
        .env("GIT_AUTHOR_DATE", date.clone())
        .env("GIT_COMMITTER_NAME", name)
        .env("GIT_COMMITTER_EMAIL", email)
        .env("GIT_COMMITTER_DATE", date)
        .stdin(message.full())
        .run()
        .await?;
    CommitSha::parse(said.text()?.trim()).map_err(|error| Error::Local(error.to_string()))
}
