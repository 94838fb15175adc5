//! Publish: the push gate, then bring the head to its branch, then find the pull request or
//! open it.

use super::Context;
use super::sign::{self, Bringing, Brought};
use crate::gate::push;
use crate::github::{self, NewPull};
use crate::model::{BranchName, CommitSha, PullNumber};
use crate::pipeline::Done;
use crate::policy::Draft;
use crate::report;
use crate::worker::failure::Failure;
use crate::worker::gate::refusal;

pub(super) async fn perform(
    context: &Context<'_>,
    head: &CommitSha,
    expect: Option<&CommitSha>,
) -> Result<Done, Failure> {
    let work = &context.state.work;
    let (Some(branch), Some(base)) = (work.branch.clone(), work.base.clone()) else {
        return Err(Failure::Fault("a run without a branch cannot publish".to_owned()));
    };
    if let Some(done) = refused(context, head).await? {
        return Ok(done);
    }
    let people = context.engine.lost(context.state, context.state.push_words()).await?;
    if !people.is_empty() {
        return Ok(Done::Lost { people });
    }
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

/// Everything that is about to leave, once more and as a whole: many small attempts may add up
/// to what no one attempt may do. What people pushed themselves is theirs to answer for; it is
/// shown to whoever approves.
async fn refused(context: &Context<'_>, head: &CommitSha) -> Result<Option<Done>, Failure> {
    let state = context.state;
    let seen = state.seen.as_deref().map(|seen| &seen.base_tip);
    let Some(base) = seen.or(state.work.onto.as_ref()) else {
        return Err(Failure::Fault("a run without a base cannot publish".to_owned()));
    };
    let links = context.links();
    let texts = context.report(&links);
    let (title, body) = (report::pull_title(&texts), report::pull_body(&texts));
    let texts =
        [("the pull request's title", title.as_str()), ("the pull request's text", body.as_str())];
    let asked = (state, context.policy);
    let mut judgement = context.engine.judge_head(asked, (base, head), &texts).await?;
    if state.work.foreign || state.request.pull.is_some() {
        judgement.refused.retain(push::Violation::is_alarm);
    }
    Ok(refusal(judgement, 0))
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
        title: context.engine.sanitizer.text(&report::pull_title(&texts)),
        body: context.engine.sanitizer.text(&report::pull_body(&texts)),
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
