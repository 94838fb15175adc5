//! From the shape of a payload to what it means; one function for each event.

use super::shape::{Headed, Numbered, Payload};
use super::{Happening, PULLS_MAX, PullAction, visible};
use crate::github::At;
use crate::github::account::Account;
use crate::model::{BranchName, CommentId, CommitSha, InstallationId, IssueNumber, PullNumber};
use crate::model::{Repo, User};

pub(super) fn nothing(why: impl Into<String>) -> Happening {
    Happening::Nothing { why: why.into() }
}

/// Why a payload means nothing to us.
type Meant = Result<Happening, String>;

pub(super) fn happening(event: &str, payload: &Payload, app: u64) -> Happening {
    let meant = match event {
        "installation" | "installation_repositories" => installation(payload),
        "issue_comment" => comment(payload, app),
        "issues" => issue(payload),
        "pull_request" => pull(payload),
        "pull_request_review" => review(payload),
        "merge_group" => group(payload),
        "push" => push(payload),
        "check_run" => check_run(payload, app),
        "check_suite" => check_suite(payload, app),
        "status" => status(payload),
        "workflow_run" => workflow(payload, payload.workflow_run.as_ref()),
        "workflow_job" => workflow(payload, payload.workflow_job.as_ref()),
        other => Err(format!("no interest in the event {}", visible(other))),
    };
    meant.unwrap_or_else(nothing)
}

fn missing<T>(found: Option<T>, what: &str) -> Result<T, String> {
    found.ok_or_else(|| format!("the payload names no {what}"))
}

fn place(payload: &Payload) -> Result<At, String> {
    let id = payload.installation.as_ref().and_then(|one| one.id);
    let name = payload.repository.as_ref().and_then(|one| one.full_name.as_deref());
    let repo = Repo::parse(missing(name, "repository")?).map_err(|error| error.to_string())?;
    Ok(At { installation: InstallationId(missing(id, "installation")?), repo })
}

fn sender(payload: &Payload) -> Option<User> {
    payload.sender.as_ref().and_then(Account::user)
}

fn action(payload: &Payload) -> &str {
    payload.action.as_deref().unwrap_or_default()
}

fn ignored(what: &str, payload: &Payload) -> Meant {
    Err(format!("no interest in the action {} of {what}", visible(action(payload))))
}

fn sha(text: Option<&str>, what: &str) -> Result<CommitSha, String> {
    CommitSha::parse(missing(text, what)?).map_err(|error| error.to_string())
}

fn branch(text: Option<&str>, what: &str) -> Result<BranchName, String> {
    BranchName::parse(missing(text, what)?).map_err(|error| error.to_string())
}

fn installation(payload: &Payload) -> Meant {
    let id = payload.installation.as_ref().and_then(|one| one.id);
    let installation = InstallationId(missing(id, "installation")?);
    Ok(Happening::Installation { installation, action: visible(action(payload)) })
}

fn comment(payload: &Payload, app: u64) -> Meant {
    if action(payload) != "created" {
        return ignored("a comment", payload);
    }
    let at = place(payload)?;
    let issue = missing(payload.issue.as_ref(), "issue")?;
    let found = missing(payload.comment.as_ref(), "comment")?;
    let mut by = missing(found.user.as_ref().and_then(Account::user), "author")?;
    let via = found.performed_via_github_app.as_ref().map(|one| one.id.unwrap_or(0));
    by.bot |= via == Some(app);
    // Who writes a comment also sends it; another sender means that it says something else.
    if sender(payload).map(|user| user.id) != Some(by.id) {
        return Err("a comment that its author did not send".to_owned());
    }
    Ok(Happening::Comment {
        at,
        number: IssueNumber(missing(issue.number, "issue number")?),
        is_pull: issue.pull_request.is_some(),
        comment: CommentId(missing(found.id, "comment id")?),
        by,
        via,
        body: found.body.clone().unwrap_or_default(),
    })
}

fn issue(payload: &Payload) -> Meant {
    let (at, by) = (place(payload)?, sender(payload));
    let number = payload.issue.as_ref().and_then(|one| one.number);
    let issue = IssueNumber(missing(number, "issue number")?);
    let label = payload.label.as_ref().and_then(|one| one.name.clone());
    match action(payload) {
        "labeled" => {
            let (label, by) = (missing(label, "label")?, missing(by, "sender")?);
            Ok(Happening::Labeled { at, issue, label, by })
        }
        "unlabeled" => Ok(Happening::Unlabeled { at, issue, label: missing(label, "label")?, by }),
        // A deleted or transferred issue cannot be worked on any more either.
        "closed" | "deleted" | "transferred" => Ok(Happening::IssueClosed { at, issue, by }),
        "reopened" => Ok(Happening::IssueReopened { at, issue, by }),
        _uninteresting => ignored("an issue", payload),
    }
}

fn pull(payload: &Payload) -> Meant {
    let (at, by) = (place(payload)?, sender(payload));
    let merged = payload.pull_request.as_ref().and_then(|one| one.merged).unwrap_or(false);
    let action = match action(payload) {
        "opened" => PullAction::Opened,
        "reopened" => PullAction::Reopened,
        "synchronize" => PullAction::Synchronized,
        "edited" => PullAction::Edited,
        "ready_for_review" => PullAction::ReadyForReview,
        "converted_to_draft" => PullAction::Drafted,
        "enqueued" | "dequeued" | "auto_merge_enabled" | "auto_merge_disabled" => {
            PullAction::Queued
        }
        "closed" if merged => PullAction::Merged,
        "closed" => PullAction::Closed,
        _uninteresting => return ignored("a pull request", payload),
    };
    let here = payload.repository.as_ref().and_then(|one| one.id);
    let found = missing(payload.pull_request.as_ref(), "pull request")?;
    let head = missing(found.head.as_ref(), "head")?;
    let from = head.repo.as_ref().and_then(|one| one.id);
    let own = from.is_some() && from == here;
    let base = missing(found.base.as_ref(), "base")?;
    Ok(Happening::Pull {
        at,
        pull: PullNumber(missing(found.number, "pull request number")?),
        action,
        head: sha(head.sha.as_deref(), "head")?,
        branch: if own { branch(head.reference.as_deref(), "head branch").ok() } else { None },
        base: branch(base.reference.as_deref(), "base branch")?,
        by,
    })
}

fn group(payload: &Payload) -> Meant {
    let found = missing(payload.merge_group.as_ref(), "merge group")?;
    let short = |name: Option<&String>| {
        name.and_then(|name| name.strip_prefix("refs/heads/")).map(str::to_owned)
    };
    // Such as `gh-readonly-queue/main/pr-17-…`.
    let named = short(found.head_ref.as_ref()).and_then(|name| {
        let (_, last) = name.rsplit_once("/pr-")?;
        last.split('-').next()?.parse().ok().map(PullNumber)
    });
    let (asks, head) = match action(payload) {
        "checks_requested" => (named, found.head_sha.as_deref()),
        "destroyed" => (None, found.head_sha.as_deref()),
        _uninteresting => return ignored("a merge group", payload),
    };
    Ok(Happening::Group {
        at: place(payload)?,
        base: branch(short(found.base_ref.as_ref()).as_deref(), "base branch")?,
        head: sha(head, "head")?,
        asks,
    })
}

fn review(payload: &Payload) -> Meant {
    let number = payload.pull_request.as_ref().and_then(|one| one.number);
    let pull = PullNumber(missing(number, "pull request number")?);
    match action(payload) {
        "submitted" | "edited" | "dismissed" => {
            Ok(Happening::Review { at: place(payload)?, pull, by: sender(payload) })
        }
        _uninteresting => ignored("a review", payload),
    }
}

fn push(payload: &Payload) -> Meant {
    let at = place(payload)?;
    let name = missing(payload.reference.as_deref(), "reference")?;
    let name = name.strip_prefix("refs/heads/").ok_or("a tag moved, not a branch")?;
    let commit = |text: Option<&str>| -> Result<Option<CommitSha>, String> {
        let text = missing(text, "commit")?;
        // Forty zeros are how GitHub writes "none".
        if text.bytes().all(|byte| byte == b'0') {
            return Ok(None);
        }
        sha(Some(text), "commit").map(Some)
    };
    Ok(Happening::Push {
        at,
        branch: branch(Some(name), "branch")?,
        before: commit(payload.before.as_deref())?,
        after: commit(payload.after.as_deref())?,
        by: sender(payload),
    })
}

/// Pull requests of this repository; GitHub also lists those of forks' upstreams.
fn pulls(payload: &Payload, found: Option<&Vec<Numbered>>) -> Vec<PullNumber> {
    let here = payload.repository.as_ref().and_then(|one| one.id);
    let own = |one: &&Numbered| {
        let base = one.base.as_ref().and_then(|base| base.repo.as_ref()).and_then(|r| r.id);
        base.is_none() || base == here
    };
    let numbers = found.into_iter().flatten().filter(own).filter_map(|one| one.number);
    numbers.map(PullNumber).take(PULLS_MAX).collect()
}

fn check_run(payload: &Payload, app: u64) -> Meant {
    let (at, by) = (place(payload)?, sender(payload));
    let found = missing(payload.check_run.as_ref(), "check run")?;
    let head = sha(found.head_sha.as_deref(), "head")?;
    let own = found.app.as_ref().and_then(|one| one.id) == Some(app);
    let pulls = pulls(payload, found.pull_requests.as_ref());
    if !own {
        return Ok(Happening::Checks { at, head, pulls });
    }
    let external_id = found.external_id.clone().filter(|id| !id.is_empty());
    match action(payload) {
        "requested_action" => {
            let pressed = payload.requested_action.as_ref();
            let identifier = pressed.and_then(|one| one.identifier.clone());
            Ok(Happening::Button {
                at,
                external_id: missing(external_id, "external id")?,
                head,
                identifier: missing(identifier, "button")?,
                by: missing(by, "sender")?,
                pulls,
            })
        }
        "rerequested" => {
            Ok(Happening::Rerequested { at, external_id, head, by: missing(by, "sender")? })
        }
        _own => Err("our own check run changed".to_owned()),
    }
}

fn check_suite(payload: &Payload, app: u64) -> Meant {
    let found = missing(payload.check_suite.as_ref(), "check suite")?;
    let own = found.app.as_ref().and_then(|one| one.id) == Some(app);
    if !own {
        return workflow(payload, Some(found));
    }
    if action(payload) != "rerequested" {
        return Err("our own check suite changed".to_owned());
    }
    Ok(Happening::Rerequested {
        at: place(payload)?,
        external_id: None,
        head: sha(found.head_sha.as_deref(), "head")?,
        by: missing(sender(payload), "sender")?,
    })
}

fn status(payload: &Payload) -> Meant {
    let head = sha(payload.sha.as_deref(), "commit")?;
    Ok(Happening::Checks { at: place(payload)?, head, pulls: Vec::new() })
}

fn workflow(payload: &Payload, found: Option<&Headed>) -> Meant {
    let found = missing(found, "head")?;
    Ok(Happening::Checks {
        at: place(payload)?,
        head: sha(found.head_sha.as_deref(), "head")?,
        pulls: pulls(payload, found.pull_requests.as_ref()),
    })
}
