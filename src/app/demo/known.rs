//! A known agent in the demo: `--agent codex` is its profile, a provider and a model.

use std::path::Path;

use anyhow::Context;

use super::super::args::{Common, Demo};
use super::cast::private;
use crate::agent::profile::{Catalogue, Profile};
use crate::model::Wire;

/// What the configuration of the bot says about its agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lines {
    /// Before the first table.
    pub(super) top: String,
    /// In the agent's table.
    pub(super) agent: String,
    /// Behind it.
    pub(super) rest: String,
}

impl Lines {
    /// An agent that is a command.
    pub(super) fn command(command: &str) -> anyhow::Result<Self> {
        let agent = format!("command = {}\n", serde_json::to_string(command)?);
        Ok(Self { top: String::new(), agent, rest: String::new() })
    }
}

/// The lines for the agent that `demo` names, when it names a known one. Its key is read from
/// the environment, and laid into `directory` for the bot alone.
pub(super) fn lines(demo: &Demo, directory: &Path) -> anyhow::Result<Option<Lines>> {
    let Some(name) = &demo.agent else { return Ok(None) };
    let catalogue = match &demo.profiles {
        Some(path) => Catalogue::with(&std::fs::read_to_string(path)?)?,
        None => Catalogue::shipped()?,
    };
    let Some(profile) = catalogue.get(name) else { return Ok(None) };
    let wire = profile.wire.with_context(|| {
        format!("{name} asks its own house; start it as a command, and name its hosts")
    })?;
    let model = demo
        .model
        .as_deref()
        .with_context(|| format!("which model is {name} to use? Name it with --model"))?;
    let house = House::of(wire);
    let url = demo.model_url.as_deref().unwrap_or(house.url);
    let own = demo.model_url.is_some();
    let mut rest = format!(
        "[[providers]]\nname = 'demo'\nwire = '{}'\nurl = {}\nprices = '{}'\n",
        wire.name(),
        serde_json::to_string(url)?,
        if own { "free" } else { house.prices }
    );
    if !own {
        let key = Common::env(house.variable);
        let key = key.with_context(|| format!("{name} needs a key: set {}", house.variable))?;
        let file = directory.join("model-key");
        private(&file, &key)?;
        rest = format!("{rest}key = {{ file = '{}' }}\n", file.display());
    }
    let top = match &demo.profiles {
        Some(path) => format!("profiles = {}\n", serde_json::to_string(path)?),
        None => String::new(),
    };
    Ok(Some(Lines { top, agent: agent(profile, model)?, rest }))
}

fn agent(profile: &Profile, model: &str) -> anyhow::Result<String> {
    let models = serde_json::to_string(&[model])?;
    Ok(format!("profile = '{}'\nprovider = 'demo'\nmodels = {models}\n", profile.name))
}

/// Who is asked in a wire, unless somebody names another address.
pub(super) struct House {
    pub(super) url: &'static str,
    pub(super) variable: &'static str,
    pub(super) prices: &'static str,
}

impl House {
    pub(super) fn of(wire: Wire) -> Self {
        let (url, variable, prices) = match wire {
            Wire::Responses | Wire::Chat => {
                ("https://api.openai.com/v1", "OPENAI_API_KEY", "openai")
            }
            Wire::Messages => ("https://api.anthropic.com", "ANTHROPIC_API_KEY", "anthropic"),
            Wire::Gemini => {
                ("https://generativelanguage.googleapis.com", "GEMINI_API_KEY", "gemini")
            }
            Wire::Ollama => ("http://127.0.0.1:11434", "OLLAMA_API_KEY", "free"),
        };
        Self { url, variable, prices }
    }
}
