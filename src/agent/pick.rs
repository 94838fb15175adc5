//! Which agents may do the work, in the order in which they are asked.

use super::fallback::{CANDIDATES_MAX, Candidate};
use super::wanted::Wanted;
use super::{Agent, Kind};
use crate::pipeline::stage::Role;

/// Where a name was written, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    Command,
    /// What the policy gives for a label of the issue.
    Label,
    /// What the policy gives for the stage in which this role works.
    Stage(Role),
    Policy,
}

/// The agent that is meant: the one `wanted` in the command, else the one the repository's
/// `policy` names, else the operator's first. The error is a sentence for a comment.
pub fn pick(
    agents: &[Agent],
    wanted: Option<&str>,
    policy: Option<&str>,
) -> Result<Wanted, String> {
    let (name, whose) = match (wanted, policy) {
        (Some(name), _) => (name, Whose::Command),
        (None, Some(name)) => (name, Whose::Policy),
        (None, None) => {
            let first = agents.first().map(|agent| Wanted::new(&agent.name, None));
            return match first {
                Some(Ok(first)) => Ok(first),
                Some(Err(why)) => Err(why),
                None => Err(format!("No agent is configured. Available: {}.", known(agents))),
            };
        }
    };
    meant(agents, name, whose)
}

/// The agent of this name, written by whom. The error is a sentence for a comment.
pub(super) fn meant(agents: &[Agent], name: &str, whose: Whose) -> Result<Wanted, String> {
    // Never quoted: the name is a stranger's text until it is known.
    let whose = match whose {
        Whose::Command => "in the command".to_owned(),
        Whose::Label => "for its label in the policy file".to_owned(),
        Whose::Stage(role) => format!("for the {} in the policy file", role.word()),
        Whose::Policy => "in the policy file".to_owned(),
    };
    let found = name.parse::<Wanted>().ok();
    let agent = found.as_ref().and_then(|wanted| named(agents, wanted.agent()));
    let (Some(found), Some(agent)) = (found, agent) else {
        let list = known(agents);
        return Err(format!("There is no agent with the name given {whose}. Available: {list}."));
    };
    if found.model().is_some() && model_of(agent, &found).is_none() {
        return Err(format!(
            "The agent `{}` has no model of the name given {whose}. It has: {}.",
            agent.name,
            models(agent)
        ));
    }
    Ok(found)
}

/// The agent that was `wanted`, and then those the operator declared in its place.
pub fn candidates(agents: &[Agent], wanted: &Wanted) -> Vec<Candidate> {
    let Some(agent) = named(agents, wanted.agent()) else { return Vec::new() };
    let mut all = vec![candidate(agent, wanted.clone())];
    let fallbacks = match &agent.kind {
        Kind::Profiled(profiled) => profiled.fallbacks.as_slice(),
        Kind::Direct(direct) => direct.fallbacks.as_slice(),
        Kind::Command(_) | Kind::Scripted(_) => &[],
    };
    for name in fallbacks.iter().take(CANDIDATES_MAX) {
        let Ok(next) = name.parse::<Wanted>() else { continue };
        if let Some(agent) = named(agents, next.agent())
            && all.iter().all(|one| one.wanted != next)
        {
            all.push(candidate(agent, next));
        }
    }
    all
}

/// The agent of this name.
pub fn named<'a>(agents: &'a [Agent], name: &str) -> Option<&'a Agent> {
    agents.iter().find(|agent| agent.name == name)
}

fn candidate(agent: &Agent, wanted: Wanted) -> Candidate {
    let pool = match &agent.kind {
        Kind::Profiled(profiled) => profiled.provider.clone().or_else(|| Some(agent.name.clone())),
        Kind::Direct(direct) => Some(direct.provider.clone()),
        Kind::Command(_) | Kind::Scripted(_) => None,
    };
    Candidate { wanted, pool }
}

fn model_of(agent: &Agent, wanted: &Wanted) -> Option<()> {
    match &agent.kind {
        Kind::Profiled(profiled) => profiled.model(wanted.model()).map(|_| ()),
        Kind::Direct(direct) => direct.model(wanted.model()).map(|_| ()),
        Kind::Command(_) | Kind::Scripted(_) => None,
    }
}

fn models(agent: &Agent) -> String {
    let models = match &agent.kind {
        Kind::Profiled(profiled) => profiled.models.as_slice(),
        Kind::Direct(direct) => direct.models.as_slice(),
        Kind::Command(_) | Kind::Scripted(_) => &[],
    };
    let list: Vec<String> = models.iter().map(|model| format!("`{}`", model.as_str())).collect();
    if list.is_empty() { "none to choose from".to_owned() } else { list.join(", ") }
}

fn known(agents: &[Agent]) -> String {
    let list: Vec<String> = agents.iter().map(|agent| format!("`{}`", agent.name)).collect();
    if list.is_empty() { "none".to_owned() } else { list.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::command::Command;
    use crate::agent::profile::Catalogue;
    use crate::agent::profiled::Profiled;
    use crate::agent::wanted::Model;

    fn plain(name: &str) -> Agent {
        let kind = Kind::Command(Command { command: "true".to_owned() });
        Agent { name: name.to_owned(), kind, at_once_max: 1, hosts: Vec::new() }
    }

    fn profiled(name: &str, models: &[&str], fallbacks: &[&str]) -> Agent {
        let profile = Catalogue::shipped().unwrap().get("codex").unwrap().clone();
        let kind = Kind::Profiled(Box::new(Profiled {
            profile,
            provider: Some("house".to_owned()),
            models: models.iter().map(|model| Model::parse(model).unwrap()).collect(),
            key: None,
            fallbacks: fallbacks.iter().map(|&name| name.to_owned()).collect(),
        }));
        Agent { kind, ..plain(name) }
    }

    #[test]
    fn the_command_goes_before_the_policy_and_the_policy_before_the_order() {
        let agents = [plain("a"), plain("b"), plain("c")];
        let of = |wanted, policy| pick(&agents, wanted, policy).unwrap().to_string();
        assert_eq!(of(Some("c"), Some("b")), "c");
        assert_eq!(of(None, Some("b")), "b");
        assert_eq!(of(None, None), "a");
    }

    #[test]
    fn a_refusal_names_what_there_is() {
        let agents = [plain("a"), profiled("codex", &["one", "two"], &[])];
        insta::assert_snapshot!(pick(&agents, Some("@all"), None).unwrap_err(),
            @"There is no agent with the name given in the command. Available: `a`, `codex`.");
        insta::assert_snapshot!(pick(&agents, None, Some("x")).unwrap_err(),
            @"There is no agent with the name given in the policy file. Available: `a`, `codex`.");
        insta::assert_snapshot!(pick(&[], None, None).unwrap_err(),
            @"No agent is configured. Available: none.");
        insta::assert_snapshot!(pick(&agents, Some("codex:three"), None).unwrap_err(),
            @"The agent `codex` has no model of the name given in the command. It has: `one`, `two`.");
        insta::assert_snapshot!(pick(&agents, Some("a:one"), None).unwrap_err(),
            @"The agent `a` has no model of the name given in the command. It has: none to choose from.");
    }

    #[test]
    fn those_who_stand_in_come_in_the_operators_order_and_once() {
        let agents =
            [profiled("codex", &["one"], &["b", "codex", "b", "nobody"]), plain("a"), plain("b")];
        let wanted = pick(&agents, Some("codex:one"), None).unwrap();
        let names: Vec<String> =
            candidates(&agents, &wanted).iter().map(|one| one.wanted.to_string()).collect();
        assert_eq!(names, ["codex:one", "b", "codex"]);
        assert_eq!(candidates(&agents, &wanted)[0].pool.as_deref(), Some("house"));
    }
}
