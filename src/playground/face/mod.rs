//! The World without HTTP: our own GitHub contract straight over its operations, through the
//! same gate, so that counts, journal, limits and faults are those of the served World.

mod checks;
mod commits;
mod extras;
mod lost;
mod people;
mod pulls;
mod queue;
mod talk;
mod turn;

use async_trait::async_trait;

use super::error::{ApiError, ApiResult, Failure};
use super::world::auth::TokenScope;
use super::world::comments::Subject;
use super::world::issues::IssueEdit;
use super::world::{Actor, Level, Op, State, World};
use crate::gate::seen::{Check, Line, Review, Rules};
use crate::github::Note;
use crate::github::commits::{NewCommit, Signed};
use crate::github::delivery::{Kept, Log, Which};
use crate::github::{
    At, CheckRun, Comment, Conversation, Error, GitHub, Issue, MergeOrder, NewPull, Pull, Purpose,
    Reaction, Remote, Repository, SubIssues,
};
use crate::github::{Change, Touched};
use crate::model::sanitized::CommentText;
use crate::model::{
    BranchName, CheckId, CommentId, CommitSha, IssueNumber, Millis, Permission, PullNumber, Secret,
    User,
};
use crate::pipeline::stage::{MergeAnswer, UpdateAnswer};
use crate::pipeline::standing::{Enlisted, Way};

/// GitHub as one App of the World sees it.
#[derive(Debug, Clone)]
pub struct Face {
    world: World,
    app: u64,
}

impl Face {
    pub fn new(world: World, app: u64) -> Self {
        Self { world, app }
    }

    fn now(&self) -> Millis {
        Millis(self.world.now_ms())
    }

    fn actor(&self, at: &At) -> Result<Actor, Error> {
        let actor = self.world.as_installation(at.installation.0);
        let actor = actor.map_err(|error| self.error(&error))?;
        let (own, covered) = self.world.with(|state| {
            let found = state.installations.get(&at.installation.0);
            let repo = state.repo_id(&at.repo.to_string());
            let covers = |id: u64| found.is_some_and(|one| one.repositories.contains(&id));
            (found.is_some_and(|one| one.app == self.app), repo.is_some_and(covers))
        });
        // Over HTTP there would be no token: of another's installation, or for this repository.
        if !own {
            return Err(Error::Gone("no such installation".to_owned()));
        }
        if !covered {
            return Err(Error::Forbidden("the installation does not grant it".to_owned()));
        }
        Ok(actor)
    }

    fn error(&self, error: &ApiError) -> Error {
        match error.failure {
            Failure::Answer => turn::refusal(error).error(self.now()),
            Failure::Timeout => Error::Unavailable("time-out".to_owned()),
            Failure::Reset => Error::Unavailable("reset".to_owned()),
        }
    }

    /// One read, repeated once when its answer is lost.
    fn read<T>(
        &self,
        at: &At,
        (id, rest): (&'static str, &str),
        run: impl Fn(&mut State, &Actor, &str) -> ApiResult<T>,
    ) -> Result<T, Error> {
        let (actor, repo) = (self.actor(at)?, at.repo.to_string());
        let once = || {
            let op = Op::read(id, format!("/repos/{repo}{rest}"));
            self.world.call(&actor, op, |state| run(state, &actor, &repo))
        };
        let found = match once() {
            Err(error) if error.status >= 500 => once(),
            other => other,
        };
        found.map_err(|error| self.error(&error))
    }

    /// One write, never repeated.
    fn write<T>(
        &self,
        at: &At,
        op: Op,
        run: impl FnOnce(&mut State, &Actor, &str) -> ApiResult<T>,
    ) -> Result<T, Error> {
        let actor = self.actor(at)?;
        let done = self.world.call(&actor, op, |state| run(state, &actor, &at.repo.to_string()));
        done.map_err(|error| self.error(&error))
    }
}

fn op(method: &'static str, id: &'static str, at: &At, rest: &str) -> Op {
    Op { id, method, path: format!("/repos/{}{rest}", at.repo) }
}

#[async_trait]
impl GitHub for Face {
    async fn permission(&self, at: &At, user: &User) -> Result<Permission, Error> {
        self.permission_of(at, user)
    }

    async fn repository(&self, at: &At) -> Result<Repository, Error> {
        let (settings, default_branch) =
            self.read(at, ("repos/get", ""), |state, actor, repo| {
                let id = state.enter(actor, repo, &[])?;
                let found = state.repo(id)?;
                Ok((found.settings.clone(), found.default_branch.clone()))
            })?;
        let rules = self.read(at, ("repos/get-branch-rules", "/rules"), |state, actor, repo| {
            state.rules(actor, repo, &default_branch)
        })?;
        turn::repository(&settings, &default_branch, &rules)
    }

    async fn file(&self, at: &At, path: &str) -> Result<Option<String>, Error> {
        self.read_file(at, path, None)
    }

    async fn file_at_tip(
        &self,
        at: &At,
        branch: &BranchName,
        path: &str,
    ) -> Result<(CommitSha, Option<String>), Error> {
        self.read_file_at_tip(at, branch, path)
    }

    async fn comment_now(&self, at: &At, id: CommentId) -> Result<Option<Comment>, Error> {
        self.read_comment(at, id)
    }

    async fn conversation(&self, at: &At, issue: IssueNumber) -> Result<Conversation, Error> {
        self.read_conversation(at, issue)
    }

    async fn sole_writer(&self, at: &At, user: &User) -> Result<bool, Error> {
        self.reads_as_sole_writer(at, user)
    }

    async fn may_bypass(&self, at: &At, branch: &BranchName) -> Result<bool, Error> {
        self.reads_as_bypassing(at, branch)
    }

    async fn issue(&self, at: &At, issue: IssueNumber) -> Result<Issue, Error> {
        let rest = format!("/issues/{issue}");
        let found = self.read(at, ("issues/get", &rest), |state, actor, repo| {
            state.issue(actor, repo, issue.0)
        })?;
        Ok(turn::issue(found))
    }

    async fn pull(&self, at: &At, pull: PullNumber) -> Result<Pull, Error> {
        turn::pull(&self.view(at, pull)?)
    }

    async fn pull_of(&self, at: &At, branch: &BranchName) -> Result<Option<PullNumber>, Error> {
        self.find_pull(at, branch)
    }

    async fn checks(&self, at: &At, head: &CommitSha) -> Result<Vec<Check>, Error> {
        self.read_checks(at, head)
    }

    async fn check_log(&self, at: &At, check: CheckId) -> Result<String, Error> {
        self.read_check_log(at, check)
    }

    async fn rules(&self, at: &At, branch: &BranchName) -> Result<Rules, Error> {
        let rest = format!("/rules/branches/{branch}");
        let found = self.read(at, ("repos/get-branch-rules", &rest), |state, actor, repo| {
            state.rules(actor, repo, branch.as_str())
        })?;
        let rest = format!("/branches/{branch}");
        self.read(at, ("repos/get-branch", &rest), |state, actor, repo| {
            state.branch(actor, repo, branch.as_str())
        })?;
        Ok(turn::rules(&found, self.app))
    }

    async fn reviews(&self, at: &At, pull: PullNumber) -> Result<Vec<Review>, Error> {
        self.read_reviews(at, pull)
    }

    async fn react(&self, at: &At, to: CommentId, with: Reaction) -> Result<(), Error> {
        let rest = format!("/issues/comments/{to}/reactions");
        let op = op("POST", "reactions/create-for-issue-comment", at, &rest);
        let on = Subject::Comment(to.0);
        self.write(at, op, |state, actor, repo| state.react(actor, repo, on, with.word())).map(drop)
    }

    async fn comment_with(
        &self,
        at: &At,
        issue: IssueNumber,
        marker: &str,
    ) -> Result<Option<CommentId>, Error> {
        let rest = format!("/issues/{issue}/comments");
        let found = self.read(at, ("issues/list-comments", &rest), |state, actor, repo| {
            state.list_comments(actor, repo, Some(issue.0), i64::MIN)
        })?;
        let ours = found.iter().find(|comment| {
            comment.user.bot && comment.via_app == Some(self.app) && comment.body.contains(marker)
        });
        Ok(ours.map(|comment| CommentId(comment.id)))
    }

    async fn comment(
        &self,
        at: &At,
        issue: IssueNumber,
        body: &CommentText,
    ) -> Result<CommentId, Error> {
        let op = op("POST", "issues/create-comment", at, &format!("/issues/{issue}/comments"));
        let body = body.as_str();
        let made = self
            .write(at, op, |state, actor, repo| state.create_comment(actor, repo, issue.0, body))?;
        Ok(CommentId(made.id))
    }

    async fn edit_comment(&self, at: &At, id: CommentId, body: &CommentText) -> Result<(), Error> {
        let op = op("PATCH", "issues/update-comment", at, &format!("/issues/comments/{id}"));
        let body = body.as_str();
        self.write(at, op, |state, actor, repo| state.edit_comment(actor, repo, id.0, body))
            .map(drop)
    }

    async fn check_run_of(&self, at: &At, head: &CommitSha) -> Result<Option<CheckId>, Error> {
        self.find_check_run(at, head)
    }

    async fn create_check_run(&self, at: &At, run: &CheckRun) -> Result<CheckId, Error> {
        let (head, edit) = (run.head.as_str(), checks::edit(run));
        let made = self.write(
            at,
            op("POST", "checks/create", at, "/check-runs"),
            |state, actor, repo| state.create_check_run(actor, repo, head, &edit),
        )?;
        Ok(CheckId(made.id))
    }

    async fn update_check_run(&self, at: &At, id: CheckId, run: &CheckRun) -> Result<(), Error> {
        let (op, edit) =
            (op("PATCH", "checks/update", at, &format!("/check-runs/{id}")), checks::edit(run));
        self.write(at, op, |state, actor, repo| state.update_check_run(actor, repo, id.0, &edit))
            .map(drop)
    }

    async fn rerun(&self, at: &At, check: CheckId) -> Result<(), Error> {
        let rest = format!("/check-runs/{check}");
        self.read(at, ("checks/get", &rest), |state, actor, repo| {
            state.check_run(actor, repo, check.0)
        })?;
        let op = op("POST", "checks/rerequest-run", at, &format!("{rest}/rerequest"));
        self.write(at, op, |state, actor, repo| state.rerequest_run(actor, repo, check.0))
    }

    async fn open_pull(&self, at: &At, new: &NewPull) -> Result<PullNumber, Error> {
        self.write_pull(at, new)
    }

    async fn sub_issues(&self, at: &At, issue: IssueNumber) -> Result<SubIssues, Error> {
        self.read_sub_issues(at, issue)
    }

    async fn blockers(&self, at: &At, issue: IssueNumber) -> Result<Vec<String>, Error> {
        self.read_blockers(at, issue)
    }

    async fn mark_ready(&self, at: &At, pull: PullNumber) -> Result<(), Error> {
        self.write_ready(at, pull)
    }

    async fn annotate(
        &self,
        at: &At,
        check: (CheckId, &CheckRun),
        notes: &[Note],
    ) -> Result<(), Error> {
        self.write_notes(at, check, notes)
    }

    async fn commit(&self, at: &At, new: &NewCommit) -> Result<Signed, Error> {
        self.send_commit(at, new)
    }

    async fn update_branch(
        &self,
        at: &At,
        pull: PullNumber,
        head: &CommitSha,
    ) -> Result<UpdateAnswer, Error> {
        self.ask_update(at, pull, head)
    }

    async fn merge(&self, at: &At, order: &MergeOrder) -> Result<MergeAnswer, Error> {
        self.send_merge(at, order)
    }

    async fn enlist(&self, at: &At, way: Way, order: &MergeOrder) -> Result<Enlisted, Error> {
        self.send_order(at, way, order)
    }

    async fn leave(&self, at: &At, way: Way, pull: PullNumber) -> Result<bool, Error> {
        self.take_back(at, way, pull)
    }

    async fn line(&self, at: &At, pull: PullNumber) -> Result<Line, Error> {
        self.read_line(at, pull)
    }

    async fn close_issue(&self, at: &At, issue: IssueNumber) -> Result<(), Error> {
        let op = op("PATCH", "issues/update", at, &format!("/issues/{issue}"));
        let state_reason = Some("completed".to_owned());
        let edit = IssueEdit { open: Some(false), state_reason, ..IssueEdit::default() };
        self.write(at, op, |state, actor, repo| state.edit_issue(actor, repo, issue.0, &edit))
            .map(drop)
    }

    async fn places(&self) -> Result<Vec<At>, Error> {
        let me = Actor::App(self.app);
        let op = Op::read("apps/list-installations", "/app/installations".to_owned());
        let found = self.world.call(&me, op, |state| Ok(turn::places(state, self.app)));
        found.map_err(|error| self.error(&error))
    }

    async fn comments_since(&self, at: &At, since: Millis) -> Result<Vec<Comment>, Error> {
        self.read_comments_since(at, since)
    }

    async fn issues_since(&self, at: &At, since: Millis) -> Result<Vec<Touched>, Error> {
        self.read_issues_since(at, since)
    }

    async fn history(&self, at: &At, issue: IssueNumber) -> Result<Vec<Change>, Error> {
        self.read_history(at, issue)
    }

    async fn deliveries_since(&self, since: Millis, which: Which) -> Result<Log, Error> {
        self.read_deliveries(since, which)
    }

    async fn delivery(&self, id: u64) -> Result<Option<Kept>, Error> {
        self.read_delivery(id)
    }

    async fn redeliver(&self, id: u64) -> Result<(), Error> {
        self.ask_redelivery(id)
    }

    async fn remote(&self, at: &At, purpose: Purpose) -> Result<Remote, Error> {
        self.actor(at)?;
        let level = match purpose {
            Purpose::Fetch => Level::Read,
            Purpose::Push => Level::Write,
        };
        let scope = TokenScope {
            repositories: Some(vec![at.repo.name().to_owned()]),
            repository_ids: None,
            permissions: Some([("contents".to_owned(), level)].into()),
        };
        let path = format!("/app/installations/{}/access_tokens", at.installation);
        let (me, op) =
            (Actor::App(self.app), Op::write("apps/create-installation-access-token", path));
        let made = self
            .world
            .call(&me, op, |state| state.create_token(&me, at.installation.0, &scope))
            .map_err(|error| self.error(&error))?;
        let url = format!("{}/{}.git", self.world.base_url(), at.repo);
        Ok(Remote { repo: at.repo.clone(), url, secret: Secret::new(made.0) })
    }
}
