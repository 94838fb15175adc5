//! Agent: a workspace, a prompt, a process in the sandbox, a packing, the push gate, a commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::play::{Start, play};
use super::way_out::WayOut;
use super::{Context, pack, pay};
use crate::agent::fallback::{Bar, Candidate, Choice, choose};
use crate::agent::outcome::Outcome;
use crate::agent::pick::named;
use crate::agent::{Agent, Place, Plain, Reading, Way, candidates, pick, prompt, result};
use crate::git::{Message, RESULT_PATH, Workspace, WorkspaceOrder};
use crate::model::{BranchName, CommitSha, text};
use crate::pipeline::state::{Complaint, Progress};
use crate::pipeline::{Done, Level, Role};
use crate::report;
use crate::sandbox::Limits;
use crate::worker::failure::Failure;
use crate::worker::gate::refusal;
use crate::worker::purse::Purse;

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
    let tips = context.refresh().await?;
    let engine = context.engine;
    let agents = &engine.settings.agents;
    let wanted = context.state.request.agent.as_deref();
    let wanted = match pick(agents, wanted, context.policy.agent.as_deref()) {
        Ok(wanted) => wanted,
        Err(why) => return Ok(Done::AgentFailed { why, cost_micros: 0 }),
    };
    let candidates = candidates(agents, &wanted);
    let order = order(context, role, &tips)?;
    let mut barred = BTreeMap::new();
    loop {
        let resting = engine.pools().resting(engine.now());
        let (candidate, told) = match choose(&candidates, &barred, &resting) {
            Choice::Agent { candidate, told } => (candidate, told),
            Choice::Nobody { told: why, again: _ } => {
                return Ok(Done::AgentFailed { why, cost_micros: 0 });
            }
        };
        context.stood_in(told);
        match once(context, (role, round), &order, candidate).await? {
            Tried::Done(done) => return Ok(done),
            Tried::Barred(bar) => {
                barred.insert(candidate.wanted.clone(), bar);
            }
        }
    }
}

/// What came of one agent.
enum Tried {
    Done(Done),
    /// Another one may do it.
    Barred(Bar),
}

async fn once(
    context: &Context<'_>,
    asked: (Role, u32),
    order: &WorkspaceOrder,
    candidate: &Candidate,
) -> Result<Tried, Failure> {
    let git = &context.engine.ports.git;
    let workspace = git.workspace(order).await?;
    let tried = in_workspace(context, asked, &workspace, candidate).await;
    if let Err(error) = git.discard(workspace).await {
        tracing::warn!(%error, "a workspace was left behind");
    }
    tried
}

/// Where the agent begins: on the base, on our head, or on a merge of both. Wherever that is,
/// what steers it is the base branch's.
fn order(
    context: &Context<'_>,
    role: Role,
    tips: &BTreeMap<BranchName, CommitSha>,
) -> Result<WorkspaceOrder, Failure> {
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
        steering: state.work.base.as_ref().and_then(|base| tips.get(base)).cloned(),
    })
}

async fn in_workspace(
    context: &Context<'_>,
    (role, round): (Role, u32),
    workspace: &Workspace,
    candidate: &Candidate,
) -> Result<Tried, Failure> {
    let engine = context.engine;
    let Some(agent) = named(&engine.settings.agents, candidate.wanted.agent()) else {
        return Ok(Tried::Barred(Bar::Missing));
    };
    let purse = Arc::new(engine.purse(context.state, context.policy));
    let pays = match agent.way() {
        Way::Plain(plain) => !plain.calls().is_empty(),
        Way::Profiled(known) => known.provider.is_some() && !known.profile.flat_rate,
    };
    if pays && let Some(full) = purse.full(1).await? {
        context.tell(purse.spending().await?);
        return Ok(Tried::Done(Done::BudgetUsed { full, left: None, cost_micros: 0 }));
    }
    let logs = logs(context, role).await?;
    let mut ask = ask(context, (role, round), logs, workspace);
    ask.hosts = agent.hosts.iter().map(ToString::to_string).collect();
    let prompt = prompt::prompt(&ask);
    let reading = match agent.way() {
        Way::Plain(plain) => run(context, (agent, plain), workspace, (prompt, &purse)).await?,
        Way::Profiled(profiled) => {
            let start = Start {
                role,
                agent,
                profiled,
                wanted: &candidate.wanted,
                prompt: &prompt,
                place: place(context, workspace),
                env: beside(context, workspace).await?,
            };
            let began = engine.now();
            let outcome = play(context, &purse, workspace, start).await?;
            let took = engine.now().since(began);
            if let Some(bar) = engine.ended(candidate, &outcome, took)
                && purse.refused().is_none()
            {
                paid(context, &purse).await?;
                return Ok(Tried::Barred(bar));
            }
            reading(outcome)
        }
    };
    if pays {
        paid(context, &purse).await?;
    }
    if let Some(full) = purse.refused() {
        let summary = match reading {
            Reading::Finished { summary, .. } => kept(context, &summary),
            Reading::Failed { .. } => String::new(),
        };
        let done = pay::stopped(context, role, workspace, (full, summary, purse.spent())).await?;
        return Ok(Tried::Done(done));
    }
    finish(context, role, workspace, (reading, purse.spent())).await.map(Tried::Done)
}

/// Takes what the agent left, as its own words and the purse say it ended.
async fn finish(
    context: &Context<'_>,
    role: Role,
    workspace: &Workspace,
    (reading, spent): (Reading, u64),
) -> Result<Done, Failure> {
    let (summary, cost_micros) = match reading {
        Reading::Finished { summary, cost_micros } => (summary, cost_micros.max(spent)),
        Reading::Failed { why, cost_micros } => {
            let cost_micros = cost_micros.max(spent);
            let leaked = spoken(context, "what the agent said as it failed", &why, cost_micros);
            let why = context.engine.sanitizer.kept(&why);
            return Ok(leaked.unwrap_or(Done::AgentFailed { why, cost_micros }));
        }
    };
    let summary = left(context, workspace).await?.unwrap_or(summary);
    if role == Role::Planner {
        let refused = spoken(context, "the agent's plan", &summary, cost_micros);
        let text = kept(context, &summary);
        return Ok(refused.unwrap_or(Done::Planned { text, cost_micros }));
    }
    commit(context, role, workspace, (summary, cost_micros)).await
}

/// Runs an agent that is read when it is over.
async fn run(
    context: &Context<'_>,
    (agent, plain): (&Agent, Plain<'_>),
    workspace: &Workspace,
    (prompt, purse): (String, &Purse),
) -> Result<Reading, Failure> {
    let way = WayOut::open(context, agent).await?;
    let place = Place { doors: way.doors(), ..place(context, workspace) };
    let mut invocation = plain.invocation(prompt, place);
    invocation.env.extend(beside(context, workspace).await?);
    pay::calls(purse, plain.calls()).await?;
    let transcript = context.engine.ports.sandbox.run(&invocation, context.cancel).await;
    way.close(context).await;
    Ok(plain.read(&transcript?))
}

fn place(context: &Context<'_>, workspace: &Workspace) -> Place {
    let engine = context.engine;
    let can_mask = engine.ports.sandbox.can_mask();
    Place {
        directory: workspace.path.clone(),
        workspace: workspace.key.clone(),
        doors: Vec::new(),
        read_only: workspace.borrowed.clone(),
        masks: if can_mask { workspace.absent.clone() } else { Vec::new() },
        limits: Limits {
            wall_ms_max: u64::from(context.policy.limits.agent_minutes_max) * 60_000,
            output_bytes_max: engine.settings.limits.output_bytes_max,
            ..Limits::default()
        },
    }
}

/// A canary, and where a result may be left.
async fn beside(
    context: &Context<'_>,
    workspace: &Workspace,
) -> Result<Vec<(String, String)>, Failure> {
    let engine = context.engine;
    let result = engine.ports.sandbox.seen(&workspace.path).join(RESULT_PATH);
    let result = (result::VARIABLE.to_owned(), result.to_string_lossy().into_owned());
    Ok(vec![engine.plant(workspace).await?, result])
}

/// Tells metrics and people what a purse paid.
async fn paid(context: &Context<'_>, purse: &Purse) -> Result<(), Failure> {
    context.engine.paid(purse);
    context.tell(purse.spending().await?);
    Ok(())
}

/// An outcome as what is read from a transcript; the purse knows what it cost.
fn reading(outcome: Outcome) -> Reading {
    match outcome.class {
        Ok(()) => Reading::Finished { summary: outcome.text, cost_micros: 0 },
        Err(_) => Reading::Failed { why: outcome.why, cost_micros: 0 },
    }
}

/// What is kept of what an agent says of its work.
fn kept(context: &Context<'_>, words: &str) -> String {
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
pub(super) fn message(context: &Context<'_>, role: Role) -> Message {
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
