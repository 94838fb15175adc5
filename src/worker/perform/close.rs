//! Close: the issue, if GitHub did not close it, and our own branch.

use super::Context;
use crate::git::Push;
use crate::github::Purpose;
use crate::pipeline::Done;
use crate::worker::failure::Failure;

pub(super) async fn perform(context: &Context<'_>) -> Result<Done, Failure> {
    let ports = &context.engine.ports;
    let request = &context.state.request;
    let issue = ports.github.issue(&context.at, request.issue).await?;
    if issue.open && request.pull.is_none() {
        ports.github.close_issue(&context.at, request.issue).await?;
    }
    let work = &context.state.work;
    // A branch somebody else made, or pushed to, is theirs to delete.
    if let (Some(branch), Some(head), false) = (&work.branch, &work.published, work.foreign) {
        let remote = ports.github.remote(&context.at, Purpose::Push).await?;
        let push = Push { branch: branch.clone(), new: None, expect: Some(head.clone()) };
        ports.git.push(&remote, &push).await?;
    }
    Ok(Done::Closed)
}
