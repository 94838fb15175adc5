//! What people do by hand: the stories' and the pages' way into the World.

use super::access::{Actor, CONTENTS};
use super::issues::IssueEdit;
use super::merge::MergeCall;
use super::model::{Comment, Issue, Review, ReviewState, RunStatus};
use super::pulls::{NewPull, PullView};
use super::refs::{good_branch, person};
use super::reviews::NewReview;
use super::{ApiError, ApiResult, Op, State, World};
use crate::playground::forge::{CommitDraft, Expected, Files};

/// A push of files by a person.
#[derive(Clone, Debug)]
pub struct FilePush<'a> {
    pub branch: &'a str,
    /// Where the new commit goes: the branch's tip, or a named commit with force.
    pub onto: Option<&'a str>,
    pub files: &'a Files,
    pub message: &'a str,
}

impl World {
    pub fn open_issue(&self, user: u64, repo: &str, title: &str, body: &str) -> ApiResult<Issue> {
        let (actor, op) = (Actor::User(user), Op::write("issues/create", repo));
        self.call(&actor, op, |state| state.create_issue(&actor, repo, title, body))
    }

    pub fn comment(&self, user: u64, repo: &str, number: u64, body: &str) -> ApiResult<Comment> {
        let (actor, op) = (Actor::User(user), Op::write("issues/create-comment", repo));
        self.call(&actor, op, |state| state.create_comment(&actor, repo, number, body))
    }

    pub fn edit_comment(&self, user: u64, repo: &str, id: u64, body: &str) -> ApiResult<Comment> {
        let (actor, op) = (Actor::User(user), Op::write("issues/update-comment", repo));
        self.call(&actor, op, |state| state.edit_comment(&actor, repo, id, body))
    }

    pub fn label(&self, user: u64, repo: &str, number: u64, name: &str) -> ApiResult<Issue> {
        let (actor, op) = (Actor::User(user), Op::write("issues/add-labels", repo));
        let names = [name.to_owned()];
        self.call(&actor, op, |state| state.add_labels(&actor, repo, number, &names))
    }

    pub fn unlabel(&self, user: u64, repo: &str, number: u64, name: &str) -> ApiResult<Issue> {
        let (actor, op) = (Actor::User(user), Op::write("issues/remove-label", repo));
        self.call(&actor, op, |state| state.remove_label(&actor, repo, number, name))
    }

    /// Reviews the present head.
    pub fn review(
        &self,
        user: u64,
        repo: &str,
        number: u64,
        (verdict, body): (ReviewState, &str),
    ) -> ApiResult<Review> {
        let (actor, op) = (Actor::User(user), Op::write("pulls/create-review", repo));
        let new = NewReview { state: verdict, body, remarks: &[], commit: None };
        self.call(&actor, op, |state| state.create_review(&actor, repo, number, &new))
    }

    pub fn press_button(&self, user: u64, repo: &str, run: u64, button: &str) -> ApiResult<()> {
        let (actor, op) = (Actor::User(user), Op::write("checks/request-action", repo));
        self.call(&actor, op, |state| state.request_action(&actor, repo, run, button))
    }

    pub fn close(&self, user: u64, repo: &str, number: u64) -> ApiResult<Issue> {
        self.set_open(user, repo, number, false)
    }

    pub fn reopen(&self, user: u64, repo: &str, number: u64) -> ApiResult<Issue> {
        self.set_open(user, repo, number, true)
    }

    fn set_open(&self, user: u64, repo: &str, number: u64, open: bool) -> ApiResult<Issue> {
        let (actor, op) = (Actor::User(user), Op::write("issues/update", repo));
        let edit = IssueEdit { open: Some(open), ..IssueEdit::default() };
        self.call(&actor, op, |state| state.edit_issue(&actor, repo, number, &edit))
    }

    pub fn open_pull(&self, user: u64, repo: &str, new: &NewPull) -> ApiResult<PullView> {
        let (actor, op) = (Actor::User(user), Op::write("pulls/create", repo));
        self.call(&actor, op, |state| state.create_pull(&actor, repo, new))
    }

    pub fn merge_pull(
        &self,
        user: u64,
        repo: &str,
        number: u64,
        call: &MergeCall,
    ) -> ApiResult<String> {
        let (actor, op) = (Actor::User(user), Op::write("pulls/merge", repo));
        self.call(&actor, op, |state| state.merge_pull(&actor, repo, number, call))
    }

    /// Commits files and pushes them; a missing branch starts at the default branch.
    pub fn push_files(&self, user: u64, repo: &str, push: &FilePush<'_>) -> ApiResult<String> {
        let (actor, op) = (Actor::User(user), Op::write("git/push", repo));
        self.call(&actor, op, |state| state.push_files(&actor, repo, push))
    }

    /// Sets the outcome of the newest run of a name on a commit, made when missing, as CI would.
    pub fn set_check(
        &self,
        repo: &str,
        sha: &str,
        name: &str,
        conclusion: Option<&str>,
    ) -> ApiResult<u64> {
        self.with(|state| state.set_check(repo, sha, name, conclusion))
    }
}

impl State {
    pub fn push_files(
        &mut self,
        actor: &Actor,
        repo: &str,
        push: &FilePush<'_>,
    ) -> ApiResult<String> {
        let id = self.enter(actor, repo, &[CONTENTS])?;
        let user = self.user_of(actor)?;
        let found = self.repo(id)?;
        let old = found.branches.get(push.branch).cloned();
        let main = found.branches.get(&found.default_branch).cloned();
        let parent = push.onto.map(str::to_owned).or_else(|| old.clone()).or(main);
        let tree = found.forge.write_files(parent.as_deref(), push.files)?;
        let parents: Vec<&str> = parent.as_deref().into_iter().collect();
        let made = found.forge.commit_tree(&CommitDraft {
            tree: &tree,
            parents: &parents,
            message: push.message,
            author: &person(&user),
            at_ms: self.now_ms,
        })?;
        self.push_ref(actor, repo, push.branch, (old.as_deref(), Some(&made)))?;
        Ok(made)
    }

    /// A push of one branch, `old` being where the pusher saw it; `None` as new deletes.
    pub fn push_ref(
        &mut self,
        actor: &Actor,
        repo: &str,
        branch: &str,
        (old, new): (Option<&str>, Option<&str>),
    ) -> ApiResult<()> {
        let id = self.enter(actor, repo, &[CONTENTS])?;
        let user = self.user_of(actor)?;
        if !good_branch(branch) {
            return Err(ApiError::new(422, "Reference name is not valid"));
        }
        if self.is_protected_from(actor, id, branch) {
            return Err(ApiError::new(422, "Protected branch update failed"));
        }
        let expected = old.map_or(Expected::Missing, Expected::At);
        let name = format!("refs/heads/{branch}");
        let moved = self.forge(id)?.update_ref(&name, expected, new);
        moved.map_err(|error| ApiError::new(422, format!("stale info: {error}")))?;
        self.refresh_refs(id, &user)
    }

    fn set_check(
        &mut self,
        repo: &str,
        sha: &str,
        name: &str,
        conclusion: Option<&str>,
    ) -> ApiResult<u64> {
        let id = self.repo_id(repo).ok_or_else(ApiError::not_found)?;
        let app = self.ci_app.ok_or_else(|| ApiError::new(422, "There is no CI"))?;
        let latest = self.latest_runs(id, sha)?;
        let run = latest.iter().find(|run| run.app == app && run.name == name).map(|run| run.id);
        if let Some(run) = run {
            self.ci.retain(|_, job| job.run != run);
        }
        let edit = super::checks::RunEdit {
            name: Some(name.to_owned()),
            status: conclusion.is_none().then_some(RunStatus::InProgress),
            conclusion: conclusion.map(str::to_owned),
            ..super::checks::RunEdit::default()
        };
        Ok(self.put_run(id, app, (run, sha), &edit)?.id)
    }
}
