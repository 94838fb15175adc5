//! What people see of the money of a run: what it cost, and that a cap comes near.

use super::Context;
use crate::markdown;
use crate::model::dollars;
use crate::model::sanitized::{Markdown, said};

/// What it cost, beside what it may where that is known; `None` when nothing was spent.
pub(super) fn cost(context: &Context<'_>) -> Option<Markdown> {
    let counted = context.state.counts.cost_micros;
    let amount = |micros| said(&dollars(micros));
    match context.state.budget.spending {
        Some(spending) if spending.used > 0 => Some(match spending.cap {
            Some(cap) => markdown!("cost {} of {}", amount(spending.used), amount(cap)),
            None => markdown!("cost {}", amount(spending.used)),
        }),
        Some(_) | None if counted > 0 => Some(markdown!("cost {}", amount(counted))),
        Some(_) | None => None,
    }
}

/// That most of a cap is spent, while the run goes on; whole sentences.
pub(super) fn warning(context: &Context<'_>) -> Markdown {
    let state = context.state;
    let live = state.finished().is_none();
    let near = state.budget.spending.filter(|_| live).and_then(|spending| spending.near);
    let Some(near) = near else { return Markdown::default() };
    let next = if near.scope.is_raisable() {
        markdown!("`/budget +5` lets it spend so many dollars more for seven days.")
    } else {
        markdown!("Whoever runs Slipway can raise it.")
    };
    let percent = u128::from(near.spent) * 100 / u128::from(near.cap.max(1));
    let amount = |micros| said(&dollars(micros));
    markdown!(
        "⚠️ {} may spend {} and has spent {}, {} % of it; a call that does not fit is not made. {}",
        said(&capital(near.scope.words())),
        amount(near.cap),
        amount(near.spent),
        said(&percent.to_string()),
        next
    )
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// How long a parked run waits; whole sentences.
pub(super) fn ahead(context: &Context<'_>) -> String {
    match context.state.asks_again_at() {
        Some(at) => format!(
            "At {} Slipway asks by itself whether there is room, and goes on if there is; nothing \
             is spent meanwhile.",
            at.readable()
        ),
        None => "There is no time limit, and nothing is spent meanwhile.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::super::{Links, issue_comment, pull_comment};
    use super::*;
    use crate::model::Millis;
    use crate::model::budget::{Full, Near, Scope, Spending, Used};
    use crate::pipeline::stage::Role;
    use crate::pipeline::{Park, ParkReason, Phase, Short, StageKind, State, Task};
    use crate::policy::Policy;
    use crate::policy::wrapped::wrapped;

    fn spent(scope: Scope, spent: u64, cap: u64) -> Spending {
        let near = (spent * 5 >= cap * 4).then_some(Near { scope, cap, spent });
        Spending { used: spent, cap: Some(cap), near }
    }

    fn said(state: &State) -> String {
        let (policy, links) = (Policy::default(), Links::default());
        issue_comment(&Context::new(state, &policy, &links)).as_str().to_owned()
    }

    #[test]
    fn the_comment_says_what_was_spent_of_what_and_warns_before_the_end() {
        let mut state = sample::building();
        assert!(said(&state).contains("· cost $0.13"), "{}", said(&state));
        state.budget.spending = Some(spent(Scope::Run, 300_000, 2_000_000));
        assert!(said(&state).contains("· cost $0.30 of $2.00"), "{}", said(&state));
        assert!(!said(&state).contains('%'));
        state.budget.spending = Some(spent(Scope::Run, 1_700_000, 2_000_000));
        let warned = said(&state);
        let line = warned.lines().find(|line| line.contains('%')).unwrap_or_default();
        insta::assert_snapshot!(wrapped(line, 60), @"
        ⚠️ This run may spend $2.00 and has spent $1.70, 85 % of it;
        a call that does not fit is not made. `/budget +5` lets it
        spend so many dollars more for seven days.
        ");
        state.budget.spending = Some(spent(Scope::Day, 1_700_000, 2_000_000));
        assert!(said(&state).contains("Whoever runs Slipway can raise it."));
    }

    #[test]
    fn a_run_without_money_says_why_and_what_moves_it() {
        let used = Used { spent: 1_900_000, reserved: 0 };
        let full = Full {
            scope: Scope::Day,
            cap: 2_000_000,
            kept: 0,
            used,
            asked: 150_000,
            renews: Some(Millis(1_800_057_600_000)),
        };
        let text = full.words();
        let park = Park { why: ParkReason::CapReached, text };
        let mut state = sample::published(StageKind::Ci, Phase::Parked(park));
        let short = Short { role: Role::Fixer, round: 1, full, left: None };
        state.budget.short = Some(Box::new(short));
        let (policy, links) = (Policy::default(), Links::default());
        let context = Context::new(&state, &policy, &links);
        let comment = pull_comment(&context);
        let told: Vec<&str> = comment.as_str().lines().skip(2).take(5).collect();
        insta::assert_snapshot!(wrapped(&told.join("\n"), 60), @"
        **Slipway needs a person: everything here together on this
        day may spend $2.00 and has used $1.90; the next call may
        cost up to $0.15.**

        Since 2026-11-21 14:06 UTC. At 2027-01-16 00:00 UTC Slipway
        asks by itself whether there is room, and goes on if there
        is; nothing is spent meanwhile.

        Whoever runs Slipway can raise it; then comment `/retry`. Or
        `/stop`.
        ");
        let asking = sample::running(StageKind::Ci, Phase::Doing(Task::Afford));
        assert!(super::super::line(&asking).contains("asking whether there is money to go on"));
    }
}
