//! A timer went off: it asks, it never concludes.

use super::{Ignored, budget, walk};
use crate::pipeline::effect::Effect;
use crate::pipeline::event::Timer;
use crate::pipeline::run::Run;
use crate::pipeline::stage::{PEOPLE_MS, StageKind, Step};
use crate::pipeline::state::{Phase, Progress};

pub(super) fn decide(run: &mut Run<'_>, timer: Timer, entry: u32) -> Result<(), Ignored> {
    if timer == Timer::Lane {
        return lane(run);
    }
    if timer == Timer::Budget {
        return money(run);
    }
    let look_ms = match &run.state.progress {
        Progress::Running { phase: Phase::Waiting(wait), .. } => wait.look_ms,
        Progress::Running { phase: Phase::Parked(_), .. } => PEOPLE_MS,
        Progress::Running { phase: Phase::Doing(_), .. }
        | Progress::Idle
        | Progress::Finished { .. } => return Err(Ignored::Stale),
    };
    let waits = matches!(run.state.progress, Progress::Running { phase: Phase::Waiting(_), .. });
    if run.state.request.stories && waits {
        walk::go(run, Step::Back(StageKind::Accept));
        return Ok(());
    }
    // Before there is a pull request no look would tell that a hold has lasted long enough.
    let publishing = run.state.stage() == Some(StageKind::Publish);
    if publishing && waits && timer == Timer::Deadline {
        let step = StageKind::Publish.stage().seen(run);
        walk::turn(run, step);
        return Ok(());
    }
    if run.state.work.pull.is_some() {
        run.effects.push(Effect::Look);
    }
    match timer {
        Timer::Look => {
            let at = run.at.plus(look_ms.max(1_000));
            run.effects.push(Effect::Arm { timer: Timer::Look, entry, at });
        }
        // The look it asked for finds that the wait is over; until then, looks go on.
        Timer::Deadline | Timer::Lane | Timer::Budget => {}
    }
    Ok(())
}

/// The cap that was reached is renewed: whether there is room is asked before an agent goes on.
fn money(run: &mut Run<'_>) -> Result<(), Ignored> {
    if run.state.asks_again_at().is_none_or(|at| at > run.at) {
        return Err(Ignored::Stale);
    }
    budget::ask(run);
    Ok(())
}

/// The lane may be free: it is asked for, and whoever gets it looks first.
fn lane(run: &mut Run<'_>) -> Result<(), Ignored> {
    if run.state.waits_for_lane().is_none() {
        return Err(Ignored::Stale);
    }
    run.work().pause_until = None;
    walk::go(run, Step::Back(StageKind::Merge));
    Ok(())
}
