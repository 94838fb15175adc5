//! Choosing the agents of a request: what was said, and what the issue carries at that moment.

use super::Engine;
use super::failure::Failure;
use super::inbox::Said;
use crate::agent::choice::{Voices, chosen};
use crate::agent::wanted::Wanted;
use crate::command::Go;
use crate::pipeline::Chosen;
use crate::policy::Policy;

impl Engine {
    /// The outer error is the world's, the inner one the person's.
    pub(super) async fn chosen(
        &self,
        said: &Said,
        go: &Go,
        policy: &Policy,
    ) -> Result<Result<(Wanted, Chosen), String>, Failure> {
        let command = go.agent.as_deref();
        // Labels are only read where one could choose.
        let labels = if command.is_none() && !policy.agent_labels.is_empty() {
            let issue = self.issue_now(&said.at, said.number).await?;
            issue.map(|issue| issue.labels).unwrap_or_default()
        } else {
            Vec::new()
        };
        let voices = Voices { command, labels: &labels, policy };
        Ok(chosen(&self.settings.agents, voices))
    }
}
