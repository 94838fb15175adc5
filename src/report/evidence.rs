//! The gates with their verdicts and the commit each speaks for, and what was spent.

use std::fmt::Write as _;

use super::words::said;
use super::{Context, commit_link};
use crate::gate::push::Violation;
use crate::gate::seen::PullState;
use crate::gate::{GateKind, Verdict, judge};
use crate::model::text::cut;
use crate::pipeline::twin::Signing;
use crate::pipeline::{Outcome, Progress};

/// Most violations listed.
const VIOLATIONS_MAX: usize = 20;
/// Refused hosts that are named.
const HOSTS_MAX: usize = 5;

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
pub(super) fn table(context: &Context<'_>) -> Option<String> {
    let rows = match context.state.finished() {
        Some(Outcome::Merged { commit, verified, .. }) => {
            let text = if *verified { "is the predicted tree" } else { "was not compared" };
            let mark = if *verified { "✅" } else { "➖" };
            let landed = format!("| landed | {} | {mark} {text} |\n", commit_link(context, commit));
            format!("{}{landed}", verified_row(context))
        }
        Some(Outcome::Stopped { .. } | Outcome::HandedOver { .. } | Outcome::Failed { .. }) => {
            return None;
        }
        None => gates(context)?,
    };
    Some(format!("| Gate | Commit | Verdict |\n|---|---|---|\n{}", rows.trim_end()))
}

fn gates(context: &Context<'_>) -> Option<String> {
    let head = context.state.work.head.as_ref()?;
    let verdicts = verdicts(context);
    if verdicts.is_empty() {
        return None;
    }
    let link = commit_link(context, head);
    let mut rows = String::new();
    for (gate, verdict) in verdicts {
        let mark = match &verdict {
            Verdict::Pass(_) => "✅",
            Verdict::Pending(_) => "⏳",
            Verdict::Fail(_) => "❌",
        };
        _ = writeln!(rows, "| {} | {link} | {mark} {} |", gate.word(), said(verdict.text()));
    }
    Some(rows)
}

/// What the gates cannot say: demands that only GitHub can judge, and a merge that somebody
/// else asked GitHub for.
pub(super) fn beside(context: &Context<'_>) -> Vec<String> {
    let state = context.state;
    let mut lines = Vec::new();
    if state.finished().is_none() {
        lines.extend(signing(context));
    }
    let Some(seen) = state.seen.as_deref().filter(|_| state.finished().is_none()) else {
        return lines;
    };
    if !seen.rules.demands.is_empty() {
        let all: Vec<String> = seen.rules.demands.iter().map(|demand| said(demand)).collect();
        lines.push(format!(
            "The branch's rules also ask for {}. Slipway cannot judge that; GitHub's answer to \
             the merge will.",
            all.join(", ")
        ));
    }
    if let Some(by) = seen.auto_merge.as_ref().filter(|_| state.work.standing.is_none()) {
        lines.push(format!(
            "{} has turned on auto-merge; Slipway leaves that alone, so GitHub may merge before \
             every gate here passes.",
            said(by)
        ));
    }
    lines
}

/// What the head touches that one more person must approve; `None` when there is nothing.
pub(super) fn delicate(context: &Context<'_>) -> Option<String> {
    let work = &context.state.work;
    let judged = work.judged.as_ref().filter(|judged| work.head.as_ref() == Some(&judged.head))?;
    if judged.delicate.is_empty() || context.state.finished().is_some() {
        return None;
    }
    let list = violations(&judged.delicate);
    Some(format!(
        "**One more person must approve this commit** because of what it touches:\n\n{list}"
    ))
}

/// What the push gate found, one in each line with its place and its rule.
pub(super) fn violations(found: &[Violation]) -> String {
    let mut lines: Vec<String> = found
        .iter()
        .take(VIOLATIONS_MAX)
        .map(|one| {
            let at = one.line.map(|line| format!(", line {line}")).unwrap_or_default();
            format!("- {}{at} (rule: {})", said(&one.why), one.rule.word())
        })
        .collect();
    let more = found.len().saturating_sub(VIOLATIONS_MAX);
    if more > 0 {
        lines.push(format!("- and {more} more"));
    }
    lines.join("\n")
}

/// How the published head came to its branch, where the policy wants GitHub's signature.
fn signing(context: &Context<'_>) -> Option<String> {
    let work = &context.state.work;
    let head = work.published.as_ref().filter(|head| work.head.as_ref() == Some(head))?;
    let link = commit_link(context, head);
    Some(match work.signing.as_ref()? {
        Signing::Signed(_) => {
            format!("GitHub made and signed {link}; its tree is the one that was verified before.")
        }
        Signing::Pushed { why } => {
            format!("{link} was pushed without GitHub's signature: {}.", said(why))
        }
    })
}

/// What agents asked for in vain: somebody may want to allow it.
pub(super) fn refused_hosts(context: &Context<'_>) -> Option<String> {
    let refused = &context.state.work.refused_hosts;
    if refused.is_empty() {
        return None;
    }
    let shown: Vec<String> =
        refused.iter().take(HOSTS_MAX).map(|host| format!("`{}`", cut(host, 100))).collect();
    let more = refused.len().saturating_sub(HOSTS_MAX);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    Some(format!(
        "The agent asked for {}{more} and was refused: its `hosts` do not name this. Whoever runs \
         Slipway can add what it needs.",
        shown.join(", ")
    ))
}

fn verified_row(context: &Context<'_>) -> String {
    let Some(verified) = &context.state.work.verified else { return String::new() };
    let link = commit_link(context, verified);
    format!("| verification | {link} | ✅ the repository's commands passed |\n")
}

/// What was spent and tried, as one line of counters.
pub(super) fn counters(context: &Context<'_>) -> String {
    let counts = &context.state.counts;
    let limits = &context.policy.limits;
    let mut parts = vec![format!("agent calls {}", counts.agent_calls)];
    for (what, given, max) in [
        ("fix rounds", counts.fix_rounds, limits.fix_rounds_max),
        ("resolve rounds", counts.resolve_rounds, limits.resolve_rounds_max),
        ("review rounds", counts.review_rounds, limits.review_rounds_max),
        ("updates", counts.update_rounds, limits.update_rounds_max),
    ] {
        if given > 0 {
            parts.push(format!("{what} {given} of {max}"));
        }
    }
    if !counts.reruns.is_empty() {
        parts.push(format!("reruns {}", counts.reruns.len()));
    }
    parts.extend(super::budget::cost(context));
    parts.join(" · ")
}
