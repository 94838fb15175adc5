//! Sign: the head comes to its branch as a commit that GitHub makes and signs, where the policy
//! asks for that and GitHub can; otherwise it is pushed, and the run says why.
//!
//! GitHub is asked once, and only moves a branch that is at the parent. What became of a request
//! whose answer is missing is read from the branch.

use super::Context;
use crate::git::{Plain, PlainChange, Push, PushAnswer};
use crate::github::Purpose;
use crate::github::commits::{NewCommit, Signed};
use crate::model::{BranchName, CommitSha};
use crate::pipeline::Done;
use crate::pipeline::twin::{Signing, Twin};
use crate::policy::Commits;
use crate::report;
use crate::worker::failure::Failure;

/// What the branch holds now, or how the task ends without holding anything of ours.
pub(super) enum Brought {
    There { head: CommitSha, signing: Option<Signing> },
    Ended(Done),
}

/// The head that is to come to `branch`, which was at `expect` when it was last ours.
pub(super) struct Bringing<'a> {
    pub(super) branch: &'a BranchName,
    pub(super) head: &'a CommitSha,
    pub(super) expect: Option<&'a CommitSha>,
}

pub(super) async fn bring(context: &Context<'_>, what: &Bringing<'_>) -> Result<Brought, Failure> {
    match context.policy.commits {
        Commits::Pushed => push(context, what, what.expect, None).await,
        Commits::SignedByGithub => signed(context, what).await,
    }
}

/// Moves the branch from `expect` to our own commit.
async fn push(
    context: &Context<'_>,
    what: &Bringing<'_>,
    expect: Option<&CommitSha>,
    why: Option<String>,
) -> Result<Brought, Failure> {
    match send(context, what.branch, what.head, expect).await? {
        PushAnswer::Pushed => {
            let signing = why.map(|why| Signing::Pushed { why });
            Ok(Brought::There { head: what.head.clone(), signing })
        }
        other @ (PushAnswer::Stale { .. } | PushAnswer::Refused { .. }) => {
            not_pushed(context, other).await
        }
    }
}

async fn send(
    context: &Context<'_>,
    branch: &BranchName,
    new: &CommitSha,
    expect: Option<&CommitSha>,
) -> Result<PushAnswer, Failure> {
    let ports = &context.engine.ports;
    let remote = ports.github.remote(&context.at, Purpose::Push).await?;
    let (branch, new) = (branch.clone(), Some(new.clone()));
    let push = Push { branch, new, expect: expect.cloned() };
    Ok(ports.git.push(&remote, &push).await?)
}

async fn not_pushed(context: &Context<'_>, answer: PushAnswer) -> Result<Brought, Failure> {
    Ok(Brought::Ended(match answer {
        PushAnswer::Stale { actual } => {
            if actual.is_some() {
                context.refresh().await?;
            }
            Done::Diverged { remote: actual }
        }
        PushAnswer::Refused { text } => {
            Done::Failed { why: format!("the push was refused: {text}") }
        }
        PushAnswer::Pushed => return Err(Failure::Fault("a push that is none".to_owned())),
    }))
}

async fn signed(context: &Context<'_>, what: &Bringing<'_>) -> Result<Brought, Failure> {
    let Some(from) = what.expect.or(context.state.work.onto.as_ref()) else {
        return Err(Failure::Fault("a run that begins nowhere cannot publish".to_owned()));
    };
    // A request may have left before the interruption: nothing is asked for any more.
    if context.lease.attempts > 0 && (what.expect.is_some() || is_there(context, what).await?) {
        let why = "an earlier try was interrupted".to_owned();
        return settle(context, what, from, why).await;
    }
    let git = &context.engine.ports.git;
    let change = match git.plain(&context.at.repo, from, what.head).await? {
        Plain::Yes(change) => change,
        Plain::No { why } => return push(context, what, what.expect, Some(why)).await,
    };
    if what.expect.is_none() {
        match send(context, what.branch, from, None).await? {
            PushAnswer::Pushed => {}
            other @ (PushAnswer::Stale { .. } | PushAnswer::Refused { .. }) => {
                return not_pushed(context, other).await;
            }
        }
    }
    ask(context, what, from, change).await
}

async fn is_there(context: &Context<'_>, what: &Bringing<'_>) -> Result<bool, Failure> {
    let tips = context.engine.tips(context.state, std::slice::from_ref(what.branch)).await?;
    Ok(tips.contains_key(what.branch))
}

async fn ask(
    context: &Context<'_>,
    what: &Bringing<'_>,
    from: &CommitSha,
    change: PlainChange,
) -> Result<Brought, Failure> {
    let links = context.links();
    let message = report::signed_message(&context.report(&links), &change.message);
    let new = NewCommit {
        branch: what.branch.clone(),
        parent: from.clone(),
        message: context.engine.sanitizer.text(&message),
        written: change.written,
        deleted: change.deleted,
    };
    match context.engine.ports.github.commit(&context.at, &new).await? {
        Signed::Made { commit } => made(context, what, from, commit).await,
        Signed::Moved => settle(context, what, from, "GitHub found the branch moved".into()).await,
        Signed::Refused { text } => {
            let why = format!("GitHub refused to make it: {text}");
            push(context, what, Some(from), Some(why)).await
        }
        Signed::Unknown { text } => {
            let why = format!("GitHub's answer is missing ({text})");
            settle(context, what, from, why).await
        }
    }
}

/// GitHub says that it made `commit`. Git says what it is.
async fn made(
    context: &Context<'_>,
    what: &Bringing<'_>,
    from: &CommitSha,
    commit: CommitSha,
) -> Result<Brought, Failure> {
    let tips = context.engine.tips(context.state, std::slice::from_ref(what.branch)).await?;
    match tips.get(what.branch) {
        Some(tip) if *tip == commit => {}
        // GitHub answers before every replica has the branch: ask again, which only reads.
        Some(tip) if tip == from => {
            return Err(crate::git::Error::Missing(format!("{commit} in the branch")).into());
        }
        actual => return Ok(Brought::Ended(Done::Diverged { remote: actual.cloned() })),
    }
    if let Some(twin) = twin(context, what, from, &commit).await? {
        return Ok(Brought::There { head: commit, signing: Some(Signing::Signed(twin)) });
    }
    // It is ours by GitHub's own word, and nobody verified what it holds: ours takes its place.
    let why = format!("what GitHub made ({}) was not what was verified", commit.short());
    push(context, what, Some(&commit), Some(why)).await
}

/// Reads what is in the branch: ours, GitHub's twin of it, what was there before, or somebody
/// else's. What was there before makes place for our own commit, under a lease: a request that
/// arrives late then finds the branch moved.
async fn settle(
    context: &Context<'_>,
    what: &Bringing<'_>,
    from: &CommitSha,
    why: String,
) -> Result<Brought, Failure> {
    let branch = std::slice::from_ref(what.branch);
    let mut tips = context.engine.tips(context.state, branch).await?;
    if tips.get(what.branch).is_none_or(|tip| tip == from || tip == what.head) {
        match send(context, what.branch, what.head, Some(from)).await? {
            PushAnswer::Stale { actual: Some(_) } => {
                tips = context.engine.tips(context.state, branch).await?;
            }
            PushAnswer::Pushed => {
                let signing = Some(Signing::Pushed { why });
                return Ok(Brought::There { head: what.head.clone(), signing });
            }
            other @ (PushAnswer::Stale { actual: None } | PushAnswer::Refused { .. }) => {
                return not_pushed(context, other).await;
            }
        }
    }
    let Some(tip) = tips.remove(what.branch) else {
        return Ok(Brought::Ended(Done::Diverged { remote: None }));
    };
    Ok(match twin(context, what, from, &tip).await? {
        Some(twin) => Brought::There { head: tip, signing: Some(Signing::Signed(twin)) },
        None => Brought::Ended(Done::Diverged { remote: Some(tip) }),
    })
}

/// The proof that `commit` is our head made once more: the same tree, and nothing but `from`
/// before it.
async fn twin(
    context: &Context<'_>,
    what: &Bringing<'_>,
    from: &CommitSha,
    commit: &CommitSha,
) -> Result<Option<Twin>, Failure> {
    let (git, repo) = (&context.engine.ports.git, &context.at.repo);
    if git.parents_of(repo, commit).await? != std::slice::from_ref(from) {
        return Ok(None);
    }
    let ours = git.tree_of(repo, what.head).await?;
    let its = git.tree_of(repo, commit).await?;
    Ok(Twin::of((what.head, &ours), (commit, &its)))
}
