//! One start of a known agent: its line to a model, its program in the sandbox, what became of it.

use std::sync::Arc;
use std::time::Duration;

use super::super::Context;
use super::super::way_out::WayOut;
use super::hear::Hearing;
use crate::agent::outcome::{Evidence, Outcome, Upstream, judge};
use crate::agent::profile::{Access, Mode, Task, Thread};
use crate::agent::profiled::Profiled;
use crate::agent::wanted::Wanted;
use crate::agent::{Agent, Place};
use crate::gateway::{self, Caps, Finish, Line, Order, Tally, Unpriced};
use crate::git::Workspace;
use crate::model::Trouble;
use crate::model::budget::UnknownPrice;
use crate::pipeline::Role;
use crate::sandbox::{Door, HOME, Invocation, Transcript};
use crate::worker::failure::Failure;
use crate::worker::purse::{Counter, Purse};

/// Between two looks whether an agent is silent.
const TICK: Duration = Duration::from_secs(1);
/// Calls of its model that an agent may make in one go, where it counts them itself.
const TURNS_MAX: u32 = 500;

/// What an agent is started with.
pub(super) struct Start<'a> {
    pub(super) role: Role,
    pub(super) agent: &'a Agent,
    pub(super) profiled: &'a Profiled,
    pub(super) wanted: &'a Wanted,
    pub(super) prompt: &'a str,
    pub(super) place: Place,
    /// Beside what its profile says.
    pub(super) env: Vec<(String, String)>,
}

/// Starts it, hears it to its end, and judges.
pub(super) async fn play(
    context: &Context<'_>,
    purse: &Arc<Purse>,
    workspace: &Workspace,
    mut start: Start<'_>,
) -> Result<Outcome, Failure> {
    if context.engine.ports.sandbox.protection().level == 0 {
        return Ok(failed(Trouble::Failed, "it needs a sandbox with a home of its own"));
    }
    let line = match open(context, purse, &start).await {
        Ok(line) => line,
        Err(why) => return Ok(failed(Trouble::Auth, &why)),
    };
    let way = WayOut::open(context, start.agent).await?;
    start.place.doors = way.doors();
    let door =
        line.iter().map(|line| Door { port: gateway::PORT, socket: line.socket().to_owned() });
    start.place.doors.extend(door);
    let played = match launch(context, workspace, &start, line.as_deref()) {
        Ok((invocation, hearing)) => Ok(run(context, &invocation, hearing, line.as_deref()).await),
        Err(why) => Err(why),
    };
    way.close(context).await;
    let tally = close(context, line).await;
    match played {
        Ok(played) => {
            let (transcript, hearing) = played?;
            Ok(judged(start.profiled, &transcript, hearing, tally))
        }
        Err(why) => Ok(failed(Trouble::BadRequest, &why)),
    }
}

/// The line to its model; none for an agent that asks no gateway. The error is for people.
async fn open(
    context: &Context<'_>,
    purse: &Arc<Purse>,
    start: &Start<'_>,
) -> Result<Option<Box<dyn Line>>, String> {
    let engine = context.engine;
    let (Some(_), Some(name)) = (start.profiled.profile.wire, &start.profiled.provider) else {
        return Ok(None);
    };
    let found = engine.settings.providers.iter().find(|provider| provider.name == *name);
    let provider = found.ok_or_else(|| format!("there is no provider `{name}`"))?.clone();
    let model = start.profiled.model(start.wanted.model());
    let order = Order {
        name: format!("{} entry {}", context.state.request.run, context.state.entry),
        provider,
        models: model.iter().map(|model| model.as_str().to_owned()).collect(),
        purse: Arc::new(Counter::new(Arc::clone(purse))),
        unpriced: match engine.settings.budget.unknown_price {
            UnknownPrice::Refuse => Unpriced::Refuse,
            UnknownPrice::Allow => Unpriced::Allow,
        },
        caps: Caps::default(),
    };
    engine.ports.gateway.open(&order).await.map(Some).map_err(|error| error.to_string())
}

fn launch(
    context: &Context<'_>,
    workspace: &Workspace,
    start: &Start<'_>,
    line: Option<&dyn Line>,
) -> Result<(Invocation, Hearing), String> {
    let engine = context.engine;
    let profile = &start.profiled.profile;
    let directory = engine.ports.sandbox.seen(&workspace.path);
    let task = Task {
        mode: match start.role {
            Role::Planner if profile.reviews() => Mode::Review,
            Role::Planner | Role::Builder | Role::Fixer | Role::Resolver => Mode::Edit,
        },
        model: start.profiled.model(start.wanted.model()),
        prompt: start.prompt,
        system: None,
        schema: None,
        thread: Thread::Once,
        turns_max: TURNS_MAX,
        access: line.map(|line| Access { port: gateway::PORT, token: line.token() }),
        key: None,
        base: None,
        directory: &directory,
        home: std::path::Path::new(HOME),
        place: start.place.clone(),
    };
    let launch = profile.launch(&task).map_err(|refused| refused.to_string())?;
    let mut invocation = launch.invocation;
    invocation.env.extend(start.env.iter().cloned());
    if !engine.ports.sandbox.can_mask() {
        invocation.masks.clear();
    }
    let stop = context.cancel.child_token();
    let clock = Arc::clone(&engine.ports.clock);
    let (hearing, first) = Hearing::new(profile.dialect, launch.opening, clock, stop);
    invocation.stdin.push_str(&first);
    Ok((invocation, hearing))
}

/// Runs it to its end, and looks now and then whether it is silent.
async fn run(
    context: &Context<'_>,
    invocation: &Invocation,
    hearing: Hearing,
    line: Option<&dyn Line>,
) -> Result<(Transcript, Hearing), Failure> {
    let sandbox = &context.engine.ports.sandbox;
    let stop = hearing.stop();
    let transcript = {
        let running = sandbox.run_heard(invocation, &stop, &hearing);
        tokio::pin!(running);
        loop {
            tokio::select! {
                transcript = &mut running => break transcript?,
                () = tokio::time::sleep(TICK) => {
                    let tally = line.map(Line::tally);
                    hearing.tick(tally.map(|tally| tally.moved_at));
                    hearing.refused(tally.map_or(0, |tally| tally.refused));
                }
            }
        }
    };
    if context.cancel.is_cancelled() {
        return Err(Failure::Unwanted);
    }
    Ok((transcript, hearing))
}

async fn close(context: &Context<'_>, line: Option<Box<dyn Line>>) -> Option<Tally> {
    let tally = line?.close().await;
    let run = context.state.request.run.as_str();
    let (requests, turns, retries) = (tally.requests, tally.turns, tally.retries);
    let (tokens, cost) = (tally.tokens.total(), tally.cost.micros());
    tracing::info!(run, requests, turns, retries, tokens, cost, "the line to a model is closed");
    Some(tally)
}

fn judged(
    profiled: &Profiled,
    transcript: &Transcript,
    hearing: Hearing,
    tally: Option<Tally>,
) -> Outcome {
    let (account, heard, stopped) = hearing.over();
    judge(Evidence {
        account,
        heard,
        end: transcript.end,
        stopped,
        upstream: tally.map(|tally| Upstream {
            trouble: tally.trouble,
            truncated: tally.finish == Some(Finish::Length),
        }),
        stderr: &transcript.stderr,
        changed: None,
        exits: &profiled.profile.exits,
        patterns: &profiled.profile.errors,
    })
}

/// It was not even started.
fn failed(trouble: Trouble, why: &str) -> Outcome {
    Outcome {
        class: Err(trouble),
        why: why.to_owned(),
        text: String::new(),
        structured: None,
        usage: None,
        session: None,
        turns: None,
        heard: crate::agent::dialect::Heard::default(),
    }
}
