//! The merge call: GitHub's refusals in order, then a merge, squash or rebase made in git.

use serde_json::json;

use super::access::{Actor, CONTENTS};
use super::accounts::User;
use super::model::{Issue, Mergeability, Method, Pull};
use super::refs::{COMMITS_MAX, person};
use super::{ApiError, ApiResult, State};
use crate::playground::forge::{CommitDraft, CommitInfo, Expected, Merged};

/// A merge call's arguments.
#[derive(Clone, Debug)]
pub struct MergeCall {
    /// The head that must still be there.
    pub sha: Option<String>,
    pub method: Method,
    pub title: Option<String>,
    pub message: Option<String>,
}

impl Default for MergeCall {
    fn default() -> Self {
        Self { sha: None, method: Method::Merge, title: None, message: None }
    }
}

const NOT_MERGEABLE: &str = "Pull Request is not mergeable";
const BASE_MODIFIED: &str = "Base branch was modified. Review and try the merge again.";

impl State {
    /// `PUT …/pulls/{n}/merge`; gives the id of the commit that landed.
    pub fn merge_pull(
        &mut self,
        actor: &Actor,
        repo: &str,
        number: u64,
        call: &MergeCall,
    ) -> ApiResult<String> {
        let id = self.enter(actor, repo, &[CONTENTS])?;
        let user = self.user_of(actor)?;
        let pull = self.pull_at(id, number)?.clone();
        let issue = self.issue_at(id, number)?.clone();
        self.refresh_refs(id, &user)?;
        self.may_merge(id, &pull, &issue, call)?;
        self.land(id, (&pull, &issue), call, &user)
    }

    /// The commit that a merge of this kind makes; nothing is moved yet.
    pub(crate) fn made(
        &self,
        id: u64,
        (pull, issue): (&Pull, &Issue),
        call: &MergeCall,
        user: &User,
    ) -> ApiResult<String> {
        match call.method {
            Method::Merge => self.land_merge(id, (pull, issue), call, user),
            Method::Squash => self.land_squash(id, (pull, issue), call),
            Method::Rebase => self.land_rebase(id, pull),
        }
    }

    /// Merges without asking any rule.
    pub(crate) fn land(
        &mut self,
        id: u64,
        (pull, issue): (&Pull, &Issue),
        call: &MergeCall,
        user: &User,
    ) -> ApiResult<String> {
        let number = pull.number;
        let base = self.base_tip(id, pull)?;
        let landed = self.made(id, (pull, issue), call, user)?;
        let name = format!("refs/heads/{}", pull.base_ref);
        let moved = self.forge(id)?.update_ref(&name, Expected::At(&base), Some(&landed));
        if moved.is_err() {
            return Err(ApiError::new(405, BASE_MODIFIED));
        }
        self.mark_merged(id, number, &landed, user)?;
        self.pull_mut(id, number)?.base_sha = base;
        if self.repo(id)?.settings.delete_branch_on_merge {
            let head = format!("refs/heads/{}", pull.head_ref);
            self.forge(id)?.update_ref(&head, Expected::Anything, None)?;
        }
        self.refresh_refs(id, user)?;
        Ok(landed)
    }

    fn may_merge(
        &mut self,
        repo: u64,
        old: &Pull,
        issue: &Issue,
        call: &MergeCall,
    ) -> ApiResult<()> {
        let pull = self.pull_at(repo, old.number)?.clone();
        let refused = |why: &str| ApiError::new(405, why);
        if pull.merged || !issue.open {
            return Err(refused(NOT_MERGEABLE));
        }
        if pull.draft {
            return Err(refused("Pull Request is still a draft"));
        }
        if call.sha.as_ref().is_some_and(|sha| *sha != pull.head_sha) {
            let why = "Head branch was modified. Review and try the merge again.";
            return Err(ApiError::new(409, why));
        }
        let found = self.repo(repo)?;
        let (allowed, what) = match call.method {
            Method::Merge => (found.settings.allow_merge_commit, "Merge commits are"),
            Method::Squash => (found.settings.allow_squash_merge, "Squash merges are"),
            Method::Rebase => (found.settings.allow_rebase_merge, "Rebase merges are"),
        };
        let by_rule = found.rules.get(&pull.base_ref);
        if by_rule.is_some_and(|rules| rules.queue.is_some()) {
            return Err(refused("Changes must be made through the merge queue"));
        }
        let by_rule = by_rule.and_then(|rules| rules.allowed_merge_methods.as_ref());
        if !allowed || by_rule.is_some_and(|methods| !methods.contains(&call.method)) {
            return Err(refused(&format!("{what} not allowed on this repository.")));
        }
        self.probe(repo, pull.number)?;
        if self.pull_at(repo, pull.number)?.mergeability == Mergeability::Conflict {
            return Err(refused(NOT_MERGEABLE));
        }
        let blocks = self.blocks(repo, &pull)?;
        blocks.first().map_or(Ok(()), |block| Err(block.refusal()))
    }

    fn merged_tree(&self, repo: u64, pull: &Pull) -> ApiResult<(String, String)> {
        let base = self.base_tip(repo, pull)?;
        match self.forge(repo)?.merge_tree(None, &base, &pull.head_sha)? {
            Merged::Clean { tree } => Ok((base, tree)),
            Merged::Conflict { .. } => Err(ApiError::new(405, NOT_MERGEABLE)),
        }
    }

    fn land_merge(
        &self,
        repo: u64,
        (pull, issue): (&Pull, &Issue),
        call: &MergeCall,
        user: &User,
    ) -> ApiResult<String> {
        let (base, tree) = self.merged_tree(repo, pull)?;
        let owner = &self.repo(repo)?.owner.login;
        let title = call.title.clone().unwrap_or_else(|| {
            format!("Merge pull request #{} from {owner}/{}", pull.number, pull.head_ref)
        });
        let body = call.message.as_ref().unwrap_or(&issue.title);
        Ok(self.forge(repo)?.commit_tree(&CommitDraft {
            tree: &tree,
            parents: &[&base, &pull.head_sha],
            message: format!("{title}\n\n{body}").trim_end(),
            author: &person(user),
            at_ms: self.now_ms,
        })?)
    }

    fn land_squash(
        &self,
        repo: u64,
        (pull, issue): (&Pull, &Issue),
        call: &MergeCall,
    ) -> ApiResult<String> {
        let (base, tree) = self.merged_tree(repo, pull)?;
        let forge = self.forge(repo)?;
        let title =
            call.title.clone().unwrap_or_else(|| format!("{} (#{})", issue.title, pull.number));
        let body = if let Some(message) = &call.message {
            message.clone()
        } else {
            let commits = forge.commits_between(Some(&base), &pull.head_sha, COMMITS_MAX)?;
            let single = commits.len() == 1;
            let lines = commits.iter().filter(|one| one.parents.len() < 2);
            let line = |one: &CommitInfo| match (single, one.message.split_once('\n')) {
                (true, rest) => rest.map_or("", |rest| rest.1).trim().to_owned(),
                (false, _) => format!("* {}", one.message),
            };
            lines.map(line).collect::<Vec<_>>().join("\n\n")
        };
        Ok(forge.commit_tree(&CommitDraft {
            tree: &tree,
            parents: &[&base],
            message: format!("{title}\n\n{body}").trim_end(),
            author: &person(&issue.user),
            at_ms: self.now_ms,
        })?)
    }

    fn land_rebase(&self, repo: u64, pull: &Pull) -> ApiResult<String> {
        let (forge, base) = (self.forge(repo)?, self.base_tip(repo, pull)?);
        let mut onto = base.clone();
        for commit in forge.commits_between(Some(&base), &pull.head_sha, COMMITS_MAX)? {
            let [parent] = commit.parents.as_slice() else { continue };
            let Merged::Clean { tree } = forge.merge_tree(Some(parent), &onto, &commit.id)? else {
                let why = "This branch can't be rebased due to conflicts";
                return Err(ApiError::new(405, why));
            };
            onto = forge.commit_tree(&CommitDraft {
                tree: &tree,
                parents: &[&onto],
                message: &commit.message,
                author: &commit.author,
                at_ms: self.now_ms,
            })?;
        }
        Ok(onto)
    }

    /// Records that a pull request's commits are in its base.
    pub(crate) fn mark_merged(
        &mut self,
        repo: u64,
        number: u64,
        landed: &str,
        user: &User,
    ) -> ApiResult<()> {
        let now_ms = self.now_ms;
        let pull = self.pull_mut(repo, number)?;
        pull.merged = true;
        pull.merged_ms = Some(now_ms);
        pull.merged_by = Some(user.clone());
        pull.merge_commit_sha = Some(landed.to_owned());
        let base_ref = pull.base_ref.clone();
        let issue = self.issue_mut(repo, number)?;
        issue.open = false;
        issue.closed_ms = Some(now_ms);
        issue.closed_by = Some(user.clone());
        let body = issue.body.clone();
        self.note(repo, number, ("merged", user), (None, Some(landed.to_owned())))?;
        self.note(repo, number, ("closed", user), (None, None))?;
        self.emit_pull(repo, number, ("closed", user), json!({}));
        if self.repo(repo)?.default_branch == base_ref {
            self.close_mentioned(repo, &body, user, Some(landed))?;
        }
        Ok(())
    }

    /// Closes the open issues that a text's closing keywords name.
    pub(crate) fn close_mentioned(
        &mut self,
        repo: u64,
        text: &str,
        user: &User,
        commit: Option<&str>,
    ) -> ApiResult<()> {
        let full_name = self.repo(repo)?.full_name();
        for number in closing_numbers(text, &full_name) {
            let open = self.issue_at(repo, number).is_ok_and(|one| one.open && !one.is_pull);
            if open {
                self.set_open(repo, number, (false, None), user)?;
                if let Some(last) = self.issue_mut(repo, number)?.events.last_mut() {
                    last.commit_id = commit.map(str::to_owned);
                }
            }
        }
        Ok(())
    }
}

/// Issue numbers after `closes`, `fixes`, `resolves` and their forms.
pub fn closing_numbers(text: &str, full_name: &str) -> Vec<u64> {
    const KEYWORDS: [&str; 9] =
        ["close", "closes", "closed", "fix", "fixes", "fixed", "resolve", "resolves", "resolved"];
    let mut found = Vec::new();
    let mut armed = false;
    for word in text.split_whitespace() {
        if armed {
            let (place, digits) = word.split_once('#').unwrap_or(("-", ""));
            let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
            let here = place.is_empty() || place.eq_ignore_ascii_case(full_name);
            if let (true, Ok(number)) = (here, digits.parse()) {
                found.push(number);
            }
        }
        let plain = word.trim_start_matches(|c: char| !c.is_alphanumeric());
        let plain = plain.strip_suffix(':').unwrap_or(plain).to_ascii_lowercase();
        armed = KEYWORDS.contains(&plain.as_str());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_keywords_name_issues_of_this_repository() {
        let text = "Fixes #12, resolves: o/r#3 but closes x/y#4.\nAlso #5. (closed #6)";
        assert_eq!(closing_numbers(text, "o/r"), [12, 3, 6]);
        assert_eq!(closing_numbers("prefixes #1 and fix 2", "o/r"), Vec::<u64>::new());
    }
}
