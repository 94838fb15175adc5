//! Agent: a workspace, a prompt, a process in the sandbox, a packing, the push gate, a commit.

mod ask;
mod critic;
mod direct;
mod finish;
mod follow;
mod ground;
mod hear;
mod instruct;
mod known;
mod pay;
mod play;
mod preview;
mod record;
mod talk;

use std::sync::Arc;

use self::ask::{ask, logs};
use self::finish::{finish, kept};
use self::follow::Following;
use self::ground::{beside, order, place};
use self::instruct::{Guide, guide, prepare};
use self::known::{By, Heard, known};
use super::Context;
use super::way_out::WayOut;
use crate::agent::fallback::{Bar, Candidate, Choice, choose};
use crate::agent::pick::named;
use crate::agent::{Agent, Place, Plain, Reading, Way, candidates, fit, pick};
use crate::git::{Workspace, WorkspaceOrder};
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
    let agents = &context.engine.settings.agents;
    let wanted = context.state.request.agent_of(role);
    let wanted = match pick(agents, wanted, context.policy.agent.as_deref()) {
        Ok(wanted) => wanted,
        Err(why) => return Ok(Done::AgentFailed { why, cost_micros: 0 }),
    };
    let candidates = again_first(context, candidates(agents, &wanted));
    let order = order(context, role, &tips)?;
    let guide = guide(context, &order).await?;
    let done = in_turn(context, (role, round), (&order, &guide), &candidates).await?;
    talk::tidy(context, &done).await?;
    preview::tell(context, (&tips, &guide), &done).await?;
    Ok(done)
}

/// Asks one after the other, until one of them did it.
async fn in_turn(
    context: &Context<'_>,
    (role, round): (Role, u32),
    (order, guide): (&WorkspaceOrder, &Guide),
    candidates: &[Candidate],
) -> Result<Done, Failure> {
    let engine = context.engine;
    let mut order = order.clone();
    let mut barred = fit::barred(&engine.settings.agents, candidates, role);
    let mut refused = None;
    loop {
        let resting = engine.pools().resting(engine.now());
        let (candidate, told) = match choose(candidates, &barred, &resting) {
            Choice::Agent { candidate, told } => (candidate, told),
            Choice::Nobody { told: why, again: _ } => {
                return Ok(Done::AgentFailed { why, cost_micros: 0 });
            }
        };
        context.stood_in(told);
        let asked = (role, round, refused.as_deref());
        match once(context, asked, (&order, guide), candidate).await? {
            Tried::Done(done) => return Ok(done),
            Tried::Unreadable { done, .. } if refused.is_some() => return Ok(done),
            Tried::Unreadable { why, .. } => refused = Some(why),
            Tried::Barred(bar) => {
                barred.insert(candidate.wanted.clone(), bar);
                // The next one goes on from what this one had made.
                if let Some(left) = &context.told().salvaged {
                    order.at = left.head.clone();
                }
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
    /// It ended well, and what it said has not the form that was asked for.
    Unreadable {
        why: String,
        done: Done,
    },
}

/// Role, round, and why the last answer could not be read.
type Asked<'a> = (Role, u32, Option<&'a str>);

async fn once(
    context: &Context<'_>,
    asked: Asked<'_>,
    (order, guide): (&WorkspaceOrder, &Guide),
    candidate: &Candidate,
) -> Result<Tried, Failure> {
    if let Some(tried) = direct::once(context, asked, (&order.at, guide), candidate).await? {
        return Ok(tried);
    }
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
    (role, round, refused): Asked<'_>,
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
    if pays {
        ask.near = purse.spending().await?.near;
    }
    let prepared = match prepare(context, guide, (agent, &candidate.wanted), ask) {
        Ok(prepared) => prepared,
        Err(why) => return Ok(Tried::Done(Done::AgentFailed { why, cost_micros: 0 })),
    };
    let heard = match agent.way() {
        Way::Direct(_) => return Ok(Tried::Barred(Bar::Missing)),
        Way::Plain(plain) => {
            let (asked, told) = ((role, round), (prepared.whole(), &*purse));
            let reading = run(context, asked, (agent, plain), workspace, told).await?;
            Heard::Said { reading, structured: None, talk: None }
        }
        Way::Profiled(profiled) => {
            let by = By { asked: (role, round), agent, profiled, candidate };
            known(context, by, &prepared, (workspace, &purse)).await?
        }
    };
    if pays {
        paid(context, &purse).await?;
    }
    let (reading, structured, talk) = match heard {
        Heard::Said { reading, structured, talk } => (reading, structured, talk),
        Heard::Barred(bar) => {
            pay::salvage(context, role, workspace).await?;
            return Ok(Tried::Barred(bar));
        }
    };
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
    finish(context, role, workspace, (reading, purse.spent()), talk).await.map(Tried::Done)
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
    let invocation = started(plain, prompt, place, beside(context, workspace).await?);
    pay::calls(purse, plain.calls()).await?;
    let following = Following::new(context, asked, (&agent.name, None), workspace);
    let running = context.engine.ports.sandbox.run_heard(&invocation, context.cancel, &following);
    let transcript = following.beside(context, None, running).await;
    way.close(context).await;
    following.over(context, transcript.as_ref().ok(), None).await;
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
