//! Reviews, review threads and requested reviewers.

use serde_json::{Value, json};

use super::access::{Actor, PULLS};
use super::accounts::User;
use super::events::News;
use super::issues::check_body;
use super::model::{Review, ReviewComment, ReviewState, Thread};
use super::pulls::READ_PULLS;
use super::{ApiError, ApiResult, State};
use crate::playground::render;

/// A remark on a line, part of a review.
#[derive(Clone, Debug)]
pub struct LineRemark {
    pub path: String,
    pub line: u64,
    pub body: String,
}

/// A review to be submitted; `commit` is the present head when none is named.
#[derive(Clone, Copy, Debug)]
pub struct NewReview<'a> {
    pub state: ReviewState,
    pub body: &'a str,
    pub remarks: &'a [LineRemark],
    pub commit: Option<&'a str>,
}

impl State {
    pub fn list_reviews(&self, actor: &Actor, repo: &str, number: u64) -> ApiResult<Vec<Review>> {
        let id = self.enter(actor, repo, &READ_PULLS)?;
        self.pull_at(id, number)?;
        let all = self.repo(id)?.reviews.values();
        Ok(all.filter(|review| review.pull == number).cloned().collect())
    }

    /// Threads of a pull request, oldest first.
    pub fn list_threads(&self, actor: &Actor, repo: &str, number: u64) -> ApiResult<Vec<Thread>> {
        let id = self.enter(actor, repo, &READ_PULLS)?;
        self.pull_at(id, number)?;
        let all = self.repo(id)?.threads.values();
        Ok(all.filter(|thread| thread.pull == number).cloned().collect())
    }

    pub fn create_review(
        &mut self,
        actor: &Actor,
        repo: &str,
        number: u64,
        new: &NewReview<'_>,
    ) -> ApiResult<Review> {
        let NewReview { state, body, remarks, commit } = *new;
        let id = self.enter(actor, repo, &[PULLS])?;
        let user = self.user_of(actor)?;
        check_body("PullRequestReview", body)?;
        let author = self.issue_at(id, number)?.user.id;
        let head = self.pull_at(id, number)?.head_sha.clone();
        if author == user.id && state == ReviewState::Approved {
            let why = "Can not approve your own pull request";
            return Err(ApiError::invalid("PullRequestReview", "event", why));
        }
        if author == user.id && state == ReviewState::ChangesRequested {
            let why = "Can not request changes on your own pull request";
            return Err(ApiError::invalid("PullRequestReview", "event", why));
        }
        if state != ReviewState::Approved && body.trim().is_empty() && remarks.is_empty() {
            return Err(ApiError::invalid("PullRequestReview", "body", "body can't be blank"));
        }
        let review = Review {
            id: self.fresh_id(),
            pull: number,
            association: self.association(id, &user),
            user: user.clone(),
            body: body.to_owned(),
            state,
            commit_id: commit.unwrap_or(&head).to_owned(),
            submitted_ms: self.now_ms,
        };
        self.repo_mut(id)?.reviews.insert(review.id, review.clone());
        self.pull_mut(id, number)?.requested_reviewers.retain(|one| one.id != user.id);
        self.issue_mut(id, number)?;
        self.emit_review(id, &review, "submitted", &user);
        for remark in remarks {
            self.open_thread(id, &review, remark, &user)?;
        }
        Ok(review)
    }

    fn open_thread(
        &mut self,
        repo: u64,
        review: &Review,
        remark: &LineRemark,
        user: &User,
    ) -> ApiResult<()> {
        check_body("PullRequestReviewComment", &remark.body)?;
        let comment = ReviewComment {
            id: self.fresh_id(),
            review: Some(review.id),
            user: user.clone(),
            association: review.association,
            body: remark.body.clone(),
            commit_id: review.commit_id.clone(),
            created_ms: self.now_ms,
        };
        let thread = Thread {
            id: self.fresh_id(),
            pull: review.pull,
            path: remark.path.clone(),
            line: remark.line,
            resolved: false,
            comments: vec![comment.clone()],
        };
        self.repo_mut(repo)?.threads.insert(thread.id, thread.clone());
        self.emit_review_comment(repo, &thread, &comment, user)
    }

    /// Answers in a thread, named by any of its comments.
    pub fn reply(
        &mut self,
        actor: &Actor,
        repo: &str,
        number: u64,
        (comment, body): (u64, &str),
    ) -> ApiResult<(Thread, ReviewComment)> {
        let id = self.enter(actor, repo, &[PULLS])?;
        let user = self.user_of(actor)?;
        check_body("PullRequestReviewComment", body)?;
        let head = self.pull_at(id, number)?.head_sha.clone();
        let reply = ReviewComment {
            id: self.fresh_id(),
            review: None,
            association: self.association(id, &user),
            user: user.clone(),
            body: body.to_owned(),
            commit_id: head,
            created_ms: self.now_ms,
        };
        let mut threads = self.repo_mut(id)?.threads.values_mut();
        let has = |thread: &&mut Thread| {
            thread.pull == number && thread.comments.iter().any(|one| one.id == comment)
        };
        let thread = threads.find(has).ok_or_else(ApiError::not_found)?;
        thread.comments.push(reply.clone());
        let thread = thread.clone();
        self.emit_review_comment(id, &thread, &reply, &user)?;
        Ok((thread, reply))
    }

    pub fn resolve_thread(
        &mut self,
        actor: &Actor,
        repo: &str,
        thread: u64,
        resolved: bool,
    ) -> ApiResult<Thread> {
        let id = self.enter(actor, repo, &[PULLS])?;
        let pull = self.repo(id)?.threads.get(&thread).ok_or_else(ApiError::not_found)?.pull;
        self.need_hand(actor, id, pull)?;
        let user = self.user_of(actor)?;
        let found = self.repo_mut(id)?.threads.get_mut(&thread).ok_or_else(ApiError::not_found)?;
        found.resolved = resolved;
        let found = found.clone();
        let action = if resolved { "resolved" } else { "unresolved" };
        let view = self.pull_view(id, found.pull)?;
        let repo = self.repo(id)?;
        let payload = json!({"pull_request": render::pull(self, repo, &view),
            "thread": {
            "node_id": format!("PRRT_{thread}"),
            "comments": render::thread(self, repo, &found),
        }});
        self.emit(id, News::new("pull_request_review_thread", Some(action), &user, payload));
        Ok(found)
    }

    pub fn request_reviewers(
        &mut self,
        actor: &Actor,
        repo: &str,
        number: u64,
        (logins, wanted): (&[String], bool),
    ) -> ApiResult<()> {
        let id = self.enter(actor, repo, &[PULLS])?;
        self.need_hand(actor, id, number)?;
        let user = self.user_of(actor)?;
        for login in logins {
            let same = |one: &&User| one.login.eq_ignore_ascii_case(login);
            let who = self.users.values().find(same).cloned();
            let who = who.filter(|who| self.repo(id).is_ok_and(|r| r.roles.contains_key(&who.id)));
            let who = who.ok_or_else(|| {
                let why = "Reviews may only be requested from collaborators.";
                ApiError::new(422, why)
            })?;
            let pull = self.pull_mut(id, number)?;
            let listed = pull.requested_reviewers.iter().any(|one| one.id == who.id);
            if listed == wanted {
                continue;
            }
            pull.requested_reviewers.retain(|one| one.id != who.id);
            if wanted {
                pull.requested_reviewers.push(who.clone());
            }
            let action = if wanted { "review_requested" } else { "review_request_removed" };
            let payload = json!({"requested_reviewer": render::user(self, &who)});
            self.emit_pull(id, number, (action, &user), payload);
        }
        Ok(())
    }

    pub(crate) fn dismiss(&mut self, repo: u64, review: u64, user: &User) -> ApiResult<()> {
        let found = self.repo_mut(repo)?.reviews.get_mut(&review);
        let found = found.ok_or_else(ApiError::not_found)?;
        found.state = ReviewState::Dismissed;
        let found = found.clone();
        self.emit_review(repo, &found, "dismissed", user);
        Ok(())
    }

    fn emit_review(&mut self, repo: u64, review: &Review, action: &'static str, sender: &User) {
        let (Ok(view), Ok(found)) = (self.pull_view(repo, review.pull), self.repo(repo)) else {
            return;
        };
        let mut rendered = render::review(self, found, review);
        if let Some(fields) = rendered.as_object_mut() {
            // Webhooks spell the state in small letters.
            let state = review.state.name().to_ascii_lowercase();
            fields.insert("state".into(), Value::String(state));
        }
        let payload = json!({"review": rendered, "pull_request": render::pull(self, found, &view)});
        self.emit(repo, News::new("pull_request_review", Some(action), sender, payload));
    }

    fn emit_review_comment(
        &mut self,
        repo: u64,
        thread: &Thread,
        comment: &ReviewComment,
        sender: &User,
    ) -> ApiResult<()> {
        let view = self.pull_view(repo, thread.pull)?;
        let found = self.repo(repo)?;
        let payload = json!({
            "comment": render::review_comment(self, found, thread, comment),
            "pull_request": render::pull(self, found, &view),
        });
        let news = News::new("pull_request_review_comment", Some("created"), sender, payload);
        self.emit(repo, news);
        Ok(())
    }
}
