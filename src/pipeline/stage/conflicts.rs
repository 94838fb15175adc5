//! Conflicts: keep the head mergeable and fresh, found in our own mirror before CI is awaited.

use super::{Done, Role, Run, Stage, StageKind, Step, Task, repair};
use crate::gate::{GateKind, Verdict};
use crate::model::CommitSha;
use crate::pipeline::park::ParkReason;
use crate::pipeline::state::Outcome;
use crate::policy::UpdateWith;

/// Minutes GitHub may take to show a commit that git already has.
const LAG_MINUTES_MAX: i64 = 30;

#[derive(Debug)]
pub(super) struct Conflicts;

impl Stage for Conflicts {
    fn doing(&self) -> &'static str {
        "is keeping the change mergeable"
    }

    fn enter(&self, run: &mut Run<'_>) -> Step {
        if let Some(step) = super::update::awaited(run) {
            return step;
        }
        let Some(facts) = run.state.facts(run.policy, run.at) else {
            return super::wait_to_see(run);
        };
        let verdicts = [GateKind::Head, GateKind::Conflicts, GateKind::Freshness]
            .map(|gate| (gate, gate.judge(&facts)));
        let base_tip = facts.seen.base_tip.clone();
        let head = facts.head.clone();
        for (gate, verdict) in verdicts {
            match (gate, verdict) {
                (_, Verdict::Pass(_)) => {}
                (GateKind::Head, Verdict::Pending(why) | Verdict::Fail(why)) => {
                    return lag(run, why);
                }
                (GateKind::Conflicts, Verdict::Fail(why)) => return resolve(run, &why),
                (GateKind::Freshness, Verdict::Fail(_)) => {
                    return update(run, head, base_tip);
                }
                (_, Verdict::Pending(_) | Verdict::Fail(_)) => return super::wait_to_see(run),
            }
        }
        Step::Next
    }

    fn done(&self, run: &mut Run<'_>, done: &Done) -> Step {
        changed(run, StageKind::Conflicts, done)
    }
}

/// An update or an agent of `stage` ended.
pub(super) fn changed(run: &mut Run<'_>, stage: StageKind, done: &Done) -> Step {
    match done {
        // Nobody tried anything: the same tree as before only means that the base brought
        // what the head had.
        Done::Changed { head, tree, .. } if updates(run) => {
            run.counts().trees.insert(tree.clone());
            run.work().head = Some(head.clone());
            Step::Back(StageKind::Verify)
        }
        Done::UpdateAsked(answer) => super::update::asked(run, answer),
        Done::Recognised { head, tree } => super::update::recognised(run, head, tree),
        Done::Diverged { remote: Some(remote) } => {
            super::adopt(run, remote.clone());
            Step::Back(StageKind::Verify)
        }
        Done::Diverged { remote: None } => {
            let why = "The branch was deleted on GitHub.".to_owned();
            Step::Finish(Outcome::Stopped { why })
        }
        // Nothing was asked for, or nobody knows: the branch shows.
        Done::Failed { .. } if asks(run) => Step::Back(StageKind::Conflicts),
        other => repair::done(run, stage, other),
    }
}

fn asks(run: &Run<'_>) -> bool {
    matches!(run.state.task(), Some(Task::AskUpdate { .. }))
}

fn updates(run: &Run<'_>) -> bool {
    matches!(run.state.task(), Some(Task::Update { .. }))
}

fn lag(run: &Run<'_>, why: String) -> Step {
    let until = super::patience(run).plus(LAG_MINUTES_MAX * 60_000);
    if run.at >= until {
        return super::park(ParkReason::HeadLag, why);
    }
    let what = format!("GitHub and git to show our commit: {why}");
    super::wait(what, Some((until, "it asks you what to do")), super::LOOK_MS)
}

fn resolve(run: &mut Run<'_>, why: &str) -> Step {
    let max = run.policy.limits.resolve_rounds_max;
    let counts = run.counts();
    if counts.resolve_rounds >= max {
        let text = format!("{why}, and all {max} resolve rounds are used up");
        return super::park(ParkReason::ConflictStuck, text);
    }
    counts.resolve_rounds += 1;
    counts.agent_calls += 1;
    let round = counts.resolve_rounds;
    Step::Do(Task::Agent { role: Role::Resolver, round })
}

pub(super) fn update(run: &mut Run<'_>, head: CommitSha, base: CommitSha) -> Step {
    let max = run.policy.limits.update_rounds_max;
    let counts = run.counts();
    if counts.update_rounds >= max {
        let text = format!("the base moved {max} times while CI ran");
        return super::park(ParkReason::BaseRace, text);
    }
    counts.update_rounds += 1;
    match run.policy.update_with {
        UpdateWith::Slipway => Step::Do(Task::Update { head, base }),
        UpdateWith::Github => super::update::ask(run, head, base),
    }
}
