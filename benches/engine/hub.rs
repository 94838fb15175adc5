//! GitHub as the engine's benchmark has it: it answers at once.

use std::collections::BTreeSet;

use async_trait::async_trait;
use slipway::gate::seen::{Check, Line, PullState, Review, Rules};
use slipway::github::Note;
use slipway::github::commits::{NewCommit, Signed};
use slipway::github::delivery::{Kept, Log, Which};
use slipway::github::{
    At, Change, CheckRun, Comment, Conversation, Error, GitHub, Issue, MergeOrder, NewPull, Pull,
    Purpose, Reaction, Remote, Repository, SubIssues, Touched,
};
use slipway::model::sanitized::CommentText;
use slipway::model::{
    BranchName, CheckId, CommentId, CommitSha, IssueNumber, Millis, Permission, PullNumber, Secret,
    User,
};
use slipway::pipeline::stage::{MergeAnswer, UpdateAnswer};
use slipway::pipeline::standing::{Enlisted, Way};
use slipway::policy::MergeMethod;

use super::ports::{BASE, Instantly, commit, locked, main_branch, mona};

#[async_trait]
impl GitHub for Instantly {
    async fn permission(&self, _: &At, _: &User) -> Result<Permission, Error> {
        Ok(Permission::Write)
    }

    async fn repository(&self, _: &At) -> Result<Repository, Error> {
        let methods = BTreeSet::from([MergeMethod::Squash]);
        let (private, archived) = (false, false);
        Ok(Repository { default_branch: main_branch(), methods, private, archived })
    }

    async fn file(&self, _: &At, _: &str) -> Result<Option<String>, Error> {
        Ok(Some(self.policy.clone()))
    }

    async fn file_at_tip(
        &self,
        _: &At,
        _: &BranchName,
        _: &str,
    ) -> Result<(CommitSha, Option<String>), Error> {
        Ok((commit(BASE), Some(self.policy.clone())))
    }

    /// Comments are numbered as their issues, and mona wrote them all.
    async fn comment_now(&self, _: &At, id: CommentId) -> Result<Option<Comment>, Error> {
        let (number, by, body) = (IssueNumber(id.0), Some(mona()), "/go".to_owned());
        let (is_pull, created, via, edited) = (false, Millis(0), None, false);
        Ok(Some(Comment { id, number, is_pull, by, body, created, via, edited }))
    }

    async fn conversation(&self, _: &At, _: IssueNumber) -> Result<Conversation, Error> {
        Ok(Conversation { author: Some(mona()), ..Conversation::default() })
    }

    async fn sole_writer(&self, _: &At, _: &User) -> Result<bool, Error> {
        Ok(false)
    }

    async fn may_bypass(&self, _: &At, _: &BranchName) -> Result<bool, Error> {
        Ok(false)
    }

    async fn issue(&self, _: &At, number: IssueNumber) -> Result<Issue, Error> {
        let (title, body) = ("Make it faster".to_owned(), String::new());
        let (author, open, labels, is_pull) = (None, false, Vec::new(), false);
        Ok(Issue { number, title, body, author, open, labels, is_pull })
    }

    async fn pull(&self, _: &At, number: PullNumber) -> Result<Pull, Error> {
        let branch = locked(&self.pulls).get(&number).cloned().unwrap_or_else(main_branch);
        let head = locked(&self.branches).get(&branch).cloned().unwrap_or_else(|| commit(1));
        let head_branch = branch.to_string();
        let (state, draft, base) = (PullState::Open, false, main_branch());
        let (auto_merge, fork) = (None, false);
        Ok(Pull { number, state, draft, head, head_branch, fork, base, auto_merge })
    }

    async fn pull_of(&self, _: &At, _: &BranchName) -> Result<Option<PullNumber>, Error> {
        Ok(None)
    }

    async fn checks(&self, _: &At, _: &CommitSha) -> Result<Vec<Check>, Error> {
        Ok(Vec::new())
    }

    async fn check_log(&self, _: &At, _: CheckId) -> Result<String, Error> {
        Ok(String::new())
    }

    async fn rules(&self, _: &At, _: &BranchName) -> Result<Rules, Error> {
        Ok(Rules { protected: true, ..Rules::default() })
    }

    async fn reviews(&self, _: &At, _: PullNumber) -> Result<Vec<Review>, Error> {
        Ok(Vec::new())
    }

    async fn react(&self, _: &At, _: CommentId, _: Reaction) -> Result<(), Error> {
        let mut heard = locked(&self.heard);
        heard.0 += 1;
        heard.1 = Some(crate::at());
        Ok(())
    }

    async fn comment_with(
        &self,
        _: &At,
        _: IssueNumber,
        _: &str,
    ) -> Result<Option<CommentId>, Error> {
        Ok(None)
    }

    async fn comment(&self, _: &At, _: IssueNumber, _: &CommentText) -> Result<CommentId, Error> {
        Ok(CommentId(self.id()))
    }

    async fn edit_comment(&self, _: &At, _: CommentId, _: &CommentText) -> Result<(), Error> {
        Ok(())
    }

    async fn check_run_of(&self, _: &At, _: &CommitSha) -> Result<Option<CheckId>, Error> {
        Ok(None)
    }

    async fn create_check_run(&self, _: &At, _: &CheckRun) -> Result<CheckId, Error> {
        Ok(CheckId(self.id()))
    }

    async fn update_check_run(&self, _: &At, _: CheckId, _: &CheckRun) -> Result<(), Error> {
        Ok(())
    }

    async fn rerun(&self, _: &At, _: CheckId) -> Result<(), Error> {
        Ok(())
    }

    async fn open_pull(&self, _: &At, new: &NewPull) -> Result<PullNumber, Error> {
        let number = PullNumber(self.id());
        locked(&self.pulls).insert(number, new.head.clone());
        Ok(number)
    }

    async fn sub_issues(&self, _: &At, _: IssueNumber) -> Result<SubIssues, Error> {
        Ok(SubIssues::default())
    }

    async fn blockers(&self, _: &At, _: IssueNumber) -> Result<Vec<String>, Error> {
        Ok(Vec::new())
    }

    async fn mark_ready(&self, _: &At, _: PullNumber) -> Result<(), Error> {
        Ok(())
    }

    async fn annotate(&self, _: &At, _: (CheckId, &CheckRun), _: &[Note]) -> Result<(), Error> {
        Ok(())
    }

    async fn commit(&self, _: &At, _: &NewCommit) -> Result<Signed, Error> {
        Ok(Signed::Refused { text: "nothing is signed here".to_owned() })
    }

    async fn update_branch(
        &self,
        _: &At,
        _: PullNumber,
        _: &CommitSha,
    ) -> Result<UpdateAnswer, Error> {
        Ok(UpdateAnswer::No { text: "nothing is updated here".to_owned() })
    }

    async fn merge(&self, _: &At, order: &MergeOrder) -> Result<MergeAnswer, Error> {
        Ok(MergeAnswer::Merged { commit: order.head.clone() })
    }

    async fn enlist(&self, _: &At, _: Way, _: &MergeOrder) -> Result<Enlisted, Error> {
        Ok(Enlisted::Stands)
    }

    async fn leave(&self, _: &At, _: Way, _: PullNumber) -> Result<bool, Error> {
        Ok(true)
    }

    async fn line(&self, _: &At, _: PullNumber) -> Result<Line, Error> {
        Ok(Line::default())
    }

    async fn close_issue(&self, _: &At, _: IssueNumber) -> Result<(), Error> {
        Ok(())
    }

    async fn places(&self) -> Result<Vec<At>, Error> {
        Ok(Vec::new())
    }

    async fn comments_since(&self, _: &At, _: Millis) -> Result<Vec<Comment>, Error> {
        Ok(Vec::new())
    }

    async fn issues_since(&self, _: &At, _: Millis) -> Result<Vec<Touched>, Error> {
        Ok(Vec::new())
    }

    async fn history(&self, _: &At, _: IssueNumber) -> Result<Vec<Change>, Error> {
        Ok(Vec::new())
    }

    async fn deliveries_since(&self, _: Millis, _: Which) -> Result<Log, Error> {
        Ok(Log::default())
    }

    async fn delivery(&self, _: u64) -> Result<Option<Kept>, Error> {
        Ok(None)
    }

    async fn redeliver(&self, _: u64) -> Result<(), Error> {
        Ok(())
    }

    async fn remote(&self, at: &At, _: Purpose) -> Result<Remote, Error> {
        Ok(Remote { repo: at.repo.clone(), url: String::new(), secret: Secret::new("") })
    }
}
