//! What a dry run shows beside its plan: the builder, prepared by what starts it and not started.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::super::Context;
use super::ask::ask;
use super::ground::{order, place, result_place};
use super::instruct::{Guide, prepare};
use super::play::{Start, prepared};
use super::{started, talk};
use crate::agent::fallback::{Candidate, Choice, choose};
use crate::agent::pick::named;
use crate::agent::profiled::Profiled;
use crate::agent::{Agent, Way, candidates, pick};
use crate::git::Workspace;
use crate::model::{BranchName, CommitSha, Secret};
use crate::pipeline::preview::{HIDDEN, Preview, TOKEN};
use crate::pipeline::{Done, Role};
use crate::sandbox::{Door, Invocation, Limits};
use crate::worker::canary;
use crate::worker::failure::Failure;
use crate::{egress, gateway};

/// Beside the plan of a dry run, tells how the change would be asked for.
pub(super) async fn tell(
    context: &Context<'_>,
    (tips, guide): (&BTreeMap<BranchName, CommitSha>, &Guide),
    done: &Done,
) -> Result<(), Failure> {
    let request = &context.state.request;
    let Done::Planned { text: plan, .. } = done else { return Ok(()) };
    if !request.dry_run {
        return Ok(());
    }
    let engine = context.engine;
    let agents = &engine.settings.agents;
    let wanted = request.agent_of(Role::Builder);
    let preview = match pick(agents, wanted, context.policy.agent.as_deref()) {
        Ok(wanted) => {
            let candidates = candidates(agents, &wanted);
            let order = order(context, Role::Builder, tips)?;
            match engine.ports.git.workspace(&order).await {
                Ok(workspace) => {
                    let preview = preview(context, &candidates, (&workspace, guide), plan);
                    if let Err(error) = engine.ports.git.discard(workspace).await {
                        tracing::warn!(%error, "a workspace was left behind");
                    }
                    preview
                }
                // The plan is paid for, and is not made again for this.
                Err(error) => Preview::refused(wanted.to_string(), error.to_string()),
            }
        }
        Err(why) => Preview::refused(wanted.unwrap_or_default().to_owned(), why),
    };
    let preview = preview.kept(&|text| engine.sanitizer.kept(text));
    context.told().preview = Some(Arc::new(preview));
    Ok(())
}

fn preview(
    context: &Context<'_>,
    candidates: &[Candidate],
    (workspace, guide): (&Workspace, &Guide),
    plan: &str,
) -> Preview {
    let engine = context.engine;
    let resting = engine.pools().resting(engine.now());
    let first = match choose(candidates, &BTreeMap::new(), &resting) {
        Choice::Agent { candidate, .. } => Some(candidate),
        Choice::Nobody { .. } => candidates.first(),
    };
    let agent = first.and_then(|first| named(&engine.settings.agents, first.wanted.agent()));
    let (Some(first), Some(agent)) = (first, agent) else {
        return Preview::refused(String::new(), "no agent is declared for it".to_owned());
    };
    let name = first.wanted.to_string();
    let others = candidates.iter().filter(|other| other.wanted != first.wanted);
    let fallbacks = others.map(|other| other.wanted.to_string()).collect();
    let mut ask = ask(context, (Role::Builder, 1), Vec::new(), workspace.conflicts.clone());
    ask.plan = Some(plan);
    let told = match prepare(context, guide, (agent, &first.wanted), ask) {
        Ok(told) => told,
        Err(why) => return Preview::refused(name, why),
    };
    let env =
        vec![(canary::VARIABLE.to_owned(), HIDDEN.to_owned()), result_place(context, workspace)];
    let hidden = Secret::new(HIDDEN);
    let mut place = place(context, workspace);
    place.doors = doors(agent);
    let (invocation, prompt) = match agent.way() {
        Way::Direct(_) => {
            let why = "it edits nothing, so it cannot make the change".to_owned();
            return Preview::refused(name, why);
        }
        Way::Plain(one) => (started(one, told.whole(), place, env), String::new()),
        Way::Profiled(profiled) => {
            if engine.ports.sandbox.protection().level == 0 {
                let why = "it needs a sandbox with a home of its own".to_owned();
                return Preview::refused(name, why);
            }
            let start = Start {
                role: Role::Builder,
                round: 1,
                agent,
                profiled,
                wanted: &first.wanted,
                prompt: &told.prompt,
                system: told.system.as_deref(),
                stay: talk::shown(context, profiled),
                key: profiled.key.as_ref().map(|_| &hidden),
                place,
                env,
            };
            let token = Secret::new(TOKEN);
            let token = asks_a_gateway(profiled).then_some(&token);
            match prepared(context, workspace, &start, token) {
                Ok(launch) => (launch.invocation, launch.opening.prompt),
                Err(why) => return Preview::refused(name, why),
            }
        }
    };
    shown(context, agent, (invocation, prompt), (name, fallbacks))
}

fn asks_a_gateway(profiled: &Profiled) -> bool {
    profiled.profile.wire.is_some() && profiled.provider.is_some()
}

/// The ways out it would be lent; nothing is behind them.
fn doors(agent: &Agent) -> Vec<Door> {
    let gateway = match agent.way() {
        Way::Plain(_) | Way::Direct(_) => false,
        Way::Profiled(profiled) => asks_a_gateway(profiled),
    };
    let ports = [(!agent.hosts.is_empty(), egress::PORT), (gateway, gateway::PORT)];
    let lent = ports.into_iter().filter(|(lent, _)| *lent);
    lent.map(|(_, port)| Door { port, socket: PathBuf::new() }).collect()
}

fn shown(
    context: &Context<'_>,
    agent: &Agent,
    (invocation, prompt): (Invocation, String),
    (name, fallbacks): (String, Vec<String>),
) -> Preview {
    let seen = context.engine.ports.sandbox.seen(&invocation.directory);
    let door = |door: &Door| match door.port {
        egress::PORT => format!("{}: a proxy to the hosts", door.port),
        port => format!("{port}: the gateway to its model"),
    };
    Preview {
        agent: name,
        fallbacks,
        refused: None,
        argv: [invocation.program].into_iter().chain(invocation.args).collect(),
        env: invocation.env,
        directory: seen.to_string_lossy().into_owned(),
        files: invocation.home.files.into_iter().map(|file| (file.path, file.text)).collect(),
        masks: invocation.masks,
        hosts: agent.hosts.iter().map(ToString::to_string).collect(),
        doors: invocation.doors.iter().map(door).collect(),
        limits: limits(&invocation.limits),
        prompt: if invocation.stdin.is_empty() { prompt } else { invocation.stdin },
    }
}

fn limits(limits: &Limits) -> Vec<String> {
    let mib = |bytes: u64| bytes >> 20;
    vec![
        format!("{} minutes", limits.wall_ms_max / 60_000),
        format!("{} minutes without a word", limits.idle_ms_max / 60_000),
        format!("{} MiB of memory", mib(limits.memory_bytes_max)),
        format!("{} processes", limits.pids_max),
        format!("{} MiB on disk", mib(limits.disk_bytes_max)),
    ]
}
