//! Issues, their comments and reactions over HTTP, and what a person may do.

use axum::http::Method;
use serde_json::json;

use super::shape::{CommentAnswer, IssueAnswer, PermissionAnswer, WithId, required};
use super::wire::Request;
use super::{App, Grant, path};
use crate::github::{At, Error, Issue, Reaction, people};
use crate::model::sanitized::CommentText;
use crate::model::{CommentId, IssueNumber, Permission, User, UserId};

impl App {
    pub(super) async fn permission_of(&self, at: &At, user: &User) -> Result<Permission, Error> {
        // Without a name the path would mean another call.
        if user.login.is_empty() {
            return Ok(Permission::None);
        }
        let login = path::part(&user.login);
        let path = path::repo(at, &format!("/collaborators/{login}/permission"));
        let answer: PermissionAnswer = match self.get(at, "permission", path).await {
            Ok(answer) => answer,
            // Nobody of that name, or nobody to this repository.
            Err(Error::Gone(_)) => return Ok(Permission::None),
            Err(other) => return Err(other),
        };
        Ok(people::permission(
            user.id,
            answer.user.and_then(|user| user.id).map(UserId),
            answer.permission.as_deref(),
            answer.role_name.as_deref(),
        ))
    }

    pub(super) async fn read_issue(&self, at: &At, issue: IssueNumber) -> Result<Issue, Error> {
        let path = path::repo(at, &format!("/issues/{issue}"));
        self.get::<IssueAnswer>(at, "issue", path).await?.into_issue()
    }

    pub(super) async fn put_reaction(
        &self,
        at: &At,
        to: CommentId,
        with: Reaction,
    ) -> Result<(), Error> {
        let path = path::repo(at, &format!("/issues/comments/{to}/reactions"));
        let body = json!({"content": with.word()});
        let request = Request::write(Method::POST, "reaction", path, body);
        self.ask(at, Grant::Talk, &request).await.map(drop)
    }

    pub(super) async fn find_comment(
        &self,
        at: &At,
        issue: IssueNumber,
        marker: &str,
    ) -> Result<Option<CommentId>, Error> {
        let path = path::repo(at, &format!("/issues/{issue}/comments"));
        let found = self.pages::<CommentAnswer>(at, ("comments", &path), None).await?;
        for comment in found.entries {
            // Anybody may copy our marker; only what we wrote ourselves is ours.
            let has_it = comment.body.as_deref().is_some_and(|body| body.contains(marker));
            if has_it && self.is_ours(&comment).await? {
                return required(comment.id, "comment id").map(|id| Some(CommentId(id)));
            }
        }
        Ok(None)
    }

    async fn is_ours(&self, comment: &CommentAnswer) -> Result<bool, Error> {
        let via = comment.performed_via_github_app.as_ref().and_then(|app| app.id);
        let user = comment.user.as_ref().and_then(super::shape::Account::user);
        let Some(user) = user.filter(|user| user.bot) else {
            return Ok(false);
        };
        if let Some(app) = via {
            return Ok(app == self.id);
        }
        Ok(user.login == self.own_login().await?)
    }

    pub(super) async fn write_comment(
        &self,
        at: &At,
        issue: IssueNumber,
        body: &CommentText,
    ) -> Result<CommentId, Error> {
        let path = path::repo(at, &format!("/issues/{issue}/comments"));
        let body = json!({"body": body.as_str()});
        let made: WithId = self.post(at, Grant::Talk, ("comment", path), body).await?;
        required(made.id, "comment id").map(CommentId)
    }

    pub(super) async fn rewrite_comment(
        &self,
        at: &At,
        id: CommentId,
        body: &CommentText,
    ) -> Result<(), Error> {
        let path = path::repo(at, &format!("/issues/comments/{id}"));
        let body = json!({"body": body.as_str()});
        let request = Request::write(Method::PATCH, "edit_comment", path, body);
        self.ask(at, Grant::Talk, &request).await.map(drop)
    }

    pub(super) async fn write_closed(&self, at: &At, issue: IssueNumber) -> Result<(), Error> {
        let path = path::repo(at, &format!("/issues/{issue}"));
        let body = json!({"state": "closed", "state_reason": "completed"});
        let request = Request::write(Method::PATCH, "close_issue", path, body);
        self.ask(at, Grant::Talk, &request).await.map(drop)
    }
}
