//! The gates with their verdicts and the commit each speaks for, and what was spent.

use super::{Context, commit_link};
use crate::gate::push::Violation;
use crate::gate::seen::PullState;
use crate::gate::{GateKind, Verdict, judge};
use crate::markdown;
use crate::model::sanitized::{Markdown, code, said};
use crate::model::text::cut;
use crate::pipeline::twin::Signing;
use crate::pipeline::{Outcome, Progress};

/// Most violations listed.
const VIOLATIONS_MAX: usize = 20;
/// Refused hosts that are named.
const HOSTS_MAX: usize = 5;
/// Longest name of a host shown, in characters.
const HOST_CHARS_MAX: usize = 100;

/// The verdicts on the newest commit; empty when nothing was seen of it, and after the end.
///
/// They are judged for the moment of the look and not for now, so that they change only when
/// something was seen.
pub(super) fn verdicts(context: &Context<'_>) -> Vec<(GateKind, Verdict)> {
    let state = context.state;
    let Progress::Running { .. } = &state.progress else { return Vec::new() };
    let Some(seen) = state.seen.as_deref() else { return Vec::new() };
    match seen.pull_state {
        PullState::Open => {}
        PullState::Closed | PullState::Merged { .. } => return Vec::new(),
    }
    state.facts(context.policy, seen.at).map(|facts| judge(&facts)).unwrap_or_default()
}

/// The table of gates, or what was proven at the end; `None` when there is nothing to show.
pub(super) fn table(context: &Context<'_>) -> Option<Markdown> {
    let rows = match context.state.finished() {
        Some(Outcome::Merged { commit, verified, .. }) => {
            let text = if *verified { "is the predicted tree" } else { "was not compared" };
            let mark = if *verified { "✅" } else { "➖" };
            let link = commit_link(context, commit);
            let landed = markdown!("| landed | {} | {} {} |\n", link, mark, text);
            markdown!("{}{}", verified_row(context), landed)
        }
        Some(Outcome::Stopped { .. } | Outcome::HandedOver { .. } | Outcome::Failed { .. }) => {
            return None;
        }
        None => gates(context)?,
    };
    Some(markdown!("| Gate | Commit | Verdict |\n|---|---|---|\n{}", rows.trimmed()))
}

fn gates(context: &Context<'_>) -> Option<Markdown> {
    let head = context.state.work.head.as_ref()?;
    let verdicts = verdicts(context);
    if verdicts.is_empty() {
        return None;
    }
    let link = commit_link(context, head);
    let mut rows = Markdown::default();
    for (gate, verdict) in verdicts {
        let mark = match &verdict {
            Verdict::Pass(_) => "✅",
            Verdict::Pending(_) => "⏳",
            Verdict::Fail(_) => "❌",
        };
        let (gate, link) = (gate.word(), link.clone());
        rows.push(&markdown!("| {} | {} | {} {} |\n", gate, link, mark, said(verdict.text())));
    }
    Some(rows)
}

/// What the gates cannot say: demands that only GitHub can judge, and a merge that somebody
/// else asked GitHub for.
pub(super) fn beside(context: &Context<'_>) -> Vec<Markdown> {
    let state = context.state;
    let mut lines = Vec::new();
    if state.finished().is_none() {
        lines.extend(signing(context));
    }
    let Some(seen) = state.seen.as_deref().filter(|_| state.finished().is_none()) else {
        return lines;
    };
    if !seen.rules.demands.is_empty() {
        let all: Vec<Markdown> = seen.rules.demands.iter().map(|demand| said(demand)).collect();
        let text = "Slipway cannot judge that; GitHub's answer to the merge will.";
        let all = Markdown::joined(&all, ", ");
        lines.push(markdown!("The branch's rules also ask for {}. {}", all, text));
    }
    if let Some(by) = seen.auto_merge.as_ref().filter(|_| state.work.standing.is_none()) {
        let text = "has turned on auto-merge; Slipway leaves that alone, so GitHub may merge \
                    before every gate here passes.";
        lines.push(markdown!("{} {}", said(by), text));
    }
    lines
}

/// What the head touches that one more person must approve; `None` when there is nothing.
pub(super) fn delicate(context: &Context<'_>) -> Option<Markdown> {
    let work = &context.state.work;
    let judged = work.judged.as_ref().filter(|judged| work.head.as_ref() == Some(&judged.head))?;
    if judged.delicate.is_empty() || context.state.finished().is_some() {
        return None;
    }
    let ask = "**One more person must approve this commit** because of what it touches:";
    Some(markdown!("{}\n\n{}", ask, violations(&judged.delicate)))
}

/// What the push gate found, one in each line with its place and its rule.
pub(super) fn violations(found: &[Violation]) -> Markdown {
    let line = |one: &Violation| {
        let at = one.line.map(|line| markdown!(", line {}", line)).unwrap_or_default();
        markdown!("- {}{} (rule: {})", said(&one.why), at, one.rule.word())
    };
    let mut lines: Vec<Markdown> = found.iter().take(VIOLATIONS_MAX).map(line).collect();
    let more = found.len().saturating_sub(VIOLATIONS_MAX);
    if more > 0 {
        lines.push(markdown!("- and {} more", more));
    }
    Markdown::joined(&lines, "\n")
}

/// How the published head came to its branch, where the policy wants GitHub's signature.
fn signing(context: &Context<'_>) -> Option<Markdown> {
    let work = &context.state.work;
    let head = work.published.as_ref().filter(|head| work.head.as_ref() == Some(head))?;
    let link = commit_link(context, head);
    Some(match work.signing.as_ref()? {
        Signing::Signed(_) => {
            let text = "its tree is the one that was verified before.";
            markdown!("GitHub made and signed {}; {}", link, text)
        }
        Signing::Pushed { why } => {
            markdown!("{} was pushed without GitHub's signature: {}.", link, said(why))
        }
    })
}

/// What agents asked for in vain: somebody may want to allow it.
pub(super) fn refused_hosts(context: &Context<'_>) -> Option<Markdown> {
    let refused = &context.state.work.refused_hosts;
    if refused.is_empty() {
        return None;
    }
    let shown = refused.iter().take(HOSTS_MAX).map(|host| code(&cut(host, HOST_CHARS_MAX)));
    let shown = Markdown::joined(&shown.collect::<Vec<_>>(), ", ");
    let more = refused.len().saturating_sub(HOSTS_MAX);
    let more = if more == 0 { Markdown::default() } else { markdown!(" and {} more", more) };
    let text = "and was refused: its `hosts` do not name this. Whoever runs Slipway can add what \
                it needs.";
    Some(markdown!("The agent asked for {}{} {}", shown, more, text))
}

fn verified_row(context: &Context<'_>) -> Markdown {
    let Some(verified) = &context.state.work.verified else { return Markdown::default() };
    let link = commit_link(context, verified);
    markdown!("| verification | {} | ✅ the repository's commands passed |\n", link)
}

/// What was spent and tried, as one line of counters.
pub(super) fn counters(context: &Context<'_>) -> Markdown {
    let counts = &context.state.counts;
    let limits = &context.policy.limits;
    let mut parts = vec![markdown!("agent calls {}", counts.agent_calls)];
    for (what, given, max) in [
        ("fix rounds", counts.fix_rounds, limits.fix_rounds_max),
        ("resolve rounds", counts.resolve_rounds, limits.resolve_rounds_max),
        ("review rounds", counts.review_rounds, limits.review_rounds_max),
        ("critique rounds", context.state.work.critic.rounds, limits.critique_rounds_max),
        ("updates", counts.update_rounds, limits.update_rounds_max),
    ] {
        if given > 0 {
            parts.push(markdown!("{} {} of {}", what, given, max));
        }
    }
    if !counts.reruns.is_empty() {
        parts.push(markdown!("reruns {}", counts.reruns.len()));
    }
    parts.extend(super::budget::cost(context));
    Markdown::joined(&parts, " · ")
}
