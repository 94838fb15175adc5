//! Merges that the World makes later: the merge queue of a branch, and auto-merge.
//!
//! The queue works on one entry at a time: it makes the commit that would land, under a branch
//! of its own, has it checked, and moves the base there or gives the entry back.

use serde_json::{Value, json};

use super::access::{Actor, CONTENTS, PULLS};
use super::accounts::User;
use super::events::News;
use super::merge::MergeCall;
use super::model::{AutoMerge, Group, Mergeability, Pull, Queued};
use super::pulls::READ_PULLS;
use super::rules::QueueRule;
use super::rules::{Block, Standing};
use super::{ApiError, ApiResult, State};
use crate::playground::forge::Expected;

/// What the queue says of one pull request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueView {
    /// State, position from 1, and head and base of the group.
    pub entry: Option<(&'static str, usize, Option<Group>)>,
    /// Why it last left.
    pub removed: Option<String>,
}

fn refused(why: &str) -> ApiError {
    ApiError::new(422, why)
}

impl State {
    fn queue_rule(&self, repo: u64, branch: &str) -> ApiResult<Option<QueueRule>> {
        Ok(self.repo(repo)?.rules.get(branch).and_then(|rules| rules.queue))
    }

    /// Who orders a merge of what; it takes the rights that merging takes.
    fn ordered(&mut self, actor: &Actor, repo: &str, number: u64) -> ApiResult<(u64, User, Pull)> {
        let id = self.enter(actor, repo, &[PULLS])?;
        self.enter(actor, repo, &[CONTENTS])?;
        let user = self.user_of(actor)?;
        self.refresh_refs(id, &user)?;
        Ok((id, user, self.pull_at(id, number)?.clone()))
    }

    /// `enqueuePullRequest`: only what meets every rule enters, and only at the named head.
    pub fn enqueue(
        &mut self,
        actor: &Actor,
        repo: &str,
        number: u64,
        expected: Option<&str>,
    ) -> ApiResult<()> {
        let (id, user, pull) = self.ordered(actor, repo, number)?;
        if self.queue_rule(id, &pull.base_ref)?.is_none() {
            return Err(refused("The base branch does not have a merge queue"));
        }
        self.is_ready(id, &pull, expected)?;
        if self.repo(id)?.queue.iter().any(|one| one.pull == number) {
            return Err(refused("Pull request is already in the queue"));
        }
        let blocks = self.blocks(id, &pull)?;
        if let Some(block) = blocks.iter().find(|block| **block != Block::Behind) {
            return Err(refused(&block.refusal().message));
        }
        let entry = Queued {
            pull: number,
            base_ref: pull.base_ref.clone(),
            head: pull.head_sha.clone(),
            by: user.clone(),
            since_ms: self.now_ms,
            group: None,
        };
        self.repo_mut(id)?.queue.push(entry);
        self.emit_pull(id, number, ("enqueued", &user), json!({}));
        Ok(())
    }

    /// Open, no draft, without conflict, and at the named head.
    fn is_ready(&mut self, repo: u64, pull: &Pull, expected: Option<&str>) -> ApiResult<()> {
        if expected.is_some_and(|sha| sha != pull.head_sha) {
            return Err(refused("Head branch was modified. Review and try the merge again."));
        }
        if !self.issue_at(repo, pull.number)?.open {
            return Err(refused("Pull request is closed"));
        }
        if pull.draft {
            return Err(refused("Pull request is in draft state"));
        }
        self.probe(repo, pull.number)?;
        match self.pull_at(repo, pull.number)?.mergeability {
            Mergeability::Conflict => Err(refused("Pull request is not mergeable")),
            Mergeability::Unknown { .. } | Mergeability::Clean { .. } => Ok(()),
        }
    }

    /// `dequeuePullRequest`.
    pub fn dequeue(&mut self, actor: &Actor, repo: &str, number: u64) -> ApiResult<()> {
        let id = self.enter(actor, repo, &[PULLS])?;
        let user = self.user_of(actor)?;
        if !self.repo(id)?.queue.iter().any(|one| one.pull == number) {
            return Err(refused("Pull request is not in the merge queue"));
        }
        self.give_back(id, number, ("MANUAL", &user))
    }

    /// The entry of a pull request, and why it last left.
    pub fn queue_view(&self, actor: &Actor, repo: &str, number: u64) -> ApiResult<QueueView> {
        let id = self.enter(actor, repo, &READ_PULLS)?;
        let found = self.repo(id)?;
        let removed = self.pull_at(id, number)?.removed.clone();
        let Some(entry) = found.queue.iter().find(|one| one.pull == number) else {
            return Ok(QueueView { entry: None, removed });
        };
        let line = found.queue.iter().filter(|one| one.base_ref == entry.base_ref);
        let position = line.take_while(|one| one.pull != number).count() + 1;
        let state = if entry.group.is_some() { "AWAITING_CHECKS" } else { "QUEUED" };
        Ok(QueueView { entry: Some((state, position, entry.group.clone())), removed })
    }

    /// `enablePullRequestAutoMerge`: only while something is still missing.
    pub fn enable_auto_merge(
        &mut self,
        actor: &Actor,
        repo: &str,
        number: u64,
        (call, expected): (&MergeCall, Option<&str>),
    ) -> ApiResult<()> {
        let (id, user, pull) = self.ordered(actor, repo, number)?;
        self.is_ready(id, &pull, expected)?;
        if self.blocks(id, &pull)?.is_empty() {
            return Err(refused("Pull request Pull request is in clean status"));
        }
        let wanted = AutoMerge { by: user.clone(), call: call.clone() };
        self.pull_mut(id, number)?.auto_merge = Some(wanted);
        self.emit_pull(id, number, ("auto_merge_enabled", &user), json!({}));
        Ok(())
    }

    /// `disablePullRequestAutoMerge`.
    pub fn disable_auto_merge(&mut self, actor: &Actor, repo: &str, number: u64) -> ApiResult<()> {
        let id = self.enter(actor, repo, &[PULLS])?;
        let user = self.user_of(actor)?;
        if self.pull_mut(id, number)?.auto_merge.take().is_none() {
            return Err(refused("Can't disable auto-merge for this pull request."));
        }
        self.emit_pull(id, number, ("auto_merge_disabled", &user), json!({}));
        Ok(())
    }

    /// Lets queues and auto-merges do what is due; says whether anything happened.
    pub(crate) fn settle_merges(&mut self) -> bool {
        let waits = |repo: &&super::Repo| {
            !repo.queue.is_empty() || repo.pulls.values().any(|pull| pull.auto_merge.is_some())
        };
        let repos: Vec<u64> = self.repos.values().filter(waits).map(|repo| repo.id).collect();
        let mut moved = false;
        for repo in repos {
            // Every turn lands, gives back or begins something, or is the last.
            while self.queue_turn(repo).unwrap_or(false) || self.auto_turn(repo).unwrap_or(false) {
                moved = true;
            }
        }
        moved
    }

    /// When the first entry will have waited as long as it may.
    pub(crate) fn queue_next_due_ms(&self) -> Option<i64> {
        let entries = self.repos.values().flat_map(|repo| {
            repo.queue.iter().filter_map(|entry| {
                let group = entry.group.as_ref()?;
                let rule = repo.rules.get(&entry.base_ref)?.queue?;
                Some(group.since_ms + i64::from(rule.minutes) * 60_000)
            })
        });
        entries.min()
    }

    fn queue_turn(&mut self, repo: u64) -> ApiResult<bool> {
        let entries = self.repo(repo)?.queue.clone();
        for entry in &entries {
            if let Some(why) = self.must_leave(repo, entry)? {
                self.give_back(repo, entry.pull, (why, &entry.by))?;
                return Ok(true);
            }
        }
        let mut seen: Vec<&str> = Vec::new();
        for entry in &entries {
            if seen.contains(&entry.base_ref.as_str()) {
                continue;
            }
            seen.push(&entry.base_ref);
            if self.first_turn(repo, entry)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What takes an entry out wherever it stands.
    fn must_leave(&self, repo: u64, entry: &Queued) -> ApiResult<Option<&'static str>> {
        let pull = self.pull_at(repo, entry.pull)?;
        let rule = self.queue_rule(repo, &entry.base_ref)?;
        Ok(if pull.head_sha != entry.head || pull.base_ref != entry.base_ref {
            Some("BRANCH_PROTECTIONS")
        } else if !self.issue_at(repo, entry.pull)?.open || pull.draft {
            Some("MANUAL")
        } else if rule.is_none() {
            Some("QUEUE_CLEARED")
        } else {
            None
        })
    }

    /// One step of the first entry of a base: make its group, land it or give it back.
    fn first_turn(&mut self, repo: u64, entry: &Queued) -> ApiResult<bool> {
        let base = self.repo(repo)?.branches.get(&entry.base_ref).cloned();
        let base = base.ok_or_else(ApiError::not_found)?;
        let Some(rule) = self.queue_rule(repo, &entry.base_ref)? else { return Ok(false) };
        let Some(group) = entry.group.clone().filter(|group| group.base == base) else {
            self.make_group(repo, entry, (rule, &base))?;
            return Ok(true);
        };
        match self.group_standing(repo, entry, &group)? {
            Some(Standing::Passed) => self.land_group(repo, entry, &group)?,
            Some(Standing::Failed) => {
                self.give_back(repo, entry.pull, ("CI_FAILURE", &entry.by))?;
            }
            Some(Standing::Pending) | None => {
                let waited_ms = self.now_ms - group.since_ms;
                if waited_ms < i64::from(rule.minutes) * 60_000 {
                    return Ok(false);
                }
                self.give_back(repo, entry.pull, ("CI_TIMEOUT", &entry.by))?;
            }
        }
        Ok(true)
    }

    /// How the required checks stand on a group's commit.
    fn group_standing(
        &self,
        repo: u64,
        entry: &Queued,
        group: &Group,
    ) -> ApiResult<Option<Standing>> {
        let rules = self.repo(repo)?.rules.get(&entry.base_ref).cloned().unwrap_or_default();
        let standings = self.standings(repo, &group.head)?;
        let mut worst = Standing::Passed;
        for wanted in &rules.required_checks {
            let counts = |(name, app, _): &&(String, Option<u64>, Standing)| {
                *name == wanted.context
                    && wanted.integration_id.is_none_or(|only| *app == Some(only))
            };
            let Some(found) = standings.iter().filter(counts).map(|one| one.2).max() else {
                return Ok(None);
            };
            worst = worst.max(found);
        }
        Ok(Some(worst))
    }

    fn make_group(
        &mut self,
        repo: u64,
        entry: &Queued,
        (rule, base): (QueueRule, &str),
    ) -> ApiResult<()> {
        self.drop_group(repo, entry, "invalidated")?;
        let pull = self.pull_at(repo, entry.pull)?.clone();
        let issue = self.issue_at(repo, entry.pull)?.clone();
        let call = MergeCall { method: rule.method, ..MergeCall::default() };
        let Ok(head) = self.made(repo, (&pull, &issue), &call, &entry.by) else {
            return self.give_back(repo, entry.pull, ("MERGE_CONFLICT", &entry.by));
        };
        let branch = group_branch(entry, base);
        let name = format!("refs/heads/{branch}");
        self.forge(repo)?.update_ref(&name, Expected::Anything, Some(&head))?;
        self.refresh_refs(repo, &entry.by)?;
        let group = Group { head, base: base.to_owned(), since_ms: self.now_ms };
        if let Some(stored) = self.queued_mut(repo, entry.pull)? {
            stored.group = Some(group.clone());
        }
        self.emit_group(repo, entry, (&group, "checks_requested", None))?;
        if rule.ci {
            self.ci_for_head(repo, &branch, &group.head)?;
        }
        Ok(())
    }

    fn land_group(&mut self, repo: u64, entry: &Queued, group: &Group) -> ApiResult<()> {
        let name = format!("refs/heads/{}", entry.base_ref);
        let moved =
            self.forge(repo)?.update_ref(&name, Expected::At(&group.base), Some(&group.head));
        if moved.is_err() {
            // Somebody pushed to the base just now: the group is made anew.
            return self.refresh_refs(repo, &entry.by);
        }
        self.drop_group(repo, entry, "merged")?;
        self.repo_mut(repo)?.queue.retain(|one| one.pull != entry.pull);
        self.mark_merged(repo, entry.pull, &group.head, &entry.by)?;
        self.pull_mut(repo, entry.pull)?.base_sha.clone_from(&group.base);
        let reason = json!({"reason": "MERGE"});
        self.emit_pull(repo, entry.pull, ("dequeued", &entry.by), reason);
        self.refresh_refs(repo, &entry.by)
    }

    /// Takes an entry out and says why.
    fn give_back(
        &mut self,
        repo: u64,
        number: u64,
        (why, by): (&'static str, &User),
    ) -> ApiResult<()> {
        let found = self.repo(repo)?.queue.iter().find(|one| one.pull == number).cloned();
        let entry = found.ok_or_else(ApiError::not_found)?;
        self.drop_group(repo, &entry, "dequeued")?;
        self.repo_mut(repo)?.queue.retain(|one| one.pull != number);
        self.pull_mut(repo, number)?.removed = Some(why.to_owned());
        self.emit_pull(repo, number, ("dequeued", by), json!({"reason": why}));
        Ok(())
    }

    /// Deletes the branch of a group that is over.
    fn drop_group(&mut self, repo: u64, entry: &Queued, why: &'static str) -> ApiResult<()> {
        let stored = self.queued_mut(repo, entry.pull)?.and_then(|stored| stored.group.take());
        let Some(group) = stored else { return Ok(()) };
        let name = format!("refs/heads/{}", group_branch(entry, &group.base));
        self.forge(repo)?.update_ref(&name, Expected::Anything, None)?;
        self.emit_group(repo, entry, (&group, "destroyed", Some(why)))
    }

    fn queued_mut(&mut self, repo: u64, number: u64) -> ApiResult<Option<&mut Queued>> {
        Ok(self.repo_mut(repo)?.queue.iter_mut().find(|one| one.pull == number))
    }

    fn emit_group(
        &mut self,
        repo: u64,
        entry: &Queued,
        (group, action, reason): (&Group, &'static str, Option<&'static str>),
    ) -> ApiResult<()> {
        if !self.is_heard(repo, "merge_group", None) {
            return Ok(());
        }
        let commit = self.forge(repo)?.commit_info(&group.head)?;
        let commit = commit.map(|commit| {
            let who = json!({"name": commit.author.name, "email": commit.author.email});
            json!({"id": commit.id, "tree_id": commit.tree, "message": commit.message,
                "timestamp": crate::playground::render::time(commit.at_ms),
                "author": who, "committer": who})
        });
        let mut payload = json!({"merge_group": {
            "head_sha": group.head,
            "head_ref": format!("refs/heads/{}", group_branch(entry, &group.base)),
            "base_sha": group.base,
            "base_ref": format!("refs/heads/{}", entry.base_ref),
            "head_commit": commit,
        }});
        if let (Some(reason), Some(fields)) = (reason, payload.as_object_mut()) {
            fields.insert("reason".into(), Value::from(reason));
        }
        self.emit(repo, News::new("merge_group", Some(action), &entry.by, payload));
        Ok(())
    }

    /// Merges the first pull request whose auto-merge has nothing left to wait for.
    fn auto_turn(&mut self, repo: u64) -> ApiResult<bool> {
        let open = self.open_pulls(repo);
        for pull in open.iter().filter(|pull| pull.auto_merge.is_some()) {
            let Some(wanted) = pull.auto_merge.clone() else { continue };
            let ready = self.is_ready(repo, pull, None).is_ok();
            if !ready || !self.blocks(repo, pull)?.is_empty() {
                continue;
            }
            let issue = self.issue_at(repo, pull.number)?.clone();
            self.land(repo, (pull, &issue), &wanted.call, &wanted.by)?;
            self.pull_mut(repo, pull.number)?.auto_merge = None;
            return Ok(true);
        }
        Ok(false)
    }
}

/// GitHub's name for the branch on which a group is tested.
fn group_branch(entry: &Queued, base: &str) -> String {
    format!("gh-readonly-queue/{}/pr-{}-{base}", entry.base_ref, entry.pull)
}
