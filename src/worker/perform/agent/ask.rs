//! What an agent is asked: everything its prompt is made of.

use super::super::Context;
use crate::agent::prompt;
use crate::pipeline::state::Complaint;
use crate::pipeline::{Level, Role};
use crate::worker::failure::Failure;

/// Most failing checks whose logs are shown to the fixer.
const LOGS_MAX: usize = 5;

pub(super) fn ask<'a>(
    context: &Context<'a>,
    (role, round): (Role, u32),
    logs: Vec<(String, String)>,
    conflicts: Vec<String>,
) -> prompt::Ask<'a> {
    let request = &context.state.request;
    let work = &context.state.work;
    let level = request.frozen.as_ref().map_or(Level::Quote, |frozen| frozen.level);
    prompt::Ask {
        role,
        round,
        repo: &request.repo,
        run: &request.run,
        issue: request.issue,
        title: &request.title,
        body: &request.body,
        issue_from: prompt::Source::of(level),
        remarks: request.frozen.as_ref().map_or(&[], |frozen| frozen.remarks.as_slice()),
        words: &request.words,
        words_from: prompt::Source { level: 2, author: Some(request.by.id) },
        plan: work.plan.as_deref(),
        complaint: work.complaint.as_ref().filter(|_| role == Role::Fixer),
        rejection: work.rejection.as_deref(),
        logs,
        conflicts,
        protected: context.policy.protected.clone(),
        verify: context.policy.verify.clone(),
        goes_on: context.state.left().is_some() || context.told().salvaged.is_some(),
        hosts: Vec::new(),
        questions_left: super::talk::questions_left(context),
        answers: work.answered(),
        did: work.asked.as_deref().map_or("", |asked| asked.did.as_str()),
        voice: prompt::Voice::default(),
        near: None,
        shown: Vec::new(),
        is_direct: false,
    }
}

/// The ends of the logs of the checks the fixer is asked about.
pub(super) async fn logs(
    context: &Context<'_>,
    role: Role,
) -> Result<Vec<(String, String)>, Failure> {
    let mut logs = Vec::new();
    let Some(Complaint::Checks { failed }) = &context.state.work.complaint else {
        return Ok(logs);
    };
    if role != Role::Fixer {
        return Ok(logs);
    }
    for check in failed.iter().take(LOGS_MAX) {
        if let Some(id) = check.id {
            let log = context.engine.ports.github.check_log(&context.at, id).await?;
            logs.push((check.name.clone(), log));
        }
    }
    Ok(logs)
}
