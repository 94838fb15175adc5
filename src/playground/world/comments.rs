//! Comments on issues and pull requests, and reactions on both.

use serde_json::{Value, json};

use super::access::{Actor, ISSUES, PULLS};
use super::accounts::{Level, Role, User};
use super::events::News;
use super::issues::check_body;
use super::model::{Comment, Edited, Issue, Reaction};
use super::{ApiError, ApiResult, State};
use crate::playground::render;

/// What a reaction is put on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An issue or pull request by number.
    Issue(u64),
    /// A comment by id.
    Comment(u64),
}

const REACTIONS: [&str; 8] = ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"];

impl State {
    pub fn comment(&self, actor: &Actor, repo: &str, id: u64) -> ApiResult<Comment> {
        let needs = [("issues", Level::Read), ("pull_requests", Level::Read)];
        let repo = self.enter(actor, repo, &needs)?;
        self.repo(repo)?.comments.get(&id).cloned().ok_or_else(ApiError::not_found)
    }

    /// Comments of one issue, or of all, changed since a time; oldest first.
    pub fn list_comments(
        &self,
        actor: &Actor,
        repo: &str,
        issue: Option<u64>,
        since_ms: i64,
    ) -> ApiResult<Vec<Comment>> {
        let needs = [("issues", Level::Read), ("pull_requests", Level::Read)];
        let id = self.enter(actor, repo, &needs)?;
        if let Some(number) = issue {
            self.issue_at(id, number)?;
        }
        let all = self.repo(id)?.comments.values();
        let wanted = |one: &&Comment| {
            issue.is_none_or(|number| one.issue == number) && one.updated_ms >= since_ms
        };
        Ok(all.filter(wanted).cloned().collect())
    }

    pub fn create_comment(
        &mut self,
        actor: &Actor,
        repo: &str,
        number: u64,
        body: &str,
    ) -> ApiResult<Comment> {
        let id = self.enter(actor, repo, &[ISSUES, PULLS])?;
        let user = self.user_of(actor)?;
        self.issue_mut(id, number)?;
        check_body("IssueComment", body)?;
        if body.trim().is_empty() {
            return Err(ApiError::invalid("IssueComment", "body", "body can't be blank"));
        }
        let comment = Comment {
            id: self.fresh_id(),
            issue: number,
            body: body.to_owned(),
            association: self.association(id, &user),
            user,
            via_app: Self::via_app(actor),
            reactions: Vec::new(),
            created_ms: self.now_ms,
            updated_ms: self.now_ms,
            edited: None,
        };
        self.repo_mut(id)?.comments.insert(comment.id, comment.clone());
        self.emit_comment(id, &comment, ("created", &comment.user), json!({}));
        Ok(comment)
    }

    pub fn edit_comment(
        &mut self,
        actor: &Actor,
        repo: &str,
        comment: u64,
        body: &str,
    ) -> ApiResult<Comment> {
        let id = self.enter(actor, repo, &[ISSUES, PULLS])?;
        let user = self.own_comment(actor, id, comment)?;
        check_body("IssueComment", body)?;
        let now_ms = self.now_ms;
        let found = self.repo_mut(id)?.comments.get_mut(&comment);
        let found = found.ok_or_else(ApiError::not_found)?;
        let before = std::mem::replace(&mut found.body, body.to_owned());
        found.updated_ms = now_ms;
        found.edited = Some(Edited { at_ms: now_ms, by: user.clone() });
        let found = found.clone();
        let changes = json!({"changes": {"body": {"from": before}}});
        self.emit_comment(id, &found, ("edited", &user), changes);
        Ok(found)
    }

    pub fn delete_comment(&mut self, actor: &Actor, repo: &str, comment: u64) -> ApiResult<()> {
        let id = self.enter(actor, repo, &[ISSUES, PULLS])?;
        let user = self.own_comment(actor, id, comment)?;
        let found = self.repo_mut(id)?.comments.remove(&comment);
        let found = found.ok_or_else(ApiError::not_found)?;
        self.emit_comment(id, &found, ("deleted", &user), json!({}));
        Ok(())
    }

    /// An issue and its comments, oldest first.
    pub fn conversation(
        &self,
        actor: &Actor,
        repo: &str,
        number: u64,
    ) -> ApiResult<(Issue, Vec<Comment>)> {
        let issue = self.issue(actor, repo, number)?;
        Ok((issue, self.list_comments(actor, repo, Some(number), i64::MIN)?))
    }

    /// Authors and maintainers may change a comment.
    fn own_comment(&self, actor: &Actor, repo: u64, comment: u64) -> ApiResult<User> {
        let user = self.user_of(actor)?;
        let found = self.repo(repo)?.comments.get(&comment).ok_or_else(ApiError::not_found)?;
        if found.user.id == user.id || self.at_least(actor, repo, Role::Write) {
            return Ok(user);
        }
        Err(ApiError::new(403, "Must have admin rights to Repository."))
    }

    fn emit_comment(
        &mut self,
        repo: u64,
        comment: &Comment,
        (action, sender): (&'static str, &User),
        mut payload: Value,
    ) {
        if !self.is_heard(repo, "issue_comment", None) {
            return;
        }
        let Some(found) = self.repos.get(&repo) else {
            return;
        };
        let issue = found.issues.get(&comment.issue).map(|one| render::issue(self, found, one));
        let rendered = render::comment(self, found, comment);
        if let Some(fields) = payload.as_object_mut() {
            fields.insert("comment".into(), rendered);
            fields.insert("issue".into(), issue.unwrap_or_default());
        }
        self.emit(repo, News::new("issue_comment", Some(action), sender, payload));
    }

    fn reactions(&mut self, repo: u64, subject: Subject) -> ApiResult<&mut Vec<Reaction>> {
        let repo = self.repo_mut(repo)?;
        let found = match subject {
            Subject::Issue(number) => repo.issues.get_mut(&number).map(|one| &mut one.reactions),
            Subject::Comment(id) => repo.comments.get_mut(&id).map(|one| &mut one.reactions),
        };
        found.ok_or_else(ApiError::not_found)
    }

    pub fn list_reactions(
        &mut self,
        actor: &Actor,
        repo: &str,
        subject: Subject,
    ) -> ApiResult<Vec<Reaction>> {
        let needs = [("issues", Level::Read), ("pull_requests", Level::Read)];
        let id = self.enter(actor, repo, &needs)?;
        Ok(self.reactions(id, subject)?.clone())
    }

    /// Adds a reaction; `false` when the caller had already put it there.
    pub fn react(
        &mut self,
        actor: &Actor,
        repo: &str,
        subject: Subject,
        content: &str,
    ) -> ApiResult<(Reaction, bool)> {
        let id = self.enter(actor, repo, &[ISSUES])?;
        let user = self.user_of(actor)?;
        if !REACTIONS.contains(&content) {
            return Err(ApiError::invalid("Reaction", "content", "is not included in the list"));
        }
        let (fresh, at_ms) = (self.fresh_id(), self.now_ms);
        let all = self.reactions(id, subject)?;
        let same = |one: &&Reaction| one.user.id == user.id && one.content == content;
        if let Some(found) = all.iter().find(same) {
            return Ok((found.clone(), false));
        }
        let reaction = Reaction { id: fresh, user, content: content.to_owned(), at_ms };
        all.push(reaction.clone());
        Ok((reaction, true))
    }

    pub fn delete_reaction(
        &mut self,
        actor: &Actor,
        repo: &str,
        subject: Subject,
        reaction: u64,
    ) -> ApiResult<()> {
        let id = self.enter(actor, repo, &[ISSUES])?;
        let user = self.user_of(actor)?;
        let all = self.reactions(id, subject)?;
        let own = |one: &Reaction| one.id == reaction && one.user.id == user.id;
        let at = all.iter().position(own).ok_or_else(ApiError::not_found)?;
        all.remove(at);
        Ok(())
    }
}
