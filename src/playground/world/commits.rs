//! Commits the World makes for others and signs, as GitHub does.

use super::access::{Actor, CONTENTS};
use super::refs::person;
use super::{ApiError, ApiResult, State};
use crate::playground::forge::{CommitDraft, Expected, Files, ForgeError};

/// A commit to be made on a branch.
#[derive(Clone, Debug)]
pub struct BranchCommit<'a> {
    pub branch: &'a str,
    /// Where the branch must be.
    pub expected_head: &'a str,
    pub headline: &'a str,
    pub body: &'a str,
    pub files: &'a Files,
}

impl State {
    /// GraphQL's `createCommitOnBranch`; gives the id of the commit. Files it writes are plain:
    /// the call knows no modes.
    pub fn commit_on_branch(
        &mut self,
        actor: &Actor,
        repo: &str,
        new: &BranchCommit<'_>,
    ) -> ApiResult<String> {
        let id = self.enter(actor, repo, &[CONTENTS])?;
        let user = self.user_of(actor)?;
        self.refresh_refs(id, &user)?;
        let tip = self.repo(id)?.branches.get(new.branch).cloned();
        let tip = tip.ok_or_else(ApiError::not_found)?;
        if self.is_protected_from(actor, id, new.branch) {
            return Err(ApiError::new(422, "Protected branch update failed"));
        }
        if tip != new.expected_head {
            let why = format!(
                "Expected branch to point to \"{tip}\" but it did not. Pull and try again."
            );
            return Err(ApiError::new(409, why));
        }
        let forge = self.forge(id)?;
        for (path, content) in new.files {
            let missing = content.is_none() && forge.read_file(&tip, path)?.is_none();
            if missing || !good_path(path) {
                return Err(ApiError::new(
                    422,
                    format!("A path was requested that is not: {path}"),
                ));
            }
        }
        let smudge = self.faults.smudged().map(|(path, bytes)| (path, Some(bytes)));
        let files: Files = new.files.iter().cloned().chain(smudge).collect();
        let tree = forge.write_plain(&tip, &files)?;
        let made = forge.commit_tree(&CommitDraft {
            tree: &tree,
            parents: &[&tip],
            message: format!("{}\n\n{}", new.headline, new.body).trim_end(),
            author: &person(&user),
            at_ms: self.now_ms,
        })?;
        let name = format!("refs/heads/{}", new.branch);
        match forge.update_ref(&name, Expected::At(&tip), Some(&made)) {
            Ok(()) => {}
            Err(ForgeError::Moved(why)) => return Err(ApiError::new(409, why)),
            Err(other) => return Err(other.into()),
        }
        self.repo_mut(id)?.signed.insert(made.clone());
        self.refresh_refs(id, &user)?;
        Ok(made)
    }
}

fn good_path(path: &str) -> bool {
    path.split('/').all(|part| !matches!(part, "" | "." | "..") && part != ".git")
}
