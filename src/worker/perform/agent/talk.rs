//! Conversations that are gone on with: the home an agent had, and the session in it. What an
//! agent asks, and what becomes of its home afterwards.

use sha2::{Digest, Sha256};

use super::super::Context;
use super::finish::{kept, spoken};
use super::pay;
use crate::agent::event::Session;
use crate::agent::profile::Thread;
use crate::agent::profiled::Profiled;
use crate::agent::wanted::Wanted;
use crate::git::Workspace;
use crate::model::text;
use crate::pipeline::question::{DID_CHARS_MAX, QUESTION_CHARS_MAX, Talk};
use crate::pipeline::{Done, Role};
use crate::worker::failure::Failure;

/// What a dry run shows for the name of a conversation.
const SHOWN: &str = "name-of-the-conversation";

/// The home of a start that may be gone on with, and how it begins.
#[derive(Debug, Clone)]
pub(super) struct Stay {
    /// The task under which the home was begun.
    pub(super) entry: u32,
    pub(super) thread: Thread,
}

/// What an agent said when it ended.
#[derive(Debug, Clone, Default)]
pub(super) struct Last {
    pub(super) words: String,
    /// What its result, or its words in that form, asks; empty where it asks nothing.
    pub(super) question: String,
    pub(super) talk: Option<Talk>,
    pub(super) cost_micros: u64,
}

/// Questions agents may still ask.
pub(super) fn questions_left(context: &Context<'_>) -> u32 {
    context.policy.limits.questions_max.saturating_sub(context.state.work.questions())
}

/// The conversation this agent can go on with: it is its own, it was answered, and its home is
/// still here.
pub(super) fn resumed(context: &Context<'_>, wanted: &Wanted, profiled: &Profiled) -> Option<Stay> {
    let homes = context.engine.settings.homes.as_ref()?;
    let asked = context.state.work.asked.as_deref().filter(|asked| asked.reply.is_some())?;
    let talk = asked.talk.as_ref().filter(|talk| talk.agent == wanted.to_string())?;
    let session = Session::parse(&talk.session)?;
    let here = homes.exists(&context.state.request.run, talk.entry);
    (here && profiled.profile.resumes())
        .then_some(Stay { entry: talk.entry, thread: Thread::Resume(session) })
}

/// A home that stays, where the agent may ask something and can be gone on with.
pub(super) async fn begun(
    context: &Context<'_>,
    profiled: &Profiled,
) -> Result<Option<Stay>, Failure> {
    if !may_stay(context, profiled) {
        return Ok(None);
    }
    let entry = context.state.entry;
    // What an attempt of this very task left that was broken off.
    forget(context, entry).await?;
    let thread = session(context, entry).map_or(Thread::Once, Thread::New);
    Ok(Some(Stay { entry, thread }))
}

/// How it would begin: its conversation has no name yet.
pub(super) fn shown(context: &Context<'_>, profiled: &Profiled) -> Option<Stay> {
    if !may_stay(context, profiled) {
        return None;
    }
    let thread = Session::parse(SHOWN).map_or(Thread::Once, Thread::New);
    Some(Stay { entry: context.state.entry, thread })
}

/// Whether the agent may ask something and can be gone on with.
fn may_stay(context: &Context<'_>, profiled: &Profiled) -> bool {
    let homes = context.engine.settings.homes.is_some();
    homes && questions_left(context) > 0 && profiled.profile.resumes()
}

/// A name for a conversation, in the form of a UUID: some agents ask for that.
fn session(context: &Context<'_>, entry: u32) -> Option<Session> {
    let named = format!("{}\n{entry}", context.state.request.run);
    let digest = hex::encode(Sha256::digest(named));
    let mut parts = [(0, 8), (8, 12), (13, 16), (17, 20), (20, 32)].into_iter();
    let mut next = || parts.next().and_then(|(from, to)| digest.get(from..to));
    // Of version 4 and variant 8, as a random one would be.
    let first = format!("{}-{}-4{}", next()?, next()?, next()?);
    Session::parse(&format!("{first}-8{}-{}", next()?, next()?))
}

/// What the agent asks: in the file for it, in the result it left, or as its only words.
pub(super) async fn asked(
    context: &Context<'_>,
    role: Role,
    workspace: &Workspace,
    last: Last,
) -> Result<Option<Done>, Failure> {
    let Some(text) = question(context, workspace, &last.question).await? else { return Ok(None) };
    let cost_micros = last.cost_micros;
    if let Some(refused) = spoken(context, "the agent's question", &text, cost_micros) {
        return Ok(Some(refused));
    }
    let sanitizer = &context.engine.sanitizer;
    let text = text::cut(&sanitizer.kept(text.trim()), QUESTION_CHARS_MAX);
    let did = text::cut(&sanitizer.kept(last.words.trim()), DID_CHARS_MAX);
    let left = pay::keep(context, role, workspace, kept(context, &last.words)).await?;
    let talk = match last.talk {
        Some(talk) if fits(context, talk.entry).await? => Some(talk),
        Some(_) | None => None,
    };
    Ok(Some(Done::Asked { text, did, left, talk, cost_micros }))
}

async fn question(
    context: &Context<'_>,
    workspace: &Workspace,
    left: &str,
) -> Result<Option<String>, Failure> {
    let file = context.engine.ports.git.question(workspace).await?.unwrap_or_default();
    let said = [String::from_utf8_lossy(&file).into_owned(), left.to_owned()];
    Ok(said.into_iter().find(|text| !text.trim().is_empty()))
}

async fn fits(context: &Context<'_>, entry: u32) -> Result<bool, Failure> {
    let Some(homes) = context.engine.settings.homes.clone() else { return Ok(false) };
    let run = context.state.request.run.clone();
    let fits = tokio::task::spawn_blocking(move || homes.fits(&run, entry)).await;
    fits.map_err(|error| Failure::Fault(error.to_string()))
}

/// Forgets the homes this task had and nobody goes on with.
pub(super) async fn tidy(context: &Context<'_>, done: &Done) -> Result<(), Failure> {
    let kept =
        if let Done::Asked { talk: Some(talk), .. } = done { Some(talk.entry) } else { None };
    let before = context.state.work.asked.as_deref().and_then(|asked| asked.talk.as_ref());
    let had = [Some(context.state.entry), before.map(|talk| talk.entry)];
    for entry in had.into_iter().flatten().filter(|entry| Some(*entry) != kept) {
        forget(context, entry).await?;
    }
    Ok(())
}

async fn forget(context: &Context<'_>, entry: u32) -> Result<(), Failure> {
    context.engine.forget_home(context.state.request.run.clone(), entry).await
}
