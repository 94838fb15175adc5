//! Who calls, and what that caller may see and do in a repository.

use std::collections::BTreeSet;

use super::accounts::{Level, Permissions, Role, User};
use super::model::Repo;
use super::{ApiError, ApiResult, State};

/// The caller of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    Anonymous,
    /// A person by user id.
    User(u64),
    /// An App by its own signed claim.
    App(u64),
    /// An App inside an installation.
    Bot {
        app: u64,
        installation: u64,
        permissions: Permissions,
        /// All repositories of the installation when `None`.
        repositories: Option<BTreeSet<u64>>,
        expires_ms: i64,
    },
}

/// A permission that would do for an operation.
pub type Need = (&'static str, Level);

pub const ISSUES: Need = ("issues", Level::Write);
pub const PULLS: Need = ("pull_requests", Level::Write);
pub const CONTENTS: Need = ("contents", Level::Write);
pub const CHECKS: Need = ("checks", Level::Write);

impl State {
    /// A name for the journal.
    pub(crate) fn actor_name(&self, actor: &Actor) -> String {
        let name = match actor {
            Actor::Anonymous => None,
            Actor::User(id) => self.users.get(id).map(|user| &user.login),
            Actor::App(id) | Actor::Bot { app: id, .. } => self.apps.get(id).map(|app| &app.slug),
        };
        name.cloned().unwrap_or_default()
    }

    /// The account that acts, for people and installations.
    pub fn user_of(&self, actor: &Actor) -> ApiResult<User> {
        let found = match actor {
            Actor::Anonymous => return Err(ApiError::new(401, "Requires authentication")),
            Actor::User(id) => self.users.get(id),
            Actor::App(id) | Actor::Bot { app: id, .. } => self.apps.get(id).map(|app| &app.user),
        };
        found.cloned().ok_or_else(ApiError::bad_credentials)
    }

    pub(crate) fn via_app(actor: &Actor) -> Option<u64> {
        match actor {
            Actor::Bot { app, .. } => Some(*app),
            Actor::Anonymous | Actor::User(_) | Actor::App(_) => None,
        }
    }

    /// The repository's id from `owner/name`, regardless of rights.
    pub fn repo_id(&self, full_name: &str) -> Option<u64> {
        let same = |repo: &&Repo| repo.full_name().eq_ignore_ascii_case(full_name);
        self.repos.values().find(same).map(|repo| repo.id)
    }

    pub fn repo(&self, id: u64) -> ApiResult<&Repo> {
        self.repos.get(&id).ok_or_else(ApiError::not_found)
    }

    pub(crate) fn repo_mut(&mut self, id: u64) -> ApiResult<&mut Repo> {
        self.repos.get_mut(&id).ok_or_else(ApiError::not_found)
    }

    /// Opens a repository for an operation: 404 when it may not be seen, 403 when none of the
    /// needed permissions is held. No needs means reading metadata.
    pub fn enter(&self, actor: &Actor, full_name: &str, needs: &[Need]) -> ApiResult<u64> {
        let id = self.repo_id(full_name).ok_or_else(ApiError::not_found)?;
        let repo = self.repo(id)?;
        match actor {
            Actor::App(_) => Err(ApiError::bad_credentials()),
            Actor::Anonymous => {
                let writes = needs.iter().any(|need| need.1 == Level::Write);
                match (repo.settings.private, writes) {
                    (true, _) => Err(ApiError::not_found()),
                    (false, true) => Err(ApiError::new(401, "Requires authentication")),
                    (false, false) => Ok(id),
                }
            }
            Actor::User(user) => {
                let role = repo.role(*user);
                if role < Role::Read {
                    return Err(ApiError::not_found());
                }
                let enough = needs.is_empty() || needs.iter().any(|need| role >= person(*need));
                let refused = || ApiError::new(403, "Must have push access to repository.");
                if enough { Ok(id) } else { Err(refused()) }
            }
            Actor::Bot { installation, permissions, repositories, .. } => {
                let installed = self.installations.get(installation);
                let covered = installed.is_some_and(|one| one.repositories.contains(&id))
                    && repositories.as_ref().is_none_or(|only| only.contains(&id));
                if !covered && repo.settings.private {
                    return Err(ApiError::not_found());
                }
                let reads = needs.iter().all(|need| need.1 == Level::Read);
                // What the owner took back since the token was made no longer counts.
                let held = |need: &Need| {
                    let has = |all: &Permissions| all.get(need.0).is_some_and(|l| *l >= need.1);
                    has(permissions) && installed.is_some_and(|one| has(&one.permissions))
                };
                let enough = needs.is_empty()
                    || (covered && needs.iter().any(held))
                    || (!covered && reads && !repo.settings.private);
                if enough { Ok(id) } else { Err(ApiError::not_accessible()) }
            }
        }
    }

    /// Whether a person holds at least `role`; installations were judged by [`State::enter`].
    pub(crate) fn at_least(&self, actor: &Actor, repo: u64, role: Role) -> bool {
        match actor {
            Actor::User(user) => self.repos.get(&repo).is_some_and(|one| one.role(*user) >= role),
            Actor::Bot { .. } => true,
            Actor::Anonymous | Actor::App(_) => false,
        }
    }

    pub(crate) fn association(&self, repo: u64, user: &User) -> &'static str {
        let Some(repo) = self.repos.get(&repo) else {
            return "NONE";
        };
        if repo.owner.id == user.id {
            return "OWNER";
        }
        match repo.roles.get(&user.id).copied().unwrap_or_default() {
            Role::None | Role::Read => {
                let landed = |n: &u64| repo.pulls.get(n).is_some_and(|pull| pull.merged);
                let by = repo.issues.values().filter(|issue| issue.user.id == user.id);
                let known = by.map(|issue| issue.number).any(|number| landed(&number));
                if known { "CONTRIBUTOR" } else { "NONE" }
            }
            Role::Triage | Role::Write | Role::Maintain | Role::Admin => "COLLABORATOR",
        }
    }
}

/// What a person's role must be where an App needs a permission.
fn person(need: Need) -> Role {
    match need {
        ("checks", Level::Write) | ("administration", _) => Role::Admin,
        ("contents" | "statuses" | "actions" | "workflows", Level::Write) => Role::Write,
        _ => Role::Read,
    }
}
