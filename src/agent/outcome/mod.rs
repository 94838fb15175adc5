//! What really became of an agent: its own account, what we know of its end, and what the
//! gateway saw, judged in one order.
//!
//! Exit codes alone mean nothing (one agent ends with 0 after every refused call), and words
//! mean less. A success needs the event that says so, an exit code of 0, and nobody who says
//! otherwise.

use std::collections::BTreeMap;

use serde_json::Value;

use super::dialect::{Account, Heard};
use super::event::{Said, Session, Usage};
use super::profile::Pattern;
use crate::model::{Cost, Tokens, Trouble, text};
use crate::sandbox::End;

/// Longest reason, in characters.
const WHY_CHARS_MAX: usize = 1_000;

/// Everything that is known when a program has ended.
#[derive(Debug, Clone)]
pub struct Evidence<'a> {
    pub account: Account,
    pub heard: Heard,
    pub end: End,
    /// Why we ended it, when the reason is ours and not in `end`: a watch, a budget, a person.
    pub stopped: Option<Stopped>,
    /// What the gateway saw last, where the agent went through it.
    pub upstream: Option<Upstream>,
    pub stderr: &'a str,
    /// Whether anything changed in the workspace, where git was asked.
    pub changed: Option<bool>,
    /// The profile's classes of exit codes.
    pub exits: &'a BTreeMap<i32, Trouble>,
    /// The profile's classes of words.
    pub patterns: &'a [Pattern],
}

/// Why we ended a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    pub trouble: Trouble,
    /// A sentence for people.
    pub why: String,
}

/// The last answer of the model, as the gateway saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Upstream {
    /// The class of the last answer, unless it was a good one.
    pub trouble: Option<Trouble>,
    /// Whether the last answer stopped at its length.
    pub truncated: bool,
}

/// How it ended, and what it left.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub class: Result<(), Trouble>,
    /// Why it is not a success, for people; empty for a success.
    pub why: String,
    pub text: String,
    pub structured: Option<Value>,
    /// By its own account; the gateway's is the one that is paid.
    pub usage: Option<Usage>,
    pub session: Option<Session>,
    pub turns: Option<u64>,
    pub heard: Heard,
}

impl Outcome {
    /// Tokens and cost by its own account.
    pub fn used(&self) -> (Option<Tokens>, Cost) {
        let used = self.usage;
        (used.map(|usage| usage.tokens), used.map_or(Cost::Unknown, |usage| usage.cost))
    }

    /// The answer to a schema: where the dialect has it, or when its last words are one JSON
    /// object and nothing else but perhaps a fence around it. Still to be checked.
    pub fn json(&self) -> Option<Value> {
        let words = || {
            let words = self.text.trim();
            let fenced = words.strip_prefix("```json").or_else(|| words.strip_prefix("```"));
            let words = fenced.and_then(|inner| inner.strip_suffix("```")).unwrap_or(words);
            serde_json::from_str(words).ok().filter(Value::is_object)
        };
        self.structured.clone().or_else(words)
    }
}

/// Judges, in this order: our own reason, its terminal event, the gateway, the exit code, the
/// words.
pub fn judge(evidence: Evidence<'_>) -> Outcome {
    let class = class(&evidence);
    let why = match class {
        Ok(()) => String::new(),
        Err(trouble) => why(trouble, &evidence),
    };
    let Evidence { account, heard, .. } = evidence;
    let Account { text, structured, usage, session, turns, said: _, noise: _ } = account;
    Outcome { class, why, text, structured, usage, session, turns, heard }
}

fn class(evidence: &Evidence<'_>) -> Result<(), Trouble> {
    if let Some(stopped) = &evidence.stopped {
        return Err(stopped.trouble);
    }
    let exit = match evidence.end {
        End::TimedOut | End::Cancelled | End::Limit(_) => return Err(Trouble::Killed),
        End::Exited(code) => Some(code),
        End::Signalled(_) => None,
    };
    let upstream = evidence.upstream.unwrap_or_default();
    match &evidence.account.said {
        Said::Done if exit == Some(0) => {
            return if upstream.truncated {
                Err(Trouble::Truncated)
            } else if is_empty(evidence) {
                Err(Trouble::Empty)
            } else {
                Ok(())
            };
        }
        Said::Quiet if exit == Some(0) => return quiet(evidence, upstream),
        Said::Failed { trouble: Some(own), .. } if is_its_own(*own) => return Err(*own),
        Said::Done | Said::Quiet | Said::Failed { .. } | Said::Nothing => {}
    }
    let told = match &evidence.account.said {
        Said::Failed { trouble, .. } => *trouble,
        Said::Done | Said::Quiet | Said::Nothing => None,
    };
    Err(upstream
        .trouble
        .or(told)
        .or_else(|| by_exit(evidence, exit))
        .or_else(|| by_words(evidence))
        .unwrap_or(match evidence.account.said {
            Said::Nothing => Trouble::Protocol,
            Said::Done | Said::Quiet | Said::Failed { .. } => Trouble::Failed,
        }))
}

/// It ended its turn, and would say the same after a failure: nobody may know of one.
fn quiet(evidence: &Evidence<'_>, upstream: Upstream) -> Result<(), Trouble> {
    let objection = upstream
        .trouble
        .or_else(|| upstream.truncated.then_some(Trouble::Truncated))
        .or_else(|| by_words(evidence))
        .or_else(|| is_empty(evidence).then_some(Trouble::Empty));
    objection.map_or(Ok(()), Err)
}

/// Neither words nor a change.
fn is_empty(evidence: &Evidence<'_>) -> bool {
    let account = &evidence.account;
    let silent = account.text.trim().is_empty() && account.structured.is_none();
    silent && evidence.changed == Some(false)
}

/// Of these an agent knows more than what it was answered last.
fn is_its_own(trouble: Trouble) -> bool {
    match trouble {
        Trouble::Limit
        | Trouble::Budget
        | Trouble::Truncated
        | Trouble::Killed
        | Trouble::ContextOverflow => true,
        Trouble::Auth
        | Trouble::Quota
        | Trouble::RateLimit
        | Trouble::Overloaded
        | Trouble::Server
        | Trouble::Network
        | Trouble::BadRequest
        | Trouble::Protocol
        | Trouble::Empty
        | Trouble::Failed => false,
    }
}

/// By the profile's table, or a signal, which shells tell as a number above 128.
fn by_exit(evidence: &Evidence<'_>, exit: Option<i32>) -> Option<Trouble> {
    let Some(code) = exit else { return Some(Trouble::Killed) };
    let signal = [130, 137, 143].contains(&code).then_some(Trouble::Killed);
    evidence.exits.get(&code).copied().or(signal)
}

fn by_words(evidence: &Evidence<'_>) -> Option<Trouble> {
    let failed = match &evidence.account.said {
        Said::Failed { words, .. } => words.as_str(),
        Said::Done | Said::Quiet | Said::Nothing => "",
    };
    let spoken = [failed, &evidence.account.noise, evidence.stderr];
    spoken.iter().find_map(|words| Pattern::find(evidence.patterns, words))
}

/// The class in words, and what it said itself.
fn why(trouble: Trouble, evidence: &Evidence<'_>) -> String {
    if let Some(stopped) = &evidence.stopped {
        return stopped.why.clone();
    }
    let own = match &evidence.account.said {
        Said::Failed { words, .. } => words.as_str().trim(),
        Said::Done | Said::Quiet | Said::Nothing => "",
    };
    let end = match evidence.end {
        End::Exited(0) => String::new(),
        End::Exited(code) => format!(" (exit code {code})"),
        End::Signalled(signal) => format!(" (signal {signal})"),
        End::TimedOut => " (it was still running at its time limit)".to_owned(),
        End::Cancelled => " (it was stopped)".to_owned(),
        End::Limit(limit) => format!(" ({limit})"),
    };
    let spoken = [own, evidence.stderr.trim(), evidence.account.noise.trim()];
    let words = spoken.iter().find(|words| !words.is_empty()).copied().unwrap_or_default();
    let words = text::tail(words, WHY_CHARS_MAX).trim();
    let colon = if words.is_empty() { "" } else { ": " };
    format!("{}{end}{colon}{words}", trouble.words())
}

#[cfg(test)]
mod tests;
