//! The laws of single moves, each with its name. They are written against the facts, not with
//! the core's own gates where a second opinion is possible.

use slipway::gate::seen::{CheckResult, Merge, PullState, Seen};
use slipway::gate::{GateKind, MergePermit};
use slipway::model::Millis;
use slipway::pipeline::stage::PEOPLE_MS;
use slipway::pipeline::{
    Done, Effect, EventKind, Ignored, Outcome, ParkReason, Phase, Progress, StageKind, State, Task,
    Timer,
};
use slipway::policy::{Freshness, MergeMode, Policy};

use super::alphabet::comes_from_comment;
use super::critique::{bounded, changes_nothing, reviewed};
use super::order::{falls_back, gone_for_sure, seconded, stands_alone, unheard};
use super::timers::{asks_for_money, asks_people, timers_ask};
use super::trust::{keeps_held, never_by_itself, released};
use super::walk::{Move, Owed};

pub(crate) type Law = (&'static str, fn(&Move<'_>) -> Result<(), String>);

/// Every law of single moves.
pub(crate) const LAWS: &[Law] = &[
    ("the stages never send a run back and forth", never_back_and_forth),
    ("I1: a merge call needs proof for exactly its head, from that very look", proof),
    ("I3: one merge in flight, and only by who holds the lane", one_merge),
    ("I3: what landed stays landed", landed_stays),
    ("I4: after a lost answer only reads, until two agree", reads_only),
    ("I6: what was once required stays required, until a person says otherwise", required_grows),
    ("I13: whatever is not over has a task out or a look armed", has_alarm_clock),
    ("I15: the same event twice is the same as once", twice_is_once),
    ("I17: after a stop nothing new begins", stop_stops),
    ("I18: a red base never sends a fixer", red_base),
    ("what is delicate is merged with one person more than usual", seconded),
    ("while an order stands nothing else is asked for", stands_alone),
    ("an order is gone when GitHub says so, or two looks agree", gone_for_sure),
    ("one task at a time", one_task),
    ("late results and timers change nothing", late_is_stale),
    ("timers ask and never conclude", timers_ask),
    ("an agent that ran out of money goes on where it was, once there is room", asks_for_money),
    ("an agent that asked goes on where it was, once a person said something", asks_people),
    ("what nobody hears of a look changes nothing", unheard),
    ("a finished run only answers", finished_answers),
    ("every command from a comment gets exactly one answer", commands_are_answered),
    ("the lane is held exactly while a merge may be on its way", lane),
    ("a lane nobody vouches for is closed by an alarm", alarm),
    ("entries only grow, and effects carry the newest", entries),
    ("§5.6: a held run pushes only what a person released by `/push`", released),
    ("what we pushed last is no news while a change is held", keeps_held),
    ("what agents made is pushed reviewed, or on a person's word or the policy's", reviewed),
    ("a critic changes nothing and agrees to nothing", changes_nothing),
    ("a critic has no more rounds than the policy allows", bounded),
    ("§4.1: a tainted run is never merged without a person", never_by_itself),
    ("nothing is performed for a request that was withdrawn, once a look said so", withdrawn),
];

pub(super) fn fail(broken: bool, why: &str) -> Result<(), String> {
    if broken { Err(why.to_owned()) } else { Ok(()) }
}

pub(super) fn next<'a>(m: &'a Move<'_>) -> &'a State {
    m.result.as_ref().map_or(&m.before.state, |decision| &decision.next)
}

pub(super) fn effects<'a>(m: &'a Move<'_>) -> &'a [Effect] {
    m.result.as_ref().map_or(&[], |decision| &decision.effects)
}

pub(super) fn performed<'a>(m: &'a Move<'_>) -> Option<&'a Task> {
    effects(m).iter().find_map(|effect| match effect {
        Effect::Perform { task, .. } => Some(task),
        Effect::Cancel { .. }
        | Effect::Look
        | Effect::Arm { .. }
        | Effect::Answer { .. }
        | Effect::Relay { .. }
        | Effect::Release { .. } => None,
    })
}

pub(super) fn merge_call<'a>(m: &'a Move<'_>) -> Option<&'a MergePermit> {
    match performed(m) {
        Some(Task::Merge(permit) | Task::Enlist { permit, .. }) => Some(permit),
        Some(_) | None => None,
    }
}

pub(super) fn is_command(m: &Move<'_>, name: &str) -> bool {
    m.letter.name == name
}

fn never_back_and_forth(m: &Move<'_>) -> Result<(), String> {
    let parked = next(m).park().is_some_and(|park| park.text.contains("back and forth"));
    fail(parked, "it did")
}

fn proof(m: &Move<'_>) -> Result<(), String> {
    let Some(permit) = merge_call(m) else { return Ok(()) };
    if falls_back(m, permit) {
        return Ok(());
    }
    let EventKind::Performed { done: Done::Ready(seen), .. } = &m.letter.event.kind else {
        return Err("no look came with this event".to_owned());
    };
    let state = next(m);
    let policy = &m.lens.policy;
    let head = permit.head();
    let ours = state.work.head.as_ref() == Some(head)
        && seen.git_head.as_ref() == Some(head)
        && &seen.api_head == head
        && state.work.published.as_ref() == Some(head);
    fail(!ours, "run, git and GitHub do not all mean the permit's head")?;
    let verifies = policy.stages.verify && !policy.verify.is_empty();
    fail(verifies && state.work.verified.as_ref() != Some(head), "the head is not verified")?;
    fail(seen.pull_state != PullState::Open || seen.draft, "the pull request is not open")?;
    fail(state.held_by.is_some() || state.stop_by.is_some(), "somebody holds or stopped it")?;
    fail(state.withdrawn.is_some(), "the request was withdrawn")?;
    fail(!merges_well(seen, policy, permit), "what lands is not what was tested")?;
    fail(!green(state, seen, policy, m.letter.event.at), "the checks do not speak for it")?;
    fail(!agreed(state, seen, policy), "the people did not agree")?;
    let facts = state.facts(policy, m.letter.event.at).ok_or("no facts")?;
    let failing = GateKind::ALL.iter().find(|gate| !gate.judge(&facts).passed());
    fail(failing.is_some(), &format!("the gate {failing:?} does not pass"))
}

fn merges_well(seen: &Seen, policy: &Policy, permit: &MergePermit) -> bool {
    let queued = seen.rules.queue && !seen.rules.required.is_empty();
    let strict = !queued && (policy.freshness == Freshness::Strict || seen.rules.strict);
    seen.probe.as_ref().is_some_and(|probe| {
        let tree = match &probe.merge {
            Merge::Clean { tree } => Some(tree),
            Merge::Conflict { .. } => None,
        };
        &probe.head == permit.head()
            && probe.base == seen.base_tip
            && permit.base_tip() == &seen.base_tip
            && permit.base() == &seen.base
            && tree == Some(permit.tree())
            && (!strict || probe.contains_base)
    })
}

/// A second opinion on the checks: all that ended well, some that passed, none missing.
fn green(state: &State, seen: &Seen, policy: &Policy, at: Millis) -> bool {
    let passed = |r: CheckResult| r == CheckResult::Passed;
    let fine = |r: CheckResult| passed(r) || r == CheckResult::Skipped;
    let all_fine = seen.checks.iter().all(|check| fine(check.result));
    let has = |name: &String| seen.checks.iter().any(|check| &check.name == name);
    let required = seen.rules.required.union(&state.work.required).all(has);
    let shrunk = !state.work.required.is_subset(&seen.rules.required);
    let any = seen.checks.iter().any(|check| passed(check.result));
    let accepted = policy.allow_no_checks || state.work.without_checks == state.work.head;
    let quiet_ms = i64::from(policy.limits.ci_quiet_seconds) * 1_000;
    let quiet = state.work.published_at.is_some_and(|since| at.since(since) >= quiet_ms);
    let complete = !seen.rules.required.is_empty() || quiet || state.work.without_checks.is_some();
    all_fine && required && !shrunk && (any || accepted) && complete
}

fn agreed(state: &State, seen: &Seen, policy: &Policy) -> bool {
    use slipway::gate::seen::ReviewVerdict::{Approved, ChangesRequested};
    let head = state.work.head.as_ref();
    let given = |approval: &Option<slipway::pipeline::state::Approval>| {
        approval.as_ref().is_some_and(|approval| Some(&approval.head) == head)
    };
    let approvals =
        seen.reviews.iter().filter(|r| r.verdict == Approved && Some(&r.commit) == head).count();
    let against = seen.reviews.iter().any(|review| review.verdict == ChangesRequested);
    let spoken = approvals > 0 || given(&state.work.approved) || given(&state.work.merge_ordered);
    let word = match policy.merge {
        MergeMode::Auto => state.tainted.is_empty() || spoken,
        MergeMode::OnApproval => !policy.stages.review || spoken,
        MergeMode::OnCommand => given(&state.work.merge_ordered),
        MergeMode::Never => false,
    };
    word && !against && approvals as u64 >= u64::from(seen.rules.approvals)
}

fn one_merge(m: &Move<'_>) -> Result<(), String> {
    let Some(permit) = merge_call(m) else { return Ok(()) };
    let before = &m.before.state.work;
    fail(before.unsettled.is_some(), "an earlier call is unsettled")?;
    fail(before.landed.is_some(), "it landed already")?;
    let stands = before.standing.is_some() && !falls_back(m, permit);
    fail(stands, "GitHub was asked already")?;
    fail(m.after.lane.as_ref() != Some(permit.base()), "the lane of its base is not held")
}

fn landed_stays(m: &Move<'_>) -> Result<(), String> {
    let Some(landed) = &m.before.state.work.landed else { return Ok(()) };
    let state = next(m);
    fail(state.work.landed.as_ref() != Some(landed), "it forgot what landed")?;
    let allowed = matches!(
        performed(m),
        None | Some(Task::Land { .. } | Task::Compare { .. } | Task::Close { .. })
    );
    fail(!allowed, "it works on after the end")?;
    match state.finished() {
        None | Some(Outcome::Merged { .. }) => Ok(()),
        Some(Outcome::HandedOver { why }) => {
            fail(!why.contains("not what was predicted"), "handed over for no reason")
        }
        Some(Outcome::Stopped { .. } | Outcome::Failed { .. }) => {
            Err("it denies that it landed".to_owned())
        }
    }
}

fn reads_only(m: &Move<'_>) -> Result<(), String> {
    let waits = match m.after.owed {
        Owed::Reads(_) => true,
        Owed::Answer => m.before.outside.owed == Owed::Answer,
        Owed::Nothing => false,
    };
    if !waits {
        return Ok(());
    }
    fail(!matches!(performed(m), None | Some(Task::Settle { .. })), "it acts without knowing")?;
    let twice = is_command(m, "/stop") && m.before.state.stop_by.is_some();
    let over = next(m).finished().is_some() && m.before.state.finished().is_none();
    fail(over && !twice, "it ends without knowing")
}

fn required_grows(m: &Move<'_>) -> Result<(), String> {
    let kept = m.before.state.work.required.is_subset(&next(m).work.required);
    fail(!kept && !is_command(m, "/retry"), "a required check was forgotten")
}

fn has_alarm_clock(m: &Move<'_>) -> Result<(), String> {
    let state = next(m);
    for effect in effects(m) {
        if let Effect::Arm { timer: Timer::Look, at, .. } = effect {
            let ms = at.since(m.letter.event.at);
            fail(!(1..=PEOPLE_MS).contains(&ms), "the next look is too far away")?;
        }
    }
    match &state.progress {
        Progress::Running { phase: Phase::Doing(_), .. } => {
            fail(m.after.task != Some(state.entry), "no task is out")
        }
        Progress::Running { phase: Phase::Waiting(_) | Phase::Parked(_), .. } => {
            fail(!m.after.look_armed, "no look is armed")
        }
        Progress::Idle | Progress::Finished { .. } => Ok(()),
    }
}

fn twice_is_once(m: &Move<'_>) -> Result<(), String> {
    let (Ok(first), Ok(second)) = (m.result, m.again) else { return Ok(()) };
    let harmless = |effect: &Effect| match effect {
        Effect::Look | Effect::Arm { .. } | Effect::Answer { .. } | Effect::Relay { .. } => true,
        Effect::Perform { .. } | Effect::Cancel { .. } | Effect::Release { .. } => false,
    };
    // A second `/stop` is a second word of a person, and may end what the first could not.
    let insists = is_command(m, "/stop") && first.next.park().is_some();
    fail(!insists && first.next != second.next, "the second time changes the state")?;
    fail(!insists && !second.effects.iter().all(harmless), "the second time has effects")
}

fn stop_stops(m: &Move<'_>) -> Result<(), String> {
    let state = next(m);
    let stopped = state.stop_by.is_some() || is_command(m, "/stop");
    if !stopped || state.finished().is_some() {
        return Ok(());
    }
    let tidies = matches!(
        performed(m),
        None | Some(
            Task::Settle { .. }
                | Task::Leave { .. }
                | Task::Compare { .. }
                | Task::Land { .. }
                | Task::Close { .. }
        )
    );
    fail(!tidies, "it begins something")?;
    let asks = state.task().is_some()
        || state.park().is_some_and(|park| park.why == ParkReason::MergeUnknown);
    fail(!asks, "it neither ends nor finds out how the merge ended")
}

fn red_base(m: &Move<'_>) -> Result<(), String> {
    let EventKind::Observed(seen) = &m.letter.event.kind else { return Ok(()) };
    let ours = seen.checks.iter().any(|check| {
        check.result == CheckResult::Failed
            && !seen.base_checks.iter().any(|base| base.name == check.name)
    });
    let red = seen.checks.iter().any(|check| check.result == CheckResult::Failed) && !ours;
    let fixer = matches!(performed(m), Some(Task::Agent { .. }));
    let at_ci = next(m).stage() == Some(StageKind::Ci);
    fail(red && fixer && at_ci, "the base fails in the same way")
}

fn one_task(m: &Move<'_>) -> Result<(), String> {
    let count = effects(m).iter().filter(|e| matches!(e, Effect::Perform { .. })).count();
    fail(count > 1, "two at once")?;
    if count == 0 {
        return Ok(());
    }
    let out = m.before.outside.task;
    let ended = match &m.letter.event.kind {
        EventKind::Performed { entry, .. } => Some(*entry) == out,
        EventKind::Started
        | EventKind::Commanded(_)
        | EventKind::Withdrawn { .. }
        | EventKind::Observed(_)
        | EventKind::TimerFired { .. } => false,
    };
    let cancelled = effects(m)
        .iter()
        .any(|e| matches!(e, Effect::Cancel { entry } if out.is_some_and(|task| task <= *entry)));
    fail(out.is_some() && !ended && !cancelled, "the task before it still runs")
}

fn late_is_stale(m: &Move<'_>) -> Result<(), String> {
    if !m.letter.name.starts_with("stale ") {
        return Ok(());
    }
    match m.result {
        Err(Ignored::Stale | Ignored::Finished | Ignored::NotNow) => Ok(()),
        Err(Ignored::Unchanged) | Ok(_) => Err("it was heard".to_owned()),
    }
}

fn finished_answers(m: &Move<'_>) -> Result<(), String> {
    if m.before.state.finished().is_none() {
        return Ok(());
    }
    fail(next(m) != &m.before.state, "it changed")?;
    let answers = effects(m).iter().all(|e| matches!(e, Effect::Answer { .. }));
    fail(!answers, "it does more than answer")
}

fn commands_are_answered(m: &Move<'_>) -> Result<(), String> {
    let answers = effects(m).iter().filter(|e| matches!(e, Effect::Answer { .. })).count();
    // A question is told in a comment of its own, under the one that began the run.
    let asks = m.before.state.open_question().is_none() && next(m).open_question().is_some();
    let wanted = usize::from(comes_from_comment(m.letter) || asks);
    fail(answers != wanted, &format!("{answers} answers"))
}

fn lane(m: &Move<'_>) -> Result<(), String> {
    let state = next(m);
    if state.finished().is_some() {
        return fail(m.after.lane.is_some(), "it was never given back");
    }
    fail(state.work.lane != m.after.lane, "the run and the world disagree about it")?;
    let ready = matches!(state.task(), Some(Task::Ready { .. } | Task::Enlist { .. }));
    let may = ready || state.work.unsettled.is_some() || state.work.landed.is_some();
    fail(m.after.lane.is_some() && !may, "it is held for nothing")
}

fn alarm(m: &Move<'_>) -> Result<(), String> {
    let Ok(decision) = m.result else { return Ok(()) };
    let work = &decision.next.work;
    let compared = work.landed_verified
        || work.method == slipway::policy::MergeMethod::Rebase
        || (work.predicted.is_none() && work.standing.is_none());
    let vouched = work.unsettled.is_none() && (work.landed.is_none() || compared);
    let silent = decision.effects.iter().any(|e| matches!(e, Effect::Release { alarm: None, .. }));
    let held = m.before.outside.lane.is_some();
    fail(held && silent && !vouched, "it was opened in silence")
}

fn entries(m: &Move<'_>) -> Result<(), String> {
    let (before, after) = (m.before.state.entry, next(m).entry);
    fail(after < before || after > before + 1, "it jumped")?;
    let newest = effects(m).iter().all(|effect| match effect {
        Effect::Perform { entry, .. } | Effect::Arm { entry, .. } => *entry == after,
        Effect::Cancel { entry } => *entry == before,
        Effect::Look | Effect::Answer { .. } | Effect::Relay { .. } | Effect::Release { .. } => {
            true
        }
    });
    fail(!newest, "an effect carries an entry that is over")
}

fn withdrawn(m: &Move<'_>) -> Result<(), String> {
    let looked = match &m.letter.event.kind {
        EventKind::Observed(_) | EventKind::Performed { done: Done::Ready(_), .. } => {
            m.result.is_ok()
        }
        EventKind::Performed { .. }
        | EventKind::Started
        | EventKind::Commanded(_)
        | EventKind::Withdrawn { .. }
        | EventKind::TimerFired { .. } => false,
    };
    let wanted = m.before.state.withdrawn.is_none() || m.after.owed != Owed::Nothing;
    let landed = next(m).work.landed.is_some();
    let leaves = next(m).work.standing.is_some();
    fail(looked && !wanted && !landed && !leaves && next(m).finished().is_none(), "it goes on")
}
