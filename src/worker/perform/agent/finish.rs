//! What is taken of what an agent left: its words, a packing, the push gate, a commit.

use super::super::{Context, pack};
use super::pay;
use super::talk::{self, Last};
use crate::agent::{Reading, result};
use crate::git::{Message, Workspace};
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
            let left = pay::keep(context, role, workspace, String::new()).await?;
            let why = context.engine.sanitizer.kept(&why);
            let why = match &left {
                Some(left) => format!("{why}; what it had made is kept as {}", left.head.short()),
                None => why,
            };
            if left.is_some() {
                context.told().salvaged = left;
            }
            return Ok(Done::AgentFailed { why, cost_micros });
        }
    };
    let last = Last { words: summary.clone(), talk, cost_micros };
    if let Some(done) = talk::asked(context, role, workspace, last).await? {
        return Ok(done);
    }
    let summary = left(context, workspace).await?.unwrap_or(summary);
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

/// What the agent left as its summary, when it left any that fits the schema.
async fn left(context: &Context<'_>, workspace: &Workspace) -> Result<Option<String>, Failure> {
    let Some(bytes) = context.engine.ports.git.result(workspace).await? else { return Ok(None) };
    match result::parse(&bytes) {
        Ok(left) => Ok(Some(left.summary).filter(|summary| !summary.trim().is_empty())),
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
    let git = &context.engine.ports.git;
    if let Some(why) = pack::import(context, workspace).await? {
        let why = context.engine.sanitizer.kept(&why);
        return Ok(Done::Rejected { why, cost_micros, violations: Vec::new() });
    }
    let changes = git.changes(workspace).await?;
    let message = message(context, role);
    let texts = [(SUMMARY, summary.as_str()), ("the commit message", message.text.as_str())];
    let asked = (context.policy, role);
    let judgement = context.engine.judge_attempt(asked, workspace, &changes, &texts);
    if let Some(done) = refusal(judgement, cost_micros) {
        return Ok(done);
    }
    // The gate was shown it as it is: a secret that is hidden before is not found.
    let summary = kept(context, &summary);
    match git.commit(workspace, &message).await? {
        Some(made) => {
            Ok(Done::Changed { head: made.commit, tree: made.tree, summary, cost_micros })
        }
        None => Ok(Done::Unchanged { summary, cost_micros }),
    }
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
