//! The World's repository on disk: a bare git repository driven through the git command line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::forge::{
    ChangeKind, CommitDraft, CommitInfo, Entry, Expected, FileChange, Files, Forge, ForgeError,
    ForgeResult, Merged, Person, is_script,
};
use super::process::{Git, git_in};

/// Commits remembered.
const KNOWN_MAX: usize = 10_000;

const NULL_ID: &str = "0000000000000000000000000000000000000000";

/// Ids come from outside: nothing else may become an argument of git.
fn good_id(id: &str) -> ForgeResult<&str> {
    let hex = id.len() == 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hex { Ok(id) } else { Err(ForgeError::Missing(id.to_owned())) }
}

/// A bare repository in a directory that somebody else removes.
#[derive(Clone, Debug)]
pub struct BareForge {
    dir: PathBuf,
    /// Commits never change, so each is read once.
    known: Arc<Mutex<BTreeMap<String, CommitInfo>>>,
}

impl BareForge {
    /// Makes an empty repository whose `HEAD` names `branch`.
    pub fn create(dir: &Path, branch: &str) -> ForgeResult<Self> {
        let failed = |error: std::io::Error| ForgeError::Failed(error.to_string());
        std::fs::create_dir_all(dir).map_err(failed)?;
        Git::at(dir).run(&["init", "--quiet", "--bare", "-b", branch])?;
        Git::at(dir).run(&["config", "http.receivepack", "true"])?;
        Git::at(dir).run(&["config", "uploadpack.allowAnySHA1InWant", "true"])?;
        Git::at(dir).run(&["config", "receive.denyDeleteCurrent", "ignore"])?;
        Ok(Self { dir: dir.to_owned(), known: Arc::default() })
    }

    /// Copies every branch of another repository on disk.
    pub fn import(&self, from: &Path) -> ForgeResult<()> {
        let failed = |error: std::io::Error| ForgeError::Failed(error.to_string());
        let from = from.canonicalize().map_err(failed)?;
        let from = from.to_str().ok_or_else(|| ForgeError::Failed("path is no text".into()))?;
        let spec = "+refs/heads/*:refs/heads/*";
        Git::at(&self.dir).run(&["fetch", "--quiet", "--no-tags", "--", from, spec])?;
        Ok(())
    }

    /// The branch that is checked out in another repository.
    pub fn current_branch(from: &Path) -> Option<String> {
        let out = git_in(from, &["symbolic-ref", "--short", "HEAD"]).ok()?;
        (out.code == Some(0)).then(|| out.text())
    }

    fn git(&self) -> Git<'_> {
        Git::at(&self.dir)
    }

    fn write_tree(
        &self,
        parent: Option<&str>,
        files: &Files,
        executable: impl Fn(&str) -> bool,
    ) -> ForgeResult<String> {
        let scratch = tempfile::tempdir().map_err(|e| ForgeError::Failed(e.to_string()))?;
        let index = scratch.path().join("index").to_string_lossy().into_owned();
        if let Some(id) = parent {
            self.git().env("GIT_INDEX_FILE", index.as_str()).run(&["read-tree", id])?;
        }
        let mut entries = Vec::new();
        for (path, content) in files {
            let line = if let Some(bytes) = content {
                let blob = self.git().input(bytes.clone());
                let blob = blob.run(&["hash-object", "-w", "--stdin"])?.text();
                let mode = if executable(path) { "100755" } else { "100644" };
                format!("{mode} {blob}\t{path}\0")
            } else {
                format!("0 {NULL_ID}\t{path}\0")
            };
            entries.extend_from_slice(line.as_bytes());
        }
        let add = self.git().env("GIT_INDEX_FILE", index.as_str()).input(entries);
        add.run(&["update-index", "--add", "-z", "--index-info"])?;
        Ok(self.git().env("GIT_INDEX_FILE", index).run(&["write-tree"])?.text())
    }
}

impl Forge for BareForge {
    fn refs(&self) -> ForgeResult<BTreeMap<String, String>> {
        let out = self.git().run(&["for-each-ref", "--format=%(objectname) %(refname)"])?;
        let pairs = out.text();
        let pair = |line: &str| line.split_once(' ').map(|(id, name)| (name.into(), id.into()));
        Ok(pairs.lines().filter_map(pair).collect())
    }

    fn read_ref(&self, name: &str) -> ForgeResult<Option<String>> {
        let out = self.git().answer(&["rev-parse", "--verify", "--quiet", name])?;
        Ok((out.code == Some(0)).then(|| out.text()))
    }

    fn update_ref(&self, name: &str, expected: Expected<'_>, new: Option<&str>) -> ForgeResult<()> {
        let new = new.map_or(Ok(NULL_ID), good_id)?;
        let line = match expected {
            Expected::Anything => format!("update {name} {new}\n"),
            Expected::Missing => format!("update {name} {new} {NULL_ID}\n"),
            Expected::At(id) => format!("update {name} {new} {id}\n"),
        };
        let out = self.git().input(line).answer(&["update-ref", "--stdin"])?;
        if out.code == Some(0) {
            return Ok(());
        }
        let found = self.read_ref(name)?;
        let moved = match expected {
            Expected::Anything => false,
            Expected::Missing => found.is_some(),
            Expected::At(id) => found.as_deref() != Some(id),
        };
        let why = String::from_utf8_lossy(&out.stderr).trim().to_owned();
        Err(if moved { ForgeError::Moved(name.to_owned()) } else { ForgeError::Failed(why) })
    }

    fn merge_tree(&self, base: Option<&str>, ours: &str, theirs: &str) -> ForgeResult<Merged> {
        let base = base.map(|id| format!("--merge-base={id}"));
        let mut call = vec!["merge-tree", "--write-tree", "--name-only", "--no-messages"];
        call.extend(base.as_deref());
        call.extend([good_id(ours)?, good_id(theirs)?]);
        let out = self.git().answer(&call)?;
        let text = out.text();
        let mut lines = text.lines().map(str::to_owned);
        let tree = lines.next().unwrap_or_default();
        match out.code {
            Some(0) => Ok(Merged::Clean { tree }),
            Some(1) => Ok(Merged::Conflict { paths: lines.collect() }),
            Some(_) | None => {
                let why = String::from_utf8_lossy(&out.stderr).trim().to_owned();
                Err(ForgeError::Failed(why))
            }
        }
    }

    fn commit_tree(&self, draft: &CommitDraft<'_>) -> ForgeResult<String> {
        let seconds = draft.at_ms.div_euclid(1000);
        let date = format!("@{seconds} +0000");
        let mut call = vec!["commit-tree", draft.tree, "-F", "-"];
        for parent in draft.parents {
            call.extend(["-p", parent]);
        }
        let git = self
            .git()
            .env("GIT_AUTHOR_NAME", draft.author.name.as_str())
            .env("GIT_AUTHOR_EMAIL", draft.author.email.as_str())
            .env("GIT_AUTHOR_DATE", date.as_str())
            .env("GIT_COMMITTER_NAME", draft.author.name.as_str())
            .env("GIT_COMMITTER_EMAIL", draft.author.email.as_str())
            .env("GIT_COMMITTER_DATE", date)
            .input(draft.message);
        Ok(git.run(&call)?.text())
    }

    fn write_files(&self, parent: Option<&str>, files: &Files) -> ForgeResult<String> {
        let modes: BTreeMap<String, bool> = match parent {
            Some(id) => self.list_tree(id)?.into_iter().map(|e| (e.path, e.executable)).collect(),
            None => BTreeMap::new(),
        };
        let executable = |path: &str| modes.get(path).copied().unwrap_or_else(|| is_script(path));
        self.write_tree(parent, files, executable)
    }

    fn write_plain(&self, parent: &str, files: &Files) -> ForgeResult<String> {
        self.write_tree(Some(parent), files, |_path| false)
    }

    fn is_ancestor(&self, ancestor: &str, tip: &str) -> ForgeResult<bool> {
        let out = self.git().answer(&[
            "merge-base",
            "--is-ancestor",
            good_id(ancestor)?,
            good_id(tip)?,
        ])?;
        Ok(out.code == Some(0))
    }

    fn merge_base(&self, a: &str, b: &str) -> ForgeResult<Option<String>> {
        let out = self.git().answer(&["merge-base", good_id(a)?, good_id(b)?])?;
        Ok((out.code == Some(0)).then(|| out.text()))
    }

    fn read_file(&self, commit: &str, path: &str) -> ForgeResult<Option<Vec<u8>>> {
        let what = format!("{}:{path}", good_id(commit)?);
        let out = self.git().answer(&["cat-file", "blob", &what])?;
        Ok((out.code == Some(0)).then_some(out.stdout))
    }

    fn list_tree(&self, commit: &str) -> ForgeResult<Vec<Entry>> {
        let out = self.git().run(&["ls-tree", "-r", "-z", good_id(commit)?])?;
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        Ok(text.split('\0').filter_map(tree_entry).collect())
    }

    fn diff(&self, from: &str, to: &str) -> ForgeResult<Vec<FileChange>> {
        let call = ["diff-tree", "-r", "-p", "--no-renames", "--no-color", "--no-ext-diff"];
        let mut call = call.to_vec();
        call.extend(["--no-textconv", good_id(from)?, good_id(to)?]);
        let out = self.git().run(&call)?;
        Ok(parse_patch(&String::from_utf8_lossy(&out.stdout)))
    }

    fn commits_between(
        &self,
        not: Option<&str>,
        tip: &str,
        max: usize,
    ) -> ForgeResult<Vec<CommitInfo>> {
        let (count, hidden) = (format!("--max-count={max}"), not.map(|id| format!("^{id}")));
        let mut call = vec!["log", "-z", "--topo-order", LOG_FORMAT, &count, good_id(tip)?];
        call.extend(hidden.as_deref());
        call.push("--");
        let out = self.git().run(&call)?;
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let mut found: Vec<CommitInfo> = text.split('\0').filter_map(commit_info).collect();
        found.reverse();
        Ok(found)
    }

    fn commit_info(&self, id: &str) -> ForgeResult<Option<CommitInfo>> {
        if good_id(id).is_err() {
            return Ok(None);
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(id) {
            return Ok(Some(found.clone()));
        }
        let out = self.git().answer(&["log", "-z", LOG_FORMAT, "--max-count=1", id, "--"])?;
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let found = text.split('\0').find_map(commit_info);
        if let Some(found) = &found {
            if known.len() >= KNOWN_MAX {
                known.clear();
            }
            known.insert(id.to_owned(), found.clone());
        }
        Ok(found)
    }

    fn git_dir(&self) -> Option<&Path> {
        Some(&self.dir)
    }
}

const LOG_FORMAT: &str = "--format=%H%n%T%n%P%n%an%n%ae%n%ct%n%B";

fn commit_info(text: &str) -> Option<CommitInfo> {
    let mut lines = text.splitn(7, '\n');
    let mut next = || lines.next();
    let (id, tree, parents) = (next()?, next()?, next()?);
    let author = Person::new(next()?, next()?);
    let seconds: i64 = next()?.parse().ok()?;
    let message = next()?.trim_end_matches('\n').to_owned();
    let parents = parents.split_whitespace().map(str::to_owned).collect();
    let (id, tree) = (id.to_owned(), tree.to_owned());
    Some(CommitInfo { id, tree, parents, message, author, at_ms: seconds * 1000 })
}

fn tree_entry(line: &str) -> Option<Entry> {
    let (meta, path) = line.split_once('\t')?;
    let mut words = meta.split(' ');
    let (mode, kind, blob) = (words.next()?, words.next()?, words.next()?);
    (kind == "blob").then(|| Entry {
        path: path.to_owned(),
        blob: blob.to_owned(),
        executable: mode == "100755",
    })
}

fn parse_patch(text: &str) -> Vec<FileChange> {
    let mut found: Vec<FileChange> = Vec::new();
    let mut in_patch = false;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("diff --git a/") {
            in_patch = false;
            let half = rest.len().saturating_sub(3) / 2;
            let path = rest.get(..half).unwrap_or(rest).to_owned();
            let kind = ChangeKind::Modified;
            let (additions, deletions) = (0, 0);
            found.push(FileChange { path, kind, additions, deletions, patch: String::new() });
            continue;
        }
        let Some(file) = found.last_mut() else { continue };
        in_patch = in_patch || line.starts_with("@@");
        if in_patch {
            file.additions += u64::from(line.starts_with('+'));
            file.deletions += u64::from(line.starts_with('-'));
            file.patch.push_str(line);
            file.patch.push('\n');
        } else if line.starts_with("new file mode") {
            file.kind = ChangeKind::Added;
        } else if line.starts_with("deleted file mode") {
            file.kind = ChangeKind::Removed;
        }
    }
    found
}
