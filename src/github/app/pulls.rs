//! Pull requests over HTTP: reading, opening, reviews, and the one merge call.

use axum::http::Method;
use serde_json::json;

use super::shape::{Account, MergeAnswered, PullAnswer, ReviewAnswer, required};
use super::wire::Request;
use super::{App, Grant, path};
use crate::gate::seen::Review;
use crate::github::people::{self, Given};
use crate::github::{At, Error, MergeOrder, NewPull, answer, pulls};
use crate::model::{BranchName, CommitSha, Permission, PullNumber};
use crate::pipeline::stage::{MergeAnswer, UpdateAnswer};
use crate::policy::MergeMethod;

/// GitHub's word for a way to merge.
pub(super) fn method_word(method: MergeMethod) -> &'static str {
    match method {
        MergeMethod::Merge => "merge",
        MergeMethod::Squash => "squash",
        MergeMethod::Rebase => "rebase",
    }
}

impl App {
    pub(super) async fn read_pull(&self, at: &At, pull: PullNumber) -> Result<PullAnswer, Error> {
        self.get(at, "pull", path::repo(at, &format!("/pulls/{pull}"))).await
    }

    pub(super) async fn find_pull(
        &self,
        at: &At,
        branch: &BranchName,
    ) -> Result<Option<PullNumber>, Error> {
        let head = path::part(&format!("{}:{branch}", at.repo.owner()));
        let path = path::repo(at, &format!("/pulls?state=open&head={head}"));
        let found = self.pages::<PullAnswer>(at, ("pulls", &path), None).await?;
        // The filter also finds a branch of that name in a fork of the same owner.
        let own = found.entries.into_iter().find(|pull| {
            pull.head.as_ref().is_some_and(|head| {
                let repo = head.repo.as_ref().and_then(|repo| repo.full_name.as_deref());
                head.reference.as_deref() == Some(branch.as_str())
                    && repo.is_some_and(|name| name.eq_ignore_ascii_case(&at.repo.to_string()))
            })
        });
        own.map(|pull| required(pull.number, "pull request number").map(PullNumber)).transpose()
    }

    pub(super) async fn write_pull(&self, at: &At, new: &NewPull) -> Result<PullNumber, Error> {
        let send = async |draft: bool| {
            let body = json!({
                "title": new.title.as_str(),
                "body": new.body.as_str(),
                "head": new.head.as_str(),
                "base": new.base.as_str(),
                "maintainer_can_modify": false,
                "draft": draft,
            });
            let path = path::repo(at, "/pulls");
            self.post::<PullAnswer>(at, Grant::Talk, ("open_pull", path), body).await
        };
        let mut made = send(new.draft).await;
        if new.draft && made.as_ref().is_err_and(pulls::has_no_drafts) {
            made = send(false).await;
        }
        match made {
            Ok(made) => required(made.number, "pull request number").map(PullNumber),
            // Somebody, perhaps we ourselves before a crash, was faster.
            Err(Error::Refused { status: 422, text }) if text.contains("already exists") => {
                self.find_pull(at, &new.head).await?.ok_or(Error::Refused { status: 422, text })
            }
            Err(other) => Err(other),
        }
    }

    pub(super) async fn read_reviews(
        &self,
        at: &At,
        pull: PullNumber,
    ) -> Result<Vec<Review>, Error> {
        let about = self.read_pull(at, pull).await?;
        let head = about.head_sha()?;
        let path = path::repo(at, &format!("/pulls/{pull}/reviews"));
        let found = self.pages::<ReviewAnswer>(at, ("reviews", &path), None).await?;
        if !found.whole {
            // The newest reviews, which decide, come last.
            return Err(Error::Unexpected("too many reviews".to_owned()));
        }
        let given = found.entries.into_iter().map(|review| Given {
            id: review.id.unwrap_or_default(),
            by: review.user.as_ref().and_then(Account::user),
            commit: review.commit_id.and_then(|sha| CommitSha::parse(&sha).ok()),
            state: review.state.unwrap_or_default(),
            text: review.body.unwrap_or_default(),
        });
        let author = about.user.and_then(|user| user.id).map(crate::model::UserId);
        let mut reviews = people::deciding(given.collect(), author, &head);
        for review in &mut reviews {
            review.counts =
                !review.by.bot && self.permission_of(at, &review.by).await? >= Permission::Write;
        }
        Ok(reviews)
    }

    /// Once the request has left, only the answer or the branch itself can say what became of it.
    pub(super) async fn ask_update(
        &self,
        at: &At,
        pull: PullNumber,
        head: &CommitSha,
    ) -> Result<UpdateAnswer, Error> {
        self.token(at, Grant::Merge).await?;
        let path = path::repo(at, &format!("/pulls/{pull}/update-branch"));
        let body = json!({"expected_head_sha": head.as_str()});
        let request = Request::write(Method::PUT, "update_branch", path, body);
        answer::updating(self.ask(at, Grant::Merge, &request).await.map(drop))
    }

    /// Once the request has left, only the answer or GitHub itself can say what became of it.
    pub(super) async fn send_merge(
        &self,
        at: &At,
        order: &MergeOrder,
    ) -> Result<MergeAnswer, Error> {
        // Without a token nothing can have been sent, so its errors stay errors.
        self.token(at, Grant::Merge).await?;
        let path = path::repo(at, &format!("/pulls/{}/merge", order.pull));
        let body = json!({
            "sha": order.head.as_str(),
            "merge_method": method_word(order.method),
            "commit_title": order.title.as_str(),
            "commit_message": order.message.as_str(),
        });
        let request = Request::write(Method::PUT, "merge", path, body);
        let answer = match self.call(at, Grant::Merge, &request).await {
            Ok(answer) => answer,
            Err(Error::Limited { after }) => return Err(Error::Limited { after }),
            Err(other) => return Ok(MergeAnswer::Unknown { text: other.to_string() }),
        };
        if answer.is_success() {
            let said: MergeAnswered = answer.json().unwrap_or_default();
            return Ok(answer::merged(said.merged, said.sha.as_deref()));
        }
        answer.refusal().merge_answer(self.clock.now())
    }
}
