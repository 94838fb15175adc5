//! One start of a known agent: its line to a model, its program in the sandbox, what became of it.

use std::sync::Arc;
use std::time::Duration;

use super::super::Context;
use super::super::way_out::WayOut;
use super::follow::Following;
use super::hear::Hearing;
use super::talk::Stay;
use crate::agent::outcome::{Evidence, Outcome, Upstream, judge};
use crate::agent::profile::{Access, Launch, Mode, Task, Thread};
use crate::agent::profiled::Profiled;
use crate::agent::wanted::{Model, Wanted};
use crate::agent::{Agent, Place, critique};
use crate::gateway::{self, Caps, Finish, Line, Order, Tally, Unpriced};
use crate::git::Workspace;
use crate::model::budget::UnknownPrice;
use crate::model::{CommitSha, Secret, Trouble};
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
    pub(super) round: u32,
    pub(super) agent: &'a Agent,
    pub(super) profiled: &'a Profiled,
    pub(super) wanted: &'a Wanted,
    pub(super) prompt: &'a str,
    /// The home that stays, where one does.
    pub(super) stay: Option<Stay>,
    /// What the repository tells whoever works on it.
    pub(super) system: Option<&'a str>,
    /// A key of its own, where it asks its house by itself.
    pub(super) key: Option<&'a Secret>,
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
    let named = named(&start);
    let who = (named.as_str(), Some(start.profiled.profile.dialect));
    let asked = (start.role, start.round);
    let following = Arc::new(Following::new(context, asked, who, workspace));
    let played = match launch(context, workspace, &start, (line.as_deref(), &following)) {
        Ok((invocation, hearing)) => {
            let running = run(context, &invocation, hearing, line.as_deref());
            Ok(following.beside(context, line.as_deref(), running).await)
        }
        Err(why) => Err(why),
    };
    way.close(context).await;
    let tally = close(context, line).await;
    let transcript = played.as_ref().ok().and_then(|played| played.as_ref().ok());
    following.over(context, transcript.map(|(transcript, _)| transcript), tally).await;
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
    let (Some(_), Some(name)) = (start.profiled.profile.wire, &start.profiled.provider) else {
        return Ok(None);
    };
    let model = start.profiled.model(start.wanted.model());
    line(context, purse, (name, model)).await.map(Some)
}

/// A line to one model of a provider. The error is for people.
pub(super) async fn line(
    context: &Context<'_>,
    purse: &Arc<Purse>,
    (name, model): (&str, Option<&Model>),
) -> Result<Box<dyn Line>, String> {
    let engine = context.engine;
    let found = engine.settings.providers.iter().find(|provider| provider.name == name);
    let provider = found.ok_or_else(|| format!("there is no provider `{name}`"))?.clone();
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
    engine.ports.gateway.open(&order).await.map_err(|error| error.to_string())
}

fn launch(
    context: &Context<'_>,
    workspace: &Workspace,
    start: &Start<'_>,
    (line, following): (Option<&dyn Line>, &Arc<Following>),
) -> Result<(Invocation, Hearing), String> {
    let engine = context.engine;
    let launch = prepared(context, workspace, start, line.map(Line::token))?;
    let mut invocation = launch.invocation;
    let stop = context.cancel.child_token();
    let clock = Arc::clone(&engine.ports.clock);
    let dialect = start.profiled.profile.dialect;
    let following = Arc::clone(following);
    let (hearing, first) = Hearing::new(dialect, launch.opening, following, clock, stop);
    invocation.stdin.push_str(&first);
    Ok((invocation, hearing))
}

/// How it is started, with this token in the place of a key; nothing is started by that.
pub(super) fn prepared(
    context: &Context<'_>,
    workspace: &Workspace,
    start: &Start<'_>,
    token: Option<&Secret>,
) -> Result<Launch, String> {
    let engine = context.engine;
    let profile = &start.profiled.profile;
    let directory = engine.ports.sandbox.seen(&workspace.path);
    let task = Task {
        mode: match start.role {
            Role::Planner | Role::Critic if profile.reviews() => Mode::Review,
            Role::Planner | Role::Builder | Role::Fixer | Role::Resolver | Role::Critic => {
                Mode::Edit
            }
        },
        model: start.profiled.model(start.wanted.model()),
        prompt: start.prompt,
        system: start.system,
        schema: (start.role == Role::Critic).then_some(critique::SCHEMA),
        thread: start.stay.as_ref().map_or(Thread::Once, |stay| stay.thread.clone()),
        turns_max: TURNS_MAX,
        access: token.map(|token| Access { port: gateway::PORT, token }),
        key: start.key,
        base: context.state.work.onto.as_ref().map(CommitSha::as_str),
        directory: &directory,
        home: std::path::Path::new(HOME),
        place: start.place.clone(),
    };
    let mut launch = profile.launch(&task).map_err(|refused| refused.to_string())?;
    launch.invocation.env.extend(start.env.iter().cloned());
    if let (Some(stay), Some(homes)) = (&start.stay, &engine.settings.homes) {
        let home = homes.path(&context.state.request.run, stay.entry);
        launch.invocation.home.kept = Some(home);
    }
    if !engine.ports.sandbox.can_mask() {
        launch.invocation.masks.clear();
    }
    Ok(launch)
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

/// Its name, with the model it asks where that is known.
fn named(start: &Start<'_>) -> String {
    match start.profiled.model(start.wanted.model()) {
        Some(model) => format!("{}:{}", start.agent.name, model.as_str()),
        None => start.agent.name.clone(),
    }
}

pub(super) async fn close(context: &Context<'_>, line: Option<Box<dyn Line>>) -> Option<Tally> {
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
pub(super) fn failed(trouble: Trouble, why: &str) -> Outcome {
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
