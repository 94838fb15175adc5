//! A model that is asked without a program: one prompt with everything in it, one answer in a form,
//! through a line to the gateway like everybody's.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::super::Context;
use super::ask::ask;
use super::finish::{kept, planned};
use super::instruct::{Guide, prepare};
use super::play::{close, failed, line};
use super::{Asked, Tried, critic, paid};
use crate::agent::direct::{Direct, OUTPUT_TOKENS_MAX, PLAN_SCHEMA, SYSTEM, plan};
use crate::agent::fallback::{Bar, Candidate};
use crate::agent::outcome::Outcome;
use crate::agent::pick::named;
use crate::agent::wanted::Model;
use crate::agent::{Way, critique};
use crate::gateway::direct::{self as wire, Question};
use crate::git::FileChange;
use crate::model::{CommitSha, Trouble};
use crate::pipeline::critique::Critique;
use crate::pipeline::{Done, Role};
use crate::worker::failure::Failure;
use crate::worker::purse::Purse;

/// What a model answered, read.
enum Answer {
    Plan(String),
    Review(Critique),
}

/// Asks, when the candidate is a model; `None` when it is a program.
pub(super) async fn once(
    context: &Context<'_>,
    (role, round, _): Asked<'_>,
    (at, guide): (&CommitSha, &Guide),
    candidate: &Candidate,
) -> Result<Option<Tried>, Failure> {
    let engine = context.engine;
    let agent = named(&engine.settings.agents, candidate.wanted.agent());
    let Some((agent, Way::Direct(direct))) = agent.map(|agent| (agent, agent.way())) else {
        return Ok(None);
    };
    let Some(model) = direct.model(candidate.wanted.model()) else {
        return Ok(Some(Tried::Barred(Bar::Missing)));
    };
    let purse = Arc::new(engine.purse(context.state, context.policy));
    if let Some(full) = purse.full(1).await? {
        context.tell(purse.spending().await?);
        let done = Done::BudgetUsed { full, left: None, cost_micros: 0 };
        return Ok(Some(Tried::Done(done)));
    }
    let mut ask = ask(context, (role, round), Vec::new(), Vec::new());
    ask.is_direct = true;
    ask.shown = shown(context, role, at).await?;
    ask.near = purse.spending().await?.near;
    let text = match prepare(context, guide, (agent, &candidate.wanted), ask) {
        Ok(prepared) => prepared.whole(),
        Err(why) => return Ok(Some(Tried::Done(Done::AgentFailed { why, cost_micros: 0 }))),
    };
    let began = engine.now();
    let answered = answer(context, &purse, (direct, model), (role, text)).await?;
    let took = engine.now().since(began);
    let refused = purse.refused();
    let bar = engine.ended(candidate, &outcome(&answered), took).filter(|_| refused.is_none());
    paid(context, &purse).await?;
    if let Some(bar) = bar {
        return Ok(Some(Tried::Barred(bar)));
    }
    let cost_micros = purse.spent();
    if let Some(full) = refused {
        let done = Done::BudgetUsed { full, left: None, cost_micros };
        return Ok(Some(Tried::Done(done)));
    }
    Ok(Some(match answered {
        Ok(Answer::Plan(text)) => Tried::Done(planned(context, &text, cost_micros)),
        Ok(Answer::Review(found)) => critic::taken(context, Ok(found), cost_micros),
        Err(failure) => {
            let why = kept(context, &failure.to_string());
            Tried::Done(Done::AgentFailed { why, cost_micros })
        }
    }))
}

/// What it needs to see: the names of the files, and for a review the change and the files it
/// touches; for a plan, the files the issue names.
async fn shown(
    context: &Context<'_>,
    role: Role,
    at: &CommitSha,
) -> Result<Vec<(&'static str, String)>, Failure> {
    let state = context.state;
    let (repo, git) = (&state.request.repo, &context.engine.ports.git);
    let mut shown = match role {
        Role::Critic => critic::shown(context).await?,
        Role::Planner | Role::Builder | Role::Fixer | Role::Resolver => Vec::new(),
    };
    let wanted: BTreeSet<String> = match (role, state.work.onto.as_ref()) {
        (Role::Critic, Some(onto)) => {
            let changes = git.between(repo, onto, at).await?;
            changes.files.into_iter().filter(FileChange::stays).map(|file| file.path).collect()
        }
        (Role::Planner | Role::Builder | Role::Fixer | Role::Resolver | Role::Critic, _) => {
            named_in(&[&state.request.title, &state.request.body, &state.request.words])
        }
    };
    let sight = git.sight(repo, at, &wanted).await?;
    let mut names = sight.paths.join("\n");
    if sight.truncated {
        names.push_str("\n(there are more)");
    }
    shown.push(("the files of the repository", names));
    for (path, text) in sight.texts {
        shown.push(("a file: its name, and what it holds", format!("{path}\n\n{text}")));
    }
    Ok(shown)
}

/// Whatever could be a path in what was asked; whether it is one, git says.
fn named_in(texts: &[&str]) -> BTreeSet<String> {
    let ends = |c: char| !c.is_alphanumeric() && !"._-/".contains(c);
    let words = texts.iter().flat_map(|text| text.split(ends));
    let words = words.map(|word| word.trim_matches(['.', '-']).trim_start_matches('/'));
    words.filter(|word| word.contains(['.', '/'])).map(str::to_owned).collect()
}

/// One question, and its answer, within the time an agent may take.
async fn answer(
    context: &Context<'_>,
    purse: &Arc<Purse>,
    (direct, model): (&Direct, &Model),
    (role, text): (Role, String),
) -> Result<Result<Answer, wire::Failure>, Failure> {
    let engine = context.engine;
    let line = match line(context, purse, (&direct.provider, Some(model))).await {
        Ok(line) => line,
        Err(words) => return Ok(Err(wire::Failure { trouble: Trouble::Auth, words })),
    };
    let providers = &engine.settings.providers;
    let provider = providers.iter().find(|provider| provider.name == direct.provider);
    let speaks = provider.map(|provider| provider.wire);
    let seconds = u64::from(context.policy.limits.agent_minutes_max) * 60;
    let answered = {
        let asking = async {
            let Some(speaks) = speaks else {
                let words = format!("there is no provider `{}`", direct.provider);
                return Err(wire::Failure { trouble: Trouble::Auth, words });
            };
            let question = question(model, role, text);
            match role {
                Role::Critic => {
                    let head = context.state.work.head.as_ref();
                    let read = |said: &str| match head {
                        Some(head) => critique::parse(said, head),
                        None => Err("there is nothing to review".to_owned()),
                    };
                    let found = wire::ask(line.as_ref(), speaks, &question, read).await;
                    found.map(Answer::Review)
                }
                Role::Planner | Role::Builder | Role::Fixer | Role::Resolver => {
                    let said = wire::ask(line.as_ref(), speaks, &question, plan).await;
                    said.map(Answer::Plan)
                }
            }
        };
        tokio::select! {
            () = context.cancel.cancelled() => None,
            answered = tokio::time::timeout(Duration::from_secs(seconds), asking) => {
                Some(answered.unwrap_or_else(|_over| {
                    let words = "it was still answering at its time limit".to_owned();
                    Err(wire::Failure { trouble: Trouble::Killed, words })
                }))
            }
        }
    };
    close(context, Some(line)).await;
    answered.ok_or(Failure::Unwanted)
}

fn question(model: &Model, role: Role, text: String) -> Question {
    let (name, schema) = match role {
        Role::Critic => ("review", critique::SCHEMA),
        Role::Planner | Role::Builder | Role::Fixer | Role::Resolver => ("plan", PLAN_SCHEMA),
    };
    // Our own text, which a test reads.
    let schema = serde_json::from_str(schema).unwrap_or(Value::Null);
    Question {
        model: model.as_str().to_owned(),
        system: SYSTEM.to_owned(),
        text,
        form: (name, schema),
        output_max: OUTPUT_TOKENS_MAX,
    }
}

/// How it ended, for the pool it shares.
fn outcome(answered: &Result<Answer, wire::Failure>) -> Outcome {
    match answered {
        Ok(_) => Outcome { class: Ok(()), ..failed(Trouble::Failed, "") },
        Err(failure) => failed(failure.trouble, &failure.words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_somebody_names_are_looked_for() {
        let found = named_in(&["Fix `src/a.rs`, and (README.md).", "see /docs/x-y.md: or not."]);
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(found, ["README.md", "docs/x-y.md", "src/a.rs"]);
    }
}
