//! CI: wait for checks, run flaky ones once more, have failures fixed, never pass on nothing.

use super::{Done, Run, Stage, StageKind, Step, Task, repair};
use crate::gate::checks::{RollUp, base_is_red, roll_up};
use crate::gate::seen::Check;
use crate::gate::{GateKind, rerun_key};
use crate::model::Millis;
use crate::pipeline::park::ParkReason;
use crate::pipeline::state::Complaint;

/// Checks run again during one run, in all (merge facts, I10).
const RERUNS_MAX: usize = 3;
/// Hours to wait for somebody to repair a red base.
const RED_BASE_HOURS_MAX: i64 = 4;

#[derive(Debug)]
pub(super) struct Ci;

impl Stage for Ci {
    fn doing(&self) -> &'static str {
        "is getting CI green"
    }

    fn enter(&self, run: &mut Run<'_>) -> Step {
        if let Some(step) = super::moved(run) {
            return step;
        }
        let Some(facts) = run.state.facts(run.policy, run.at) else {
            return super::wait_to_see(run);
        };
        let rolled = roll_up(&facts);
        let required = facts.seen.rules.required.clone();
        let on_base = match &rolled {
            RollUp::Red(failed) => base_is_red(&facts, failed),
            RollUp::Green
            | RollUp::Accepted
            | RollUp::Running(_)
            | RollUp::Missing(_)
            | RollUp::Settling
            | RollUp::Nothing
            | RollUp::Aborted(_)
            | RollUp::NeedsPerson(_)
            | RollUp::Shrunk(_) => false,
        };
        run.work().required.extend(required);
        match rolled {
            RollUp::Green => green(run),
            RollUp::Accepted => Step::Next,
            RollUp::Red(_) if on_base => red_base(run),
            // The base moved, perhaps to repair just this: nobody is paid before that is known.
            RollUp::Red(_) if is_old(run) => Step::Back(StageKind::Conflicts),
            RollUp::Red(failed) => red(run, failed),
            RollUp::Aborted(checks) => aborted(run, &checks),
            RollUp::NeedsPerson(names) => {
                let text = format!("{} waits for a person on GitHub", names.join(", "));
                super::park(ParkReason::CheckNeedsPerson, text)
            }
            RollUp::Shrunk(names) => {
                let text = format!("{} is no longer required for this branch", names.join(", "));
                super::park(ParkReason::RulesChanged, text)
            }
            RollUp::Running(names) => {
                let minutes = run.policy.limits.ci_minutes_max;
                let what = format!("CI ({})", names.join(", "));
                until(run, what, minutes, ParkReason::CiTooLong)
            }
            RollUp::Missing(names) => {
                let minutes = run.policy.limits.ci_start_minutes_max;
                let what = format!("{} to start", names.join(", "));
                until(run, what, minutes, ParkReason::NeverStarted)
            }
            RollUp::Nothing => {
                let minutes = run.policy.limits.ci_start_minutes_max;
                until(run, "a first check".to_owned(), minutes, ParkReason::NoChecks)
            }
            RollUp::Settling => {
                let end = published(run).plus(quiet_ms(run));
                let then = "what is green counts as everything";
                super::wait("more checks to appear".to_owned(), Some((end, then)), super::LOOK_MS)
            }
        }
    }

    fn done(&self, run: &mut Run<'_>, done: &Done) -> Step {
        match done {
            Done::Reran => super::wait_to_see(run),
            Done::Undrafted => {
                super::undrafted(run);
                run.work().retried_at = Some(run.at);
                self.enter(run)
            }
            Done::Failed { .. } if reruns_out(run) => {
                not_rerun(run);
                super::wait_to_see(run)
            }
            other => repair::done(run, StageKind::Ci, other),
        }
    }
}

/// The head must be merged with the base's newest commit before it may land anyway.
fn is_old(run: &Run<'_>) -> bool {
    let facts = run.state.facts(run.policy, run.at);
    facts.is_some_and(|facts| !GateKind::Freshness.judge(&facts).passed())
}

fn published(run: &Run<'_>) -> Millis {
    run.state.work.published_at.unwrap_or(run.at)
}

fn reruns_out(run: &Run<'_>) -> bool {
    matches!(run.state.task(), Some(Task::Rerun { .. }))
}

/// GitHub runs nothing again: the results we have are the last word on this head.
fn not_rerun(run: &mut Run<'_>) {
    let Some(head) = run.state.work.head.clone() else { return };
    let suffix = rerun_key("", &head);
    for (_, stamp) in run.counts().reruns.iter_mut().filter(|(key, _)| key.ends_with(&suffix)) {
        stamp.clear();
    }
}

fn quiet_ms(run: &Run<'_>) -> i64 {
    i64::from(run.policy.limits.ci_quiet_seconds) * 1_000
}

/// Waits until `minutes` after publishing or the last `/retry`, then asks a person for `reason`.
fn until(run: &Run<'_>, what: String, minutes: u32, reason: ParkReason) -> Step {
    let end = super::patience(run).plus(i64::from(minutes) * 60_000);
    // Many workflows leave drafts alone; whether this one does is seen once it is none.
    let silent = matches!(reason, ParkReason::NoChecks | ParkReason::NeverStarted);
    if run.at >= end
        && silent
        && let Some(step) = super::undraft(run)
    {
        return step;
    }
    if run.at >= end {
        let text = if reason == ParkReason::NoChecks {
            "no check and no rule speaks for this commit, so nothing proves it".to_owned()
        } else if reason == ParkReason::NeverStarted {
            format!(
                "still waiting for {what} after {minutes} minutes; look at the workflow's \
                 triggers and path filters"
            )
        } else {
            format!("still waiting for {what} after {minutes} minutes")
        };
        return super::park(reason, text);
    }
    super::wait(what, Some((end, "it asks you what to do")), super::LOOK_MS)
}

/// Green after a rerun means that the check is flaky; people should know.
fn green(run: &mut Run<'_>) -> Step {
    let head = run.state.work.head.clone();
    let again: Vec<String> = head
        .iter()
        .flat_map(|head| {
            let suffix = rerun_key("", head);
            run.state
                .counts
                .reruns
                .keys()
                .filter_map(move |key| key.strip_suffix(suffix.as_str()).map(str::to_owned))
        })
        .collect();
    run.counts().flaky.extend(again);
    Step::Next
}

fn red_base(run: &Run<'_>) -> Step {
    let end = super::patience(run).plus(RED_BASE_HOURS_MAX * 3_600_000);
    let what = "the base branch to be repaired: it fails in the same way".to_owned();
    if run.at >= end {
        return super::park(ParkReason::CiTooLong, format!("still waiting for {what}"));
    }
    super::wait(what, Some((end, "it asks you what to do")), super::LOOK_MS)
}

/// A failure is run again once before an agent is paid to look at it.
fn red(run: &mut Run<'_>, failed: Vec<Check>) -> Step {
    if let Some(step) = rerun(run, &failed) {
        return step;
    }
    let mut signatures: Vec<&str> = failed
        .iter()
        .map(|check| check.signature.as_deref().unwrap_or(check.name.as_str()))
        .collect();
    signatures.sort_unstable();
    let signature = format!("ci:{}", signatures.join("+"));
    repair::fix(run, Complaint::Checks { failed }, &signature)
}

fn aborted(run: &mut Run<'_>, checks: &[Check]) -> Step {
    if let Some(step) = rerun(run, checks) {
        return step;
    }
    let names: Vec<&str> = checks.iter().map(|check| check.name.as_str()).collect();
    let text = format!("{} was cut short twice", names.join(", "));
    super::park(ParkReason::CheckNeedsPerson, text)
}

/// Runs again what was not run again on this head yet, while the budget lasts.
fn rerun(run: &mut Run<'_>, checks: &[Check]) -> Option<Step> {
    let head = run.state.work.head.clone()?;
    let counts = run.counts();
    let fresh: Vec<&Check> = checks
        .iter()
        .filter(|check| !counts.reruns.contains_key(&rerun_key(&check.name, &head)))
        .collect();
    let all_new = fresh.len() == checks.len();
    if !all_new || counts.reruns.len() + fresh.len() > RERUNS_MAX {
        return None;
    }
    let ids: Vec<_> = fresh.iter().filter_map(|check| check.id).collect();
    if ids.len() != fresh.len() {
        return None;
    }
    for check in fresh {
        counts.reruns.insert(rerun_key(&check.name, &head), check.stamp.clone());
    }
    Some(Step::Do(Task::Rerun { checks: ids }))
}
