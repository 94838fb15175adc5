//! What is taken of what an agent left: its words, a packing, the push gate, a commit.

use super::super::{Context, pack};
use super::pay;
use super::talk::{self, Last};
use crate::agent::Reading;
use crate::agent::result::{self, Left};
use crate::git::{Committed, Message, Workspace};
use crate::model::text;
use crate::pipeline::question::Talk;
use crate::pipeline::state::Progress;
use crate::pipeline::{Done, Role};
use crate::report;
use crate::worker::failure::Failure;
use crate::worker::gate::refusal;

/// What an agent says of its work, in sentences about it.
const SUMMARY: &str = "the agent's summary";

/// Longest text kept of what an agent says of its work, in characters.
const SUMMARY_CHARS_MAX: usize = 4_000;

/// Takes what the agent left, as its own words and the purse say it ended.
pub(super) async fn finish(
    context: &Context<'_>,
    role: Role,
    workspace: &Workspace,
    (reading, spent): (Reading, u64),
    talk: Option<Talk>,
) -> Result<Done, Failure> {
    let (summary, cost_micros) = match reading {
        Reading::Finished { summary, cost_micros } => (summary, cost_micros.max(spent)),
        Reading::Failed { why, cost_micros } => {
            let cost_micros = cost_micros.max(spent);
            let leaked = spoken(context, "what the agent said as it failed", &why, cost_micros);
            if let Some(leaked) = leaked {
                return Ok(leaked);
            }
            let head = pay::salvage(context, role, workspace).await?;
            let why = context.engine.sanitizer.kept(&why);
            let why = match head {
                Some(head) => format!("{why}; what it had made is kept as {}", head.short()),
                None => why,
            };
            return Ok(Done::AgentFailed { why, cost_micros });
        }
    };
    let left = left(context, workspace, &summary).await?.unwrap_or_default();
    let last = Last { words: summary.clone(), question: left.question, talk, cost_micros };
    if let Some(done) = talk::asked(context, role, workspace, last).await? {
        return Ok(done);
    }
    let summary = if left.summary.trim().is_empty() { summary } else { left.summary };
    if role == Role::Planner {
        return Ok(planned(context, &summary, cost_micros));
    }
    commit(context, role, workspace, (summary, cost_micros)).await
}

/// A plan, if its words may be kept.
pub(super) fn planned(context: &Context<'_>, plan: &str, cost_micros: u64) -> Done {
    let refused = spoken(context, "the agent's plan", plan, cost_micros);
    let text = kept(context, plan);
    refused.unwrap_or(Done::Planned { text, cost_micros })
}

/// What is kept of what an agent says of its work.
pub(super) fn kept(context: &Context<'_>, words: &str) -> String {
    text::cut(&context.engine.sanitizer.kept(words.trim()), SUMMARY_CHARS_MAX)
}

/// What the agent left as its result, when it left any that fits the schema. Where it left none,
/// its words may be a question in that form, and nothing else.
async fn left(
    context: &Context<'_>,
    workspace: &Workspace,
    words: &str,
) -> Result<Option<Left>, Failure> {
    let Some(bytes) = context.engine.ports.git.result(workspace).await? else {
        let asked = result::parse(words.trim().as_bytes()).ok();
        return Ok(asked.map(|left| Left { summary: String::new(), ..left }));
    };
    match result::parse(&bytes) {
        Ok(left) => Ok(Some(left)),
        Err(why) => {
            tracing::warn!(workspace = workspace.key, why, "a result is not taken");
            Ok(None)
        }
    }
}

/// How the task ends when words alone may not be kept.
pub(super) fn spoken(
    context: &Context<'_>,
    name: &str,
    words: &str,
    cost_micros: u64,
) -> Option<Done> {
    let judgement = context.engine.judge_words(context.policy, &[(name, words)]);
    let done = refusal(judgement, cost_micros)?;
    if matches!(done, Done::Leaked { .. }) {
        return Some(done);
    }
    let why = format!("{name} holds what looks like a secret, so it is not kept");
    Some(Done::AgentFailed { why, cost_micros })
}

async fn commit(
    context: &Context<'_>,
    role: Role,
    workspace: &Workspace,
    (summary, cost_micros): (String, u64),
) -> Result<Done, Failure> {
    let made = match attempt(context, role, workspace, (&summary, cost_micros)).await? {
        Ok(made) => made,
        Err(refused) => return Ok(refused),
    };
    // The gate was shown it as it is: a secret that is hidden before is not found.
    let summary = kept(context, &summary);
    Ok(match made {
        Some(made) => Done::Changed { head: made.commit, tree: made.tree, summary, cost_micros },
        None => Done::Unchanged { summary, cost_micros },
    })
}

/// Packs what was made, asks the push gate, and commits it; `None` when nothing changed. The
/// inner error is how the task ends when it may not be kept.
pub(super) async fn attempt(
    context: &Context<'_>,
    role: Role,
    workspace: &Workspace,
    (summary, cost_micros): (&str, u64),
) -> Result<Result<Option<Committed>, Done>, Failure> {
    let git = &context.engine.ports.git;
    if let Some(why) = pack::import(context, workspace).await? {
        let why = context.engine.sanitizer.kept(&why);
        return Ok(Err(Done::Rejected { why, cost_micros, violations: Vec::new() }));
    }
    let changes = git.changes(workspace).await?;
    let message = message(context, role);
    let texts = [(SUMMARY, summary), ("the commit message", message.text.as_str())];
    let asked = (context.policy, role);
    let judgement = context.engine.judge_attempt(asked, workspace, &changes, &texts);
    if let Some(refused) = refusal(judgement, cost_micros) {
        return Ok(Err(refused));
    }
    Ok(Ok(git.commit(workspace, &message).await?))
}

/// The same task gives the same commit: its time is when the run came to this phase.
pub(in crate::worker::perform) fn message(context: &Context<'_>, role: Role) -> Message {
    let state = context.state;
    let since = match &state.progress {
        Progress::Running { since, .. } => *since,
        Progress::Idle | Progress::Finished { .. } => state.request.at,
    };
    let links = context.links();
    let texts = context.report(&links);
    Message {
        text: context.engine.sanitizer.text(&report::commit_message(&texts, role)),
        co_author: report::co_author(&texts).map(|who| context.engine.sanitizer.text(&who)),
        at_seconds: since.0.div_euclid(1_000),
    }
}
