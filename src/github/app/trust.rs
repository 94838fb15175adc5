//! Whose words and whose rules these are: conversations with their edits, who else may write,
//! and whether our own App may bypass what guards a branch.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;

use super::graphql::Query;
use super::shape::{Account, required};
use super::wire::Request;
use super::{App, Grant, path};
use crate::github::{At, Conversation, Edited, Error, Remark};
use crate::model::{BranchName, CommentId, IssueNumber, Millis, User, UserId};

const CONVERSATION: &str = "query Conversation($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    issueOrPullRequest(number: $number) {
      ... on Issue { author { ...who } editor { ...who } lastEditedAt
        timelineItems(itemTypes: [RENAMED_TITLE_EVENT], last: 1) { nodes { ...renamed } }
        comments(last: 100) { totalCount nodes { ...said } } }
      ... on PullRequest { author { ...who } editor { ...who } lastEditedAt
        timelineItems(itemTypes: [RENAMED_TITLE_EVENT], last: 1) { nodes { ...renamed } }
        comments(last: 100) { totalCount nodes { ...said } } }
    }
  }
}
fragment who on Actor { __typename login
  ... on User { databaseId } ... on Bot { databaseId } ... on Mannequin { databaseId } }
fragment renamed on RenamedTitleEvent { createdAt actor { ...who } }
fragment said on IssueComment {
  databaseId body createdAt lastEditedAt author { ...who } editor { ...who } }";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Found {
    repository: Option<Repository>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Repository {
    issue_or_pull_request: Option<Issue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Issue {
    author: Option<Actor>,
    editor: Option<Actor>,
    last_edited_at: Option<String>,
    timeline_items: Option<Nodes<Renamed>>,
    comments: Option<Comments>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Nodes<T> {
    nodes: Option<Vec<Option<T>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Comments {
    total_count: Option<u32>,
    nodes: Option<Vec<Option<Said>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Renamed {
    created_at: Option<String>,
    actor: Option<Actor>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Said {
    database_id: Option<u64>,
    body: Option<String>,
    created_at: Option<String>,
    last_edited_at: Option<String>,
    author: Option<Actor>,
    editor: Option<Actor>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Actor {
    #[serde(rename = "__typename")]
    kind: Option<String>,
    login: Option<String>,
    database_id: Option<u64>,
}

impl Actor {
    /// Only a user is somebody: of every other kind of account nothing is believed.
    fn user(self) -> Option<User> {
        let bot = self.kind.as_deref() != Some("User");
        Some(User { id: UserId(self.database_id?), login: self.login?, bot })
    }
}

fn edited(at: Option<String>, by: Option<Actor>) -> Option<Edited> {
    let at = Millis::from_rfc3339(&at?)?;
    Some(Edited { at, by: by.and_then(Actor::user) })
}

fn remark(said: Said) -> Result<Remark, Error> {
    let created = said.created_at.as_deref().and_then(Millis::from_rfc3339);
    let touched = said.last_edited_at.is_some();
    let edited = edited(said.last_edited_at, said.editor);
    if touched && edited.is_none() {
        return Err(Error::Unexpected("a comment was edited at no moment".to_owned()));
    }
    Ok(Remark {
        id: CommentId(required(said.database_id, "comment id")?),
        by: said.author.and_then(Actor::user),
        text: said.body.unwrap_or_default(),
        created: required(created, "moment of a comment")?,
        edited,
    })
}

/// A person who may do something in a repository.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Collaborator {
    #[serde(flatten)]
    account: Account,
    permissions: Option<Permissions>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Permissions {
    push: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Ruleset {
    current_user_can_bypass: Option<String>,
}

impl App {
    pub(super) async fn read_conversation(
        &self,
        at: &At,
        issue: IssueNumber,
    ) -> Result<Conversation, Error> {
        let (owner, name) = (at.repo.owner(), at.repo.name());
        let ask = Query {
            kind: "conversation",
            write: false,
            document: CONVERSATION,
            variables: json!({"owner": owner, "name": name, "number": issue.0}),
        };
        let found: Found = self.graphql(at, Grant::Read, ask).await?;
        let issue = found.repository.and_then(|repository| repository.issue_or_pull_request);
        let issue = issue.ok_or_else(|| Error::Gone("the issue".to_owned()))?;
        let renamed = issue.timeline_items.and_then(|items| items.nodes).into_iter().flatten();
        let renamed = renamed.flatten().filter_map(|one| edited(one.created_at, one.actor));
        let body = edited(issue.last_edited_at, issue.editor);
        let edits = body.into_iter().chain(renamed).collect();
        let comments = required(issue.comments, "comments")?;
        let said = comments.nodes.into_iter().flatten().flatten();
        let remarks = said.map(remark).collect::<Result<Vec<_>, _>>()?;
        let read = u32::try_from(remarks.len()).unwrap_or(u32::MAX);
        let older = comments.total_count.unwrap_or(read).saturating_sub(read);
        Ok(Conversation { author: issue.author.and_then(Actor::user), edits, remarks, older })
    }

    /// One page of people answers it: of more than it holds, one more may write for certain.
    pub(super) async fn reads_as_sole_writer(&self, at: &At, user: &User) -> Result<bool, Error> {
        let path = path::repo(at, "/collaborators?affiliation=all&per_page=100");
        let answer = self.ask(at, Grant::Read, &Request::get("collaborators", path)).await;
        let found: Vec<Collaborator> = match answer {
            Ok(answer) => answer.json()?,
            // Who may not ask does not know.
            Err(Error::Gone(_) | Error::Forbidden(_)) => return Ok(false),
            Err(other) => return Err(other),
        };
        let may = |one: &&Collaborator| {
            one.permissions.as_ref().and_then(|held| held.push) != Some(false)
        };
        let writers: Vec<Option<u64>> =
            found.iter().filter(may).map(|one| one.account.id).collect();
        Ok(found.len() < 100 && writers == [Some(user.id.0)])
    }

    pub(super) async fn reads_as_bypassing(
        &self,
        at: &At,
        branch: &BranchName,
    ) -> Result<bool, Error> {
        let rules = self.rules_of(at, branch).await?;
        let rulesets: BTreeSet<u64> = rules.iter().filter_map(|rule| rule.ruleset_id).collect();
        for id in rulesets {
            let path = path::repo(at, &format!("/rulesets/{id}"));
            let found: Ruleset = match self.get(at, "ruleset", path).await {
                Ok(found) => found,
                // A ruleset of the organisation is not shown to every App.
                Err(Error::Gone(_) | Error::Forbidden(_)) => continue,
                Err(other) => return Err(other),
            };
            // What GitHub leaves out it does not tell us; whatever is not "never" is a way.
            if found.current_user_can_bypass.is_some_and(|how| how != "never") {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_users_are_somebody_and_an_edit_without_its_moment_is_refused() {
        let actor = |kind: &str| -> Option<User> {
            let found = json!({"__typename": kind, "login": "ann", "databaseId": 7});
            serde_json::from_value::<Actor>(found).unwrap().user()
        };
        assert!(!actor("User").unwrap().bot);
        for kind in ["Bot", "Mannequin", "Organization", "EnterpriseUserAccount", "Tomorrow"] {
            assert!(actor(kind).unwrap().bot, "{kind}");
        }
        let said = |edited: &str| -> Result<Remark, Error> {
            let found = json!({"databaseId": 3, "body": "b", "createdAt": "2026-01-01T00:00:00Z",
                "lastEditedAt": edited, "author": null});
            remark(serde_json::from_value(found).unwrap())
        };
        assert!(said("2026-01-01T00:00:01Z").unwrap().edited.unwrap().by.is_none());
        assert!(said("yesterday").is_err());
    }
}
