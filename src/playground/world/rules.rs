//! Branch rules: what still stands between a pull request and its base.

use super::access::Actor;
use super::accounts::{Level, Role, User};
use super::model::{Method, Pull, ReviewState, RunStatus};
use super::{ApiError, ApiResult, State};

/// A check that a branch asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredCheck {
    pub context: String,
    /// Only this App's check counts.
    pub integration_id: Option<u64>,
}

/// The rules of one branch.
#[expect(clippy::struct_excessive_bools, reason = "rules of GitHub's, each on its own")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    pub required_checks: Vec<RequiredCheck>,
    /// The head must contain the base's tip.
    pub strict: bool,
    /// Approving reviews asked for; `None` when there is no pull request rule.
    pub approvals: Option<u32>,
    pub dismiss_stale_reviews: bool,
    pub allowed_merge_methods: Option<Vec<Method>>,
    /// Merging goes through a queue.
    pub queue: Option<QueueRule>,
    /// Shown as classic branch protection and not among the rulesets.
    pub classic: bool,
    /// Every App may bypass them.
    pub bypass: bool,
}

/// The merge queue of a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueRule {
    pub method: Method,
    /// Minutes it waits for checks.
    pub minutes: u32,
    /// The repository's CI runs on what the queue tests; one that was never told does not.
    pub ci: bool,
}

/// One unmet rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A required check that nobody reported.
    Expected(String),
    InProgress(String),
    Failing(String),
    /// This many approving reviews are asked for.
    NotApproved(u32),
    ChangesRequested,
    /// The head lacks the base's tip.
    Behind,
}

impl Block {
    /// The refusal of a merge call.
    pub fn refusal(&self) -> ApiError {
        let check = |name: &str, state: &str| {
            ApiError::new(405, format!("Required status check \"{name}\" is {state}."))
        };
        match self {
            Self::Expected(name) => check(name, "expected"),
            Self::InProgress(name) => check(name, "in progress"),
            Self::Failing(name) => check(name, "failing"),
            Self::NotApproved(1) => ApiError::new(
                405,
                "At least 1 approving review is required by reviewers with write access.",
            ),
            Self::NotApproved(n) => ApiError::new(
                405,
                format!(
                    "At least {n} approving reviews are required by reviewers with write access."
                ),
            ),
            Self::ChangesRequested => ApiError::new(405, "Changes have been requested."),
            Self::Behind => {
                ApiError::new(409, "Head branch is out of date. Review and try the merge again.")
            }
        }
    }
}

/// How one named check stands on a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    Passed,
    Pending,
    Failed,
}

impl State {
    /// The rules of a branch, the empty ones where none were set.
    pub fn rules(&self, actor: &Actor, repo: &str, branch: &str) -> ApiResult<Rules> {
        let id = self.enter(actor, repo, &[])?;
        Ok(self.repo(id)?.rules.get(branch).cloned().unwrap_or_default())
    }

    /// Whether a branch's rules forbid this caller to push to it; administrators may.
    pub fn is_protected_from(&self, actor: &Actor, repo: u64, branch: &str) -> bool {
        let rules = self.repos.get(&repo).and_then(|one| one.rules.get(branch));
        let closed = rules
            .is_some_and(|rules| rules.approvals.is_some() || !rules.required_checks.is_empty());
        let admin = matches!(actor, Actor::User(_)) && self.at_least(actor, repo, Role::Admin);
        closed && !admin
    }

    /// Every check and status on a commit: name, App (none for statuses), standing.
    pub fn standings(
        &self,
        repo: u64,
        sha: &str,
    ) -> ApiResult<Vec<(String, Option<u64>, Standing)>> {
        let mut all = Vec::new();
        for run in self.latest_runs(repo, sha)? {
            let standing = match (run.status, run.conclusion.as_deref()) {
                (RunStatus::Queued | RunStatus::InProgress, _) => Standing::Pending,
                (RunStatus::Completed, Some("success" | "neutral" | "skipped")) => Standing::Passed,
                (RunStatus::Completed, _) => Standing::Failed,
            };
            all.push((run.name.clone(), Some(run.app), standing));
        }
        for status in self.latest_statuses(repo, sha)? {
            let standing = match status.state.as_str() {
                "success" => Standing::Passed,
                "pending" => Standing::Pending,
                _ => Standing::Failed,
            };
            all.push((status.context, None, standing));
        }
        Ok(all)
    }

    /// The unmet rules, in the order in which GitHub names them.
    pub(crate) fn blocks(&self, repo: u64, pull: &Pull) -> ApiResult<Vec<Block>> {
        let found = self.repo(repo)?;
        let Some(rules) = found.rules.get(&pull.base_ref) else {
            return Ok(Vec::new());
        };
        let mut blocks = Vec::new();
        if rules.strict {
            let base = self.base_tip(repo, pull)?;
            if !found.forge.is_ancestor(&base, &pull.head_sha)? {
                blocks.push(Block::Behind);
            }
        }
        let standings = self.standings(repo, &pull.head_sha)?;
        for wanted in &rules.required_checks {
            let counts = |(name, app, _): &&(String, Option<u64>, Standing)| {
                *name == wanted.context
                    && wanted.integration_id.is_none_or(|only| *app == Some(only))
            };
            let name = wanted.context.clone();
            match standings.iter().filter(counts).map(|one| one.2).max() {
                None => blocks.push(Block::Expected(name)),
                Some(Standing::Pending) => blocks.push(Block::InProgress(name)),
                Some(Standing::Failed) => blocks.push(Block::Failing(name)),
                Some(Standing::Passed) => {}
            }
        }
        if let Some(wanted) = rules.approvals {
            let (approved, refused) = self.votes(repo, pull)?;
            if refused {
                blocks.push(Block::ChangesRequested);
            } else if approved < wanted {
                blocks.push(Block::NotApproved(wanted));
            }
        }
        Ok(blocks)
    }

    /// Approvals by people with write access, and whether one of them asks for changes.
    pub(crate) fn votes(&self, repo: u64, pull: &Pull) -> ApiResult<(u32, bool)> {
        let found = self.repo(repo)?;
        let mut last = std::collections::BTreeMap::new();
        for review in found.reviews.values().filter(|one| one.pull == pull.number) {
            let decides = review.state != ReviewState::Commented;
            if decides && found.role(review.user.id) >= Role::Write {
                last.insert(review.user.id, review.state);
            }
        }
        let approved = last.values().filter(|state| **state == ReviewState::Approved).count();
        let refused = last.values().any(|state| *state == ReviewState::ChangesRequested);
        Ok((u32::try_from(approved).unwrap_or(u32::MAX), refused))
    }

    pub(crate) fn mergeable_state(
        &self,
        repo: u64,
        pull: &Pull,
        mergeable: Option<bool>,
    ) -> ApiResult<&'static str> {
        match mergeable {
            None => return Ok("unknown"),
            Some(false) => return Ok("dirty"),
            Some(true) if pull.draft => return Ok("draft"),
            Some(true) => {}
        }
        let blocks = self.blocks(repo, pull)?;
        if blocks.iter().any(|block| *block != Block::Behind) {
            return Ok("blocked");
        }
        if !blocks.is_empty() {
            return Ok("behind");
        }
        let standings = self.standings(repo, &pull.head_sha)?;
        let calm = standings.iter().all(|one| one.2 == Standing::Passed);
        Ok(if calm { "clean" } else { "unstable" })
    }

    /// A person's role and coarse permission, as the collaborators call tells them.
    /// Everybody with a role of their own, the owner first.
    pub fn collaborators(&self, actor: &Actor, repo: &str) -> ApiResult<Vec<(User, Role)>> {
        let id = self.enter(actor, repo, &[("metadata", Level::Read)])?;
        let found = self.repo(id)?;
        let given = found.roles.iter().filter(|(_, role)| **role > Role::None);
        let with_user = |(id, role): (&u64, &Role)| Some((self.users.get(id)?.clone(), *role));
        let mut people: Vec<(User, Role)> = given.filter_map(with_user).collect();
        people.sort_by_key(|(user, _)| user.id != found.owner.id);
        Ok(people)
    }

    pub fn permission(&self, actor: &Actor, repo: &str, login: &str) -> ApiResult<(u64, Role)> {
        let id = self.enter(actor, repo, &[("metadata", Level::Read)])?;
        let same = |user: &&User| user.login.eq_ignore_ascii_case(login);
        let user = self.users.values().find(same);
        let user = user.ok_or_else(|| ApiError::new(404, format!("{login} is not a user")))?;
        Ok((user.id, self.repo(id)?.role(user.id)))
    }
}
