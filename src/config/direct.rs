//! `direct = true` of `[[agents]]`: a model that is asked without a program.

use super::file::AgentEntry;
use crate::agent::Agent;
use crate::agent::direct::Direct;
use crate::agent::fit::unfit;
use crate::agent::wanted::Model;
use crate::gateway::provider::Provider;
use crate::pipeline::Role;

/// Most models of one agent.
const MODELS_MAX: usize = 50;

/// What is wrong, and what to write instead.
type Wrong = (String, String);

/// Reads an agent that is a model and nothing else.
pub(super) fn direct(entry: &AgentEntry, providers: &[Provider]) -> Result<Direct, Wrong> {
    let AgentEntry { name, provider, models, fallbacks, .. } = entry;
    let wrong = |why: String, next: &str| Err((why, next.to_owned()));
    if entry.command.is_some() || entry.profile.is_some() {
        let why = format!("agent {name} is asked directly, and has no command and no profile");
        return wrong(why, "leave `direct` out, or the others");
    }
    if !entry.hosts.is_empty() {
        let why = format!("agent {name} is asked directly, so it reaches no hosts");
        return wrong(why, "leave `hosts` out");
    }
    let Some(provider) = provider else {
        return wrong(format!("agent {name} has no provider"), "name one of [[providers]]");
    };
    if providers.iter().all(|one| one.name != *provider) {
        let why = format!("agent {name} asks the provider {provider:?}, which is none");
        return wrong(why, "write a [[providers]] of that name");
    }
    if models.is_empty() || models.len() > MODELS_MAX {
        let why = format!("agent {name} has no models, or more than {MODELS_MAX}");
        return wrong(why, "list those it may be, its own choice first");
    }
    let models: Result<Vec<Model>, String> =
        models.iter().map(|model| Model::parse(model)).collect();
    let models = models.map_err(|why| (format!("agent {name}: {why}"), "correct it".to_owned()))?;
    Ok(Direct { provider: provider.clone(), models, fallbacks: fallbacks.clone() })
}

/// The first agent does whatever nobody chose another for, so it must be able to make a change.
pub(super) fn first_edits(agents: &[Agent]) -> Result<(), Wrong> {
    let Some(first) = agents.first() else { return Ok(()) };
    match unfit(first, Role::Builder) {
        None => Ok(()),
        Some(why) => {
            let why = format!(
                "agent {} is the first, which does what nobody chose another for; but {why}",
                first.name
            );
            Err((why, "put one that edits before it".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::agents::tests::{HOUSE, read};
    use crate::agent::Kind;

    const MAKER: &str = "[[agents]]\nname = 'maker'\ncommand = 'true'\n";

    fn with(rest: &str) -> String {
        format!("{HOUSE}{MAKER}[[agents]]\nname = 'thinker'\ndirect = true\n{rest}")
    }

    #[test]
    fn a_model_may_be_an_agent_without_a_program() {
        let text = with("provider = 'house'\nmodels = ['one', 'two']\nfallbacks = ['maker']");
        let agents = read(&text).unwrap();
        let Kind::Direct(thinker) = &agents[1].kind else { panic!("{agents:?}") };
        assert_eq!((thinker.provider.as_str(), thinker.models.len()), ("house", 2));
        assert_eq!(thinker.fallbacks, ["maker"]);
    }

    #[test]
    fn what_a_model_cannot_be_is_refused_with_what_to_write() {
        for (rest, says) in [
            ("models = ['m']", "has no provider"),
            ("provider = 'x'\nmodels = ['m']", "which is none"),
            ("provider = 'house'", "has no models"),
            ("provider = 'house'\nmodels = ['m']\ncommand = 'true'", "no command and no profile"),
            ("provider = 'house'\nmodels = ['m']\nprofile = 'codex'", "no command and no profile"),
            ("provider = 'house'\nmodels = ['m']\nhosts = ['example.com']", "reaches no hosts"),
            ("provider = 'house'\nmodels = ['m']\nfallbacks = ['b']", "falls back on"),
        ] {
            let refused = read(&with(rest)).unwrap_err();
            assert!(refused.contains(says), "{rest}: {refused}");
        }
    }

    #[test]
    fn the_first_agent_is_one_that_edits() {
        let thinker =
            "[[agents]]\nname = 'thinker'\ndirect = true\nprovider = 'house'\nmodels = ['m']\n";
        let refused = read(&format!("{HOUSE}{thinker}")).unwrap_err();
        assert!(refused.contains("thinker is the first"), "{refused}");
        assert!(refused.contains("put one that edits before it"), "{refused}");
        assert!(read(&format!("{HOUSE}{MAKER}{thinker}")).is_ok());
    }
}
