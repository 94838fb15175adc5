//! `[[agents]]`, `[[providers]]` and the file of profiles: who does the work, and whose models.

use std::path::Path;

use super::file::{AgentEntry, FILE_BYTES_MAX};
use super::layer::Said;
use super::read::text_of;
use super::{ConfigError, direct, reach};
use crate::agent::command::Command;
use crate::agent::pick::named;
use crate::agent::profile::{Catalogue, Profile};
use crate::agent::profiled::Profiled;
use crate::agent::wanted::{Model, Wanted};
use crate::agent::{Agent, Kind};
use crate::gateway::provider::{self, Provider};
use crate::gateway::{Prices, provider::Entry};
use crate::model::Secret;

/// Most agents, providers, and models of one agent.
const AGENTS_MAX: usize = 50;
const PROVIDERS_MAX: usize = 50;
const MODELS_MAX: usize = 50;
/// Longest command of an agent.
const COMMAND_BYTES_MAX: usize = 10_000;
/// A key of an agent's own, in bytes.
const KEY_BYTES_MIN: usize = 8;
const KEY_BYTES_MAX: u64 = 4_096;
/// Runs of one agent at once.
const AT_ONCE_MAX: u32 = 256;

/// Whose models may be asked.
pub(super) fn providers(said: Option<Said<Vec<Entry>>>) -> Result<Vec<Provider>, ConfigError> {
    let Some(Said { value: entries, place }) = said else { return Ok(Vec::new()) };
    let refuse = |why: String, next: &str| Err(ConfigError::new(&place, why, next));
    if entries.len() > PROVIDERS_MAX {
        return refuse(format!("there are more than {PROVIDERS_MAX} providers"), "leave some out");
    }
    let prices = Prices::ours().map_err(|error| {
        ConfigError::new(&place, error.to_string(), "this is a fault of Slipway: report it")
    })?;
    let mut providers: Vec<Provider> = Vec::new();
    for entry in entries {
        let read = provider::parse(entry, &prices);
        let read = read.map_err(|error| {
            ConfigError::new(&place, error.0, "docs/MODELS.md shows every field")
        })?;
        if providers.iter().any(|one| one.name == read.name) {
            return refuse(format!("two providers are called {}", read.name), "rename one");
        }
        providers.push(read);
    }
    Ok(providers)
}

/// The agents, each as a command or by a profile.
pub(super) fn agents(
    said: Option<Said<Vec<AgentEntry>>>,
    profiles: Option<Said<String>>,
    providers: &[Provider],
) -> Result<Vec<Agent>, ConfigError> {
    let Some(Said { value: entries, place }) = said else {
        if profiles.is_some() {
            // A file that cannot be used is told of all the same.
            catalogue(profiles)?;
        }
        return Ok(Vec::new());
    };
    let catalogue = catalogue(profiles)?;
    let refuse = |why: String, next: &str| Err(ConfigError::new(&place, why, next));
    if entries.len() > AGENTS_MAX {
        return refuse(format!("there are more than {AGENTS_MAX} agents"), "leave some out");
    }
    let mut agents: Vec<Agent> = Vec::new();
    for entry in entries {
        let name = entry.name.clone();
        if Wanted::new(&name, None).is_err() {
            let next = "use 1 to 64 letters, digits, dots, dashes and underscores";
            return refuse(format!("{name:?} is no name for an agent"), next);
        }
        if agents.iter().any(|agent| agent.name == name) {
            return refuse(format!("two agents are called {name}"), "rename one");
        }
        let read = agent(&entry, &catalogue, providers);
        agents.push(read.map_err(|(why, next)| ConfigError::new(&place, why, next))?);
    }
    for one in &agents {
        let fallbacks = match &one.kind {
            Kind::Profiled(known) => known.fallbacks.as_slice(),
            Kind::Direct(model) => model.fallbacks.as_slice(),
            Kind::Command(_) | Kind::Scripted(_) => &[],
        };
        let unknown = fallbacks.iter().find(|name| !stands(&agents, name));
        if let Some(unknown) = unknown {
            let why = format!("agent {} falls back on {unknown:?}, which is none", one.name);
            return refuse(why, "write names of [[agents]], with or without `:MODEL`");
        }
    }
    direct::first_edits(&agents).map_err(|(why, next)| ConfigError::new(&place, why, next))?;
    Ok(agents)
}

fn stands(agents: &[Agent], name: &str) -> bool {
    name.parse::<Wanted>().is_ok_and(|wanted| named(agents, wanted.agent()).is_some())
}

fn catalogue(profiles: Option<Said<String>>) -> Result<Catalogue, ConfigError> {
    let Some(Said { value: path, place }) = profiles else {
        return Catalogue::shipped().map_err(|refused| {
            ConfigError::new("profiles", refused.to_string(), "this is a fault of Slipway")
        });
    };
    let text = text_of(Path::new(&path), &place, FILE_BYTES_MAX)?;
    Catalogue::with(text.reveal()).map_err(|refused| {
        ConfigError::new(place, refused.to_string(), "docs/AGENTS.md shows every key of a profile")
    })
}

type Wrong = (String, String);

fn agent(
    entry: &AgentEntry,
    catalogue: &Catalogue,
    providers: &[Provider],
) -> Result<Agent, Wrong> {
    let AgentEntry { name, command, profile, at_once_max, hosts, network, .. } = entry;
    let wrong = |why: String, next: &str| Err((why, next.to_owned()));
    if !(1..=AT_ONCE_MAX).contains(at_once_max) {
        let why = format!("at_once_max of agent {name} is out of bounds");
        return wrong(why, "write a number from 1 to 256");
    }
    let mut reached = reach::rules(name, hosts, *network)?;
    let kind = match (command, profile) {
        _asked if entry.direct => Kind::Direct(direct::direct(entry, providers)?),
        (Some(command), None) => {
            if command.trim().is_empty() || command.len() > COMMAND_BYTES_MAX {
                let why = format!("the command of agent {name} is empty or too long");
                return wrong(why, "write what to run in the working directory");
            }
            let beside = entry.provider.is_some() || !entry.models.is_empty();
            if beside || !entry.fallbacks.is_empty() {
                let why =
                    format!("agent {name} is a command, and has no provider, models and fallbacks");
                return wrong(why, "start it by a profile instead");
            }
            Kind::Command(Command { command: command.clone() })
        }
        (None, Some(profile)) => {
            let Some(profile) = catalogue.get(profile) else {
                let why = format!("agent {name} is started by {profile:?}, which is no profile");
                return wrong(why, "`slipway agents list` lists them");
            };
            reached.extend(profile.hosts.iter().cloned());
            Kind::Profiled(Box::new(profiled(entry, profile, providers)?))
        }
        (Some(_), Some(_)) | (None, None) => {
            let why = format!("agent {name} needs a command or a profile, and one of them only");
            return wrong(why, "write `profile = \"codex\"`, say");
        }
    };
    Ok(Agent { name: name.clone(), kind, at_once_max: *at_once_max, hosts: reached })
}

fn profiled(
    entry: &AgentEntry,
    profile: &Profile,
    providers: &[Provider],
) -> Result<Profiled, Wrong> {
    let AgentEntry { name, provider, models, fallbacks, .. } = entry;
    let wrong = |why: String, next: &str| Err((why, next.to_owned()));
    let key = own_key(entry, profile)?;
    match (profile.wire, provider) {
        (Some(wire), Some(wanted)) => {
            let Some(found) = providers.iter().find(|one| one.name == *wanted) else {
                let why = format!("agent {name} asks the provider {wanted:?}, which is none");
                return wrong(why, "write a [[providers]] of that name");
            };
            if found.wire != wire {
                let why = format!(
                    "agent {name} speaks {}, and the provider {wanted} {}",
                    wire.name(),
                    found.wire.name()
                );
                return wrong(why, "name a provider with the agent's wire");
            }
        }
        (Some(_), None) => {
            let why = format!("agent {name} has no provider");
            return wrong(why, "name one of [[providers]]");
        }
        (None, Some(_)) => {
            let why = format!("agent {name} goes through no gateway, so it has no provider");
            return wrong(why, "leave `provider` out");
        }
        (None, None) => {}
    }
    if models.len() > MODELS_MAX || (models.is_empty() && profile.wire.is_some()) {
        let why = format!("agent {name} has no models, or more than {MODELS_MAX}");
        return wrong(why, "list those it may use, its own choice first");
    }
    let models: Result<Vec<Model>, String> =
        models.iter().map(|model| Model::parse(model)).collect();
    let models = models.map_err(|why| (format!("agent {name}: {why}"), "correct it".to_owned()))?;
    let (profile, provider, fallbacks) = (profile.clone(), provider.clone(), fallbacks.clone());
    Ok(Profiled { profile, provider, models, key, fallbacks })
}

/// The key that goes into the sandbox with an agent that asks its house by itself: only where an
/// operator says so, with a file of its own.
fn own_key(entry: &AgentEntry, profile: &Profile) -> Result<Option<Secret>, Wrong> {
    let name = &entry.name;
    match (&entry.key_file, profile.holds_a_key()) {
        (None, false) => Ok(None),
        (None, true) => {
            let why = format!("agent {name} would hold a key of its own in the sandbox");
            let next = "name the file in `key_file`, and know that the agent can read and spend it";
            Err((why, next.to_owned()))
        }
        (Some(_), false) => {
            let why = format!("agent {name} has a key_file, and its profile no place for a key");
            Err((why, "leave `key_file` out".to_owned()))
        }
        (Some(path), true) => {
            let place = format!("key_file of agent {name}");
            let text = text_of(Path::new(path), &place, KEY_BYTES_MAX);
            let text = text.map_err(|error| (error.to_string(), "correct it".to_owned()))?;
            let key = text.reveal().trim();
            let plain = key.len() >= KEY_BYTES_MIN && key.bytes().all(|b| b.is_ascii_graphic());
            if !plain {
                let why = format!("{place} holds no key: one line of {KEY_BYTES_MIN} or more");
                return Err((why, "write the key into it and nothing else".to_owned()));
            }
            Ok(Some(Secret::new(key)))
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::config::file;

    pub(in crate::config) fn read(text: &str) -> Result<Vec<Agent>, String> {
        let layer = file::parse("slipway.toml", text).map_err(|error| error.to_string())?;
        let placed = layer.placed(|key| format!("key {key}"));
        let providers = providers(placed.providers).map_err(|error| error.to_string())?;
        agents(placed.agents, placed.profiles, &providers).map_err(|error| error.to_string())
    }

    pub(in crate::config) const HOUSE: &str = "[[providers]]\nname = 'house'\nwire = 'responses'\n\
                         url = 'http://127.0.0.1:9/v1'\nprices = 'free'\n";

    #[test]
    fn a_known_agent_is_a_profile_a_provider_and_models() {
        let text = format!(
            "{HOUSE}[[agents]]\nname = 'codex'\nprofile = 'codex'\nprovider = 'house'\n\
             models = ['one', 'two']\nfallbacks = ['other']\n\
             [[agents]]\nname = 'other'\ncommand = 'true'\n"
        );
        let agents = read(&text).unwrap();
        let Kind::Profiled(codex) = &agents[0].kind else { panic!("{agents:?}") };
        assert_eq!((codex.provider.as_deref(), codex.models.len()), (Some("house"), 2));
        assert_eq!(codex.profile.name, "codex");
    }

    #[test]
    fn a_key_goes_into_a_sandbox_only_where_the_operator_names_its_file() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("key");
        let first = "[[agents]]\nname = 'first'\ncommand = 'true'\n";
        let text = |more: &str| format!("{first}[[agents]]\nname = 'a'\n{more}");
        let rabbit = format!("profile = 'coderabbit'\nkey_file = '{}'\n", file.display());
        assert!(read(&text(&rabbit)).unwrap_err().contains("it cannot be read"));
        std::fs::write(&file, "short\n").unwrap();
        assert!(read(&text(&rabbit)).unwrap_err().contains("holds no key"));
        let key = format!("key-{}", std::process::id().wrapping_mul(2_654_435_761));
        std::fs::write(&file, format!("{key}\n")).unwrap();
        let agents = read(&text(&rabbit)).unwrap();
        let Kind::Profiled(rabbit) = &agents[1].kind else { panic!("{agents:?}") };
        assert_eq!(rabbit.key.as_ref().unwrap().reveal(), key);
        assert!(!format!("{agents:?}").contains(&key), "it is not shown");
        let without = read(&text("profile = 'coderabbit'\n")).unwrap_err();
        assert!(without.contains("would hold a key of its own"), "{without}");
        let other = format!("{HOUSE}{}", text("profile = 'codex'\nprovider = 'house'\n"));
        let other = format!("{other}models = ['m']\nkey_file = '{}'\n", file.display());
        assert!(read(&other).unwrap_err().contains("no place for a key"));
    }

    #[test]
    fn what_does_not_fit_together_is_refused_with_what_to_write() {
        let agent = |rest: &str| format!("{HOUSE}[[agents]]\nname = 'a'\n{rest}");
        for (rest, says) in [
            ("", "needs a command or a profile"),
            ("command = 'true'\nprofile = 'codex'", "needs a command or a profile"),
            ("profile = 'nobody'", "which is no profile"),
            ("profile = 'codex'\nmodels = ['m']", "has no provider"),
            ("profile = 'codex'\nprovider = 'x'\nmodels = ['m']", "which is none"),
            ("profile = 'claude'\nprovider = 'house'\nmodels = ['m']", "speaks messages"),
            ("profile = 'codex'\nprovider = 'house'", "has no models"),
            ("profile = 'codex'\nprovider = 'house'\nmodels = ['-m']", "begins with a letter"),
            (
                "profile = 'codex'\nprovider = 'house'\nmodels = ['m']\nfallbacks = ['b']",
                "falls back on",
            ),
            ("command = 'true'\nmodels = ['m']", "is a command"),
        ] {
            let refused = read(&agent(rest)).unwrap_err();
            assert!(refused.contains(says), "{rest}: {refused}");
        }
    }
}
