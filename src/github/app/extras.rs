//! What GitHub offers beside the necessary: sub-issues, drafts made ready, notes at their line.

use axum::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::graphql::Query;
use super::shape::{AnnotationAnswer, required};
use super::wire::Request;
use super::{App, Grant, path};
use crate::github::Note;
use crate::github::{At, CheckRun, Error, SubIssue, SubIssues, notes};
use crate::model::{CheckId, IssueNumber, PullNumber};

/// GitHub takes a pull request out of draft through GraphQL only.
const MARK_READY: &str = "mutation MarkReady($id: ID!) { \
    markPullRequestReadyForReview(input: {pullRequestId: $id}) { pullRequest { isDraft } } }";

/// A pull request with the id GraphQL knows it by.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Node {
    node_id: Option<String>,
    draft: Option<bool>,
}

/// An issue in a list that may name other repositories.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Listed {
    number: Option<u64>,
    title: Option<String>,
    state: Option<String>,
    repository_url: Option<String>,
}

impl Listed {
    fn is_open(&self) -> bool {
        // A word of tomorrow is not taken for an end.
        self.state.as_deref() != Some("closed")
    }

    /// `owner/name` of its repository.
    fn repo(&self) -> Option<String> {
        let mut parts = self.repository_url.as_deref()?.trim_end_matches('/').rsplit('/');
        let (name, owner) = (parts.next()?, parts.next()?);
        Some(format!("{owner}/{name}"))
    }
}

impl App {
    pub(super) async fn read_sub_issues(
        &self,
        at: &At,
        issue: IssueNumber,
    ) -> Result<SubIssues, Error> {
        let path = path::repo(at, &format!("/issues/{issue}/sub_issues"));
        let found = self.pages::<Listed>(at, ("sub_issues", &path), None).await?;
        let mut sorted = SubIssues::default();
        for one in found.entries {
            if one.repo().is_some_and(|repo| !repo.eq_ignore_ascii_case(&at.repo.to_string())) {
                sorted.elsewhere += u32::from(one.is_open());
                continue;
            }
            let open = one.is_open();
            let number = IssueNumber(required(one.number, "number of the sub-issue")?);
            sorted.here.push(SubIssue { number, title: one.title.unwrap_or_default(), open });
        }
        Ok(sorted)
    }

    pub(super) async fn read_blockers(
        &self,
        at: &At,
        issue: IssueNumber,
    ) -> Result<Vec<String>, Error> {
        let path = path::repo(at, &format!("/issues/{issue}/dependencies/blocked_by"));
        let found = match self.pages::<Listed>(at, ("blocked_by", &path), None).await {
            Ok(found) => found,
            // A server that knows no dependencies.
            Err(Error::Gone(_)) => return Ok(Vec::new()),
            Err(other) => return Err(other),
        };
        let here = at.repo.to_string();
        let mut names = Vec::new();
        for one in found.entries.iter().filter(|one| one.is_open()) {
            let number = required(one.number, "number of the blocking issue")?;
            let repo = one.repo().filter(|repo| !repo.eq_ignore_ascii_case(&here));
            names.push(format!("{}#{number}", repo.unwrap_or_default()));
        }
        Ok(names)
    }

    pub(super) async fn write_ready(&self, at: &At, pull: PullNumber) -> Result<(), Error> {
        let path = path::repo(at, &format!("/pulls/{pull}"));
        let found: Node = self.get(at, "pull", path).await?;
        if found.draft == Some(false) {
            return Ok(());
        }
        let id = required(found.node_id, "node id of the pull request")?;
        let ask = Query {
            kind: "mark_ready",
            write: true,
            document: MARK_READY,
            variables: json!({"id": id}),
        };
        // It asks for more than `pull_requests: write`: without contents it is refused.
        let answer: Value = self.graphql(at, Grant::Merge, ask).await?;
        match answer.pointer("/markPullRequestReadyForReview/pullRequest/isDraft") {
            Some(Value::Bool(false)) => Ok(()),
            Some(_) | None => {
                Err(Error::Unexpected("the pull request is still a draft".to_owned()))
            }
        }
    }

    pub(super) async fn write_notes(
        &self,
        at: &At,
        (id, shown): (CheckId, &CheckRun),
        notes: &[Note],
    ) -> Result<(), Error> {
        if notes.is_empty() {
            return Ok(());
        }
        let list = path::repo(at, &format!("/check-runs/{id}/annotations"));
        let there = self.pages::<AnnotationAnswer>(at, ("annotations", &list), None).await?;
        let there = there.entries.into_iter().map(|one| {
            let title = one.title.unwrap_or_default();
            let line = one.start_line.unwrap_or_default();
            (one.path.unwrap_or_default(), line, title, one.message.unwrap_or_default())
        });
        for body in notes::bodies(shown, notes, &there.collect()) {
            let path = path::repo(at, &format!("/check-runs/{id}"));
            let request = Request::write(Method::PATCH, "annotate", path, body);
            self.ask(at, Grant::Report, &request).await?;
        }
        Ok(())
    }
}
