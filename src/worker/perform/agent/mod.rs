//! Agent: a workspace, a prompt, a process in the sandbox, a packing, the push gate, a commit.

mod ask;
mod critic;
mod direct;
mod finish;
mod ground;
mod hear;
mod pay;
mod play;

use std::sync::Arc;

use self::ask::{ask, logs};
use self::finish::{finish, kept};
use self::ground::{beside, order, place};
use self::play::{Start, play};
use super::Context;
use super::way_out::WayOut;
use crate::agent::fallback::{Bar, Candidate, Choice, choose};
use crate::agent::outcome::Outcome;
use crate::agent::pick::named;
use crate::agent::{Agent, Place, Plain, Reading, Way, candidates, fit, pick, prompt};
use crate::git::{Workspace, WorkspaceOrder};
use crate::pipeline::{Done, Role};
use crate::worker::failure::Failure;
use crate::worker::purse::Purse;

pub(super) use self::finish::message;

pub(super) async fn perform(
    context: &Context<'_>,
    role: Role,
    round: u32,
) -> Result<Done, Failure> {
    let tips = context.refresh().await?;
    let engine = context.engine;
    let agents = &engine.settings.agents;
    let (wanted, policy) = choice(context, role);
    let wanted = match pick(agents, wanted, policy) {
        Ok(wanted) => wanted,
        Err(why) => return Ok(Done::AgentFailed { why, cost_micros: 0 }),
    };
    let candidates = candidates(agents, &wanted);
    let order = order(context, role, &tips)?;
    let mut barred = fit::barred(agents, &candidates, role);
    let mut refused = None;
    loop {
        let resting = engine.pools().resting(engine.now());
        let (candidate, told) = match choose(&candidates, &barred, &resting) {
            Choice::Agent { candidate, told } => (candidate, told),
            Choice::Nobody { told: why, again: _ } => {
                return Ok(Done::AgentFailed { why, cost_micros: 0 });
            }
        };
        context.stood_in(told);
        match once(context, (role, round, refused.as_deref()), &order, candidate).await? {
            Tried::Done(done) => return Ok(done),
            Tried::Unreadable { done, .. } if refused.is_some() => return Ok(done),
            Tried::Unreadable { why, .. } => refused = Some(why),
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
    /// It ended well, and what it said has not the form that was asked for.
    Unreadable { why: String, done: Done },
}

/// Role, round, and why the last answer could not be read.
type Asked<'a> = (Role, u32, Option<&'a str>);

/// Which agent the request and the policy name; that of a stage goes before that of the run.
/// Whoever made the change does not choose who reviews it.
fn choice<'a>(context: &Context<'a>, role: Role) -> (Option<&'a str>, Option<&'a str>) {
    let (agents, policy) = (&context.policy.agents, context.policy.agent.as_deref());
    let of_stage = match role {
        Role::Planner => agents.plan.as_deref(),
        Role::Builder => agents.build.as_deref(),
        Role::Fixer => agents.fix.as_deref(),
        Role::Resolver => agents.resolve.as_deref(),
        Role::Critic => agents.critique.as_deref(),
    };
    match of_stage {
        Some(named) => (None, Some(named)),
        None => (context.state.request.agent.as_deref(), policy),
    }
}

async fn once(
    context: &Context<'_>,
    asked: Asked<'_>,
    order: &WorkspaceOrder,
    candidate: &Candidate,
) -> Result<Tried, Failure> {
    if let Some(tried) = direct::once(context, asked, &order.at, candidate).await? {
        return Ok(tried);
    }
    let git = &context.engine.ports.git;
    let workspace = git.workspace(order).await?;
    let tried = in_workspace(context, asked, &workspace, candidate).await;
    if let Err(error) = git.discard(workspace).await {
        tracing::warn!(%error, "a workspace was left behind");
    }
    tried
}

async fn in_workspace(
    context: &Context<'_>,
    (role, round, refused): Asked<'_>,
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
        Way::Direct(_) => true,
    };
    if pays && let Some(full) = purse.full(1).await? {
        context.tell(purse.spending().await?);
        return Ok(Tried::Done(Done::BudgetUsed { full, left: None, cost_micros: 0 }));
    }
    let logs = logs(context, role).await?;
    let mut ask = ask(context, (role, round), logs, workspace.conflicts.clone());
    if role == Role::Critic {
        ask.rejection = refused;
        ask.shown = critic::shown(context).await?;
    }
    ask.hosts = agent.hosts.iter().map(ToString::to_string).collect();
    let prompt = prompt::prompt(&ask);
    let mut structured = None;
    let reading = match agent.way() {
        Way::Direct(_) => return Ok(Tried::Barred(Bar::Missing)),
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
            structured = outcome.json();
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
    if role == Role::Critic {
        return critic::finish(context, workspace, (reading, structured, purse.spent())).await;
    }
    finish(context, role, workspace, (reading, purse.spent())).await.map(Tried::Done)
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
