//! Publish: bring the head to its branch, then find the pull request or open it.

use super::Context;
use super::sign::{self, Bringing, Brought};
use crate::github::{self, NewPull};
use crate::model::{BranchName, CommitSha, PullNumber};
use crate::pipeline::Done;
use crate::policy::Draft;
use crate::report;
use crate::worker::failure::Failure;

pub(super) async fn perform(
    context: &Context<'_>,
    head: &CommitSha,
    expect: Option<&CommitSha>,
) -> Result<Done, Failure> {
    let work = &context.state.work;
    let (Some(branch), Some(base)) = (work.branch.clone(), work.base.clone()) else {
        return Err(Failure::Fault("a run without a branch cannot publish".to_owned()));
    };
    let what = Bringing { branch: &branch, head, expect };
    let (head, signing) = match sign::bring(context, &what).await? {
        Brought::There { head, signing } => (head, signing),
        Brought::Ended(done) => return Ok(done),
    };
    let pull = match work.pull {
        Some(pull) => pull,
        None => pull(context, branch, base).await?,
    };
    Ok(Done::Published { head, pull, signing })
}

async fn pull(
    context: &Context<'_>,
    head: BranchName,
    base: BranchName,
) -> Result<PullNumber, Failure> {
    let github = &context.engine.ports.github;
    // Only a task that was begun before can have opened it already.
    let begun = context.lease.attempts > 0;
    if begun && let Some(pull) = github.pull_of(&context.at, &head).await? {
        return Ok(pull);
    }
    let links = context.links();
    let texts = context.report(&links);
    let new = NewPull {
        title: report::pull_title(&texts).into(),
        body: report::pull_body(&texts).into(),
        head: head.clone(),
        base,
        draft: context.policy.draft == Draft::UntilGreen,
    };
    match github.open_pull(&context.at, &new).await {
        Ok(pull) => Ok(pull),
        Err(github::Error::Refused { status: 422, text }) => {
            let there = github.pull_of(&context.at, &head).await?;
            there.ok_or(Failure::GitHub(github::Error::Refused { status: 422, text }))
        }
        Err(error) => Err(error.into()),
    }
}
