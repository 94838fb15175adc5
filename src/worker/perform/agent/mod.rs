//! Agent: a workspace, a prompt, a process in the sandbox, a packing, the push gate, a commit.

mod ask;
mod finish;
mod ground;
mod hear;
mod instruct;
mod pay;
mod play;
mod preview;
mod talk;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::ask::{ask, logs};
use self::finish::{finish, kept};
use self::ground::{beside, order, place};
use self::instruct::{Guide, Prepared, guide, prepare};
use self::play::{Start, play};
use super::Context;
use super::way_out::WayOut;
use crate::agent::fallback::{Bar, Candidate, Choice, choose};
use crate::agent::outcome::Outcome;
use crate::agent::pick::named;
use crate::agent::profiled::Profiled;
use crate::agent::{Agent, Place, Plain, Reading, Way, candidates, pick};
use crate::git::{Workspace, WorkspaceOrder};
use crate::pipeline::question::Talk;
use crate::pipeline::{Done, Role};
use crate::sandbox::Invocation;
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
    let wanted = context.state.request.agent_of(role);
    let wanted = match pick(agents, wanted, context.policy.agent.as_deref()) {
        Ok(wanted) => wanted,
        Err(why) => return Ok(Done::AgentFailed { why, cost_micros: 0 }),
    };
    let candidates = again_first(context, candidates(agents, &wanted));
    let order = order(context, role, &tips)?;
    let guide = guide(context, &order).await?;
    let mut barred = BTreeMap::new();
    loop {
        let resting = engine.pools().resting(engine.now());
        let (candidate, told) = match choose(&candidates, &barred, &resting) {
            Choice::Agent { candidate, told } => (candidate, told),
            Choice::Nobody { told: why, again: _ } => {
                let done = Done::AgentFailed { why, cost_micros: 0 };
                talk::tidy(context, &done).await?;
                return Ok(done);
            }
        };
        context.stood_in(told);
        match once(context, (role, round), (&order, &guide), candidate).await? {
            Tried::Done(done) => {
                talk::tidy(context, &done).await?;
                preview::tell(context, (&tips, &guide), &done).await?;
                return Ok(done);
            }
            Tried::Barred(bar) => {
                barred.insert(candidate.wanted.clone(), bar);
            }
        }
    }
}

/// Whoever asked something and was answered goes on before anybody else would begin.
fn again_first(context: &Context<'_>, mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    let asked = context.state.work.asked.as_deref();
    if let Some(talk) = asked.and_then(|asked| asked.talk.as_ref()) {
        candidates.sort_by_key(|one| one.wanted.to_string() != talk.agent);
    }
    candidates
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
    (order, guide): (&WorkspaceOrder, &Guide),
    candidate: &Candidate,
) -> Result<Tried, Failure> {
    let git = &context.engine.ports.git;
    let workspace = git.workspace(order).await?;
    let tried = in_workspace(context, asked, (&workspace, guide), candidate).await;
    if let Err(error) = git.discard(workspace).await {
        tracing::warn!(%error, "a workspace was left behind");
    }
    tried
}

async fn in_workspace(
    context: &Context<'_>,
    (role, round): (Role, u32),
    (workspace, guide): (&Workspace, &Guide),
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
    if pays {
        ask.near = purse.spending().await?.near;
    }
    let prepared = match prepare(context, guide, (agent, &candidate.wanted), ask) {
        Ok(prepared) => prepared,
        Err(why) => return Ok(Tried::Done(Done::AgentFailed { why, cost_micros: 0 })),
    };
    let heard = match agent.way() {
        Way::Plain(plain) => {
            let prompt = prepared.whole();
            let reading = run(context, (agent, plain), workspace, (prompt, &purse)).await?;
            Heard::Said(reading, None)
        }
        Way::Profiled(profiled) => {
            let by = By { role, agent, profiled, candidate };
            known(context, by, &prepared, (workspace, &purse)).await?
        }
    };
    if pays {
        paid(context, &purse).await?;
    }
    let (reading, talk) = match heard {
        Heard::Said(reading, talk) => (reading, talk),
        Heard::Barred(bar) => return Ok(Tried::Barred(bar)),
    };
    if let Some(full) = purse.refused() {
        let summary = match reading {
            Reading::Finished { summary, .. } => kept(context, &summary),
            Reading::Failed { .. } => String::new(),
        };
        let done = pay::stopped(context, role, workspace, (full, summary, purse.spent())).await?;
        return Ok(Tried::Done(done));
    }
    finish(context, role, workspace, (reading, purse.spent()), talk).await.map(Tried::Done)
}

/// What an agent said when it ended, with the conversation that can be gone on with; or why
/// another one may do it.
enum Heard {
    Said(Reading, Option<Talk>),
    Barred(Bar),
}

/// A known agent, and as whom it was chosen.
#[derive(Clone, Copy)]
struct By<'a> {
    role: Role,
    agent: &'a Agent,
    profiled: &'a Profiled,
    candidate: &'a Candidate,
}

/// Starts a known agent, or goes on with it, and judges how it ended.
async fn known(
    context: &Context<'_>,
    By { role, agent, profiled, candidate }: By<'_>,
    prepared: &Prepared,
    (workspace, purse): (&Workspace, &Arc<Purse>),
) -> Result<Heard, Failure> {
    let engine = context.engine;
    let resumed = talk::resumed(context, &candidate.wanted, profiled);
    let prompt = match &resumed {
        Some(_) => &prepared.go_on,
        None => &prepared.prompt,
    };
    let stay = match resumed {
        Some(stay) => Some(stay),
        None => talk::begun(context, profiled).await?,
    };
    let entry = stay.as_ref().map(|stay| stay.entry);
    let start = Start {
        role,
        agent,
        profiled,
        wanted: &candidate.wanted,
        prompt,
        system: prepared.system.as_deref(),
        stay,
        place: place(context, workspace),
        env: beside(context, workspace).await?,
    };
    let began = engine.now();
    let outcome = play(context, purse, workspace, start).await?;
    let took = engine.now().since(began);
    if let Some(bar) = engine.ended(candidate, &outcome, took)
        && purse.refused().is_none()
    {
        return Ok(Heard::Barred(bar));
    }
    let (agent, session) = (candidate.wanted.to_string(), outcome.session.as_ref());
    let talk = entry.zip(session).map(|(entry, session)| {
        let session = session.as_str().to_owned();
        Talk { agent, session, entry }
    });
    Ok(Heard::Said(reading(outcome), talk))
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
    let invocation = started(plain, prompt, place, beside(context, workspace).await?);
    pay::calls(purse, plain.calls()).await?;
    let transcript = context.engine.ports.sandbox.run(&invocation, context.cancel).await;
    way.close(context).await;
    Ok(plain.read(&transcript?))
}

/// How such an agent is started; nothing is started by that.
fn started(
    plain: Plain<'_>,
    prompt: String,
    place: Place,
    env: Vec<(String, String)>,
) -> Invocation {
    let mut invocation = plain.invocation(prompt, place);
    invocation.env.extend(env);
    invocation
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
