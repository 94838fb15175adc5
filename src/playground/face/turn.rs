//! The World's plain values as ours.

use std::collections::BTreeSet;

use crate::gate::seen::{self, PullState};
use crate::github::answer::Refusal;
use crate::github::{At, Comment, Error, Issue, Pull, Repository};
use crate::model::{
    BranchName, CommentId, CommitSha, InstallationId, IssueNumber, Millis, PullNumber, Repo, User,
    UserId,
};
use crate::playground::error::ApiError;
use crate::playground::world::pulls::PullView;
use crate::playground::world::{self, Method, Settings};
use crate::policy::MergeMethod;

/// A refusal as the wire would have carried it.
pub(super) fn refusal(error: &ApiError) -> Refusal {
    let header = |wanted: &str| {
        let found = error.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.and_then(|(_, value)| value.parse::<u64>().ok())
    };
    let mut message = error.message.clone();
    let errors = error.body.as_ref().and_then(|body| body.get("errors")?.as_array());
    for one in errors.into_iter().flatten().take(5) {
        if let Some(text) = one.get("message").unwrap_or(one).as_str() {
            message.push_str("; ");
            message.push_str(text);
        }
    }
    Refusal {
        status: error.status,
        message,
        retry_after_s: header("retry-after"),
        limit_remaining: header("x-ratelimit-remaining"),
        limit_reset_s: header("x-ratelimit-reset").and_then(|s| i64::try_from(s).ok()),
    }
}

pub(super) fn user(user: &world::User) -> User {
    User { id: UserId(user.id), login: user.login.clone(), bot: user.bot }
}

pub(super) fn sha(text: &str) -> Result<CommitSha, Error> {
    CommitSha::parse(text).map_err(|error| Error::Unexpected(error.to_string()))
}

fn branch(text: &str) -> Result<BranchName, Error> {
    BranchName::parse(text).map_err(|error| Error::Unexpected(error.to_string()))
}

pub(super) fn method(method: MergeMethod) -> Method {
    match method {
        MergeMethod::Merge => Method::Merge,
        MergeMethod::Squash => Method::Squash,
        MergeMethod::Rebase => Method::Rebase,
    }
}

pub(super) fn repository(
    settings: &Settings,
    default_branch: &str,
    rules: &world::Rules,
) -> Result<Repository, Error> {
    let only_these = rules.allowed_merge_methods.as_ref().filter(|_| !rules.classic);
    let all = [
        (MergeMethod::Merge, settings.allow_merge_commit),
        (MergeMethod::Squash, settings.allow_squash_merge),
        (MergeMethod::Rebase, settings.allow_rebase_merge),
    ];
    let allowed = all.into_iter().filter(|(way, allowed)| {
        *allowed && only_these.is_none_or(|only| only.is_empty() || only.contains(&method(*way)))
    });
    let methods: BTreeSet<MergeMethod> = allowed.map(|(way, _)| way).collect();
    Ok(Repository {
        default_branch: branch(default_branch)?,
        methods,
        private: settings.private,
        archived: false,
    })
}

pub(super) fn issue(issue: world::Issue) -> Issue {
    Issue {
        number: IssueNumber(issue.number),
        title: issue.title,
        body: issue.body,
        author: Some(user(&issue.user)),
        open: issue.open,
        labels: issue.labels.into_keys().collect(),
        is_pull: issue.is_pull,
    }
}

pub(super) fn pull(view: &PullView) -> Result<Pull, Error> {
    let found = &view.pull;
    let state = match (found.merged, &found.merge_commit_sha) {
        (true, Some(commit)) => PullState::Merged { commit: sha(commit)? },
        (true, None) => return Err(Error::Unexpected("merged without a commit".to_owned())),
        (false, _) if view.issue.open => PullState::Open,
        (false, _) => PullState::Closed,
    };
    Ok(Pull {
        number: PullNumber(found.number),
        state,
        draft: found.draft,
        head: sha(&found.head_sha)?,
        head_branch: found.head_ref.clone(),
        fork: found.head_repo != world::HeadRepo::Here,
        base: branch(&found.base_ref)?,
        auto_merge: found.auto_merge.as_ref().map(|wish| wish.by.login.clone()),
    })
}

/// Whether a ruleset says something about the branch.
pub(super) fn is_ruled(rules: &world::Rules) -> bool {
    let any = !rules.required_checks.is_empty()
        || rules.approvals.is_some()
        || rules.allowed_merge_methods.is_some()
        || rules.queue.is_some();
    any && !rules.classic
}

/// What an App without administration may see: of classic protection only the names.
pub(super) fn rules(rules: &world::Rules, app: u64) -> seen::Rules {
    let required = rules.required_checks.iter().map(|check| check.context.clone()).collect();
    let shown = !rules.classic;
    let only = rules.required_checks.iter().filter(|_| shown);
    let by_app = only.filter_map(|one| Some((one.context.clone(), one.integration_id?))).collect();
    let queue = rules.queue.filter(|_| shown);
    let mut turned = seen::Rules {
        required,
        strict: shown && rules.strict && !rules.required_checks.is_empty(),
        approvals: if shown { rules.approvals.unwrap_or(0) } else { 0 },
        queue: queue.is_some(),
        queue_method: queue.map(|queue| own_method(queue.method)),
        queue_minutes: queue.map_or(0, |queue| queue.minutes),
        by_app,
        protected: *rules != world::Rules::default(),
        ..seen::Rules::default()
    };
    crate::github::rules::set_ours_apart(&mut turned, app);
    turned
}

fn own_method(method: Method) -> MergeMethod {
    match method {
        Method::Merge => MergeMethod::Merge,
        Method::Squash => MergeMethod::Squash,
        Method::Rebase => MergeMethod::Rebase,
    }
}

/// Every repository of every installation of `app` that is not suspended.
pub(super) fn places(state: &world::State, app: u64) -> Vec<At> {
    let ours = state.installations.values().filter(|one| one.app == app && !one.suspended);
    let places = ours.flat_map(|one| {
        let installation = InstallationId(one.id);
        let repos = one.repositories.iter().filter_map(|id| state.repos.get(id));
        let named = repos.filter_map(|repo| Repo::parse(&repo.full_name()).ok());
        named.map(move |repo| At { installation, repo }).collect::<Vec<_>>()
    });
    places.collect()
}

pub(super) fn comment(is_pull: bool, said: world::Comment) -> Comment {
    Comment {
        id: CommentId(said.id),
        number: IssueNumber(said.issue),
        is_pull,
        by: Some(user(&said.user)),
        via: said.via_app,
        edited: said.updated_ms != said.created_ms,
        body: said.body,
        created: Millis(said.created_ms),
    }
}
