//! From effects to jobs: keys that make repeating harmless, moments, and what counts as heavy.

use super::settings::Limits;
use crate::command::Authorized;
use crate::model::{Millis, RunId};
use crate::pipeline::{Effect, Phase, Progress, State, Task, Timer};
use crate::store::{Heavy, JobKey, JobKind, NewJob, OnRepeat};

/// Stories that end together are read once.
const NUDGE_MS: i64 = 1_000;

/// The jobs `effects` ask for, and a report of what they leave.
pub(super) fn of(state: &State, effects: &[Effect], now: Millis, limits: &Limits) -> Vec<NewJob> {
    let mut jobs: Vec<NewJob> =
        effects.iter().filter_map(|effect| job(state, effect, now, limits)).collect();
    if let Some(due) = report_due(state, now, limits) {
        jobs.push(report(&state.request.run, due));
    }
    jobs
}

fn job(state: &State, effect: &Effect, now: Millis, limits: &Limits) -> Option<NewJob> {
    let run = &state.request.run;
    match effect {
        Effect::Perform { entry, task } => Some(perform(state, *entry, task, now, limits)),
        Effect::Look => Some(look(run, now)),
        Effect::Arm { timer, entry, at } => Some(NewJob {
            key: match timer {
                Timer::Look => JobKey(format!("{run}/timer/look")),
                Timer::Deadline => JobKey(format!("{run}/timer/deadline")),
                Timer::Lane => JobKey::lane(run),
                Timer::Budget => JobKey(format!("{run}/timer/budget")),
            },
            kind: JobKind::Timer { run: run.clone(), entry: *entry, timer: *timer },
            due: match timer {
                Timer::Look => (*at).min(now.plus(limits.look_ms_max)),
                Timer::Deadline | Timer::Lane | Timer::Budget => *at,
            },
            on_repeat: OnRepeat::Replace,
            heavy: None,
        }),
        Effect::Answer { to, answer } => Some(NewJob {
            key: JobKey(format!("{run}/answer/{to}")),
            kind: JobKind::Answer {
                installation: state.request.installation,
                repo: state.request.repo.clone(),
                issue: state.request.issue,
                to: *to,
                answer: answer.clone(),
            },
            due: now,
            on_repeat: OnRepeat::Keep,
            heavy: None,
        }),
        Effect::Relay { to, command } => Some(NewJob {
            key: JobKey(format!("{to}/relay/{run}/{}", command.command().spec().word)),
            kind: JobKind::Command { run: to.clone(), command: command.clone() },
            due: now,
            on_repeat: OnRepeat::Keep,
            heavy: None,
        }),
        Effect::Cancel { .. } | Effect::Release { .. } => None,
    }
}

fn perform(state: &State, entry: u32, task: &Task, now: Millis, limits: &Limits) -> NewJob {
    let run = &state.request.run;
    let repo = state.request.repo.clone();
    let (heavy, due) = match task {
        Task::Agent { role, .. } => {
            // The model is no part of the name that bounds how many run at once.
            let agent = state.request.agent_of(*role);
            let agent = agent.map(|name| name.split(':').next().unwrap_or(name).to_owned());
            (Some(Heavy { repo, agent }), now)
        }
        Task::Verify { .. } => (Some(Heavy { repo, agent: None }), now),
        // The first read comes at once; reads that must agree are some seconds apart.
        Task::Settle { .. } if state.counts.settle_reads > 1 => {
            (None, now.plus(limits.settle_gap_ms))
        }
        // So are tries to take back what GitHub was asked.
        Task::Leave { .. } if state.work.standing.as_ref().is_some_and(|one| one.tries > 1) => {
            (None, now.plus(limits.settle_gap_ms))
        }
        Task::Settle { .. }
        | Task::Enlist { .. }
        | Task::Leave { .. }
        | Task::Compare { .. }
        | Task::Accept { .. }
        | Task::Afford
        | Task::Show { .. }
        | Task::Publish { .. }
        | Task::Update { .. }
        | Task::AskUpdate { .. }
        | Task::Recognise { .. }
        | Task::Rerun { .. }
        | Task::Undraft { .. }
        | Task::Stories { .. }
        | Task::Ready { .. }
        | Task::Merge(_)
        | Task::Land { .. }
        | Task::Close { .. } => (None, now),
    };
    NewJob {
        key: JobKey(format!("{run}/{entry}")),
        kind: JobKind::Perform { run: run.clone(), entry, task: task.clone() },
        due,
        on_repeat: OnRepeat::Keep,
        heavy,
    }
}

/// When people shall see where the run is. What passes in a moment is not shown: the phase
/// after it is.
fn report_due(state: &State, now: Millis, limits: &Limits) -> Option<Millis> {
    // The first word comes at once, and so does the check run of every head.
    if state.entry <= 1 || state.work.published_at == Some(now) {
        return Some(now);
    }
    let soon = now.plus(limits.report_gap_ms);
    match &state.progress {
        Progress::Idle => None,
        Progress::Finished { .. } | Progress::Running { phase: Phase::Parked(_), .. } => Some(now),
        Progress::Running { phase: Phase::Waiting(_), .. } => Some(soon),
        Progress::Running { phase: Phase::Doing(task), .. } => match task {
            Task::Agent { .. } | Task::Verify { .. } | Task::Settle { .. } | Task::Leave { .. } => {
                Some(soon)
            }
            Task::Accept { .. }
            | Task::Afford
            | Task::Show { .. }
            | Task::Publish { .. }
            | Task::Update { .. }
            | Task::AskUpdate { .. }
            | Task::Recognise { .. }
            | Task::Rerun { .. }
            | Task::Undraft { .. }
            | Task::Stories { .. }
            | Task::Ready { .. }
            | Task::Merge(_)
            | Task::Enlist { .. }
            | Task::Compare { .. }
            | Task::Land { .. }
            | Task::Close { .. } => None,
        },
    }
}

/// Lets the run of an issue read anew how far its stories are: at its next rest, when it is
/// just reading.
pub(super) fn nudge(parent: &State, now: Millis) -> NewJob {
    let run = &parent.request.run;
    let entry = parent.entry + u32::from(parent.task().is_some());
    NewJob {
        key: JobKey(format!("{run}/timer/nudge")),
        kind: JobKind::Timer { run: run.clone(), entry, timer: Timer::Look },
        due: now.plus(NUDGE_MS),
        on_repeat: OnRepeat::Replace,
        heavy: None,
    }
}

/// A look; many askers are served by one.
pub(super) fn look(run: &RunId, due: Millis) -> NewJob {
    NewJob {
        key: JobKey(format!("{run}/look")),
        kind: JobKind::Look { run: run.clone() },
        due,
        on_repeat: OnRepeat::Sooner,
        heavy: None,
    }
}

/// Making GitHub show what is so; many changes are served by one.
pub(super) fn report(run: &RunId, due: Millis) -> NewJob {
    NewJob {
        key: JobKey(format!("{run}/report")),
        kind: JobKind::Report { run: run.clone() },
        due,
        on_repeat: OnRepeat::Sooner,
        heavy: None,
    }
}

/// A command the operator gives at the machine.
pub fn operator_job(run: &RunId, command: Authorized, now: Millis) -> NewJob {
    let word = command.command().spec().word;
    NewJob {
        key: JobKey(format!("{run}/operator/{word}")),
        kind: JobKind::Command { run: run.clone(), command },
        due: now,
        on_repeat: OnRepeat::Keep,
        heavy: None,
    }
}

/// The sweep for commands whose webhook was lost, remembering how far it looked.
pub fn sweep_job(since: Millis, due: Millis) -> NewJob {
    NewJob {
        key: JobKey("sweep".to_owned()),
        kind: JobKind::Sweep { since },
        due,
        on_repeat: OnRepeat::Keep,
        heavy: None,
    }
}

/// Reading GitHub's log of deliveries, remembering how far it was read.
pub fn poll_job(since: Millis, due: Millis) -> NewJob {
    NewJob {
        key: JobKey("poll".to_owned()),
        kind: JobKind::Poll { since },
        due,
        on_repeat: OnRepeat::Keep,
        heavy: None,
    }
}

/// The same because of news that cannot be believed: sooner than it would have been.
pub fn hint_job(now: Millis, due: Millis) -> NewJob {
    NewJob { on_repeat: OnRepeat::Sooner, ..poll_job(now, due) }
}
