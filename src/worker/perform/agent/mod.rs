//! Agent: a workspace, a prompt, a process in the sandbox, a packing, the push gate, a commit.

mod ask;
mod finish;
mod follow;
mod ground;
mod hear;
mod pay;
mod play;
mod record;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::ask::{ask, logs};
use self::finish::{finish, kept};
use self::follow::Following;
use self::ground::{beside, order, place};
use self::play::{Start, play};
use super::Context;
use super::way_out::WayOut;
use crate::agent::fallback::{Bar, Candidate, Choice, choose};
use crate::agent::outcome::Outcome;
use crate::agent::pick::named;
use crate::agent::{Agent, Place, Plain, Reading, Way, candidates, pick, prompt};
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
        Way::Plain(plain) => {
            run(context, (role, round), (agent, plain), workspace, (prompt, &purse)).await?
        }
        Way::Profiled(profiled) => {
            let start = Start {
                role,
                round,
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

/// Runs an agent that is read when it is over.
async fn run(
    context: &Context<'_>,
    asked: (Role, u32),
    (agent, plain): (&Agent, Plain<'_>),
    workspace: &Workspace,
    (prompt, purse): (String, &Purse),
) -> Result<Reading, Failure> {
    let way = WayOut::open(context, agent).await?;
    let place = Place { doors: way.doors(), ..place(context, workspace) };
    let mut invocation = plain.invocation(prompt, place);
    invocation.env.extend(beside(context, workspace).await?);
    pay::calls(purse, plain.calls()).await?;
    let following = Following::new(context, asked, (&agent.name, None), workspace);
    let running = context.engine.ports.sandbox.run_heard(&invocation, context.cancel, &following);
    let transcript = following.beside(context, None, running).await;
    way.close(context).await;
    following.over(context, transcript.as_ref().ok(), None).await;
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
