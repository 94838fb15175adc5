//! Agent: a workspace, a prompt, a process in the sandbox, the push gate, a commit.

use super::way_out::WayOut;
use super::{Context, pay};
use crate::agent::{Place, Reading, pick, prompt};
use crate::git::{Message, Workspace, WorkspaceOrder};
use crate::model::text;
use crate::pipeline::state::{Complaint, Progress};
use crate::pipeline::{Done, Level, Role};
use crate::report;
use crate::sandbox::Limits;
use crate::worker::failure::Failure;
use crate::worker::gate::refusal;

/// Most failing checks whose logs are shown to the fixer.
const LOGS_MAX: usize = 5;
/// What an agent says of its work, in sentences about it.
const SUMMARY: &str = "the agent's summary";
/// Longest text kept of what an agent says of its work, in characters.
const SUMMARY_CHARS_MAX: usize = 4_000;

pub(super) async fn perform(
    context: &Context<'_>,
    role: Role,
    round: u32,
) -> Result<Done, Failure> {
    context.refresh().await?;
    let order = order(context, role)?;
    let git = &context.engine.ports.git;
    let workspace = git.workspace(&order).await?;
    let done = in_workspace(context, role, round, &workspace).await;
    if let Err(error) = git.discard(workspace).await {
        tracing::warn!(%error, "a workspace was left behind");
    }
    done
}

/// Where the agent begins: on the base, on our head, or on a merge of both.
fn order(context: &Context<'_>, role: Role) -> Result<WorkspaceOrder, Failure> {
    let state = context.state;
    let left = state.budget.left().map(|left| &left.head);
    let onto = state.work.onto.as_ref();
    let missing = || Failure::Fault("the run has no commit to begin from".to_owned());
    let (at, merge) = match role {
        Role::Planner | Role::Builder => {
            (left.or(state.work.head.as_ref()).or(onto).ok_or_else(missing)?, None)
        }
        Role::Fixer => (left.map_or_else(|| context.head(), Ok)?, None),
        Role::Resolver => {
            let seen = state.seen.as_deref().ok_or_else(missing)?;
            (context.head()?, Some(seen.base_tip.clone()))
        }
    };
    Ok(WorkspaceOrder {
        repo: state.request.repo.clone(),
        run: state.request.run.clone(),
        name: format!("e{}", state.entry),
        at: at.clone(),
        merge,
    })
}

async fn in_workspace(
    context: &Context<'_>,
    role: Role,
    round: u32,
    workspace: &Workspace,
) -> Result<Done, Failure> {
    let engine = context.engine;
    let wanted = context.state.request.agent.as_deref();
    let agent = match pick(&engine.settings.agents, wanted, context.policy.agent.as_deref()) {
        Ok(agent) => agent,
        Err(why) => return Ok(Done::AgentFailed { why, cost_micros: 0 }),
    };
    let purse = engine.purse(context.state, context.policy);
    let pays = !agent.calls().is_empty();
    if pays && let Some(full) = purse.full(1).await? {
        context.tell(purse.spending().await?);
        return Ok(Done::BudgetUsed { full, left: None, cost_micros: 0 });
    }
    let logs = logs(context, role).await?;
    let mut ask = ask(context, (role, round), logs, workspace);
    ask.hosts = agent.hosts.iter().map(ToString::to_string).collect();
    let way = WayOut::open(context, agent).await?;
    let place = Place {
        directory: workspace.path.clone(),
        workspace: workspace.key.clone(),
        doors: way.doors(),
        limits: Limits {
            wall_ms_max: u64::from(context.policy.limits.agent_minutes_max) * 60_000,
            output_bytes_max: engine.settings.limits.output_bytes_max,
            ..Limits::default()
        },
    };
    let mut invocation = agent.invocation(prompt::prompt(&ask), place);
    invocation.env.push(engine.plant(workspace).await?);
    pay::calls(&purse, agent.calls()).await?;
    let transcript = engine.ports.sandbox.run(&invocation, context.cancel).await;
    way.close(context).await;
    let transcript = transcript?;
    if pays {
        engine.paid(&purse);
        context.tell(purse.spending().await?);
    }
    let reading = agent.read(&transcript);
    if let Some(full) = purse.refused() {
        let summary = match reading {
            Reading::Finished { summary, .. } => text::cut(summary.trim(), SUMMARY_CHARS_MAX),
            Reading::Failed { .. } => String::new(),
        };
        return pay::stopped(context, role, workspace, (full, summary, purse.spent())).await;
    }
    let (summary, cost_micros) = match reading {
        Reading::Finished { summary, cost_micros } => (summary, cost_micros.max(purse.spent())),
        Reading::Failed { why, cost_micros } => {
            let cost_micros = cost_micros.max(purse.spent());
            let leaked = spoken(context, "what the agent said as it failed", &why, cost_micros);
            return Ok(leaked.unwrap_or(Done::AgentFailed { why, cost_micros }));
        }
    };
    let summary = text::cut(summary.trim(), SUMMARY_CHARS_MAX);
    if role == Role::Planner {
        let refused = spoken(context, "the agent's plan", &summary, cost_micros);
        return Ok(refused.unwrap_or(Done::Planned { text: summary, cost_micros }));
    }
    commit(context, role, workspace, (summary, cost_micros)).await
}

/// How the task ends when words alone may not be kept.
fn spoken(context: &Context<'_>, name: &str, words: &str, cost_micros: u64) -> Option<Done> {
    let judgement = context.engine.judge_words(context.policy, &[(name, words)]);
    let done = refusal(judgement, cost_micros)?;
    if matches!(done, Done::Leaked { .. }) {
        return Some(done);
    }
    let why = format!("{name} holds what looks like a secret, so it is not kept");
    Some(Done::AgentFailed { why, cost_micros })
}

/// The ends of the logs of the checks the fixer is asked about.
async fn logs(context: &Context<'_>, role: Role) -> Result<Vec<(String, String)>, Failure> {
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

fn ask<'a>(
    context: &Context<'a>,
    (role, round): (Role, u32),
    logs: Vec<(String, String)>,
    workspace: &Workspace,
) -> prompt::Ask<'a> {
    let request = &context.state.request;
    let work = &context.state.work;
    prompt::Ask {
        role,
        round,
        repo: &request.repo,
        issue: request.issue,
        title: &request.title,
        body: &request.body,
        remarks: request.frozen.as_ref().map_or(&[], |frozen| frozen.remarks.as_slice()),
        is_quoted: request.frozen.as_ref().is_some_and(|frozen| frozen.level == Level::Quote),
        words: &request.words,
        plan: work.plan.as_deref(),
        complaint: work.complaint.as_ref().filter(|_| role == Role::Fixer),
        rejection: work.rejection.as_deref(),
        logs,
        conflicts: workspace.conflicts.clone(),
        protected: context.policy.protected.clone(),
        verify: context.policy.verify.clone(),
        goes_on: context.state.budget.left().is_some(),
        hosts: Vec::new(),
    }
}

async fn commit(
    context: &Context<'_>,
    role: Role,
    workspace: &Workspace,
    (summary, cost_micros): (String, u64),
) -> Result<Done, Failure> {
    let git = &context.engine.ports.git;
    let changes = git.changes(workspace).await?;
    let message = message(context, role);
    let texts = [(SUMMARY, summary.as_str()), ("the commit message", message.text.as_str())];
    let asked = (context.policy, role);
    let judgement = context.engine.judge_attempt(asked, workspace, &changes, &texts);
    if let Some(done) = refusal(judgement, cost_micros) {
        return Ok(done);
    }
    match git.commit(workspace, &message).await? {
        Some(made) => {
            Ok(Done::Changed { head: made.commit, tree: made.tree, summary, cost_micros })
        }
        None => Ok(Done::Unchanged { summary, cost_micros }),
    }
}

/// The same task gives the same commit: its time is when the run came to this phase.
pub(super) fn message(context: &Context<'_>, role: Role) -> Message {
    let state = context.state;
    let since = match &state.progress {
        Progress::Running { since, .. } => *since,
        Progress::Idle | Progress::Finished { .. } => state.request.at,
    };
    let links = context.links();
    let texts = context.report(&links);
    Message {
        text: report::commit_message(&texts, role),
        co_author: report::co_author(&texts),
        at_seconds: since.0.div_euclid(1_000),
    }
}
