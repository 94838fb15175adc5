//! A known agent, from its prompt to what it said: begun, or gone on with where it asked something.

use std::sync::Arc;

use serde_json::Value;

use super::super::Context;
use super::ground::{beside, place};
use super::instruct::Prepared;
use super::play::{Start, play};
use super::talk;
use crate::agent::fallback::{Bar, Candidate};
use crate::agent::outcome::Outcome;
use crate::agent::profiled::Profiled;
use crate::agent::{Agent, Reading};
use crate::git::Workspace;
use crate::pipeline::Role;
use crate::pipeline::question::Talk;
use crate::worker::failure::Failure;
use crate::worker::purse::Purse;

/// What an agent said when it ended, with the conversation that can be gone on with; or why
/// another one may do it.
pub(super) enum Heard {
    Said { reading: Reading, structured: Option<Value>, talk: Option<Talk> },
    Barred(Bar),
}

/// A known agent, and as whom it was chosen.
#[derive(Clone, Copy)]
pub(super) struct By<'a> {
    pub(super) asked: (Role, u32),
    pub(super) agent: &'a Agent,
    pub(super) profiled: &'a Profiled,
    pub(super) candidate: &'a Candidate,
}

/// Starts a known agent, or goes on with it, and judges how it ended.
pub(super) async fn known(
    context: &Context<'_>,
    By { asked: (role, round), agent, profiled, candidate }: By<'_>,
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
        round,
        agent,
        profiled,
        wanted: &candidate.wanted,
        prompt,
        system: prepared.system.as_deref(),
        stay,
        key: profiled.key.as_ref(),
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
    let structured = outcome.json();
    Ok(Heard::Said { reading: reading(outcome), structured, talk })
}

/// An outcome as what is read from a transcript; the purse knows what it cost.
fn reading(outcome: Outcome) -> Reading {
    match outcome.class {
        Ok(()) => Reading::Finished { summary: outcome.text, cost_micros: 0 },
        Err(_) => Reading::Failed { why: outcome.why, cost_micros: 0 },
    }
}
