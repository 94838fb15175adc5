//! Answers to people: a thumb up or one comment, never twice.

use super::Engine;
use super::failure::Failure;
use crate::github::{At, Reaction};
use crate::markdown;
use crate::model::sanitized::{Markdown, prose};
use crate::model::{CommentId, IssueNumber};
use crate::pipeline::Answer;
use crate::report;
use crate::store::Lease;

impl Engine {
    pub(super) async fn answer(
        &self,
        lease: &Lease,
        at: &At,
        (issue, to): (IssueNumber, CommentId),
        answer: &Answer,
    ) -> Result<(), Failure> {
        let text = match answer {
            Answer::Done => {
                self.ports.github.react(at, to, Reaction::ThumbsUp).await?;
                return self.end(lease, Vec::new()).await;
            }
            Answer::Words(text) => prose(text),
            Answer::Help => crate::command::help(),
            Answer::Question => match self.question(at, issue).await? {
                Some(text) => text,
                // It was answered meanwhile.
                None => return self.end(lease, Vec::new()).await,
            },
            Answer::Status => match self.ports.store.latest_run(&at.repo, issue).await? {
                Some(run) => match self.ports.store.load(&run).await? {
                    Some(snapshot) => report::status(&snapshot.state),
                    None => "There was no run here yet.".into(),
                },
                None => "There was no run here yet. `/go` starts one.".into(),
            },
        };
        if !self.may_answer(&at.repo, issue) {
            self.ports.github.react(at, to, Reaction::Confused).await?;
            return self.end(lease, Vec::new()).await;
        }
        let marker = markdown!("<!-- slipway:answer:{} -->", to);
        let github = &self.ports.github;
        let repeated = lease.attempts > 0;
        let there = repeated && github.comment_with(at, issue, marker.as_str()).await?.is_some();
        if !there {
            let body = self.sanitizer.text(&markdown!("{}\n{}", marker, text));
            github.comment(at, issue, &body).await?;
        }
        self.end(lease, Vec::new()).await
    }

    /// The question that is open here.
    async fn question(&self, at: &At, issue: IssueNumber) -> Result<Option<Markdown>, Failure> {
        let Some(run) = self.ports.store.latest_run(&at.repo, issue).await? else {
            return Ok(None);
        };
        let Some(snapshot) = self.ports.store.load(&run).await? else { return Ok(None) };
        let links = self.links(&snapshot.state);
        let (state, policy) = (&snapshot.state, &snapshot.policy);
        Ok(report::question(&report::Context { state, policy, links: &links }))
    }
}
