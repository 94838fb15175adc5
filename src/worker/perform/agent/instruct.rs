//! What an agent is told beside its task: the repository's instructions and everybody's templates.

use super::super::Context;
use crate::agent::prompt::{self, Known, Piece, Template, Templates};
use crate::agent::wanted::{Model, Wanted};
use crate::agent::{Agent, Way};
use crate::git::{Sought, Texts, WorkspaceOrder};
use crate::model::BranchName;
use crate::worker::failure::Failure;

/// Where a repository keeps its own templates.
const PROMPTS: &str = ".github/slipway/prompts/";

/// What the base branch tells agents.
#[derive(Debug, Default)]
pub(super) struct Guide {
    instructions: Texts,
    templates: Templates,
    /// Templates that are too large to be read.
    unread: Vec<String>,
}

/// What one agent is told.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) prompt: String,
    /// The same for one that goes on with its conversation.
    pub(super) go_on: String,
    /// The repository's instructions, for agents that have a place for them.
    pub(super) system: Option<String>,
}

impl Prepared {
    /// Both in one text, for agents that have one place only.
    pub(super) fn whole(&self) -> String {
        match &self.system {
            Some(system) => format!("{}\n{system}", self.prompt),
            None => self.prompt.clone(),
        }
    }
}

/// Reads it where everything is read that steers: at the tip of the base, never at the head.
pub(super) async fn guide(context: &Context<'_>, order: &WorkspaceOrder) -> Result<Guide, Failure> {
    let Some(at) = order.steering.as_ref().or(context.state.work.onto.as_ref()) else {
        return Ok(Guide::default());
    };
    let prompts = Piece::ALL.map(|piece| format!("{PROMPTS}{}", piece.file()));
    let sought = Sought {
        names: [prompt::EVERYWHERE.to_owned()].into(),
        paths: prompt::AT_THE_TOP.map(str::to_owned).into_iter().chain(prompts).collect(),
    };
    let texts = context.engine.ports.git.texts(&order.repo, at, &sought).await?;
    let mut guide = Guide::default();
    for file in texts.files {
        let piece = Piece::ALL.into_iter().find(|piece| is_of(*piece, &file.path));
        match piece {
            Some(piece) => {
                let place = format!("`{}`", file.path);
                guide.templates.set(piece, Template { place, text: file.text });
            }
            None => guide.instructions.files.push(file),
        }
    }
    for path in texts.left_out {
        let templates = path.starts_with(PROMPTS);
        let list = if templates { &mut guide.unread } else { &mut guide.instructions.left_out };
        list.push(path);
    }
    Ok(guide)
}

fn is_of(piece: Piece, path: &str) -> bool {
    path.strip_prefix(PROMPTS) == Some(piece.file().as_str())
}

/// Puts the prompt together. The error says which template does not render, and why.
pub(super) fn prepare(
    context: &Context<'_>,
    guide: &Guide,
    (agent, wanted): (&Agent, &Wanted),
    mut ask: prompt::Ask<'_>,
) -> Result<Prepared, String> {
    if let Some(path) = guide.unread.first() {
        return Err(format!("the prompt template `{path}` is too large to be read; shorten it"));
    }
    let request = &context.state.request;
    let work = &context.state.work;
    let model = match agent.way() {
        Way::Plain(_) => None,
        Way::Profiled(profiled) => profiled.model(wanted.model()),
        Way::Direct(direct) => direct.model(wanted.model()),
    };
    let known = Known {
        repo: request.repo.to_string(),
        issue: request.issue.0,
        run: request.run.as_str(),
        round: ask.round,
        base: work.base.as_ref().map_or("", BranchName::as_str),
        branch: work.branch.as_ref().map_or("", BranchName::as_str),
        agent: &agent.name,
        model: model.map_or("", Model::as_str),
        verify: &context.policy.verify,
        protected: &context.policy.protected,
    };
    let templates = context.engine.settings.prompts.under(guide.templates.clone());
    let voice = templates.voice(ask.role, &known, prompt::task);
    ask.voice = voice.map_err(|broken| broken.to_string())?;
    ask.hosts = agent.hosts.iter().map(ToString::to_string).collect();
    let files: Vec<(String, String)> = guide
        .instructions
        .files
        .iter()
        .map(|file| (file.path.clone(), file.text.clone()))
        .collect();
    let system = prompt::instructions(&request.run, &files, &guide.instructions.left_out);
    Ok(Prepared { prompt: prompt::prompt(&ask), go_on: prompt::go_on(&ask), system })
}
