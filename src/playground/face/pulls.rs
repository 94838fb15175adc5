//! Pull requests of the World through the face.

use super::{Face, op, turn};
use crate::gate::seen::Review;
use crate::github::people::{self, Given};
use crate::github::{self, At, Error, MergeOrder, NewPull, answer};
use crate::model::{BranchName, CommitSha, Permission, PullNumber};
use crate::pipeline::stage::{MergeAnswer, UpdateAnswer};
use crate::playground::error::Failure;
use crate::playground::world::merge::MergeCall;
use crate::playground::world::pulls::{self, PullView};

impl Face {
    pub(super) fn view(&self, at: &At, pull: PullNumber) -> Result<PullView, Error> {
        let rest = format!("/pulls/{pull}");
        self.read(at, ("pulls/get", &rest), |state, actor, repo| state.pull(actor, repo, pull.0))
    }

    pub(super) fn find_pull(
        &self,
        at: &At,
        branch: &BranchName,
    ) -> Result<Option<PullNumber>, Error> {
        let head = format!("{}:{branch}", at.repo.owner());
        let found = self.read(at, ("pulls/list", "/pulls"), |state, actor, repo| {
            state.list_pulls(actor, repo, ("open", Some(&head), None))
        })?;
        let own = found.iter().find(|view| view.pull.head_ref == branch.as_str());
        Ok(own.map(|view| PullNumber(view.pull.number)))
    }

    pub(super) fn write_pull(&self, at: &At, new: &NewPull) -> Result<PullNumber, Error> {
        let mut draft = pulls::NewPull {
            title: new.title.as_str().to_owned(),
            body: new.body.as_str().to_owned(),
            head: new.head.as_str().to_owned(),
            base: new.base.as_str().to_owned(),
            draft: new.draft,
        };
        let send = |draft: &pulls::NewPull| {
            let op = op("POST", "pulls/create", at, "/pulls");
            self.write(at, op, |state, actor, repo| state.create_pull(actor, repo, draft))
        };
        let mut made = send(&draft);
        if draft.draft && made.as_ref().is_err_and(github::pulls::has_no_drafts) {
            draft.draft = false;
            made = send(&draft);
        }
        match made {
            Ok(view) => Ok(PullNumber(view.pull.number)),
            Err(Error::Refused { status: 422, text }) if text.contains("already exists") => {
                self.find_pull(at, &new.head)?.ok_or(Error::Refused { status: 422, text })
            }
            Err(other) => Err(other),
        }
    }

    pub(super) fn read_reviews(&self, at: &At, pull: PullNumber) -> Result<Vec<Review>, Error> {
        let about = self.view(at, pull)?;
        let rest = format!("/pulls/{pull}/reviews");
        let found = self.read(at, ("pulls/list-reviews", &rest), |state, actor, repo| {
            state.list_reviews(actor, repo, pull.0)
        })?;
        let given = found.into_iter().map(|review| Given {
            id: review.id,
            by: Some(turn::user(&review.user)),
            commit: turn::sha(&review.commit_id).ok(),
            state: review.state.name().to_owned(),
            text: review.body,
        });
        let author = turn::user(&about.issue.user).id;
        let head = turn::sha(&about.pull.head_sha)?;
        let mut reviews = people::deciding(given.collect(), Some(author), &head);
        for review in &mut reviews {
            review.counts =
                !review.by.bot && self.permission_of(at, &review.by)? >= Permission::Write;
        }
        Ok(reviews)
    }

    pub(super) fn ask_update(
        &self,
        at: &At,
        pull: PullNumber,
        head: &CommitSha,
    ) -> Result<UpdateAnswer, Error> {
        let op = op("PUT", "pulls/update-branch", at, &format!("/pulls/{pull}/update-branch"));
        answer::updating(self.write(at, op, |state, actor, repo| {
            state.update_pull_branch(actor, repo, pull.0, Some(head.as_str()))
        }))
    }

    pub(super) fn send_merge(&self, at: &At, order: &MergeOrder) -> Result<MergeAnswer, Error> {
        let call = MergeCall {
            sha: Some(order.head.as_str().to_owned()),
            method: turn::method(order.method),
            title: Some(order.title.as_str().to_owned()),
            message: Some(order.message.as_str().to_owned()),
        };
        let actor = self.actor(at)?;
        let op = op("PUT", "pulls/merge", at, &format!("/pulls/{}/merge", order.pull));
        let done = self.world.call(&actor, op, |state| {
            state.merge_pull(&actor, &at.repo.to_string(), order.pull.0, &call)
        });
        match done {
            Ok(commit) => Ok(answer::merged(Some(true), Some(&commit))),
            Err(error) if error.failure == Failure::Answer => {
                turn::refusal(&error).merge_answer(self.now())
            }
            Err(error) => Ok(MergeAnswer::Unknown { text: self.error(&error).to_string() }),
        }
    }
}
