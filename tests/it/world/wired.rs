//! GitHub and git as they are, with the fuse beside everything that has an effect.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use slipway::gate::seen::{Check, Line, Probe, Review, Rules};
use slipway::git::{
    self, Changes, Committed, Git, Import, Message, Packing, Plain, Push, PushAnswer, Sight,
    Sought, Texts, Workspace, WorkspaceOrder,
};
use slipway::github::Note;
use slipway::github::commits::{NewCommit, Signed};
use slipway::github::delivery::{Kept, Log, Which};
use slipway::github::{
    At, CheckRun, Comment, Conversation, Error, GitHub, Issue, MergeOrder, NewPull, Pull, Purpose,
    Reaction, Remote, Repository, SubIssues,
};
use slipway::github::{Change, Touched};
use slipway::model::sanitized::CommentText;
use slipway::model::{
    BranchName, CheckId, CommentId, CommitSha, IssueNumber, Millis, Permission, PullNumber, Repo,
    TreeSha, User,
};
use slipway::pipeline::standing::{Enlisted, Way};
use slipway::pipeline::{MergeAnswer, UpdateAnswer};

use super::Fuse;

/// A port with the fuse beside it.
pub(super) struct Wired<T: ?Sized> {
    pub(super) port: Arc<T>,
    pub(super) fuse: Arc<Fuse>,
}

#[async_trait]
impl<T: GitHub + ?Sized> GitHub for Wired<T> {
    async fn permission(&self, at: &At, user: &User) -> Result<Permission, Error> {
        self.port.permission(at, user).await
    }

    async fn repository(&self, at: &At) -> Result<Repository, Error> {
        self.port.repository(at).await
    }

    async fn file(&self, at: &At, path: &str) -> Result<Option<String>, Error> {
        self.port.file(at, path).await
    }

    async fn issue(&self, at: &At, issue: IssueNumber) -> Result<Issue, Error> {
        self.port.issue(at, issue).await
    }

    async fn file_at_tip(
        &self,
        at: &At,
        branch: &BranchName,
        path: &str,
    ) -> Result<(CommitSha, Option<String>), Error> {
        self.port.file_at_tip(at, branch, path).await
    }

    async fn comment_now(&self, at: &At, id: CommentId) -> Result<Option<Comment>, Error> {
        self.port.comment_now(at, id).await
    }

    async fn conversation(&self, at: &At, issue: IssueNumber) -> Result<Conversation, Error> {
        self.port.conversation(at, issue).await
    }

    async fn sole_writer(&self, at: &At, user: &User) -> Result<bool, Error> {
        self.port.sole_writer(at, user).await
    }

    async fn may_bypass(&self, at: &At, branch: &BranchName) -> Result<bool, Error> {
        self.port.may_bypass(at, branch).await
    }

    async fn pull(&self, at: &At, pull: PullNumber) -> Result<Pull, Error> {
        self.port.pull(at, pull).await
    }

    async fn pull_of(&self, at: &At, branch: &BranchName) -> Result<Option<PullNumber>, Error> {
        self.port.pull_of(at, branch).await
    }

    async fn checks(&self, at: &At, head: &CommitSha) -> Result<Vec<Check>, Error> {
        self.port.checks(at, head).await
    }

    async fn check_log(&self, at: &At, check: CheckId) -> Result<String, Error> {
        self.port.check_log(at, check).await
    }

    async fn rules(&self, at: &At, branch: &BranchName) -> Result<Rules, Error> {
        self.port.rules(at, branch).await
    }

    async fn reviews(&self, at: &At, pull: PullNumber) -> Result<Vec<Review>, Error> {
        self.port.reviews(at, pull).await
    }

    async fn react(&self, at: &At, to: CommentId, with: Reaction) -> Result<(), Error> {
        self.fuse.around("react", self.port.react(at, to, with)).await
    }

    async fn comment_with(
        &self,
        at: &At,
        issue: IssueNumber,
        marker: &str,
    ) -> Result<Option<CommentId>, Error> {
        self.port.comment_with(at, issue, marker).await
    }

    async fn comment(
        &self,
        at: &At,
        issue: IssueNumber,
        body: &CommentText,
    ) -> Result<CommentId, Error> {
        self.fuse.around("comment", self.port.comment(at, issue, body)).await
    }

    async fn edit_comment(&self, at: &At, id: CommentId, body: &CommentText) -> Result<(), Error> {
        self.fuse.around("edit_comment", self.port.edit_comment(at, id, body)).await
    }

    async fn check_run_of(&self, at: &At, head: &CommitSha) -> Result<Option<CheckId>, Error> {
        self.port.check_run_of(at, head).await
    }

    async fn create_check_run(&self, at: &At, run: &CheckRun) -> Result<CheckId, Error> {
        self.fuse.around("create_check_run", self.port.create_check_run(at, run)).await
    }

    async fn update_check_run(&self, at: &At, id: CheckId, run: &CheckRun) -> Result<(), Error> {
        self.fuse.around("update_check_run", self.port.update_check_run(at, id, run)).await
    }

    async fn rerun(&self, at: &At, check: CheckId) -> Result<(), Error> {
        self.fuse.around("rerun", self.port.rerun(at, check)).await
    }

    async fn open_pull(&self, at: &At, new: &NewPull) -> Result<PullNumber, Error> {
        self.fuse.around("open_pull", self.port.open_pull(at, new)).await
    }

    async fn sub_issues(&self, at: &At, issue: IssueNumber) -> Result<SubIssues, Error> {
        self.port.sub_issues(at, issue).await
    }

    async fn blockers(&self, at: &At, issue: IssueNumber) -> Result<Vec<String>, Error> {
        self.port.blockers(at, issue).await
    }

    async fn mark_ready(&self, at: &At, pull: PullNumber) -> Result<(), Error> {
        self.fuse.around("mark_ready", self.port.mark_ready(at, pull)).await
    }

    async fn annotate(
        &self,
        at: &At,
        check: (CheckId, &CheckRun),
        notes: &[Note],
    ) -> Result<(), Error> {
        self.fuse.around("annotate", self.port.annotate(at, check, notes)).await
    }

    async fn commit(&self, at: &At, new: &NewCommit) -> Result<Signed, Error> {
        self.fuse.around("sign", self.port.commit(at, new)).await
    }

    async fn update_branch(
        &self,
        at: &At,
        pull: PullNumber,
        head: &CommitSha,
    ) -> Result<UpdateAnswer, Error> {
        self.fuse.around("ask_update", self.port.update_branch(at, pull, head)).await
    }

    async fn merge(&self, at: &At, order: &MergeOrder) -> Result<MergeAnswer, Error> {
        let send = async {
            self.fuse.sends(order);
            self.port.merge(at, order).await
        };
        self.fuse.around("merge", send).await
    }

    async fn enlist(&self, at: &At, way: Way, order: &MergeOrder) -> Result<Enlisted, Error> {
        let send = async {
            self.fuse.sends(order);
            self.port.enlist(at, way, order).await
        };
        self.fuse.around("enlist", send).await
    }

    async fn leave(&self, at: &At, way: Way, pull: PullNumber) -> Result<bool, Error> {
        self.fuse.around("leave", self.port.leave(at, way, pull)).await
    }

    async fn line(&self, at: &At, pull: PullNumber) -> Result<Line, Error> {
        self.port.line(at, pull).await
    }

    async fn close_issue(&self, at: &At, issue: IssueNumber) -> Result<(), Error> {
        self.fuse.around("close_issue", self.port.close_issue(at, issue)).await
    }

    async fn places(&self) -> Result<Vec<At>, Error> {
        self.port.places().await
    }

    async fn comments_since(&self, at: &At, since: Millis) -> Result<Vec<Comment>, Error> {
        self.port.comments_since(at, since).await
    }

    async fn issues_since(&self, at: &At, since: Millis) -> Result<Vec<Touched>, Error> {
        self.port.issues_since(at, since).await
    }

    async fn history(&self, at: &At, issue: IssueNumber) -> Result<Vec<Change>, Error> {
        self.port.history(at, issue).await
    }

    async fn deliveries_since(&self, since: Millis, which: Which) -> Result<Log, Error> {
        self.port.deliveries_since(since, which).await
    }

    async fn delivery(&self, id: u64) -> Result<Option<Kept>, Error> {
        self.port.delivery(id).await
    }

    async fn redeliver(&self, id: u64) -> Result<(), Error> {
        self.fuse.around("redeliver", self.port.redeliver(id)).await
    }

    async fn remote(&self, at: &At, purpose: Purpose) -> Result<Remote, Error> {
        self.port.remote(at, purpose).await
    }
}

#[async_trait]
impl<T: Git + ?Sized> Git for Wired<T> {
    async fn fetch(
        &self,
        remote: &Remote,
        branches: &[BranchName],
    ) -> Result<BTreeMap<BranchName, CommitSha>, git::Error> {
        self.port.fetch(remote, branches).await
    }

    async fn probe(
        &self,
        repo: &Repo,
        base: &CommitSha,
        head: &CommitSha,
    ) -> Result<Probe, git::Error> {
        self.port.probe(repo, base, head).await
    }

    async fn workspace(&self, order: &WorkspaceOrder) -> Result<Workspace, git::Error> {
        self.fuse.around("workspace", self.port.workspace(order)).await
    }

    async fn packing(&self, workspace: &Workspace) -> Result<Packing, git::Error> {
        self.port.packing(workspace).await
    }

    async fn import(&self, workspace: &Workspace) -> Result<Import, git::Error> {
        self.fuse.around("import", self.port.import(workspace)).await
    }

    async fn result(&self, workspace: &Workspace) -> Result<Option<Vec<u8>>, git::Error> {
        self.port.result(workspace).await
    }

    async fn question(&self, workspace: &Workspace) -> Result<Option<Vec<u8>>, git::Error> {
        self.port.question(workspace).await
    }

    async fn changes(&self, workspace: &Workspace) -> Result<Changes, git::Error> {
        self.port.changes(workspace).await
    }

    async fn between(
        &self,
        repo: &Repo,
        base: &CommitSha,
        head: &CommitSha,
    ) -> Result<Changes, git::Error> {
        self.port.between(repo, base, head).await
    }

    async fn plant(&self, at: &Workspace, path: &str, text: &str) -> Result<(), git::Error> {
        self.port.plant(at, path, text).await
    }

    async fn commit(
        &self,
        workspace: &Workspace,
        message: &Message,
    ) -> Result<Option<Committed>, git::Error> {
        self.fuse.around("commit", self.port.commit(workspace, message)).await
    }

    async fn merge(
        &self,
        repo: &Repo,
        head: &CommitSha,
        base: &CommitSha,
        message: &Message,
    ) -> Result<Option<Committed>, git::Error> {
        self.fuse.around("update", self.port.merge(repo, head, base, message)).await
    }

    async fn discard(&self, workspace: Workspace) -> Result<(), git::Error> {
        self.fuse.around("discard", self.port.discard(workspace)).await
    }

    async fn push(&self, remote: &Remote, push: &Push) -> Result<PushAnswer, git::Error> {
        self.fuse.around("push", self.port.push(remote, push)).await
    }

    async fn tree_of(&self, repo: &Repo, commit: &CommitSha) -> Result<TreeSha, git::Error> {
        self.port.tree_of(repo, commit).await
    }

    async fn parents_of(
        &self,
        repo: &Repo,
        commit: &CommitSha,
    ) -> Result<Vec<CommitSha>, git::Error> {
        self.port.parents_of(repo, commit).await
    }

    async fn plain(
        &self,
        repo: &Repo,
        from: &CommitSha,
        head: &CommitSha,
    ) -> Result<Plain, git::Error> {
        self.port.plain(repo, from, head).await
    }

    async fn files_among(
        &self,
        repo: &Repo,
        commit: &CommitSha,
        paths: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, git::Error> {
        self.port.files_among(repo, commit, paths).await
    }

    async fn texts(
        &self,
        repo: &Repo,
        commit: &CommitSha,
        sought: &Sought,
    ) -> Result<Texts, git::Error> {
        self.port.texts(repo, commit, sought).await
    }

    async fn sight(
        &self,
        repo: &Repo,
        commit: &CommitSha,
        wanted: &BTreeSet<String>,
    ) -> Result<Sight, git::Error> {
        self.port.sight(repo, commit, wanted).await
    }

    async fn contains(
        &self,
        repo: &Repo,
        tip: &CommitSha,
        commit: &CommitSha,
    ) -> Result<bool, git::Error> {
        self.port.contains(repo, tip, commit).await
    }
}
