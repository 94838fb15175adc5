//! Branches and contents: reading them, moving them, and what a moved branch sets off.

use std::collections::BTreeSet;

use serde_json::json;

use super::access::{Actor, CONTENTS};
use super::accounts::{Level, User};
use super::events::News;
use super::model::{Mergeability, Pull, ReviewState};
use super::{ApiError, ApiResult, State};
use crate::playground::forge::{CommitInfo, Entry, Expected, FileChange, Forge, Person};
use crate::playground::render;

use std::sync::Arc;

/// Commits listed in one push, one comparison or one pull request.
pub const COMMITS_MAX: usize = 250;

const READ_CONTENTS: (&str, Level) = ("contents", Level::Read);

/// The answer of a comparison.
#[derive(Clone, Debug)]
pub struct Comparison {
    pub merge_base: String,
    pub base: String,
    pub head: String,
    pub behind_by: usize,
    pub commits: Vec<CommitInfo>,
    pub files: Vec<FileChange>,
}

/// The git identity of an account.
pub fn person(user: &User) -> Person {
    Person::new(&user.login, &format!("{}+{}@users.noreply.github.com", user.id, user.login))
}

/// Whether git would take this as a branch name.
pub(crate) fn good_branch(name: &str) -> bool {
    let bad = [' ', '~', '^', ':', '?', '*', '[', '\\'];
    !name.is_empty()
        && name.len() <= 250
        && !name.contains(|c: char| bad.contains(&c) || c.is_control())
        && !name.contains("..")
        && !name.contains("//")
        && !name.contains("@{")
        && !name.starts_with(['/', '-', '.'])
        && !name.ends_with(['/', '.'])
        && !name
            .split('/')
            .any(|part| part.starts_with('.') || part.strip_suffix(".lock").is_some())
}

fn heads(branch: &str) -> String {
    format!("refs/heads/{branch}")
}

impl State {
    pub(crate) fn forge(&self, repo: u64) -> ApiResult<Arc<dyn Forge>> {
        Ok(Arc::clone(&self.repo(repo)?.forge))
    }

    /// A commit from a branch name, a ref name or a full id.
    pub(crate) fn resolve(&self, repo: u64, name: &str) -> ApiResult<String> {
        let found = self.repo(repo)?;
        let branch = name.strip_prefix("refs/heads/").or_else(|| name.strip_prefix("heads/"));
        if let Some(tip) = found.branches.get(branch.unwrap_or(name)) {
            return Ok(tip.clone());
        }
        let missing = || ApiError::new(404, format!("No commit found for the ref {name}"));
        let is_id = name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_id {
            let commit = found.forge.commit_info(name)?;
            return commit.map(|commit| commit.id).ok_or_else(missing);
        }
        let full = name.strip_prefix("refs/").unwrap_or(name);
        if full.starts_with("pull/") && good_branch(full) {
            let found = found.forge.read_ref(&format!("refs/{full}"))?;
            return found.ok_or_else(missing);
        }
        Err(missing())
    }

    pub fn commit(&self, actor: &Actor, repo: &str, name: &str) -> ApiResult<CommitInfo> {
        let id = self.enter(actor, repo, &[READ_CONTENTS])?;
        let sha = self.resolve(id, name)?;
        self.forge(id)?.commit_info(&sha)?.ok_or_else(ApiError::not_found)
    }

    /// A branch's tip.
    pub fn branch(&self, actor: &Actor, repo: &str, branch: &str) -> ApiResult<String> {
        let id = self.enter(actor, repo, &[READ_CONTENTS])?;
        let tip = self.repo(id)?.branches.get(branch).cloned();
        tip.ok_or_else(|| ApiError::new(404, "Branch not found"))
    }

    /// A file's bytes at a ref, the default branch when none is named.
    pub fn contents(
        &self,
        actor: &Actor,
        repo: &str,
        path: &str,
        name: Option<&str>,
    ) -> ApiResult<Vec<u8>> {
        let id = self.enter(actor, repo, &[READ_CONTENTS])?;
        let name = name.unwrap_or(&self.repo(id)?.default_branch);
        let sha = self.resolve(id, name)?;
        self.forge(id)?.read_file(&sha, path)?.ok_or_else(ApiError::not_found)
    }

    /// The files at or below a path.
    pub fn entries(
        &self,
        actor: &Actor,
        repo: &str,
        path: &str,
        name: Option<&str>,
    ) -> ApiResult<Vec<Entry>> {
        let id = self.enter(actor, repo, &[READ_CONTENTS])?;
        let name = name.unwrap_or(&self.repo(id)?.default_branch);
        let sha = self.resolve(id, name)?;
        let mut found = self.forge(id)?.list_tree(&sha)?;
        let below = if path.is_empty() { String::new() } else { format!("{path}/") };
        found.retain(|entry| entry.path == path || entry.path.starts_with(&below));
        Ok(found)
    }

    pub fn compare(
        &self,
        actor: &Actor,
        repo: &str,
        base: &str,
        head: &str,
    ) -> ApiResult<Comparison> {
        let id = self.enter(actor, repo, &[READ_CONTENTS])?;
        self.compare_at(id, base, head)
    }

    pub(crate) fn compare_at(&self, repo: u64, base: &str, head: &str) -> ApiResult<Comparison> {
        let (base, head) = (self.resolve(repo, base)?, self.resolve(repo, head)?);
        let forge = self.forge(repo)?;
        let merge_base = forge.merge_base(&base, &head)?.ok_or_else(ApiError::not_found)?;
        let commits = forge.commits_between(Some(&base), &head, COMMITS_MAX)?;
        let behind_by = forge.commits_between(Some(&head), &base, COMMITS_MAX)?.len();
        let files = forge.diff(&merge_base, &head)?;
        Ok(Comparison { merge_base, base, head, behind_by, commits, files })
    }

    pub fn create_branch(
        &mut self,
        actor: &Actor,
        repo: &str,
        branch: &str,
        sha: &str,
    ) -> ApiResult<()> {
        let id = self.enter(actor, repo, &[CONTENTS])?;
        let user = self.user_of(actor)?;
        if !good_branch(branch) {
            return Err(ApiError::new(422, "Reference name is not valid"));
        }
        let forge = self.forge(id)?;
        if forge.commit_info(sha)?.is_none() {
            return Err(ApiError::new(422, "Object does not exist"));
        }
        let made = forge.update_ref(&heads(branch), Expected::Missing, Some(sha));
        if made.is_err() {
            return Err(ApiError::new(422, "Reference already exists"));
        }
        self.refresh_refs(id, &user)
    }

    pub fn move_branch(
        &mut self,
        actor: &Actor,
        repo: &str,
        branch: &str,
        (sha, force): (&str, bool),
    ) -> ApiResult<()> {
        let id = self.enter(actor, repo, &[CONTENTS])?;
        let user = self.user_of(actor)?;
        if self.is_protected_from(actor, id, branch) {
            return Err(ApiError::new(422, "Protected branch update failed"));
        }
        let old = self.repo(id)?.branches.get(branch).cloned();
        let old = old.ok_or_else(|| ApiError::new(422, "Reference does not exist"))?;
        let git = self.forge(id)?;
        if git.commit_info(sha)?.is_none() {
            return Err(ApiError::new(422, "Object does not exist"));
        }
        if !force && !git.is_ancestor(&old, sha)? {
            return Err(ApiError::new(422, "Update is not a fast forward"));
        }
        git.update_ref(&heads(branch), Expected::At(&old), Some(sha))?;
        self.refresh_refs(id, &user)
    }

    pub fn delete_branch(&mut self, actor: &Actor, repo: &str, branch: &str) -> ApiResult<()> {
        let id = self.enter(actor, repo, &[CONTENTS])?;
        let user = self.user_of(actor)?;
        let old = self.repo(id)?.branches.get(branch).cloned();
        let old = old.ok_or_else(|| ApiError::new(422, "Reference does not exist"))?;
        self.forge(id)?.update_ref(&heads(branch), Expected::At(&old), None)?;
        self.refresh_refs(id, &user)
    }

    /// Takes notice of what git holds now: every moved branch is a push by `pusher`.
    pub fn refresh_refs(&mut self, repo: u64, pusher: &User) -> ApiResult<()> {
        let found = self.repo(repo)?;
        let refs = found.forge.refs()?;
        let mut moved: Vec<(String, Option<String>, Option<String>)> = Vec::new();
        let mut seen = BTreeSet::new();
        for (name, tip) in &refs {
            let Some(branch) = name.strip_prefix("refs/heads/") else { continue };
            seen.insert(branch);
            let old = found.branches.get(branch);
            if old != Some(tip) {
                moved.push((branch.to_owned(), old.cloned(), Some(tip.clone())));
            }
        }
        for (branch, tip) in &found.branches {
            if !seen.contains(branch.as_str()) {
                moved.push((branch.clone(), Some(tip.clone()), None));
            }
        }
        for (branch, old, new) in moved {
            self.branch_moved(repo, &branch, (old, new), pusher)?;
        }
        Ok(())
    }

    fn branch_moved(
        &mut self,
        repo: u64,
        branch: &str,
        (old, new): (Option<String>, Option<String>),
        pusher: &User,
    ) -> ApiResult<()> {
        let now_ms = self.now_ms;
        let found = self.repo_mut(repo)?;
        found.pushed_ms = now_ms;
        match &new {
            Some(tip) => found.branches.insert(branch.to_owned(), tip.clone()),
            None => found.branches.remove(branch),
        };
        let commits = self.push_commits(repo, branch, old.as_deref(), new.as_deref())?;
        self.emit_push(repo, branch, (&old, &new), (pusher, &commits))?;
        let open = self.open_pulls(repo);
        for pull in open.iter().filter(|pull| pull.head_ref == branch) {
            match &new {
                Some(tip) => self.head_moved(repo, pull, tip, pusher)?,
                None => self.set_open(repo, pull.number, (false, None), pusher)?,
            }
        }
        for pull in open.iter().filter(|pull| pull.base_ref == branch) {
            self.base_moved(repo, pull, new.as_deref(), pusher)?;
        }
        let is_default = self.repo(repo)?.default_branch == branch;
        if let Some(tip) = new {
            if is_default && old.is_some() {
                for commit in &commits {
                    self.close_mentioned(repo, &commit.message, pusher, Some(&commit.id))?;
                }
            }
            self.head_arrived(repo, branch, &tip, is_default)?;
        }
        Ok(())
    }

    fn push_commits(
        &self,
        repo: u64,
        branch: &str,
        old: Option<&str>,
        new: Option<&str>,
    ) -> ApiResult<Vec<CommitInfo>> {
        let Some(tip) = new else {
            return Ok(Vec::new());
        };
        let found = self.repo(repo)?;
        let main = found.branches.get(&found.default_branch).map(String::as_str);
        let not = old.or(main).filter(|_| old.is_some() || branch != found.default_branch);
        Ok(found.forge.commits_between(not, tip, COMMITS_MAX)?)
    }

    fn emit_push(
        &mut self,
        repo: u64,
        branch: &str,
        (old, new): (&Option<String>, &Option<String>),
        (pusher, commits): (&User, &[CommitInfo]),
    ) -> ApiResult<()> {
        if !self.is_heard(repo, "push", None) {
            return Ok(());
        }
        let found = self.repo(repo)?;
        let forced = match (old, new) {
            (Some(old), Some(new)) => !found.forge.is_ancestor(old, new)?,
            (None, _) | (_, None) => false,
        };
        let none = "0".repeat(40);
        let list: Vec<_> =
            commits.iter().map(|one| render::push_commit(self, found, one)).collect();
        let payload = json!({
            "ref": heads(branch),
            "before": old.as_ref().unwrap_or(&none),
            "after": new.as_ref().unwrap_or(&none),
            "created": old.is_none(),
            "deleted": new.is_none(),
            "forced": forced,
            "base_ref": null,
            "compare": format!("{}/{}/compare", self.base_url, found.full_name()),
            "head_commit": list.last(),
            "commits": list,
            "pusher": {"name": pusher.login, "email": person(pusher).email},
        });
        self.emit(repo, News::new("push", None, pusher, payload));
        Ok(())
    }

    fn head_moved(&mut self, repo: u64, pull: &Pull, tip: &str, user: &User) -> ApiResult<()> {
        let found = self.repo(repo)?;
        let base = found.branches.get(&pull.base_ref).cloned();
        let strict = found.rules.get(&pull.base_ref).is_some_and(|r| r.dismiss_stale_reviews);
        self.point_head(repo, pull.number, tip)?;
        let stored = self.pull_mut(repo, pull.number)?;
        tip.clone_into(&mut stored.head_sha);
        stored.mergeability = Mergeability::Unknown { asked: 0 };
        if let Some(base) = base {
            stored.base_sha = base;
        }
        self.issue_mut(repo, pull.number)?;
        let payload = json!({"before": pull.head_sha, "after": tip});
        self.emit_pull(repo, pull.number, ("synchronize", user), payload);
        if strict {
            let approved: Vec<u64> = self
                .repo(repo)?
                .reviews
                .values()
                .filter(|one| one.pull == pull.number && one.state == ReviewState::Approved)
                .map(|one| one.id)
                .collect();
            for id in approved {
                self.dismiss(repo, id, user)?;
            }
        }
        Ok(())
    }

    fn base_moved(
        &mut self,
        repo: u64,
        pull: &Pull,
        tip: Option<&str>,
        user: &User,
    ) -> ApiResult<()> {
        if !self.issue_at(repo, pull.number)?.open {
            return Ok(());
        }
        let Some(tip) = tip else {
            return self.set_open(repo, pull.number, (false, None), user);
        };
        self.pull_mut(repo, pull.number)?.mergeability = Mergeability::Unknown { asked: 0 };
        if self.forge(repo)?.is_ancestor(&pull.head_sha, tip)? {
            self.mark_merged(repo, pull.number, tip, user)?;
        }
        Ok(())
    }

    /// Keeps `refs/pull/N/head` at the pull request's head.
    pub(crate) fn point_head(&self, repo: u64, number: u64, tip: &str) -> ApiResult<()> {
        let name = format!("refs/pull/{number}/head");
        Ok(self.forge(repo)?.update_ref(&name, Expected::Anything, Some(tip))?)
    }

    pub(crate) fn open_pulls(&self, repo: u64) -> Vec<Pull> {
        let Some(repo) = self.repos.get(&repo) else {
            return Vec::new();
        };
        let is_open = |n: &u64| repo.issues.get(n).is_some_and(|issue| issue.open);
        repo.pulls.values().filter(|pull| is_open(&pull.number)).cloned().collect()
    }
}
