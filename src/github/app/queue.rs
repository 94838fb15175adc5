//! Merges that GitHub makes later: the merge queue and auto-merge, over GraphQL.

use serde::Deserialize;
use serde_json::{Value, json};

use super::graphql::Query;
use super::pulls::method_word;
use super::shape::required;
use super::{App, Grant};
use crate::gate::seen::{Entry, EntryState, Group, Line};
use crate::github::{At, Error, MergeOrder, answer};
use crate::model::{CommitSha, PullNumber, text};
use crate::pipeline::standing::{Enlisted, Way};

const ENTRY: &str = "query MergeQueueEntry($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      mergeQueueEntry { state position headCommit { oid } baseCommit { oid } }
      timelineItems(itemTypes: [REMOVED_FROM_MERGE_QUEUE_EVENT], last: 1) {
        nodes { ... on RemovedFromMergeQueueEvent { reason } }
      }
    }
  }
}";
const ENQUEUE: &str = "mutation Enqueue($id: ID!, $head: GitObjectID!) {
  enqueuePullRequest(input: {pullRequestId: $id, expectedHeadOid: $head}) {
    mergeQueueEntry { state }
  }
}";
const DEQUEUE: &str = "mutation Dequeue($id: ID!) {
  dequeuePullRequest(input: {id: $id}) { clientMutationId }
}";
const ENABLE: &str = "mutation EnableAutoMerge($id: ID!, $head: GitObjectID!,
    $method: PullRequestMergeMethod!, $title: String!, $message: String!) {
  enablePullRequestAutoMerge(input: {pullRequestId: $id, expectedHeadOid: $head,
      mergeMethod: $method, commitHeadline: $title, commitBody: $message}) {
    clientMutationId
  }
}";
const DISABLE: &str = "mutation DisableAutoMerge($id: ID!) {
  disablePullRequestAutoMerge(input: {pullRequestId: $id}) { clientMutationId }
}";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Found {
    repository: Option<Repository>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Repository {
    pull_request: Option<Pull>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Pull {
    merge_queue_entry: Option<EntryAnswer>,
    timeline_items: Option<Items>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Items {
    nodes: Option<Vec<Option<Removed>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Removed {
    reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct EntryAnswer {
    state: Option<String>,
    position: Option<u32>,
    head_commit: Option<Commit>,
    base_commit: Option<Commit>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Commit {
    oid: Option<String>,
}

impl Commit {
    fn sha(&self) -> Option<CommitSha> {
        CommitSha::parse(self.oid.as_deref()?).ok()
    }
}

impl EntryAnswer {
    fn into_entry(self) -> Entry {
        let state = match self.state.as_deref() {
            Some("QUEUED") => EntryState::Queued,
            Some("AWAITING_CHECKS") => EntryState::AwaitingChecks,
            Some("MERGEABLE") => EntryState::Mergeable,
            Some("UNMERGEABLE") => EntryState::Unmergeable,
            Some("LOCKED") => EntryState::Locked,
            Some(_) | None => EntryState::Other,
        };
        let head = self.head_commit.as_ref().and_then(Commit::sha);
        let base = self.base_commit.as_ref().and_then(Commit::sha);
        let group = head.zip(base).map(|(head, base)| Group { head, base, holds: None });
        Entry { state, position: self.position.unwrap_or(0), group }
    }
}

impl App {
    pub(super) async fn read_line(&self, at: &At, pull: PullNumber) -> Result<Line, Error> {
        let (owner, name) = (at.repo.owner(), at.repo.name());
        let ask = Query {
            kind: "line",
            write: false,
            document: ENTRY,
            variables: json!({"owner": owner, "name": name, "number": pull.0}),
        };
        let found: Found = self.graphql(at, Grant::Read, ask).await?;
        let pull = found.repository.and_then(|found| found.pull_request);
        let pull = required(pull, "pull request")?;
        let last = pull.timeline_items.and_then(|items| items.nodes);
        let last = last.into_iter().flatten().flatten().next_back();
        Ok(Line {
            entry: pull.merge_queue_entry.map(EntryAnswer::into_entry),
            removed: last.and_then(|one| one.reason).map(|why| text::cut(&why, 100)),
            failed: Vec::new(),
        })
    }

    async fn mutate(
        &self,
        at: &At,
        (kind, document): (&'static str, &str),
        variables: Value,
    ) -> Result<Value, Error> {
        self.graphql(at, Grant::Merge, Query { kind, write: true, document, variables }).await
    }

    async fn node_of(&self, at: &At, pull: PullNumber) -> Result<String, Error> {
        required(self.read_pull(at, pull).await?.node_id, "node id of a pull request")
    }

    /// Once the request has left, only the answer or GitHub itself can say what became of it.
    pub(super) async fn send_order(
        &self,
        at: &At,
        way: Way,
        order: &MergeOrder,
    ) -> Result<Enlisted, Error> {
        let id = self.node_of(at, order.pull).await?;
        self.token(at, Grant::Merge).await?;
        let head = order.head.as_str();
        let (ask, variables) = match way {
            Way::Queue => (("enqueue", ENQUEUE), json!({"id": id, "head": head})),
            Way::Auto => (
                ("enable_auto_merge", ENABLE),
                json!({
                    "id": id, "head": head,
                    "method": method_word(order.method).to_uppercase(),
                    "title": order.title.as_str(),
                    "message": order.message.as_str(),
                }),
            ),
        };
        let answered = self.mutate(at, ask, variables).await;
        answer::enlisted(answered.map(drop), self.clock.now())
    }

    pub(super) async fn take_back(
        &self,
        at: &At,
        way: Way,
        pull: PullNumber,
    ) -> Result<bool, Error> {
        let id = self.node_of(at, pull).await?;
        let ask = match way {
            Way::Queue => ("dequeue", DEQUEUE),
            Way::Auto => ("disable_auto_merge", DISABLE),
        };
        answer::taken_back(self.mutate(at, ask, json!({"id": id})).await.map(drop))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_of_an_entry_is_known_and_a_new_one_breaks_nothing() {
        let sha = "a".repeat(40);
        for (word, state) in [
            ("QUEUED", EntryState::Queued),
            ("AWAITING_CHECKS", EntryState::AwaitingChecks),
            ("MERGEABLE", EntryState::Mergeable),
            ("UNMERGEABLE", EntryState::Unmergeable),
            ("LOCKED", EntryState::Locked),
            ("TOMORROW", EntryState::Other),
        ] {
            let answer = json!({"state": word, "position": 2, "headCommit": {"oid": sha},
                "baseCommit": {"oid": sha}});
            let entry = serde_json::from_value::<EntryAnswer>(answer).unwrap().into_entry();
            assert_eq!((entry.state, entry.position), (state, 2));
            assert_eq!(entry.group.unwrap().head.as_str(), sha);
        }
        let bare = json!({"state": "QUEUED", "headCommit": null});
        let entry = serde_json::from_value::<EntryAnswer>(bare).unwrap().into_entry();
        assert_eq!(entry.group, None);
    }
}
