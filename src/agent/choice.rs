//! Who does the work of a request: the command before a label, a label before the policy.

use std::collections::{BTreeMap, BTreeSet};

use super::pick::{Whose, candidates, meant, named, pick};
use super::wanted::Wanted;
use super::{Agent, fit};
use crate::pipeline::chosen::{By, Chosen, of_stage};
use crate::pipeline::stage::Role;
use crate::policy::Policy;

/// Who has a say in it.
#[derive(Debug, Clone, Copy)]
pub struct Voices<'a> {
    /// `/go --agent`.
    pub command: Option<&'a str>,
    /// What the issue carries now.
    pub labels: &'a [String],
    pub policy: &'a Policy,
}

/// The agent of the whole run and those of single stages. The error is a sentence for a comment.
pub fn chosen(agents: &[Agent], voices: Voices<'_>) -> Result<(Wanted, Chosen), String> {
    let Voices { command, labels, policy } = voices;
    let rules = || pick(agents, None, policy.agent.as_deref());
    let (wanted, by) = match (command, labelled(labels, policy)?) {
        (Some(command), _) => (meant(agents, command, Whose::Command)?, By::Command),
        (None, Some((label, name))) => {
            (meant(agents, name, Whose::Label)?, By::Label(label.to_owned()))
        }
        (None, None) => (rules()?, By::Rules),
    };
    let mut stages = BTreeMap::new();
    for role in Role::ALL {
        // Whoever made the change does not choose who reviews it.
        let free = by == By::Rules || role == Role::Critic;
        let named = of_stage(&policy.agents, role).filter(|_| free);
        let who = match named {
            Some(name) => {
                let who = meant(agents, name, Whose::Stage(role))?;
                stages.insert(role, who.to_string());
                who
            }
            None => wanted.clone(),
        };
        if role != Role::Critic || policy.stages.critique {
            fits(agents, &who, role)?;
        }
    }
    Ok((wanted, Chosen { by, stages }))
}

/// The label that chooses, with the agent it chooses.
fn labelled<'a>(
    labels: &[String],
    policy: &'a Policy,
) -> Result<Option<(&'a str, &'a str)>, String> {
    // GitHub holds labels that differ in case alone for one.
    let carried: BTreeSet<String> = labels.iter().map(|label| label.to_lowercase()).collect();
    let found: Vec<(&str, &str)> = policy
        .agent_labels
        .iter()
        .filter(|(label, _)| carried.contains(&label.to_lowercase()))
        .map(|(label, agent)| (label.as_str(), agent.as_str()))
        .collect();
    let Some((first, agent)) = found.first().copied() else { return Ok(None) };
    match found.iter().find(|(_, other)| *other != agent) {
        None => Ok(Some((first, agent))),
        Some((second, _)) => Err(format!(
            "The labels `{first}` and `{second}` name two agents. Take one of them away, or name \
             the agent with `/go --agent`. Nothing was started."
        )),
    }
}

/// Whether `who`, or whoever is declared in its place, can do what is asked of `role`.
fn fits(agents: &[Agent], who: &Wanted, role: Role) -> Result<(), String> {
    let all = candidates(agents, who);
    let barred = fit::barred(agents, &all, role);
    if all.iter().any(|one| !barred.contains_key(&one.wanted)) {
        return Ok(());
    }
    let why = named(agents, who.agent()).and_then(|agent| fit::unfit(agent, role));
    let (role, why) = (role.word(), why.unwrap_or("it is no agent"));
    Err(format!(
        "The agent `{who}` cannot be the {role}: {why}. Name another one for it. Nothing was \
         started."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::Kind;
    use crate::agent::command::Command;
    use crate::agent::profile::Catalogue;
    use crate::agent::profiled::Profiled;

    fn plain(name: &str) -> Agent {
        let kind = Kind::Command(Command { command: "true".to_owned() });
        Agent { name: name.to_owned(), kind, at_once_max: 1, hosts: Vec::new() }
    }

    fn policy(text: &str) -> Policy {
        Policy::parse(text).unwrap()
    }

    fn owned(labels: &[&str]) -> Vec<String> {
        labels.iter().map(|&label| label.to_owned()).collect()
    }

    #[test]
    fn the_command_goes_before_a_label_a_label_before_a_stage_and_a_stage_before_the_rest() {
        let agents = [plain("first"), plain("a"), plain("b"), plain("c"), plain("d")];
        let policy = policy("agent: a\nagents: {fix: b}\nagent_labels: {'agent:c': c}\n");
        let of = |command, labels: &[&str]| {
            let labels = owned(labels);
            let voices = Voices { command, labels: &labels, policy: &policy };
            let (wanted, chosen) = chosen(&agents, voices).unwrap();
            let fixer = chosen.stages.get(&Role::Fixer).cloned();
            (wanted.to_string(), fixer, chosen.by)
        };
        let label = By::Label("agent:c".to_owned());
        assert_eq!(of(Some("d"), &["Agent:C"]), ("d".to_owned(), None, By::Command));
        assert_eq!(of(None, &["bug", "Agent:C"]), ("c".to_owned(), None, label));
        assert_eq!(of(None, &["bug"]), ("a".to_owned(), Some("b".to_owned()), By::Rules));
        let none = Policy::default();
        let voices = Voices { command: None, labels: &[], policy: &none };
        let (wanted, chosen) = chosen(&agents, voices).unwrap();
        assert_eq!((wanted.to_string().as_str(), chosen.stages.len()), ("first", 0));
    }

    #[test]
    fn what_cannot_be_chosen_is_refused_in_words_before_anything_starts() {
        let profile = Catalogue::shipped().unwrap().get("coderabbit").unwrap().clone();
        let (provider, models, fallbacks) = Default::default();
        let reviewer = Agent {
            kind: Kind::Profiled(Box::new(Profiled {
                profile,
                provider,
                models,
                key: None,
                fallbacks,
            })),
            ..plain("reviewer")
        };
        let agents = [plain("a"), reviewer];
        let refused = |text: &str, command, labels: &[&str]| {
            let (labels, policy) = (owned(labels), policy(text));
            let voices = Voices { command, labels: &labels, policy: &policy };
            chosen(&agents, voices).unwrap_err()
        };
        let two = "agent_labels: {x: a, y: reviewer, z: nobody}\n";
        insta::assert_snapshot!(refused(two, None, &["x", "y"]),
            @"The labels `x` and `y` name two agents. Take one of them away, or name the agent with `/go --agent`. Nothing was started.");
        insta::assert_snapshot!(refused(two, None, &["z"]),
            @"There is no agent with the name given for its label in the policy file. Available: `a`, `reviewer`.");
        insta::assert_snapshot!(refused("agents: {fix: nobody}\n", None, &[]),
            @"There is no agent with the name given for the fixer in the policy file. Available: `a`, `reviewer`.");
        insta::assert_snapshot!(refused("agents: {build: reviewer}\n", None, &[]),
            @"The agent `reviewer` cannot be the builder: it reviews, and does nothing else. Name another one for it. Nothing was started.");
        insta::assert_snapshot!(refused("", Some("a:opus"), &[]),
            @"The agent `a` has no model of the name given in the command. It has: none to choose from.");
        let review = policy("stages: {critique: true}\nagents: {critique: reviewer}\n");
        let voices = Voices { command: Some("a"), labels: &[], policy: &review };
        let (_, chosen) = chosen(&agents, voices).unwrap();
        assert_eq!(chosen.stages[&Role::Critic], "reviewer", "who made it does not choose that");
    }
}
