//! Arranging the World: accounts, Apps, installations and repositories.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use super::accounts::{App, Installation, Permissions, Role, User};
use super::model::{Repo, Settings};
use super::refs::person;
use super::rules::Rules;
use super::{ApiError, ApiResult, State, World};
use crate::playground::forge::{CommitDraft, Expected, Files, Forge};

/// An App to be registered.
#[derive(Clone, Debug)]
pub struct NewApp {
    pub slug: String,
    pub owner: u64,
    pub permissions: Permissions,
    pub events: BTreeSet<String>,
    pub webhook_url: Option<String>,
}

impl World {
    pub fn add_user(&self, login: &str) -> User {
        self.with(|state| state.add_user(login, false))
    }

    /// Registers an App; its webhook secret is derived from the World's seed.
    pub fn add_app(&self, new: &NewApp) -> ApiResult<App> {
        self.with(|state| {
            let owner = state.users.get(&new.owner).cloned().ok_or_else(ApiError::not_found)?;
            let id = state.fresh_id();
            let user = state.add_user(&format!("{}[bot]", new.slug), true);
            let app = App {
                id,
                slug: new.slug.clone(),
                name: new.slug.clone(),
                client_id: format!("Iv1.{id:016x}"),
                owner,
                user,
                webhook_secret: state.fresh_secret(),
                webhook_url: new.webhook_url.clone(),
                permissions: new.permissions.clone(),
                events: new.events.clone(),
                key: Arc::new(OnceLock::new()),
            };
            state.apps.insert(id, app.clone());
            Ok(app)
        })
    }

    /// Makes an App the one that reports CI.
    pub fn set_ci_app(&self, app: u64) {
        self.with(|state| state.ci_app = Some(app));
    }

    pub fn set_webhook_url(&self, app: u64, url: &str) {
        self.with(|state| {
            if let Some(app) = state.apps.get_mut(&app) {
                app.webhook_url = Some(url.to_owned());
            }
        });
    }

    /// Installs an App on repositories of one account and tells it so.
    pub fn install(&self, app: u64, account: &User, repositories: &[u64]) -> ApiResult<u64> {
        self.with(|state| {
            let permissions = state.apps.get(&app).ok_or_else(ApiError::not_found)?;
            let permissions = permissions.permissions.clone();
            let id = state.fresh_id();
            let installation = Installation {
                id,
                app,
                account: account.clone(),
                repositories: repositories.iter().copied().collect(),
                permissions,
                created_ms: state.now_ms,
                suspended: false,
            };
            state.installations.insert(id, installation);
            state.emit_installation(id, "created", account);
            Ok(id)
        })
    }

    /// Suspends or wakes an installation.
    pub fn suspend(&self, installation: u64, suspended: bool) -> ApiResult<()> {
        self.with(|state| {
            let found = state.installations.get_mut(&installation);
            let found = found.ok_or_else(ApiError::not_found)?;
            found.suspended = suspended;
            let account = found.account.clone();
            let action = if suspended { "suspend" } else { "unsuspend" };
            state.emit_installation(installation, action, &account);
            Ok(())
        })
    }

    /// Grants an installation other permissions; tokens already made can only lose by it.
    pub fn change_permissions(&self, installation: u64, to: Permissions) -> ApiResult<()> {
        self.with(|state| {
            let found = state.installations.get_mut(&installation);
            let found = found.ok_or_else(ApiError::not_found)?;
            found.permissions = to;
            let account = found.account.clone();
            state.emit_installation(installation, "new_permissions_accepted", &account);
            Ok(())
        })
    }

    /// Adds a repository whose default branch may be made later by a first push.
    pub fn add_repo(
        &self,
        owner: &User,
        name: &str,
        default_branch: &str,
        forge: Arc<dyn Forge>,
    ) -> ApiResult<u64> {
        self.with(|state| {
            let id = state.fresh_id();
            let mut branches = BTreeMap::new();
            for (full, tip) in forge.refs()? {
                if let Some(branch) = full.strip_prefix("refs/heads/") {
                    branches.insert(branch.to_owned(), tip);
                }
            }
            let repo = Repo {
                id,
                owner: owner.clone(),
                name: name.to_owned(),
                default_branch: default_branch.to_owned(),
                settings: Settings::default(),
                created_ms: state.now_ms,
                pushed_ms: state.now_ms,
                roles: BTreeMap::from([(owner.id, Role::Admin)]),
                rules: BTreeMap::new(),
                issues: BTreeMap::new(),
                pulls: BTreeMap::new(),
                queue: Vec::new(),
                comments: BTreeMap::new(),
                reviews: BTreeMap::new(),
                threads: BTreeMap::new(),
                sub_issues: BTreeMap::new(),
                blocked_by: BTreeMap::new(),
                suites: BTreeMap::new(),
                runs: BTreeMap::new(),
                statuses: Vec::new(),
                branches,
                signed: BTreeSet::new(),
                forge,
                next_number: 0,
            };
            state.repos.insert(id, repo);
            Ok(id)
        })
    }

    /// Gives a repository its first commit; no event tells of it.
    pub fn first_commit(&self, repo: u64, author: &User, files: &Files) -> ApiResult<String> {
        self.with(|state| {
            let at_ms = state.now_ms;
            let found = state.repo_mut(repo)?;
            let tree = found.forge.write_files(None, files)?;
            let id = found.forge.commit_tree(&CommitDraft {
                tree: &tree,
                parents: &[],
                message: "First commit",
                author: &person(author),
                at_ms,
            })?;
            let name = format!("refs/heads/{}", found.default_branch);
            found.forge.update_ref(&name, Expected::Missing, Some(&id))?;
            found.branches.insert(found.default_branch.clone(), id.clone());
            Ok(id)
        })
    }

    pub fn set_permission(&self, repo: &str, user: u64, role: Role) -> ApiResult<()> {
        self.with(|state| {
            let id = state.repo_id(repo).ok_or_else(ApiError::not_found)?;
            state.repo_mut(id)?.roles.insert(user, role);
            Ok(())
        })
    }

    pub fn set_rules(&self, repo: &str, branch: &str, rules: Rules) -> ApiResult<()> {
        self.with(|state| {
            let id = state.repo_id(repo).ok_or_else(ApiError::not_found)?;
            state.repo_mut(id)?.rules.insert(branch.to_owned(), rules);
            Ok(())
        })
    }

    pub fn set_settings(&self, repo: &str, change: impl FnOnce(&mut Settings)) -> ApiResult<()> {
        self.with(|state| {
            let id = state.repo_id(repo).ok_or_else(ApiError::not_found)?;
            change(&mut state.repo_mut(id)?.settings);
            Ok(())
        })
    }
}

impl State {
    pub(crate) fn add_user(&mut self, login: &str, bot: bool) -> User {
        let same = |user: &&User| user.login == login;
        if let Some(found) = self.users.values().find(same) {
            return found.clone();
        }
        let user = User { id: self.fresh_id(), login: login.to_owned(), bot };
        self.users.insert(user.id, user.clone());
        user
    }
}
