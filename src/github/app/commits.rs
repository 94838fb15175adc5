//! Commits made and signed by GitHub, over GraphQL: REST has no such call.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::graphql::Query;
use super::{App, Grant};
use crate::github::commits::{NewCommit, Signed};
use crate::github::{At, Error, answer};

const COMMIT: &str = "mutation CommitOnBranch($repo: String!, $branch: String!,
    $head: GitObjectID!, $headline: String!, $body: String!, $changes: FileChanges!) {
  createCommitOnBranch(input: {
      branch: {repositoryNameWithOwner: $repo, branchName: $branch},
      expectedHeadOid: $head, message: {headline: $headline, body: $body},
      fileChanges: $changes}) {
    commit { oid }
  }
}";

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Made {
    create_commit_on_branch: Option<Payload>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Payload {
    commit: Option<Commit>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Commit {
    oid: Option<String>,
}

impl App {
    /// Once the request has left, only the answer or the branch itself can say what became of it.
    pub(super) async fn send_commit(&self, at: &At, new: &NewCommit) -> Result<Signed, Error> {
        self.token(at, Grant::Push).await?;
        let (headline, body) = new.headline_and_body();
        let ask = Query {
            kind: "commit",
            write: true,
            document: COMMIT,
            variables: json!({
                "repo": at.repo.to_string(),
                "branch": new.branch.as_str(),
                "head": new.parent.as_str(),
                "headline": headline,
                "body": body,
                "changes": changes(new),
            }),
        };
        let answered: Result<Made, Error> = self.graphql(at, Grant::Push, ask).await;
        let oid = answered.map(|made| {
            let commit = made.create_commit_on_branch.and_then(|payload| payload.commit);
            commit.and_then(|commit| commit.oid)
        });
        answer::signed(oid)
    }
}

fn changes(new: &NewCommit) -> Value {
    let written = new.written.iter();
    let additions =
        written.map(|(path, bytes)| json!({"path": path, "contents": STANDARD.encode(bytes)}));
    let deletions = new.deleted.iter().map(|path| json!({"path": path}));
    json!({
        "additions": additions.collect::<Vec<_>>(),
        "deletions": deletions.collect::<Vec<_>>(),
    })
}
