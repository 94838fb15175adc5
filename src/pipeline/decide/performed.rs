//! What follows when a task ended: its stage hears how.

use super::{Ignored, budget, lost, observed, question, walk};
use crate::pipeline::budget::Unfinished;
use crate::pipeline::event::Told;
use crate::pipeline::run::Run;
use crate::pipeline::salvage::Salvage;
use crate::pipeline::stage::{Done, Step, Task};
use crate::pipeline::state::{Outcome, Phase, Progress};

/// Keeps what an agent had made that failed, until another one has ended; what was kept before is
/// kept on where this one had made nothing.
fn salvage(run: &mut Run<'_>, done: &Done, told: &Told, before: Option<Unfinished>) {
    if !matches!(run.state.task(), Some(Task::Agent { .. })) {
        return;
    }
    let failed = matches!(done, Done::AgentFailed { .. });
    let left = told.salvaged.clone().or(before).filter(|_| failed);
    let on = run.state.work.head.clone();
    run.work().salvage = left.map(|left| Box::new(Salvage { on, left }));
}

/// Hosts told in the report; more only say the same.
const REFUSED_HOSTS_MAX: usize = 20;

pub(super) fn decide(run: &mut Run<'_>, done: &Done, told: &Told) -> Result<(), Ignored> {
    let stage = match &run.state.progress {
        Progress::Running { stage, phase: Phase::Doing(_), .. } => *stage,
        Progress::Running { .. } | Progress::Idle | Progress::Finished { .. } => {
            return Err(Ignored::Stale);
        }
    };
    for host in &told.refused_hosts {
        if run.state.work.refused_hosts.len() < REFUSED_HOSTS_MAX {
            run.state.work.refused_hosts.insert(host.clone());
        }
    }
    run.state.budget.spending = told.spending.or(run.state.budget.spending);
    if matches!(run.state.task(), Some(Task::Agent { .. })) {
        run.state.work.stood_in.clone_from(&told.stood_in);
    }
    if told.preview.is_some() {
        run.state.work.preview.clone_from(&told.preview);
    }
    let heard = question::heard(run, budget::heard(run, done));
    let done = &*heard;
    let before = question::over(run);
    salvage(run, done, told, before.clone());
    let about = budget::ended(run, done, before.as_ref());
    if let Some(step) = about.or_else(|| question::ended(run, done, before)) {
        walk::go(run, step);
        return Ok(());
    }
    if let (Done::Ready(seen), Some(Task::Ready { base })) = (done, run.state.task()) {
        run.state.work.lane = Some(base.clone());
        if let Some(step) = observed::ready(run, seen) {
            walk::go(run, step);
            return Ok(());
        }
    }
    if let Done::Leaked { why, cost_micros } = done {
        run.counts().cost_micros += cost_micros;
        let why = format!(
            "Stopped with an alarm: {why}. Nothing of it was kept or pushed; somebody should look \
             at how it came into the sandbox before anything else runs here."
        );
        walk::go(run, Step::Finish(Outcome::Failed { why }));
        return Ok(());
    }
    if let Done::Lost { people } = done {
        let step = lost::lost(run, people);
        walk::go(run, step);
        return Ok(());
    }
    let step = stage.stage().done(run, done);
    walk::go(run, step);
    Ok(())
}
