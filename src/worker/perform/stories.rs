//! Stories: read the sub-issues and their runs, and start those that may.

use super::Context;
use crate::github::SubIssue;
use crate::model::IssueNumber;
use crate::model::text::cut;
use crate::pipeline::stories::{self, STORIES_MAX, Standing, Story};
use crate::pipeline::{Done, Outcome};
use crate::store::{Beat, Snapshot};
use crate::worker::failure::Failure;

/// Longest title kept of a story, in characters.
const TITLE_CHARS_MAX: usize = 100;

pub(super) async fn perform(context: &Context<'_>, close: bool) -> Result<Done, Failure> {
    let github = &context.engine.ports.github;
    let issue = context.state.request.issue;
    if close {
        github.close_issue(&context.at, issue).await?;
        return Ok(Done::Closed);
    }
    let found = github.sub_issues(&context.at, issue).await?;
    let mut read = Vec::new();
    for sub in found.here.iter().take(STORIES_MAX) {
        read.push(story(context, sub).await?);
    }
    let at_once_max = usize::try_from(context.policy.limits.stories_at_once_max).unwrap_or(1);
    // Each start takes one story out of those that wait, so this ends.
    while let Some(issue) = stories::next(&read, at_once_max).first().copied() {
        start(context, issue, &mut read).await?;
    }
    Ok(Done::Stories { stories: read, elsewhere: found.elsewhere })
}

async fn story(context: &Context<'_>, sub: &SubIssue) -> Result<Story, Failure> {
    let run = newest(context, sub.number).await?;
    let standing = standing(sub.open, run.as_ref());
    let blockers = if standing == Standing::Open {
        context.engine.ports.github.blockers(&context.at, sub.number).await?
    } else {
        Vec::new()
    };
    Ok(Story {
        issue: sub.number,
        title: cut(&sub.title, TITLE_CHARS_MAX),
        standing,
        pull: run.as_ref().and_then(|run| run.state.work.pull),
        run: run.map(|run| run.state.request.run.clone()),
        blockers,
    })
}

/// The newest run of a story, unless it ended before this one was asked for.
async fn newest(context: &Context<'_>, issue: IssueNumber) -> Result<Option<Snapshot>, Failure> {
    let store = &context.engine.ports.store;
    let request = &context.state.request;
    let Some(run) = store.latest_run(&request.repo, issue).await? else { return Ok(None) };
    let found = store.load(&run).await?;
    Ok(found
        .filter(|found| found.state.finished().is_none() || found.state.request.at >= request.at))
}

fn standing(open: bool, run: Option<&Snapshot>) -> Standing {
    let Some(run) = run else {
        return if open { Standing::Open } else { Standing::Closed };
    };
    match run.state.finished() {
        Some(Outcome::Merged { .. }) => Standing::Merged,
        Some(Outcome::Stopped { .. } | Outcome::HandedOver { .. } | Outcome::Failed { .. }) => {
            if open {
                Standing::Failed
            } else {
                Standing::Closed
            }
        }
        None if run.state.park().is_some() => Standing::Asks,
        None => Standing::Running,
    }
}

/// Starts the run of one story; started before a crash, it is the same run.
async fn start(
    context: &Context<'_>,
    issue: IssueNumber,
    read: &mut [Story],
) -> Result<(), Failure> {
    // After `/stop` nothing is started any more.
    let engine = context.engine;
    let until = engine.now().plus(engine.settings.limits.lease_ms);
    match engine.ports.store.heartbeat(context.lease, until).await? {
        Beat::Kept => {}
        Beat::Cancelled | Beat::Lost => return Err(Failure::Unwanted),
    }
    let run = engine.go_story(context.state, context.policy, issue).await?;
    if let Some(story) = read.iter_mut().find(|story| story.issue == issue) {
        // An issue that says nothing cannot be worked on; a person is to write it.
        story.standing = if run.is_some() { Standing::Running } else { Standing::Failed };
        story.run = run;
    }
    Ok(())
}
