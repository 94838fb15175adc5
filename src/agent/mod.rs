//! Coding agents: data and pure functions, task → invocation and transcript → result.
//!
//! An agent is not a boundary. The sandbox runs it; this folder only knows how to ask it and
//! how to read what it said. One file per agent, one line in [`Kind`].

pub mod command;
pub mod prompt;
pub mod scripted;

use serde::{Deserialize, Serialize};

use crate::egress::{self, Rule};
use crate::model::text;
use crate::sandbox::{Door, End, Invocation, Limits, Transcript};

/// Characters of an agent's last words quoted in a failure.
const WORDS_CHARS_MAX: usize = 1_000;

/// An agent as the operator configures it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// How policy files and `/go --agent` name it.
    pub name: String,
    pub kind: Kind,
    /// Runs of it at once, over all repositories.
    pub at_once_max: u32,
    /// What it may reach, through a way out of its own: its model, say. Nothing else may.
    #[serde(default)]
    pub hosts: Vec<Rule>,
}

/// The kinds of agent, each with its own file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Any program that edits the working directory, prompt on standard input.
    Command(command::Command),
    /// The agent of the demo and the tests: edits by a script the operator wrote.
    Scripted(scripted::Scripted),
}

/// How an agent ended, read from its transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// It says it did its work; whether anything changed is for git to tell.
    Finished { summary: String, cost_micros: u64 },
    /// It crashed, hung, or says it failed.
    Failed { why: String, cost_micros: u64 },
}

impl Agent {
    /// How to start it on `prompt` in `directory`.
    pub fn invocation(&self, prompt: String, place: Place) -> Invocation {
        let mut invocation = match &self.kind {
            Kind::Command(command) => command.invocation(prompt, place),
            Kind::Scripted(scripted) => scripted.invocation(prompt, place),
        };
        if invocation.doors.iter().any(|door| door.port == egress::PORT) {
            invocation.env.extend(egress::variables(egress::PORT));
        }
        invocation
    }

    /// The calls a turn of it is taken to make, by their cost in millionths of a dollar. An
    /// agent without any costs nothing by the call, and no budget concerns it.
    pub fn calls(&self) -> &[u64] {
        match &self.kind {
            Kind::Command(_) => &[],
            Kind::Scripted(scripted) => &scripted.script.calls,
        }
    }

    /// What its transcript means.
    pub fn read(&self, transcript: &Transcript) -> Reading {
        match &self.kind {
            Kind::Command(command) => command.read(transcript),
            Kind::Scripted(scripted) => scripted.read(transcript),
        }
    }
}

/// Where an agent works and how long it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub directory: std::path::PathBuf,
    pub workspace: String,
    pub limits: Limits,
    pub doors: Vec<Door>,
}

/// The agent a run uses: the one `wanted` in the command, else the one the repository's
/// `policy` names, else the operator's first. The error is a sentence for a comment.
pub fn pick<'a>(
    agents: &'a [Agent],
    wanted: Option<&str>,
    policy: Option<&str>,
) -> Result<&'a Agent, String> {
    let named = |name: &str| agents.iter().find(|agent| agent.name == name);
    let known = || {
        let quoted = agents.iter().map(|agent| format!("`{}`", agent.name));
        let list = quoted.collect::<Vec<_>>().join(", ");
        if list.is_empty() { "none".to_owned() } else { list }
    };
    let found = match wanted.or(policy) {
        Some(name) => named(name).ok_or_else(|| {
            // Never quoted: the name is a stranger's text until it is known.
            let whose = if wanted.is_some() { "the command" } else { "the policy file" };
            format!("There is no agent with the name given in {whose}.")
        }),
        None => agents.first().ok_or_else(|| "No agent is configured.".to_owned()),
    };
    found.map_err(|why| format!("{why} Available: {}.", known()))
}

/// Why a process that did not end well failed, in words; `None` when it exited with 0.
fn failure(transcript: &Transcript) -> Option<String> {
    let spoken = [&transcript.stderr, &transcript.stdout];
    let words = spoken.iter().map(|said| said.trim()).find(|said| !said.is_empty());
    let words = words.map(|said| text::tail(said, WORDS_CHARS_MAX).trim());
    match transcript.end {
        End::Exited(0) => None,
        End::Exited(code) => {
            let words = words.map(|words| format!(": {words}")).unwrap_or_default();
            Some(format!("it ended with exit code {code}{words}"))
        }
        End::Signalled(signal) => Some(format!("signal {signal} ended it")),
        End::TimedOut => Some("it was still running at its time limit and was ended".to_owned()),
        End::Cancelled => Some("it was stopped".to_owned()),
        End::Limit(limit) => Some(limit.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(name: &str) -> Agent {
        let kind = Kind::Command(command::Command { command: "true".to_owned() });
        Agent { name: name.to_owned(), kind, at_once_max: 1, hosts: Vec::new() }
    }

    #[test]
    fn the_command_goes_before_the_policy_and_the_policy_before_the_order() {
        let agents = [agent("a"), agent("b"), agent("c")];
        assert_eq!(pick(&agents, Some("c"), Some("b")).unwrap().name, "c");
        assert_eq!(pick(&agents, None, Some("b")).unwrap().name, "b");
        assert_eq!(pick(&agents, None, None).unwrap().name, "a");
    }

    #[test]
    fn a_refusal_names_what_there_is() {
        let agents = [agent("a"), agent("b")];
        insta::assert_snapshot!(pick(&agents, Some("@all"), None).unwrap_err(),
            @"There is no agent with the name given in the command. Available: `a`, `b`.");
        insta::assert_snapshot!(pick(&agents, None, Some("x")).unwrap_err(),
            @"There is no agent with the name given in the policy file. Available: `a`, `b`.");
        insta::assert_snapshot!(pick(&[], None, None).unwrap_err(),
            @"No agent is configured. Available: none.");
    }
}
