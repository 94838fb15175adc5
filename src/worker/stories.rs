//! Runs of sub-issues, started for the run of the issue they belong to.

use super::Engine;
use super::failure::Failure;
use super::freeze::{Cause, Ground};
use super::inbox::Said;
use crate::command::Go;
use crate::github::Error;
use crate::model::{IssueNumber, RunId};
use crate::pipeline::State;
use crate::policy::Policy;
use crate::store::Opened;

impl Engine {
    /// Whether the issue has open sub-issues here. A server that knows none has none.
    pub(super) async fn has_stories(&self, said: &Said) -> Result<bool, Failure> {
        match self.ports.github.sub_issues(&said.at, said.number).await {
            Ok(found) => Ok(found.here.iter().any(|sub| sub.open)),
            Err(Error::Gone(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Starts the run of one story at the word of whoever asked for all of them; the same story
    /// twice is one run. `None` when the issue says nothing that could be done.
    pub(super) async fn go_story(
        &self,
        parent: &State,
        policy: &Policy,
        issue: IssueNumber,
    ) -> Result<Option<RunId>, Failure> {
        let asked = &parent.request;
        let said = Said::wish(Self::at(parent), issue, asked.by.clone());
        let go = Go {
            digest: None,
            dry_run: false,
            base: asked.base.clone(),
            agent: asked.named_agent().cloned(),
            words: asked.words.clone(),
        };
        let cause = Cause::Story { parent: asked.run.clone(), issue };
        let frozen = asked.frozen.as_ref();
        let ground = Ground {
            public: frozen.is_none_or(|frozen| frozen.public),
            policy_at: frozen.and_then(|frozen| frozen.policy_at.clone()),
        };
        let Ok(request) = self.request(&said, &go, (policy, &ground), cause).await? else {
            return Ok(None);
        };
        let run = request.run.clone();
        Ok(Some(match self.open(None, request, policy.clone()).await? {
            Opened::New => run,
            Opened::Exists(run) => run,
        }))
    }
}
