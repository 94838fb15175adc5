//! What was said in the World, by whom, and who may do what there, through the face.

use super::{Face, turn};
use crate::github::{At, Comment, Conversation, Edited, Error, FILE_BYTES_MAX, Remark};
use crate::model::{BranchName, CommentId, CommitSha, IssueNumber, Millis, User};
use crate::playground::world::{self, Role};

/// Most comments of a conversation that are read.
const REMARKS_MAX: usize = 100;

impl Face {
    pub(super) fn read_file(
        &self,
        at: &At,
        path: &str,
        commit: Option<&str>,
    ) -> Result<Option<String>, Error> {
        let rest = format!("/contents/{path}");
        let bytes = self.read(at, ("repos/get-content", &rest), |state, actor, repo| {
            state.contents(actor, repo, path, commit)
        });
        match bytes {
            Ok(bytes) if bytes.len() > FILE_BYTES_MAX => {
                Err(Error::Unexpected(format!("{path} is too large")))
            }
            Ok(bytes) => String::from_utf8(bytes)
                .map(Some)
                .map_err(|_error| Error::Unexpected(format!("{path} is not text"))),
            Err(Error::Gone(_)) => Ok(None),
            Err(other) => Err(other),
        }
    }

    pub(super) fn read_file_at_tip(
        &self,
        at: &At,
        branch: &BranchName,
        path: &str,
    ) -> Result<(CommitSha, Option<String>), Error> {
        let rest = format!("/branches/{branch}");
        let tip = self.read(at, ("repos/get-branch", &rest), |state, actor, repo| {
            state.branch(actor, repo, branch.as_str())
        })?;
        let text = self.read_file(at, path, Some(&tip))?;
        Ok((turn::sha(&tip)?, text))
    }

    pub(super) fn read_comments_since(
        &self,
        at: &At,
        since: Millis,
    ) -> Result<Vec<Comment>, Error> {
        let rest = "/issues/comments";
        let found =
            self.read(at, ("issues/list-comments-for-repo", rest), |state, actor, repo| {
                let comments = state.list_comments(actor, repo, None, since.0)?;
                let id = state.enter(actor, repo, &[])?;
                let issues = &state.repo(id)?.issues;
                let is_pull = |issue: u64| issues.get(&issue).is_some_and(|issue| issue.is_pull);
                let turned = comments.into_iter().map(|said| (is_pull(said.issue), said));
                Ok(turned.collect::<Vec<_>>())
            })?;
        Ok(found.into_iter().map(|(is_pull, said)| turn::comment(is_pull, said)).collect())
    }

    pub(super) fn read_comment(&self, at: &At, id: CommentId) -> Result<Option<Comment>, Error> {
        let rest = format!("/issues/comments/{id}");
        let found = self.read(at, ("issues/get-comment", &rest), |state, actor, repo| {
            let said = state.comment(actor, repo, id.0)?;
            let issue = state.issue(actor, repo, said.issue)?;
            Ok((issue.is_pull, said))
        });
        match found {
            Ok((is_pull, said)) => Ok(Some(turn::comment(is_pull, said))),
            Err(Error::Gone(_)) => Ok(None),
            Err(other) => Err(other),
        }
    }

    pub(super) fn read_conversation(
        &self,
        at: &At,
        issue: IssueNumber,
    ) -> Result<Conversation, Error> {
        let (issue, said) = self.read(at, ("graphql/Conversation", ""), |state, actor, repo| {
            state.conversation(actor, repo, issue.0)
        })?;
        let older = said.len().saturating_sub(REMARKS_MAX);
        let remark = |one: world::Comment| Remark {
            id: CommentId(one.id),
            by: Some(turn::user(&one.user)),
            text: one.body,
            created: whole(one.created_ms),
            edited: one.edited.as_ref().map(edited),
        };
        Ok(Conversation {
            author: Some(turn::user(&issue.user)),
            edits: issue.edited.iter().chain(&issue.renamed).map(edited).collect(),
            remarks: said.into_iter().skip(older).map(remark).collect(),
            older: u32::try_from(older).unwrap_or(u32::MAX),
        })
    }

    pub(super) fn reads_as_sole_writer(&self, at: &At, user: &User) -> Result<bool, Error> {
        let found = self.read(at, ("repos/list-collaborators", "/collaborators"), |s, a, r| {
            s.collaborators(a, r)
        })?;
        let writers = found.iter().filter(|(_, role)| *role >= Role::Write);
        let writers: Vec<u64> = writers.map(|(one, _)| one.id).collect();
        Ok(writers == [user.id.0])
    }

    pub(super) fn reads_as_bypassing(&self, at: &At, branch: &BranchName) -> Result<bool, Error> {
        let rest = format!("/rules/branches/{branch}");
        let rules = self.read(at, ("repos/get-branch-rules", &rest), |state, actor, repo| {
            state.rules(actor, repo, branch.as_str())
        })?;
        if !turn::is_ruled(&rules) {
            return Ok(false);
        }
        self.read(at, ("repos/get-repo-ruleset", "/rulesets/1"), |_, _, _| Ok(rules.bypass))
    }
}

fn edited(edit: &world::Edited) -> Edited {
    Edited { at: whole(edit.at_ms), by: Some(turn::user(&edit.by)) }
}

/// GitHub tells whole seconds.
fn whole(ms: i64) -> Millis {
    Millis(ms.div_euclid(1_000) * 1_000)
}
